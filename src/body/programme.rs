//! The programme, its measures, the contract and who accompanies.

use chrono::NaiveDate;

use crate::domain::ParticipantId;

use super::codes::{HelpKind, HelpMeasure, Level, LevelSign, MeasureResult, ProgrammeStatus};
use super::content::{choice, message, record};
use super::people::Contacts;
use super::values::{CuratorId, Instant, Line, Number, Text, Version};

record! {
    /// The curator, without a name.
    CuratorRef {
        /// The curator's code within the organisation.
        id: CuratorId = "id",
        /// The participant for whom the curator works.
        organisation: ParticipantId = "organisation",
    }
}

choice! {
    /// Who carries a measure out: a participant, or somebody outside of the exchange.
    Responsible {
        /// Who is responsible, if it is a participant.
        Responsible: ParticipantId = "responsible",
        /// Who is responsible, if it is no participant.
        Outside: Line = "outside",
    }
}

record! {
    /// A measure.
    ProgrammeMeasure {
        /// Number of the measure in the programme.
        number: Number = "number",
        /// Kind of help.
        help_kind: HelpKind = "helpKind",
        /// Name of the measure.
        title: Line = "title",
        /// Who carries a measure out: a participant, or somebody outside of the exchange.
        responsible: Responsible = choice,
        /// When the measure begins.
        begins_on: NaiveDate = "beginsOn",
        /// By when the measure is to be done: the last day; not before it begins.
        due_on: NaiveDate = "dueOn",
        /// Mark of the result, if there is one already.
        mark: Option<MeasureResult> = "mark",
    }
}

message! {
    /// Programme of social accompaniment, or section 14 of the individual programme of social services: who helps, how,
    /// and by when. Each new version is sent whole.
    "programme" / 1: Programme {
        /// Number of the programme.
        number: Number = "number",
        /// Version of the programme; 1 for the first, one more with each change.
        version: Version = "version",
        /// A draft or an approved programme.
        status: ProgrammeStatus = "status",
        /// When it was approved; required of an approved one, never of a draft.
        approved_at: Option<Instant> = "approvedAt",
        /// When it was handed to the provider of social services.
        handed_at: Option<Instant> = "handedAt",
        /// First day of the programme's term.
        begins_on: NaiveDate = "beginsOn",
        /// Last day of the programme's term; not before the first.
        ends_on: NaiveDate = "endsOn",
        /// Level of accompaniment.
        level: Option<Level> = "level",
        /// Since which day it is at this level; only with the level.
        level_since: Option<NaiveDate> = "levelSince",
        /// The curator, without a name.
        curator: Option<CuratorRef> = "curator",
        /// Whether it is a substitute family.
        substitute_family: Option<bool> = "substituteFamily",
        /// Measures of accompaniment; their numbers are unique.
        measures: Vec<ProgrammeMeasure> = ["measures" / "measure", 1..=100],
    }
}

record! {
    /// A measure.
    ProgrammeMeasure2 {
        /// Number of the measure in the programme.
        number: Number = "number",
        /// Kind of help.
        help_kind: HelpKind = "helpKind",
        /// The measure by the code list; of the kind of help that is named. Without the element the code is not
        /// known: the programme comes from a system that does not keep it (version 1).
        help_measure: Option<HelpMeasure> = "helpMeasure",
        /// Name of the measure.
        title: Line = "title",
        /// Who carries a measure out: a participant, or somebody outside of the exchange.
        responsible: Responsible = choice,
        /// When the measure begins.
        begins_on: NaiveDate = "beginsOn",
        /// By when the measure is to be done: the last day; not before it begins.
        due_on: NaiveDate = "dueOn",
        /// Mark of the result, if there is one already.
        mark: Option<MeasureResult> = "mark",
    }
}

message! {
    /// Programme of social accompaniment, or section 14 of the individual programme of social services: who helps, how,
    /// and by when. Each new version is sent whole. Version 2 of the schema: a measure is named by its code (model
    /// programme, section X).
    "programme" / 2: Programme2 {
        /// Number of the programme.
        number: Number = "number",
        /// Version of the programme; 1 for the first, one more with each change.
        version: Version = "version",
        /// A draft or an approved programme.
        status: ProgrammeStatus = "status",
        /// When it was approved; required of an approved one, never of a draft.
        approved_at: Option<Instant> = "approvedAt",
        /// When it was handed to the provider of social services.
        handed_at: Option<Instant> = "handedAt",
        /// First day of the programme's term.
        begins_on: NaiveDate = "beginsOn",
        /// Last day of the programme's term; not before the first.
        ends_on: NaiveDate = "endsOn",
        /// Level of accompaniment.
        level: Option<Level> = "level",
        /// Since which day it is at this level; only with the level.
        level_since: Option<NaiveDate> = "levelSince",
        /// The curator, without a name.
        curator: Option<CuratorRef> = "curator",
        /// Whether it is a substitute family.
        substitute_family: Option<bool> = "substituteFamily",
        /// Measures of accompaniment; their numbers are unique.
        measures: Vec<ProgrammeMeasure2> = ["measures" / "measure", 1..=100],
    }
}

record! {
    /// A remark.
    Remark {
        /// Section or item of the programme; absent: a remark on the whole.
        section: Option<Number> = "section",
        /// Number of the measure that it is about, if it is about one.
        measure: Option<Number> = "measure",
        /// The remark in words.
        text: Text = "text",
    }
}

message! {
    /// Rejection of a programme draft with remarks (model programme, 9.4: it is considered and approved or rejected). A
    /// new draft is sent as a `programme` with the next version.
    "programme-remarks" / 1: ProgrammeRemarks {
        /// Number of the rejected programme.
        programme_number: Number = "programmeNumber",
        /// Its version.
        programme_version: Version = "programmeVersion",
        /// When it was rejected.
        decided_at: Instant = "decidedAt",
        /// Who rejected it.
        decided_by: Line = "decidedBy",
        /// Remarks.
        remarks: Vec<Remark> = ["remarks" / "remark", 1..=100],
        /// By which day a mended draft is wished; not a norm, not before the rejection.
        resubmit_by: Option<NaiveDate> = "resubmitBy",
    }
}

message! {
    /// Mark of whoever is responsible on one measure of the programme.
    "measure-mark" / 1: MeasureMark {
        /// Number of the programme, if it is known.
        programme_number: Option<Number> = "programmeNumber",
        /// Number of the measure in the programme.
        measure: Number = "measure",
        /// When the result was reached.
        done_at: Instant = "doneAt",
        /// Result.
        result: MeasureResult = "result",
        /// Note.
        note: Option<Text> = "note",
    }
}

message! {
    /// Data on the contract of social accompaniment between the provider of social services and the citizen. The
    /// contract itself is attached where it is wanted.
    "contract" / 1: Contract {
        /// Number of the contract.
        number: Number = "number",
        /// When the last of the parties signed.
        signed_at: Instant = "signedAt",
        /// Number of the programme that the contract stands on.
        programme_number: Option<Number> = "programmeNumber",
        /// The provider of social services.
        provider: Line = "provider",
        /// First day of the contract's term.
        begins_on: NaiveDate = "beginsOn",
        /// Last day of the contract's term; not before the first.
        ends_on: NaiveDate = "endsOn",
        /// Whether it is a substitute family.
        substitute_family: bool = "substituteFamily",
    }
}

record! {
    /// Who is replaced; absent at the first appointment.
    ReplacedCurator {
        /// The curator's code within the organisation.
        id: CuratorId = "id",
        /// The participant for whom the curator works.
        organisation: ParticipantId = "organisation",
        /// Last day of the former curator; not after the first day of the new one.
        until_on: Option<NaiveDate> = "untilOn",
    }
}

message! {
    /// Appointment or change of a curator (Smolensk region, 4.5; model programme, 6.7, 9.3). There is no name in the
    /// message: a curator is known by a code within the organisation.
    "curator" / 1: Curator {
        /// Number of the order of appointment.
        number: Number = "number",
        /// When the order was given.
        decided_at: Instant = "decidedAt",
        /// Who is the curator now.
        curator: CuratorRef = "curator",
        /// Since which day.
        since_on: NaiveDate = "sinceOn",
        /// The curator's telephone and e-mail at work, without a name.
        contact: Option<Contacts> = "contact",
        /// Who is replaced; absent at the first appointment.
        replaced: Option<ReplacedCurator> = "replaced",
        /// Why there is a change; with `replaced` only.
        reason: Option<Text> = "reason",
    }
}

message! {
    /// A family is moved to another level of accompaniment (model programme, 5.4, 15.1).
    "level-change" / 1: LevelChange {
        /// Number of the decision.
        number: Number = "number",
        /// When it was taken.
        decided_at: Instant = "decidedAt",
        /// Who decided: the working group or an organisation.
        decided_by: Line = "decidedBy",
        /// The level before.
        level_before: Level = "levelBefore",
        /// The new level; not the same.
        level: Level = "level",
        /// Since which day the new level applies.
        level_since: NaiveDate = "levelSince",
        /// Signs of the family that ask for the new level; each once.
        signs: Option<Vec<LevelSign>> = ["signs" / "sign", 1..=23],
        /// The ground in words.
        ground: Text = "ground",
    }
}

record! {
    /// The citizen's written wish.
    Wish {
        /// Date.
        date: NaiveDate = "date",
        /// Number.
        number: Option<Number> = "number",
    }
}

record! {
    /// Decision of the interagency working group; not before the wish and not after the decision to extend.
    GroupDecision {
        /// Date.
        date: NaiveDate = "date",
        /// Number.
        number: Number = "number",
    }
}

message! {
    /// Decision to extend the term of accompaniment.
    "extension" / 1: Extension {
        /// Number of the decision.
        number: Number = "number",
        /// When it was taken.
        decided_at: Instant = "decidedAt",
        /// The new last day of the term; not before the day of the decision.
        ends_on: NaiveDate = "endsOn",
        /// The citizen's written wish.
        wish: Option<Wish> = "wish",
        /// Decision of the interagency working group; not before the wish and not after the decision to extend.
        group_decision: Option<GroupDecision> = "groupDecision",
    }
}
