use crate::deadline::Term;

#[test]
fn every_form_of_the_grammar_parses() {
    for text in [
        "immediately",
        "48 hours",
        "1 hour",
        "3 working days",
        "1 working day",
        "3 days",
        "2 weeks",
        "6 months",
        "3 years",
        "day 5 of next month",
        "day 10 of next quarter",
        "2 weeks before",
        "day 1 of month 3 next year",
        "on measureTo",
        "until age 18",
        "least of (6 months, until age 18)",
        "least of (least of (1 day, 1 hour), on x)",
    ] {
        assert_eq!(Term::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Term::parse("  least of(1 day,2 hours) ").unwrap().to_string(), "least of (1 day, 2 hours)");
    assert_eq!(Term::parse("1 days").unwrap().to_string(), "1 day");
}

#[test]
fn an_error_points_at_the_word_and_says_what_is_allowed() {
    let table = [
        ("", 1, "", "immediately"),
        ("   ", 4, "", "immediately"),
        ("soon", 1, "soon", "immediately"),
        ("3", 2, "", "working days"),
        ("3 workin days", 3, "workin", "working days"),
        ("3 working hours", 11, "hours", "day, days"),
        ("0 days", 1, "0", "a number from 1 to 9999"),
        ("10000 days", 1, "10000", "a number from 1 to 9999"),
        ("3x days", 1, "3x", "a number"),
        ("3 days after", 8, "after", "the end of the term"),
        ("три дня", 1, "три", "immediately"),
        ("day 32 of next month", 5, "32", "a number from 1 to 31"),
        ("day 5 next month", 7, "next", "of"),
        ("day 5 of next year", 15, "year", "month, quarter"),
        ("day 30 of month 2 next year", 17, "2", "a month that has a day 30"),
        ("day 1 of month 13 next year", 16, "13", "a number from 1 to 12"),
        ("on MeasureTo", 4, "MeasureTo", "a field of the body"),
        ("on", 3, "", "a field of the body"),
        ("until 18", 7, "18", "age"),
        ("until age 200", 11, "200", "a number from 1 to 150"),
        ("least of 3 days", 10, "3", "("),
        ("least of (3 days", 17, "", "`)`"),
        ("least of (3 days 4 days)", 18, "4", "`,` and another term"),
        ("least of ()", 11, ")", "immediately"),
        ("least of (1 day, 1 day, 1 day, 1 day, 1 day, 1 day, 1 day, 1 day, 1 day)", 65, ",", "at most 8"),
        ("least of (least of (least of (least of (1 day))))", 31, "least", "at most 3 deep"),
        ("3 Days", 3, "Days", "days"),
    ];
    for (text, position, word, allowed) in table {
        let error = Term::parse(text).expect_err(text);
        assert_eq!((error.position, error.word.as_str()), (position, word), "{text}: {error}");
        assert!(error.allowed_en.contains(allowed), "{text}: {error}");
    }
}

#[test]
fn a_term_is_told_in_russian() {
    let table = [
        ("immediately", "незамедлительно"),
        ("1 working day", "1 рабочий день"),
        ("3 working days", "3 рабочих дня"),
        ("5 working days", "5 рабочих дней"),
        ("11 days", "11 дней"),
        ("21 days", "21 день"),
        ("48 hours", "48 часов"),
        ("1 week before", "за 1 неделю"),
        ("2 weeks before", "за 2 недели"),
        ("3 years", "3 года"),
        ("day 5 of next month", "до 5-го числа следующего месяца"),
        ("day 1 of month 3 next year", "до 01.03 следующего года"),
        ("until age 18", "до достижения возраста 18 лет"),
        ("least of (6 months, on measureTo)", "что наступит раньше: 6 месяцев; в дату из документа (measureTo)"),
    ];
    for (term, ru) in table {
        assert_eq!(Term::parse(term).unwrap().ru(), ru);
    }
}
