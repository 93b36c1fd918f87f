//! Who has a ready adapter speaks every message that a built-in regulation lets it get or send, and a golden sample shows each.

use std::collections::BTreeSet;

use mezhved::adapter::{AdapterSet, Direction, check_golden};
use mezhved::bundle;
use mezhved::deadline::Regulations;
use mezhved::domain::{MessageType, RoleCode};
use mezhved::schema::Catalogue;

/// Roles whose holders have systems of their own, with their adapters.
pub(crate) const READY: [(&str, &str); 10] = [
    ("health", "health"),
    ("education", "education"),
    ("police", "police"),
    ("guardianship", "guardianship"),
    ("employment", "employment"),
    ("minors-commission", "minors-commission"),
    ("culture", "culture"),
    ("sport", "sport"),
    ("uszn", "social-office"),
    ("provider", "provider"),
];

/// Roles of people and registers inside of an office, which speak the canonical form through the office's system.
pub(crate) const PEOPLE: [&str; 5] = ["commission", "working-group", "department", "ministry", "databank"];

/// A role that a regulation lets send or get anything is a ready partner's, or is people's.
#[test]
fn every_role_of_an_exchange_is_a_ready_partners_or_peoples() {
    let regulations = Regulations::from_files(&bundle::embedded()).unwrap();
    let exchanges = regulations.iter().flat_map(|r| &r.exchanges);
    let roles: BTreeSet<&str> = exchanges.flat_map(|e| e.from.iter().chain(&e.to)).map(RoleCode::as_str).collect();
    let known: BTreeSet<&str> = READY.iter().map(|(role, _)| *role).chain(PEOPLE).collect();
    assert_eq!(roles, known);
}

#[test]
fn every_message_of_every_ready_partner_has_a_sample() {
    let files = bundle::embedded();
    let (set, catalogue) = (AdapterSet::from_files(&files).unwrap(), Catalogue::from_files(&files).unwrap());
    let regulations = Regulations::from_files(&files).unwrap();
    let mut missing = BTreeSet::new();
    for (role, name) in READY {
        let role = RoleCode::parse(role).unwrap();
        let adapter = set.get(name).unwrap();
        let shown: BTreeSet<(String, Direction)> = check_golden(adapter, &files, &catalogue)
            .into_iter()
            .filter_map(|result| Some((result.message_type.clone(), result.direction?)))
            .collect();
        for exchange in regulations.iter().flat_map(|r| &r.exchanges) {
            let message = MessageType::new(&exchange.message, 1).unwrap();
            let ways = [(&exchange.to, Direction::ToPartner), (&exchange.from, Direction::ToCanonical)];
            for (_, direction) in ways.into_iter().filter(|(roles, _)| roles.contains(&role)) {
                if !adapter.carries(&message, direction) || !shown.contains(&(message.name.clone(), direction)) {
                    missing.insert(format!("{name}: {} {direction}", message.name));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
