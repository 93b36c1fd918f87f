//! Requests and their answers: documents of a citizen, information without one, the databank.

use chrono::NaiveDate;

use crate::domain::{Digest, MessageId, ParticipantId};

use super::codes::{DatabankOutcome, DocumentKind, DocumentOutcome, DocumentRefusal, InformationOutcome, Level};
use super::content::{choice, message, record};
use super::people::{Address, Contacts, Official, Person, PersonName};
use super::values::{FieldName, FigureValue, Instant, Line, Number, Oktmo, Snils, Text};

record! {
    /// An item.
    SearchItem {
        /// Name.
        name: Line = "name",
        /// Value.
        value: Line = "value",
    }
}

record! {
    /// A document.
    WantedDocument {
        /// Kind of the document.
        kind: DocumentKind = "kind",
        /// What exactly, such as a period.
        note: Option<Line> = "note",
    }
}

message! {
    /// Interagency request for documents or data. Contents after article 7.2 of Federal Law 210-FZ.
    "document-request" / 1: DocumentRequest {
        /// Outgoing number of the request.
        outgoing_number: Number = "outgoingNumber",
        /// Date of the request.
        outgoing_date: Option<NaiveDate> = "outgoingDate",
        /// The body that asks.
        requesting_body: Line = "requestingBody",
        /// The body that is asked.
        asked_body: Line = "askedBody",
        /// Gist of the request.
        gist: Text = "gist",
        /// The service for which the documents are needed.
        service_name: Line = "serviceName",
        /// Number of the service in the register, if any.
        service_number: Option<Number> = "serviceNumber",
        /// The legal act on which the request stands.
        legal_act: Line = "legalAct",
        /// Article, part, item of the act.
        legal_article: Line = "legalArticle",
        /// The citizen whom the request concerns.
        person: Person = "person",
        /// Data needed to find the document.
        search_data: Option<Vec<SearchItem>> = ["searchData" / "item", 1..=30],
        /// Wanted documents; each kind once.
        wanted: Vec<WantedDocument> = ["wanted" / "document", 1..=50],
        /// The day by which an answer is wished; not the norm.
        answer_by: Option<NaiveDate> = "answerBy",
        /// Who prepared the request.
        preparer: Official = "preparer",
    }
}

record! {
    /// A field.
    DataField {
        /// Code of the field, written like an element name.
        name: FieldName = "name",
        /// Name of the field for people.
        title: Option<Line> = "title",
        /// Value.
        value: Text = "value",
    }
}

choice! {
    /// A document as files of the envelope or as data.
    DocumentContent {
        /// An attachment of the envelope: its SHA-256.
        Attachment: Vec<Digest> = ["attachment", 1..=20],
        /// Structured data.
        Data: Vec<DataField> = ["data" / "field", 1..=200],
    }
}

record! {
    /// The document; with the outcome "provided" and only then.
    ProvidedDocument {
        /// Number of the document.
        document_number: Option<Number> = "documentNumber",
        /// Date of the document.
        document_date: Option<NaiveDate> = "documentDate",
        /// A document as files of the envelope or as data.
        content: DocumentContent = choice,
    }
}

record! {
    /// Answer on one kind of document.
    DocumentAnswer {
        /// Kind of the document.
        kind: DocumentKind = "kind",
        /// Outcome.
        outcome: DocumentOutcome = "outcome",
        /// Ground of a refusal; with a refusal and only then.
        ground: Option<DocumentRefusal> = "ground",
        /// The document; with the outcome "provided" and only then.
        provided: Option<ProvidedDocument> = "provided",
        /// Note.
        note: Option<Text> = "note",
    }
}

message! {
    /// Answer to an interagency request: whole, partial, or a correction of an earlier one.
    "document-response" / 1: DocumentResponse {
        /// Incoming number of the request at the answering body.
        incoming_number: Number = "incomingNumber",
        /// Date on which the request was registered.
        incoming_date: Option<NaiveDate> = "incomingDate",
        /// Outgoing number of the answer.
        outgoing_number: Number = "outgoingNumber",
        /// Date of the answer.
        outgoing_date: Option<NaiveDate> = "outgoingDate",
        /// Id of the message with the answer that this one replaces.
        replaces: Option<MessageId> = "replaces",
        /// Answers by kind of document, each kind once; kinds without an answer stay open.
        answers: Vec<DocumentAnswer> = ["answers" / "answer", 1..=50],
        /// Who prepared the answer.
        preparer: Option<Official> = "preparer",
    }
}

message! {
    /// Withdrawal of a document request by its sender: no answer is wanted any more.
    "request-withdrawal" / 1: RequestWithdrawal {
        /// The withdrawn request: the id of a message of the same sender.
        request: MessageId = "request",
        /// Why it is withdrawn.
        reason: Text = "reason",
    }
}

record! {
    /// For which time the information is wanted.
    Period {
        /// First day.
        begins_on: NaiveDate = "beginsOn",
        /// Last day; not before the first.
        ends_on: NaiveDate = "endsOn",
    }
}

message! {
    /// Request for information that is not about a citizen, with the name of the asked body and the gist (Yugra,
    /// 6.4-6.5 of regulation 394-p). It holds no personal data of citizens; a `document-request` asks about a citizen.
    "information-request" / 1: InformationRequest {
        /// Outgoing number of the request.
        outgoing_number: Number = "outgoingNumber",
        /// When it was written.
        asked_at: Instant = "askedAt",
        /// The asking body.
        requesting_body: Line = "requestingBody",
        /// The asked body.
        asked_body: Line = "askedBody",
        /// The gist of the request.
        gist: Text = "gist",
        /// The legal act on which it rests.
        legal_act: Option<Line> = "legalAct",
        /// For which time the information is wanted.
        period: Option<Period> = "period",
        /// About which territory, by OKTMO.
        territory: Vec<Oktmo> = ["territory", 0..=50],
        /// Wished day of the answer; not a norm, not before the request.
        answer_by: Option<NaiveDate> = "answerBy",
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

record! {
    /// A figure.
    Figure {
        /// Code or name of the figure.
        code: Line = "code",
        /// Value.
        value: FigureValue = "value",
    }
}

record! {
    /// The information; only if it is provided at least in part, and required then.
    Information {
        /// In words.
        text: Text = "text",
        /// A figure.
        figure: Vec<Figure> = ["figure", 0..=500],
        /// An attachment of the envelope: its SHA-256.
        attachment: Vec<Digest> = ["attachment", 0..=20],
    }
}

message! {
    /// Answer to a request for information without a citizen (`information-request`), which InReplyTo of the header
    /// names.
    "information-response" / 1: InformationResponse {
        /// Incoming number of the request.
        incoming_number: Option<Number> = "incomingNumber",
        /// Outgoing number of the answer.
        outgoing_number: Number = "outgoingNumber",
        /// When it was written.
        answered_at: Instant = "answeredAt",
        /// Outcome.
        outcome: InformationOutcome = "outcome",
        /// The information; only if it is provided at least in part, and required then.
        information: Option<Information> = "information",
        /// Why it is refused in whole or in part; required of a refusal, absent from a full answer.
        ground: Option<Text> = "ground",
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

record! {
    /// The citizen who is looked for in the databank.
    SoughtPerson {
        /// Family name, given name, patronymic.
        name: PersonName = "name",
        /// Date of birth.
        birth_date: NaiveDate = "birthDate",
        /// SNILS.
        snils: Option<Snils> = "snils",
        /// Address of residence or stay.
        address: Option<Address> = "address",
    }
}

message! {
    /// A question to the interagency databank: is this family accompanied, by whom, on which level (model programme,
    /// 11.2-11.4). Every query stays in the journal of the gateway.
    "databank-query" / 1: DatabankQuery {
        /// Outgoing number.
        outgoing_number: Number = "outgoingNumber",
        /// When it was written.
        asked_at: Instant = "askedAt",
        /// Who asks.
        organisation: Line = "organisation",
        /// Whom it is about; besides name and date of birth a SNILS or an address is needed.
        person: SoughtPerson = "person",
        /// What the data are needed for.
        purpose: Text = "purpose",
        /// The legal act on which the query rests.
        legal_act: Line = "legalAct",
        /// Article, part, item of the act.
        legal_article: Line = "legalArticle",
        /// Who prepared it.
        preparer: Official = "preparer",
    }
}

record! {
    /// Who accompanies and how; only if the family is accompanied, and required then.
    KnownAccompaniment {
        /// Who accompanies.
        organisation: Line = "organisation",
        /// The same as a participant.
        participant: Option<ParticipantId> = "participant",
        /// Level of accompaniment.
        level: Option<Level> = "level",
        /// Since which day; not after the answer.
        since_on: Option<NaiveDate> = "sinceOn",
        /// How to reach the curator: telephone and e-mail at work, without a name.
        curator_contact: Option<Contacts> = "curatorContact",
    }
}

message! {
    /// Answer to a query of the databank (`databank-query`), which InReplyTo of the header names. It says no more than
    /// is needed to reach those who accompany: no measures and no names.
    "databank-answer" / 1: DatabankAnswer {
        /// Incoming number of the query.
        incoming_number: Option<Number> = "incomingNumber",
        /// When it was written.
        answered_at: Instant = "answeredAt",
        /// What was found.
        outcome: DatabankOutcome = "outcome",
        /// Who accompanies and how; only if the family is accompanied, and required then.
        accompaniment: Option<KnownAccompaniment> = "accompaniment",
        /// Why it is refused; with a refusal only, and required then.
        ground: Option<Text> = "ground",
    }
}

message! {
    /// Entry of a family in the interagency databank of accompaniment; only after the contract.
    "databank-entry" / 1: DatabankEntry {
        /// When it was entered.
        entered_at: Instant = "enteredAt",
        /// Level of accompaniment.
        level: Option<Level> = "level",
        /// Number of the contract.
        contract_number: Option<Number> = "contractNumber",
        /// How to reach the curator: telephone and e-mail at work, without a name.
        curator_contact: Option<Contacts> = "curatorContact",
    }
}
