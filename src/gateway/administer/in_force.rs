//! What is in force for one participant: which messages go which way, and what stands between.

use std::collections::BTreeSet;

use crate::adapter::Direction;
use crate::deadline::ExchangeBasis;
use crate::domain::{DataClass, ParticipantId, RoleCode};
use crate::gateway::Snapshot;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The participant sends it.
    Sends,
    /// The participant gets it.
    Gets,
}

/// A message type that the regulation lets a participant send or get.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Which way.
    pub way: Way,
    /// The type's name.
    pub message: String,
    /// The roles on the other side.
    pub others: BTreeSet<RoleCode>,
    /// Whether it goes with the citizen's consent only.
    pub on_consent: bool,
    /// The classes of personal data that may go; `None`: all.
    pub data_classes: Option<BTreeSet<DataClass>>,
    /// Whether the participant's adapter translates it; `None`: it goes as it is.
    pub translated: Option<bool>,
}

impl Snapshot {
    /// What the regulation lets a participant send and get, by way and type. Empty when there is none with this id.
    pub fn traffic(&self, participant: &ParticipantId) -> Vec<Traffic> {
        let Some(participant) = self.participant(participant) else { return Vec::new() };
        let Ok(regulation) = self.regulation(&participant.regulation) else { return Vec::new() };
        let adapter = participant.adapter.as_deref().and_then(|name| self.adapter(name).ok());
        let adapter = adapter.filter(|adapter| !adapter.is_canonical());
        let mut found: Vec<Traffic> = Vec::new();
        for exchange in &regulation.exchanges {
            for (way, own, others) in
                [(Way::Sends, &exchange.from, &exchange.to), (Way::Gets, &exchange.to, &exchange.from)]
            {
                if !own.iter().any(|role| participant.holds(role, None)) {
                    continue;
                }
                let direction = if way == Way::Gets { Direction::ToPartner } else { Direction::ToCanonical };
                let translated = adapter.map(|adapter| {
                    adapter.message_types().any(|t| t.name == exchange.message && adapter.carries(t, direction))
                });
                let one = Traffic {
                    way,
                    message: exchange.message.clone(),
                    others: others.iter().cloned().collect(),
                    on_consent: exchange.basis == ExchangeBasis::Consent,
                    data_classes: exchange.data_classes.clone(),
                    translated,
                };
                let same = |t: &&mut Traffic| {
                    (t.way, &t.message, t.on_consent, &t.data_classes)
                        == (one.way, &one.message, one.on_consent, &one.data_classes)
                };
                match found.iter_mut().find(same) {
                    Some(known) => known.others.extend(one.others),
                    None => found.push(one),
                }
            }
        }
        found.sort_by(|a, b| (a.way, &a.message).cmp(&(b.way, &b.message)));
        found
    }
}
