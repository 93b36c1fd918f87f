//! Plausible bodies of what a system owes, out of what it has got. Every person and organisation is invented; the numbers are of no real
//! person.

mod reports;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::body::beginning::{Application, Application2, Decision, NeedsAssessment, NumberedAct, RequiredDocument};
use crate::body::codes::{
    AssessmentStage, DatabankOutcome, DecisionOutcome, DecisionUrgency, DocumentOutcome, DocumentSource, DraftDecision,
    EffectivenessOutcome, HelpKind, InformationOutcome, Level, MeasureResult, ProgrammeStatus, TerminationGround,
};
use crate::body::course::{EffectivenessAssessment, Termination};
use crate::body::inquiry::{
    DataField, DatabankAnswer, DatabankEntry, DatabankQuery, DocumentAnswer, DocumentContent, DocumentRequest,
    DocumentResponse, Information, InformationRequest, InformationResponse, ProvidedDocument, WantedDocument,
};
use crate::body::people::{Official, Person};
use crate::body::programme::{
    Contract, MeasureMark, Programme, Programme2, ProgrammeMeasure, ProgrammeRemarks, Remark, Responsible,
};
use crate::body::{Body, FieldName, FormError, Instant, Line, Message, Number, Phone, Text, Version};
use crate::deadline::{ANY_VALUE, BodyFilter};
use crate::domain::{CaseId, Digest, ParticipantId, Timestamp};

use reports::{period_report, progress_report, provision_act};

/// How long a new programme lasts.
const PROGRAMME_DAYS: u64 = 180;

/// Who writes, when, and under which number.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    /// The organisation.
    pub(super) organisation: String,
    /// The participant that it is.
    pub(super) own: ParticipantId,
    /// Its present day.
    pub(super) today: NaiveDate,
    /// The present instant.
    pub(super) now: Timestamp,
    /// The next outgoing number.
    pub(super) outgoing: String,
}

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// What must stand where in it.
    pub(super) filter: BodyFilter,
    /// Which of several it is about: a measure's number, a holder's role.
    pub(super) key: Option<String>,
    /// The period of a report.
    pub(super) period: Option<String>,
    /// The case.
    pub(super) case: Option<CaseId>,
    /// The file with which a document is answered instead of data.
    pub(super) file: Option<Digest>,
}

impl Wanted {
    /// What must stand at the top of the body.
    fn at(&self, path: &str) -> Option<&str> {
        let values = self.filter.iter().find(|(at, _)| at.to_string() == path).map(|(_, values)| values)?;
        values.first().map(String::as_str).filter(|value| *value != ANY_VALUE)
    }
}

/// The latest bodies that a system knows, by the names of their types.
pub(super) type Known = BTreeMap<String, Body>;

/// Why a body cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CannotCompose {
    /// A value has another form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Nothing is known that it could be made of.
    #[error("{0} is not known yet")]
    Unknown(&'static str),
    /// No way to make this type.
    #[error("a simulated system makes no `{0}`")]
    Type(String),
}

type Made = Result<Body, CannotCompose>;

/// Makes a body of this type.
pub(super) fn compose(kind: &str, desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    match kind {
        "application" => known.get(kind).cloned().ok_or(CannotCompose::Unknown("the application")),
        "document-request" => document_request(desk, wanted, known),
        "document-response" => document_response(desk, wanted, known),
        "needs-assessment" => needs_assessment(desk),
        "decision" => decision(desk, wanted, known),
        "programme" => programme(desk, wanted, known),
        "programme-remarks" => programme_remarks(desk, known),
        "contract" => contract(desk, known),
        "measure-mark" => measure_mark(desk, wanted, known),
        "effectiveness-assessment" => effectiveness(desk, wanted, known),
        "termination" => termination(desk, known),
        "databank-answer" => databank_answer(desk, known),
        "databank-entry" => databank_entry(desk, known),
        "information-response" => information_response(desk, known),
        "progress-report" => progress_report(desk, wanted, known),
        "provision-act" => provision_act(desk, wanted, known),
        "guardianship-report" | "ministry-report" | "quarterly-analysis" | "yearly-summary" => {
            period_report(kind, desk, wanted)
        }
        _ => Err(CannotCompose::Type(kind.to_owned())),
    }
}

fn line(text: &str) -> Result<Line, FormError> {
    Line::new(text)
}

fn text(text: &str) -> Result<Text, FormError> {
    Text::new(text)
}

/// Who prepares what the system sends.
fn preparer() -> Result<Official, FormError> {
    Ok(Official {
        name: line("Исполнителева Ольга Выдумовна")?,
        post: line("специалист")?,
        phone: Phone::new("+73462000001")?,
    })
}

impl Desk {
    fn number(&self) -> Result<Number, FormError> {
        Number::new(self.outgoing.as_str())
    }

    fn at(&self) -> Instant {
        self.now.into()
    }

    fn line(&self) -> Result<Line, FormError> {
        line(&self.organisation)
    }
}

/// The latest body of this type and version.
fn latest<T: Message>(known: &Known) -> Option<&T> {
    known.get(T::NAME).and_then(T::of)
}

/// What both versions of an application say.
fn asked_for(known: &Known) -> Option<(&Person, &[RequiredDocument])> {
    let first = latest::<Application>(known).map(|a| (&a.person, a.required_documents.as_deref()));
    let second = || latest::<Application2>(known).map(|a| (&a.person, a.required_documents.as_deref()));
    first.or_else(second).map(|(person, documents)| (person, documents.unwrap_or_default()))
}

/// What both versions of a programme say.
struct Plan {
    number: Number,
    version: Version,
    begins: NaiveDate,
    ends: NaiveDate,
    substitute: bool,
    /// Measures with their last days and who is responsible, if that is a participant.
    measures: Vec<(Number, NaiveDate, Option<ParticipantId>)>,
}

fn plan(known: &Known) -> Option<Plan> {
    let who = |responsible: &Responsible| match responsible {
        Responsible::Responsible(id) => Some(id.clone()),
        Responsible::Outside(_) => None,
    };
    macro_rules! plan {
        ($p:expr) => {
            Plan {
                number: $p.number.clone(),
                version: $p.version,
                begins: $p.begins_on,
                ends: $p.ends_on,
                substitute: $p.substitute_family.unwrap_or(false),
                measures: $p.measures.iter().map(|m| (m.number.clone(), m.due_on, who(&m.responsible))).collect(),
            }
        };
    }
    let first = latest::<Programme>(known).map(|p| plan!(p));
    first.or_else(|| latest::<Programme2>(known).map(|p| plan!(p)))
}

/// The last day of a measure of the programme that is known.
pub(super) fn due_of(known: &Known, measure: &str) -> Option<NaiveDate> {
    plan(known)?.measures.into_iter().find(|(number, ..)| number.as_str() == measure).map(|(_, due, _)| due)
}

fn document_request(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    let (person, documents) = asked_for(known).ok_or(CannotCompose::Unknown("the application"))?;
    let of_key = |d: &&RequiredDocument| wanted.key.as_ref().is_none_or(|role| d.holder_role.as_str() == role);
    let asked = documents.iter().filter(|d| d.source == DocumentSource::Request).filter(of_key);
    let mut list: Vec<WantedDocument> = Vec::new();
    for document in asked {
        if !list.iter().any(|known| known.kind == document.kind) {
            list.push(WantedDocument { kind: document.kind, note: None });
        }
    }
    let asked_body = wanted.key.as_deref().unwrap_or("держатель документов");
    Ok(DocumentRequest {
        outgoing_number: desk.number()?,
        outgoing_date: Some(desk.today),
        requesting_body: desk.line()?,
        asked_body: line(&format!("Вымышленное ведомство «{asked_body}»"))?,
        gist: text("Прошу представить сведения для решения о социальном сопровождении.")?,
        service_name: line("Признание гражданина нуждающимся в социальном обслуживании")?,
        service_number: None,
        legal_act: line("Федеральный закон от 28.12.2013 № 442-ФЗ")?,
        legal_article: line("статья 28")?,
        person: person.clone(),
        search_data: None,
        wanted: list,
        answer_by: None,
        preparer: preparer()?,
    }
    .into())
}

/// Every wanted document is provided: as data, or as a file.
fn document_response(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    let request = latest::<DocumentRequest>(known).ok_or(CannotCompose::Unknown("the request"))?;
    let mut answers = Vec::new();
    for (index, document) in request.wanted.iter().enumerate() {
        let content = match wanted.file {
            Some(digest) => DocumentContent::Attachment(vec![digest]),
            None => DocumentContent::Data(vec![DataField {
                name: FieldName::new("summary")?,
                title: Some(line("Сведения")?),
                value: text("вымышленные сведения для демонстрации")?,
            }]),
        };
        let number = Number::new(format!("{}-{}", desk.outgoing, index + 1))?;
        answers.push(DocumentAnswer {
            kind: document.kind,
            outcome: DocumentOutcome::Provided,
            ground: None,
            provided: Some(ProvidedDocument {
                document_number: Some(number),
                document_date: Some(desk.today),
                content,
            }),
            note: None,
        });
    }
    Ok(DocumentResponse {
        incoming_number: request.outgoing_number.clone(),
        incoming_date: Some(desk.today),
        outgoing_number: desk.number()?,
        outgoing_date: Some(desk.today),
        replaces: None,
        answers,
        preparer: Some(preparer()?),
    }
    .into())
}

fn needs_assessment(desk: &Desk) -> Made {
    let act = |index| -> Result<NumberedAct, FormError> {
        Ok(NumberedAct { number: Number::new(format!("{}/{index}", desk.outgoing))?, date: desk.today })
    };
    Ok(NeedsAssessment {
        number: Some(desk.number()?),
        assessed_at: desk.at(),
        inspection_act: act(1)?,
        assessment_act: act(2)?,
        draft_decision: DraftDecision::Recognise,
        level: None,
        findings: text("Вымышленные выводы обследования.")?,
        preparer: Some(preparer()?),
    }
    .into())
}

/// As the draft of the assessment proposes.
fn decision(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    let draft = latest::<NeedsAssessment>(known).map(|assessment| assessment.draft_decision);
    let is_refused = draft == Some(DraftDecision::Refuse);
    let urgency = wanted.at("urgency").and_then(DecisionUrgency::parse).unwrap_or(DecisionUrgency::Ordinary);
    Ok(Decision {
        number: desk.number()?,
        decided_at: desk.at(),
        urgency,
        outcome: if is_refused { DecisionOutcome::Refused } else { DecisionOutcome::Recognised },
        needs_accompaniment: !is_refused,
        ground: is_refused.then(|| text("Обстоятельства не подтвердились.")).transpose()?,
        informed_at: Some(desk.at()),
    }
    .into())
}

/// The programme that is known with the status that is wanted, or a new one with a measure of the system's own.
fn programme(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    let status = wanted.at("status").and_then(ProgrammeStatus::parse).unwrap_or(ProgrammeStatus::Draft);
    let approved = (status == ProgrammeStatus::Approved).then(|| desk.at());
    macro_rules! again {
        ($version:ty) => {
            if let Some(programme) = latest::<$version>(known) {
                let mut programme = programme.clone();
                if programme.status != status && approved.is_some() {
                    (programme.status, programme.approved_at, programme.handed_at) =
                        (status, approved.clone(), approved);
                    return Ok(programme.into());
                }
                if programme.status == status {
                    return Ok(programme.into());
                }
            }
        };
    }
    again!(Programme);
    again!(Programme2);
    let ends = desk.today + chrono::Days::new(PROGRAMME_DAYS);
    Ok(Programme {
        number: desk.number()?,
        version: Version::new(1)?,
        status,
        handed_at: approved.clone(),
        approved_at: approved,
        begins_on: desk.today,
        ends_on: ends,
        level: Some(Level::Basic),
        level_since: Some(desk.today),
        curator: None,
        substitute_family: Some(false),
        measures: vec![ProgrammeMeasure {
            number: Number::new("1")?,
            help_kind: HelpKind::Social,
            title: line("Мероприятие социального сопровождения")?,
            responsible: Responsible::Responsible(desk.own.clone()),
            begins_on: desk.today,
            due_on: ends,
            mark: None,
        }],
    }
    .into())
}

fn programme_remarks(desk: &Desk, known: &Known) -> Made {
    let plan = plan(known).ok_or(CannotCompose::Unknown("the programme"))?;
    Ok(ProgrammeRemarks {
        programme_number: plan.number,
        programme_version: plan.version,
        decided_at: desk.at(),
        decided_by: desk.line()?,
        remarks: vec![Remark {
            section: None,
            measure: plan.measures.into_iter().next().map(|(number, ..)| number),
            text: text("Вымышленное замечание: уточните срок мероприятия.")?,
        }],
        resubmit_by: None,
    }
    .into())
}

/// The contract that is known, for a copy, or one on the programme.
fn contract(desk: &Desk, known: &Known) -> Made {
    if let Some(contract) = known.get("contract") {
        return Ok(contract.clone());
    }
    let plan = plan(known).ok_or(CannotCompose::Unknown("the programme"))?;
    Ok(Contract {
        number: desk.number()?,
        signed_at: desk.at(),
        programme_number: Some(plan.number),
        provider: desk.line()?,
        begins_on: plan.begins,
        ends_on: plan.ends,
        substitute_family: plan.substitute,
    }
    .into())
}

/// The measure that is meant, or the earliest of the system's own.
fn measure_mark(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    let plan = plan(known);
    let own = || {
        let measures = plan.iter().flat_map(|p| &p.measures);
        let own = measures.filter(|(.., who)| who.as_ref() == Some(&desk.own));
        own.min_by_key(|(_, due, _)| *due).map(|(number, ..)| number.clone())
    };
    let measure = match &wanted.key {
        Some(key) => Number::new(key.as_str())?,
        None => own().ok_or(CannotCompose::Unknown("a measure of the case"))?,
    };
    Ok(MeasureMark {
        programme_number: plan.as_ref().map(|p| p.number.clone()),
        measure,
        done_at: desk.at(),
        result: MeasureResult::HelpGiven,
        note: None,
    }
    .into())
}

fn effectiveness(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    Ok(EffectivenessAssessment {
        assessed_at: desk.at(),
        stage: wanted.at("stage").and_then(AssessmentStage::parse).unwrap_or(AssessmentStage::Interim),
        programme_number: plan(known).map(|p| p.number),
        outcome: EffectivenessOutcome::Positive,
        findings: text("Вымышленная оценка.")?,
        changes: None,
        preparer: Some(preparer()?),
    }
    .into())
}

/// The termination that is known, for a copy, or one by the wish of whoever asked for it.
fn termination(desk: &Desk, known: &Known) -> Made {
    if let Some(termination) = known.get("termination") {
        return Ok(termination.clone());
    }
    let is_wished = known.contains_key("termination-request") || known.contains_key("family-refusal");
    Ok(Termination {
        number: desk.number()?,
        decided_at: desk.at(),
        ends_on: desk.today,
        ground: if is_wished { TerminationGround::CitizenWish } else { TerminationGround::TermEnded },
        ground_text: None,
        recommendations: Some(text("Вымышленные рекомендации.")?),
        observation: None,
    }
    .into())
}

fn databank_answer(desk: &Desk, known: &Known) -> Made {
    let incoming_number = latest::<DatabankQuery>(known).map(|query| query.outgoing_number.clone());
    let outcome = DatabankOutcome::NotAccompanied;
    Ok(DatabankAnswer { incoming_number, answered_at: desk.at(), outcome, accompaniment: None, ground: None }.into())
}

fn databank_entry(desk: &Desk, known: &Known) -> Made {
    let contract_number = latest::<Contract>(known).map(|contract| contract.number.clone());
    Ok(DatabankEntry { entered_at: desk.at(), level: None, contract_number, curator_contact: None }.into())
}

fn information_response(desk: &Desk, known: &Known) -> Made {
    let incoming_number = latest::<InformationRequest>(known).map(|request| request.outgoing_number.clone());
    Ok(InformationResponse {
        incoming_number,
        outgoing_number: desk.number()?,
        answered_at: desk.at(),
        outcome: InformationOutcome::Provided,
        information: Some(Information {
            text: text("Вымышленные сведения по запросу.")?,
            figure: Vec::new(),
            attachment: Vec::new(),
        }),
        ground: None,
        preparer: Some(preparer()?),
    }
    .into())
}
