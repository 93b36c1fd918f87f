//! What a register takes out of a body: read by names, for the versions of a message differ in what stands beside.

use roxmltree::{Document, Node};

use crate::domain::Timestamp;

/// A person, as registers name people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Somebody {
    pub(super) name: String,
    pub(super) birth_date: String,
    pub(super) address: String,
}

/// What a body says of an application or of a notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) number: String,
    pub(super) at: Option<Timestamp>,
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) person: Somebody,
    pub(super) representatives: Vec<String>,
    pub(super) children: Vec<Somebody>,
    pub(super) members: usize,
    pub(super) categories: Vec<String>,
    pub(super) grounds: Vec<String>,
    pub(super) circumstances: String,
    pub(super) help_kinds: Vec<String>,
    pub(super) organisation: String,
    pub(super) accepted_by: String,
    pub(super) filled_on: String,
}

/// Reads the body of an `application` or an `identification-notice`; `None`: it is no XML, or another message.
pub(super) fn told(body: &[u8]) -> Option<Told> {
    let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let root = document.root_element();
    let person = child(root, "person");
    let members: Vec<Node<'_, '_>> =
        descend(root, &["family", "members"]).into_iter().flat_map(|n| children(n, "member")).collect();
    let is_child = |member: &&Node<'_, '_>| text(**member, "role") == "child";
    let representatives = children(root, "representative")
        .chain(descend(root, &["family", "representatives"]).into_iter().flat_map(|n| children(n, "representative")));
    let mut told = Told {
        source: text(root, "source"),
        kind: text(root, "kind"),
        person: person.map(somebody).unwrap_or_default(),
        representatives: representatives.map(|n| child(n, "person").map(name).unwrap_or_default()).collect(),
        children: members.iter().filter(is_child).filter_map(|m| child(*m, "person")).map(somebody).collect(),
        members: members.len(),
        categories: listed(root, "categories", "category"),
        grounds: [listed(root, "needCircumstances", "needCircumstance"), listed(root, "needGrounds", "needGround")]
            .concat(),
        circumstances: text(root, "circumstances"),
        help_kinds: listed(root, "helpKinds", "helpKind"),
        organisation: text(root, "organisation"),
        accepted_by: child(root, "acceptedBy").or_else(|| child(root, "preparer")).map(official).unwrap_or_default(),
        filled_on: text(root, "filledOn"),
        ..Told::default()
    };
    match root.tag_name().name() {
        "Application" => {
            told.number = text(root, "registrationNumber");
            told.at = Timestamp::parse(&text(root, "registeredAt"));
        }
        "IdentificationNotice" => {
            told.number = text(root, "outgoingNumber");
            told.at = Timestamp::parse(&text(root, "identifiedAt"));
        }
        _ => return None,
    }
    Some(told)
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

fn descend<'a, 'i>(node: Node<'a, 'i>, path: &[&'static str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

fn text(node: Node<'_, '_>, name: &'static str) -> String {
    child(node, name).and_then(|n| n.text()).unwrap_or_default().trim().to_owned()
}

fn listed(node: Node<'_, '_>, list: &'static str, item: &'static str) -> Vec<String> {
    let items = child(node, list).into_iter().flat_map(|n| children(n, item));
    items.filter_map(|n| n.text()).map(|t| t.trim().to_owned()).collect()
}

fn joined(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

fn name(person: Node<'_, '_>) -> String {
    let Some(name) = child(person, "name") else { return String::new() };
    joined(["family", "given", "patronymic"].map(|part| text(name, part)), " ")
}

fn official(node: Node<'_, '_>) -> String {
    joined(["name", "post"].map(|part| text(node, part)), ", ")
}

fn somebody(person: Node<'_, '_>) -> Somebody {
    let address = ["residenceAddress", "stayAddress", "address"].into_iter().find_map(|a| child(person, a));
    Somebody {
        name: name(person),
        birth_date: text(person, "birthDate"),
        address: address.map(told_address).unwrap_or_default(),
    }
}

fn told_address(address: Node<'_, '_>) -> String {
    let parts = ["postalCode", "region", "locality", "street", "house", "building", "apartment"];
    joined(parts.map(|part| text(address, part)), ", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle;

    fn sample(path: &str) -> Told {
        told(bundle::embedded().get(path).unwrap()).unwrap()
    }

    #[test]
    fn both_messages_are_read_in_every_version() {
        let family = sample("schemas/social/application/1/samples/family.xml");
        assert_eq!((family.number.as_str(), family.kind.as_str()), ("СС-2026/000117", "group"));
        assert_eq!(family.at, Timestamp::parse("2026-05-06T10:25:00+05:00"));
        assert_eq!(family.person.name, "Примерова Анна Тестовна");
        assert!(family.person.address.ends_with("улица Несуществующая, 1, 2, 3"), "{}", family.person.address);
        assert_eq!((family.members, family.children.len()), (3, 2));
        assert_eq!(
            (family.children[1].name.as_str(), family.children[1].birth_date.as_str()),
            ("Примерова Мария", "2026-04-20")
        );
        assert_eq!(family.representatives, ["Примерова Анна Тестовна"]);
        assert_eq!(family.categories, ["family-large", "family-low-income"]);
        assert_eq!(family.help_kinds, ["medical", "legal", "social"]);
        assert_eq!(family.accepted_by, "Принималова Ольга Выдумовна, специалист по социальной работе");

        let files = bundle::embedded();
        let of = |part: &'static str| {
            files.iter().filter(move |(path, _)| path.starts_with(part) && path.contains("/samples/"))
        };
        let mut read = 0;
        for (path, body) in of("schemas/social/application/").chain(of("schemas/social/identification-notice/")) {
            let told = told(body).unwrap_or_else(|| panic!("{path}"));
            assert!(told.at.is_some() && !told.organisation.is_empty() && !told.kind.is_empty(), "{path}: {told:?}");
            assert!(!path.contains("application") || !told.number.is_empty(), "{path}");
            read += 1;
        }
        assert!(read >= 6, "{read}");
        assert_eq!(told(b"<Curator/>"), None);
        assert_eq!(told(b"\xff"), None);
    }
}
