//! A folder of templates while it is read: its manifest, code lists, schemas and templates.

use std::collections::BTreeMap;

use super::checks::PartnerSchema;
use super::codes::CodeLists;
use super::manifest::{self, Manifest, Way};
use super::render::Engine;
use super::{AdapterError, AdapterErrorKind};
use crate::bundle::Files;

pub(super) fn folder_error(file: &str, line: Option<usize>, reason: impl Into<String>) -> AdapterError {
    AdapterError::new(AdapterErrorKind::Folder, file, line, reason)
}

/// One folder while it is read.
pub(super) struct Load<'a> {
    /// With a slash at the end.
    pub(super) folder: &'a str,
    pub(super) manifest_file: &'a str,
    /// The manifest's text.
    pub(super) text: &'a str,
    pub(super) files: &'a Files,
}

impl Load<'_> {
    fn line(&self, value: &toml::Spanned<String>) -> Option<usize> {
        Some(manifest::line_of(self.text, value.span().start))
    }

    fn missing(&self, value: &toml::Spanned<String>) -> AdapterError {
        folder_error(
            self.manifest_file,
            self.line(value),
            format!("there is no file `{}` in this folder", value.get_ref()),
        )
    }

    /// The lists with these two columns of codes; what is in the first is ours.
    pub(super) fn code_lists(
        &self,
        named: &BTreeMap<String, toml::Spanned<String>>,
        columns: (&str, &str),
        errors: &mut Vec<AdapterError>,
    ) -> CodeLists {
        let mut lists = CodeLists::default();
        for (name, path) in named {
            let file = format!("{}{}", self.folder, path.get_ref());
            match self.files.get(&file) {
                None => errors.push(self.missing(path)),
                Some(bytes) => errors.extend(lists.add(name, (&file, bytes), columns).err()),
            }
        }
        lists
    }

    pub(super) fn schemas(&self, manifest: &Manifest, errors: &mut Vec<AdapterError>) -> Vec<PartnerSchema> {
        let mut schemas = Vec::new();
        for message in &manifest.messages {
            let file = format!("{}{}", self.folder, message.schema.get_ref());
            if !self.files.contains_key(&file) {
                errors.push(self.missing(&message.schema));
                continue;
            }
            match PartnerSchema::compile(manifest.form, self.files, &file) {
                Ok(schema) => schemas.push(schema),
                Err(more) => errors.extend(more),
            }
        }
        schemas
    }

    pub(super) fn templates(&self, errors: &mut Vec<AdapterError>) -> BTreeMap<String, String> {
        let prefix = format!("{}templates/", self.folder);
        let mut templates = BTreeMap::new();
        for (path, bytes) in self.files.range(prefix.clone()..) {
            let Some(name) = path.strip_prefix(&prefix) else { break };
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    templates.insert(name.to_owned(), text.to_owned());
                }
                Err(_) => errors.push(folder_error(path, None, "the file is not UTF-8")),
            }
        }
        templates
    }

    pub(super) fn check_way(&self, way: Option<&Way>, engine: &Engine, errors: &mut Vec<AdapterError>) {
        if let Some(way) = way
            && !engine.has(way.template.get_ref())
        {
            let reason = format!("there is no template `{}` in `templates/`", way.template.get_ref());
            errors.push(folder_error(self.manifest_file, self.line(&way.template), reason));
        }
    }
}
