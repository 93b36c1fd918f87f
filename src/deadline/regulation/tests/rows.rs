//! Every row of the table of terms has an entry in its regulation.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Opens, Party, Regulations, StartAt, TermChoice};
use super::*;

/// The table's rows: 19 of Yugra, 14 of the model programme, 7 of Smolensk.
pub(super) const FORTY: [(&str, &str, usize); 3] = [("yugra", "Y", 19), ("model", "M", 14), ("smolensk", "S", 7)];

/// What is present and off, and why: no term in the text, not confirmed, or a setting of the region.
const OFF: [(&str, &[&str]); 3] = [
    ("yugra", &["decision-palliative", "decision-urgent", "interim-assessment-extended", "level"]),
    ("model", &["decision-palliative", "decision-urgent", "guardianship-report", "until-18"]),
    ("smolensk", &["ministry-report", "provision-act"]),
];

pub(super) fn regulations() -> Regulations {
    Regulations::from_files(&crate::bundle::embedded())
        .unwrap_or_else(|e| panic!("{}", e.iter().map(|f| format!("{f}\n")).collect::<String>()))
}

/// Which entries name a row, by the row.
fn entries(regulation: &Regulation) -> BTreeMap<String, Vec<String>> {
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |rows: &[String], id: &str| {
        rows.iter().for_each(|row| named.entry(row.clone()).or_default().push(id.to_owned()));
    };
    regulation.rules.iter().for_each(|r| add(&r.rows, r.id.as_str()));
    regulation.preconditions.iter().for_each(|p| add(&p.rows, &p.id));
    regulation.loads.iter().for_each(|l| add(&l.rows, &l.id));
    regulation.retentions.iter().for_each(|r| add(&r.rows, &r.id));
    regulation.outside.iter().for_each(|o| add(&o.rows, &o.id));
    if let Some(limit) = regulation.case.as_ref().and_then(|c| c.limit.as_ref()) {
        add(&limit.rows, "case.limit");
    }
    named
}

#[test]
fn each_of_the_forty_rows_has_an_entry_of_its_regulation() {
    let regulations = regulations();
    let mut count = 0;
    for (id, letter, rows) in FORTY {
        let named = entries(regulations.get(id).unwrap());
        let wanted: BTreeSet<String> = (1..=rows).map(|n| format!("{letter}-{n:02}")).collect();
        let found: BTreeSet<String> = named.keys().cloned().collect();
        assert_eq!(found, wanted, "{id}");
        count += found.len();
    }
    assert_eq!(count, 40);
}

#[test]
fn what_is_off_says_why_and_nothing_else_is() {
    let regulations = regulations();
    for (id, expected) in OFF {
        let regulation = regulations.get(id).unwrap();
        let mut off: Vec<&str> = regulation.rules.iter().filter(|r| r.off.is_some()).map(|r| r.id.as_str()).collect();
        off.sort_unstable();
        assert_eq!(off, expected, "{id}");
    }
}

#[test]
fn a_rule_of_a_row_says_how_the_text_was_read_or_why_it_is_off() {
    for regulation in regulations().iter() {
        for rule in regulation.rules.iter().filter(|r| !r.rows.is_empty()) {
            assert!(rule.reading.is_some() || rule.off.is_some(), "{}: {}", regulation.id, rule.id);
            assert!(!rule.source.paragraph.is_empty(), "{}: {}", regulation.id, rule.id);
        }
    }
}

/// Term and roll of each rule, as a table that a lawyer can read beside the documents.
#[test]
fn the_terms_are_those_of_the_table() {
    let table = [
        ("yugra", "identification-notice", "3 days", "forward"),
        ("yugra", "identification-emergency", "immediately", "none"),
        ("yugra", "document-request", "1 working day", "none"),
        ("yugra", "referral", "1 day", "forward"),
        ("yugra", "assessment", "3 working days", "none"),
        ("yugra", "decision", "5 working days", "none"),
        ("yugra", "decision-notice", "5 working days", "none"),
        ("yugra", "decision-palliative", "2 working days", "none"),
        ("yugra", "decision-urgent", "immediately", "none"),
        ("yugra", "draft-programme", "1 day", "forward"),
        ("yugra", "programme", "10 working days", "none"),
        ("yugra", "contract", "1 day", "forward"),
        ("yugra", "progress-report", "day 5 of next month", "forward"),
        ("yugra", "interim-assessment", "3 months", "forward"),
        ("yugra", "monitoring-before-end", "2 weeks before", "back"),
        ("yugra", "programme-revision", "3 years", "none"),
        ("model", "decision", "5 working days", "none"),
        ("model", "programme", "10 working days", "none"),
        ("model", "contract", "1 day", "forward"),
        ("model", "rights-violation", "immediately", "none"),
        ("model", "contract-copy", "3 working days", "none"),
        ("model", "quarterly-analysis", "day 10 of next quarter", "forward"),
        ("model", "until-18", "until age 18", "none"),
        ("smolensk", "accompaniment-end", "on endsOn", "none"),
        ("smolensk", "measure", "on dueOn", "none"),
    ];
    let regulations = regulations();
    for (id, rule, term, roll) in table {
        let rule = regulations.get(id).unwrap().rules.iter().find(|r| r.id.as_str() == rule).unwrap();
        let TermChoice::Plain(found) = &rule.term else { panic!("{}: a plain term", rule.id) };
        assert_eq!((found.to_string().as_str(), rule.roll.as_str()), (term, roll), "{id}: {}", rule.id);
    }
    for id in ["programme-copies", "yearly-summary"] {
        assert!(regulations.get("yugra").unwrap().rules.iter().any(|r| r.id.as_str() == id && r.is_task()), "{id}");
    }
    let levels = &regulations.get("model").unwrap().term_tables["level"].versions[0];
    let by_level = ["adaptation", "basic", "crisis", "emergency"].map(|l| levels.term(Some(l)).to_string());
    assert_eq!(by_level, ["12 months", "12 months", "6 months", "3 months"]);
    let limit = regulations.get("yugra").unwrap().case.as_ref().unwrap().limit.as_ref().unwrap();
    assert_eq!((limit.term.to_string(), limit.extended.to_string()), ("6 months".to_owned(), "12 months".to_owned()));
    let load = &regulations.get("model").unwrap().loads[0];
    assert!(load.limits.contains(&("emergency".to_owned(), 6)) && load.limits.contains(&("basic".to_owned(), 24)));
}

#[test]
fn what_the_law_wants_at_once_knows_no_days_off() {
    for regulation in regulations().iter() {
        for rule in &regulation.rules {
            let at_once = matches!(&rule.term, TermChoice::Plain(term) if term.has_immediately());
            assert_eq!(at_once, rule.round_the_clock, "{}: {}", regulation.id, rule.id);
        }
    }
}

#[test]
fn a_rule_that_later_messages_move_needs_nothing_that_meets_it() {
    let regulations = regulations();
    let yugra = regulations.get("yugra").unwrap();
    let revision = yugra.rules.iter().find(|r| r.id.as_str() == "programme-revision").unwrap();
    assert!(revision.met.is_empty() && matches!(revision.start, StartAt::Case(_)));
    assert!(matches!(&revision.opens, Opens::Messages(m) if m.len() == 1) && revision.creditor == Party::Citizen);
    let kept = broken("again = \"retime\"\nstart = \"case approved\"", "start = \"case approved\"");
    assert!(kept.iter().any(|(_, en)| en.contains("what meets it")), "{kept:?}");
}
