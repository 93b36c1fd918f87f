//! What one participant owes because of a message that it has got: what its own system can know, without the case's history.

use super::MessageEvent;
use super::parties::{Item, Parties};
use crate::deadline::BodyPath;
use crate::deadline::regulation::{Meets, Party, Regulation, Rule};
use crate::domain::{CaseId, Oktmo, Participant, ParticipantId};

/// A message that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed<'a> {
    /// By which rule.
    pub rule: &'a Rule,
    /// What would meet it: the first that the rule names for this debtor.
    pub meets: &'a Meets,
    /// In which case.
    pub case: Option<CaseId>,
    /// Which of the obligations of one message this is; `None` where one message meets all of them, or there is one.
    pub key: Option<String>,
    /// To whom, if that is one participant; `None`: the citizen, or nobody that is known.
    pub creditor: Option<ParticipantId>,
}

/// What the debtor owes on this message, by the regulation's rules that are switched on. Who holds a role is judged by the territory, if
/// one is given. A rule whose parties or keys cannot be told from the message owes nothing here: the gateway, which knows the case, says
/// by reminders what is owed all the same.
pub fn owed<'a>(
    regulation: &'a Regulation,
    event: &'a MessageEvent<'a>,
    territory: Option<Oktmo>,
    debtor: &Participant,
) -> Vec<Owed<'a>> {
    let parties = Parties { regulation, event, territory };
    let mut found: Vec<Owed<'a>> = Vec::new();
    for rule in regulation.rules.iter().filter(|rule| rule.off.is_none()) {
        let name = &event.header.message_type.name;
        for opening in rule.openings().iter().filter(|m| m.message == *name && parties.goes(m)) {
            for item in parties.items(opening).unwrap_or_default() {
                let Some(meets) = rule.met.iter().find(|meets| owes(&parties, rule, meets, &item, debtor)) else {
                    continue;
                };
                let creditor = match parties.stranger(rule, &item) {
                    Some(_) => None,
                    None => parties.party(&rule.creditor, &item).ok().flatten().map(|c| c.id.clone()),
                };
                let key = item.key.filter(|_| meets.matching.each.is_none() && meets.matching.key.is_some());
                let owed = Owed { rule, meets, case: item.case, key, creditor };
                if !found.contains(&owed) {
                    found.push(owed);
                }
            }
        }
    }
    found
}

/// Whether it is this debtor who owes, and meets it by a message of its own.
fn owes(parties: &Parties<'_>, rule: &Rule, meets: &Meets, item: &Item<'_>, debtor: &Participant) -> bool {
    let territory = parties.territory.as_ref();
    let sends = meets.matching.from.is_empty() || meets.matching.from.iter().any(|role| debtor.holds(role, territory));
    sends
        && match &rule.debtor {
            Party::Role(role) => debtor.holds(role, territory),
            Party::Recipient => parties.event.recipient.id == debtor.id,
            Party::Sender => false,
            Party::Responsible => {
                let named = BodyPath::parse("responsible").and_then(|path| path.text(item.node));
                named == Some(debtor.id.as_str())
            }
            Party::RoleOfKey => item.key.as_ref().is_some_and(|key| {
                debtor.roles.iter().any(|h| h.role.as_str() == key && debtor.holds(&h.role, territory))
            }),
            Party::Citizen => false,
        }
}
