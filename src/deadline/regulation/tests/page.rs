//! The page of deadlines says of each row what the regulations say, and names a test that exists.

use std::collections::BTreeSet;

use super::super::TermChoice;
use super::rows::{FORTY, regulations};
use super::*;

/// A page, and its words for what is on, off, and outside of the exchange.
struct Page {
    text: &'static str,
    on: &'static str,
    off: &'static str,
    outside: &'static str,
    /// Whether the reasons are those of the files word for word.
    is_russian: bool,
}

const PAGES: [Page; 2] = [
    Page {
        text: include_str!("../../../../docs/deadlines.en.md"),
        on: "on",
        off: "**off**: ",
        outside: "outside: ",
        is_russian: false,
    },
    Page {
        text: include_str!("../../../../docs/deadlines.ru.md"),
        on: "вкл.",
        off: "**выкл.**: ",
        outside: "вне обмена: ",
        is_russian: true,
    },
];

/// The tests of the rows, by the module's name.
const TESTS: [(&str, &str); 3] = [
    ("yugra", include_str!("../../obligations/tests/rows/yugra.rs")),
    ("model", include_str!("../../obligations/tests/rows/model.rs")),
    ("smolensk", include_str!("../../obligations/tests/rows/smolensk.rs")),
];

enum State {
    On,
    Off(String),
    Outside(Title),
}

/// What a file says of one row in one entry.
struct Entry {
    row: String,
    /// `yugra.toml`: `decision`.
    entry: String,
    source: String,
    /// The words that stand as code in the column of terms.
    words: Vec<String>,
    state: State,
}

/// One line of the table.
struct Line<'p> {
    row: &'p str,
    source: &'p str,
    term: &'p str,
    entry: &'p str,
    state: &'p str,
    test: &'p str,
}

fn lines(page: &Page) -> Vec<Line<'_>> {
    let rows = page.text.lines().filter(|l| ["| Y-", "| M-", "| S-"].iter().any(|start| l.starts_with(start)));
    let read = |line: &'static str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [row, source, term, entry, state, test] = cells[..] else { panic!("six cells: {line}") };
        Line { row, source, term, entry, state, test }
    };
    rows.map(read).collect()
}

/// What stands between back quotes.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn words(regulation: &Regulation, rule: &Rule) -> Vec<String> {
    let roll = rule.roll.as_str().to_owned();
    match &rule.term {
        TermChoice::None => Vec::new(),
        TermChoice::Plain(term) => vec![term.to_string(), roll],
        TermChoice::Table(id) => {
            let first = &regulation.term_tables[id].versions[0];
            first.by.iter().map(|(key, term)| format!("{key}: {term}")).chain([roll]).collect()
        }
    }
}

fn of_file(regulation: &Regulation) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut add =
        |id: &str, rows: &[String], source: &Source, words: Vec<String>, state: fn(String) -> State, why: &str| {
            for row in rows {
                all.push(Entry {
                    row: row.clone(),
                    entry: format!("`{}.toml`: `{id}`", regulation.id),
                    source: format!("`{}`, {}", source.document, source.paragraph),
                    words: words.clone(),
                    state: state(why.to_owned()),
                });
            }
        };
    for r in &regulation.rules {
        let state = if r.off.is_some() { State::Off } else { |_| State::On };
        add(r.id.as_str(), &r.rows, &r.source, words(regulation, r), state, r.off.as_deref().unwrap_or_default());
    }
    for l in &regulation.loads {
        let mut limits: Vec<_> = l.limits.iter().map(|(level, most)| format!("{level}: {most}")).collect();
        limits.sort_unstable();
        let state = if l.off.is_some() { State::Off } else { |_| State::On };
        add(&l.id, &l.rows, &l.source, limits, state, l.off.as_deref().unwrap_or_default());
    }
    for p in &regulation.preconditions {
        add(&p.id, &p.rows, &p.source, vec![p.needs.clone()], |_| State::On, "");
    }
    for r in &regulation.retentions {
        add(&r.id, &r.rows, &r.source, vec![r.event.clone()], |_| State::On, "");
    }
    for o in &regulation.outside {
        let outside = |why: String| {
            let (ru, en) = why.split_once('\n').unwrap();
            State::Outside(Title { ru: ru.to_owned(), en: en.to_owned() })
        };
        add(&o.id, &o.rows, &o.source, Vec::new(), outside, &format!("{}\n{}", o.why.ru, o.why.en));
    }
    if let Some(limit) = regulation.case.as_ref().and_then(|case| case.limit.as_ref()) {
        let words = vec![limit.term.to_string(), limit.extended.to_string()];
        add("case.limit", &limit.rows, &limit.source, words, |_| State::On, "");
    }
    all
}

/// Whether there is such a test: a function with the attribute right above it, but for other attributes.
fn is_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}() {{");
    let above: Vec<&str> = source.lines().take_while(|line| *line != head).collect();
    above.len() < source.lines().count()
        && above.iter().rev().take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]")
}

fn check(page: &Page, line: &Line<'_>, entry: &Entry) {
    let place = format!("{} {}", line.row, line.entry);
    assert_eq!(line.source, entry.source, "{place}");
    assert_eq!(code(line.term), entry.words, "{place}");
    match &entry.state {
        State::On => assert_eq!(line.state, page.on, "{place}"),
        State::Off(why) => {
            let told = line.state.strip_prefix(page.off).unwrap_or_else(|| panic!("{place} is off"));
            assert!(if page.is_russian { told == why } else { told.len() > 20 }, "{place}: {told}");
        }
        State::Outside(why) => {
            let expected = if page.is_russian { &why.ru } else { &why.en };
            assert_eq!(line.state, format!("{}{expected}", page.outside), "{place}");
        }
    }
    let path = code(line.test).first().copied().and_then(|path| path.strip_prefix("rows::")?.split_once("::"));
    let (module, name) = path.unwrap_or_else(|| panic!("{place}: {}", line.test));
    let source = TESTS.iter().find(|(id, _)| *id == module).map(|(_, source)| *source);
    assert!(source.is_some_and(|source| is_test(source, name)), "{place}: no test {}", line.test);
    let start = line.row.to_lowercase().replace('-', "_");
    assert!(name.starts_with(&format!("{start}_")), "{place}: {name} is the test of another row");
}

#[test]
fn the_page_says_of_every_row_what_its_regulation_says() {
    let entries: Vec<Entry> = regulations().iter().flat_map(of_file).collect();
    let forty: BTreeSet<String> =
        FORTY.iter().flat_map(|(_, letter, rows)| (1..=*rows).map(move |n| format!("{letter}-{n:02}"))).collect();
    assert_eq!(forty.len(), 40);
    for page in &PAGES {
        let lines = lines(page);
        assert_eq!(lines.iter().map(|l| l.row.to_owned()).collect::<BTreeSet<_>>(), forty);
        assert_eq!(lines.len(), entries.len(), "a line an entry and row");
        for entry in &entries {
            let line = lines.iter().find(|l| (l.row, l.entry) == (entry.row.as_str(), entry.entry.as_str()));
            check(page, line.unwrap_or_else(|| panic!("{} {} has no line", entry.row, entry.entry)), entry);
        }
    }
}

#[test]
fn every_test_of_a_row_is_named_on_both_pages() {
    for (module, source) in TESTS {
        let names = source.split("#[test]\nfn ").skip(1).filter_map(|rest| Some(rest.split_once("()")?.0));
        for name in names {
            for page in &PAGES {
                assert!(page.text.contains(&format!("`rows::{module}::{name}`")), "{module}::{name}");
            }
        }
    }
}

#[test]
fn a_test_that_is_not_there_is_seen() {
    let source = "#[test]\n#[expect(clippy::too_many_lines)]\nfn a() {\n}\n\nfn b() {\n}\n";
    assert!(is_test(source, "a") && !is_test(source, "b") && !is_test(source, "c"));
}
