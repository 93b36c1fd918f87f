//! What `mezhved deadline explain` prints for people: Russian first, English beside or below it.

use serde_json::Value;

use super::deadline_acts_text;
use super::deadline_explain::{Told, local, waiting_words};
use crate::domain::{SettleKind, Timestamp, Zone};
use crate::gateway::acts::told::{about, text, waits_for, wish, zone};
use crate::store::{LateSettlement, MessageRow, ObligationRow};

pub(super) fn as_text(told: &Told) -> String {
    let row = &told.row;
    let mut lines = vec![format!("обязательство / obligation {}", row.id), title(row), String::new()];
    lines.extend(head(told));
    lines.push(String::new());
    lines.extend(count(told));
    lines.push(String::new());
    lines.extend(source(row));
    if !told.acts.is_empty() {
        lines.extend([String::new(), "Что с ним делали / what was done to it".to_owned()]);
        lines.extend(told.acts.iter().flat_map(|act| deadline_acts_text::lines(act, zone(row))));
    }
    let end = outcome(told);
    if !end.is_empty() {
        lines.extend([String::new(), "Чем кончилось / what became of it".to_owned()]);
        lines.extend(end);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn title(row: &ObligationRow) -> String {
    match (text(about(row), "/title/ru"), text(about(row), "/title/en")) {
        ("", _) | (_, "") => row.rule.to_string(),
        (ru, en) => format!("{ru} / {en}"),
    }
}

fn message(row: &MessageRow) -> String {
    format!("{} {} ({} → {})", row.message_type.name, row.message_id, row.sender, row.recipient)
}

/// Who owes whom what, and by which term.
fn head(told: &Told) -> Vec<String> {
    let (row, about) = (&told.row, about(&told.row));
    let term = match text(about, "/term_ru") {
        "" if row.term.is_empty() => "без срока / no term".to_owned(),
        "" => row.term.clone(),
        ru => format!("{ru} / {}", row.term),
    };
    let roll = match text(about, "/roll") {
        "forward" => "вперёд, на рабочий день / forward, to a working day",
        "back" => "назад, на рабочий день / back, to a working day",
        _ => "нет / none",
    };
    let opened_by = told.opened_by.as_ref().map_or_else(|| "календарём / by the calendar".to_owned(), message);
    let due = |at: Timestamp| local(Timestamp::from_micros(at.micros().saturating_sub(1)), zone(row));
    let pairs = [
        ("состояние / state", format!("{} / {}", row.state.ru(), row.state)),
        ("кто должен / debtor", row.debtor.to_string()),
        ("кому / creditor", row.creditor.to_string()),
        ("правило / rule", format!("{} ({})", row.rule, row.regulation)),
        ("редакция настроек / bundle revision", row.revision.to_string()),
        ("о чём / subject", row.subject.clone()),
        ("период / period", row.period.clone()),
        ("дело / case", row.case_id.map_or_else(String::new, |id| id.to_string())),
        ("переписка / conversation", row.conversation_id.map_or_else(String::new, |id| id.to_string())),
        ("открыто / opened", format!("{}, {opened_by}", local(row.opened_at, zone(row)))),
        ("срок / term", term),
        ("кончается / due", row.due_at.map_or_else(String::new, due)),
        ("первый срок / original due", row.original_due.map_or_else(String::new, due)),
        ("перенос / roll", if row.due_at.is_some() { roll.to_owned() } else { String::new() }),
        ("календарь / calendar", text(about, "/calendar").to_owned()),
        ("пояс / zone", text(about, "/zone").to_owned()),
    ];
    pairs.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}")).collect()
}

/// The steps as they were kept, or what is waited for.
fn count(told: &Told) -> Vec<String> {
    let row = &told.row;
    let Some(explanation) = &row.explanation else { return not_begun(told) };
    if row.due_at.is_none() && row.term.is_empty() {
        return vec![
            "Задача без срока: документ его не называет / a task without a term: the document names none".to_owned(),
        ];
    }
    let mut lines = vec!["Счёт / the count".to_owned()];
    let steps = explanation.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, step) in steps.iter().enumerate() {
        lines.push(format!("{:>4}. {}", index + 1, text(Some(step), "/ru")));
        lines.push(format!("      {}", text(Some(step), "/en")));
    }
    if steps.is_empty() {
        lines.push("  шаги не сохранены / the steps were not kept".to_owned());
    }
    let warns: Vec<String> = row.warns.iter().map(|at| local(*at, zone(row))).collect();
    if !warns.is_empty() {
        lines.push(format!("предупреждения / warnings: {}", warns.join(", ")));
    }
    lines.extend(wished(row));
    lines
}

fn not_begun(told: &Told) -> Vec<String> {
    let row = &told.row;
    let mut lines = vec!["Счёт ещё не начат / the count has not begun".to_owned()];
    match waits_for(row) {
        Some(on) => {
            let (ru, en) = waiting_words(on);
            lines.extend([format!("  {ru}"), format!("  {en}")]);
            if let Some(opened_by) = &told.opened_by {
                let id = opened_by.message_id;
                lines.push(format!("  где оно сейчас / where it is now: mezhved message show {id}"));
            }
        }
        None => lines.push("  кончилось раньше, чем срок пошёл / it was settled before its term began".to_owned()),
    }
    lines.extend(wished(row));
    lines
}

fn wished(row: &ObligationRow) -> Option<String> {
    let wish = wish(row);
    let words = "на счёт не влияет / the count does not go by it";
    (!wish.is_empty()).then(|| format!("просили к / asked for by: {wish} ({words})"))
}

/// Where the rule is written, whether anybody compared it, and how it is read.
fn source(row: &ObligationRow) -> Vec<String> {
    let about = about(row);
    let (document, paragraph) = (text(about, "/source/document"), text(about, "/source/paragraph"));
    let mut lines = vec!["Основание / source".to_owned(), format!("  {document}, {paragraph}")];
    let (quote, edition) = (text(about, "/source/quote"), text(about, "/source/edition"));
    if !quote.is_empty() {
        lines.push(format!("  «{quote}»"));
    }
    let checked = match text(about, "/source/checked_on") {
        "" => "редакция не проверена / the edition was not checked".to_owned(),
        day => format!("редакция сверена {day} / the edition was compared on {day}"),
    };
    let edition = if edition.is_empty() { String::new() } else { format!("{edition}: ") };
    lines.push(format!("  {edition}{checked}"));
    let reading = text(about, "/reading");
    if !reading.is_empty() {
        lines.extend(["Прочтение / reading".to_owned(), format!("  {reading}")]);
    }
    lines
}

fn outcome(told: &Told) -> Vec<String> {
    let (row, zone) = (&told.row, zone(&told.row));
    let mut lines = Vec::new();
    if let Some(at) = row.warned_at {
        lines.push(format!("  предупреждено / warned: {}", local(at, zone)));
    }
    if let Some(at) = row.overdue_at {
        lines.push(format!("  отмечено просроченным / marked overdue: {}", local(at, zone)));
    }
    lines.extend(told.late.iter().map(|late| late_files(late, zone)));
    if let Some(at) = row.settled_at {
        let how = match (&told.settled_by, row.settle_kind) {
            (Some(by), _) => format!(", {}", message(by)),
            (None, Some(kind)) => format!(", {} / {}", SettleKind::ru(kind), kind),
            (None, None) => String::new(),
        };
        lines.push(format!("  {} / {}: {}{how}", row.state.ru(), row.state, local(at, zone)));
    }
    lines
}

/// A message that meets it and whose files were not all here when it was accepted: both instants.
fn late_files(late: &LateSettlement, zone: Option<Zone>) -> String {
    let (claimed, until) = (local(late.claimed_at, zone), local(late.grace_until, zone));
    match (late.whole_at, late.counts_at) {
        (Some(whole), Some(counts)) => format!(
            "  ответ принят / answer accepted: {claimed}; файлы пришли / files whole: {}; засчитано / counts: {}",
            local(whole, zone),
            local(counts, zone)
        ),
        _ => format!(
            "  ответ принят / answer accepted: {claimed}; файлов ещё нет: придут до {until} — исполнено в миг приёма, позже — в миг их \
             прихода / files awaited: by then it counts as of its acceptance, later as of their coming"
        ),
    }
}
