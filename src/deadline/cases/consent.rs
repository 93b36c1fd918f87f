//! What the citizens of a case said about passing their data on: given, refused, withdrawn, each for its recipients and classes.
//!
//! No names are kept. What was never seen may have been given on paper, so it stops nothing; what was refused or withdrawn does.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::CaseFacts;
use crate::domain::{DataClass, ParticipantId};

/// One word of a citizen about passing data on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The number of the consent that it is about; empty for the one in an application.
    pub number: String,
    /// What was said.
    pub state: ConsentState,
    /// When it was registered, in microseconds.
    pub at: i64,
    /// Whether it is the word about another person than the citizen of the case, such as a child. Who that is the gateway does not keep.
    #[serde(default)]
    pub of_another: bool,
    /// To whom data may go, or may no longer; `None`: to anybody.
    pub recipients: Option<BTreeSet<String>>,
    /// Which data; `None`: all.
    pub data_classes: Option<BTreeSet<DataClass>>,
    /// Its last day; `None`: until it is withdrawn.
    pub valid_until: Option<NaiveDate>,
}

/// What a citizen said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentState {
    /// Data may be passed on.
    Given,
    /// They may not.
    Refused,
    /// They might, and may no longer.
    Withdrawn,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Given, Self::Refused, Self::Withdrawn];

    /// The stable word of the code list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The words for people, in Russian.
    pub fn ru(self) -> &'static str {
        match self {
            Self::Given => "дано",
            Self::Refused => "отказано",
            Self::Withdrawn => "отозвано",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Consent {
    fn covers(&self, recipient: &str, class: DataClass) -> bool {
        self.recipients.as_ref().is_none_or(|all| all.contains(recipient))
            && self.data_classes.as_ref().is_none_or(|all| all.contains(&class))
    }

    fn has_run_out(&self, today: NaiveDate) -> bool {
        self.valid_until.is_some_and(|last| last < today)
    }
}

/// What a refused or withdrawn consent stops: to whom nothing of which classes may go.
pub type Ended = Vec<(ParticipantId, BTreeSet<DataClass>)>;

impl CaseFacts {
    /// Adds a word of a citizen; a copy of one that is known changes nothing.
    pub(super) fn said(&mut self, new: Consent) {
        if !self.consents.contains(&new) {
            self.consents.push(new);
            // Of two of one instant the one that protects counts.
            self.consents.sort_by(|a, b| (a.at, a.state).cmp(&(b.at, b.state)));
        }
    }

    /// The word by which nothing of this class may go to the recipient on this day, where it would need a consent.
    ///
    /// The citizen of the case is one person: the latest word about this recipient and class counts, whatever number it has. The others
    /// are not told apart but by the numbers of their consents, so of them the latest word under each number counts, and only one that
    /// stops; each is opened again by the number it had.
    pub fn consent_ended(&self, recipient: &str, class: DataClass, today: NaiveDate) -> Option<&Consent> {
        let covering = || self.consents.iter().rev().filter(|c| c.covers(recipient, class));
        let own = covering().find(|c| !c.of_another);
        let own = own.filter(|c| c.state != ConsentState::Given || c.has_run_out(today));
        let of_others = || covering().filter(|c| c.of_another);
        let is_latest = |c: &&Consent| of_others().find(|later| later.number == c.number).is_some_and(|l| l == *c);
        own.or_else(|| of_others().filter(is_latest).find(|c| c.state != ConsentState::Given))
    }

    /// What the words of the citizens stop for these recipients on this day.
    pub(in crate::deadline) fn ended<'p>(
        &self,
        recipients: impl Iterator<Item = &'p ParticipantId>,
        today: NaiveDate,
    ) -> Ended {
        let stopped = recipients.map(|recipient| {
            let ended = |class: &DataClass| self.consent_ended(recipient.as_str(), *class, today).is_some();
            (recipient.clone(), DataClass::ALL.into_iter().filter(ended).collect::<BTreeSet<_>>())
        });
        stopped.filter(|(_, classes)| !classes.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: &str, state: ConsentState, at: i64, to: &[&str], of: &[DataClass]) -> Consent {
        Consent {
            number: number.to_owned(),
            state,
            at,
            of_another: false,
            recipients: Some(to.iter().map(|id| (*id).to_owned()).collect()),
            data_classes: Some(of.iter().copied().collect()),
            valid_until: None,
        }
    }

    fn day(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
    }

    fn facts(all: &[Consent]) -> CaseFacts {
        let mut facts = CaseFacts::default();
        all.iter().for_each(|one| facts.said(one.clone()));
        facts
    }

    use ConsentState::{Given, Refused, Withdrawn};
    use DataClass::{General, Health};

    #[test]
    fn the_latest_word_about_a_recipient_and_a_class_counts() {
        let today = day("2026-05-12");
        let ended = |all: &[Consent], to: &str, class| facts(all).consent_ended(to, class, today).map(|c| c.state);
        let given = said("1", Given, 10, &["health", "police"], &[General, Health]);
        let withdrawn = said("1", Withdrawn, 20, &["health"], &[Health]);
        let both = [given.clone(), withdrawn.clone()];
        assert_eq!(ended(&[], "health", General), None, "what was never seen stops nothing");
        assert_eq!(ended(&both, "health", Health), Some(Withdrawn));
        assert_eq!(ended(&both, "health", General), None, "another class");
        assert_eq!(ended(&both, "police", Health), None, "another recipient");
        assert_eq!(ended(&both, "education", Health), None, "of whom nothing was said");
        // The order in which they come does not matter, and a new consent opens again under whatever number.
        assert_eq!(ended(&[withdrawn.clone(), given.clone()], "health", Health), Some(Withdrawn));
        let again = said("2", Given, 30, &["health"], &[Health]);
        assert_eq!(ended(&[given.clone(), withdrawn.clone(), again], "health", Health), None);
        let at_once = said("3", Given, 20, &["health"], &[Health]);
        assert_eq!(ended(&[withdrawn, at_once], "health", Health), Some(Withdrawn));
        let refused = Consent { recipients: None, data_classes: None, ..said("", Refused, 5, &[], &[]) };
        assert_eq!(ended(std::slice::from_ref(&refused), "anybody", General), Some(Refused));
        assert_eq!(ended(&[refused, given], "police", General), None);
        let short = Consent { valid_until: Some(day("2026-05-11")), ..said("1", Given, 1, &["health"], &[General]) };
        assert_eq!(ended(&[short], "health", General), Some(Given), "it has run out");
        let today_still = Consent { valid_until: Some(today), ..said("1", Given, 1, &["health"], &[General]) };
        assert_eq!(ended(&[today_still], "health", General), None);
    }

    #[test]
    fn what_one_of_the_others_ended_only_its_own_number_opens() {
        let today = day("2026-05-12");
        let of = |number, state, at| Consent { of_another: true, ..said(number, state, at, &["health"], &[General]) };
        let own = said("1", Given, 50, &["health"], &[General]);
        let mut all = facts(&[own, of("2", Given, 1), of("3", Given, 2), of("2", Withdrawn, 10), of("3", Given, 20)]);
        let ended = |all: &CaseFacts| all.consent_ended("health", General, today).map(|c| c.number.clone());
        assert_eq!(ended(&all).as_deref(), Some("2"), "neither the citizen's nor another's consent opens it");
        all.said(of("2", Given, 60));
        assert_eq!(ended(&all), None);
        let health = ParticipantId::parse("health").unwrap();
        all.said(of("3", Refused, 70));
        let stopped = vec![(health.clone(), BTreeSet::from([General]))];
        assert_eq!(all.ended([&health, &ParticipantId::parse("police").unwrap()].into_iter(), today), stopped);
    }
}
