//! Reading adapter folders.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::checks::PartnerSchema;
use super::load::{Load, folder_error};
use super::manifest::{self, Form, Manifest};
use super::render::{Engine, Syntax};
use super::{AdapterError, Direction};
use crate::bundle::Files;
use crate::domain::MessageType;

/// All adapters of a bundle, by name.
#[derive(Debug, Default)]
pub struct AdapterSet {
    adapters: BTreeMap<String, Arc<Adapter>>,
}

/// One adapter, ready to translate.
pub struct Adapter {
    pub(super) name: String,
    pub(super) manifest: Manifest,
    /// In the order of the manifest's messages.
    pub(super) schemas: Vec<PartnerSchema>,
    pub(super) to_partner: Engine,
    pub(super) to_canonical: Engine,
}

impl AdapterSet {
    /// Reads all folders `adapters/<name>/` of the files. Other files are not looked at.
    ///
    /// # Errors
    /// Everything that is wrong in any folder; then there is no set at all.
    pub fn from_files(files: &Files) -> Result<Self, Vec<AdapterError>> {
        let mut folders: BTreeMap<&str, ()> = BTreeMap::new();
        for path in files.keys() {
            if let Some((name, _)) = path.strip_prefix("adapters/").and_then(|rest| rest.split_once('/')) {
                folders.insert(name, ());
            }
        }
        let mut adapters = BTreeMap::new();
        let mut errors = Vec::new();
        for name in folders.into_keys() {
            match Adapter::from_files(name, files) {
                Ok(adapter) => {
                    adapters.insert(name.to_owned(), Arc::new(adapter));
                }
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(Self { adapters }) } else { Err(errors) }
    }

    /// The adapter of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Adapter>> {
        self.adapters.get(name)
    }

    /// All adapters, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Adapter>> {
        self.adapters.values()
    }
}

impl Adapter {
    fn from_files(name: &str, files: &Files) -> Result<Self, Vec<AdapterError>> {
        let folder = format!("adapters/{name}/");
        let manifest_file = format!("{folder}manifest.toml");
        let Some(bytes) = files.get(&manifest_file) else {
            return Err(vec![folder_error(&manifest_file, None, "the file is missing")]);
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| vec![folder_error(&manifest_file, None, "the file is not UTF-8")])?;
        let manifest = manifest::read(&manifest_file, text)?;
        let load = Load { folder: &folder, manifest_file: &manifest_file, text, files };
        let mut errors = Vec::new();
        let codes = Arc::new(load.code_lists(&manifest.code_lists, ("canonical", "partner"), &mut errors));
        let schemas = load.schemas(&manifest, &mut errors);
        let templates = load.templates(&mut errors);
        let templates_folder = format!("{folder}templates/");
        let partner_syntax = if manifest.form == Form::Json { Syntax::Json } else { Syntax::Xml };
        let to_partner = Engine::new(&templates_folder, &templates, partner_syntax, Direction::ToPartner, &codes);
        let to_canonical = Engine::new(&templates_folder, &templates, Syntax::Xml, Direction::ToCanonical, &codes);
        match (to_partner, to_canonical) {
            (Ok(to_partner), Ok(to_canonical)) => {
                for message in &manifest.messages {
                    load.check_way(message.to_partner.as_ref(), &to_partner, &mut errors);
                    load.check_way(message.to_canonical.as_ref(), &to_canonical, &mut errors);
                }
                if errors.is_empty() {
                    return Ok(Self { name: name.to_owned(), manifest, schemas, to_partner, to_canonical });
                }
            }
            // The same sources are compiled for both directions: one report of their errors is enough.
            (Err(more), _) | (_, Err(more)) => errors.extend(more),
        }
        Err(errors)
    }

    /// The folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The title for people, in Russian.
    pub fn title(&self) -> &str {
        &self.manifest.title
    }

    /// The title for people, in English.
    pub fn title_en(&self) -> &str {
        &self.manifest.title_en
    }

    /// Whether the partner speaks the canonical form, so that nothing is translated and every type is carried.
    pub fn is_canonical(&self) -> bool {
        self.manifest.form == Form::Canonical
    }

    /// The media type of a JSON form; empty for XML.
    pub fn media_type(&self) -> &str {
        &self.manifest.media_type
    }

    /// The message types that the manifest describes (none for a canonical adapter, which carries all).
    pub fn message_types(&self) -> impl Iterator<Item = &MessageType> {
        self.manifest.messages.iter().map(|m| &m.message_type)
    }

    /// The path of the template that translates this type in this direction; of the manifest when there is none.
    pub fn template(&self, message_type: &MessageType, direction: Direction) -> String {
        let described = self.manifest.messages.iter().find(|m| m.message_type == *message_type);
        let way = described.and_then(|m| match direction {
            Direction::ToPartner => m.to_partner.as_ref(),
            Direction::ToCanonical => m.to_canonical.as_ref(),
        });
        way.map_or_else(|| self.file("manifest.toml"), |way| self.template_file(way))
    }

    /// Whether a message of this type can be translated in this direction.
    pub fn carries(&self, message_type: &MessageType, direction: Direction) -> bool {
        let described = || self.manifest.messages.iter().find(|m| m.message_type == *message_type);
        self.is_canonical()
            || described().is_some_and(|m| match direction {
                Direction::ToPartner => m.to_partner.is_some(),
                Direction::ToCanonical => m.to_canonical.is_some(),
            })
    }
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("name", &self.name).field("manifest", &self.manifest).finish_non_exhaustive()
    }
}
