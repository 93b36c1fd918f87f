//! What of a canonical body its message is found by.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{FoldedNumber, NumberKind, Person};
use crate::xml::Node;

/// What a message is found by, before people are hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finds {
    /// Numbers of documents.
    pub numbers: BTreeSet<(NumberKind, FoldedNumber)>,
    /// People with what is known of them.
    pub people: BTreeSet<Person>,
}

/// What the message with this canonical body is found by. Numbers are those of the document: children of the root. People are recognised by the
/// elements of the shared types wherever these stand (a name beside a date of birth, a СНИЛС), so that a later message that uses them is found without a line here.
pub fn finds(body: Node<'_>) -> Finds {
    let mut finds = Finds::default();
    for node in body.children().filter(Node::is_element) {
        let number = NumberKind::of_element(node.tag_name().name())
            .and_then(|kind| Some((kind, FoldedNumber::parse(node.text()?)?)));
        finds.numbers.extend(number);
    }
    for node in body.descendants().filter(Node::is_element) {
        match node.tag_name().name() {
            "birthDate" => {
                let name = node.parent_element().and_then(|person| child(person, "name"));
                add_named(&mut finds, name.as_slice(), &[node]);
            }
            "snils" => {
                let own = texts(node);
                finds.people.extend(own.into_iter().filter_map(Person::by_snils));
            }
            _ => {}
        }
    }
    if let (Some(person), Some(changes)) = (child(body, "person"), child(body, "changes")) {
        add_changed(&mut finds, person, changes);
    }
    finds
}

/// Somebody whose data change is found by what was and by what is.
fn add_changed(finds: &mut Finds, person: Node<'_>, changes: Node<'_>) {
    let both = |name| -> Vec<_> {
        let changed = child(changes, name).into_iter().flat_map(|node| node.children().filter(Node::is_element));
        child(person, name).into_iter().chain(changed).collect()
    };
    add_named(finds, &both("name"), &both("birthDate"));
}

/// Each of the names with each of the dates.
fn add_named(finds: &mut Finds, names: &[Node<'_>], dates: &[Node<'_>]) {
    let dates = dates.iter().filter_map(|node| node.text()?.trim().parse::<NaiveDate>().ok());
    for birth in dates {
        for name in names {
            let part = |part| child(*name, part).and_then(|node| node.text());
            let (Some(family), Some(given)) = (part("family"), part("given")) else { continue };
            finds.people.extend(Person::by_name(family, given, None, birth));
            if let Some(patronymic) = part("patronymic") {
                finds.people.extend(Person::by_name(family, given, Some(patronymic), birth));
            }
        }
    }
}

/// The text of a leaf; of what is told as old and new, both.
fn texts(node: Node<'_>) -> Vec<&str> {
    match node.first_element_child() {
        None => node.text().into_iter().collect(),
        Some(_) => node.children().filter(Node::is_element).filter_map(|own| own.text()).collect(),
    }
}

fn child<'a>(node: Node<'a>, name: &str) -> Option<Node<'a>> {
    node.children().find(|own| own.tag_name().name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, read};

    fn found(body: &str) -> Finds {
        finds(read(body.as_bytes(), &Limits::default()).unwrap().root())
    }

    fn named(family: &str, given: &str, patronymic: Option<&str>, birth: &str) -> Person {
        Person::by_name(family, given, patronymic, birth.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_numbers_of_a_document_are_its_own_children_only() {
        let finds = found(
            "<R xmlns='urn:x'><incomingNumber>вх 7</incomingNumber><outgoingNumber>15/2</outgoingNumber>\
             <number>№ 3</number><measures><measure><number>99</number></measure></measures></R>",
        );
        let numbers: Vec<(&str, &str)> =
            finds.numbers.iter().map(|(kind, own)| (kind.as_str(), own.as_str())).collect();
        assert_eq!(numbers, [("outgoing", "15/2"), ("incoming", "вх7"), ("registration", "3")]);
        assert!(finds.people.is_empty());
    }

    #[test]
    fn people_are_found_wherever_they_stand() {
        let person = |family: &str, more: &str| {
            format!(
                "<name><family>{family}</family><given>Пётр</given>{more}</name><birthDate>1948-01-09</birthDate>\
                 <snils>112-233-445 95</snils>"
            )
        };
        let (one, other) = (person("Образцов", ""), person("Иванов", "<patronymic>Ильич</patronymic>"));
        let finds = found(&format!(
            "<A xmlns='urn:x'><person>{one}</person><family><members><member><person>{other}</person></member></members></family></A>"
        ));
        let expected = [
            named("Образцов", "Пётр", None, "1948-01-09"),
            named("Иванов", "Пётр", None, "1948-01-09"),
            named("Иванов", "Пётр", Some("Ильич"), "1948-01-09"),
            Person::by_snils("11223344595").unwrap(),
        ];
        assert_eq!(finds.people, BTreeSet::from(expected));
        // Of whom too little is said nothing is found.
        assert!(
            found("<A><name><family>Образцов</family></name><birthDate>1948-01-09</birthDate></A>").people.is_empty()
        );
        assert!(found("<A><name><family>Образцов</family><given>Пётр</given></name></A>").people.is_empty());
    }

    #[test]
    fn somebody_whose_data_change_is_found_by_what_was_and_by_what_is() {
        let name = |family: &str| format!("<family>{family}</family><given>Анна</given>");
        let finds = found(&format!(
            "<P><person><name>{}</name><birthDate>1990-02-03</birthDate></person><changes><name><old>{}</old><new>{}</new></name>\
             <birthDate><new>1990-03-02</new></birthDate><snils><old>112-233-445 95</old><new>999-000-101 18</new></snils></changes></P>",
            name("Иванова"),
            name("Иванова"),
            name("Петрова")
        ));
        for family in ["Иванова", "Петрова"] {
            for birth in ["1990-02-03", "1990-03-02"] {
                assert!(finds.people.contains(&named(family, "Анна", None, birth)), "{family} {birth}");
            }
        }
        for snils in ["112-233-445 95", "999-000-101 18"] {
            assert!(finds.people.contains(&Person::by_snils(snils).unwrap()), "{snils}");
        }
        assert_eq!(finds.people.len(), 6);
    }

    /// Every published sample that names somebody with a date of birth is found by it, and every number of a document by its kind.
    #[test]
    fn every_sample_is_found() {
        let (mut people, mut numbers) = (0, 0);
        for (path, bytes) in crate::bundle::embedded() {
            if !(path.starts_with("schemas/social/") && path.contains("/samples/") && path.ends_with(".xml")) {
                continue;
            }
            let Ok(text) = std::str::from_utf8(&bytes) else { continue };
            let Ok(document) = read(text.as_bytes(), &Limits::default()) else { continue };
            let finds = finds(document.root());
            if text.contains("birthDate>") && text.contains("given>") {
                assert!(!finds.people.is_empty(), "{path}");
                people += 1;
            }
            if text.contains("outgoingNumber>")
                || text.contains("incomingNumber>")
                || text.contains("registrationNumber>")
            {
                assert!(!finds.numbers.is_empty(), "{path}");
                numbers += 1;
            }
        }
        assert!(people > 10 && numbers > 10, "{people} {numbers}");
    }
}
