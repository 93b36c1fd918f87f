//! How a case goes on and ends: programme, contract, marks, assessments, extension, termination.

use chrono::NaiveDate;

use crate::domain::{ParticipantId, Timestamp};

use super::{Card, Written, at, begin, day, end, group};

/// A measure of section 14.
#[derive(Debug, Clone)]
pub(in crate::simulate) struct Measure {
    pub(in crate::simulate) number: u32,
    pub(in crate::simulate) help: &'static str,
    /// `None`: an organisation that is no participant.
    pub(in crate::simulate) responsible: Option<ParticipantId>,
    pub(in crate::simulate) begins: NaiveDate,
    pub(in crate::simulate) due: NaiveDate,
}

/// The level of an accompaniment.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulate) struct Level {
    /// `adaptation`, `basic`, `crisis` or `emergency`.
    pub(in crate::simulate) code: &'static str,
    pub(in crate::simulate) since: NaiveDate,
}

/// A programme, a draft or approved.
#[derive(Debug, Clone)]
pub(in crate::simulate) struct Programme {
    pub(in crate::simulate) version: u32,
    /// `None`: a draft.
    pub(in crate::simulate) approved: Option<Timestamp>,
    pub(in crate::simulate) begins: NaiveDate,
    pub(in crate::simulate) ends: NaiveDate,
    pub(in crate::simulate) level: Level,
    pub(in crate::simulate) curator: (String, ParticipantId),
    pub(in crate::simulate) substitute: bool,
    pub(in crate::simulate) measures: Vec<Measure>,
}

/// The programme.
pub(in crate::simulate) fn programme(card: &Card, p: &Programme) -> Written {
    let mut w = begin("programme");
    w.leaf("number", &card.document(8));
    w.leaf("version", &p.version.to_string());
    w.leaf("status", if p.approved.is_some() { "approved" } else { "draft" });
    if let Some(approved) = p.approved {
        at(&mut w, "approvedAt", approved);
        at(&mut w, "handedAt", approved);
    }
    day(&mut w, "beginsOn", p.begins);
    day(&mut w, "endsOn", p.ends);
    w.leaf("level", p.level.code);
    day(&mut w, "levelSince", p.level.since);
    group(&mut w, "curator", |w| {
        w.leaf("id", &p.curator.0);
        w.leaf("organisation", p.curator.1.as_str());
    });
    w.leaf("substituteFamily", if p.substitute { "true" } else { "false" });
    group(&mut w, "measures", |w| {
        for measure in &p.measures {
            group(w, "measure", |w| {
                w.leaf("number", &measure.number.to_string());
                w.leaf("helpKind", measure.help);
                w.leaf("title", "Мероприятие социального сопровождения");
                match &measure.responsible {
                    Some(id) => w.leaf("responsible", id.as_str()),
                    None => w.leaf("outside", "Вымышленная организация вне обмена"),
                }
                day(w, "beginsOn", measure.begins);
                day(w, "dueOn", measure.due);
            });
        }
    });
    end(w)
}

/// What a contract says.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulate) struct Contract {
    pub(in crate::simulate) signed: Timestamp,
    pub(in crate::simulate) begins: NaiveDate,
    pub(in crate::simulate) ends: NaiveDate,
    pub(in crate::simulate) substitute: bool,
}

/// The contract of accompaniment.
pub(in crate::simulate) fn contract(card: &Card, c: &Contract, provider: &str) -> Written {
    let mut w = begin("contract");
    w.leaf("number", &card.document(9));
    at(&mut w, "signedAt", c.signed);
    w.leaf("programmeNumber", &card.document(8));
    w.leaf("provider", provider);
    day(&mut w, "beginsOn", c.begins);
    day(&mut w, "endsOn", c.ends);
    w.leaf("substituteFamily", if c.substitute { "true" } else { "false" });
    end(w)
}

/// The entry of a family in the data bank.
pub(in crate::simulate) fn databank_entry(card: &Card, entered: Timestamp) -> Written {
    let mut w = begin("databank-entry");
    at(&mut w, "enteredAt", entered);
    w.leaf("contractNumber", &card.document(9));
    end(w)
}

/// The mark that a measure was done.
pub(in crate::simulate) fn measure_mark(card: &Card, measure: u32, done: Timestamp) -> Written {
    let mut w = begin("measure-mark");
    w.leaf("programmeNumber", &card.document(8));
    w.leaf("measure", &measure.to_string());
    at(&mut w, "doneAt", done);
    w.leaf("result", "help-given");
    end(w)
}

/// Which assessment of how a programme works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulate) enum Assessed {
    Interim,
    Final,
}

/// The assessment of how the programme works.
pub(in crate::simulate) fn effectiveness(card: &Card, assessed: Timestamp, stage: Assessed) -> Written {
    let mut w = begin("effectiveness-assessment");
    at(&mut w, "assessedAt", assessed);
    w.leaf("stage", if stage == Assessed::Interim { "interim" } else { "final" });
    w.leaf("programmeNumber", &card.document(8));
    w.leaf("outcome", "positive");
    w.leaf("findings", "Вымышленная оценка.");
    end(w)
}

/// What an extension says; `grounds` is the date of the citizen's written wish and of the working group's decision.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulate) struct Extension {
    pub(in crate::simulate) decided: Timestamp,
    pub(in crate::simulate) ends: NaiveDate,
    pub(in crate::simulate) grounds: Option<NaiveDate>,
}

/// The extension of an accompaniment.
pub(in crate::simulate) fn extension(card: &Card, e: &Extension) -> Written {
    let mut w = begin("extension");
    w.leaf("number", &card.document(10));
    at(&mut w, "decidedAt", e.decided);
    day(&mut w, "endsOn", e.ends);
    if let Some(date) = e.grounds {
        group(&mut w, "wish", |w| day(w, "date", date));
        group(&mut w, "groupDecision", |w| {
            day(w, "date", date);
            w.leaf("number", &card.document(13));
        });
    }
    end(w)
}

/// What a termination says.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulate) struct Termination {
    pub(in crate::simulate) decided: Timestamp,
    pub(in crate::simulate) ends: NaiveDate,
    /// A code of the list of grounds.
    pub(in crate::simulate) ground: &'static str,
}

/// The end of an accompaniment.
pub(in crate::simulate) fn termination(card: &Card, t: &Termination) -> Written {
    let mut w = begin("termination");
    w.leaf("number", &card.document(11));
    at(&mut w, "decidedAt", t.decided);
    day(&mut w, "endsOn", t.ends);
    w.leaf("ground", t.ground);
    end(w)
}

/// A violation of a child's rights, established and told by telephone a moment later.
pub(in crate::simulate) fn rights_violation(
    established: Timestamp,
    called: Timestamp,
    (by, to): (&str, &str),
) -> Written {
    let mut w = begin("rights-violation");
    at(&mut w, "establishedAt", established);
    group(&mut w, "call", |w| {
        at(w, "at", called);
        w.leaf("by", by);
        w.leaf("to", to);
    });
    w.leaf("circumstances", "Вымышленное нарушение.");
    end(w)
}
