//! A small region for tests: a register, five agencies, three rules of the Yugra regulation.

use crate::deadline::{Calendar, Calendars, Regulation};
use crate::domain::{
    Framing, NoticesWanted, Oktmo, Participant, ParticipantId, RoleCode, RoleHolding, TransportKind, Zone,
};

pub(in crate::deadline) const CASE: &str = "01931f6e-7a00-7000-8000-00000000ca5e";
pub(in crate::deadline) const FILE: &str = "config/regulations/yugra.toml";
/// Three rules: what the tests of mechanisms say must not change whenever the region's rules do.
pub(in crate::deadline) const YUGRA: &str = include_str!("../../../tests/fixtures/regulations/yugra.toml");

pub(in crate::deadline) fn participant(id: &str, roles: &[&str], zone: &str) -> Participant {
    let holding = |role: &&str| RoleHolding {
        role: RoleCode::parse(role).unwrap(),
        territories: vec![Oktmo::parse("71876000").unwrap()],
    };
    Participant {
        id: ParticipantId::parse(id).unwrap(),
        name: id.to_owned(),
        regulation: "yugra".to_owned(),
        roles: roles.iter().map(holding).collect(),
        zone: Zone::parse(zone).unwrap(),
        transport: TransportKind::Mailbox,
        adapter: None,
        versions: std::collections::BTreeMap::new(),
        framing: Framing::Envelope,
        certificates: Vec::new(),
        in_flight_max: 4,
        media_types: None,
        notices: NoticesWanted::All,
        data_classes: None,
        ordered: false,
        contacts: Vec::new(),
    }
}

pub(in crate::deadline) fn participants() -> Vec<Participant> {
    let mut all = vec![participant("register", &["uszn", "provider"], "Asia/Yekaterinburg")];
    for agency in ["health", "education", "police", "guardianship", "employment"] {
        all.push(participant(agency, &[agency], "Asia/Yekaterinburg"));
    }
    all
}

/// The people of a whole region: the register holds every role that no agency has, so that each is held once.
pub(in crate::deadline) fn region(regulation: &Regulation) -> Vec<Participant> {
    let agencies = [
        "health",
        "education",
        "police",
        "guardianship",
        "employment",
        "culture",
        "sport",
        "transport",
        "internal-policy",
        "information-technology",
        "public-relations",
    ];
    let codes = || regulation.roles.iter().map(|r| r.code.as_str());
    let zone = regulation.zone.to_string();
    let mut all: Vec<Participant> =
        codes().filter(|c| agencies.contains(c)).map(|c| participant(c, &[c], &zone)).collect();
    let own: Vec<&str> = codes().filter(|c| !agencies.contains(c)).collect();
    all.push(participant("register", &own, &zone));
    all.iter_mut().for_each(|p| p.regulation.clone_from(&regulation.id));
    all
}

pub(in crate::deadline) fn calendars() -> Calendars {
    let mut calendars = Calendars::default();
    let text = include_str!("../../../config/calendars/ru.csv");
    calendars.insert(Calendar::parse("ru", "config/calendars/ru.csv", text).unwrap());
    calendars
}

/// Yugra with text appended: measures, say.
pub(in crate::deadline) fn yugra(appended: &str) -> Regulation {
    Regulation::parse(FILE, &format!("{YUGRA}{appended}")).unwrap()
}

pub(in crate::deadline) fn measure(responsible: &str, from: &str, to: &str) -> String {
    format!(
        "\n[[measure]]\ncase = \"{CASE}\"\nterritory = \"71876000\"\nresponsible = \"{responsible}\"\nkind = \"help\"\nfrom = \"{from}\"\nto = \"{to}\"\n"
    )
}
