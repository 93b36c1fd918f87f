//! `mezhved deadline explain`: why one obligation is due when it is due, out of what was kept with it when it began.
//!
//! Nothing is counted anew here: what is shown is the count that the gateway went by, whatever the regulation says by now.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::deadline_explain_text::as_text;
use super::{ConfigDir, Failure, deadline_acts_text};
use crate::app::open_store;
use crate::deadline::obligations::StartOn;
use crate::deadline::show_due;
use crate::domain::{ObligationId, Timestamp, Zone};
use crate::gateway::acts::told::{about, waits_for, wish, zone};
use crate::settings::Settings;
use crate::store::{ActRow, LateSettlement, MessageRow, ObligationRow, Store};

const HELP: &str = "\
Показан счёт, по которому шлюз работает: он сохранён вместе с обязательством и от позднейших правок регламента не меняется.

What is shown is the count that the gateway goes by: it is kept with the obligation and later changes of the regulation leave it alone.

Пример / example:
  mezhved deadline list --overdue
  mezhved deadline explain 01931f6e-7a00-7000-8000-0000000000ab

Посчитать другой срок / to count another term: mezhved deadline compute";

/// Объяснить срок одного обязательства: событие, каждый посчитанный и пропущенный день, перенос, основание / explain one
/// obligation: the event, each day counted or skipped and why, the roll, where the rule is written
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Номер обязательства из `deadline list` / the obligation's id, as `deadline list` shows it
    #[arg(value_name = "ID")]
    id: ObligationId,
    #[command(flatten)]
    dir: ConfigDir,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

/// An obligation with the messages around it.
pub(super) struct Told {
    pub(super) row: ObligationRow,
    pub(super) opened_by: Option<MessageRow>,
    pub(super) settled_by: Option<MessageRow>,
    pub(super) acts: Vec<ActRow>,
    /// Settlements by messages whose files came late or are still to come.
    pub(super) late: Vec<LateSettlement>,
}

pub(crate) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&args.dir.config)?).await?;
    let found = find(&store, args.id).await;
    store.close().await;
    let told = found?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&as_json(&told))?)?;
    } else {
        say_part!("{}", as_text(&told))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The obligation, or the reason for people why it is not shown.
pub(super) async fn found(store: &Store, id: ObligationId) -> Result<ObligationRow, Failure> {
    store.obligation(id).await?.ok_or_else(|| absent(id))
}

pub(super) fn absent(id: ObligationId) -> Failure {
    Failure::new(format!("обязательства {id} нет / no obligation {id}; `mezhved deadline list` lists them"))
}

async fn find(store: &Store, id: ObligationId) -> Result<Told, Failure> {
    let (row, acts) = (found(store, id).await?, store.acts(id).await?);
    let late = store.late_settlements_for(&[&row]).await?.into_values().flatten().collect();
    let mut told = Told { row, opened_by: None, settled_by: None, acts, late };
    if let Some(record) = told.row.record_id {
        told.opened_by = store.message(record).await?;
    }
    if let Some(record) = told.row.settled_record {
        told.settled_by = store.message(record).await?;
    }
    Ok(told)
}

pub(super) fn waiting_words(on: StartOn) -> (&'static str, &'static str) {
    match on {
        StartOn::Sent => (
            "срок пойдёт, когда шлюз передаст открывшее его сообщение должнику (sent); до этого он не идёт",
            "the term begins when the gateway has handed the opening message over to the debtor (sent); until then it does not run",
        ),
        StartOn::Delivered => (
            "срок пойдёт, когда проверена квитанция должника на открывшее его сообщение (delivered); до этого он не идёт",
            "the term begins when the debtor's receipt for the opening message is verified (delivered); until then it does not run",
        ),
    }
}

pub(super) fn local(at: Timestamp, zone: Option<Zone>) -> String {
    zone.map_or_else(|| at.to_string(), |zone| at.in_zone(zone))
}

fn late_json(late: &LateSettlement) -> Value {
    json!({
        "recordId": late.record_id, "acceptedAs": late.claimed_at, "graceUntil": late.grace_until,
        "wholeAt": late.whole_at, "countsAt": late.counts_at,
    })
}

fn as_json(told: &Told) -> Value {
    let row = &told.row;
    let (zone, on) = (zone(row), waits_for(row));
    let message =
        |m: &MessageRow| json!({ "messageId": m.message_id, "sender": m.sender, "type": m.message_type.name });
    let waits = on.map(|on| {
        let (ru, en) = waiting_words(on);
        json!({ "on": on, "ru": ru, "en": en })
    });
    json!({
        "id": row.id, "regulation": row.regulation, "rule": row.rule, "subject": row.subject, "period": row.period,
        "caseId": row.case_id, "conversationId": row.conversation_id, "debtor": row.debtor, "creditor": row.creditor,
        "state": row.state, "term": row.term, "openedAt": row.opened_at, "startedAt": row.started_at,
        "due": row.due_at.zip(zone).map(|(due, zone)| show_due(due, zone)),
        "originalDue": row.original_due.zip(zone).map(|(due, zone)| show_due(due, zone)),
        "revision": row.revision, "openedBy": told.opened_by.as_ref().map(message), "waitsFor": waits,
        "warnedAt": row.warned_at, "overdueAt": row.overdue_at, "settledAt": row.settled_at,
        "settleKind": row.settle_kind, "settledBy": told.settled_by.as_ref().map(message),
        "lateFiles": told.late.iter().map(late_json).collect::<Vec<_>>(),
        "acts": told.acts.iter().map(|act| deadline_acts_text::as_json(act, zone)).collect::<Vec<_>>(),
        "explanation": about(row), "wish": Some(wish(row)).filter(|w| !w.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ObligationState, ParticipantId, RuleId, SettleKind};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn about() -> Value {
        json!({
            "title": { "ru": "Ответ", "en": "Answer" },
            "source": { "document": "Закон", "paragraph": "ст. 7.2", "quote": "в течение дня", "edition": null, "checked_on": null },
            "reading": "Срок идёт от вручения.", "calendar": "ru", "zone": "Asia/Yekaterinburg",
            "term": "1 working day", "term_ru": "1 рабочий день", "roll": "none",
        })
    }

    fn told(state: ObligationState) -> Told {
        let row = ObligationRow {
            id: ObligationId::parse("01931f6e-7a00-7000-8000-0000000000ab").unwrap(),
            regulation: "yugra".to_owned(),
            rule: RuleId::parse("document-answer").unwrap(),
            subject: "register/x medical-conclusion".to_owned(),
            period: String::new(),
            case_id: None,
            conversation_id: None,
            record_id: None,
            debtor: ParticipantId::parse("health").unwrap(),
            creditor: ParticipantId::parse("register").unwrap(),
            state,
            plan: Some(json!({ "start": { "on": "sent", "plan": { "about": about() } }, "wish": "2026-05-20" })),
            started_at: None,
            due_at: None,
            original_due: None,
            counted_due: None,
            next_at: None,
            warns: Vec::new(),
            term: "1 working day".to_owned(),
            explanation: None,
            opened_at: at("2026-05-08T10:00:00+05:00"),
            revision: 3,
            warned_at: None,
            overdue_at: None,
            settled_at: None,
            settled_record: None,
            settle_kind: None,
        };
        Told { row, opened_by: None, settled_by: None, acts: Vec::new(), late: Vec::new() }
    }

    /// Runs, was warned, is overdue; three steps were kept.
    fn running() -> Told {
        let mut told = told(ObligationState::Overdue);
        let mut explanation = about();
        explanation["steps"] = json!([
            { "step": "start", "date": "2026-05-08", "ru": "событие", "en": "event" },
            { "step": "skip", "date": "2026-05-11", "ru": "11.05.2026 (пн) — нерабочий", "en": "2026-05-11 (Mon): non-working" },
            { "step": "end", "date": "2026-05-12", "ru": "срок: до", "en": "due: until" },
        ]);
        told.row.explanation = Some(explanation);
        told.row.due_at = Some(at("2026-05-13T00:00:00+05:00"));
        told.row.warns = vec![at("2026-05-12T09:00:00+05:00")];
        told.row.overdue_at = Some(at("2026-05-13T00:00:00+05:00"));
        told
    }

    fn has(text: &str, parts: &[&str]) {
        let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
        assert!(missing.is_empty(), "{missing:?} not in:\n{text}");
    }

    #[test]
    fn the_kept_count_is_told_step_by_step_in_both_languages() {
        let text = as_text(&running());
        has(
            &text,
            &[
                "Ответ / Answer\n",
                "состояние / state: просрочено / overdue\n",
                "срок / term: 1 рабочий день / 1 working day\n",
                "открыто / opened: 2026-05-08T10:00:00+05:00, календарём / by the calendar\n",
                "   1. событие\n      event\n   2. 11.05.2026 (пн) — нерабочий\n      2026-05-11 (Mon): non-working\n   3. срок: до\n",
                "предупреждения / warnings: 2026-05-12T09:00:00+05:00\n",
                "  Закон, ст. 7.2\n  «в течение дня»\n  редакция не проверена / the edition was not checked\n",
                "  Срок идёт от вручения.\n",
                "  отмечено просроченным / marked overdue: 2026-05-13T00:00:00+05:00\n",
            ],
        );
        assert!(!text.contains("период") && !text.contains("дело /"), "what there is not is left out: {text}");
        let json = as_json(&running());
        assert_eq!(json["due"], "2026-05-12T23:59:59+05:00");
        assert_eq!((json["explanation"]["steps"][1]["step"].as_str(), &json["waitsFor"]), (Some("skip"), &Value::Null));
    }

    #[test]
    fn a_pending_one_says_what_it_waits_for() {
        let mut pending = told(ObligationState::Pending);
        let text = as_text(&pending);
        has(
            &text,
            &[
                "the count has not begun",
                "handed the opening message over",
                "asked for by: 2026-05-20",
                "Закон, ст. 7.2",
            ],
        );
        let json = as_json(&pending);
        assert_eq!((json["waitsFor"]["on"].as_str(), &json["due"]), (Some("sent"), &Value::Null));
        assert_eq!(json["explanation"]["term"], "1 working day");

        pending.row.plan.as_mut().unwrap()["start"]["on"] = json!("delivered");
        has(&as_text(&pending), &["the debtor's receipt for the opening message is verified"]);
    }

    #[test]
    fn what_was_met_before_it_began_waits_for_nothing() {
        let mut met = told(ObligationState::Met);
        met.row.settled_at = Some(at("2026-05-08T11:00:00+05:00"));
        met.row.settle_kind = Some(SettleKind::Message);
        let text = as_text(&met);
        has(
            &text,
            &[
                "settled before its term began",
                "исполнено в срок / met: 2026-05-08T11:00:00+05:00, сообщением / message",
            ],
        );
        assert_eq!(as_json(&met)["waitsFor"], Value::Null);
    }

    #[test]
    fn a_checked_edition_names_its_day() {
        let mut told = running();
        let source = &mut told.row.explanation.as_mut().unwrap()["source"];
        source["edition"] = json!("ред. 2025");
        source["checked_on"] = json!("2026-02-01");
        has(&as_text(&told), &["  ред. 2025: редакция сверена 2026-02-01 / the edition was compared on 2026-02-01\n"]);
    }
}
