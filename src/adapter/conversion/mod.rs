//! Conversions between two versions of a message type, as data: a folder `conversions/<type>/<lower>-<higher>/` with a
//! `manifest.toml`, a template for each direction, code lists and golden samples.
//!
//! They are made of the same parts as adapters and keep the same rules: a value that no line reads is an error unless the manifest
//! lists it as not carried, and the result is validated. Besides, a template may copy what is the same in both versions
//! (`body.copy('number', 'measures')`).

mod folder;
mod golden;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::manifest::Way;
use super::render::Engine;
use super::tree::Tree;
use super::{AdapterError, AdapterErrorKind, HeaderView, checks, output};
use crate::bundle::Files;
use crate::domain::MessageType;
use crate::schema::Catalogue;

pub use golden::check as check_conversions;

/// Namespaces that canonical bodies share, whatever their version.
const COMMON_NAMESPACE_PREFIX: &str = "urn:mezhved:common:";

/// All conversions of a bundle.
#[derive(Debug, Default)]
pub struct ConversionSet {
    /// In the order of types and versions.
    conversions: Vec<Conversion>,
}

/// A body in another version than it was sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The type with the version that it has now.
    pub message_type: MessageType,
    /// The body, valid by that version's schema.
    pub body: Vec<u8>,
    /// The paths that held a value and that this version does not carry, by the conversions' manifests: each with the version that
    /// had them, such as `termination/2: decidedBy`.
    pub not_carried: Vec<String>,
}

/// One folder: a type and two of its versions.
struct Conversion {
    lower: MessageType,
    higher: MessageType,
    up: Option<Half>,
    down: Option<Half>,
}

/// One direction of a folder.
struct Half {
    /// `conversions/termination/1-2/templates/`.
    folder: String,
    way: Way,
    engine: Engine,
}

/// One step from a version to another.
#[derive(Clone, Copy)]
struct Step<'s> {
    half: &'s Half,
    from: &'s MessageType,
    to: &'s MessageType,
}

impl std::fmt::Debug for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} - {}", self.lower, self.higher)
    }
}

impl ConversionSet {
    /// Reads all folders `conversions/<type>/<lower>-<higher>/` of the files. Other files are not looked at.
    ///
    /// # Errors
    /// Everything that is wrong in any folder, such as a version that the catalogue does not know; then there is no set at all.
    pub fn from_files(files: &Files, catalogue: &Catalogue) -> Result<Self, Vec<AdapterError>> {
        let folders: BTreeSet<&str> = files.keys().filter_map(|path| folder::of(path)).collect();
        let mut conversions = Vec::new();
        let mut errors = Vec::new();
        for name in folders {
            match folder::read(name, files, catalogue) {
                Ok(conversion) => conversions.push(conversion),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(Self { conversions }) } else { Err(errors) }
    }

    /// Of the versions that somebody takes, the one in which it gets a message of this type and version: the message's own, else the
    /// one that the fewest conversions lead to, and of two such the newer one.
    ///
    /// # Errors
    /// [`AdapterErrorKind::NoConversion`] when none leads to any of them.
    pub fn choose(&self, sent: &MessageType, taken: &BTreeSet<u32>) -> Result<MessageType, AdapterError> {
        if taken.contains(&sent.version) {
            return Ok(sent.clone());
        }
        let reachable = |version: &u32| {
            let to = MessageType { version: *version, ..sent.clone() };
            self.way(sent, &to).map(|steps| (steps.len(), std::cmp::Reverse(*version), to))
        };
        match taken.iter().filter_map(reachable).min_by_key(|(steps, version, _)| (*steps, *version)) {
            Some((_, _, to)) => Ok(to),
            None => Err(none(sent, taken)),
        }
    }

    /// Converts a valid body, by as many steps as it takes.
    ///
    /// # Errors
    /// The template's file and line, or the schema's, and the reason; [`AdapterErrorKind`] tells them apart.
    pub fn convert(
        &self,
        body: &[u8],
        (from, to): (&MessageType, &MessageType),
        header: &HeaderView,
        catalogue: &Catalogue,
    ) -> Result<Converted, AdapterError> {
        let steps = self.way(from, to).ok_or_else(|| none(from, &BTreeSet::from([to.version])))?;
        let mut converted = Converted { message_type: from.clone(), body: body.to_vec(), not_carried: Vec::new() };
        for step in steps {
            step.take(&mut converted, header, catalogue)?;
        }
        Ok(converted)
    }

    /// The template of the first step between two versions, for people; `None` where there is no way.
    pub fn template(&self, from: &MessageType, to: &MessageType) -> Option<String> {
        self.way(from, to)?.first().map(|step| step.half.template())
    }

    /// The fewest steps from one version to another.
    fn way(&self, from: &MessageType, to: &MessageType) -> Option<Vec<Step<'_>>> {
        let mut waiting = VecDeque::from([(from, Vec::new())]);
        let mut seen = BTreeSet::from([from.version]);
        while let Some((at, way)) = waiting.pop_front() {
            if at == to {
                return Some(way);
            }
            for step in self.steps_from(at) {
                if seen.insert(step.to.version) {
                    let mut longer: Vec<Step<'_>> = way.clone();
                    longer.push(step);
                    waiting.push_back((step.to, longer));
                }
            }
        }
        None
    }

    fn steps_from<'s>(&'s self, at: &MessageType) -> impl Iterator<Item = Step<'s>> {
        self.conversions.iter().filter_map(move |c| {
            if c.lower == *at {
                c.up.as_ref().map(|half| Step { half, from: &c.lower, to: &c.higher })
            } else if c.higher == *at {
                c.down.as_ref().map(|half| Step { half, from: &c.higher, to: &c.lower })
            } else {
                None
            }
        })
    }
}

fn none(sent: &MessageType, taken: &BTreeSet<u32>) -> AdapterError {
    let taken = taken.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let file = format!("conversions/{}", sent.name);
    let reason = format!("no conversion leads from version {} to version {taken}", sent.version);
    AdapterError::new(AdapterErrorKind::NoConversion, &file, None, reason)
}

impl Half {
    fn template(&self) -> String {
        format!("{}{}", self.folder, self.way.template.get_ref())
    }
}

impl Step<'_> {
    fn take(&self, converted: &mut Converted, header: &HeaderView, catalogue: &Catalogue) -> Result<(), AdapterError> {
        let file = self.half.template();
        let wrong = |kind, reason: String| AdapterError::new(kind, &file, None, reason);
        let namespace = self.from.namespace();
        let allowed = |ns: &str| ns == namespace || ns.starts_with(COMMON_NAMESPACE_PREFIX);
        let tree = Tree::from_xml(&converted.body, (&self.from.root(), &namespace), &allowed)
            .map_err(|reason| wrong(AdapterErrorKind::Input, format!("the body: {reason}")))?;
        let tree = Arc::new(tree.copying(&namespace, &self.to.namespace()));
        let written = self.half.engine.render(self.half.way.template.get_ref(), &tree, header)?;
        let unread = tree.unread(&self.half.way.not_carried);
        if !unread.is_empty() {
            let reason = format!(
                "no line reads {}; if version {} cannot carry it, list its path in `not-carried`",
                unread.join(", "),
                self.to.version
            );
            return Err(wrong(AdapterErrorKind::Template, reason));
        }
        let result = |reason: String| wrong(AdapterErrorKind::Output, format!("the result: {reason}"));
        let bytes = output::compact_xml(&written).map_err(result)?;
        checks::canonical(catalogue, self.to, &bytes).map_err(result)?;
        let dropped = tree.dropped(&self.half.way.not_carried);
        converted.not_carried.extend(dropped.iter().map(|path| format!("{}: {path}", self.from)));
        converted.body = bytes;
        converted.message_type = self.to.clone();
        Ok(())
    }
}

/// Names of versions to the numbers, for a folder such as `1-2`.
fn pair(folder: &str) -> Option<(u32, u32)> {
    let (lower, higher) = folder.split_once('-')?;
    let (lower, higher) = (lower.parse().ok()?, higher.parse().ok()?);
    (lower >= 1 && lower < higher && folder == format!("{lower}-{higher}")).then_some((lower, higher))
}

/// What the parts of one sample are called.
type Parts<'f> = BTreeMap<&'f str, &'f [u8]>;
