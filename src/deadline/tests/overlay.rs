use crate::bundle::Files;
use crate::deadline::{Calendars, DayKind, Finding};

const BASE: &str = "#! years 2026-2027\n#! doubt 2027 decree not seen\n#! total 2026 260\n#! total 2027 261\ndate,kind,note\n\
    2026-01-01,nonworking,New Year\n2026-05-08,short,\n2026-06-12,nonworking,Day\n2026-06-13,working,moved\n\
    2026-06-20,working,moved\n2026-06-20,short,moved\n2026-11-04,nonworking,Unity\n2026-12-31,short,\n";

/// A bundle of calendars: `(name, text)`.
fn read(calendars: &[(&str, &str)]) -> Result<Calendars, Vec<Finding>> {
    let files: Files = calendars
        .iter()
        .map(|(name, text)| (format!("config/calendars/{name}.csv"), text.as_bytes().to_vec()))
        .collect();
    Calendars::from_files(&files)
}

#[test]
fn an_overlay_differs_only_in_the_days_it_lists() {
    let region = "#! extends base\n#! doubt 2027 regional law not seen\n#! total 2026 260\ndate,kind,note\n\
        2026-03-20,nonworking,Spring of the region\n2026-03-19,short,\n2026-06-12,working,worked here\n\
        2026-06-13,nonworking,\n2026-06-20,working,a whole day\n2026-05-08,nonworking,\n2026-11-04,working,\n\
        2026-11-04,short,\n2026-07-04,working,\n2026-07-04,short,\n";
    // The names put the town before what it extends: the order of files does not matter.
    let town = "#! extends region\ndate,kind,note\n2026-03-20,working,worked in the town\n2026-07-04,nonworking,\n2026-12-30,nonworking,\n";
    let calendars = read(&[("base", BASE), ("region", region), ("a-town", town)]).unwrap();
    let table = [
        ("2026-01-01", DayKind::Nonworking, DayKind::Nonworking),
        ("2026-03-19", DayKind::Short, DayKind::Short),
        ("2026-03-20", DayKind::Nonworking, DayKind::Working),
        ("2026-05-08", DayKind::Nonworking, DayKind::Nonworking),
        ("2026-06-12", DayKind::Working, DayKind::Working),
        ("2026-06-13", DayKind::Nonworking, DayKind::Nonworking),
        ("2026-06-20", DayKind::Working, DayKind::Working),
        ("2026-07-04", DayKind::Short, DayKind::Nonworking),
        ("2026-11-04", DayKind::Short, DayKind::Short),
        ("2026-12-31", DayKind::Short, DayKind::Short),
    ];
    let (region, town) = (calendars.get("region").unwrap(), calendars.get("a-town").unwrap());
    for (day, in_region, in_town) in table {
        let date = day.parse().unwrap();
        assert_eq!((region.day(date).unwrap(), town.day(date).unwrap()), (in_region, in_town), "{day}");
    }
    assert_eq!(
        (region.base(), town.base(), calendars.get("base").unwrap().base()),
        (Some("base"), Some("region"), None)
    );
    assert_eq!(region.note("2026-03-20".parse().unwrap()), "Spring of the region");
    assert_eq!(region.years(), calendars.get("base").unwrap().years());
    assert_eq!(region.doubt(2027), Some("decree not seen; regional law not seen"));
    assert_eq!(town.working_days(2026).unwrap(), 259);
    let published = |year| town.published(year).map(|totals| totals.working);
    assert_eq!((published(2026), published(2027)), (None, Some(261)), "the base's totals hold for what is the same");
    let missing = town.covers(2028).unwrap_err();
    assert_eq!(missing.calendar, "base", "the year is added where the years are");
}

#[test]
fn each_mistake_of_an_overlay_is_found_in_its_line() {
    let table = [
        ("#! extends bsae\ndate,kind,note\n", 1, "the base `bsae` is not among the calendars (there are: base)"),
        ("#! extends base\n#! extends base\ndate,kind,note\n", 2, "not understood"),
        ("#! extends base more\ndate,kind,note\n", 1, "the base `base more` is not among the calendars"),
        ("#! years 2026\n#! extends base\ndate,kind,note\n", 1, "the years are those of the base `base`"),
        (
            "#! extends base\ndate,kind,note\n2028-01-03,nonworking,\n",
            3,
            "outside of the years of the base `base` (2026-2027)",
        ),
        ("#! extends base\ndate,kind,note\n2026-01-01,nonworking,\n", 3, "is the same by the base `base`"),
        ("#! extends base\ndate,kind,note\n2026-01-03,nonworking,a Saturday\n", 3, "is the same by the base"),
        ("#! extends base\ndate,kind,note\n2026-05-06,working,\n", 3, "is the same by the base"),
        ("#! extends base\ndate,kind,note\n2026-05-08,short,\n", 3, "is the same by the base"),
        ("#! extends base\ndate,kind,note\n2026-06-20,short,\n", 3, "is the same by the base"),
        ("#! extends base\ndate,kind,note\n2026-01-01,short,\n", 3, "is off by the base `base` and cannot be short"),
        (
            "#! extends base\ndate,kind,note\n2026-03-20,nonworking,\n2026-03-20,working,\n",
            4,
            "both non-working and working",
        ),
        (
            "#! extends base\n#! total 2026 260\ndate,kind,note\n2026-03-20,nonworking,\n",
            2,
            "2026 has 259 working days",
        ),
        ("#! extends over\ndate,kind,note\n", 1, "extends itself by way of `over`"),
    ];
    for (text, line, expected) in table {
        let found = read(&[("base", BASE), ("over", text)]).expect_err(text);
        assert!(
            found.iter().any(|f| f.file == "config/calendars/over.csv" && f.line == line && f.en.contains(expected)),
            "{text}: {found:?}"
        );
        assert_eq!(found.len(), 1, "one mistake, one finding: {found:?}");
    }
}

#[test]
fn a_circle_is_told_where_it_turns_and_a_broken_base_only_once() {
    let extends = |base: &str| format!("\n#! extends {base}\ndate,kind,note\n");
    let found = read(&[("a", &extends("b")), ("b", &extends("c")), ("c", &extends("b")), ("base", BASE)]).unwrap_err();
    let places: Vec<(&str, usize)> = found.iter().map(|f| (f.file.as_str(), f.line)).collect();
    assert_eq!(places, [("config/calendars/b.csv", 2), ("config/calendars/c.csv", 2)], "{found:?}");
    let found = read(&[("base", "date,kind,note\nx,working,\n"), ("over", &extends("base"))]).unwrap_err();
    assert!(found.iter().all(|f| f.file == "config/calendars/base.csv"), "{found:?}");
}
