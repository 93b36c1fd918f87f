//! Who a rule's parties are, for one item of a message.

use roxmltree::Node;

use super::dates::content;
use super::{MessageEvent, Note};
use crate::deadline::BodyPath;
use crate::deadline::regulation::{ANY_VALUE, Key, Matching, Party, Regulation, Rule};
use crate::domain::{CaseId, Fault, FaultCode, Oktmo, Participant, ParticipantId, RoleCode};

/// What in a message stands for one obligation.
pub(super) struct Item<'a> {
    pub(super) node: Node<'a, 'a>,
    pub(super) key: Option<String>,
    pub(super) case: Option<CaseId>,
}

/// Who may be meant.
pub(super) struct Parties<'a> {
    pub(super) regulation: &'a Regulation,
    pub(super) event: &'a MessageEvent<'a>,
    pub(super) territory: Option<Oktmo>,
}

impl<'a> Parties<'a> {
    /// Whether the message goes the way that the rule speaks of.
    pub(super) fn goes(&self, matching: &Matching) -> bool {
        let holds = |who: &Participant, roles: &[RoleCode]| {
            roles.is_empty() || roles.iter().any(|role| who.holds(role, self.territory.as_ref()))
        };
        holds(self.event.sender, &matching.from) && holds(self.event.recipient, &matching.to)
    }

    /// The items of a message; equal ones are one.
    pub(super) fn items(&self, matching: &Matching) -> Result<Vec<Item<'a>>, Fault> {
        let body = self.event.body;
        let nodes = matching.each.as_ref().map_or_else(|| vec![body], |each| each.all(body));
        let mut items: Vec<Item<'a>> = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let passes = |(path, values): &(BodyPath, Vec<String>)| {
                let found = path.text(node).or_else(|| path.text(body));
                found.is_some_and(|text| values.iter().any(|value| value == text || value == ANY_VALUE))
            };
            if !matching.filter.iter().all(passes) {
                continue;
            }
            let place =
                || matching.each.as_ref().map_or_else(String::new, |each| format!("`{each}` no. {}: ", index + 1));
            let case = match &matching.case {
                None => self.event.header.case_id,
                Some(path) => {
                    let id = path.text(node).and_then(|text| CaseId::parse(text).ok());
                    Some(id.ok_or_else(|| content(format!("{}`{path}` must be a case id", place())))?)
                }
            };
            let keys = match &matching.key {
                None => vec![None],
                Some(Key::Path(path)) => {
                    let key = path.text(node).ok_or_else(|| content(format!("{}`{path}` is missing", place())))?;
                    vec![Some(key.to_owned())]
                }
                Some(Key::RolesOfRecipient) => self.roles_of_recipient(),
                Some(Key::Recipient) => vec![Some(self.event.recipient.id.to_string())],
            };
            for key in keys {
                if !items.iter().any(|item| item.key == key && item.case == case) {
                    items.push(Item { node, key, case });
                }
            }
        }
        Ok(items)
    }

    fn roles_of_recipient(&self) -> Vec<Option<String>> {
        let recipient = self.event.recipient;
        let territory = self.territory.as_ref();
        let held = recipient.roles.iter().filter(|holding| recipient.holds(&holding.role, territory));
        held.map(|holding| Some(holding.role.as_str().to_owned())).collect()
    }

    /// One whom the gateway does not know cannot owe through it: that is said, not refused.
    pub(super) fn stranger(&self, rule: &Rule, item: &Item<'_>) -> Option<Note> {
        let parties = [&rule.debtor, &rule.creditor];
        if parties.contains(&&Party::RoleOfKey) {
            let key = item.key.as_deref().unwrap_or("");
            let known = self.regulation.roles.iter().any(|role| role.code.as_str() == key);
            return (!known).then(|| Note {
                rule: rule.id.clone(),
                ru: format!("роли `{key}` в регламенте нет: это делается вне шлюза"),
                en: format!("the regulation has no role `{key}`: this is done outside of the gateway"),
            });
        }
        (parties.contains(&&Party::Responsible) && self.responsible(item).is_none()).then(|| Note {
            rule: rule.id.clone(),
            ru: "ответственная организация не участник: это делается вне шлюза".to_owned(),
            en: "the responsible organisation is no participant: this is done outside of the gateway".to_owned(),
        })
    }

    /// The participant; `None`: the citizen.
    pub(super) fn party(&self, party: &Party, item: &Item<'_>) -> Result<Option<&'a Participant>, Fault> {
        match party {
            Party::Sender => Ok(Some(self.event.sender)),
            Party::Recipient => Ok(Some(self.event.recipient)),
            Party::Responsible => Ok(Some(self.responsible(item).unwrap_or(self.event.recipient))),
            Party::Role(role) => self.holder(role).map(Some),
            Party::RoleOfKey => {
                let role = item.key.as_deref().and_then(|key| RoleCode::parse(key).ok());
                let message = &self.event.header.message_type.name;
                let role =
                    role.ok_or_else(|| content(format!("a holder in `{message}` is no role of the regulation")))?;
                self.holder(&role).map(Some)
            }
            Party::Citizen => Ok(None),
        }
    }

    /// Who owes: never the citizen.
    pub(super) fn debtor(&self, party: &Party, item: &Item<'_>) -> Result<&'a Participant, Fault> {
        Ok(self.party(party, item)?.unwrap_or(self.event.sender))
    }

    /// The role for which a party was found.
    pub(super) fn role(party: &Party, item: &Item<'_>) -> Option<RoleCode> {
        match party {
            Party::Role(role) => Some(role.clone()),
            Party::RoleOfKey => item.key.as_deref().and_then(|key| RoleCode::parse(key).ok()),
            Party::Sender | Party::Recipient | Party::Responsible | Party::Citizen => None,
        }
    }

    fn responsible(&self, item: &Item<'_>) -> Option<&'a Participant> {
        let id = BodyPath::parse("responsible").and_then(|path| path.text(item.node))?;
        let found = self.event.directory.participant(&ParticipantId::parse(id).ok()?)?;
        (found.regulation == self.regulation.id).then_some(found)
    }

    fn holder(&self, role: &RoleCode) -> Result<&'a Participant, Fault> {
        self.event.directory.holder(&self.regulation.id, role, self.territory.as_ref()).map_err(|problem| {
            let place = self.territory.as_ref().map_or("-", Oktmo::as_str);
            Fault::new(FaultCode::RoleVacant, format!("`{role}`, ОКТМО {place}: {problem}"))
        })
    }
}
