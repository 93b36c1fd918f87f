//! What a rule says in one place and takes back in another.

use super::{Again, Every, Of, Opens, Party, Rule, StartAt, TermChoice};
use crate::deadline::reader::Problem;
use crate::deadline::{Roll, Term};

pub(super) fn contradictions(rule: &Rule) -> Vec<Problem> {
    let mut problems = periods(rule);
    problems.extend(keys(rule));
    problems.extend(parties(rule));
    let mut say = |ru: &str, en: &str| problems.push(Problem::new(ru, en));
    if rule.again != Again::Keep && matches!(rule.start, StartAt::Sent | StartAt::Delivered) {
        say(
            "`again` не сочетается с началом sent и delivered: передача сообщения бывает раз",
            "`again` does not go with the starts sent and delivered: a message is handed over once",
        );
    }
    if rule.again == Again::Replace && !rule.subject.contains("{case}") {
        say(
            "again = \"replace\" требует `{case}` в `subject`: сравниваются обязательства одного дела",
            "again = \"replace\" needs `{case}` in `subject`: obligations of one case are compared",
        );
    }
    if let TermChoice::Plain(term) = &rule.term {
        problems.extend(without_day(term, rule.roll));
    }
    for warn in &rule.warns {
        problems.extend(without_day(&warn.term, warn.roll));
    }
    problems
}

fn periods(rule: &Rule) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |ru: &str, en: &str| problems.push(Problem::new(ru, en));
    let by_calendar = matches!(rule.opens, Opens::Every { .. });
    let met_by = || rule.met.iter().map(|m| &m.matching);
    if by_calendar != (rule.start == StartAt::Period) {
        say(
            "start = \"period\" бывает только при every = \"month\", \"quarter\", \"year\", и наоборот",
            "start = \"period\" goes only with every = \"month\", \"quarter\", \"year\", and the other way round",
        );
    }
    if by_calendar && met_by().any(|m| m.period.is_none()) {
        say(
            "правилу за период в `met` нужен `period`: где сообщение называет период",
            "a rule of a period needs `period` in `met`: where the message names the period",
        );
    }
    if let Opens::Every { every: Every::Quarter | Every::Year, of: Of::Measure | Of::Case } = &rule.opens {
        say(
            "of = \"measure\" и of = \"case\" бывают только при every = \"month\"",
            "of = \"measure\" and of = \"case\" go only with every = \"month\"",
        );
    }
    if by_calendar && rule.again != Again::Keep {
        say(
            "`again` бывает только у правила, которое открывает сообщение",
            "`again` needs a rule that a message opens",
        );
    }
    if !by_calendar && rule.openings().iter().any(|m| m.period.is_none()) && met_by().any(|m| m.period.is_some()) {
        say(
            "`period` в `met` без `period` в `opens`: ключи не совпадут",
            "`period` in `met` without `period` in `opens`: the keys cannot be equal",
        );
    }
    problems
}

fn keys(rule: &Rule) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |ru: &str, en: &str| problems.push(Problem::new(ru, en));
    let by_calendar = matches!(rule.opens, Opens::Every { .. });
    let uses = |name: &str| rule.subject.contains(&format!("{{{name}}}"));
    let keyed = is_keyed(rule);
    let ends = || rule.met.iter().chain(&rule.cancelled).map(|m| &m.matching);
    if uses("key") && !(keyed && rule.met.iter().all(|m| m.matching.key.is_some())) {
        say(
            "`{key}` в `subject` требует `key` и в `opens`, и в каждом `met`",
            "`{key}` in `subject` needs `key` in `opens` and in every `met`",
        );
    }
    if rule.openings().iter().any(|m| m.key.is_some()) && !uses("key") {
        say(
            "есть `key`, но `subject` без `{key}`: обязательства слились бы",
            "there is a `key`, but `subject` has no `{key}`: the obligations would merge",
        );
    }
    if uses("thread") && by_calendar {
        say(
            "`{thread}` бывает только у правила, которое открывает сообщение",
            "`{thread}` needs a rule that a message opens",
        );
    }
    if ends().any(|m| m.about.is_some()) && !uses("thread") {
        say("`about` требует `{thread}` в `subject`", "`about` needs `{thread}` in `subject`");
    }
    if matches!(rule.term, TermChoice::Table(_)) && !keyed && rule.term_key.is_none() {
        say(
            "`term_table` требует `key` в `opens` или `term_key`",
            "`term_table` needs a `key` in `opens`, or a `term_key`",
        );
    }
    if rule.cancelled.iter().any(|m| uses("key") && m.matching.key.is_none() && m.matching.about.is_none()) {
        say("`cancelled` требует `key` или `about`", "`cancelled` needs a `key` or `about`");
    }
    problems
}

fn is_keyed(rule: &Rule) -> bool {
    !rule.openings().is_empty() && rule.openings().iter().all(|m| m.key.is_some())
}

fn parties(rule: &Rule) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |ru: &str, en: &str| problems.push(Problem::new(ru, en));
    let parties = [&rule.debtor, &rule.creditor];
    let of_measure = matches!(rule.opens, Opens::Every { of: Of::Measure, .. });
    if parties.contains(&&Party::Responsible) && !of_measure && !matches!(rule.opens, Opens::Messages(_)) {
        say(
            "`responsible` бывает только при of = \"measure\" или у сообщения с мероприятиями",
            "`responsible` goes only with of = \"measure\" or with a message of measures",
        );
    }
    let by_calendar = matches!(rule.opens, Opens::Every { .. });
    if by_calendar && parties.iter().any(|p| matches!(p, Party::Sender | Party::Recipient | Party::RoleOfKey)) {
        say(
            "при `every` нет сообщения: стороной может быть responsible или role <код>",
            "with `every` there is no message: a party may be responsible or role <code>",
        );
    }
    if parties.contains(&&Party::RoleOfKey) && !is_keyed(rule) {
        say("`role of key` требует `key` в `opens`", "`role of key` needs a `key` in `opens`");
    }
    if rule.debtor == Party::Citizen || rule.met.iter().any(|m| m.debtor == Party::Citizen) {
        say(
            "гражданин не бывает должником: `citizen` только в `creditor`",
            "the citizen owes nothing: `citizen` only as `creditor`",
        );
    }
    problems
}

fn without_day(term: &Term, roll: Roll) -> Option<Problem> {
    (roll != Roll::None && !term.ends_with_a_day()).then(|| {
        Problem::new(
            format!("срок `{term}` кончается моментом, перенос `{roll}` неприменим; поставьте none"),
            format!("the term `{term}` ends at an instant, the roll `{roll}` cannot apply; write none"),
        )
    })
}
