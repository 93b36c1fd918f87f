//! Which classes of personal data a body holds, field by field.
//!
//! The table `schemas/social/data-classes.csv` says of a type which field, or which codes of it, bring which class. A class of the type that
//! no row brings is always there.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;

use super::codes::CodeLists;
use super::{CatalogueError, MessageInfo};
use crate::bundle::Files;
use crate::domain::DataClass;

const FILE: &str = "schemas/social/data-classes.csv";
/// The word of the column `class` for a field whose codes are kinds of documents or of help, which have classes of their own.
const BY_CODE: &str = "by-code";

/// A field that brings a class of personal data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ClassedField {
    /// Its path from the root of the body, names with `/` between them.
    pub path: String,
    /// The class; `None`: each of its codes has its own.
    pub class: Option<DataClass>,
    /// The codes that bring the class; empty: the field itself does.
    pub codes: BTreeSet<String>,
}

impl ClassedField {
    /// A field whose codes have classes of their own.
    pub(super) fn by_code(path: String) -> Self {
        Self { path, class: None, codes: BTreeSet::new() }
    }
}

/// The classes that a body holds, each with the field that brought it; without one it belongs to the type.
pub type Held = BTreeMap<DataClass, Option<String>>;

impl MessageInfo {
    /// The classes that every message of the type holds, whatever stands in it.
    pub fn always(&self) -> BTreeSet<DataClass> {
        let brought: BTreeSet<DataClass> = self.fields.iter().filter_map(|field| field.class).collect();
        let by_code = self.fields.iter().any(|field| field.class.is_none());
        let stays = |class: &DataClass| !brought.contains(class) && (!by_code || *class == DataClass::General);
        self.data_classes.iter().copied().filter(stays).collect()
    }

    /// The classes that one body holds.
    pub(super) fn held(&self, body: Node<'_, '_>, codes: &CodeLists) -> Held {
        let mut held: Held = self.always().into_iter().map(|class| (class, None)).collect();
        for field in &self.fields {
            let nodes = field.path.split('/').fold(vec![body], |nodes, name| {
                nodes.into_iter().flat_map(|n| n.children()).filter(|n| n.tag_name().name() == name).collect()
            });
            let mut bring = |class| {
                held.entry(class).or_insert_with(|| Some(field.path.clone()));
            };
            let mut said = nodes.iter().map(|node| node.text().unwrap_or_default().trim());
            match field.class {
                Some(class) if field.codes.is_empty() && !nodes.is_empty() => bring(class),
                Some(class) if said.any(|code| field.codes.contains(code)) => bring(class),
                Some(_) => {}
                None => match codes.data_classes(said) {
                    Some(classes) => classes.into_iter().for_each(bring),
                    // A code of no class that is known may be of any.
                    None => self.data_classes.iter().copied().for_each(bring),
                },
            }
        }
        held
    }
}

#[derive(serde::Deserialize)]
struct Row {
    #[serde(rename = "type")]
    name: String,
    path: String,
    class: String,
    codes: String,
}

/// Adds the fields to their types. A set of files that was stored before the table was written has none.
pub(super) fn read(files: &Files, messages: &mut BTreeMap<String, MessageInfo>) -> Result<(), Vec<CatalogueError>> {
    let Some(bytes) = files.get(FILE) else { return Ok(()) };
    let mut errors = Vec::new();
    for (row, line) in csv::Reader::from_reader(bytes.as_slice()).deserialize::<Row>().zip(2..) {
        let read = row.map_err(|e| e.to_string()).and_then(|row| add(row, messages));
        if let Err(message) = read {
            errors.push(CatalogueError { file: FILE.to_owned(), line: Some(line), message });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn add(row: Row, messages: &mut BTreeMap<String, MessageInfo>) -> Result<(), String> {
    let Row { name, path, class, codes } = row;
    let info = messages.get_mut(&name).ok_or_else(|| format!("there is no type `{name}` in messages.csv"))?;
    if path.is_empty() || path.split('/').any(|part| part.trim() != part || part.is_empty()) {
        return Err(format!("`{path}`: names of elements with `/` between them are needed"));
    }
    let class = match class.as_str() {
        BY_CODE => None,
        word => {
            let class = DataClass::parse(word).ok_or_else(|| {
                format!("the data class `{word}` is not one of {}, {BY_CODE}", DataClass::words(&DataClass::ALL))
            })?;
            if !info.data_classes.contains(&class) {
                return Err(format!("the class `{word}` is not among those of `{name}` in messages.csv; add it there"));
            }
            Some(class)
        }
    };
    let codes: BTreeSet<String> = codes.split_whitespace().map(str::to_owned).collect();
    if class.is_none() && !codes.is_empty() {
        return Err(format!("`{BY_CODE}` takes no codes: each has a class of its own"));
    }
    let field = ClassedField { path, class, codes };
    if info.fields.contains(&field) {
        return Err(format!("the field `{}` stands twice with this class", field.path));
    }
    info.fields.push(field);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageType;
    use crate::schema::Catalogue;

    fn catalogue() -> Catalogue {
        Catalogue::from_files(&crate::bundle::embedded()).unwrap()
    }

    fn held(name: &str, body: &str) -> String {
        let document = roxmltree::Document::parse(body).unwrap();
        let held = catalogue().held(&MessageType::new(name, 1).unwrap(), document.root_element());
        let told = |(class, path): (&DataClass, &Option<String>)| match path {
            Some(path) => format!("{}@{path}", class.as_str()),
            None => class.as_str().to_owned(),
        };
        held.iter().map(told).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_class_is_held_only_where_a_field_or_code_of_it_stands() {
        let table = [
            ("application", "<A><helpKinds><helpKind>social</helpKind></helpKinds></A>", "general"),
            (
                "application",
                "<A><helpKinds><helpKind>social</helpKind><helpKind>medical</helpKind></helpKinds></A>",
                "general health@helpKinds/helpKind",
            ),
            (
                "application",
                "<A><representative><kind>adoptive-parent</kind></representative></A>",
                "general adoption@representative/kind minors@representative/kind",
            ),
            ("application", "<A><representative><kind>attorney</kind></representative></A>", "general"),
            (
                "application",
                "<A><requiredDocuments><document><kind>criminal-record</kind></document></requiredDocuments></A>",
                "general criminal-record@requiredDocuments/document/kind",
            ),
            ("consent", "<C><byRepresentative>false</byRepresentative></C>", "general"),
            ("consent", "<C><byRepresentative>true</byRepresentative></C>", "general minors@byRepresentative"),
            ("consent", "<C><person><name/></person></C>", "general minors@person"),
            ("databank-answer", "<D><outcome>refused</outcome></D>", ""),
            ("databank-answer", "<D><accompaniment/></D>", "general@accompaniment"),
            ("level-change", "<L><signs><sign>young-family</sign></signs></L>", "general minors"),
            (
                "level-change",
                "<L><signs><sign>member-imprisoned</sign></signs></L>",
                "general criminal-record@signs/sign minors",
            ),
            (
                "programme",
                "<P><measures><measure><helpKind>medical</helpKind></measure></measures></P>",
                "general health@measures/measure/helpKind",
            ),
            ("programme", "<P><substituteFamily>true</substituteFamily></P>", "general minors@substituteFamily"),
            (
                "document-request",
                "<D><wanted><document><kind>no-such-kind</kind></document></wanted></D>",
                "general health@wanted/document/kind criminal-record@wanted/document/kind adoption@wanted/document/kind \
                 minors@wanted/document/kind",
            ),
            ("needs-assessment", "<N/>", "general health minors"),
            ("proposal", "<P/>", ""),
        ];
        for (name, body, expected) in table {
            assert_eq!(held(name, body), expected, "{name} {body}");
        }
    }

    /// Names that stand in no schema, and codes of no list, would never bring anything.
    #[test]
    fn every_row_names_fields_and_codes_that_there_are() {
        let catalogue = catalogue();
        let text = |path: &str| String::from_utf8(catalogue.file(path).unwrap().to_vec()).unwrap();
        let common = text("common/1/common.xsd");
        let known: BTreeSet<String> = CodeLists::names()
            .flat_map(|name| catalogue.codes().list(name).unwrap().iter().map(|code| code.code.clone()))
            .chain(["true", "false"].map(str::to_owned))
            .collect();
        // A later version may have a field that the first one lacks.
        let mut schemas: BTreeMap<&str, String> = BTreeMap::new();
        for of in catalogue.types().filter(|t| t.technical().is_none()) {
            schemas.entry(&of.name).or_default().push_str(&text(&format!("{}/{}.xsd", of.folder(), of.name)));
        }
        let mut rows = 0;
        for (name, schema) in schemas {
            for field in &catalogue.message(name).unwrap().fields {
                rows += 1;
                for part in field.path.split('/') {
                    let declared = format!("name=\"{part}\"");
                    assert!(schema.contains(&declared) || common.contains(&declared), "{name}: {part}");
                }
                assert!(field.codes.iter().all(|code| known.contains(code)), "{name}: {:?}", field.codes);
            }
        }
        assert!(rows > 20, "{rows}");
    }

    /// What a sample of each type holds is within what its type says it may hold.
    #[test]
    fn no_sample_holds_more_than_its_type() {
        let (catalogue, mut seen) = (catalogue(), 0);
        for (path, bytes) in crate::bundle::embedded() {
            let parts: Vec<&str> = path.split('/').collect();
            let ["schemas", "social", name, version, "samples", _] = parts.as_slice() else { continue };
            let Ok(text) = std::str::from_utf8(&bytes) else { continue };
            let Ok(document) = roxmltree::Document::parse(text) else { continue };
            let message_type = MessageType::new(name, version.parse().unwrap()).unwrap();
            let may = &catalogue.message(name).unwrap().data_classes;
            let held = catalogue.data_classes(&message_type, document.root_element());
            assert!(held.is_subset(may), "{path}: {held:?}");
            seen += 1;
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn a_broken_row_is_told_with_its_line() {
        let problem = |row: &str| {
            let mut files = crate::bundle::embedded();
            files.insert(FILE.to_owned(), format!("type,path,class,codes\n{row}\n").into_bytes());
            Catalogue::from_files(&files).unwrap_err().remove(0)
        };
        for (row, told) in [
            ("unheard-of,a,health,", "no type `unheard-of`"),
            ("consent,a//b,minors,", "names of elements"),
            ("consent,person,secret,", "`secret` is not one of general, health"),
            ("consent,person,health,", "not among those of `consent`"),
            ("consent,person,by-code,a", "takes no codes"),
            ("consent,person,minors,\nconsent,person,minors,", "stands twice"),
        ] {
            let found = problem(row);
            let line = if row.contains('\n') { 3 } else { 2 };
            assert_eq!((found.file.as_str(), found.line), (FILE, Some(line)), "{row}");
            assert!(found.message.contains(told), "{found}");
        }
    }
}
