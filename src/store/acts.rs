//! Acts of people and participants on obligations: met outside of the gateway, waived, extended, remarked on.
//!
//! Each is one transaction that takes the obligation, decides by what it finds, and changes everything or nothing: of two at once,
//! on whatever nodes, one wins and the other is told why it did not.

use std::fmt;

use serde_json::json;

use crate::domain::{
    ActGround, ActKind, Digest, Line, ObligationId, ObligationState, OutsideWay, ParticipantId, Remark, SettleKind,
    Timestamp,
};

use super::act_rows::{self as rows_of, ActDocument, ActMessage, ActRow};
use super::error::Failure;
use super::obligations::key;
use super::rows::Rows;
use super::sql::Tx;
use super::writer::Write;
use super::{JournalEntry, ObligationRow, Store, StoreError};

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It was met outside of the gateway: in time or late by `acted_at`.
    Outside {
        /// How.
        way: OutsideWay,
        /// When (business time); not ahead of [`NewAct::at`], not before the obligation began.
        acted_at: Timestamp,
        /// Who did it; `None`: the debtor.
        by: Option<Line>,
        /// Towards whom; `None`: the creditor.
        to: Option<Line>,
        /// Its number.
        number: Option<Line>,
        /// SHA-256 of its scan.
        scan: Option<Digest>,
    },
    /// It need not be met any more. The due stays as it was.
    Waive {
        /// Why.
        ground: ActGround,
        /// By which document.
        document: ActDocument,
    },
    /// Its due moves later.
    Extend {
        /// Why.
        ground: ActGround,
        /// By which document.
        document: ActDocument,
        /// The due that was read; another one by now is a conflict.
        expected_due: Timestamp,
        /// The new due (exclusive).
        due_at: Timestamp,
        /// All its warnings, ascending.
        warns: Vec<Timestamp>,
    },
    /// A remark.
    Note,
}

impl Act {
    /// Its kind.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Outside { .. } => ActKind::Outside,
            Self::Waive { .. } => ActKind::Waive,
            Self::Extend { .. } => ActKind::Extend,
            Self::Note => ActKind::Note,
        }
    }
}

/// An act to enter.
#[derive(Debug, Clone)]
pub struct NewAct {
    /// On which obligation.
    pub obligation_id: ObligationId,
    /// What is done.
    pub act: Act,
    /// A remark; a [`Act::Note`] needs one.
    pub note: Option<Remark>,
    /// Who enters it, for the journal.
    pub author: String,
    /// The participant's own signed word, when it is one: only the debtor's counts, and the obligations of others are as good as unknown.
    pub message: Option<ActMessage>,
    /// Business time.
    pub at: Timestamp,
    /// Machine time.
    pub now: Timestamp,
}

/// What became of an act.
#[derive(Debug, Clone, PartialEq)]
pub enum Acted {
    /// Entered: the act and the obligation after it.
    Done(Box<ActRow>, Box<ObligationRow>),
    /// The very same was entered before and still stands; nothing was changed.
    Already(Box<ActRow>, Box<ObligationRow>),
    /// There is no such obligation, or (for a participant) it is another's.
    NotFound,
    /// It cannot be done; nothing was changed.
    Refused(ActRefusal),
}

/// Why an act cannot be done. `Display` is for people, in Russian and English; instants are left to who shows them in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActRefusal {
    /// The obligation has ended already: its state, and when.
    Ended(ObligationState, Option<Timestamp>),
    /// It has no term, or one that does not run yet, so there is no due to extend.
    NotBegun,
    /// The outside act lies ahead of now.
    Ahead,
    /// The outside act lies before the obligation's beginning.
    BeforeStart(Timestamp),
    /// The new due is not later than the present one.
    NotLater(Timestamp),
    /// The due is not the one that was read: somebody moved it meanwhile.
    DueMoved(Option<Timestamp>),
    /// The message id was used for other content.
    IdReused,
}

impl fmt::Display for ActRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(state, _) => {
                write!(f, "обязательство уже не открыто: {} / the obligation has ended already: {state}", state.ru())
            }
            Self::NotBegun => f.write_str(
                "срока нет или он ещё не пошёл, продлевать нечего / there is no term or it has not begun to run, so there is nothing to extend",
            ),
            Self::Ahead => f.write_str(
                "исполнение вне шлюза не может быть в будущем / what was done outside of the gateway cannot lie ahead of now",
            ),
            Self::BeforeStart(_) => f.write_str(
                "исполнение раньше, чем обязательство началось / it was done before the obligation began",
            ),
            Self::NotLater(_) => f.write_str(
                "новый срок не позже нынешнего; сократить срок нельзя / the new due is not later than the present one; a term cannot \
                 be shortened",
            ),
            Self::DueMoved(_) => f.write_str(
                "срок тем временем изменился; посмотрите обязательство снова / the due was moved meanwhile; look at the obligation again",
            ),
            Self::IdReused => f.write_str(
                "номер сообщения уже занят другим содержанием / the message id was used for other content",
            ),
        }
    }
}

impl Store {
    /// Enters one act, with its journal entry.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn act(&self, act: NewAct) -> Result<Acted, StoreError> {
        self.task(act).await
    }
}

impl Write for NewAct {
    type Out = Acted;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Acted, Failure> {
        rows.at(self.now);
        let Some(before) = self.take(tx, rows).await? else { return Ok(Acted::NotFound) };
        let mut earlier = rows_of::of(tx, self.obligation_id).await?;
        let mut same = earlier.iter().rposition(|act| self.stands_as(act, &before));
        if let Some(message) = &self.message
            && let Some((act_id, digest)) = rows_of::earlier_message(tx, message).await?
        {
            if digest != message.digest {
                return Ok(Acted::Refused(ActRefusal::IdReused));
            }
            same = earlier.iter().position(|act| act.id == act_id);
        }
        if let Some(same) = same {
            return Ok(Acted::Already(Box::new(earlier.swap_remove(same)), Box::new(before)));
        }
        let after = match self.decide(&before) {
            Ok(after) => after,
            Err(refusal) => return Ok(Acted::Refused(refusal)),
        };
        let act = self.row(rows.next_id(self.now), &before, &after);
        rows_of::insert(tx, std::slice::from_ref(&act)).await?;
        if let Some(message) = &self.message {
            rows_of::insert_message(tx, &act.id, message).await?;
        }
        if after != before {
            rows_of::change(tx, &after).await?;
            rows.touched.obligations = true;
        }
        rows.entry(&entry(&act), self.now);
        Ok(Acted::Done(Box::new(act), Box::new(after)))
    }
}

impl NewAct {
    /// Takes the obligation, after looking once more for a settlement that another node's transaction may have missed. A participant
    /// gets only its own.
    async fn take(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Option<ObligationRow>, Failure> {
        let Some(row) = rows_of::taken(tx, self.obligation_id).await? else { return Ok(None) };
        if self.message.as_ref().is_some_and(|message| message.sender != row.debtor) {
            return Ok(None);
        }
        rows.meet(tx, vec![key(&row.regulation, &row.rule, &row.subject, &row.period)]).await?;
        rows_of::taken(tx, self.obligation_id).await
    }

    /// Whether an earlier act is the very same and its effect still stands.
    fn stands_as(&self, earlier: &ActRow, now: &ObligationRow) -> bool {
        let same = self.row(earlier.id.clone(), now, now);
        let content = earlier.kind == same.kind
            && (&earlier.ground, &earlier.document, &earlier.note) == (&same.ground, &same.document, &same.note)
            && (earlier.way, earlier.acted_at, earlier.scan) == (same.way, same.acted_at, same.scan)
            && (&earlier.acted_by, &earlier.acted_to, &earlier.number)
                == (&same.acted_by, &same.acted_to, &same.number);
        content
            && match &self.act {
                Act::Outside { .. } => now.settle_kind == Some(SettleKind::Outside),
                Act::Waive { .. } => now.settle_kind == Some(SettleKind::Waiver),
                Act::Extend { due_at, .. } => earlier.due_after == Some(*due_at) && now.due_at == Some(*due_at),
                Act::Note => earlier.author == self.author,
            }
    }

    /// The obligation after this act.
    fn decide(&self, before: &ObligationRow) -> Result<ObligationRow, ActRefusal> {
        match &self.act {
            Act::Note => Ok(before.clone()),
            Act::Outside { .. } | Act::Waive { .. } | Act::Extend { .. } if !before.state.is_open() => {
                Err(ActRefusal::Ended(before.state, before.settled_at))
            }
            Act::Outside { acted_at, .. } => self.met_outside(before, *acted_at),
            Act::Waive { .. } => Ok(ended(before, ObligationState::Waived, SettleKind::Waiver, self.at)),
            Act::Extend { expected_due, due_at, warns, .. } => self.extended(before, *expected_due, *due_at, warns),
        }
    }

    fn met_outside(&self, before: &ObligationRow, acted_at: Timestamp) -> Result<ObligationRow, ActRefusal> {
        // What a term is counted from may lie ahead: the end of a case, the first day of a measure.
        let begun = before.started_at.map_or(before.opened_at, |started| started.min(before.opened_at));
        if acted_at > self.at {
            return Err(ActRefusal::Ahead);
        }
        if acted_at < begun {
            return Err(ActRefusal::BeforeStart(begun));
        }
        let in_time = before.due_at.is_none_or(|due| acted_at < due);
        let state = if in_time { ObligationState::Met } else { ObligationState::MetLate };
        Ok(ended(before, state, SettleKind::Outside, acted_at))
    }

    fn extended(
        &self,
        before: &ObligationRow,
        expected: Timestamp,
        due: Timestamp,
        warns: &[Timestamp],
    ) -> Result<ObligationRow, ActRefusal> {
        let present = before.due_at.ok_or(ActRefusal::NotBegun)?;
        if present != expected {
            return Err(ActRefusal::DueMoved(before.due_at));
        }
        if due <= present {
            return Err(ActRefusal::NotLater(present));
        }
        let mut after = before.clone();
        after.original_due = before.original_due.or(before.due_at);
        after.counted_due = before.counted_due.or(before.due_at);
        after.due_at = Some(due);
        after.warns = warns.to_vec();
        if due <= self.at && before.state == ObligationState::Overdue {
            // Entered after the fact: it was late by the new due too, and is not told to be late a second time.
            return Ok(after);
        }
        after.state = ObligationState::Open;
        after.next_at = Some(warns.iter().copied().filter(|warn| *warn > self.at).min().unwrap_or(due));
        // The marks tell of the due that is: what they said of the one before stands in the act and in the journal.
        after.warned_at = None;
        after.overdue_at = None;
        Ok(after)
    }

    fn row(&self, id: String, before: &ObligationRow, after: &ObligationRow) -> ActRow {
        let actor = self.message.as_ref().map(|message| message.sender.clone());
        let bare = ActRow::new(id, self.act.kind(), (before, after), (self.at, self.now), self.author.clone());
        let bare = ActRow { actor, note: self.note.clone(), ..bare };
        match &self.act {
            Act::Outside { way, acted_at, by, to, number, scan } => ActRow {
                way: Some(*way),
                acted_at: Some(*acted_at),
                acted_by: by.clone(),
                acted_to: to.clone(),
                number: number.clone(),
                scan: *scan,
                ..bare
            },
            Act::Waive { ground, document } | Act::Extend { ground, document, .. } => {
                ActRow { ground: Some(*ground), document: Some(document.clone()), ..bare }
            }
            Act::Note => bare,
        }
    }
}

fn ended(before: &ObligationRow, state: ObligationState, kind: SettleKind, at: Timestamp) -> ObligationRow {
    ObligationRow { state, next_at: None, settled_at: Some(at), settle_kind: Some(kind), ..before.clone() }
}

/// Ids, codes and instants only: what people wrote stays in the act.
pub(super) fn entry(act: &ActRow) -> JournalEntry {
    let kind = match act.kind {
        ActKind::Outside => format!("obligation-{}", act.state_after),
        ActKind::Waive => "obligation-waived".to_owned(),
        ActKind::Extend => "obligation-extended".to_owned(),
        ActKind::Note => "obligation-noted".to_owned(),
        ActKind::Retime => "obligation-retimed".to_owned(),
        ActKind::Cancel => "obligation-cancelled".to_owned(),
        ActKind::Remind => "obligation-reminded".to_owned(),
    };
    JournalEntry {
        kind,
        actor: act.author.clone(),
        obligation_id: Some(act.obligation_id),
        participant: act.actor.clone(),
        detail: json!({
            "act": act.id, "done": act.kind, "way": act.way, "ground": act.ground, "actedAt": act.acted_at,
            "scan": act.scan, "dueBefore": act.due_before, "dueAfter": act.due_after, "stateBefore": act.state_before,
        }),
        ..JournalEntry::default()
    }
}

impl ActRow {
    /// Who entered it: the participant by its own signed word, else the author.
    pub fn entered_by(&self) -> &str {
        self.actor.as_ref().map_or(self.author.as_str(), ParticipantId::as_str)
    }
}
