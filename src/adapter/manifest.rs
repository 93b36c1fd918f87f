//! `manifest.toml`: what an adapter folder says of itself.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::{AdapterError, AdapterErrorKind};
use crate::domain::{DataClass, MessageType};

/// The form of a partner's bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// The canonical form as it is; nothing is translated.
    Canonical,
    /// An XML element of the partner's own.
    Xml,
    /// JSON, carried in the envelope's `Payload`.
    Json,
}

/// The whole manifest, checked.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) title: String,
    pub(super) title_en: String,
    pub(super) form: Form,
    pub(super) media_type: String,
    /// The classes of personal data that it carries; `None`: all.
    pub(super) data_classes: Option<BTreeSet<DataClass>>,
    /// The namespaces that the partner's documents may use.
    pub(super) namespaces: Vec<String>,
    /// Name to path below the folder.
    pub(super) code_lists: BTreeMap<String, Spanned<String>>,
    pub(super) messages: Vec<Message>,
}

/// One message type.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) message_type: MessageType,
    pub(super) line: usize,
    pub(super) schema: Spanned<String>,
    /// Local name and namespace of the root; empty for JSON.
    pub(super) root: (String, String),
    pub(super) to_partner: Option<Way>,
    pub(super) to_canonical: Option<Way>,
}

/// One direction of a message type.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Way {
    /// The template's name below `templates/`.
    pub(super) template: Spanned<String>,
    /// Paths of the input that the other form does not carry, such as `person/contacts`.
    #[serde(default)]
    pub(super) not_carried: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawManifest {
    title: String,
    title_en: String,
    form: Form,
    media_type: Option<Spanned<String>>,
    data_classes: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    code_lists: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    message: Vec<Spanned<RawMessage>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawMessage {
    #[serde(rename = "type")]
    message_type: String,
    version: u32,
    schema: Spanned<String>,
    root: Option<String>,
    namespace: Option<String>,
    to_partner: Option<Way>,
    to_canonical: Option<Way>,
}

/// The line, from 1, of an offset in a text.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// Reads a manifest.
pub(super) fn read(file: &str, text: &str) -> Result<Manifest, Vec<AdapterError>> {
    let wrong = |line: Option<usize>, reason: String| AdapterError::new(AdapterErrorKind::Folder, file, line, reason);
    let raw: RawManifest = toml::from_str(text)
        .map_err(|e| vec![wrong(e.span().map(|s| line_of(text, s.start)), e.message().to_owned())])?;
    let mut errors = Vec::new();
    match (raw.form, &raw.media_type) {
        (Form::Json, None) => {
            errors.push(wrong(None, "the form `json` needs `media-type`, such as application/json".to_owned()))
        }
        (Form::Xml | Form::Canonical, Some(media)) => errors.push(wrong(
            Some(line_of(text, media.span().start)),
            "`media-type` belongs to the form `json` only".to_owned(),
        )),
        (Form::Json, Some(_)) | (Form::Xml | Form::Canonical, None) => {}
    }
    if raw.form == Form::Canonical && !raw.message.is_empty() {
        errors.push(wrong(None, "the form `canonical` translates nothing; remove the messages".to_owned()));
    }
    if raw.form != Form::Canonical && raw.message.is_empty() {
        errors.push(wrong(None, "no message is described; add a [[message]]".to_owned()));
    }
    let data_classes = raw.data_classes.map(|words| {
        classes(words, |at, reason| {
            errors.push(wrong(Some(line_of(text, at)), reason));
        })
    });
    let mut messages = Vec::new();
    for message in raw.message {
        let line = line_of(text, message.span().start);
        match check_message(message.into_inner(), raw.form, line) {
            Ok(message) if messages.iter().any(|m: &Message| m.message_type == message.message_type) => {
                errors.push(wrong(Some(line), format!("{} is described twice", message.message_type)));
            }
            Ok(message) => messages.push(message),
            Err(reason) => errors.push(wrong(Some(line), reason)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Manifest {
        title: raw.title,
        title_en: raw.title_en,
        form: raw.form,
        media_type: raw.media_type.map(Spanned::into_inner).unwrap_or_default(),
        data_classes,
        namespaces: raw.namespaces,
        code_lists: raw.code_lists,
        messages,
    })
}

fn classes(words: Vec<Spanned<String>>, mut wrong: impl FnMut(usize, String)) -> BTreeSet<DataClass> {
    let mut classes = BTreeSet::new();
    for word in words {
        match DataClass::parse(word.get_ref()) {
            Some(class) => drop(classes.insert(class)),
            None => wrong(
                word.span().start,
                format!("`data-classes`: `{}` is not one of {}", word.get_ref(), DataClass::words(&DataClass::ALL)),
            ),
        }
    }
    classes
}

fn check_message(raw: RawMessage, form: Form, line: usize) -> Result<Message, String> {
    let message_type = MessageType::new(&raw.message_type, raw.version).map_err(|e| e.to_string())?;
    if message_type.technical().is_some() {
        return Err(format!("{message_type} is a technical message and is never translated"));
    }
    let root = match (form, raw.root, raw.namespace) {
        (Form::Xml, Some(root), Some(namespace)) if !namespace.is_empty() => (root, namespace),
        (Form::Xml, _, _) => {
            return Err(format!("{message_type}: `root` and `namespace` of the partner's document are needed"));
        }
        (Form::Json | Form::Canonical, None, None) => (String::new(), String::new()),
        (Form::Json | Form::Canonical, _, _) => {
            return Err(format!("{message_type}: `root` and `namespace` belong to XML only"));
        }
    };
    if raw.to_partner.is_none() && raw.to_canonical.is_none() {
        return Err(format!("{message_type}: neither `to-partner` nor `to-canonical` is there"));
    }
    Ok(Message {
        message_type,
        line,
        schema: raw.schema,
        root,
        to_partner: raw.to_partner,
        to_canonical: raw.to_canonical,
    })
}
