//! How a case goes on and ends: assessments, refusals, changes, hand-over, termination.

use chrono::NaiveDate;

use crate::domain::{Digest, MessageId, ParticipantId};

use super::beginning::{Acceptance, Who};
use super::codes::{
    AssessmentStage, CaseKind, Conclusion, EffectivenessOutcome, HandoverItem, Level, RefusalScope, TerminationGround,
    TerminationReason,
};
use super::content::{message, record};
use super::people::{Address, Contacts, IdentityDocument, Official, PersonName};
use super::values::{Change, Count, Instant, Line, Number, Oktmo, Phone, Snils, Text};

message! {
    /// Assessment of the effectiveness of accompaniment: interim or final.
    "effectiveness-assessment" / 1: EffectivenessAssessment {
        /// When it was made.
        assessed_at: Instant = "assessedAt",
        /// Interim or final.
        stage: AssessmentStage = "stage",
        /// Number of the programme, if it is known.
        programme_number: Option<Number> = "programmeNumber",
        /// What it has shown.
        outcome: EffectivenessOutcome = "outcome",
        /// Findings on the course and the results.
        findings: Text = "findings",
        /// Which changes of the measures are wanted.
        changes: Option<Text> = "changes",
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

message! {
    /// Conclusion of the working group on interim or final results: whether accompaniment is needed further (model
    /// programme, 14.3). The term is extended by an `extension`, the case closed by a `termination`.
    "group-conclusion" / 1: GroupConclusion {
        /// Number of the conclusion.
        number: Number = "number",
        /// When it was taken.
        decided_at: Instant = "decidedAt",
        /// Which working group.
        group: Line = "group",
        /// On interim or final results.
        stage: AssessmentStage = "stage",
        /// The conclusion.
        conclusion: Conclusion = "conclusion",
        /// What the control has shown.
        findings: Text = "findings",
        /// Which changes of the programme are wanted; only if accompaniment goes on.
        changes: Option<Text> = "changes",
        /// Which level is proposed; only if accompaniment goes on.
        level: Option<Level> = "level",
        /// Recommendations to the family.
        recommendations: Option<Text> = "recommendations",
        /// Day of the next session; only if accompaniment goes on, not before the conclusion.
        next_on: Option<NaiveDate> = "nextOn",
        /// Who took part, each organisation once.
        present: Option<Vec<Line>> = ["present" / "organisation", 1..=50],
    }
}

message! {
    /// Written refusal by the citizen or family of accompaniment or of single measures (442-FZ, article 18; model
    /// programme, 8.1, 9.3). Not the refusal closes the case but the decision to end it.
    "family-refusal" / 1: FamilyRefusal {
        /// Incoming number.
        incoming_number: Option<Number> = "incomingNumber",
        /// When it was signed.
        signed_on: NaiveDate = "signedOn",
        /// When it was registered; not before it was signed.
        registered_at: Instant = "registeredAt",
        /// Whether a legal representative signed it.
        by_representative: bool = "byRepresentative",
        /// What is refused.
        scope: RefusalScope = "scope",
        /// Number of the programme.
        programme_number: Option<Number> = "programmeNumber",
        /// Numbers of the measures in the programme, each once; with a refusal of measures only, and required then.
        measures: Option<Vec<Number>> = ["measures" / "measure", 1..=100],
        /// The reason, if one was given.
        reason: Option<Text> = "reason",
        /// Which other services were offered to the family.
        other_services: Option<Text> = "otherServices",
    }
}

record! {
    /// What has changed; at least one thing.
    DataChanges {
        /// Family name, given name, patronymic.
        name: Option<Change<PersonName>> = "name",
        /// Date of birth.
        birth_date: Option<Change<NaiveDate>> = "birthDate",
        /// SNILS.
        snils: Option<Change<Snils>> = "snils",
        /// Identity document.
        identity_document: Option<Change<IdentityDocument>> = "identityDocument",
        /// Address of residence.
        residence_address: Option<Change<Address>> = "residenceAddress",
        /// Address of stay.
        stay_address: Option<Change<Address>> = "stayAddress",
        /// Contacts.
        contacts: Option<Change<Contacts>> = "contacts",
    }
}

record! {
    /// The document that confirms the change; not needed only if nothing but contacts has changed.
    ChangeDocument {
        /// Name of the document.
        title: Line = "title",
        /// Number.
        number: Option<Number> = "number",
        /// Who issued it.
        issued_by: Line = "issuedBy",
        /// When it was issued.
        issued_on: NaiveDate = "issuedOn",
        /// The copy: an attachment of the envelope, its SHA-256.
        attachment: Option<Digest> = "attachment",
    }
}

message! {
    /// Change of personal data of an accompanied citizen, and the document that confirms it (Smolensk region, 3.2).
    "personal-data-change" / 1: PersonalDataChange {
        /// When the word was taken; not before the day of the change.
        registered_at: Instant = "registeredAt",
        /// Since which day the data are other ones.
        changed_on: NaiveDate = "changedOn",
        /// Whose data; name, date of birth and SNILS as before.
        person: Who = "person",
        /// What has changed; at least one thing.
        changes: DataChanges = "changes",
        /// The document that confirms the change; not needed only if nothing but contacts has changed.
        document: Option<ChangeDocument> = "document",
    }
}

record! {
    /// The call that has told of the fact.
    Call {
        /// When the call was made; not before the fact was established.
        at: Instant = "at",
        /// Who called: the organisation and post.
        by: Line = "by",
        /// Who answered: the organisation and post.
        to: Line = "to",
        /// Which telephone number was called.
        phone: Option<Phone> = "phone",
    }
}

message! {
    /// Message on a violation of a child's rights and lawful interests; it confirms the call, if there was one.
    "rights-violation" / 1: RightsViolation {
        /// When the fact was established.
        established_at: Instant = "establishedAt",
        /// The call that has told of the fact.
        call: Option<Call> = "call",
        /// Circumstances.
        circumstances: Text = "circumstances",
        /// Which measures were already taken.
        urgent_measures: Option<Text> = "urgentMeasures",
    }
}

record! {
    /// One of the things handed over.
    HandedItem {
        /// What it is.
        item: HandoverItem = "item",
        /// Name; required of another thing.
        title: Option<Line> = "title",
        /// Number.
        number: Option<Number> = "number",
        /// Date.
        date: Option<NaiveDate> = "date",
        /// How many sheets.
        sheets: Option<Count> = "sheets",
        /// An attachment of the envelope: its SHA-256.
        attachment: Option<Digest> = "attachment",
    }
}

message! {
    /// Hand-over of a case to another territory of the same regulation: the family has moved, another organisation
    /// accompanies it. Open obligations go over to the holders of the roles there. A move out of the region is a
    /// `termination` on the ground `moved`.
    "case-handover" / 1: CaseHandover {
        /// Number of the decision or covering letter.
        number: Number = "number",
        /// When it was decided.
        decided_at: Instant = "decidedAt",
        /// An individual or a group case.
        kind: CaseKind = "kind",
        /// The territory before, by OKTMO.
        from_territory: Oktmo = "fromTerritory",
        /// The new territory, by OKTMO; not the same.
        territory: Oktmo = "territory",
        /// Who hands it over.
        handing: Line = "handing",
        /// Who receives it.
        receiving: Line = "receiving",
        /// The receiver as a participant.
        receiver: Option<ParticipantId> = "receiver",
        /// Since which day the receiver accompanies; not before the decision.
        handed_on: NaiveDate = "handedOn",
        /// Why it is handed over.
        ground: Text = "ground",
        /// What is handed over.
        contents: Vec<HandedItem> = ["contents" / "content", 1..=100],
        /// What is left to be done.
        unfinished: Option<Text> = "unfinished",
    }
}

record! {
    /// The applicant.
    Applicant {
        /// Family name, given name, patronymic.
        name: PersonName = "name",
        /// Address of residence or stay.
        address: Option<Address> = "address",
        /// Telephone and e-mail address.
        contacts: Option<Contacts> = "contacts",
        /// Whether it is a legal representative.
        is_representative: bool = "isRepresentative",
    }
}

message! {
    /// The citizen's application to end the contract of accompaniment (Smolensk region, appendix 4). Not the
    /// application closes the case but the decision to end it (`termination`).
    "termination-request" / 1: TerminationRequest {
        /// Registration number of the application.
        registration_number: Option<Number> = "registrationNumber",
        /// The organisation to which it is submitted.
        organisation: Line = "organisation",
        /// The applicant.
        applicant: Applicant = "applicant",
        /// Number of the contract.
        contract_number: Number = "contractNumber",
        /// Date of the contract.
        contract_on: NaiveDate = "contractOn",
        /// The reason.
        reason: Text = "reason",
        /// Wished last day of accompaniment; not before the application.
        ends_on: Option<NaiveDate> = "endsOn",
        /// Day on which it was filled in; not before the contract.
        filled_on: NaiveDate = "filledOn",
        /// Who took the application.
        accepted_by: Acceptance = "acceptedBy",
    }
}

message! {
    /// Decision to end accompaniment. It closes the case.
    "termination" / 1: Termination {
        /// Number of the decision.
        number: Number = "number",
        /// When it was taken.
        decided_at: Instant = "decidedAt",
        /// Last day of accompaniment.
        ends_on: NaiveDate = "endsOn",
        /// Ground.
        ground: TerminationGround = "ground",
        /// Words on the ground; required of another ground.
        ground_text: Option<Text> = "groundText",
        /// Recommendations to the citizen.
        recommendations: Option<Text> = "recommendations",
        /// Whether the situation is to be observed afterwards.
        observation: Option<bool> = "observation",
    }
}

message! {
    /// Decision to end accompaniment. It closes the case. Version 2: the grounds of all documents (Smolensk region,
    /// 4.14; Yugra, on the end of the measures; model programme, 9.8.5), the contract and the application, observation
    /// with its last day.
    "termination" / 2: Termination2 {
        /// Number of the decision.
        number: Number = "number",
        /// When it was taken.
        decided_at: Instant = "decidedAt",
        /// Who decided.
        decided_by: Option<Line> = "decidedBy",
        /// Last day of accompaniment.
        ends_on: NaiveDate = "endsOn",
        /// Number of the contract that ends.
        contract_number: Option<Number> = "contractNumber",
        /// The message with the application to end the contract, or the refusal by the family, that is decided on.
        request: Option<MessageId> = "request",
        /// Ground.
        ground: TerminationReason = "ground",
        /// Words on the ground; required of another ground.
        ground_text: Option<Text> = "groundText",
        /// Recommendations to the citizen.
        recommendations: Option<Text> = "recommendations",
        /// Whether the situation is to be observed afterwards.
        observation: Option<bool> = "observation",
        /// Until which day to observe; only if it is to be observed, not before the last day of accompaniment.
        observation_until: Option<NaiveDate> = "observationUntil",
    }
}
