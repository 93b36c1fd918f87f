//! Who carries which classes of personal data: a participant, an adapter and an exchange carry only those that they list.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapter::AdapterSet;
use crate::deadline::{Exchange, Finding, Regulation, Regulations, Severity};
use crate::domain::{DataClass, Fault, FaultCode, Participant};
use crate::schema::{Catalogue, Held};

/// Something on a message's way that lists the classes it carries.
#[derive(Debug)]
struct Carrier<'a> {
    allowed: &'a BTreeSet<DataClass>,
    /// What it is, and where that is written.
    what: String,
}

/// All on the way from one to the other that list classes.
fn carriers<'a>(
    exchange: Option<&'a Exchange>,
    sender: Option<&'a Participant>,
    recipient: &'a Participant,
    regulation: &'a Regulation,
    adapters: &'a AdapterSet,
) -> Vec<Carrier<'a>> {
    let mut all = Vec::new();
    if let Some(allowed) = &recipient.data_classes {
        all.push(Carrier {
            allowed,
            what: format!("`{}` (data_classes, participants/{}.toml)", recipient.id, recipient.id),
        });
    }
    let named = sender.into_iter().chain([recipient]).filter_map(|who| adapters.get(who.adapter.as_deref()?));
    for adapter in named {
        if let Some(allowed) = adapter.data_classes() {
            let name = adapter.name();
            all.push(Carrier {
                allowed,
                what: format!("adapter `{name}` (data-classes, adapters/{name}/manifest.toml)"),
            });
        }
    }
    if let Some(exchange) = exchange
        && let Some(allowed) = &exchange.data_classes
    {
        let (id, file, line) = (&regulation.id, &regulation.file, exchange.line);
        all.push(Carrier { allowed, what: format!("the exchange of `{id}` (data_classes, {file}:{line})") });
    }
    all
}

/// Refuses a message that holds a class which something on its way does not carry.
///
/// # Errors
/// `route-forbidden`, which names the class and the field that brought it, never what stands in it.
pub(super) fn check_carried(
    held: &Held,
    exchange: Option<&Exchange>,
    (sender, recipient): (&Participant, &Participant),
    regulation: &Regulation,
    adapters: &AdapterSet,
) -> Result<(), Fault> {
    for carrier in carriers(exchange, Some(sender), recipient, regulation, adapters) {
        let Some((class, path)) = held.iter().find(|(class, _)| !carrier.allowed.contains(class)) else { continue };
        let place = path.as_ref().map_or_else(|| "Body".to_owned(), |path| format!("Body/{path}"));
        let detail = format!(
            "{place}: it holds personal data of the class {}; {} carries {} only",
            class.as_str(),
            carrier.what,
            DataClass::words(carrier.allowed)
        );
        return Err(Fault::new(FaultCode::RouteForbidden, detail));
    }
    Ok(())
}

/// Messages that a regulation lets a participant get and that can never come through, for every one of them holds a class which something
/// on the way does not carry.
pub(super) fn never_carried(
    participant: &Participant,
    adapters: &AdapterSet,
    regulations: &Regulations,
    catalogue: &Catalogue,
) -> Vec<Finding> {
    let Some(regulation) = regulations.get(&participant.regulation) else { return Vec::new() };
    let gets = |e: &&Exchange| e.to.iter().any(|role| participant.holds(role, None));
    let mut stopped: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for exchange in regulation.exchanges.iter().filter(gets) {
        let Some(info) = catalogue.message(&exchange.message) else { continue };
        for carrier in carriers(Some(exchange), None, participant, regulation, adapters) {
            let always = info.always();
            let missing = DataClass::words(always.difference(carrier.allowed));
            if !missing.is_empty() {
                stopped.entry(carrier.what).or_default().insert(format!("{} ({missing})", exchange.message));
            }
        }
    }
    let id = &participant.id;
    let finding = |(what, types): (String, BTreeSet<String>)| {
        let types = types.into_iter().collect::<Vec<_>>().join("; ");
        Finding {
            severity: Severity::Warning,
            file: format!("participants/{id}.toml"),
            line: 0,
            column: 0,
            ru: format!(
                "участнику `{id}` никогда не пройдут сообщения с классами данных, которых нет в списке: {types}; список - {what}; \
                 дополните его или уберите обмен из регламента"
            ),
            en: format!(
                "messages can never come through to participant `{id}`, for they always hold classes that are not listed: {types}; the \
                 list is of {what}; add them or take the exchange out of the regulation"
            ),
        }
    };
    stopped.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Files, embedded};
    use crate::domain::{
        Framing, MessageType, NoticesWanted, ParticipantId, RoleCode, RoleHolding, TransportKind, Zone,
    };

    fn participant(id: &str, adapter: Option<&str>, classes: Option<&[DataClass]>) -> Participant {
        Participant {
            id: ParticipantId::parse(id).unwrap(),
            name: id.to_owned(),
            regulation: "yugra".to_owned(),
            roles: vec![RoleHolding { role: RoleCode::parse(id).unwrap(), territories: vec![] }],
            zone: Zone::parse("Asia/Yekaterinburg").unwrap(),
            transport: TransportKind::Mailbox,
            adapter: adapter.map(str::to_owned),
            framing: Framing::Envelope,
            certificates: vec![],
            in_flight_max: 1,
            notices: NoticesWanted::All,
            data_classes: classes.map(|all| all.iter().copied().collect()),
            media_types: None,
            versions: BTreeMap::new(),
            ordered: false,
            contacts: Vec::new(),
        }
    }

    /// The built-in files with some texts replaced.
    fn files(changes: &[(&str, &str, &str)]) -> Files {
        let mut files = embedded();
        for (file, from, to) in changes {
            let text = String::from_utf8(files[*file].clone()).unwrap();
            assert!(text.contains(from), "{file}: {from}");
            files.insert((*file).to_owned(), text.replacen(from, to, 1).into_bytes());
        }
        files
    }

    const HEALTH: &str = "adapters/health/manifest.toml";
    const YUGRA: &str = "config/regulations/yugra.toml";
    const ADAPTER_LISTS: (&str, &str, &str) =
        (HEALTH, "title-en", "data-classes = [\"general\", \"minors\"]\ntitle-en");
    const EXCHANGE_LISTS: (&str, &str, &str) =
        (YUGRA, "message = \"programme\"\n", "message = \"programme\"\ndata_classes = [\"general\"]\n");

    fn checked(
        changes: &[(&str, &str, &str)],
        recipient: &Participant,
        sender: &Participant,
        body: &str,
    ) -> Option<String> {
        let files = files(changes);
        let (adapters, regulations) =
            (AdapterSet::from_files(&files).unwrap(), Regulations::from_files(&files).unwrap());
        let (catalogue, programme) =
            (Catalogue::from_files(&files).unwrap(), MessageType::new("programme", 1).unwrap());
        let document = roxmltree::Document::parse(body).unwrap();
        let regulation = regulations.get("yugra").unwrap();
        let exchange = regulation.exchange(&programme, sender, recipient, None);
        let held = catalogue.held(&programme, document.root_element());
        check_carried(&held, exchange, (sender, recipient), regulation, &adapters).err().map(|fault| fault.detail)
    }

    #[test]
    fn each_on_the_way_carries_only_what_it_lists() {
        let body = |kind: &str| format!("<P><measures><measure><helpKind>{kind}</helpKind></measure></measures></P>");
        let (medical, social) = (body("medical"), body("social"));
        let (health, uszn) = (participant("health", Some("health"), None), participant("uszn", None, None));
        assert_eq!(checked(&[], &health, &uszn, &medical), None);
        let few = participant("health", None, Some(&[DataClass::General]));
        let table: [(&[_], &Participant, &Participant, &str); 3] = [
            (&[], &few, &uszn, "`health` (data_classes, participants/health.toml) carries general only"),
            (
                &[ADAPTER_LISTS],
                &health,
                &uszn,
                "adapter `health` (data-classes, adapters/health/manifest.toml) carries general, minors",
            ),
            (
                &[EXCHANGE_LISTS],
                &health,
                &uszn,
                "the exchange of `yugra` (data_classes, config/regulations/yugra.toml:",
            ),
        ];
        for (changes, recipient, sender, told) in table {
            let detail = checked(changes, recipient, sender, &medical).unwrap();
            let place = "Body/measures/measure/helpKind: it holds personal data of the class health; ";
            assert!(detail.starts_with(place) && detail.contains(told), "{detail}");
            assert_eq!(checked(changes, recipient, sender, &social), None);
        }
        // What comes through an adapter is carried by it too.
        let from = Participant { roles: uszn.roles.clone(), ..health.clone() };
        let to = participant("education", None, None);
        assert!(checked(&[ADAPTER_LISTS], &to, &from, &medical).is_some());
    }

    #[test]
    fn what_can_never_come_through_is_found_beforehand() {
        let found = |changes: &[(&str, &str, &str)], who: &Participant| {
            let files = files(changes);
            let (adapters, regulations) =
                (AdapterSet::from_files(&files).unwrap(), Regulations::from_files(&files).unwrap());
            let findings = never_carried(who, &adapters, &regulations, &Catalogue::from_files(&files).unwrap());
            findings.into_iter().map(|finding| finding.en).collect::<Vec<_>>()
        };
        assert!(found(&[ADAPTER_LISTS, EXCHANGE_LISTS], &participant("health", Some("health"), None)).is_empty());
        let minors = found(&[], &participant("health", None, Some(&[DataClass::Minors])));
        assert_eq!(minors.len(), 1);
        assert!(
            minors[0].contains("programme (general)") && minors[0].contains("participants/health.toml"),
            "{minors:?}"
        );
        let narrow = (HEALTH, "title-en", "data-classes = [\"general\"]\ntitle-en");
        let told = found(&[narrow], &participant("health", Some("health"), None));
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("effectiveness-assessment (minors)") && !told[0].contains("programme"), "{told:?}");
    }

    #[test]
    fn a_class_that_there_is_not_is_refused_with_its_place() {
        let adapter = files(&[(HEALTH, "title-en", "data-classes = [\"secret\"]\ntitle-en")]);
        let errors = AdapterSet::from_files(&adapter).unwrap_err();
        assert!(
            errors[0].line.is_some() && errors[0].reason.contains("`secret` is not one of general, health"),
            "{}",
            errors[0]
        );
        let exchange =
            files(&[(YUGRA, "message = \"programme\"\n", "message = \"programme\"\ndata_classes = [\"secret\"]\n")]);
        let found = Regulations::from_files(&exchange).unwrap_err();
        assert!(found[0].line > 0 && found[0].en.contains("data class `secret`"), "{}", found[0]);
        for (basis, told) in
            [("basis = \"custom\"", "allowed are law, consent"), ("basis = \"consent\"", "lacks the key `source`")]
        {
            let change = format!("message = \"programme\"\n{basis}\n");
            let found = Regulations::from_files(&files(&[(YUGRA, "message = \"programme\"\n", &change)])).unwrap_err();
            assert!(found[0].en.contains(told), "{}", found[0]);
        }
    }
}
