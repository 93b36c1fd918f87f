//! The report for people: aligned tables, Russian with English beside. Ids only, no names of citizens.

use crate::domain::ObligationState;

use super::figures::{Figures, Kept, OfRule};

/// Writes the report.
pub fn text(f: &Figures) -> String {
    let mut out = format!(
        "Моделирование / simulation: {} — {} / {}\n{} … {} ({}), дел / cases: {}, seed {}\n",
        f.regulation, f.title.0, f.title.1, f.from, f.to, f.zone, f.cases, f.seed
    );
    section(
        &mut out,
        "Сообщения",
        "messages",
        &["тип/type", "послано/sent", "принято/accepted", "отказ/refused"],
        &messages(f),
    );
    let deliveries: Vec<_> = f.deliveries.iter().filter(|(_, n)| **n > 0).map(|(s, n)| format!("{s} {n}")).collect();
    out.push_str(&format!("Доставки с уведомлениями / deliveries, notices among them: {}\n", deliveries.join(", ")));
    let heads: Vec<String> = ["правило/rule", "всего/all"]
        .into_iter()
        .map(str::to_owned)
        .chain(ObligationState::ALL.iter().map(|s| s.as_str().to_owned()))
        .chain(["в срок/on time".to_owned()])
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    section(&mut out, "Обязательства по правилам и состояниям", "obligations by rule and state", &heads, &rules(f));
    let heads = [
        "участник/participant",
        "нрав/temper",
        "должен/owed",
        "в срок/on time",
        "поздно/late",
        "не сделал/undone",
        "доля/share",
    ];
    section(&mut out, "Сроки по участникам", "terms by participant", &heads, &participants(f));
    let heads =
        ["опоздание/delay", "правило/rule", "кто/who", "дело/case", "период/period", "срок/due", "исполнено/done"];
    section(&mut out, "Самые большие опоздания", "the worst delays", &heads, &worst(f));
    out.push_str("\nИнварианты / invariants: ");
    if f.broken.is_empty() {
        out.push_str("соблюдены / hold\n");
        return out;
    }
    out.push_str("НАРУШЕНЫ / BROKEN\n");
    for broken in &f.broken {
        out.push_str(&format!("  {} / {}\n", broken.ru, broken.en));
    }
    for refusal in &f.refusals {
        out.push_str(&format!("  {refusal}\n"));
    }
    out
}

fn messages(f: &Figures) -> Vec<Vec<String>> {
    let row = |kind: &str, [sent, accepted, refused]: [u64; 3]| {
        vec![kind.to_owned(), sent.to_string(), accepted.to_string(), refused.to_string()]
    };
    let mut rows: Vec<_> = f.messages.iter().map(|m| row(m.kind, [m.sent, m.accepted, m.refused])).collect();
    let sum = |of: fn(&super::figures::Messages) -> u64| f.messages.iter().map(of).sum();
    rows.push(row("итого/total", [sum(|m| m.sent), sum(|m| m.accepted), sum(|m| m.refused)]));
    rows
}

fn rules(f: &Figures) -> Vec<Vec<String>> {
    let row = |name: String, rule: &OfRule| {
        let mut cells = vec![name, rule.opened.to_string()];
        let count = |state: &ObligationState| rule.states.get(state.as_str()).copied().unwrap_or(0);
        cells.extend(ObligationState::ALL.iter().map(|state| count(state).to_string()));
        cells.push(share(rule.kept));
        cells
    };
    let name = |rule: &OfRule| if rule.off { format!("{} (выкл./off)", rule.rule) } else { rule.rule.clone() };
    let mut rows: Vec<_> = f.rules.iter().map(|rule| row(name(rule), rule)).collect();
    rows.push(row("итого/total".to_owned(), &f.total));
    rows
}

fn participants(f: &Figures) -> Vec<Vec<String>> {
    let row = |p: &super::figures::OfParticipant| {
        let (ru, en) = p.temper.words();
        let counts = [p.owed, p.kept.in_time, p.kept.late, p.kept.undone];
        let mut cells = vec![p.id.to_string(), format!("{ru}/{en}")];
        cells.extend(counts.iter().map(u64::to_string));
        cells.push(share(p.kept));
        cells
    };
    f.participants.iter().map(row).collect()
}

fn worst(f: &Figures) -> Vec<Vec<String>> {
    let dash = || "—".to_owned();
    let row = |d: &super::figures::Delay| {
        vec![
            delay(d.minutes),
            d.rule.clone(),
            d.debtor.to_string(),
            d.case.map_or_else(dash, |case| case.to_string()),
            if d.period.is_empty() { dash() } else { d.period.clone() },
            d.due.clone(),
            d.settled.clone().unwrap_or_else(|| "нет/no".to_owned()),
        ]
    };
    f.worst.iter().map(row).collect()
}

/// A share in percent with one decimal.
fn share(kept: Kept) -> String {
    kept.share_permille().map_or_else(|| "—".to_owned(), |share| format!("{}.{} %", share / 10, share % 10))
}

/// Minutes as days, hours and minutes.
fn delay(minutes: i64) -> String {
    let (days, hours, rest) = (minutes / 1_440, minutes % 1_440 / 60, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{rest} мин/min"),
        (0, _) => format!("{hours} ч/h {rest} мин/min"),
        (_, 0) => format!("{days} дн/d"),
        (_, _) => format!("{days} дн/d {hours} ч/h"),
    }
}

/// A table under its title; the first column to the left, numbers to the right.
fn section(out: &mut String, ru: &str, en: &str, heads: &[&str], rows: &[Vec<String>]) {
    out.push_str(&format!("\n{ru} / {en}\n"));
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|h| h.chars().count())).max().unwrap_or(0)
    };
    let is_number = |column: usize| {
        let is = |cell: &String| cell.chars().all(|c| c.is_ascii_digit() || ".% —".contains(c));
        rows.iter().filter_map(|row| row.get(column)).all(is)
    };
    let widths: Vec<(usize, bool)> = (0..heads.len()).map(|column| (width(column), is_number(column))).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::from(" ");
        for (cell, (width, right)) in cells.zip(&widths) {
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            text.push(' ');
            let (before, after) = if *right { (pad.as_str(), "") } else { ("", pad.as_str()) };
            text.extend([before, cell, after, " "]);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut heads.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}
