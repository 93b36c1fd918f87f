//! The two translations.

use std::sync::Arc;

use super::checks::PartnerSchema;
use super::manifest::{Form, Message, Way};
use super::render::Engine;
use super::set::Adapter;
use super::tree::Tree;
use super::{AdapterError, AdapterErrorKind, Direction, HeaderView, PartnerBody, PartnerBodyRef, output};
use crate::domain::MessageType;
use crate::schema::Catalogue;

/// Namespaces that canonical bodies share, whatever their version.
const COMMON_NAMESPACE_PREFIX: &str = "urn:mezhved:common:";

impl Adapter {
    /// Translates a canonical body, which the caller has validated, into the partner's form and validates the result against the
    /// partner's own schema. A canonical adapter gives the body back as it is.
    ///
    /// # Errors
    /// The template's file and line, or the schema's, and the reason; [`AdapterErrorKind`] tells them apart.
    pub fn to_partner(
        &self,
        message_type: &MessageType,
        body: &[u8],
        header: &HeaderView,
    ) -> Result<PartnerBody, AdapterError> {
        if self.is_canonical() {
            return Ok(PartnerBody::Xml(body.to_vec()));
        }
        let (message, schema) = self.message(message_type)?;
        let way = self.way(message, Direction::ToPartner)?;
        let tree = canonical_tree(message_type, body).map_err(|reason| self.input(way, reason))?;
        let written = self.run(&self.to_partner, way, tree, header)?;
        let file = self.template_file(way);
        let result = if self.manifest.form == Form::Json {
            output::compact_json(&written)
        } else {
            output::compact_xml(&written)
        };
        let bytes = result.map_err(|reason| AdapterError::new(AdapterErrorKind::Output, &file, None, reason))?;
        self.check_partner(message, schema, &bytes).map_err(|reason| {
            AdapterError::new(AdapterErrorKind::Output, &file, None, format!("the result: {reason}"))
        })?;
        Ok(match self.manifest.form {
            Form::Json => PartnerBody::Payload { media_type: self.manifest.media_type.clone(), bytes },
            Form::Xml | Form::Canonical => PartnerBody::Xml(bytes),
        })
    }

    /// Validates a partner's body against the partner's own schema, translates it into the canonical form and validates the result
    /// against the catalogue. A canonical adapter only validates.
    ///
    /// # Errors
    /// As of [`Adapter::to_partner`]; kind [`AdapterErrorKind::Input`] when the body is not what the partner's schema says,
    /// [`AdapterErrorKind::NotCanonical`] or [`AdapterErrorKind::ContentInvalid`] when it is, and breaks the canonical rules.
    pub fn to_canonical(
        &self,
        message_type: &MessageType,
        body: PartnerBodyRef<'_>,
        header: &HeaderView,
        catalogue: &Catalogue,
    ) -> Result<Vec<u8>, AdapterError> {
        if self.is_canonical() {
            let PartnerBodyRef::Xml(bytes) = body else { return Err(self.wrong_frame("an XML element")) };
            let manifest = self.file("manifest.toml");
            super::checks::canonical(catalogue, message_type, bytes)
                .map_err(|reason| AdapterError::new(AdapterErrorKind::Input, &manifest, None, reason))?;
            return Ok(bytes.to_vec());
        }
        let (message, schema) = self.message(message_type)?;
        let way = self.way(message, Direction::ToCanonical)?;
        let bytes = self.unframe(body)?;
        let tree = self.partner_tree(message, bytes).map_err(|reason| self.input(way, reason))?;
        self.check_partner(message, schema, bytes).map_err(|reason| self.input(way, reason))?;
        let written = self.run(&self.to_canonical, way, tree, header)?;
        let file = self.template_file(way);
        let wrong = |kind, reason: String| AdapterError::new(kind, &file, None, format!("the result: {reason}"));
        let bytes = output::compact_xml(&written).map_err(|reason| wrong(AdapterErrorKind::Output, reason))?;
        super::checks::translated(catalogue, message_type, &bytes).map_err(|(kind, reason)| wrong(kind, reason))?;
        Ok(bytes)
    }

    fn message(&self, message_type: &MessageType) -> Result<(&Message, &PartnerSchema), AdapterError> {
        let described = self.manifest.messages.iter().zip(&self.schemas).find(|(m, _)| m.message_type == *message_type);
        described.ok_or_else(|| {
            let reason = format!("there is no form for {message_type}; add a [[message]]");
            AdapterError::new(AdapterErrorKind::TypeNotCarried, &self.file("manifest.toml"), None, reason)
        })
    }

    fn way<'m>(&self, message: &'m Message, direction: Direction) -> Result<&'m Way, AdapterError> {
        let (way, key) = match direction {
            Direction::ToPartner => (message.to_partner.as_ref(), "to-partner"),
            Direction::ToCanonical => (message.to_canonical.as_ref(), "to-canonical"),
        };
        way.ok_or_else(|| {
            let reason = format!("{} has no `{key}`", message.message_type);
            AdapterError::new(AdapterErrorKind::TypeNotCarried, &self.file("manifest.toml"), Some(message.line), reason)
        })
    }

    /// Runs the template and looks at what it did not read.
    fn run(&self, engine: &Engine, way: &Way, tree: Tree, header: &HeaderView) -> Result<Vec<u8>, AdapterError> {
        let tree = Arc::new(tree);
        let written = engine.render(way.template.get_ref(), &tree, header)?;
        let unread = tree.unread(&way.not_carried);
        if unread.is_empty() {
            return Ok(written);
        }
        let reason = format!(
            "no line reads {}; if the other form cannot carry it, list its path in `not-carried`",
            unread.join(", ")
        );
        Err(AdapterError::new(AdapterErrorKind::Template, &self.template_file(way), None, reason))
    }

    fn unframe<'b>(&self, body: PartnerBodyRef<'b>) -> Result<&'b [u8], AdapterError> {
        match (self.manifest.form, body) {
            (Form::Xml | Form::Canonical, PartnerBodyRef::Xml(bytes)) => Ok(bytes),
            (Form::Json, PartnerBodyRef::Payload { media_type, bytes }) if media_type == self.manifest.media_type => {
                Ok(bytes)
            }
            (Form::Json, _) => {
                Err(self.wrong_frame(&format!("a Payload of the media type {}", self.manifest.media_type)))
            }
            (Form::Xml | Form::Canonical, PartnerBodyRef::Payload { .. }) => Err(self.wrong_frame("an XML element")),
        }
    }

    fn wrong_frame(&self, wanted: &str) -> AdapterError {
        let reason = format!("the envelope's body must be {wanted}");
        AdapterError::new(AdapterErrorKind::Input, &self.file("manifest.toml"), None, reason)
    }

    fn partner_tree(&self, message: &Message, bytes: &[u8]) -> Result<Tree, String> {
        match self.manifest.form {
            Form::Json => Tree::from_json(bytes),
            Form::Xml | Form::Canonical => {
                let (root, namespace) = &message.root;
                let allowed = |ns: &str| ns == namespace || self.manifest.namespaces.iter().any(|n| n == ns);
                Tree::from_xml(bytes, (root, namespace), &allowed)
            }
        }
    }

    fn check_partner(&self, message: &Message, schema: &PartnerSchema, bytes: &[u8]) -> Result<(), String> {
        if self.manifest.form != Form::Json {
            // The schema may know several roots; this type has one.
            self.partner_tree(message, bytes)?;
        }
        schema.validate(bytes)
    }

    fn input(&self, way: &Way, reason: String) -> AdapterError {
        AdapterError::new(AdapterErrorKind::Input, &self.template_file(way), None, format!("the body: {reason}"))
    }

    pub(super) fn template_file(&self, way: &Way) -> String {
        self.file(&format!("templates/{}", way.template.get_ref()))
    }

    pub(super) fn file(&self, path: &str) -> String {
        format!("adapters/{}/{path}", self.name)
    }
}

fn canonical_tree(message_type: &MessageType, body: &[u8]) -> Result<Tree, String> {
    let namespace = message_type.namespace();
    let allowed = |ns: &str| ns == namespace || ns.starts_with(COMMON_NAMESPACE_PREFIX);
    Tree::from_xml(body, (&message_type.root(), &namespace), &allowed)
}
