use chrono::NaiveDate;

use crate::deadline::{Calendar, DayKind};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn ru() -> Calendar {
    super::ru()
}

#[test]
fn the_russian_calendar_agrees_with_the_published_totals() {
    let calendar = ru();
    let totals: Vec<usize> = (2015..=2027).map(|year| calendar.working_days(year).unwrap()).collect();
    assert_eq!(totals, [247, 247, 247, 247, 247, 247, 247, 247, 247, 248, 247, 247, 247]);
    let stated_in_full = |year| calendar.published(year).is_some_and(|p| p.off.and(p.short).and(p.quarters).is_some());
    assert!((2015..=2027).all(stated_in_full), "each year is compared with all that is published of it");
    let counted = calendar.totals(2026).unwrap();
    assert_eq!((counted.working, counted.off, counted.short, counted.quarters), (247, 118, 4, [55, 62, 66, 64]));
    assert!(calendar.doubt(2027).is_some() && calendar.doubt(2026).is_none());
}

#[test]
fn each_kind_of_day() {
    let calendar = ru();
    let table = [
        ("2026-05-06", DayKind::Working),
        ("2026-05-08", DayKind::Short),
        ("2026-05-09", DayKind::Weekend),
        ("2026-05-11", DayKind::Nonworking),
        ("2025-11-01", DayKind::Short),
        ("2024-04-27", DayKind::Working),
        ("2020-04-15", DayKind::Working),
    ];
    for (day, kind) in table {
        assert_eq!(calendar.day(date(day)).unwrap(), kind, "{day}");
    }
    assert_eq!(calendar.day(date("2028-01-10")).unwrap_err().year, 2028);
    assert_eq!(calendar.covers(2014).unwrap_err().loaded, "2015-2027");
}

#[test]
fn without_a_statement_the_years_are_those_with_rows() {
    let calendar =
        Calendar::parse("t", "t.csv", "date,kind,note\r\n2026-01-01,nonworking,x\r\n2028-01-03,nonworking,\r\n")
            .unwrap();
    assert_eq!(calendar.years().iter().copied().collect::<Vec<_>>(), [2026, 2028]);
    assert_eq!(calendar.covers(2027).unwrap_err().loaded, "2026, 2028");
}

#[test]
fn each_mistake_is_found_in_its_line() {
    let table = [
        ("#! years 2026\nday,kind\n", 2, "the table's first line"),
        ("#! years 2027-2026\ndate,kind,note\n2026-01-01,nonworking,x\n", 1, "not understood"),
        ("#! yeras 2026\ndate,kind,note\n2026-01-01,nonworking,x\n", 1, "not understood"),
        ("date,kind,note\n2026-02-30,nonworking,x\n", 2, "is not a date"),
        ("date,kind,note\n# x\n2026-01-01,holiday,x\n", 3, "the kind of day `holiday`"),
        ("date,kind,note\n2026-01-01,nonworking,a, b\n", 2, "more than three fields"),
        ("date,kind,note\n2026-01-01,nonworking,x\n2026-01-01,nonworking,x\n", 3, "there twice"),
        ("date,kind,note\n2026-01-01,nonworking,x\n2026-01-01,short,x\n", 3, "both non-working and working"),
        ("date,kind,note\n2026-05-06,working,x\n", 2, "a weekday and works anyway"),
        ("date,kind,note\n2026-05-09,short,x\n", 2, "cannot be short"),
        ("#! years 2026\ndate,kind,note\n2027-01-01,nonworking,x\n", 3, "outside of the years"),
        ("#! years 2026\n#! total 2026 100\ndate,kind,note\n", 2, "2026 has 261 working days"),
        (
            "#! years 2026\n#! total 2026 261 off 100\ndate,kind,note\n",
            2,
            "2026 has 104 days off by its rows, but 100 are",
        ),
        (
            "#! years 2026\n#! total 2026 261 short 1\ndate,kind,note\n",
            2,
            "2026 has 0 shorter days by its rows, but 1 are",
        ),
        (
            "#! years 2026\n#! total 2026 261 quarters 64 65 66 67\ndate,kind,note\n",
            2,
            "quarter 4 of 2026 has 66 working",
        ),
        ("#! years 2026\n#! total 2026 261 quarters 64 65 66\ndate,kind,note\n", 2, "not understood"),
        ("#! years 2026\n#! total 2026 261 off 104 off 104\ndate,kind,note\n", 2, "not understood"),
        ("#! years 2026\n#! total 2027 247\ndate,kind,note\n", 2, "not among"),
        ("date,kind,note\n", 0, "has no year"),
    ];
    for (text, line, expected) in table {
        let found = Calendar::parse("t", "t.csv", text).expect_err(text);
        assert!(found.iter().any(|f| f.line == line && f.en.contains(expected)), "{text}: {found:?}");
    }
}
