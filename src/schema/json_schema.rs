//! One compiled JSON Schema, for partners that speak JSON.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

use super::{CatalogueError, ViolatedRule, Violation};
use crate::bundle::Files;

const SCHEME: &str = "mezhved-schema:///";

/// A compiled JSON Schema with the files of its map that it refers to by relative `$ref`. Usable from many threads at once.
pub struct JsonSchema {
    entry: String,
    validator: Validator,
}

impl std::fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonSchema").field("entry", &self.entry).finish_non_exhaustive()
    }
}

/// Answers `$ref` from the map and from nowhere else.
struct FromFiles(Files);

impl Retrieve for FromFiles {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let path = uri
            .as_str()
            .strip_prefix(SCHEME)
            .ok_or("nothing is fetched from elsewhere; name a file beside this one")?;
        let path = path.split('#').next().unwrap_or_default();
        let bytes = self.0.get(path).ok_or_else(|| format!("there is no file {path}"))?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

impl JsonSchema {
    /// Compiles the schema at the path `entry` of the map. `format` is checked; patterns run in linear time, so look-around
    /// and back-references are an error here.
    ///
    /// # Errors
    /// The problem with its file, and its line where the file is not JSON.
    pub fn compile(files: &Files, entry: &str) -> Result<Self, Vec<CatalogueError>> {
        let fail = |line, message| vec![CatalogueError { file: entry.to_owned(), line, message }];
        let bytes = files.get(entry).ok_or_else(|| fail(None, "there is no such file".to_owned()))?;
        let schema: Value = serde_json::from_slice(bytes)
            .map_err(|e| fail(u32::try_from(e.line()).ok(), format!("not well-formed JSON: {e}")))?;
        let validator = jsonschema::options()
            .with_base_uri(format!("{SCHEME}{entry}"))
            .with_retriever(FromFiles(files.clone()))
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|e| fail(None, format!("at `{}`: {e}", e.instance_path())))?;
        Ok(Self { entry: entry.to_owned(), validator })
    }

    /// The path of the schema in its map.
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Checks a document: JSON (nesting at most 128) and the schema.
    ///
    /// # Errors
    /// At most [`Violation::REPORTED_MAX`] violations; `element` is the JSON pointer of the value. They hold no value.
    pub fn validate(&self, document: &[u8]) -> Result<(), Vec<Violation>> {
        let value: Value = serde_json::from_slice(document).map_err(|e| {
            let line = u32::try_from(e.line()).ok();
            let (ru, en) = ("документ не является правильным JSON", "the document is not well-formed JSON");
            vec![Violation::new(line, "", ViolatedRule::NotWellFormed, ru, en)]
        })?;
        self.validate_value(&value)
    }

    /// Checks a value that was already read.
    ///
    /// # Errors
    /// As [`JsonSchema::validate`].
    pub fn validate_value(&self, value: &Value) -> Result<(), Vec<Violation>> {
        let found: Vec<Violation> =
            self.validator.iter_errors(value).take(Violation::REPORTED_MAX).map(|error| violation(&error)).collect();
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

/// The schema's rule that is broken. The library's own sentence quotes the value, so it is not used.
fn violation(error: &ValidationError<'_>) -> Violation {
    let pointer = error.instance_path().to_string();
    let rule = error.schema_path().to_string();
    let keyword = error.kind().keyword();
    let (ru, en) = if let ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or("?");
        (format!("не хватает поля `{name}`"), format!("the field `{name}` is missing"))
    } else {
        (
            format!("нарушено правило `{keyword}` схемы ({rule})"),
            format!("breaks the schema's rule `{keyword}` ({rule})"),
        )
    };
    Violation::new(None, if pointer.is_empty() { "/" } else { &pointer }, ViolatedRule::Schema, ru, en)
}
