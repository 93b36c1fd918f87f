//! All message types that the gateway knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use libxml::error::StructuredError;
use roxmltree::Node;

use super::codes::CodeLists;
use super::enumerations::OwnList;
use super::{Held, MessageInfo, ViolatedRule, Violation, XmlSchema, content, element_bytes, enumerations, messages};
use crate::bundle::Files;
use crate::domain::{DataClass, MessageType};

const ROOT: &str = "schemas/";

/// Why a set of schemas cannot be used. Meant for the administrator who wrote the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CatalogueError {
    /// The path of the file in its map.
    pub file: String,
    /// The line, from 1, where one can be told.
    pub line: Option<u32>,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// `schemas/…/x.xsd:12: …`
impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl CatalogueError {
    pub(super) fn of_compiling(entry: &str, error: &StructuredError) -> Self {
        // Files are known to libxml2 under an address of ours; people know the path.
        let address = error.filename.as_deref().unwrap_or_default();
        let file = address.split_once(":///").map_or(entry, |(_, path)| path);
        Self {
            file: file.to_owned(),
            line: error.line.and_then(|line| u32::try_from(line).ok()),
            message: error.message.as_deref().unwrap_or("the schema is broken").trim_end().to_owned(),
        }
    }
}

/// The compiled schemas of all message types, their code lists, and the files themselves.
///
/// Made once per revision of the configuration and shared by all threads. A message type `document-request` of version 1 is the
/// file `schemas/social/document-request/1/document-request.xsd` with the namespace and root element that
/// [`MessageType`] says. Other folders of `schemas/` (`common`, `envelope`) are compiled too, so that an error in them shows.
#[derive(Debug)]
pub struct Catalogue {
    schemas: BTreeMap<MessageType, XmlSchema>,
    codes: CodeLists,
    own_lists: BTreeMap<String, OwnList>,
    messages: BTreeMap<String, MessageInfo>,
    files: Files,
}

impl Catalogue {
    /// Compiles every schema below `schemas/` of the map and reads the code lists.
    ///
    /// # Errors
    /// All problems of all files, each with file and line where one can be told.
    pub fn from_files(files: &Files) -> Result<Self, Vec<CatalogueError>> {
        let mut errors = Vec::new();
        let mut schemas = BTreeMap::new();
        for path in files.keys().filter(|path| path.starts_with(ROOT) && path.ends_with(".xsd")) {
            match XmlSchema::compile(files, path) {
                Ok(schema) => match message_type(path) {
                    Some(message_type) => {
                        errors.extend(misnamed(&message_type, &schema));
                        schemas.insert(message_type, schema);
                    }
                    None => drop(schema),
                },
                Err(more) => errors.extend(more),
            }
        }
        let codes = CodeLists::from_files(files).map_err(|more| errors.extend(more)).ok();
        let messages = messages::read(files).map_err(|more| errors.extend(more)).unwrap_or_default();
        // What several schemas import is told once.
        let mut told: Vec<CatalogueError> = Vec::new();
        for error in errors {
            if !told.contains(&error) {
                told.push(error);
            }
        }
        match codes {
            Some(codes) if told.is_empty() => {
                let own_lists = enumerations::read(files, schemas.keys());
                let files = files.iter().filter(|(path, _)| path.starts_with(ROOT));
                Ok(Self {
                    schemas,
                    codes,
                    own_lists,
                    messages,
                    files: files.map(|(path, bytes)| (path.clone(), bytes.clone())).collect(),
                })
            }
            _ => Err(told),
        }
    }

    /// Whether there is a schema for the type and version.
    pub fn knows(&self, message_type: &MessageType) -> bool {
        self.schemas.contains_key(message_type)
    }

    /// All known types and versions, in the order of their names.
    pub fn types(&self) -> impl Iterator<Item = &MessageType> {
        self.schemas.keys()
    }

    /// The type whose root element has this namespace and local name.
    pub fn type_of_root(&self, namespace: &str, root: &str) -> Option<&MessageType> {
        self.schemas.keys().find(|known| known.namespace() == namespace && known.root() == root)
    }

    /// The names of all types.
    pub fn message_names(&self) -> impl Iterator<Item = &str> {
        self.messages.keys().map(String::as_str)
    }

    /// What a type is for people and for routes, whatever its version.
    pub fn message(&self, name: &str) -> Option<&MessageInfo> {
        self.messages.get(name)
    }

    /// The classes of personal data that a body holds by what its fields ask for, each with the field that brought it. A type that is not
    /// in the table has none.
    pub fn held(&self, message_type: &MessageType, body: Node<'_, '_>) -> Held {
        self.message(&message_type.name).map(|info| info.held(body, &self.codes)).unwrap_or_default()
    }

    /// The classes of personal data that a body holds, without the fields.
    pub fn data_classes(&self, message_type: &MessageType, body: Node<'_, '_>) -> BTreeSet<DataClass> {
        self.held(message_type, body).into_keys().collect()
    }

    /// The code lists.
    pub fn codes(&self) -> &CodeLists {
        &self.codes
    }

    /// The lists that one message alone has, which its schema enumerates: `document-response-refusal-ground`.
    pub fn own_lists(&self) -> &BTreeMap<String, OwnList> {
        &self.own_lists
    }

    /// A file of the catalogue by its path below `schemas/`, such as `social/application/1/application.xsd`: what is published
    /// under `/schemas/`.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(&format!("{ROOT}{path}")).map(Vec::as_slice)
    }

    /// The paths below `schemas/` of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|path| path.strip_prefix(ROOT))
    }

    /// Checks a body: its root element, its XSD, and then the rules that an XSD cannot say. The bytes are a standalone document
    /// ([`element_bytes`](super::element_bytes) makes one of a part of an envelope). May be called from many threads; does
    /// CPU work of about a millisecond or less for a body of usual size, so not on an async thread in great numbers.
    ///
    /// # Errors
    /// The violations in the document's order, without any value of the document; at most [`Violation::REPORTED_MAX`].
    pub fn validate(&self, message_type: &MessageType, body: &[u8]) -> Result<(), Vec<Violation>> {
        self.schema(message_type)?.validate(body)?;
        let document = std::str::from_utf8(body).ok().and_then(|text| roxmltree::Document::parse(text).ok());
        let document = document.ok_or_else(|| {
            let (ru, en) = ("документ не читается", "the document cannot be read");
            vec![Violation::new(None, "", ViolatedRule::NotWellFormed, ru, en)]
        })?;
        if let Some(node) = document.descendants().find(|n| n.is_comment() || n.is_pi()) {
            let line = document.text_pos_at(node.range().start).row;
            let (ru, en) =
                ("комментарии и инструкции не допускаются", "comments and processing instructions are not allowed");
            return Err(vec![Violation::new(Some(line), "", ViolatedRule::NotWellFormed, ru, en)]);
        }
        self.check(message_type, document.root_element())
    }

    /// The same for a body that was read already, in a document without comments and processing instructions such as [`crate::xml::read`]
    /// takes. The lines of violations are those of its document.
    ///
    /// # Errors
    /// As of [`Catalogue::validate`].
    pub fn validate_node(&self, message_type: &MessageType, body: Node<'_, '_>) -> Result<(), Vec<Violation>> {
        self.schema(message_type)?.validate(&element_bytes(body))?;
        self.check(message_type, body)
    }

    fn schema(&self, message_type: &MessageType) -> Result<&XmlSchema, Vec<Violation>> {
        self.schemas.get(message_type).ok_or_else(|| {
            let (ru, en) = (
                format!("нет схемы для типа сообщения {message_type}"),
                format!("there is no schema for the message type {message_type}"),
            );
            vec![Violation::new(None, "", ViolatedRule::Schema, ru, en)]
        })
    }

    /// What the XSD leaves open: which of its elements may be the root, and the rules that it cannot say.
    fn check(&self, message_type: &MessageType, root: Node<'_, '_>) -> Result<(), Vec<Violation>> {
        let expected = (message_type.namespace(), message_type.root());
        if root.tag_name().namespace() != Some(expected.0.as_str()) || root.tag_name().name() != expected.1 {
            let line = root.document().text_pos_at(root.range().start).row;
            let (ru, en) =
                ("корневой элемент не того типа сообщения", "the root element is not that of the message type");
            return Err(vec![Violation::new(Some(line), root.tag_name().name(), ViolatedRule::Schema, ru, en)]);
        }
        if message_type.technical().is_some() {
            return Ok(());
        }
        let found = content::check(root, &self.codes);
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

/// The message type whose schema has this path, if it is the path of one.
fn message_type(path: &str) -> Option<MessageType> {
    let parts: Vec<&str> = path.strip_prefix(ROOT)?.split('/').collect();
    let [area, name, version, file] = parts.as_slice() else { return None };
    let message_type = MessageType::new(name, version.parse().ok()?).ok()?;
    let own = *file == format!("{name}.xsd") && message_type.folder() == format!("{area}/{name}/{version}");
    own.then_some(message_type)
}

/// Errors when a schema has not the namespace and root element of its folder.
fn misnamed(message_type: &MessageType, schema: &XmlSchema) -> Vec<CatalogueError> {
    let fail = |message| CatalogueError { file: schema.entry().to_owned(), line: None, message };
    let mut errors = Vec::new();
    let namespace = message_type.namespace();
    if schema.target_namespace() != namespace {
        errors.push(fail(format!("the targetNamespace must be {namespace}, as the folder says")));
    }
    let root = message_type.root();
    if !schema.root_elements().contains(&root) {
        errors.push(fail(format!("there must be a global element `{root}`, as the folder says")));
    }
    errors
}
