//! One compiled XML Schema.

use std::sync::Arc;

use libxml::error::XmlErrorLevel;
use libxml::parser::{Parser, ParserOptions, XmlParseFailure};
use libxml::schemas::{SchemaParserContext, SchemaValidationContext};

use super::pool::Pool;
use super::{CatalogueError, ViolatedRule, Violation, resolver, wording};
use crate::bundle::Files;

/// How many validators of one schema exist at most. A validator serves one thread at a time; who comes later waits, for a
/// fraction of a millisecond.
const VALIDATORS_MAX: usize = 8;

/// The namespace of `xsi:type` and its like, which let a document choose its own types and name files.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A compiled XML Schema 1.0 with everything that it imports, for our messages and for partners' own forms.
///
/// Usable from many threads at once. Compiled and used without I/O: what the schema imports comes from the same map.
pub struct XmlSchema {
    entry: String,
    files: Arc<Files>,
    target_namespace: String,
    root_elements: Vec<String>,
    validators: Pool<Validator>,
}

/// libxml2's validator with its own compiled copy of the schema.
struct Validator(SchemaValidationContext);

// SAFETY: a validator owns all that it points to (its schema, its context, its list of errors), libxml2 ties none of it to a
// thread, and the pool lends it to one thread at a time.
#[allow(
    unsafe_code,
    reason = "libxml2's pointers are not Send by themselves; the pool gives each to one thread at a time"
)]
unsafe impl Send for Validator {}

impl std::fmt::Debug for XmlSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XmlSchema").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl XmlSchema {
    /// Compiles the schema at the path `entry` of the map. Its imports and includes name other files of the map by relative
    /// paths; a partner's folder is one map with its own entry.
    ///
    /// # Errors
    /// Every problem with its file and line: not a schema, an import that leads out of the map, a broken definition.
    pub fn compile(files: &Files, entry: &str) -> Result<Self, Vec<CatalogueError>> {
        let closure = resolver::closure(files, entry)?;
        let files = Arc::new(closure.files);
        let first = Validator::compile(&files, entry)?;
        Ok(Self {
            entry: entry.to_owned(),
            files,
            target_namespace: closure.target_namespace,
            root_elements: closure.root_elements,
            validators: Pool::new(first, VALIDATORS_MAX),
        })
    }

    /// The path of the schema in its map.
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// The namespace that the schema describes; empty when it has none.
    pub fn target_namespace(&self) -> &str {
        &self.target_namespace
    }

    /// The local names of the elements that may be roots, as the entry declares them (not those of its includes).
    pub fn root_elements(&self) -> &[String] {
        &self.root_elements
    }

    /// Checks a document: UTF-8, XML 1.0, no document type, no `xsi:*` attribute, and the schema.
    ///
    /// # Errors
    /// At most [`Violation::REPORTED_MAX`] violations in the document's order. They hold no value of the document.
    pub fn validate(&self, document: &[u8]) -> Result<(), Vec<Violation>> {
        let text = readable(document).map_err(|violation| vec![violation])?;
        let tree = parse(text).map_err(|violation| vec![violation])?;
        refuse_xsi(text)?;
        let compile_one = || Validator::compile(&self.files, &self.entry).ok();
        let found = self.validators.with(compile_one, |validator| {
            let outcome = validator.0.validate_document(&tree);
            // A valid document may leave warnings behind; they are not the next document's.
            drop(validator.0.drain_errors());
            outcome
        });
        match found {
            Some(Ok(())) => Ok(()),
            Some(Err(errors)) => Err(violations(&errors)),
            None => Err(vec![Violation::new(
                None,
                "",
                ViolatedRule::Schema,
                "схему не удалось подготовить; повторите позже",
                "the schema could not be prepared; try again later",
            )]),
        }
    }
}

impl Validator {
    fn compile(files: &Arc<Files>, entry: &str) -> Result<Self, Vec<CatalogueError>> {
        resolver::with_files(files, || {
            let mut parser = SchemaParserContext::from_file(&resolver::address(entry));
            SchemaValidationContext::from_parser(&mut parser).map(Self).map_err(|errors| {
                let mut told: Vec<CatalogueError> =
                    errors.iter().map(|error| CatalogueError::of_compiling(entry, error)).collect();
                if told.is_empty() {
                    let message = "libxml2 could not compile the schema and does not say why".to_owned();
                    told.push(CatalogueError { file: entry.to_owned(), line: None, message });
                }
                told
            })
        })
    }
}

fn violations(errors: &[libxml::error::StructuredError]) -> Vec<Violation> {
    let mut told: Vec<Violation> = Vec::new();
    for violation in errors.iter().filter(|error| !wording::is_echo(error)).map(wording::of_schema) {
        if told.len() < Violation::REPORTED_MAX && told.last() != Some(&violation) {
            told.push(violation);
        }
    }
    if told.is_empty() {
        let (ru, en) = ("содержимое не соответствует схеме", "the content does not fit the schema");
        told.push(Violation::new(None, "", ViolatedRule::Schema, ru, en));
    }
    told
}

/// The bytes as text, if they are UTF-8 and have no document type declaration.
fn readable(document: &[u8]) -> Result<&str, Violation> {
    let refuse = |line, ru: &str, en: &str| Violation::new(line, "", ViolatedRule::NotWellFormed, ru, en);
    let text =
        std::str::from_utf8(document).map_err(|_| refuse(None, "документ не в UTF-8", "the document is not UTF-8"))?;
    if has_doctype(text) {
        return Err(refuse(None, "объявление DOCTYPE не допускается", "a document type declaration is not allowed"));
    }
    Ok(text)
}

/// Whether a document type declaration stands before the root element. libxml2 must not see one.
pub(super) fn has_doctype(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let (opening, closing) = if rest.starts_with("<?") {
            ("<?", "?>")
        } else if rest.starts_with("<!--") {
            ("<!--", "-->")
        } else {
            return rest.starts_with("<!");
        };
        let after = rest.strip_prefix(opening).and_then(|inside| inside.split_once(closing));
        let Some((_, after)) = after else { return false };
        rest = after.trim_start();
    }
}

/// libxml2's tree. Strict, without network, without its relaxed limits: depth 256, a text at most 10 MB.
fn parse(text: &str) -> Result<libxml::tree::Document, Violation> {
    let options = ParserOptions {
        recover: false,
        no_net: true,
        huge: false,
        ignore_enc: true,
        encoding: Some("UTF-8"),
        ..ParserOptions::default()
    };
    match Parser::default().parse_string_with_diagnostics(text, options) {
        // Undeclared prefixes are errors that libxml2 lives with; we do not.
        Ok((_, told)) if told.iter().any(|e| matches!(e.level, XmlErrorLevel::Error | XmlErrorLevel::Fatal)) => {
            Err(wording::of_reading(&told))
        }
        Ok((document, _)) => Ok(document),
        Err(XmlParseFailure::ParseFailed(errors)) => Err(wording::of_reading(&errors)),
        Err(_) => Err(wording::of_reading(&[])),
    }
}

/// Attributes of the schema instance namespace would let the document choose types and make libxml2 look for files.
fn refuse_xsi(text: &str) -> Result<(), Vec<Violation>> {
    // The namespace must be spelled out somewhere for such an attribute to exist; a character reference in it is caught too.
    if !text.contains("XMLSchema-instance") && !text.contains("&#") {
        return Ok(());
    }
    let document = roxmltree::Document::parse(text).map_err(|_| vec![wording::of_reading(&[])])?;
    let found: Vec<Violation> = document
        .descendants()
        .filter(|node| node.attributes().any(|a| a.namespace() == Some(XSI)))
        .take(Violation::REPORTED_MAX)
        .map(|node| {
            let line = document.text_pos_at(node.range().start).row;
            let en = "attributes of the XML Schema instance namespace (xsi:*) are not allowed";
            Violation::new(
                Some(line),
                node.tag_name().name(),
                ViolatedRule::Schema,
                "атрибуты xsi:* не допускаются",
                en,
            )
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}
