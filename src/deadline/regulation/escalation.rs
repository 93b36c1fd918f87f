//! The ladder of notifications: who is told at which step of a term.
//!
//! ```toml
//! [[escalation]]
//! at = "warning"                 # or "overdue", or a term with `after`, such as "3 working days after"
//! to = ["operators"]             # groups of `[notify.groups]` in settings.toml
//! rules = ["document-answer"]    # only for these rules; without it for all
//! ```

use std::fmt;

use super::parse::{term, unknown};
use crate::deadline::reader::{Problem, Table};
use crate::deadline::{Span, Term};
use crate::domain::{RoleCode, RuleId};

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// When.
    pub at: RungAt,
    /// The groups that are told, by their names in the settings.
    pub to: Vec<String>,
    /// The rules it is for; empty: all.
    pub rules: Vec<RuleId>,
    /// Where it stands in the file; 0: it is of the ladder that applies when the file has none.
    pub line: usize,
}

/// When a step of the ladder comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RungAt {
    /// With each warning of the rule.
    Warning,
    /// At the due instant.
    Overdue,
    /// So long after the due instant.
    After(Span),
}

impl RungAt {
    /// The words of the file, in Russian.
    pub fn ru(&self) -> String {
        match self {
            Self::Warning => "предупреждение".to_owned(),
            Self::Overdue => "просрочка".to_owned(),
            // «За неделю» and «через неделю» take the same case.
            Self::After(span) => format!("{} после срока", Term::Before(*span).ru().replacen("за ", "через ", 1)),
        }
    }

    /// Reads the words that [`fmt::Display`] writes.
    pub fn of(words: &str) -> Option<Self> {
        Self::parse(words).ok()
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "warning" => return Ok(Self::Warning),
            "overdue" => return Ok(Self::Overdue),
            _ => {}
        }
        let wrong = || {
            Problem::new(
                format!("ступень `{text}`: можно warning, overdue или срок с after, например 3 working days after"),
                format!(
                    "step `{text}`: allowed are warning, overdue, or a term with after, such as 3 working days after"
                ),
            )
        };
        match term(text.strip_suffix(" after").ok_or_else(wrong)?)? {
            Term::After(span) => Ok(Self::After(span)),
            Term::Immediately
            | Term::Before(_)
            | Term::NextMonth { .. }
            | Term::NextQuarter { .. }
            | Term::NextYear { .. }
            | Term::On(_)
            | Term::UntilAge(_)
            | Term::LeastOf(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for RungAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning => f.write_str("warning"),
            Self::Overdue => f.write_str("overdue"),
            Self::After(span) => write!(f, "{} after", Term::After(*span)),
        }
    }
}

/// The steps for one rule, steps with the same instant made one, in the order of the file.
pub(super) fn rungs(ladder: &[Rung], rule: &RuleId) -> Vec<(RungAt, Vec<String>)> {
    let mut found: Vec<(RungAt, Vec<String>)> = Vec::new();
    for rung in ladder.iter().filter(|r| r.rules.is_empty() || r.rules.contains(rule)) {
        let place = match found.iter().position(|(at, _)| *at == rung.at) {
            Some(place) => place,
            None => {
                found.push((rung.at, Vec::new()));
                found.len() - 1
            }
        };
        if let Some((_, to)) = found.get_mut(place) {
            to.extend(rung.to.iter().filter(|g| !to.contains(g)).cloned().collect::<Vec<_>>());
        }
    }
    found
}

/// The steps where no regulation says any.
pub fn default_rungs() -> Vec<(RungAt, Vec<String>)> {
    default_ladder().into_iter().map(|rung| (rung.at, rung.to)).collect()
}

/// What applies when the regulation says nothing.
fn default_ladder() -> Vec<Rung> {
    let rung = |at, to: &[&str]| Rung {
        at,
        to: to.iter().map(|group| (*group).to_owned()).collect(),
        rules: Vec::new(),
        line: 0,
    };
    let later = Span { count: 3, unit: crate::deadline::Unit::WorkingDay };
    vec![
        rung(RungAt::Warning, &["operators"]),
        rung(RungAt::Overdue, &["operators"]),
        rung(RungAt::After(later), &["operators", "head"]),
    ]
}

/// Reads every `[[escalation]]`.
pub(super) fn read(root: &Table<'_, '_>, rules: &[RuleId]) -> Vec<Rung> {
    if !root.has("escalation") {
        return default_ladder();
    }
    root.tables("escalation").into_iter().filter_map(|table| rung(table, rules)).collect()
}

fn rung(table: Table<'_, '_>, rules: &[RuleId]) -> Option<Rung> {
    let line = table.line();
    let at = table.need_parsed("at", RungAt::parse);
    let group = |text: &str| match RoleCode::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Problem::new(
            format!("группа `{text}`: нужны строчные латинские буквы, цифры и дефисы, как в [notify.groups]"),
            format!("group `{text}`: lower-case Latin letters, digits and hyphens are needed, as in [notify.groups]"),
        )),
    };
    let to = table.need_texts("to").into_iter().filter_map(|t| table.convert(t, group)).collect();
    let known = |text: &str| {
        let found = rules.iter().find(|r| r.as_str() == text).cloned();
        found.ok_or_else(|| unknown("правило", "rule", text, rules.iter()))
    };
    let only = table.texts("rules").into_iter().filter_map(|t| table.convert(t, known)).collect();
    table.finish()?;
    Some(Rung { at: at?, to, rules: only, line })
}

#[cfg(test)]
mod tests {
    use super::super::Regulation;
    use super::*;

    const FILE: &str = "config/regulations/yugra.toml";
    const YUGRA: &str = include_str!("../../../config/regulations/yugra.toml");

    fn with(ladder: &str) -> Result<Regulation, Vec<String>> {
        let read = Regulation::parse(FILE, &format!("{YUGRA}\n{ladder}"));
        read.map_err(|found| found.iter().map(|f| f.en.clone()).collect())
    }

    fn told(regulation: &Regulation, rule: &str) -> Vec<String> {
        let rungs = regulation.rungs(&RuleId::parse(rule).unwrap());
        rungs.into_iter().map(|(at, to)| format!("{at}: {}", to.join(" "))).collect()
    }

    #[test]
    fn without_a_ladder_there_is_one() {
        let expected = ["warning: operators", "overdue: operators", "3 working days after: operators head"];
        assert_eq!(told(&with("").unwrap(), "document-answer"), expected);
    }

    #[test]
    fn steps_for_all_and_for_some_rules_add_up() {
        let ladder = "[[escalation]]\nat = \"overdue\"\nto = [\"operators\"]\n\
             [[escalation]]\nat = \"overdue\"\nto = [\"head\", \"operators\"]\nrules = [\"document-answer\"]\n\
             [[escalation]]\nat = \"48 hours after\"\nto = \"minister\"\nrules = [\"document-answer\"]\n";
        let regulation = with(ladder).unwrap();
        assert_eq!(told(&regulation, "document-answer"), ["overdue: operators head", "48 hours after: minister"]);
        assert_eq!(told(&regulation, "document-request"), ["overdue: operators"]);
        assert_eq!(regulation.escalation[2].at.ru(), "через 48 часов после срока");
    }

    #[test]
    fn each_mistake_says_what_is_allowed() {
        let step = |at: &str, more: &str| format!("[[escalation]]\nat = {at}\n{more}\n");
        for (ladder, says) in [
            (step("\"later\"", "to = [\"a\"]"), "such as 3 working days after"),
            (step("\"3 working weeks after\"", "to = [\"a\"]"), "`weeks`"),
            (step("\"3 days before after\"", "to = [\"a\"]"), "such as 3 working days after"),
            (step("\"overdue\"", ""), "lacks the key `to`"),
            (step("\"overdue\"", "to = []"), "`to` is empty"),
            (step("\"overdue\"", "to = [\"Глава\"]"), "as in [notify.groups]"),
            (step("\"overdue\"", "to = [\"a\"]\nrules = [\"x\"]"), "document-answer"),
            (step("\"overdue\"", "to = [\"a\"]\nrule = \"x\""), "unknown key `rule`"),
        ] {
            let found = with(&ladder).expect_err(&ladder);
            assert!(found.iter().any(|f| f.contains(says)), "{ladder}: {found:?}");
        }
    }
}
