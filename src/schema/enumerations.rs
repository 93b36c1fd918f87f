//! Code lists that a message schema holds itself: its enumerations with their documentation in both languages.
//!
//! Lists that several messages share are the CSV files of [`codes`](super::codes). What one message alone enumerates stands in its XSD
//! only, so that there is one place for it, and is published in the same way.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::codes::Code;
use crate::bundle::Files;
use crate::domain::MessageType;

const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
const LANGUAGE: (&str, &str) = ("http://www.w3.org/XML/1998/namespace", "lang");

/// What the schema of a message type enumerates.
#[derive(Debug, Clone)]
pub struct OwnList {
    /// The type and version whose schema it is.
    pub of: MessageType,
    /// The codes, in the order of the schema.
    pub codes: Vec<Code>,
}

/// The enumerations of the schemas of these types, by their names: `document-response-refusal-ground` is the type `RefusalGround` of
/// `document-response`; a later major version stands in the name, `document-response-2-refusal-ground`.
pub(super) fn read<'t>(files: &Files, types: impl Iterator<Item = &'t MessageType>) -> BTreeMap<String, OwnList> {
    let mut lists = BTreeMap::new();
    for message_type in types.filter(|t| t.technical().is_none()) {
        let path = format!("schemas/{}/{}.xsd", message_type.folder(), message_type.name);
        let text = files.get(&path).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        // What cannot be read was told when the schema was compiled.
        let Ok(document) = roxmltree::Document::parse(text) else { continue };
        let version = if message_type.version == 1 { String::new() } else { format!("-{}", message_type.version) };
        for definition in document.root_element().children().filter(|n| n.has_tag_name((SCHEMA, "simpleType"))) {
            let codes: Vec<Code> =
                definition.descendants().filter(|n| n.has_tag_name((SCHEMA, "enumeration"))).filter_map(code).collect();
            if let Some(name) = definition.attribute("name").filter(|_| !codes.is_empty()) {
                let own = OwnList { of: message_type.clone(), codes };
                lists.insert(format!("{}{version}{}", message_type.name, kebab(name)), own);
            }
        }
    }
    lists
}

fn code(enumeration: Node<'_, '_>) -> Option<Code> {
    let said = |language: &str| {
        let told =
            |n: &Node<'_, '_>| n.has_tag_name((SCHEMA, "documentation")) && n.attribute(LANGUAGE) == Some(language);
        enumeration.descendants().find(told).and_then(|n| n.text()).unwrap_or_default().trim().to_owned()
    };
    Some(Code { code: enumeration.attribute("value")?.to_owned(), ru: said("ru"), en: said("en") })
}

/// `RefusalGround` as `-refusal-ground`.
fn kebab(name: &str) -> String {
    let mut written = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            written.push('-');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written
}

#[cfg(test)]
mod tests {
    use crate::bundle;
    use crate::schema::Catalogue;

    #[test]
    fn what_a_message_enumerates_is_a_list_in_both_languages() {
        let catalogue = Catalogue::from_files(&bundle::embedded()).unwrap();
        let lists = catalogue.own_lists();
        let names: Vec<&str> = lists.keys().map(String::as_str).collect();
        let wanted = [
            "application-2-document-source",
            "application-document-source",
            "document-response-outcome",
            "document-response-refusal-ground",
            "progress-report-result",
        ];
        assert_eq!(names, wanted);
        assert_eq!(lists[wanted[0]].codes, lists[wanted[1]].codes);
        let of: Vec<u32> = wanted.iter().map(|name| lists[*name].of.version).collect();
        assert_eq!(of, [2, 1, 1, 1, 1]);
        let grounds: Vec<&str> = lists[wanted[3]].codes.iter().map(|c| c.code.as_str()).collect();
        assert_eq!(grounds, ["not-identified", "no-legal-basis", "not-the-holder"]);
        for (name, list) in lists {
            for code in &list.codes {
                assert!(!code.ru.is_ascii() && code.en.is_ascii() && !code.en.is_empty(), "{name}: {code:?}");
            }
        }
        assert_eq!(lists[wanted[4]].codes, catalogue.codes().list("measure-results").unwrap());
    }
}
