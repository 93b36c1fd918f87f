//! What `mezhved regulation show` prints of a case: its steps, and the entries that are no deadlines.

use super::regulation_words::{both, source};
use crate::deadline::{CaseStep, Presence, Regulation, Source, Title};

/// The parts in their order, each with its heading; empty ones are left to the caller.
pub(super) fn as_text(r: &Regulation) -> [(&'static str, Vec<String>); 6] {
    [
        ("Основания прекращения / grounds of ending a case", grounds(r)),
        ("Шаги дела / steps of a case", r.steps.iter().map(|s| step(r, s)).collect()),
        ("Чего нельзя раньше шага / what may not come before a step", preconditions(r)),
        ("Нагрузка куратора, предупреждение / a curator's load, a warning", loads(r)),
        ("Хранение / retention", retentions(r)),
        ("Названо в документах, но через шлюз не идёт / named by the documents, not exchanged here", outside(r)),
    ]
}

fn step(r: &Regulation, step: &CaseStep) -> String {
    let presence = match step.presence {
        Presence::Required => "обязателен / required",
        Presence::Expected => {
            "ожидается: без него будет сказано «шаг не виден шлюзу» / expected: it is told when it was not seen"
        }
        Presence::Free => "можно и без него / free",
    };
    let conditions: Vec<String> =
        step.filter.iter().map(|(path, values)| format!("{path} = {}", values.join(" | "))).collect();
    let message = if conditions.is_empty() {
        step.message.clone()
    } else {
        format!("{} ({})", step.message, conditions.join(", "))
    };
    let after = if step.after.is_empty() {
        String::new()
    } else {
        format!("; после / after: {}", step.after.iter().map(|id| title_of(r, id)).collect::<Vec<_>>().join(", "))
    };
    format!("  {}: {}: {message}; {presence}{after}", step.id, both(&step.title.ru, &step.title.en))
}

/// A step by its name in Russian and its id.
fn title_of(r: &Regulation, id: &str) -> String {
    let step = r.steps.iter().find(|s| s.id == id);
    step.map_or_else(|| id.to_owned(), |s| format!("{} ({id})", s.title.ru))
}

/// The head of an entry, why it is off, what it says, where it is written.
fn entry(
    r: &Regulation,
    (id, title, off): (&str, &Title, Option<&String>),
    says: Vec<String>,
    (written, rows): (&Source, &[String]),
) -> Vec<String> {
    let mut lines = vec![format!("  {id}: {}", both(&title.ru, &title.en))];
    lines.extend(off.map(|why| format!("    ВЫКЛЮЧЕНО / OFF: {why}")));
    lines.extend(says.into_iter().map(|line| format!("    {line}")));
    if !rows.is_empty() {
        lines.push(format!("    строки таблицы сроков / rows of the table of terms: {}", rows.join(", ")));
    }
    lines.push("    источник / source:".to_owned());
    lines.extend(source(r, written).iter().map(|line| format!("      {line}")));
    lines
}

fn grounds(r: &Regulation) -> Vec<String> {
    let told = |ground: &crate::deadline::CaseGround| {
        let mut lines = vec![format!("  {}", ground.code)];
        lines.extend(source(r, &ground.source).iter().map(|line| format!("    {line}")));
        lines
    };
    r.case.iter().flat_map(|case| &case.grounds).flat_map(told).collect()
}

fn preconditions(r: &Regulation) -> Vec<String> {
    let told = |p: &crate::deadline::Precondition| {
        let says = format!("{}: только после / only after: {}", p.message, title_of(r, &p.needs));
        entry(r, (&p.id, &p.title, p.off.as_ref()), vec![says], (&p.source, &p.rows))
    };
    r.preconditions.iter().flat_map(told).collect()
}

fn loads(r: &Regulation) -> Vec<String> {
    let told = |l: &crate::deadline::Load| {
        let limits: Vec<String> = l.limits.iter().map(|(level, most)| format!("{level} {most}")).collect();
        let says = format!("семей не больше / families at most: {}", limits.join(", "));
        entry(r, (&l.id, &l.title, l.off.as_ref()), vec![says], (&l.source, &l.rows))
    };
    r.loads.iter().flat_map(told).collect()
}

fn retentions(r: &Regulation) -> Vec<String> {
    let told = |k: &crate::deadline::Retention| {
        let says = vec![both(&k.text.ru, &k.text.en), format!("до события / until: {}", k.event)];
        entry(r, (&k.id, &k.title, None), says, (&k.source, &k.rows))
    };
    r.retentions.iter().flat_map(told).collect()
}

fn outside(r: &Regulation) -> Vec<String> {
    let told = |o: &crate::deadline::Outside| {
        entry(r, (&o.id, &o.title, None), vec![both(&o.why.ru, &o.why.en)], (&o.source, &o.rows))
    };
    r.outside.iter().flat_map(told).collect()
}

#[cfg(test)]
mod tests {
    use crate::deadline::Regulations;

    fn shown(id: &str) -> String {
        let all = Regulations::from_files(&crate::bundle::embedded()).unwrap();
        crate::cli::regulation_show::as_text(all.get(id).unwrap(), &[])
    }

    #[test]
    fn every_entry_that_is_no_deadline_is_told() {
        let table = [
            (
                "yugra",
                "  programme: Утверждённая программа / Approved programme: programme (status = approved); ожидается: без него",
            ),
            ("yugra", "; после / after: Проект программы рабочей группе (draft)\n"),
            (
                "yugra",
                "    до события / until: case ends\n    строки таблицы сроков / rows of the table of terms: Y-19\n",
            ),
            ("yugra", "предел сопровождения / limit of accompaniment: 6 месяцев / 6 months; 12 месяцев / 12 months\n"),
            ("smolensk", "Основания прекращения / grounds of ending a case"),
            ("smolensk", "  moved\n    "),
            ("model", "    databank-entry: только после / only after: Договор (contract)\n"),
            ("model", "    семей не больше / families at most: "),
            ("model", "  daily-inspection: Ежедневный осмотр детей в школе"),
            ("smolensk", "    строки таблицы сроков / rows of the table of terms: S-01\n"),
        ];
        for (id, expected) in table {
            let text = shown(id);
            assert!(text.contains(expected), "{id}: `{expected}` not in:\n{text}");
        }
    }

    /// Every row of the table of terms can be found in what people read.
    #[test]
    fn every_row_is_shown_with_its_entry() {
        for (id, letter, rows) in [("yugra", "Y", 19), ("model", "M", 14), ("smolensk", "S", 7)] {
            let text = shown(id);
            for row in (1..=rows).map(|n| format!("{letter}-{n:02}")) {
                assert!(text.contains(&row), "{id}: {row} is not shown");
            }
        }
    }
}
