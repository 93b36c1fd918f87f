mod cases;
mod changes;
mod ends;
mod grounds;
mod informing;
mod regions;
mod rows;
mod terms;

use roxmltree::Document;

use super::fixtures::{CASE, YUGRA, calendars, measure, participant, participants, yugra};
use super::*;
use crate::deadline::{Calendars, Regulation, show_due};
use crate::domain::{Fault, FaultCode, MessageId, MessageType, Priority};

const REQUEST: &str = "01931f6e-7a00-7000-8000-000000000001";
const YEK: &str = "Asia/Yekaterinburg";

/// A message between participants of the small region, and what it does.
struct Letter<'a> {
    message: &'a str,
    from: &'a str,
    to: &'a str,
    body: &'a str,
    at: &'a str,
    case: bool,
    reply: bool,
    test: bool,
    known: Option<CaseView>,
}

const LETTER: Letter<'_> = Letter {
    message: "application",
    from: "register",
    to: "register",
    body: "",
    at: "2026-05-06T12:00:00+05:00",
    case: true,
    reply: false,
    test: false,
    known: None,
};

impl Letter<'_> {
    fn judge(&self, regulation: &Regulation) -> Result<Effects, Fault> {
        self.judge_among(regulation, &calendars(), &participants())
    }

    fn judge_among(
        &self,
        regulation: &Regulation,
        calendars: &Calendars,
        people: &[Participant],
    ) -> Result<Effects, Fault> {
        let message_type = MessageType::new(self.message, 1).unwrap();
        let who = |id: &str| people.iter().find(|p| p.id.as_str() == id).unwrap();
        let (root, namespace) = (message_type.root(), message_type.namespace());
        let xml = format!("<x:{root} xmlns:x=\"{namespace}\" xmlns=\"{namespace}\">{}</x:{root}>", self.body);
        let document = Document::parse(&xml).unwrap();
        let header = Header {
            message_id: MessageId::parse(REQUEST).unwrap(),
            conversation_id: ConversationId::parse(CASE).unwrap(),
            in_reply_to: self.reply.then(|| MessageId::parse(REQUEST).unwrap()),
            case_id: self.case.then(|| CaseId::parse(CASE).unwrap()),
            message_type,
            sender: ParticipantId::parse(self.from).unwrap(),
            recipient: ParticipantId::parse(self.to).unwrap(),
            created: instant(self.at),
            expires: None,
            priority: Priority::Normal,
            test: self.test,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        };
        let case = CaseView {
            id: CaseId::parse(CASE).unwrap(),
            territory: Oktmo::parse("71876000").unwrap(),
            kind: "individual".to_owned(),
            facts: CaseFacts::default(),
        };
        on_message(
            regulation,
            calendars,
            &MessageEvent {
                header: &header,
                sender: who(self.from),
                recipient: who(self.to),
                body: document.root_element(),
                accepted_at: instant(self.at),
                case: self.known.as_ref().or((self.case && self.message != "application").then_some(&case)),
                directory: &people,
            },
        )
    }
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn local(at: Timestamp) -> String {
    at.in_zone(Zone::parse(YEK).unwrap())
}

/// An explanation as `explain` reads it.
fn told(started: &Started) -> serde_json::Value {
    serde_json::to_value(&started.explanation).unwrap()
}

fn started(obligation: &NewObligation) -> &Started {
    match &obligation.start {
        Beginning::Started(started) => started,
        Beginning::Pending(_) | Beginning::Task { .. } => panic!("{} has not started", obligation.subject),
    }
}

fn pending(obligation: &NewObligation) -> &PendingStart {
    match &obligation.start {
        Beginning::Pending(pending) => pending,
        Beginning::Started(_) | Beginning::Task { .. } => panic!("{} runs already", obligation.subject),
    }
}

fn due(started: &Started) -> String {
    show_due(started.due, Zone::parse(YEK).unwrap())
}

/// An application with these documents: `(kind, holder's role, source)`.
fn application(registered_at: &str, documents: &[(&str, &str, &str)]) -> String {
    let documents: String = documents
        .iter()
        .map(|(kind, holder, source)| {
            format!(
                "<document><kind>{kind}</kind><holderRole>{holder}</holderRole><source>{source}</source></document>"
            )
        })
        .collect();
    format!(
        "<submittedAt>2026-05-06T04:00:00Z</submittedAt><registeredAt>{registered_at}</registeredAt><territory>71876000</territory>\
         <kind>individual</kind><requiredDocuments>{documents}</requiredDocuments>"
    )
}

#[test]
fn an_application_opens_one_request_per_holder() {
    let body = application(
        "2026-05-06T10:00:00+05:00",
        &[
            ("medical-conclusion", "health", "request"),
            ("medical-record-extract", "health", "request"),
            ("passport", "police", "citizen"),
            ("study-certificate", "education", "request"),
        ],
    );
    let effects = Letter { body: &body, ..LETTER }.judge(&yugra("")).unwrap();
    let keys: Vec<(&str, &str)> =
        effects.open.iter().map(|o| (o.subject.as_str(), o.creditor.as_ref().unwrap().as_str())).collect();
    assert_eq!(keys, [(&*format!("{CASE} health"), "health"), (&*format!("{CASE} education"), "education")]);
    let first = &effects.open[0];
    assert_eq!(
        (first.rule.as_str(), first.debtor.as_str(), first.period.as_str()),
        ("document-request", "register", "")
    );
    assert_eq!(due(started(first)), "2026-05-07T23:59:59+05:00");
    assert_eq!(started(first).warns.iter().map(|w| local(*w)).collect::<Vec<_>>(), ["2026-05-07T16:00:00+05:00"]);
    assert_eq!(effects.case.unwrap().territory.as_str(), "71876000");
    assert!(effects.settle.is_empty() && effects.notes.is_empty());
    let explanation = &told(started(first));
    assert_eq!(explanation["due"], "2026-05-07T23:59:59+05:00");
    assert!(explanation["source"]["quote"].as_str().unwrap().contains("1 рабочего дня"));
    assert!(!explanation["steps"].as_array().unwrap().is_empty());
}

#[test]
fn with_nothing_to_ask_none_opens_and_it_is_said() {
    let body = application("2026-05-06T10:00:00+05:00", &[("passport", "police", "citizen")]);
    let effects = Letter { body: &body, ..LETTER }.judge(&yugra("")).unwrap();
    assert!(effects.open.is_empty());
    assert!(effects.notes[0].ru.contains("запрашивать нечего"), "{:?}", effects.notes);
}

#[test]
fn a_holder_outside_of_the_exchange_is_said_and_opens_nothing() {
    let body = application(
        "2026-05-06T10:00:00+05:00",
        &[("income-certificate", "tax", "request"), ("x", "health", "request")],
    );
    let effects = Letter { body: &body, ..LETTER }.judge(&yugra("")).unwrap();
    assert_eq!(effects.open.len(), 1);
    assert!(effects.notes[0].en.contains("no role `tax`"), "{:?}", effects.notes);
}

#[test]
fn a_request_settles_the_duty_to_ask_its_recipient_only() {
    let request = Letter {
        message: "document-request",
        to: "health",
        body: "<wanted><document><kind>a</kind></document></wanted>",
        ..LETTER
    };
    let settled = request.judge(&yugra("")).unwrap().settle;
    let expected = Settlement {
        rule: RuleId::parse("document-request").unwrap(),
        subject: format!("{CASE} health"),
        period: String::new(),
        debtor: ParticipantId::parse("register").unwrap(),
        at: instant(LETTER.at),
    };
    assert_eq!(settled, [expected]);
    let without_case = Letter { case: false, ..request }.judge(&yugra("")).unwrap();
    assert!(without_case.settle.is_empty(), "a request that names no case settles none");
    assert_eq!(without_case.open.len(), 1, "and its answer is owed all the same");
}

#[test]
fn a_sent_request_is_answered_kind_by_kind() {
    let text = YUGRA.replace("# \"study-certificate\" = \"3 working days\"", "b = \"3 working days\"");
    let regulation = Regulation::parse(fixtures::FILE, &text).unwrap();
    let body = "<answerBy>2026-05-20</answerBy><wanted><document><kind>a</kind></document><document><kind>b</kind></document><document><kind>a</kind></document></wanted>";
    let opened = Letter { message: "document-request", to: "health", body, ..LETTER }.judge(&regulation).unwrap().open;
    assert_eq!(opened.len(), 2, "equal kinds are one");
    assert_eq!((opened[0].debtor.as_str(), opened[0].creditor.as_ref().unwrap().as_str()), ("health", "register"));
    assert_eq!(opened[0].subject, format!("register/{REQUEST} a"));
    assert_eq!(
        (opened[0].wish.as_deref(), opened[0].term.as_str(), opened[1].term.as_str()),
        (Some("2026-05-20"), "5 working days", "3 working days")
    );

    // It waits for the hand-over, also across a store and a later edition of the regulation.
    let stored = serde_json::to_string(pending(&opened[0])).unwrap();
    let restored: PendingStart = serde_json::from_str(&stored).unwrap();
    assert_eq!((&restored, restored.on), (pending(&opened[0]), StartOn::Sent));
    let a = start_pending(&restored, &calendars(), instant("2026-05-06T10:00:00+05:00")).unwrap();
    assert_eq!(due(&a), "2026-05-14T23:59:59+05:00", "five working days over the May holidays, not the wish");
    assert_eq!(a.warns.iter().map(|w| local(*w)).collect::<Vec<_>>(), ["2026-05-13T09:00:00+05:00"]);
    let b = start_pending(pending(&opened[1]), &calendars(), instant("2026-05-06T10:00:00+05:00")).unwrap();
    assert_eq!(due(&b), "2026-05-12T23:59:59+05:00");

    let answers = "<answers><answer><kind>a</kind><outcome>no-information</outcome></answer></answers>";
    let answer =
        Letter { message: "document-response", from: "health", to: "register", body: answers, reply: true, ..LETTER };
    let settled = answer.judge(&regulation).unwrap().settle;
    assert_eq!(
        settled.iter().map(|s| s.subject.as_str()).collect::<Vec<_>>(),
        [opened[0].subject.as_str()],
        "the other kind stays open"
    );
    assert_eq!(settled[0].debtor, opened[0].debtor);
    let fault = Letter { reply: false, ..answer }.judge(&regulation).unwrap_err();
    assert_eq!(fault.code, FaultCode::HeaderInvalid);
}

#[test]
fn every_outcome_of_an_answer_settles() {
    for outcome in ["provided", "no-information", "refused"] {
        let body = format!("<answers><answer><kind>a</kind><outcome>{outcome}</outcome></answer></answers>");
        let letter =
            Letter { message: "document-response", from: "health", body: &body, reply: true, case: false, ..LETTER };
        assert_eq!(letter.judge(&yugra("")).unwrap().settle.len(), 1, "{outcome}");
    }
}

#[test]
fn a_report_settles_the_cases_and_the_month_it_names() {
    let regulation = yugra(&measure("employment", "2026-05", "2026-06"));
    let people = participants();
    let (opened, errors) =
        periodic(&regulation, &calendars(), &people.as_slice(), None, instant("2026-05-20T10:00:00+05:00"));
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(opened.iter().map(|o| o.period.as_str()).collect::<Vec<_>>(), ["2026-05"]);
    let duty = &opened[0];
    assert_eq!((duty.debtor.as_str(), duty.creditor.as_ref().unwrap().as_str()), ("employment", "register"));
    assert_eq!(local(started(duty).started_at), "2026-05-01T00:00:00+05:00");
    assert_eq!(due(started(duty)), "2026-06-05T23:59:59+05:00");

    let other = "01931f6e-7a00-7000-8000-00000000ca5f";
    let body = format!(
        "<period>2026-05</period><cases><case><caseId>{CASE}</caseId></case><case><caseId>{other}</caseId></case></cases>"
    );
    let report = Letter {
        message: "progress-report",
        from: "employment",
        body: &body,
        at: "2026-05-28T10:00:00+05:00",
        case: false,
        ..LETTER
    };
    let settled = report.judge(&regulation).unwrap().settle;
    assert_eq!(settled.len(), 2);
    let meets = |s: &Settlement| {
        (&s.rule, &s.subject, &s.period, &s.debtor) == (&duty.rule, &duty.subject, &duty.period, &duty.debtor)
    };
    assert_eq!(settled.iter().filter(|s| meets(s)).count(), 1, "before its end, and only this case");
    assert!(!settled.iter().any(|s| s.debtor.as_str() != "employment"));

    let ahead = body.replace("2026-05", "2026-07");
    assert_eq!(Letter { body: &ahead, ..report }.judge(&regulation).unwrap_err().code, FaultCode::ContentInvalid);
}

#[test]
fn reports_are_warned_on_the_fourth_and_on_the_last_working_day_by_the_fifth() {
    // (month, due, warnings): the 5th a Sunday after a Saturday the 4th; New Year; an ordinary month; a 5th on Monday.
    let table = [
        ("2026-06", "2026-07-06T23:59:59+05:00", vec!["2026-07-03T09:00:00+05:00", "2026-07-04T09:00:00+05:00"]),
        ("2025-12", "2026-01-12T23:59:59+05:00", vec!["2025-12-30T09:00:00+05:00", "2026-01-04T09:00:00+05:00"]),
        ("2026-05", "2026-06-05T23:59:59+05:00", vec!["2026-06-04T09:00:00+05:00", "2026-06-05T09:00:00+05:00"]),
        ("2026-09", "2026-10-05T23:59:59+05:00", vec!["2026-10-04T09:00:00+05:00", "2026-10-05T09:00:00+05:00"]),
    ];
    for (month, expected, warns) in table {
        let regulation = yugra(&measure("employment", month, month));
        let now = instant(&format!("{month}-15T10:00:00+05:00"));
        let (opened, _) = periodic(&regulation, &calendars(), &participants().as_slice(), None, now);
        assert_eq!(due(started(&opened[0])), expected, "{month}");
        assert_eq!(started(&opened[0]).warns.iter().map(|w| local(*w)).collect::<Vec<_>>(), warns, "{month}");
    }
}

#[test]
fn months_open_as_they_begin_and_none_is_lost_in_a_pause() {
    let regulation = yugra(
        &(measure("employment", "2026-01", "2026-06")
            + &measure("employment", "2026-06", "2026-08")
            + &measure("health", "2026-03", "2026-03")),
    );
    let (people, calendars) = (participants(), calendars());
    let months = |since: Option<&str>, now: &str| -> Vec<String> {
        let (opened, errors) = periodic(&regulation, &calendars, &people.as_slice(), since.map(instant), instant(now));
        assert!(errors.is_empty());
        opened.iter().map(|o| format!("{} {}", o.debtor, o.period)).collect()
    };
    assert_eq!(months(None, "2025-12-31T23:59:59+05:00"), [""; 0]);
    assert_eq!(months(None, "2026-01-01T00:00:00+05:00"), ["employment 2026-01"]);
    // The first time in July: what is already due is not opened late; June is not due yet.
    assert_eq!(months(None, "2026-07-02T10:00:00+05:00"), ["employment 2026-06", "employment 2026-07"]);
    // After a pause since March everything that fell due in it is there, each month once.
    let late = [
        "employment 2026-03",
        "employment 2026-04",
        "employment 2026-05",
        "employment 2026-06",
        "employment 2026-07",
        "health 2026-03",
    ];
    assert_eq!(months(Some("2026-03-20T10:00:00+05:00"), "2026-07-02T10:00:00+05:00"), late);

    let next = |now: &str| next_period_at(&regulation, &people.as_slice(), instant(now)).map(local);
    assert_eq!(next("2025-11-10T10:00:00+05:00").as_deref(), Some("2026-01-01T00:00:00+05:00"));
    assert_eq!(next("2026-06-30T23:59:59+05:00").as_deref(), Some("2026-07-01T00:00:00+05:00"));
    assert_eq!(next("2026-08-01T00:00:00+05:00"), None);
}

#[test]
fn one_bad_measure_stops_none_of_the_others() {
    let regulation = yugra(&(measure("nobody", "2026-05", "2026-05") + &measure("health", "2026-05", "2026-05")));
    let (opened, errors) =
        periodic(&regulation, &calendars(), &participants().as_slice(), None, instant("2026-05-20T10:00:00+05:00"));
    assert_eq!(opened.len(), 1);
    assert!(
        matches!(&errors[0], StartError::Participant { line, id, .. } if *line > 100 && id.as_str() == "nobody"),
        "{errors:?}"
    );
}

#[test]
fn each_bad_application_has_its_fault() {
    let good = application("2026-05-06T10:00:00+05:00", &[("a", "health", "request")]);
    let table = [
        (
            good.replace("2026-05-06T10:00:00+05:00", "2026-05-06T12:05:01+05:00"),
            FaultCode::ContentInvalid,
            "`registeredAt` lies in the future",
        ),
        (
            good.replace("2026-05-06T04:00:00Z", "2026-05-07T04:00:00Z"),
            FaultCode::ContentInvalid,
            "`submittedAt` lies in the future",
        ),
        (
            good.replace("2026-05-06T10:00:00+05:00", "2026-05-06T10:00:00"),
            FaultCode::ContentInvalid,
            "time with its zone",
        ),
        (
            good.replace("<registeredAt>2026-05-06T10:00:00+05:00</registeredAt>", ""),
            FaultCode::ContentInvalid,
            "`registeredAt` is missing",
        ),
        (good.replace("71876000", "7187600x"), FaultCode::ContentInvalid, "`territory` is no OKTMO code"),
        (good.replace("71876000", "66701000"), FaultCode::RoleVacant, "66701000: никто её не исполняет"),
        (
            good.replace("<holderRole>health</holderRole>", ""),
            FaultCode::ContentInvalid,
            "`requiredDocuments/document` no. 1: `holderRole` is missing",
        ),
    ];
    for (body, code, detail) in table {
        let fault = Letter { body: &body, ..LETTER }.judge(&yugra("")).unwrap_err();
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.detail.contains(detail), "{fault}");
    }
    let fault = Letter { body: &good, case: false, ..LETTER }.judge(&yugra("")).unwrap_err();
    assert_eq!((fault.code, fault.detail.contains("CaseId")), (FaultCode::HeaderInvalid, true));
    let near = good.replace("2026-05-06T10:00:00+05:00", "2026-05-06T12:04:59+05:00");
    assert!(Letter { body: &near, ..LETTER }.judge(&yugra("")).is_ok(), "clocks differ a little");
}

#[test]
fn what_the_gateway_lacks_is_its_own_fault() {
    let body = application("2028-05-06T10:00:00+05:00", &[("a", "health", "request")]);
    let late = Letter { body: &body, at: "2028-05-06T12:00:00+05:00", ..LETTER };
    let fault = late.judge(&yugra("")).unwrap_err();
    assert_eq!((fault.code, fault.detail.contains("2028")), (FaultCode::NotNow, true), "{fault}");
    let body = application("2026-05-06T10:00:00+05:00", &[("a", "health", "request")]);
    let fault =
        Letter { body: &body, ..LETTER }.judge_among(&yugra(""), &Calendars::default(), &participants()).unwrap_err();
    assert_eq!((fault.code, fault.detail.contains("`ru`")), (FaultCode::NotNow, true), "{fault}");
    let mut doubled = participants();
    doubled.push(participant("clinic", &["health"], YEK));
    let fault = Letter { body: &body, ..LETTER }.judge_among(&yugra(""), &calendars(), &doubled).unwrap_err();
    assert_eq!((fault.code, fault.detail.contains("health, clinic")), (FaultCode::RoleVacant, true), "{fault}");
}

#[test]
fn rehearsals_and_rules_not_yet_in_force_or_off_do_nothing() {
    let body = application("2015-05-06T10:00:00+05:00", &[("a", "health", "request")])
        .replace("2026-05-06T04", "2015-05-06T04");
    let before = Letter { body: &body, at: "2015-05-06T12:00:00+05:00", ..LETTER }.judge(&yugra("")).unwrap();
    assert_eq!(before, Effects::default());
    let body = application("2026-05-06T10:00:00+05:00", &[("a", "health", "request")]);
    assert_eq!(Letter { body: &body, test: true, ..LETTER }.judge(&yugra("")).unwrap(), Effects::default());
    let text =
        YUGRA.replace("id = \"document-request\"\ntitle", "id = \"document-request\"\noff = \"ждёт юриста\"\ntitle");
    let off = Regulation::parse(fixtures::FILE, &text).unwrap();
    let effects = Letter { body: &body, ..LETTER }.judge(&off).unwrap();
    assert!(effects.open.is_empty() && effects.notes.is_empty() && effects.case.is_some());
}

#[test]
fn days_are_counted_in_the_zone_of_who_owes() {
    let body = "<wanted><document><kind>a</kind></document></wanted>";
    let mut people = participants();
    people[1] = participant("health", &["health"], "Europe/Moscow");
    let letter = Letter { message: "document-request", to: "health", body, ..LETTER };
    let opened = letter.judge_among(&yugra(""), &calendars(), &people).unwrap().open;
    // 01:30 of the 13th in Yekaterinburg is still 23:30 of the 12th in Moscow.
    let started = start_pending(pending(&opened[0]), &calendars(), instant("2026-01-12T20:30:00Z")).unwrap();
    assert_eq!(show_due(started.due, opened[0].zone), "2026-01-19T23:59:59+03:00");
}

#[test]
fn an_act_settles_as_of_its_date() {
    let text = YUGRA.replace("key = \"roles of recipient\"", "key = \"roles of recipient\"\nat = \"signedAt\"");
    let regulation = Regulation::parse(fixtures::FILE, &text).unwrap();
    let table = [
        ("2026-05-06T09:30:00+05:00", "2026-05-06T09:30:00+05:00"),
        // A day alone: its last instant, but never after the arrival.
        ("2026-05-05", "2026-05-05T23:59:59+05:00"),
        ("2026-05-06", LETTER.at),
    ];
    for (signed, settled) in table {
        let body = format!("<signedAt>{signed}</signedAt><wanted/>");
        let letter = Letter { message: "document-request", to: "health", body: &body, ..LETTER };
        assert_eq!(local(letter.judge(&regulation).unwrap().settle[0].at), settled, "{signed}");
    }
    let undated = Letter { message: "document-request", to: "health", body: "<wanted/>", ..LETTER };
    assert_eq!(undated.judge(&regulation).unwrap_err().code, FaultCode::ContentInvalid);
}
