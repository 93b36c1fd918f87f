//! What is told of a month, a quarter or a year, and free words.

use chrono::NaiveDate;

use crate::domain::{CaseId, Digest};

use super::codes::{HelpKind, MeasureResult, ProposalKind, StatisticsKind};
use super::content::{message, record};
use super::inquiry::Figure;
use super::people::Official;
use super::values::{Count, Instant, Line, Month, Number, Oktmo, Quarter, Text, Year};

record! {
    /// A measure.
    ReportedMeasure {
        /// Number of the measure in the programme (section 14).
        number: Option<Number> = "number",
        /// Name of the measure.
        title: Line = "title",
        /// Kind of help.
        help_kind: Option<HelpKind> = "helpKind",
        /// Result.
        result: MeasureResult = "result",
        /// Date of the result.
        date: NaiveDate = "date",
        /// Note.
        note: Option<Text> = "note",
    }
}

record! {
    /// A case.
    ReportedCase {
        /// Id of the case.
        case_id: CaseId = "caseId",
        /// Measures.
        measures: Vec<ReportedMeasure> = ["measures" / "measure", 1..=100],
    }
}

message! {
    /// Monthly report on the measures of social accompaniment. It settles only the cases that it names.
    "progress-report" / 1: ProgressReport {
        /// Outgoing number.
        outgoing_number: Option<Number> = "outgoingNumber",
        /// The month reported.
        period: Month = "period",
        /// The organisation that reports.
        organisation: Line = "organisation",
        /// Cases; each once.
        cases: Vec<ReportedCase> = ["cases" / "case", 1..=500],
        /// Who prepared the report.
        preparer: Option<Official> = "preparer",
    }
}

record! {
    /// A help.
    ProvidedHelp {
        /// Kind of help.
        help_kind: HelpKind = "helpKind",
        /// Name of the service that the citizen was helped to get.
        title: Option<Line> = "title",
        /// Term of the help, as the act has it.
        term: Option<Line> = "term",
        /// Volume.
        volume: Option<Line> = "volume",
        /// Note.
        note: Option<Text> = "note",
    }
}

message! {
    /// Act of the accompaniment provided in a month (Smolensk region, order 1759 of 29.11.2024, appendix 3).
    "provision-act" / 1: ProvisionAct {
        /// The month of the act.
        period: Month = "period",
        /// Number of the act.
        number: Number = "number",
        /// When the last of the parties signed; not before the month begins.
        signed_at: Instant = "signedAt",
        /// Number of the programme, if it is known.
        programme_number: Option<Number> = "programmeNumber",
        /// Number of the contract.
        contract_number: Option<Number> = "contractNumber",
        /// The help that was given.
        helps: Vec<ProvidedHelp> = ["helps" / "help", 1..=200],
    }
}

message! {
    /// Report on the course and results of a substitute family's accompaniment in a month, for the guardianship
    /// authority.
    "guardianship-report" / 1: GuardianshipReport {
        /// The month reported.
        period: Month = "period",
        /// Course and results of accompaniment.
        findings: Text = "findings",
    }
}

message! {
    /// Monthly report on accompaniment for the region's authority in charge.
    "ministry-report" / 1: MinistryReport {
        /// The month reported.
        period: Month = "period",
        /// Who reports.
        organisation: Line = "organisation",
        /// Figures; each once.
        figures: Vec<Figure> = ["figures" / "figure", 0..=500],
        /// Findings.
        findings: Text = "findings",
    }
}

message! {
    /// Analysis of the accompaniment of families in a quarter.
    "quarterly-analysis" / 1: QuarterlyAnalysis {
        /// The quarter.
        quarter: Quarter = "quarter",
        /// Who reports.
        organisation: Line = "organisation",
        /// How many families were accompanied.
        families: Count = "families",
        /// Figures; each once.
        figures: Vec<Figure> = ["figures" / "figure", 0..=500],
        /// Findings.
        findings: Text = "findings",
    }
}

message! {
    /// Analysis and summary of the results of accompaniment in a year.
    "yearly-summary" / 1: YearlySummary {
        /// The year.
        year: Year = "year",
        /// Who reports.
        organisation: Line = "organisation",
        /// Figures; each once.
        figures: Vec<Figure> = ["figures" / "figure", 0..=500],
        /// Findings.
        findings: Text = "findings",
    }
}

message! {
    /// Exchange of statistics, analyses and other materials for any time (Yugra, 6.4-6.5 of regulation 394-p). The
    /// summary of a year, the quarterly analysis and the report to the ministry are `yearly-summary`,
    /// `quarterly-analysis`, `ministry-report`. It holds no personal data of citizens.
    "statistics" / 1: Statistics {
        /// Outgoing number.
        outgoing_number: Option<Number> = "outgoingNumber",
        /// Which materials.
        kind: StatisticsKind = "kind",
        /// Title.
        title: Line = "title",
        /// Who made it.
        organisation: Line = "organisation",
        /// When it was made.
        prepared_at: Instant = "preparedAt",
        /// First day of the time that it is about; not after it was made.
        begins_on: NaiveDate = "beginsOn",
        /// Last day; not before the first.
        ends_on: NaiveDate = "endsOn",
        /// About which territory, by OKTMO.
        territory: Vec<Oktmo> = ["territory", 0..=50],
        /// Figures; each once.
        figures: Vec<Figure> = ["figures" / "figure", 0..=500],
        /// Findings; required of an analysis.
        findings: Option<Text> = "findings",
        /// An attachment of the envelope: its SHA-256.
        attachment: Vec<Digest> = ["attachment", 0..=20],
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

record! {
    /// When and where the joint activity is; of a proposal on one only.
    Activity {
        /// First day.
        begins_on: NaiveDate = "beginsOn",
        /// Last day; not before the first.
        ends_on: NaiveDate = "endsOn",
        /// Where.
        place: Option<Line> = "place",
    }
}

message! {
    /// Proposal or recommendation: on joint activities, legal acts, the organisation of accompaniment (Yugra, 6.4-6.5
    /// of regulation 394-p; model programme, 6.4). It holds no personal data of citizens.
    "proposal" / 1: Proposal {
        /// Outgoing number.
        outgoing_number: Option<Number> = "outgoingNumber",
        /// When it was written.
        proposed_at: Instant = "proposedAt",
        /// Who proposes.
        organisation: Line = "organisation",
        /// What about.
        kind: ProposalKind = "kind",
        /// The subject in one line.
        subject: Line = "subject",
        /// The proposal in words.
        text: Text = "text",
        /// When and where the joint activity is; of a proposal on one only.
        activity: Option<Activity> = "activity",
        /// Wished day of the answer; not a norm, not before the proposal.
        answer_by: Option<NaiveDate> = "answerBy",
        /// An attachment of the envelope: its SHA-256.
        attachment: Vec<Digest> = ["attachment", 0..=20],
        /// Who prepared it.
        preparer: Option<Official> = "preparer",
    }
}

message! {
    /// A note in a conversation: ConversationId and InReplyTo of the header say to which message. It opens and settles
    /// nothing; what has a type of its own is not sent in it.
    "note" / 1: Note {
        /// The subject in one line.
        subject: Option<Line> = "subject",
        /// The text.
        text: Text = "text",
        /// Who wrote it.
        author: Option<Official> = "author",
    }
}
