//! Dates and spans of time as people write them in their language.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use super::texts::Texts;
use crate::domain::{Timestamp, Zone};

fn local(at: Timestamp, zone: Zone) -> DateTime<Tz> {
    at.utc().with_timezone(&zone.tz())
}

fn day(t: Texts, at: &DateTime<Tz>) -> String {
    let month = t.word("month", &at.month().to_string());
    let weekday = t.word("weekday", &at.weekday().number_from_monday().to_string());
    format!("{} {month} {}, {weekday}", at.day(), at.year())
}

/// When a day begins in a zone: where the clock is put on over midnight, the first instant of the day.
pub(super) fn day_start(day: NaiveDate, zone: Zone) -> Option<Timestamp> {
    let midnight = zone.tz().from_local_datetime(&day.and_time(NaiveTime::MIN));
    let later = || zone.tz().from_local_datetime(&day.and_hms_opt(1, 0, 0)?).earliest();
    let start = midnight.earliest().or_else(later)?;
    Some(Timestamp::from_micros(start.timestamp_micros()))
}

/// `28 ноября 2026, сб`.
pub(super) fn date(t: Texts, at: Timestamp, zone: Zone) -> String {
    day(t, &local(at, zone))
}

/// `28 ноября 2026, сб, 14:05`.
pub(super) fn instant(t: Texts, at: Timestamp, zone: Zone) -> String {
    let at = local(at, zone);
    format!("{}, {}", day(t, &at), at.format("%H:%M"))
}

/// The same with seconds, for what stands one after another in the journal.
pub(super) fn second(t: Texts, at: Timestamp, zone: Zone) -> String {
    let at = local(at, zone);
    format!("{}, {}", day(t, &at), at.format("%H:%M:%S"))
}

/// The due as people say it: the last second that is still in time, `до конца 12 мая 2026, вт`, or with its time when it is not a day's
/// end.
pub(super) fn due(t: Texts, exclusive: Timestamp, zone: Zone) -> String {
    let last = local(exclusive.plus_seconds(-1), zone);
    if last.format("%H:%M:%S").to_string() == "23:59:59" {
        t.a("due-by-end-of", "day", day(t, &last))
    } else {
        instant(t, exclusive, zone)
    }
}

/// A span in its two largest units: `3 дня 4 ч`, `5 ч 12 мин`, `7 мин`.
pub(super) fn span(t: Texts, micros: i64) -> String {
    let minutes = micros.unsigned_abs() / 60_000_000;
    let (days, hours, rest) = (minutes / 1_440, minutes % 1_440 / 60, minutes % 60);
    let parts = if days > 0 {
        [t.n("span-days", days), part(hours, t.n("span-hours", hours))]
    } else if hours > 0 {
        [t.n("span-hours", hours), part(rest, t.n("span-minutes", rest))]
    } else if minutes > 0 {
        [t.n("span-minutes", minutes), String::new()]
    } else {
        [t.t("span-moment"), String::new()]
    };
    parts.iter().filter(|p| !p.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn part(count: u64, text: String) -> String {
    if count > 0 { text } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::texts::Lang;

    #[test]
    fn spans_are_declined() {
        let (ru, en) = (Texts::of(Lang::Ru), Texts::of(Lang::En));
        for (minutes, in_russian, in_english) in [
            (0, "меньше минуты", "less than a minute"),
            (7, "7 мин", "7 min"),
            (60, "1 ч", "1 h"),
            (61, "1 ч 1 мин", "1 h 1 min"),
            (1_440, "1 день", "1 day"),
            (3 * 1_440 + 240, "3 дня 4 ч", "3 days 4 h"),
            (11 * 1_440, "11 дней", "11 days"),
            (21 * 1_440, "21 день", "21 days"),
            (112 * 1_440, "112 дней", "112 days"),
        ] {
            let micros = minutes * 60_000_000;
            assert_eq!((span(ru, micros), span(en, micros)), (in_russian.to_owned(), in_english.to_owned()));
        }
    }

    #[test]
    fn dates_are_written_as_people_do_and_the_due_is_the_last_moment_in_time() {
        let (ru, en) = (Texts::of(Lang::Ru), Texts::of(Lang::En));
        let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let end = at("2026-05-13T00:00:00+05:00");
        assert_eq!(due(ru, end, zone), "до конца 12 мая 2026, вт");
        assert_eq!(due(en, end, zone), "by the end of 12 May 2026, Tue");
        assert_eq!(due(ru, at("2026-05-01T17:40:00+05:00"), zone), "1 мая 2026, пт, 17:40");
        assert_eq!(date(ru, at("2026-11-28T10:00:00+05:00"), zone), "28 ноября 2026, сб");
    }
}
