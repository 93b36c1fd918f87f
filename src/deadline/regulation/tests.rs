mod messages;
mod order;
mod page;
mod rows;

use super::*;
use crate::deadline::Unit;
use crate::domain::MessageType;

const FILE: &str = "config/regulations/yugra.toml";
const YUGRA: &str = include_str!("../../../config/regulations/yugra.toml");

#[test]
fn the_yugra_regulation_is_read_whole() {
    let yugra = Regulation::parse(FILE, YUGRA)
        .unwrap_or_else(|e| panic!("{}", e.iter().map(|f| format!("{f}\n")).collect::<String>()));
    assert_eq!(
        yugra.rules.iter().take(3).map(|r| r.id.as_str()).collect::<Vec<_>>(),
        ["document-request", "document-answer", "progress-report"]
    );
    assert_eq!(yugra.roles.len(), 10);
    let head = |r: &Rule| if r.is_task() { "[[task]]" } else { "[[deadline]]" };
    assert!(yugra.rules.iter().all(|r| YUGRA.lines().nth(r.line - 1).unwrap().starts_with(head(r))));
    let report = &yugra.rules[2];
    assert_eq!(report.opens, Opens::Every { every: Every::Month, of: Of::Measure });
    assert_eq!(report.warns.len(), 2);
    assert_eq!(report.warns[1].roll, Roll::Back);
    assert!(matches!(&yugra.rules[1].term, TermChoice::Table(id) if id == "answer"));
    let Term::After(span) = &yugra.term_tables["answer"].versions[0].default else { panic!("a plain term") };
    assert_eq!((span.count, span.unit), (5, Unit::WorkingDay));
    let later = &yugra.term_tables["answer"].versions[1];
    assert!(later.off.is_some() && later.valid_from.is_none() && later.default.to_string() == "48 hours");
    assert_eq!(yugra.term_tables["answer"].in_force().count(), 1, "only what somebody has confirmed");
}

#[test]
fn measures_may_be_appended_to_the_file() {
    let text = format!(
        "{YUGRA}\n[[measure]]\ncase = \"01931f6e-7a00-7000-8000-00000000ca5e\"\nterritory = \"71876000\"\nresponsible = \"employment\"\nkind = \"x\"\nfrom = \"2026-01\"\nto = \"2026-06\"\n"
    );
    let measures = Regulation::parse(FILE, &text).unwrap().measures;
    assert_eq!((measures.len(), measures[0].to.to_string().as_str()), (1, "2026-06"));
}

/// Replaces a piece of the good file and gives what is found: `line: text` each.
fn broken(good: &str, bad: &str) -> Vec<(usize, String)> {
    assert!(YUGRA.contains(good), "the file has no `{good}`");
    let text = YUGRA.replacen(good, bad, 1);
    let findings = Regulation::parse(FILE, &text).expect_err(bad);
    assert!(
        findings.iter().all(|f| f.file == FILE && f.severity == Severity::Error && !f.ru.is_empty()),
        "{findings:?}"
    );
    findings.into_iter().map(|f| (f.line, f.en)).collect()
}

fn line_of(piece: &str) -> usize {
    YUGRA[..YUGRA.find(piece).unwrap()].matches('\n').count() + 1
}

#[test]
fn each_mistake_is_found_in_its_line() {
    let table = [
        ("warn_at = \"09:00\"", "warn_at = \"nine\"", "a time like 09:00"),
        ("warn_at = ", "warn_at_hour = ", "unknown key `warn_at_hour`"),
        ("zone = \"Asia/Yekaterinburg\"", "zone = \"Asia/Surgut\"", "no IANA time zone"),
        ("id = \"yugra\"", "id = \"ugra\"", "differs from the file's name"),
        ("effective_from = \"2015-07-31\"", "effective_from = \"31.07.2015\"", "a date like 2026-05-11"),
        (
            "message = \"progress-report\"\nfrom = [\"health\"",
            "message = \"progress-report\"\nfrom = [\"heath\"",
            "role `heath`: not in this file",
        ),
        ("term = \"1 working day\"", "term = \"1 workin day\"", "the term's word `workin` at character 3"),
        ("roll = \"forward\"", "roll = \"onward\"", "roll `onward`: allowed are none, forward, back"),
        ("start = \"registeredAt\"", "start = \"registredAt\"", "start `registredAt`: allowed are accepted"),
        ("debtor = \"role uszn\"", "debtor = \"role usz\"", "role `usz`: not in this file"),
        ("debtor = \"recipient\"", "debtor = \"recepient\"", "party `recepient`"),
        (
            "message = \"document-response\"\neach",
            "message = \"document-reply\"\neach",
            "message (of [[exchange]]) `document-reply`",
        ),
        ("subject = \"{thread} {key}\"", "subject = \"{tread} {key}\"", "unknown placeholder `tread`"),
        (
            "term_table = \"answer\"",
            "term_table = \"answers\"",
            "term table `answers`: not in this file; there are: answer",
        ),
        ("wish = \"answerBy\"", "wish = \"answer by\"", "names of elements with `/`"),
        ("source = { document = \"813-r\"", "source = { document = \"814-r\"", "document `814-r`: not in this file"),
        (
            "contains = [\"document-request\", \"document-answer\"]",
            "contains = [\"document-request\", \"x\"]",
            "rule `x`: not in this file",
        ),
        ("grace = \"1 hour\"", "grace = \"15 minutes\"", "hours are needed, such as 1 hour"),
        ("grace = \"1 hour\"", "grace = \"1 working day\"", "hours are needed, such as 1 hour"),
        ("every = \"month\"", "every = \"week\"", "allowed are month, quarter, year"),
        ("where = { source = \"request\" }", "where = { source = 1 }", "a text or a list of texts is needed"),
        ("effective_from", "effective_from = \nx", "this is not TOML"),
    ];
    for (good, bad, expected) in table {
        let found = broken(good, bad);
        let near = line_of(good);
        assert!(
            found.iter().any(|(line, en)| en.contains(expected) && (*line == near || *line == near + 1)),
            "{bad}: {found:?}"
        );
    }
}

#[test]
fn at_once_needs_a_grace() {
    let without = YUGRA.replacen("grace = \"1 hour\"", "#", 1);
    let table = without.replacen("default = \"5 working days\"", "default = \"least of (immediately, 2 days)\"", 1);
    for text in [&without, &table] {
        let mut found = Regulation::parse(FILE, text).unwrap_err();
        // Without its default a table is not there for the rule that names it.
        found.retain(|f| !f.en.contains("term table `answer`"));
        assert!(found.iter().all(|f| f.en.contains("add grace = \"1 hour\"")), "{found:?}");
        let at_once = |line: usize| text.lines().nth(line - 1).is_some_and(|l| l.contains("immediately"));
        assert!(!found.is_empty() && found.iter().all(|f| at_once(f.line)), "{found:?}");
    }
}

#[test]
fn what_a_rule_takes_back_is_found_at_the_rule() {
    let table = [
        ("start = \"registeredAt\"", "start = \"period\"", "goes only with every"),
        ("key = \"roles of recipient\"", "", "needs `key` in `opens` and in every `met`"),
        ("subject = \"{case} {key}\"", "subject = \"{case}\"", "the obligations would merge"),
        ("period = \"period\"\n", "", "needs `period` in `met`"),
        ("debtor = \"responsible\"", "debtor = \"sender\"", "there is no message"),
        (
            "warn = [\"8 hours before\"]",
            "warn = [{ term = \"8 hours before\", roll = \"back\" }]",
            "ends at an instant",
        ),
        ("id = \"document-answer\"\ntitle", "id = \"document-request\"\ntitle", "a second rule with the id"),
        ("term = \"1 working day\"", "", "lacks the key `term`"),
        ("term = \"1 working day\"", "term = \"1 working day\"\nterm_table = \"answer\"", "keep one of"),
        ("[[deadline.met]]\nmessage = \"document-request\"\nkey = \"roles of recipient\"", "", "what meets it"),
    ];
    for (good, bad, expected) in table {
        let found = broken(good, bad);
        let at_a_rule = |line: &usize| YUGRA.lines().nth(line - 1).is_some_and(|l| l.contains("[[deadline]]"));
        assert!(
            found.iter().any(|(line, en)| en.contains(expected) && (at_a_rule(line) || *line > 1)),
            "{bad}: {found:?}"
        );
    }
}

#[test]
fn all_mistakes_come_at_once() {
    let text = YUGRA
        .replacen("zone = \"Asia/Yekaterinburg\"", "zone = \"x\"", 1)
        .replacen("roll = \"forward\"", "roll = \"x\"\nextra = 1", 1)
        .replacen("term = \"1 working day\"", "term = \"soon\"", 1);
    let found = Regulation::parse(FILE, &text).unwrap_err();
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found.is_sorted_by_key(|f| f.line));
}

#[test]
fn who_may_send_what_to_whom() {
    let yugra = Regulation::parse(FILE, YUGRA).unwrap();
    let people = crate::deadline::obligations::fixtures::participants();
    let who = |id: &str| people.iter().find(|p| p.id.as_str() == id).unwrap();
    let table = [
        ("application", "register", "register", true),
        ("application", "health", "register", false),
        ("document-request", "register", "health", true),
        ("document-request", "health", "register", true),
        ("document-request", "health", "police", false),
        ("document-response", "health", "register", true),
        ("document-response", "register", "health", true),
        ("document-response", "register", "register", false),
        ("progress-report", "employment", "register", true),
        ("progress-report", "register", "employment", false),
        ("unheard-of", "register", "health", false),
    ];
    for (message, from, to, allowed) in table {
        let message = MessageType::new(message, 1).unwrap();
        assert_eq!(yugra.allows(&message, who(from), who(to), None), allowed, "{message} {from} -> {to}");
    }
    let elsewhere = Oktmo::parse("66701000").unwrap();
    let request = MessageType::new("document-request", 1).unwrap();
    assert!(!yugra.allows(&request, who("register"), who("health"), Some(&elsewhere)), "outside of its territory");
    let mut foreign = who("health").clone();
    foreign.regulation = "smolensk".to_owned();
    assert!(!yugra.allows(&request, who("register"), &foreign, None), "of another regulation");
}

#[test]
fn versions_of_a_term_table_neither_overlap_nor_leave_a_gap() {
    let first = "id = \"answer\"\n";
    let off = "[[term_table.version]]   #";
    let dated = |from: &str| format!("[[term_table.version]]\nvalid_from = \"{from}\"\n#");
    let another = |from: &str| {
        let source = "source = { document = \"210-fz\", paragraph = \"x\" }";
        format!(
            "[[term_table.version]]\nvalid_from = \"{from}\"\ndefault = \"2 days\"\n{source}\n[[term_table.version]]   #"
        )
    };
    let twice = another("2020-01-01") + "\nvalid_from = \"2020-01-01\"\n#";
    let table = [
        (off, dated("2015-07-31"), off, "two versions with one date, 2015-07-31"),
        (off, dated("2010-01-01"), off, "the version from 2010-01-01 overlaps the one before it, from 2015-07-31"),
        (off, twice, off, "two versions with one date, 2020-01-01"),
        (off, dated("1 марта"), off, "a date like 2026-05-11"),
        (
            first,
            format!("{first}valid_from = \"2015-08-01\"\n"),
            "[[term_table]]",
            "from 2015-07-31 (the regulation's effective_from) to 2015-08-01 no version",
        ),
        (first, format!("{first}off = \"x\"\n"), "[[term_table]]", "every version of the term table is off"),
        ("off = \"48", "# \"48".to_owned(), off, "the version needs `valid_from`"),
        (
            "default = \"48 hours\"",
            "default = \"48 hors\"".to_owned(),
            "default = \"48 hours\"",
            "the term's word `hors`",
        ),
        ("default = \"48 hours\"", "defalt = \"48 hours\"".to_owned(), off, "lacks the key `default`"),
        ("off = \"48", "why = \"48".to_owned(), "off = \"48", "unknown key `why`"),
        (off, "[[term_table]]   #".to_owned(), off, "lacks the key `id`"),
    ];
    for (good, bad, place, expected) in table {
        let found = broken(good, &bad);
        // Lines that the change itself added move the place; a table's place is its header.
        let (near, added) = (line_of(place), bad.matches('\n').count());
        assert!(
            found.iter().any(|(line, en)| en.contains(expected) && (near..=near + added + 1).contains(line)),
            "{bad}, near {near}: {found:?}"
        );
    }
}
