//! Dates and spans of time as Russians write them.

use chrono::Datelike as _;

use crate::domain::{Timestamp, Zone};

/// `12.05.2026 23:59 (+05:00)`.
pub(super) fn instant(at: Timestamp, zone: Zone) -> String {
    at.utc().with_timezone(&zone.tz()).format("%d.%m.%Y %H:%M (%:z)").to_string()
}

/// The due as people say it: the last second that is still in time, `до конца 12.05.2026 (вт)`, or with its time when it is not a day's end.
pub(super) fn due(exclusive: Timestamp, zone: Zone) -> String {
    let last = exclusive.plus_seconds(-1).utc().with_timezone(&zone.tz());
    let day = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];
    let name = day.get(usize::try_from(last.weekday().num_days_from_monday()).unwrap_or(0)).copied().unwrap_or("");
    if last.format("%H:%M:%S").to_string() == "23:59:59" {
        format!("до конца {} ({name})", last.format("%d.%m.%Y"))
    } else {
        let at = exclusive.utc().with_timezone(&zone.tz());
        format!("{} ({name})", at.format("%d.%m.%Y %H:%M"))
    }
}

/// A span in its two largest units: `3 дня 4 ч`, `5 ч 12 мин`, `7 мин`.
pub(super) fn span(micros: i64) -> String {
    let minutes = micros.unsigned_abs() / 60_000_000;
    let (days, hours, rest) = (minutes / 1_440, minutes % 1_440 / 60, minutes % 60);
    if days > 0 {
        let word = plural(days, "день", "дня", "дней");
        if hours > 0 { format!("{days} {word} {hours} ч") } else { format!("{days} {word}") }
    } else if hours > 0 {
        if rest > 0 { format!("{hours} ч {rest} мин") } else { format!("{hours} ч") }
    } else if minutes > 0 {
        format!("{minutes} мин")
    } else {
        "меньше минуты".to_owned()
    }
}

fn plural<'w>(n: u64, one: &'w str, few: &'w str, many: &'w str) -> &'w str {
    match (n % 10, n % 100) {
        (1, hundred) if hundred != 11 => one,
        (2..=4, hundred) if !(12..=14).contains(&hundred) => few,
        _ => many,
    }
}

/// A message type's name for people; an unknown one keeps its code.
pub(super) fn message_type(name: &str) -> &str {
    match name {
        "application" => "Заявление",
        "contract" => "Договор",
        "databank-entry" => "Включение в банк данных",
        "deadline-reminder" => "Напоминание о сроке",
        "decision" => "Решение",
        "document-request" => "Межведомственный запрос",
        "document-response" => "Ответ на запрос",
        "progress-report" => "Отчёт о мероприятиях",
        "identification-notice" => "Извещение о выявлении",
        "needs-assessment" => "Оценка нуждаемости",
        "programme" => "Программа сопровождения",
        "extension" => "Продление",
        "termination" => "Завершение",
        "effectiveness-assessment" => "Оценка эффективности",
        "measure-mark" => "Отметка о мероприятии",
        "quarterly-analysis" => "Квартальный анализ",
        "yearly-summary" => "Годовой отчёт",
        "rights-violation" => "Сообщение о нарушении прав",
        "provision-act" => "Акт предоставления",
        "guardianship-report" => "Сведения органу опеки",
        "ministry-report" => "Отчёт министерству",
        "request-withdrawal" => "Отзыв запроса",
        "curator" => "Назначение куратора",
        "level-change" => "Смена уровня",
        "programme-remarks" => "Замечания к программе",
        "family-refusal" => "Отказ семьи",
        "personal-data-change" => "Изменение персональных данных",
        "group-conclusion" => "Заключение рабочей группы",
        "case-handover" => "Передача дела",
        "consent" => "Согласие гражданина",
        "databank-query" => "Запрос в банк данных",
        "databank-answer" => "Ответ банка данных",
        "information-request" => "Запрос сведений",
        "information-response" => "Ответ на запрос сведений",
        "proposal" => "Предложение",
        "termination-request" => "Заявление о расторжении",
        "statistics" => "Статистика и аналитика",
        "note" => "Заметка",
        "notice" => "Уведомление шлюза",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_declined() {
        for (minutes, text) in [
            (0, "меньше минуты"),
            (7, "7 мин"),
            (60, "1 ч"),
            (61, "1 ч 1 мин"),
            (1_440, "1 день"),
            (3 * 1_440 + 240, "3 дня 4 ч"),
            (11 * 1_440, "11 дней"),
            (21 * 1_440, "21 день"),
            (112 * 1_440, "112 дней"),
        ] {
            assert_eq!(span(minutes * 60_000_000), text);
        }
    }

    #[test]
    fn the_due_is_the_last_moment_in_time() {
        let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
        assert_eq!(due(Timestamp::parse("2026-05-13T00:00:00+05:00").unwrap(), zone), "до конца 12.05.2026 (вт)");
        assert_eq!(due(Timestamp::parse("2026-05-01T17:40:00+05:00").unwrap(), zone), "01.05.2026 17:40 (пт)");
    }
}
