//! A case's life: what a message does to what stood before it.

use chrono::NaiveDate;

use super::*;
use crate::deadline::cases::CaseFacts;
use crate::deadline::regulation::Every;

/// Steps, limits and rules of every kind, beside those of Yugra.
const LIFE: &str = include_str!("life.toml");

fn region() -> Regulation {
    let limit = "kind = \"kind\"\ncloses = \"termination\"\nafter_close = [\"effectiveness-assessment\"]\n[case.limit]\nterm = \"6 months\"\n\
                 extended = \"12 months\"\nsource = { document = \"posobie\", paragraph = \"x\" }";
    let withdrawal = "[[deadline.cancelled]]\nmessage = \"request-withdrawal\"\nabout = \"request\"\n";
    let text = YUGRA.replace("kind = \"kind\"", limit).replace(
        "message = \"document-response\"\neach = \"answers/answer\"\nkey = \"kind\"\n",
        &format!("message = \"document-response\"\neach = \"answers/answer\"\nkey = \"kind\"\n{withdrawal}"),
    );
    assert!(text.contains("request-withdrawal") && text.contains("case.limit"));
    Regulation::parse(fixtures::FILE, &format!("{text}\n{LIFE}")).unwrap_or_else(|e| panic!("{e:#?}"))
}

/// A case that goes from message to message.
pub(super) struct Life {
    pub(super) region: Regulation,
    pub(super) known: Option<CaseView>,
}

impl Life {
    fn new() -> Self {
        Self { region: region(), known: None }
    }

    pub(super) fn begun() -> Self {
        let mut life = Self::new();
        let body = application("2026-01-12T10:00:00+05:00", &[]).replace("2026-05-06T04", "2026-01-12T04");
        life.send(Letter { body: &body, at: "2026-01-12T12:00:00+05:00", ..LETTER });
        life
    }

    pub(super) fn attempt(&mut self, letter: Letter<'_>) -> Result<Effects, Fault> {
        let effects = Letter { known: self.known.clone(), ..letter }.judge(&self.region)?;
        if let Some(case) = effects.case.clone() {
            self.known = Some(CaseView { id: case.id, territory: case.territory, kind: case.kind, facts: case.facts });
        }
        Ok(effects)
    }

    pub(super) fn send(&mut self, letter: Letter<'_>) -> Effects {
        self.attempt(letter).unwrap()
    }

    pub(super) fn facts(&self) -> &CaseFacts {
        &self.known.as_ref().unwrap().facts
    }

    pub(super) fn programme(&mut self, at: &str, ends: &str, measures: &[(&str, &str, &str, &str)]) -> Effects {
        self.version(1, at, ends, measures)
    }

    pub(super) fn version(
        &mut self,
        version: u32,
        at: &str,
        ends: &str,
        measures: &[(&str, &str, &str, &str)],
    ) -> Effects {
        let measures: String = measures
            .iter()
            .map(|(number, who, from, due)| {
                format!(
                    "<measure><number>{number}</number><helpKind>legal</helpKind><title>x</title><responsible>{who}</responsible>\
                     <beginsOn>{from}</beginsOn><dueOn>{due}</dueOn></measure>"
                )
            })
            .collect();
        let body = format!(
            "<number>7</number><version>{version}</version><status>approved</status><approvedAt>{at}</approvedAt><beginsOn>2026-02-02</beginsOn>\
             <endsOn>{ends}</endsOn><level>basic</level><curator><id>k-1</id></curator><measures>{measures}</measures>"
        );
        self.send(Letter { message: "programme", to: "employment", body: &body, at, ..LETTER })
    }

    pub(super) fn contract(&mut self, at: &str, ends: &str) -> Effects {
        let body = format!(
            "<number>1</number><signedAt>{at}</signedAt><beginsOn>2026-02-02</beginsOn><endsOn>{ends}</endsOn>"
        );
        self.send(Letter { message: "contract", body: &body, at, ..LETTER })
    }

    pub(super) fn extension(&mut self, at: &str, ends: &str, grounds: &str) -> Result<Effects, Fault> {
        let body = format!("<number>1</number><decidedAt>{at}</decidedAt><endsOn>{ends}</endsOn>{grounds}");
        self.attempt(Letter { message: "extension", body: &body, at, ..LETTER })
    }
}

pub(super) fn of<'e>(effects: &'e Effects, rule: &str) -> Vec<&'e NewObligation> {
    effects.open.iter().filter(|o| o.rule.as_str() == rule).collect()
}

pub(super) fn due_of(effects: &Effects, rule: &str) -> String {
    due(started(of(effects, rule).first().unwrap_or_else(|| panic!("{rule} is not opened"))))
}

#[test]
fn the_end_moves_and_the_review_moves_with_it() {
    let mut life = Life::begun();
    // A programme of seven months counts to the limit of six.
    let effects =
        life.programme("2026-01-30T10:00:00+05:00", "2026-09-02", &[("1", "employment", "2026-02-02", "2026-03-20")]);
    assert_eq!(life.facts().ends_on, NaiveDate::from_ymd_opt(2026, 8, 2));
    assert_eq!(effects.flags.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(), ["beyond-limit"]);
    assert_eq!(due_of(&effects, "end-review"), "2026-07-17T23:59:59+05:00");
    assert!(of(&effects, "end-review")[0].retime);
    let effects = life.contract("2026-02-02T10:00:00+05:00", "2026-07-31");
    assert!(effects.flags.is_empty() && life.facts().flags.is_empty(), "the contract is within the limit");
    assert_eq!(due_of(&effects, "end-review"), "2026-07-17T23:59:59+05:00");
    // The level began with the programme and its term is the smaller one.
    assert_eq!(life.facts().level_since, NaiveDate::from_ymd_opt(2026, 2, 2));
    // Without the citizen's wish the limit stays.
    let decision = "<groupDecision><date>2026-07-20</date><number>3</number></groupDecision>";
    let effects = life.extension("2026-07-21T10:00:00+05:00", "2026-12-30", decision).unwrap();
    assert_eq!(life.facts().ends_on, NaiveDate::from_ymd_opt(2026, 8, 2));
    let codes: Vec<_> = effects.flags.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["extension-without-ground", "beyond-limit"]);
    let grounds = format!("<wish><date>2026-07-01</date></wish>{decision}");
    let effects = life.extension("2026-07-22T10:00:00+05:00", "2026-12-30", &grounds).unwrap();
    assert_eq!(life.facts().ends_on, NaiveDate::from_ymd_opt(2026, 12, 30));
    assert_eq!(due_of(&effects, "end-review"), "2026-12-16T23:59:59+05:00");
    // More than a year in all is refused, and nothing changes.
    let fault = life.extension("2026-12-01T10:00:00+05:00", "2027-02-03", &grounds).unwrap_err();
    assert_eq!(fault.code, FaultCode::ContentInvalid);
    assert!(fault.detail.contains("12 months"), "{}", fault.detail);
    assert_eq!(life.facts().ends_on, NaiveDate::from_ymd_opt(2026, 12, 30));
}

#[test]
fn a_new_programme_replaces_measures_and_months() {
    let mut life = Life::begun();
    let effects = life.programme(
        "2026-01-30T10:00:00+05:00",
        "2026-07-31",
        &[("1", "employment", "2026-02-02", "2026-03-20"), ("2", "health", "2026-02-10", "2026-06-30")],
    );
    let opened: Vec<_> = of(&effects, "measure").iter().map(|o| (o.subject.clone(), o.debtor.to_string())).collect();
    assert_eq!(opened, [(format!("{CASE} 1"), "employment".to_owned()), (format!("{CASE} 2"), "health".to_owned())]);
    let set = &effects.schedules[0];
    assert_eq!(set.rule.as_str(), "progress-report");
    let rows: Vec<_> =
        set.rows.iter().map(|r| (r.debtor.as_str(), r.spans.clone(), r.next.map(|(m, _)| m.to_string()))).collect();
    let month = |text| crate::deadline::Month::parse(text).unwrap();
    assert_eq!(
        rows,
        [
            ("employment", vec![(month("2026-02"), month("2026-03"))], Some("2026-02".to_owned())),
            ("health", vec![(month("2026-02"), month("2026-06"))], Some("2026-02".to_owned())),
        ]
    );
    // The second programme drops a measure and moves the other.
    let effects =
        life.version(2, "2026-03-10T10:00:00+05:00", "2026-07-31", &[("2", "health", "2026-02-10", "2026-05-15")]);
    let keep = vec![format!("{CASE} 2")];
    let others = Cancel::Others { rule: RuleId::parse("measure").unwrap(), case: CaseId::parse(CASE).unwrap(), keep };
    assert!(effects.cancel.contains(&others), "{:?}", effects.cancel);
    assert_eq!(due_of(&effects, "measure"), "2026-05-15T23:59:59+05:00");
    let rows: Vec<_> =
        effects.schedules[0].rows.iter().map(|r| (r.debtor.as_str(), r.next.map(|(m, _)| m.to_string()))).collect();
    // The report for February was due on the 5th of March: it is not opened a second time.
    assert_eq!(rows, [("health", Some("2026-03".to_owned()))]);
    // An older one changes nothing.
    let before = life.facts().clone();
    let effects =
        life.version(1, "2026-02-20T10:00:00+05:00", "2026-04-30", &[("9", "health", "2026-02-10", "2026-05-15")]);
    assert_eq!(life.facts().programme, before.programme);
    assert!(effects.open.is_empty() && effects.cancel.is_empty(), "{effects:?}");
    // Another copy of the second, with the measures of somebody else, adds to it.
    let effects =
        life.version(2, "2026-03-10T10:00:00+05:00", "2026-07-31", &[("5", "police", "2026-03-10", "2026-04-15")]);
    assert!(!effects.cancel.iter().any(|c| matches!(c, Cancel::Others { .. })), "{:?}", effects.cancel);
    let measures: Vec<_> = life.facts().programme.iter().flat_map(|p| &p.measures).map(|m| m.number.as_str()).collect();
    assert_eq!(measures, ["2", "5"]);
    assert_eq!(effects.schedules[0].rows.len(), 2);
}

#[test]
fn months_of_a_schedule_open_as_they_begin() {
    let mut life = Life::begun();
    let measures = [("1", "employment", "2026-02-02", "2026-02-20"), ("3", "employment", "2026-04-01", "2026-04-20")];
    let effects = life.programme("2026-01-30T10:00:00+05:00", "2026-07-31", &measures);
    let row = effects.schedules[0].rows[0].clone();
    let rule = RuleId::parse("progress-report").unwrap();
    let people = participants();
    let ask = |row: &ScheduleRow, at: &str| {
        let asked = (&rule, CaseId::parse(CASE).unwrap(), row.clone());
        schedule(&life.region, &calendars(), &people.as_slice(), asked, instant(at)).unwrap()
    };
    let (none, same) = ask(&row, "2026-01-31T23:59:59+05:00");
    assert_eq!((none.len(), &same), (0, &row));
    let (february, later) = ask(&row, "2026-02-01T00:00:00+05:00");
    assert_eq!(
        february.iter().map(|o| (o.period.as_str(), due(started(o)))).collect::<Vec<_>>(),
        [("2026-02", "2026-03-05T23:59:59+05:00".to_owned())]
    );
    assert_eq!(
        later.next.map(|(month, at)| (month.to_string(), local(at))),
        Some(("2026-04".to_owned(), "2026-04-01T00:00:00+05:00".to_owned()))
    );
    let (both, ended) = ask(&row, "2026-04-15T00:00:00+05:00");
    assert_eq!(both.iter().map(|o| o.period.as_str()).collect::<Vec<_>>(), ["2026-02", "2026-04"]);
    assert_eq!(ended.next, None);
}

#[test]
fn steps_that_were_not_seen_are_shown_and_what_is_forbidden_is_refused() {
    let mut life = Life::new();
    // The case began on paper: the first step that passes begins it here.
    let effects =
        life.programme("2026-01-30T10:00:00+05:00", "2026-07-31", &[("1", "employment", "2026-02-02", "2026-03-20")]);
    assert_eq!(effects.flags[0].ru, "шаг не виден шлюзу: Заявление");
    assert_eq!(life.facts().unseen, ["application"]);
    let entry =
        |life: &mut Life| life.attempt(Letter { message: "databank-entry", at: "2026-02-01T10:00:00+05:00", ..LETTER });
    let fault = entry(&mut life).unwrap_err();
    assert_eq!(fault.code, FaultCode::StepMissing);
    assert!(fault.detail.contains("`contract`"), "{}", fault.detail);
    // A required step cannot be skipped.
    let end = "<number>1</number><decidedAt>2026-02-10T10:00:00+05:00</decidedAt><endsOn>2026-02-10</endsOn>";
    let ending = || Letter { message: "termination", body: end, at: "2026-02-10T12:00:00+05:00", ..LETTER };
    assert_eq!(life.attempt(ending()).unwrap_err().code, FaultCode::StepMissing);
    life.contract("2026-02-02T10:00:00+05:00", "2026-07-31");
    entry(&mut life).unwrap();
    // The end makes everything void but what outlives the case.
    let effects = life.send(ending());
    let outlive = vec![RuleId::parse("efficiency").unwrap()];
    assert!(effects.cancel.contains(&Cancel::Closed { case: CaseId::parse(CASE).unwrap(), outlive }));
    assert!(effects.schedules.iter().all(|set| set.rows.is_empty()));
    assert!(matches!(of(&effects, "efficiency")[0].start, Beginning::Task { .. }));
    let fault = life
        .attempt(Letter { message: "extension", body: end, at: "2026-02-11T12:00:00+05:00", ..LETTER })
        .unwrap_err();
    assert_eq!(fault.code, FaultCode::CaseClosed);
    let last = "<assessedAt>2026-02-12T10:00:00+05:00</assessedAt><stage>final</stage>";
    let effects = life.send(Letter {
        message: "effectiveness-assessment",
        body: last,
        at: "2026-02-12T12:00:00+05:00",
        ..LETTER
    });
    assert!(effects.settle.iter().any(|s| s.rule.as_str() == "efficiency"));
}

#[test]
fn a_case_that_moves_takes_its_obligations_along() {
    let mut life = Life::begun();
    let mut people = participants();
    let mut other = participant("other-register", &["uszn", "provider"], YEK);
    other.roles.iter_mut().for_each(|held| held.territories = vec![Oktmo::parse("71875000").unwrap()]);
    people.push(other);
    let body = application("2026-03-12T10:00:00+05:00", &[])
        .replace("2026-05-06T04", "2026-03-12T04")
        .replace("71876000", "71875000");
    let letter = Letter { body: &body, at: "2026-03-12T12:00:00+05:00", known: life.known.take(), ..LETTER };
    let effects = letter.judge_among(&life.region, &calendars(), &people).unwrap();
    let moved: Vec<_> = effects.rebind.iter().map(|r| (r.role.as_str(), r.holder.as_str())).collect();
    assert_eq!(moved, [("uszn", "other-register"), ("provider", "other-register")]);
}

#[test]
fn a_withdrawn_request_is_owed_no_longer() {
    let mut life = Life::begun();
    let body = format!("<request>{REQUEST}</request><reason>x</reason>");
    let effects = life.send(Letter {
        message: "request-withdrawal",
        to: "health",
        body: &body,
        at: "2026-02-12T12:00:00+05:00",
        ..LETTER
    });
    let expected = Cancel::OpenedBy {
        rule: RuleId::parse("document-answer").unwrap(),
        sender: ParticipantId::parse("register").unwrap(),
        message: MessageId::parse(REQUEST).unwrap(),
    };
    assert_eq!(effects.cancel, [expected]);
}

#[test]
fn quarters_open_for_each_holder_of_the_role() {
    let (region, people) = (region(), participants());
    let ask = |since: Option<&str>, at: &str| {
        let (opened, errors) = periodic(&region, &calendars(), &people.as_slice(), since.map(instant), instant(at));
        assert_eq!(errors, []);
        opened.into_iter().map(|o| (o.period.clone(), o.subject.clone(), due(started(&o)))).collect::<Vec<_>>()
    };
    let row = |period: &str, due: &str| (period.to_owned(), "register".to_owned(), format!("{due}T23:59:59+05:00"));
    // The first quarter is not due yet on the 9th of April; the second has begun.
    let both = [row("2026-Q1", "2026-04-10"), row("2026-Q2", "2026-07-10")];
    assert_eq!(ask(None, "2026-04-09T12:00:00+05:00"), both);
    assert_eq!(
        ask(Some("2026-04-15T12:00:00+05:00"), "2026-10-01T00:00:00+05:00")
            .iter()
            .map(|o| o.0.as_str())
            .collect::<Vec<_>>(),
        ["2026-Q2", "2026-Q3", "2026-Q4"]
    );
    // The fourth quarter is due on a Sunday, so the next day.
    assert_eq!(ask(None, "2026-12-30T12:00:00+05:00"), [row("2026-Q4", "2027-01-11")]);
    let next = next_period_at(&region, &people.as_slice(), instant("2026-05-20T12:00:00+05:00")).unwrap();
    assert_eq!(local(next), "2026-07-01T00:00:00+05:00");
    assert_eq!(Period::of(Every::Year, crate::deadline::Month::parse("2026-05").unwrap()).to_string(), "2026");
}

#[test]
fn a_curators_shares_add_up() {
    let region = region();
    let load = &region.loads[0];
    let families = |list: &[(&str, u32)]| list.iter().map(|(l, n)| ((*l).to_owned(), *n)).collect::<Vec<_>>();
    // 3/6 + 6/12 = 1 is the most; one more of the lightest is too many.
    assert_eq!(load.exceeded("k", &families(&[("crisis", 3), ("adaptation", 6)])), None);
    assert!(load.exceeded("k", &families(&[("crisis", 3), ("adaptation", 6), ("basic", 1)])).is_some());
    assert_eq!(load.exceeded("k", &families(&[("unknown", 100)])), None);
}
