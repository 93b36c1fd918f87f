//! The code lists of the canonical messages, typed.
//!
//! They are the CSV files in `schemas/common/<version>/code-lists/`; the enumerations of that version's `common.xsd` hold the
//! same codes, which [`CodeLists::from_files`] checks.

use std::collections::{BTreeMap, BTreeSet};

use super::CatalogueError;
use crate::bundle::Files;
use crate::domain::{DataClass, RoleCode};

/// The versions of the shared types. A later one adds to the first and may be absent: a revision of the configuration that was
/// stored before it was written has none of its lists and none of the messages that use them.
const VERSIONS: [u32; 4] = [1, 2, 3, 4];

/// Every code list: the version of the shared types that it belongs to, its name, which is its own among all versions, and the
/// simple type of that version's `common.xsd` that must hold the same codes (roles have none: a regulation may add its own).
const LISTS: &[(u32, &str, Option<&str>)] = &[
    (1, "authority-document-kinds", Some("AuthorityDocumentKind")),
    (1, "categories", Some("Category")),
    (1, "document-kinds", Some("DocumentKind")),
    (1, "family-roles", Some("FamilyRole")),
    (1, "help-kinds", Some("HelpKind")),
    (1, "holder-roles", None),
    (1, "identity-document-kinds", Some("IdentityDocumentKind")),
    (1, "representative-kinds", Some("RepresentativeKind")),
    (2, "assessment-stages", Some("AssessmentStage")),
    (2, "decision-outcomes", Some("DecisionOutcome")),
    (2, "decision-urgencies", Some("DecisionUrgency")),
    (2, "draft-decisions", Some("DraftDecision")),
    (2, "effectiveness-outcomes", Some("EffectivenessOutcome")),
    (2, "identification-sources", Some("IdentificationSource")),
    (2, "identification-urgencies", Some("IdentificationUrgency")),
    (2, "levels", Some("Level")),
    (2, "measure-results", Some("MeasureResult")),
    (2, "programme-statuses", Some("ProgrammeStatus")),
    (2, "termination-grounds", Some("TerminationGround")),
    (3, "consent-states", Some("ConsentState")),
    (3, "data-classes", Some("DataClass")),
    (3, "databank-outcomes", Some("DatabankOutcome")),
    (3, "group-conclusions", Some("GroupConclusion")),
    (3, "handover-items", Some("HandoverItem")),
    (3, "help-measures", Some("HelpMeasure")),
    (3, "information-outcomes", Some("InformationOutcome")),
    (3, "level-signs", Some("LevelSign")),
    (3, "need-circumstances", Some("NeedCircumstance")),
    (3, "proposal-kinds", Some("ProposalKind")),
    (3, "refusal-scopes", Some("RefusalScope")),
    (3, "statistics-kinds", Some("StatisticsKind")),
    (3, "termination-reasons", Some("TerminationReason")),
    (4, "need-grounds", Some("NeedGround")),
];

/// Columns that hold codes of another list: the list, its column, the list of the codes.
const REFERENCES: &[(&str, &str, &str)] =
    &[("help-measures", "help_kind", "help-kinds"), ("level-signs", "level", "levels")];

/// The kind of help whose measures are about the state of health, of the list `help-kinds`.
const MEDICAL: &str = "medical";

/// The schema of the shared types of a version.
fn common(version: u32) -> String {
    format!("schemas/common/{version}/common.xsd")
}

/// One code with its names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Code {
    /// The stable code.
    pub code: String,
    /// Its name in Russian.
    pub ru: String,
    /// Its name in English.
    pub en: String,
}

/// A kind of document that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DocumentKind {
    /// The stable code, such as `medical-conclusion`.
    pub code: String,
    /// Its name in Russian.
    pub ru: String,
    /// Its name in English.
    pub en: String,
    /// The role of the agency that usually holds it. A regulation may say otherwise, so a message names the role itself.
    pub holder_role: RoleCode,
    /// The class of its content.
    pub data_class: DataClass,
}

/// A kind of identity document with the form of its series and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityDocumentKind {
    /// The stable code, such as `passport-rf`.
    pub code: String,
    /// Its name in Russian.
    pub ru: String,
    /// Its name in English.
    pub en: String,
    /// The form of the series, a `0` for each digit; `None`: any.
    pub series_mask: Option<String>,
    /// The form of the number, a `0` for each digit; `None`: any.
    pub number_mask: Option<String>,
}

/// All code lists.
#[derive(Debug, Clone)]
pub struct CodeLists {
    /// By list and code: the code of another list that it belongs to.
    belongs: BTreeMap<&'static str, BTreeMap<String, String>>,
    lists: BTreeMap<&'static str, Vec<Code>>,
    document_kinds: Vec<DocumentKind>,
    identity_document_kinds: Vec<IdentityDocumentKind>,
}

impl CodeLists {
    /// Reads the code lists from `schemas/common/<version>/code-lists/` of the map and compares them with `common.xsd`.
    ///
    /// # Errors
    /// Every missing list, broken row, doubled code, unknown role or class, and every difference from the enumeration.
    pub fn from_files(files: &Files) -> Result<Self, Vec<CatalogueError>> {
        let mut errors = Vec::new();
        let there: Vec<u32> = VERSIONS.into_iter().filter(|v| *v == 1 || files.contains_key(&common(*v))).collect();
        let mut read = |version, name| Table::read(files, version, name).map_err(|e| errors.push(e)).ok();
        let lists = LISTS.iter().filter(|(version, ..)| there.contains(version));
        let tables: BTreeMap<&'static str, Table> =
            lists.filter_map(|(version, name, _)| read(*version, name).map(|table| (*name, table))).collect();
        errors.extend(tables.values().flat_map(Table::doubled));
        errors.extend(REFERENCES.iter().flat_map(|reference| dangling(reference, &tables)));
        errors.extend(there.iter().flat_map(|version| disagreements(files, *version, &tables)));
        let roles: BTreeSet<&str> = tables.get("holder-roles").map(Table::codes).unwrap_or_default();
        let (document_kinds, more) = typed(tables.get("document-kinds"), |row| document_kind(row, &roles));
        errors.extend(more);
        let (identity_document_kinds, more) = typed(tables.get("identity-document-kinds"), identity_document_kind);
        errors.extend(more);
        if !errors.is_empty() {
            return Err(errors);
        }
        let lists = tables.iter().map(|(name, table)| (*name, table.rows.iter().map(Row::plain).collect())).collect();
        let column = |(list, column, _): &(&'static str, &str, &str)| {
            let rows = tables.get(list)?.rows.iter();
            Some((*list, rows.map(|row| (row.field("code").to_owned(), row.field(column).to_owned())).collect()))
        };
        let belongs = REFERENCES.iter().filter_map(column).collect();
        Ok(Self { belongs, lists, document_kinds, identity_document_kinds })
    }

    /// The names of all lists, which are their files' names without `.csv`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        LISTS.iter().map(|(_, name, _)| *name)
    }

    /// The version of the shared types that a list belongs to.
    pub fn version(name: &str) -> Option<u32> {
        LISTS.iter().find(|(_, list, _)| *list == name).map(|(version, ..)| *version)
    }

    /// A list by its name, such as `categories`.
    pub fn list(&self, name: &str) -> Option<&[Code]> {
        self.lists.get(name).map(Vec::as_slice)
    }

    /// One code of a list.
    pub fn code(&self, list: &str, code: &str) -> Option<&Code> {
        self.list(list)?.iter().find(|c| c.code == code)
    }

    /// The code of another list that a code belongs to: of a measure of `help-measures` its kind of help.
    pub fn belongs_to(&self, list: &str, code: &str) -> Option<&str> {
        self.belongs.get(list)?.get(code).map(String::as_str)
    }

    /// The kinds of documents that can be asked for, in the order of the file.
    pub fn document_kinds(&self) -> &[DocumentKind] {
        &self.document_kinds
    }

    /// One kind of document.
    pub fn document_kind(&self, code: &str) -> Option<&DocumentKind> {
        self.document_kinds.iter().find(|kind| kind.code == code)
    }

    /// The classes of the codes, where each of them is a kind of document or of help; `None` when one is neither.
    pub(super) fn data_classes<'c>(&self, mut codes: impl Iterator<Item = &'c str>) -> Option<BTreeSet<DataClass>> {
        codes.try_fold(BTreeSet::new(), |mut classes, code| {
            classes.insert(match self.document_kind(code) {
                Some(kind) => kind.data_class,
                // Help in getting medical aid tells of the state of health.
                None if code == MEDICAL => DataClass::Health,
                None => self.code("help-kinds", code).map(|_| DataClass::General)?,
            });
            Some(classes)
        })
    }

    /// One kind of identity document.
    pub fn identity_document_kind(&self, code: &str) -> Option<&IdentityDocumentKind> {
        self.identity_document_kinds.iter().find(|kind| kind.code == code)
    }
}

/// A CSV file with the columns `code`, `ru`, `en` and perhaps more.
struct Table {
    file: String,
    rows: Vec<Row>,
}

struct Row {
    line: u32,
    fields: BTreeMap<String, String>,
}

impl Row {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn plain(&self) -> Code {
        Code { code: self.field("code").to_owned(), ru: self.field("ru").to_owned(), en: self.field("en").to_owned() }
    }
}

impl Table {
    fn read(files: &Files, version: u32, name: &str) -> Result<Self, CatalogueError> {
        let file = format!("schemas/common/{version}/code-lists/{name}.csv");
        let fail = |line, message| CatalogueError { file: file.clone(), line, message };
        let bytes = files.get(&file).ok_or_else(|| fail(None, "the code list is missing".to_owned()))?;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|e| fail(Some(1), format!("not a CSV table: {e}")))?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| {
                let line = e.position().and_then(|p| u32::try_from(p.line()).ok());
                fail(line, format!("not a row of {} fields: {e}", header.len()))
            })?;
            let line = record.position().and_then(|p| u32::try_from(p.line()).ok()).unwrap_or(0);
            let fields: BTreeMap<String, String> =
                header.iter().zip(record.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let row = Row { line, fields };
            if let Some(empty) = ["code", "ru", "en"].into_iter().find(|column| row.field(column).trim().is_empty()) {
                return Err(fail(Some(line), format!("the column `{empty}` must have a value")));
            }
            rows.push(row);
        }
        Ok(Self { file, rows })
    }

    fn codes(&self) -> BTreeSet<&str> {
        self.rows.iter().map(|row| row.field("code")).collect()
    }

    fn doubled(&self) -> Vec<CatalogueError> {
        let mut seen = BTreeSet::new();
        self.rows
            .iter()
            .filter(|row| !seen.insert(row.field("code")))
            .map(|row| self.error(row, format!("the code `{}` stands twice", row.field("code"))))
            .collect()
    }

    fn error(&self, row: &Row, message: String) -> CatalogueError {
        CatalogueError { file: self.file.clone(), line: Some(row.line), message }
    }
}

fn typed<T>(table: Option<&Table>, parse: impl Fn(&Row) -> Result<T, String>) -> (Vec<T>, Vec<CatalogueError>) {
    let mut good = Vec::new();
    let mut errors = Vec::new();
    for (table, row) in table.into_iter().flat_map(|table| table.rows.iter().map(move |row| (table, row))) {
        match parse(row) {
            Ok(value) => good.push(value),
            Err(message) => errors.push(table.error(row, message)),
        }
    }
    (good, errors)
}

fn document_kind(row: &Row, roles: &BTreeSet<&str>) -> Result<DocumentKind, String> {
    let role = row.field("holder_role");
    let holder_role = RoleCode::parse(role).map_err(|e| e.to_string())?;
    if !roles.contains(role) {
        return Err(format!("the role `{role}` is not in holder-roles.csv"));
    }
    let class = row.field("data_class");
    let data_class = DataClass::parse(class).ok_or_else(|| {
        let allowed: Vec<&str> = DataClass::ALL.into_iter().map(DataClass::as_str).collect();
        format!("the data class `{class}` is not one of {}", allowed.join(", "))
    })?;
    let Code { code, ru, en } = row.plain();
    Ok(DocumentKind { code, ru, en, holder_role, data_class })
}

fn identity_document_kind(row: &Row) -> Result<IdentityDocumentKind, String> {
    let mask = |column: &str| match row.field(column) {
        "" => Ok(None),
        mask if mask.bytes().all(|b| b == b'0') => Ok(Some(mask.to_owned())),
        _ => Err(format!("`{column}` is a 0 for each digit, or empty")),
    };
    let (series_mask, number_mask) = (mask("series_mask")?, mask("number_mask")?);
    let Code { code, ru, en } = row.plain();
    Ok(IdentityDocumentKind { code, ru, en, series_mask, number_mask })
}

/// Rows whose column names a code that the other list has not.
fn dangling((list, column, of): &(&str, &str, &str), tables: &BTreeMap<&'static str, Table>) -> Vec<CatalogueError> {
    let (Some(table), Some(other)) = (tables.get(list), tables.get(of)) else { return Vec::new() };
    let known = other.codes();
    let wrong = table.rows.iter().filter(|row| !known.contains(row.field(column)));
    wrong.map(|row| table.error(row, format!("the {column} `{}` is not in {of}.csv", row.field(column)))).collect()
}

/// Where a list and the enumeration of its type in the version's `common.xsd` hold different codes.
fn disagreements(files: &Files, version: u32, tables: &BTreeMap<&'static str, Table>) -> Vec<CatalogueError> {
    let schema = common(version);
    let fail = |message: String| vec![CatalogueError { file: schema.clone(), line: None, message }];
    let Some(text) = files.get(&schema).and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        return fail("the schema of shared types is missing or not UTF-8".to_owned());
    };
    let document = match roxmltree::Document::parse(text) {
        Ok(document) => document,
        Err(e) => return fail(format!("not well-formed XML: {e}")),
    };
    let mut errors = Vec::new();
    let own = LISTS.iter().filter(|(of, ..)| *of == version);
    for (list, type_name) in own.filter_map(|(_, list, name)| name.map(|name| (*list, name))) {
        let Some(table) = tables.get(list) else { continue };
        let definition = document
            .root_element()
            .children()
            .find(|n| n.tag_name().name() == "simpleType" && n.attribute("name") == Some(type_name));
        let Some(definition) = definition else {
            errors.extend(fail(format!("there is no type `{type_name}` for the code list {list}")));
            continue;
        };
        let enumerated: BTreeSet<&str> = definition
            .descendants()
            .filter(|n| n.tag_name().name() == "enumeration")
            .filter_map(|n| n.attribute("value"))
            .collect();
        for code in table.codes().symmetric_difference(&enumerated) {
            errors.extend(fail(format!("the type `{type_name}` and {list}.csv differ in the code `{code}`")));
        }
    }
    errors
}
