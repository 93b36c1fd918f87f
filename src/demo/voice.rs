//! What the watcher of a demonstration reads: a line for each event, and the table at the end. Ids only, no names of citizens.

use std::io::Write as _;

use crate::domain::{MessageId, ObligationState, ParticipantId, Timestamp, Zone};
use crate::store::ObligationRow;
use crate::system::protocol::Event;

use super::tally::Tally;

/// Where the lines go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    /// Standard error instead of standard output: that one belongs to the JSON object.
    pub(super) aside: bool,
    /// The zone of the times shown.
    pub(super) zone: Zone,
}

impl Voice {
    /// One line. That nobody reads it any more is no error of the demonstration.
    pub(super) fn line(self, text: &str) {
        if self.aside {
            drop(writeln!(std::io::stderr(), "{text}"));
        } else {
            drop(writeln!(std::io::stdout(), "{text}"));
        }
    }

    fn moment(self, at: Timestamp) -> String {
        at.utc().with_timezone(&self.zone.tz()).format("%d.%m.%Y %H:%M").to_string()
    }

    fn of(self, at: Timestamp, who: &str, what: &str) {
        self.line(&format!("{}  {who:<12} {what}", self.moment(at)));
    }

    /// What a system told.
    pub(super) fn event(self, at: Timestamp, who: &ParticipantId, event: &Event) {
        let what = match event {
            Event::Started { .. } | Event::Ready | Event::Responded { .. } => return,
            Event::Accepted { id, kind, to, .. } if to == who => {
                format!("✓ {}: зарегистрировано шлюзом, квитанция проверена  {}", word(kind), short(*id))
            }
            Event::Accepted { id, kind, to, .. } => {
                format!("→ {to}: {} принят шлюзом, квитанция проверена  {}", word(kind), short(*id))
            }
            Event::Received { id, kind, from, again: false } => {
                format!("← {from}: {}, подпись шлюза проверена  {}", word(kind), short(*id))
            }
            Event::Received { id, kind, from, again: true } => {
                format!("= {from}: {} ещё раз, повтор отброшен  {}", word(kind), short(*id))
            }
            Event::Refused { id, kind, code } => format!("✗ {}: шлюз отказал, {code}  {id}", word(kind)),
            Event::Trouble { text } => format!("! {text}"),
        };
        self.of(at, who.as_str(), &what);
    }

    /// A warning or a missed deadline.
    pub(super) fn mark(self, at: Timestamp, row: &ObligationRow) {
        let due = row.due_at.map_or_else(String::new, |due| self.moment(due.plus_seconds(-1)));
        let about = row.conversation_id.map_or_else(|| row.period.clone(), |id| short_text(&id.to_string()));
        let what = match row.state {
            ObligationState::Overdue => format!("✗ ПРОСРОЧЕНО / overdue: {} до {due}  {about}", rule(row)),
            ObligationState::Warned => format!("⚠ скоро срок / due soon: {} до {due}  {about}", rule(row)),
            ObligationState::Pending
            | ObligationState::Open
            | ObligationState::Met
            | ObligationState::MetLate
            | ObligationState::Cancelled
            | ObligationState::Waived => return,
        };
        self.of(at, row.debtor.as_str(), &what);
    }

    /// A step of business time, with its reason in Russian and English.
    pub(super) fn jump(self, from: Timestamp, to: Timestamp, (ru, en): (&str, &str)) {
        let (from, to) = (self.moment(from), self.moment(to));
        self.line(&format!(
            "\n>> {from} → {to}  в пути ничего нет, время демонстрации прыгает: {ru} / nothing is in flight, time jumps: {en}"
        ));
    }

    /// The table at the end.
    pub(super) fn table(self, tally: &Tally) {
        let rows = [
            ("принято шлюзом", "accepted", tally.accepted),
            ("доставлено, квитанции получателей проверены", "delivered", tally.delivered),
            ("запросов отвечено", "answered", tally.answered),
            ("квитанций шлюза проверено системами", "receipts verified", tally.receipts_verified),
            ("обязательств открыто", "opened", tally.opened),
            ("исполнено в срок", "met", tally.met),
            ("просрочено", "overdue", tally.overdue),
            ("потеряно", "lost", tally.lost),
        ];
        self.line("\nИтог / summary");
        for (ru, en, count) in rows {
            self.line(&format!("  {ru:<46}{en:<20}{count:>5}"));
        }
    }
}

fn rule(row: &ObligationRow) -> &str {
    match row.rule.as_str() {
        "document-request" => "запрос ведомству",
        "document-answer" => "ответ на запрос",
        "progress-report" => "отчёт о мероприятиях",
        other => other,
    }
}

fn word(kind: &str) -> &str {
    match kind {
        "application" => "заявление",
        "document-request" => "запрос",
        "document-response" => "ответ",
        "progress-report" => "отчёт",
        "notice" => "уведомление о доставке",
        other => other,
    }
}

/// The end of an id: its beginning is the time, the same for all of a second.
fn short(id: MessageId) -> String {
    short_text(&id.to_string())
}

fn short_text(id: &str) -> String {
    format!("…{}", id.get(24..).unwrap_or(id))
}
