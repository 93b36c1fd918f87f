//! Reading one conversion's folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;

use super::{Conversion, Half, pair};
use crate::adapter::codes::CodeLists;
use crate::adapter::load::{Load, folder_error};
use crate::adapter::manifest::{Way, line_of};
use crate::adapter::render::{Engine, Syntax};
use crate::adapter::{AdapterError, Direction};
use crate::bundle::Files;
use crate::domain::MessageType;
use crate::schema::Catalogue;

/// `manifest.toml` of a conversion. The titles are for people.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Manifest {
    #[serde(rename = "title")]
    _title: String,
    #[serde(rename = "title-en")]
    _title_en: String,
    /// Lists whose columns are named after the two versions.
    #[serde(default)]
    code_lists: BTreeMap<String, Spanned<String>>,
    /// From the lower version to the higher one.
    up: Option<Way>,
    /// From the higher version to the lower one.
    down: Option<Way>,
}

/// `conversions/termination/1-2` of a path below it.
pub(super) fn of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("conversions/")?;
    let (name, rest) = rest.split_once('/')?;
    let (pair, _) = rest.split_once('/')?;
    path.get(.."conversions/".len() + name.len() + 1 + pair.len())
}

/// Reads the folder `conversions/<type>/<lower>-<higher>`.
pub(super) fn read(name: &str, files: &Files, catalogue: &Catalogue) -> Result<Conversion, Vec<AdapterError>> {
    let folder = format!("{name}/");
    let manifest_file = format!("{folder}manifest.toml");
    let wrong = |line, reason: String| vec![folder_error(&manifest_file, line, reason)];
    let (lower, higher) = types(name).map_err(|reason| wrong(None, reason))?;
    if let Some(unknown) = [&lower, &higher].into_iter().find(|t| !catalogue.knows(t)) {
        return Err(wrong(None, format!("there is no schema for {unknown}; name the folder after two known versions")));
    }
    let bytes = files.get(&manifest_file).ok_or_else(|| wrong(None, "the file is missing".to_owned()))?;
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(None, "the file is not UTF-8".to_owned()))?;
    let manifest: Manifest =
        toml::from_str(text).map_err(|e| wrong(e.span().map(|s| line_of(text, s.start)), e.message().to_owned()))?;
    if manifest.up.is_none() && manifest.down.is_none() {
        return Err(wrong(None, "neither [up] nor [down] is there".to_owned()));
    }
    let load = Load { folder: &folder, manifest_file: &manifest_file, text, files };
    let mut errors = Vec::new();
    let columns = (lower.version.to_string(), higher.version.to_string());
    let codes = Arc::new(load.code_lists(&manifest.code_lists, (&columns.0, &columns.1), &mut errors));
    let templates = load.templates(&mut errors);
    let folder = format!("{folder}templates/");
    let up = manifest.up.and_then(|way| half(way, &folder, &templates, Direction::ToPartner, &codes, &mut errors));
    let down =
        manifest.down.and_then(|way| half(way, &folder, &templates, Direction::ToCanonical, &codes, &mut errors));
    for half in [&up, &down].into_iter().flatten() {
        load.check_way(Some(&half.way), &half.engine, &mut errors);
    }
    if errors.is_empty() { Ok(Conversion { lower, higher, up, down }) } else { Err(errors) }
}

/// The way there of the code lists is up.
fn half(
    way: Way,
    folder: &str,
    templates: &BTreeMap<String, String>,
    direction: Direction,
    codes: &Arc<CodeLists>,
    errors: &mut Vec<AdapterError>,
) -> Option<Half> {
    match Engine::new(folder, templates, Syntax::Xml, direction, codes) {
        Ok(engine) => Some(Half { folder: folder.to_owned(), way, engine }),
        Err(more) => {
            // The same sources are compiled for both directions: one report of their errors is enough.
            errors.extend(more.into_iter().filter(|e| !errors.contains(e)).collect::<Vec<_>>());
            None
        }
    }
}

fn types(name: &str) -> Result<(MessageType, MessageType), String> {
    let wrong =
        || format!("the folder `{name}` must be conversions/TYPE/LOWER-HIGHER, such as conversions/termination/1-2");
    let rest = name.strip_prefix("conversions/").ok_or_else(wrong)?;
    let (name, versions) = rest.split_once('/').ok_or_else(wrong)?;
    let (lower, higher) = pair(versions).ok_or_else(wrong)?;
    let of = |version| MessageType::new(name, version).map_err(|e| e.to_string());
    let (lower, higher) = (of(lower)?, of(higher)?);
    if lower.technical().is_some() {
        return Err(format!("{} is a technical message and is never converted", lower.name));
    }
    Ok((lower, higher))
}
