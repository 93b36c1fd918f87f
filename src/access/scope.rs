//! Whose part of the exchange a person sees.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{Oktmo, ParticipantId};

/// The part of the region that a person sees. What it lists in one kind narrows what it lists in the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only what one of these sends, receives, owes or is owed; empty: of all participants.
    #[serde(default)]
    pub participants: BTreeSet<ParticipantId>,
    /// Only what belongs to a case in one of these territories (prefixes cover all below them); empty: of all territories.
    #[serde(default)]
    pub territories: BTreeSet<Oktmo>,
}

impl Scope {
    /// The whole region.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Whether it is the whole region.
    pub fn is_whole(&self) -> bool {
        self.participants.is_empty() && self.territories.is_empty()
    }

    /// Whether it shows what these participants take part in and what belongs to a case of this territory. What belongs to no case is
    /// not shown to somebody who sees some territories only: nobody can say that it is theirs.
    pub fn covers(&self, parties: &[&ParticipantId], territory: Option<&Oktmo>) -> bool {
        let by_party = self.participants.is_empty() || parties.iter().any(|party| self.participants.contains(*party));
        let by_territory =
            self.territories.is_empty() || territory.is_some_and(|t| self.territories.iter().any(|own| own.covers(t)));
        by_party && by_territory
    }

    /// Whether all of the participant's things may be asked for, whoever the other side is.
    pub fn covers_participant(&self, id: &ParticipantId) -> bool {
        self.participants.is_empty() || self.participants.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_shows_its_own_part_only() {
        let id = |text: &str| ParticipantId::parse(text).unwrap();
        let oktmo = |text: &str| Oktmo::parse(text).unwrap();
        let scope = |participants: &[&str], territories: &[&str]| Scope {
            participants: participants.iter().map(|p| id(p)).collect(),
            territories: territories.iter().map(|t| oktmo(t)).collect(),
        };
        for (participants, territories, parties, territory, seen) in [
            (&[][..], &[][..], &["health"][..], None, true),
            (&["health"], &[], &["register", "health"], None, true),
            (&["health"], &[], &["register", "police"], Some("71876000"), false),
            (&[], &["71"], &["register"], Some("71876000"), true),
            (&[], &["71"], &["register"], Some("66701000"), false),
            (&[], &["71"], &["register"], None, false),
            (&["health"], &["71876000"], &["health"], Some("71876000"), true),
            (&["health"], &["71876000"], &["health"], Some("71877000"), false),
            (&["health"], &["71876000"], &["police"], Some("71876000"), false),
        ] {
            let parties: Vec<ParticipantId> = parties.iter().map(|p| id(p)).collect();
            let parties: Vec<&ParticipantId> = parties.iter().collect();
            let territory = territory.map(oktmo);
            let own = scope(participants, territories);
            assert_eq!(own.covers(&parties, territory.as_ref()), seen, "{own:?} {parties:?} {territory:?}");
        }
        assert!(scope(&[], &[]).is_whole() && !scope(&[], &["71"]).is_whole() && !scope(&["health"], &[]).is_whole());
    }
}
