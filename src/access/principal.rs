//! Somebody who has signed in.

use std::collections::BTreeSet;

use super::{Right, Role, Scope};
use crate::domain::{AccountId, DataClass, Login, Oktmo, ParticipantId};

/// Somebody who has signed in, or a script with a token of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    account: AccountId,
    login: Login,
    roles: BTreeSet<Role>,
    scope: Scope,
    data_classes: Option<BTreeSet<DataClass>>,
    rights: BTreeSet<Right>,
}

impl Principal {
    /// Somebody with these roles, this part of the region, and these classes of personal data (`None`: all).
    pub fn new(
        account: AccountId,
        login: Login,
        roles: BTreeSet<Role>,
        scope: Scope,
        data_classes: Option<BTreeSet<DataClass>>,
    ) -> Self {
        let mut rights = Right::of(&roles);
        rights.retain(|right| scope.is_whole() || !right.needs_the_whole());
        Self { account, login, roles, scope, data_classes, rights }
    }

    /// The same with no more than these rights, as a token has them.
    pub fn narrowed(mut self, to: &BTreeSet<Right>) -> Self {
        self.rights.retain(|right| to.contains(right));
        self
    }

    /// The account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Its login.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// Its roles.
    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    /// Its part of the region: what listings are narrowed to.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What it may do.
    pub fn rights(&self) -> &BTreeSet<Right> {
        &self.rights
    }

    /// Whether it may do this at all; on what, says [`Principal::sees`].
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// Whether it sees what these participants take part in and what belongs to a case of this territory.
    pub fn sees(&self, parties: &[&ParticipantId], territory: Option<&Oktmo>) -> bool {
        self.scope.covers(parties, territory)
    }

    /// Whether it may be shown personal data of all these classes.
    pub fn sees_personal_data<'c>(&self, classes: impl IntoIterator<Item = &'c DataClass>) -> bool {
        self.may(Right::SeePersonalData)
            && classes.into_iter().all(|class| self.data_classes.as_ref().is_none_or(|own| own.contains(class)))
    }

    /// Who acted, as the journal names it.
    pub fn actor(&self) -> String {
        format!("account:{}", self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(roles: &[Role], participants: &[&str], classes: Option<&[DataClass]>) -> Principal {
        let participants = participants.iter().map(|p| ParticipantId::parse(p).unwrap()).collect();
        Principal::new(
            AccountId::from_uuid(uuid::Uuid::nil()),
            Login::parse("ivanova").unwrap(),
            roles.iter().copied().collect(),
            Scope { participants, ..Scope::whole() },
            classes.map(|c| c.iter().copied().collect()),
        )
    }

    #[test]
    fn who_sees_a_part_has_no_right_over_the_whole() {
        let all = somebody(Role::ALL, &[], None);
        assert!(Right::ALL.iter().all(|right| all.may(*right)));
        let part = somebody(Role::ALL, &["health"], None);
        for right in Right::ALL {
            assert_eq!(part.may(*right), !right.needs_the_whole(), "{right}");
        }
        let (own, other) = (ParticipantId::parse("health").unwrap(), ParticipantId::parse("police").unwrap());
        assert!(part.sees(&[&other, &own], None) && !part.sees(&[&other], None));
    }

    #[test]
    fn a_token_never_has_more_than_its_account() {
        let wanted = BTreeSet::from([Right::SeeJournal, Right::SeeObligations]);
        let token = somebody(&[Role::Operator], &[], None).narrowed(&wanted);
        assert_eq!(token.rights(), &BTreeSet::from([Right::SeeObligations]));
    }

    #[test]
    fn personal_data_need_the_right_and_the_class() {
        let health = [DataClass::General, DataClass::Health];
        for (roles, classes, wanted, seen) in [
            (&[Role::Operator][..], None, &health[..], true),
            (&[Role::Operator], Some(&health[..]), &health, true),
            (&[Role::Operator], Some(&[DataClass::General][..]), &health, false),
            (&[Role::Auditor], None, &[DataClass::General], false),
        ] {
            assert_eq!(somebody(roles, &[], classes).sees_personal_data(wanted), seen, "{roles:?} {classes:?}");
        }
    }
}
