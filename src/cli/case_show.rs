//! What `mezhved case show` prints for people.

use crate::deadline::cases::Consent;
use crate::deadline::{Regulation, show_due};
use crate::domain::{DataClass, Timestamp, Zone};
use crate::store::{CaseRow, MessageRow, ObligationRow};

/// The case's life on one page.
pub(super) fn as_text(
    row: &CaseRow,
    regulation: Option<&Regulation>,
    obligations: &[ObligationRow],
    messages: &[MessageRow],
) -> String {
    let zone = regulation.map(|r| r.zone);
    let mut lines = head(row);
    let sections = [
        ("Шаги / steps", steps(row, regulation)),
        ("Внимание / to look at", row.facts.flags.iter().map(|f| format!("  {} / {}", f.ru, f.en)).collect()),
        ("Мероприятия / measures", measures(row)),
        ("Согласия, по порядку / consents, in order", row.facts.consents.iter().map(|c| consent(c, zone)).collect()),
        ("Сроки / obligations", obligations.iter().map(|o| obligation(o, zone)).collect()),
        ("Сообщения, новые первыми / messages, newest first", messages.iter().map(|m| message(m, zone)).collect()),
    ];
    for (title, section) in sections {
        if !section.is_empty() {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(section);
        }
    }
    lines.join("\n")
}

fn local(at: Timestamp, zone: Option<Zone>) -> String {
    zone.map_or_else(|| at.to_string(), |zone| at.in_zone(zone))
}

fn head(row: &CaseRow) -> Vec<String> {
    let facts = &row.facts;
    let mut lines = vec![
        format!("дело / case {}", row.id),
        format!("  регламент / regulation: {}, ОКТМО {}, {}", row.regulation, row.territory, row.kind),
    ];
    let mut tell = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("  {name}: {value}"));
        }
    };
    tell("состояние / state", Some(if facts.is_closed() { "закрыто / closed" } else { "открыто / open" }.to_owned()));
    tell("начало / begins", facts.begins_on.map(|d| d.to_string()));
    tell("конец / ends", facts.ends_on.map(|d| d.to_string()));
    tell(
        "конец по документу, сверх предела / the document's end, beyond the limit",
        facts.stated_ends_on.map(|d| d.to_string()),
    );
    let since = facts.level_since.map(|d| format!(", с / since {d}")).unwrap_or_default();
    tell("уровень / level", facts.level.as_ref().map(|level| format!("{level}{since}")));
    tell("куратор / curator", facts.curator.clone());
    lines
}

/// Every step of the regulation: when it was, or that the gateway did not see it.
fn steps(row: &CaseRow, regulation: Option<&Regulation>) -> Vec<String> {
    let zone = regulation.map(|r| r.zone);
    let told = regulation.into_iter().flat_map(|r| &r.steps).filter_map(|step| {
        let title = format!("{} / {}", step.title.ru, step.title.en);
        match row.facts.steps.get(&step.id) {
            Some(at) => Some(format!("  {}  {title}", local(Timestamp::from_micros(*at), zone))),
            None if row.facts.unseen.contains(&step.id) => {
                Some(format!("  шаг не виден шлюзу / not seen by the gateway  {title}"))
            }
            None => None,
        }
    });
    told.collect()
}

fn measures(row: &CaseRow) -> Vec<String> {
    let of = row.facts.programme.iter().flat_map(|p| &p.measures);
    of.map(|m| {
        let who = m.responsible.as_deref().unwrap_or("вне шлюза / outside");
        format!("  {}  {}..{}  {}  {who}", m.number, m.begins_on, m.due_on, m.kind)
    })
    .collect()
}

/// What was said when, to whom and of which data; neither number nor name.
fn consent(said: &Consent, zone: Option<Zone>) -> String {
    let at = local(Timestamp::from_micros(said.at), zone);
    let whose = if said.of_another { " (о другом лице / about another person)" } else { "" };
    let to = said.recipients.as_ref().map(|to| to.iter().cloned().collect::<Vec<_>>().join(", "));
    let to = to.unwrap_or_else(|| "всем / to all".to_owned());
    let of = said.data_classes.as_ref().map_or_else(|| "все / all".to_owned(), DataClass::words);
    let until = said.valid_until.map(|day| format!("; по / until {day}")).unwrap_or_default();
    format!("  {at}  {} / {}{whose}: {to}; данные / data: {of}{until}", said.state.ru(), said.state.as_str())
}

fn obligation(row: &ObligationRow, zone: Option<Zone>) -> String {
    let due = match (row.due_at, zone) {
        (Some(due), Some(zone)) => show_due(due, zone),
        (Some(due), None) => due.to_string(),
        (None, _) => "без срока / no term".to_owned(),
    };
    let what = format!("{} {}", row.rule, row.period);
    format!("  {due}  {}  {}  {}  {}", row.state.ru(), row.debtor, what.trim_end(), row.id)
}

fn message(row: &MessageRow, zone: Option<Zone>) -> String {
    format!(
        "  {}  {}  {} → {}  {}",
        local(row.business_at, zone),
        row.message_type.name,
        row.sender,
        row.recipient,
        row.message_id
    )
}
