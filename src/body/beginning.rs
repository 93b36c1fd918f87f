//! How a case begins: the notice, the application, the assessment of the need, the decision, the consent.

use chrono::NaiveDate;

use crate::domain::{MessageId, ParticipantId, RoleCode};

use super::codes::{
    CaseKind, Category, ConsentState, DataClass, DecisionOutcome, DecisionUrgency, DocumentKind, DocumentSource,
    DraftDecision, HelpKind, HelpMeasure, IdentificationSource, IdentificationUrgency, Level, NeedCircumstance,
    NeedGround, Sex,
};
use super::content::{choice, message, record};
use super::people::{Address, Family, Official, Person, PersonName, Representative};
use super::values::{Confirmed, Instant, Line, MemberNumber, Number, Oktmo, Snils, Text};

record! {
    /// An identified citizen. Little may be known, so nothing is required by itself; but a name, a SNILS or an address
    /// is needed.
    IdentifiedPerson {
        /// Name.
        name: Option<PersonName> = "name",
        /// Sex.
        sex: Option<Sex> = "sex",
        /// Date of birth.
        birth_date: Option<NaiveDate> = "birthDate",
        /// SNILS.
        snils: Option<Snils> = "snils",
        /// Where the citizen lives or was found.
        address: Option<Address> = "address",
    }
}

message! {
    /// Notice of a citizen or family who may need accompaniment.
    "identification-notice" / 1: IdentificationNotice {
        /// Outgoing number.
        outgoing_number: Option<Number> = "outgoingNumber",
        /// When the citizen was identified.
        identified_at: Instant = "identifiedAt",
        /// An ordinary case or an emergency.
        urgency: IdentificationUrgency = "urgency",
        /// How it became known.
        source: IdentificationSource = "source",
        /// Territory of the case by OKTMO.
        territory: Oktmo = "territory",
        /// Whether the case is individual or of a group.
        kind: CaseKind = "kind",
        /// The organisation that identified the citizen.
        organisation: Line = "organisation",
        /// Who was identified: the name, the SNILS or the address, whichever is known.
        person: IdentifiedPerson = "person",
        /// Circumstances.
        circumstances: Text = "circumstances",
        /// Wanted kinds of help.
        help_kinds: Option<Vec<HelpKind>> = ["helpKinds" / "helpKind", 1..=5],
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

record! {
    /// Mark of receipt of an application.
    Acceptance {
        /// Name.
        name: Line = "name",
        /// Post.
        post: Line = "post",
        /// Date of receipt.
        date: NaiveDate = "date",
    }
}

record! {
    /// Consent under article 9 of 152-FZ.
    ConsentBasis {
        /// true: agrees, false: does not agree.
        given: bool = "given",
        /// Date of the consent or refusal.
        date: NaiveDate = "date",
        /// Scope: which data, which actions, to whom.
        scope: Text = "scope",
    }
}

record! {
    /// Processing without consent, by law.
    LawBasis {
        /// The law.
        act: Line = "act",
        /// Article, part, item.
        article: Line = "article",
    }
}

choice! {
    /// Consent or law.
    Basis {
        /// Consent under article 9 of 152-FZ.
        Consent: ConsentBasis = "consent",
        /// Processing without consent, by law.
        Law: LawBasis = "law",
    }
}

record! {
    /// Basis for processing personal data (152-FZ): consent or law.
    ProcessingBasis {
        /// Consent or law.
        basis: Basis = choice,
    }
}

record! {
    /// A document.
    RequiredDocument {
        /// Kind of the document.
        kind: DocumentKind = "kind",
        /// The holder's role in the regulation.
        holder_role: RoleCode = "holderRole",
        /// Where it comes from.
        source: DocumentSource = "source",
        /// Number of the family member whom it concerns.
        member: Option<MemberNumber> = "member",
    }
}

message! {
    /// Application for social accompaniment (Smolensk region, order 1759 of 29.11.2024, appendix 2) with its
    /// registration.
    "application" / 1: Application {
        /// Registration number of the application.
        registration_number: Number = "registrationNumber",
        /// When it was submitted.
        submitted_at: Instant = "submittedAt",
        /// When it was registered; not before it was submitted.
        registered_at: Instant = "registeredAt",
        /// The organisation to which it was submitted.
        organisation: Line = "organisation",
        /// Territory of the case by OKTMO.
        territory: Oktmo = "territory",
        /// Whether the case is individual or of a group; a group's case has the family.
        kind: CaseKind = "kind",
        /// The citizen who asks for accompaniment or needs it.
        person: Person = "person",
        /// Representative of the citizen.
        representative: Vec<Representative> = ["representative", 0..=5],
        /// The family; only of a group's case.
        family: Option<Family> = "family",
        /// Categories of the citizen or family.
        categories: Vec<Category> = ["categories" / "category", 1..=10],
        /// Circumstances that worsen, or may worsen, the conditions of life.
        circumstances: Text = "circumstances",
        /// Wanted kinds of help.
        help_kinds: Vec<HelpKind> = ["helpKinds" / "helpKind", 1..=5],
        /// The applicant confirms that the data are true and complete.
        accuracy_confirmed: Confirmed = "accuracyConfirmed",
        /// Date on which the form was filled in.
        filled_on: NaiveDate = "filledOn",
        /// Who received the application.
        accepted_by: Acceptance = "acceptedBy",
        /// Basis for processing personal data (152-FZ): consent or law.
        processing_basis: ProcessingBasis = "processingBasis",
        /// Documents needed for the decision; without the element none is needed.
        required_documents: Option<Vec<RequiredDocument>> = ["requiredDocuments" / "document", 1..=50],
    }
}

message! {
    /// Application for social accompaniment (Smolensk region, order 1759 of 29.11.2024, appendix 2) with its
    /// registration. Version 2: the circumstances and the wanted measures are named by their codes.
    "application" / 2: Application2 {
        /// Registration number of the application.
        registration_number: Number = "registrationNumber",
        /// When it was submitted.
        submitted_at: Instant = "submittedAt",
        /// When it was registered; not before it was submitted.
        registered_at: Instant = "registeredAt",
        /// The organisation to which it was submitted.
        organisation: Line = "organisation",
        /// Territory of the case by OKTMO.
        territory: Oktmo = "territory",
        /// Whether the case is individual or of a group; a group's case has the family.
        kind: CaseKind = "kind",
        /// The citizen who asks for accompaniment or needs it.
        person: Person = "person",
        /// Representative of the citizen.
        representative: Vec<Representative> = ["representative", 0..=5],
        /// The family; only of a group's case.
        family: Option<Family> = "family",
        /// Categories of the citizen or family.
        categories: Vec<Category> = ["categories" / "category", 1..=10],
        /// Circumstances that worsen, or may worsen, the conditions of life.
        circumstances: Text = "circumstances",
        /// These circumstances by article 15 of 442-FZ. Without the element the codes are not known: the
        /// application comes from a system that does not keep them (version 1).
        need_grounds: Option<Vec<NeedGround>> = ["needGrounds" / "needGround", 1..=8],
        /// These circumstances of a family with children by the model programme (5.3).
        need_circumstances: Option<Vec<NeedCircumstance>> = ["needCircumstances" / "needCircumstance", 1..=11],
        /// Wanted kinds of help.
        help_kinds: Vec<HelpKind> = ["helpKinds" / "helpKind", 1..=5],
        /// The wanted measures by the code list, where they are known already; each of one of the wanted kinds of
        /// help.
        help_measures: Option<Vec<HelpMeasure>> = ["helpMeasures" / "helpMeasure", 1..=60],
        /// The applicant confirms that the data are true and complete.
        accuracy_confirmed: Confirmed = "accuracyConfirmed",
        /// Date on which the form was filled in.
        filled_on: NaiveDate = "filledOn",
        /// Who received the application.
        accepted_by: Acceptance = "acceptedBy",
        /// Basis for processing personal data (152-FZ): consent or law.
        processing_basis: ProcessingBasis = "processingBasis",
        /// Documents needed for the decision; without the element none is needed.
        required_documents: Option<Vec<RequiredDocument>> = ["requiredDocuments" / "document", 1..=50],
    }
}

record! {
    /// Report on the inspection of the living conditions.
    NumberedAct {
        /// Number.
        number: Number = "number",
        /// Date.
        date: NaiveDate = "date",
    }
}

message! {
    /// Assessment of a citizen's needs: the report on the living conditions, the report on the needs, and a draft
    /// decision.
    "needs-assessment" / 1: NeedsAssessment {
        /// Number.
        number: Option<Number> = "number",
        /// When the assessment was made.
        assessed_at: Instant = "assessedAt",
        /// Report on the inspection of the living conditions.
        inspection_act: NumberedAct = "inspectionAct",
        /// Report on the assessment of the needs.
        assessment_act: NumberedAct = "assessmentAct",
        /// What the draft decision proposes.
        draft_decision: DraftDecision = "draftDecision",
        /// The proposed level; not given with a draft refusal.
        level: Option<Level> = "level",
        /// What was found: the need, how sharp the problem is, what the citizen can do.
        findings: Text = "findings",
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

message! {
    /// Decision to recognise a citizen as being in need of social services, with a mark of the need of accompaniment,
    /// or to refuse.
    "decision" / 1: Decision {
        /// Number of the decision.
        number: Number = "number",
        /// When it was taken.
        decided_at: Instant = "decidedAt",
        /// The order in which it was taken.
        urgency: DecisionUrgency = "urgency",
        /// Outcome.
        outcome: DecisionOutcome = "outcome",
        /// Mark of the need of accompaniment.
        needs_accompaniment: bool = "needsAccompaniment",
        /// Ground of the decision; required of a refusal.
        ground: Option<Text> = "ground",
        /// When the citizen was told; not before the decision.
        informed_at: Option<Instant> = "informedAt",
    }
}

record! {
    /// The citizen, as far as is needed to tell one from another.
    Who {
        /// Family name, given name, patronymic.
        name: PersonName = "name",
        /// Date of birth.
        birth_date: NaiveDate = "birthDate",
        /// SNILS.
        snils: Option<Snils> = "snils",
    }
}

choice! {
    /// A participant of the exchange, or somebody outside of it.
    ConsentParty {
        /// A participant.
        Participant: ParticipantId = "participant",
        /// An organisation outside of the exchange.
        Outside: Line = "outside",
    }
}

record! {
    /// A recipient.
    ConsentRecipient {
        /// A participant of the exchange, or somebody outside of it.
        party: ConsentParty = choice,
    }
}

message! {
    /// Consent to the processing or passing on of personal data: given, refused, withdrawn (152-FZ, article 9; Smolensk
    /// region, appendix 2, 4.16; model programme, 9.8.3).
    "consent" / 1: Consent {
        /// Number of the consent; a refusal or withdrawal names that of the consent it is about, if there was one.
        number: Number = "number",
        /// Given, refused or withdrawn.
        state: ConsentState = "state",
        /// When the citizen signed it.
        signed_on: NaiveDate = "signedOn",
        /// When it was registered; not before it was signed.
        registered_at: Instant = "registeredAt",
        /// Whether a legal representative signed it.
        by_representative: bool = "byRepresentative",
        /// About whom, if not the citizen of the case: such as a family member.
        person: Option<Who> = "person",
        /// What the data are processed for.
        purpose: Text = "purpose",
        /// Which data, each class once.
        data_classes: Vec<DataClass> = ["dataClasses" / "dataClass", 1..=5],
        /// To whom they may be passed, each once.
        recipients: Vec<ConsentRecipient> = ["recipients" / "recipient", 1..=50],
        /// Valid until this day, inclusive; of a given consent only, not before it was signed. Absent: until
        /// withdrawn.
        valid_until: Option<NaiveDate> = "validUntil",
        /// The message with the consent that is withdrawn; with a withdrawal only.
        withdrawn: Option<MessageId> = "withdrawn",
    }
}
