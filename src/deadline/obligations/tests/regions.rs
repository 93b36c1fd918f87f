//! A case's life under each region's regulation as it is: what each message opens, meets and makes void.

use super::super::fixtures::region;
use super::*;
use crate::deadline::Regulations;

/// A region with one participant that holds every role but those of the agencies, and a case that goes on.
pub(super) struct Life {
    pub(super) regulation: Regulation,
    pub(super) people: Vec<Participant>,
    pub(super) case: Option<CaseView>,
}

impl Life {
    pub(super) fn of(id: &str) -> Self {
        let all = Regulations::from_files(&crate::bundle::embedded()).unwrap();
        let regulation = all.get(id).unwrap().clone();
        Self { people: region(&regulation), regulation, case: None }
    }

    pub(super) fn send(&mut self, (message, from, to): (&str, &str, &str), at: &str, body: &str) -> Effects {
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

/// What opened, in the order of the file: rule, key and due day in the region's zone; what waits for the handing over or has no
/// date says so.
fn opened(effects: &Effects) -> Vec<String> {
    let told = |o: &NewObligation| {
        let key = o.subject.split_once(' ').map_or(String::new(), |(_, key)| format!(" {key}"));
        let due = match &o.start {
            Beginning::Started(started) => show_due(started.due, o.zone).get(..10).unwrap().to_owned(),
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

/// A letter of a life: type, sender, recipient, when, body, and what it opens and meets.
type Expected<'a> = ((&'a str, &'a str, &'a str), &'a str, &'a str, &'a [&'a str], &'a [&'a str]);

fn live(life: &mut Life, letters: &[Expected<'_>]) {
    for (way, at, body, opens, meets) in letters {
        let effects = life.send(*way, at, body);
        assert_eq!(opened(&effects), *opens, "{way:?} at {at} opens");
        assert_eq!(met(&effects), *meets, "{way:?} at {at} meets");
    }
}

fn application() -> String {
    super::application("2026-05-06T10:00:00+05:00", &[("passport", "police", "citizen")])
}

const MEASURES: &str = "<measures><measure><number>1</number><helpKind>social</helpKind><responsible>employment</responsible>\
    <beginsOn>2026-05-20</beginsOn><dueOn>2026-08-31</dueOn></measure>\
    <measure><number>2</number><helpKind>legal</helpKind><outside>Адвокатская палата</outside>\
    <beginsOn>2026-05-20</beginsOn><dueOn>2026-06-30</dueOn></measure></measures>";

pub(super) fn programme(status: &str, more: &str) -> String {
    format!(
        "<number>П-1</number><version>1</version><status>{status}</status>{more}<beginsOn>2026-05-20</beginsOn>\
         <endsOn>2026-11-19</endsOn>{MEASURES}"
    )
}

pub(super) const APPROVED: &str = "<approvedAt>2026-05-18T10:00:00+05:00</approvedAt>";

pub(super) const DECISION: &str = "<decidedAt>2026-05-12T10:00:00+05:00</decidedAt><urgency>ordinary</urgency><outcome>recognised</outcome>\
    <needsAccompaniment>true</needsAccompaniment>";

pub(super) const CONTRACT: &str = "<number>Д-1</number><signedAt>2026-05-19T10:00:00+05:00</signedAt><beginsOn>2026-05-20</beginsOn>\
    <endsOn>2026-11-19</endsOn><substituteFamily>false</substituteFamily>";

pub(super) fn notice(urgency: &str) -> String {
    format!(
        "<identifiedAt>2026-05-06T11:00:00+05:00</identifiedAt><urgency>{urgency}</urgency><territory>71876000</territory>\
         <kind>group</kind>"
    )
}

pub(super) const INTERIM: &str = "<assessedAt>2026-08-19T10:00:00+05:00</assessedAt><stage>interim</stage>";

pub(super) const EXTENSION: &str = "<number>1</number><decidedAt>2026-11-02T10:00:00+05:00</decidedAt><endsOn>2027-05-19</endsOn>\
    <wish><date>2026-10-30</date></wish><groupDecision><date>2026-11-02</date></groupDecision>";

pub(super) fn last(day: &str) -> String {
    format!("<assessedAt>{day}T10:00:00+05:00</assessedAt><stage>final</stage>")
}

pub(super) fn termination(day: &str) -> String {
    format!(
        "<number>1</number><decidedAt>{day}T10:00:00+05:00</decidedAt><endsOn>{day}</endsOn><ground>citizen-wish</ground>"
    )
}

/// The register sends to itself: it holds both roles.
fn own(message: &str) -> (&str, &str, &str) {
    (message, "register", "register")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one table")]
fn a_life_in_yugra() {
    let (notice, application, programme) =
        (notice("normal"), application(), [programme("draft", ""), programme("approved", APPROVED)]);
    let assessed = "<assessedAt>2026-05-08T10:00:00+05:00</assessedAt>";
    let mark = "<measure>1</measure><doneAt>2026-08-20T10:00:00+05:00</doneAt>";
    let told = DECISION.replace("<urgency>", "<informedAt>2026-05-13T10:00:00+05:00</informedAt><urgency>");
    live(
        &mut Life::of("yugra"),
        &[
            (
                ("identification-notice", "education", "register"),
                "2026-05-06T11:30:00+05:00",
                &notice,
                &["identification-notice education: 2026-05-12"],
                &["identification-notice by education"],
            ),
            (
                own("application"),
                "2026-05-06T12:00:00+05:00",
                &application,
                &[
                    "referral: 2026-05-07",
                    "assessment: 3 working days from the handing over",
                    "decision: 2026-05-14",
                    "decision-notice: 2026-05-14",
                    "programme: 2026-05-21",
                ],
                &["referral by register"],
            ),
            (own("needs-assessment"), "2026-05-08T12:00:00+05:00", assessed, &[], &["assessment by register"]),
            (
                own("decision"),
                "2026-05-12T12:00:00+05:00",
                DECISION,
                &["draft-programme: 2026-05-13"],
                &["decision by register"],
            ),
            (
                own("decision"),
                "2026-05-13T12:00:00+05:00",
                &told,
                &["draft-programme: 2026-05-13"],
                &["decision by register", "decision-notice by register"],
            ),
            (own("programme"), "2026-05-13T12:00:00+05:00", &programme[0], &[], &["draft-programme by register"]),
            (
                own("programme"),
                "2026-05-18T12:00:00+05:00",
                &programme[1],
                &[
                    "contract: 1 day from the handing over",
                    "measure 1: 2026-08-31",
                    "interim-assessment: 2026-08-20",
                    "monitoring-before-end: 2026-11-05",
                    "programme-revision: 2029-05-18",
                    "programme-copies employment: no date",
                ],
                &["programme by register", "programme-copies by register"],
            ),
            (
                ("programme", "register", "employment"),
                "2026-05-18T13:00:00+05:00",
                &programme[1],
                &[
                    "measure 1: 2026-08-31",
                    "interim-assessment: 2026-08-20",
                    "monitoring-before-end: 2026-11-05",
                    "programme-revision: 2029-05-18",
                    "programme-copies employment: no date",
                ],
                &["programme by register", "programme-copies by register"],
            ),
            (
                own("contract"),
                "2026-05-19T12:00:00+05:00",
                CONTRACT,
                &["interim-assessment: 2026-08-20", "monitoring-before-end: 2026-11-05"],
                &["contract by register"],
            ),
            (
                own("effectiveness-assessment"),
                "2026-08-19T12:00:00+05:00",
                INTERIM,
                &[],
                &["interim-assessment by register"],
            ),
            (
                ("measure-mark", "employment", "register"),
                "2026-08-20T12:00:00+05:00",
                mark,
                &[],
                &["measure by employment"],
            ),
            (own("extension"), "2026-11-02T12:00:00+05:00", EXTENSION, &["monitoring-before-end: 2027-05-05"], &[]),
            (
                own("effectiveness-assessment"),
                "2027-04-19T12:00:00+05:00",
                &last("2027-04-19"),
                &[],
                &["monitoring-before-end by register"],
            ),
            (
                own("termination"),
                "2027-05-19T12:00:00+05:00",
                &termination("2027-05-19"),
                &[],
                &["monitoring-before-end by register"],
            ),
            (
                ("termination", "register", "employment"),
                "2027-05-19T12:01:00+05:00",
                &termination("2027-05-19"),
                &[],
                &["monitoring-before-end by register"],
            ),
        ],
    );
}

#[test]
fn an_emergency_is_due_at_once_and_a_refusal_wants_no_programme() {
    let mut life = Life::of("yugra");
    let notice = notice("emergency");
    let effects = life.send(("identification-notice", "health", "register"), "2026-05-06T11:30:00+05:00", &notice);
    assert_eq!(opened(&effects), ["identification-emergency health: 2026-05-06"]);
    assert_eq!(
        local(started(&effects.open[0]).due),
        "2026-05-06T12:00:00+05:00",
        "found at 11:00, the grace is an hour"
    );
    assert_eq!(met(&effects), ["identification-emergency by health"]);
    life.send(own("application"), "2026-05-06T12:00:00+05:00", &application());
    let effects = life.send(own("decision"), "2026-05-12T12:00:00+05:00", &DECISION.replace("recognised", "refused"));
    assert_eq!(opened(&effects), [""; 0]);
    let void = |c: &Cancel| matches!(c, Cancel::Key { rule, .. } if rule.as_str() == "programme");
    assert!(effects.cancel.iter().any(void), "{:?}", effects.cancel);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one table")]
fn a_life_by_the_model_programme() {
    let (notice, application) = (notice("normal"), application());
    let programme =
        programme("approved", &format!("{APPROVED}<level>crisis</level><levelSince>2026-05-20</levelSince>"));
    let contract = CONTRACT.replace("false", "true");
    let bank = "<enteredAt>2026-05-21T10:00:00+05:00</enteredAt>";
    let violation = "<establishedAt>2026-06-21T10:00:00+05:00</establishedAt>";
    let mut life = Life::of("model");
    life.send(("identification-notice", "education", "register"), "2026-05-06T12:00:00+03:00", &notice);
    let early = Letter {
        message: "databank-entry",
        body: "<enteredAt>2026-05-06T10:00:00+03:00</enteredAt>",
        known: life.case.clone(),
        ..LETTER
    };
    let fault = early.judge_among(&life.regulation, &calendars(), &life.people).unwrap_err();
    assert_eq!(fault.code, FaultCode::StepMissing, "no databank before the contract: {}", fault.detail);
    live(
        &mut life,
        &[
            (
                own("application"),
                "2026-05-06T12:00:00+03:00",
                &application,
                &["decision: 2026-05-14", "programme: 2026-05-21"],
                &[],
            ),
            (
                own("programme"),
                "2026-05-18T12:00:00+03:00",
                &programme,
                &[
                    "contract: 1 day from the handing over",
                    "measure 1: 2026-08-31",
                    "level: 2026-11-20",
                    "programme-copies employment: no date",
                    "final-analysis: no date",
                ],
                &["programme by register", "programme-copies by register"],
            ),
            (
                own("contract"),
                "2026-05-19T12:00:00+03:00",
                &contract,
                &["contract-copy: 2026-05-22", "final-analysis: no date"],
                &["contract by register"],
            ),
            (
                ("contract", "register", "guardianship"),
                "2026-05-20T12:00:00+03:00",
                &contract,
                &["contract-copy: 2026-05-22", "final-analysis: no date"],
                &["contract by register", "contract-copy by register"],
            ),
            (own("databank-entry"), "2026-05-21T12:00:00+03:00", bank, &[], &[]),
            (
                ("rights-violation", "register", "guardianship"),
                "2026-06-21T12:00:00+03:00",
                violation,
                &["rights-violation 2026-06-21T10:00:00+05:00: 2026-06-21"],
                &["rights-violation by register"],
            ),
            (
                own("effectiveness-assessment"),
                "2026-11-19T12:00:00+03:00",
                &last("2026-11-19"),
                &[],
                &["final-analysis by register"],
            ),
            (
                own("termination"),
                "2026-11-19T13:00:00+03:00",
                &termination("2026-11-19"),
                &[],
                &["refusal-decision by register"],
            ),
        ],
    );
}

#[test]
fn a_life_in_smolensk() {
    let (application, programme) = (application(), programme("approved", APPROVED));
    let ended = termination("2026-11-19");
    let act = "<period>2026-05</period><number>1</number><signedAt>2026-06-01T10:00:00+05:00</signedAt>";
    live(
        &mut Life::of("smolensk"),
        &[
            (own("application"), "2026-05-06T12:00:00+03:00", &application, &[], &[]),
            (
                own("programme"),
                "2026-05-18T12:00:00+03:00",
                &programme,
                &["accompaniment-end: 2026-11-19", "measure 1: 2026-08-31"],
                &[],
            ),
            (own("contract"), "2026-05-19T12:00:00+03:00", CONTRACT, &["accompaniment-end: 2026-11-19"], &[]),
            (own("provision-act"), "2026-06-02T12:00:00+03:00", act, &[], &[]),
            (
                own("termination"),
                "2026-11-19T12:00:00+03:00",
                &ended,
                &["evaluation: no date", "inform-participants: no date"],
                &["accompaniment-end by register", "termination-answer by register"],
            ),
            (
                ("termination", "register", "health"),
                "2026-11-19T12:01:00+03:00",
                &ended,
                &["evaluation: no date", "inform-participants: no date"],
                &["accompaniment-end by register", "inform-participants by register", "termination-answer by register"],
            ),
            (
                own("effectiveness-assessment"),
                "2026-11-20T12:00:00+03:00",
                &last("2026-11-20"),
                &[],
                &["evaluation by register"],
            ),
        ],
    );
}
