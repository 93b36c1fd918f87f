//! The check of a regulation against what surrounds it: participants, calendars, schemas.

use super::{Calendars, Finding, Regulation};
use crate::bundle::Files;
use crate::domain::{Participant, Timestamp};

/// What a regulation is checked against.
#[derive(Debug, Clone, Copy)]
pub struct CheckInput<'a> {
    /// Every participant.
    pub participants: &'a [Participant],
    /// The loaded calendars.
    pub calendars: &'a Calendars,
    /// The bundle, for the message schemas below `schemas/`.
    pub files: &'a Files,
    /// Business time: from here a year ahead must be covered.
    pub now: Timestamp,
}

/// Everything that does not fit: roles without or with two holders, rules that name unknown messages or elements, years that
/// the calendar lacks, chains of terms that are longer than their norm. Errors first.
pub fn check(regulation: &Regulation, input: &CheckInput<'_>) -> Vec<Finding> {
    let _ = (regulation, input);
    todo!()
}
