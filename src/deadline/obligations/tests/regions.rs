//! A case's life under each region's regulation as it is: what each message opens, meets and makes void.

use super::super::fixtures::region;
use super::*;
use crate::deadline::Regulations;

/// A region with one participant that holds every role but those of the agencies, and a case that goes on.
struct Life {
    regulation: Regulation,
    people: Vec<Participant>,
    case: Option<CaseView>,
}

impl Life {
    fn of(id: &str) -> Self {
        let all = Regulations::from_files(&crate::bundle::embedded()).unwrap();
        let regulation = all.get(id).unwrap().clone();
        Self { people: region(&regulation), regulation, case: None }
    }

    fn send(&mut self, (message, from, to): (&str, &str, &str), at: &str, body: &str) -> Effects {
        let letter = Letter { message, from, to, body, at, known: self.case.clone(), ..LETTER };
        let effects = letter.judge_among(&self.regulation, &calendars(), &self.people);
        let effects = effects.unwrap_or_else(|fault| panic!("{message}: {fault}"));
        if let Some(case) = &effects.case {
            let (id, territory, kind, facts) = (case.id, case.territory.clone(), case.kind.clone(), case.facts.clone());
            self.case = Some(CaseView { id, territory, kind, facts });
        }
        effects
    }
}

/// What opened, in the order of the file: rule, key and due day; what waits for the handing over or has no date says so.
fn opened(effects: &Effects) -> Vec<String> {
    let told = |o: &NewObligation| {
        let key = o.subject.split_once(' ').map_or(String::new(), |(_, key)| format!(" {key}"));
        let due = match &o.start {
            Beginning::Started(started) => due(started).get(..10).unwrap().to_owned(),
            Beginning::Pending(pending) => {
                format!("{} from the handing over", pending.plan.term_on(chrono::NaiveDate::MAX))
            }
            Beginning::Task { .. } => "no date".to_owned(),
        };
        format!("{}{key}: {due}", o.rule)
    };
    effects.open.iter().map(told).collect()
}

fn met(effects: &Effects) -> Vec<String> {
    effects.settle.iter().map(|s| format!("{} by {}", s.rule, s.debtor)).collect()
}

fn application() -> String {
    super::application("2026-05-06T10:00:00+05:00", &[("passport", "police", "citizen")])
}

const MEASURES: &str = "<measures><measure><number>1</number><helpKind>social</helpKind><responsible>employment</responsible>\
    <beginsOn>2026-05-20</beginsOn><dueOn>2026-08-31</dueOn></measure>\
    <measure><number>2</number><helpKind>legal</helpKind><outside>Адвокатская палата</outside>\
    <beginsOn>2026-05-20</beginsOn><dueOn>2026-06-30</dueOn></measure></measures>";

fn programme(status: &str, more: &str) -> String {
    format!(
        "<number>П-1</number><version>1</version><status>{status}</status>{more}<beginsOn>2026-05-20</beginsOn>\
         <endsOn>2026-11-19</endsOn>{MEASURES}"
    )
}

const APPROVED: &str = "<approvedAt>2026-05-18T10:00:00+05:00</approvedAt>";

#[test]
fn a_life_in_yugra() {
    let mut life = Life::of("yugra");
    let effects = life.send(("application", "register", "register"), "2026-05-06T12:00:00+05:00", &application());
    println!("{:#?} {:#?} {:#?}", opened(&effects), met(&effects), effects.cancel);
    let body = "<assessedAt>2026-05-08T10:00:00+05:00</assessedAt>";
    let effects = life.send(("needs-assessment", "register", "register"), "2026-05-08T12:00:00+05:00", body);
    println!("{:#?} {:#?} {:#?}", opened(&effects), met(&effects), effects.cancel);
    let body = "<decidedAt>2026-05-12T10:00:00+05:00</decidedAt><urgency>ordinary</urgency><outcome>recognised</outcome>\
        <needsAccompaniment>true</needsAccompaniment>";
    let effects = life.send(("decision", "register", "register"), "2026-05-12T12:00:00+05:00", body);
    println!("{:#?} {:#?} {:#?}", opened(&effects), met(&effects), effects.cancel);
    let effects =
        life.send(("programme", "register", "register"), "2026-05-13T12:00:00+05:00", &programme("draft", ""));
    println!("{:#?} {:#?} {:#?}", opened(&effects), met(&effects), effects.cancel);
    let effects =
        life.send(("programme", "register", "register"), "2026-05-18T12:00:00+05:00", &programme("approved", APPROVED));
    println!("{:#?} {:#?} {:#?} {:?}", opened(&effects), met(&effects), effects.cancel, effects.notes);
    let effects = life.send(
        ("programme", "register", "employment"),
        "2026-05-18T13:00:00+05:00",
        &programme("approved", APPROVED),
    );
    println!("{:#?} {:#?} {:#?}", opened(&effects), met(&effects), effects.cancel);
    let body = "<number>Д-1</number><signedAt>2026-05-19T10:00:00+05:00</signedAt><provider>x</provider><beginsOn>2026-05-20</beginsOn>\
        <endsOn>2026-11-19</endsOn><substituteFamily>false</substituteFamily>";
    let effects = life.send(("contract", "register", "register"), "2026-05-19T12:00:00+05:00", body);
    println!("{:#?} {:#?} {:#?}", opened(&effects), met(&effects), effects.cancel);
    panic!("look");
}
