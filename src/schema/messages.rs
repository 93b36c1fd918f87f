//! What each message type is for people and for routes: its names, the classes of personal data in it, where it is written.
//!
//! It is the table `schemas/social/messages.csv`, published with the schemas. Who may send a type to whom, and what it opens and
//! settles, is a regulation's; `docs/messages.en.md` prints both together.

use std::collections::{BTreeMap, BTreeSet};

use super::{CatalogueError, ClassedField, data_classes};
use crate::bundle::Files;
use crate::domain::DataClass;

const FILE: &str = "schemas/social/messages.csv";

/// One type, all its versions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MessageInfo {
    /// Its name in Russian.
    pub ru: String,
    /// Its name in English.
    pub en: String,
    /// What its fields may hold by what they ask for; none: no personal data of citizens.
    pub data_classes: BTreeSet<DataClass>,
    /// The fields that bring classes: one that none of them brings is always there.
    pub fields: Vec<ClassedField>,
    /// The documents and paragraphs that name the exchange, by the ids that the regulations give to documents.
    pub source: String,
}

#[derive(serde::Deserialize)]
struct Row {
    name: String,
    ru: String,
    en: String,
    data_classes: String,
    /// Only in sets of files that were stored before the fields had a table of their own.
    #[serde(default)]
    narrowed_by: String,
    source: String,
}

/// The types by their names. A set of files that was stored before the table was written has none.
pub(super) fn read(files: &Files) -> Result<BTreeMap<String, MessageInfo>, Vec<CatalogueError>> {
    let Some(bytes) = files.get(FILE) else { return Ok(BTreeMap::new()) };
    let mut all = BTreeMap::new();
    let mut errors = Vec::new();
    for (row, line) in csv::Reader::from_reader(bytes.as_slice()).deserialize::<Row>().zip(2..) {
        let known = row.map_err(|e| e.to_string()).and_then(info);
        match known {
            Ok((name, _)) if all.contains_key(&name) => {
                errors.push(fail(line, format!("the type `{name}` stands twice")))
            }
            Ok((name, info)) => drop(all.insert(name, info)),
            Err(message) => errors.push(fail(line, message)),
        }
    }
    if errors.is_empty() {
        data_classes::read(files, &mut all)?;
        return Ok(all);
    }
    Err(errors)
}

fn fail(line: u32, message: String) -> CatalogueError {
    CatalogueError { file: FILE.to_owned(), line: Some(line), message }
}

fn info(row: Row) -> Result<(String, MessageInfo), String> {
    let class = |word: &str| {
        let allowed = || DataClass::ALL.map(DataClass::as_str).join(", ");
        DataClass::parse(word).ok_or_else(|| format!("the data class `{word}` is not one of {}", allowed()))
    };
    let data_classes = row.data_classes.split_whitespace().map(class).collect::<Result<_, _>>()?;
    let by_code = Some(row.narrowed_by).filter(|path| !path.is_empty());
    let fields = by_code.map(ClassedField::by_code).into_iter().collect();
    Ok((row.name, MessageInfo { ru: row.ru, en: row.en, data_classes, fields, source: row.source }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Catalogue;

    fn changed(old: &str, new: &str) -> Vec<CatalogueError> {
        let mut files = crate::bundle::embedded();
        let text = String::from_utf8(files[FILE].clone()).unwrap();
        assert!(text.contains(old), "{old}");
        files.insert(FILE.to_owned(), text.replacen(old, new, 1).into_bytes());
        read(&files).unwrap_err()
    }

    #[test]
    fn every_type_has_a_row_and_every_row_a_type() {
        let catalogue = Catalogue::from_files(&crate::bundle::embedded()).unwrap();
        let types: BTreeSet<&str> =
            catalogue.types().filter(|t| t.technical().is_none()).map(|t| t.name.as_str()).collect();
        let rows = read(&crate::bundle::embedded()).unwrap();
        assert_eq!(rows.keys().map(String::as_str).collect::<BTreeSet<_>>(), types);
        for known in catalogue.types().filter(|t| t.technical().is_none()) {
            assert_eq!(catalogue.message(&known.name), rows.get(&known.name));
        }
        for (name, info) in &rows {
            assert!(!info.ru.is_empty() && info.en.is_ascii() && !info.source.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_message_that_may_carry_every_class_says_what_narrows_it() {
        for (name, info) in read(&crate::bundle::embedded()).unwrap() {
            assert!(info.always().len() < DataClass::ALL.len(), "{name}");
        }
    }

    #[test]
    fn a_broken_row_is_told_with_its_line() {
        let errors = changed("general health criminal-record", "general secret criminal-record");
        assert_eq!((errors.len(), errors[0].line), (1, Some(2)));
        assert!(errors[0].message.contains("`secret` is not one of general, health"), "{}", errors[0]);
        assert!(changed("\nconsent,", "\ncase-handover,")[0].message.contains("stands twice"));
    }
}
