//! The form of an account: what was sent, what can be chosen, and what is wrong, each beside its field.

use std::collections::BTreeSet;

use crate::access::{Role, Scope};
use crate::console::fields::Fields;
use crate::console::visit::Visit;
use crate::domain::{DataClass, Line, Login, Oktmo, ParticipantId};
use crate::store::AccountRow;

/// One box to tick.
pub(in crate::console) struct Check {
    pub(in crate::console) value: String,
    pub(in crate::console) label: String,
    pub(in crate::console) checked: bool,
}

/// Rights as they were chosen.
pub(super) struct Chosen {
    pub(super) roles: BTreeSet<Role>,
    pub(super) scope: Scope,
    pub(super) data_classes: Option<BTreeSet<DataClass>>,
}

pub(super) struct AccountForm {
    pub(super) login: String,
    pub(super) login_error: String,
    pub(super) name: String,
    pub(super) name_error: String,
    pub(super) roles: Vec<Check>,
    pub(super) roles_error: String,
    pub(super) participants: Vec<Check>,
    pub(super) territories: String,
    pub(super) territories_error: String,
    pub(super) classes: Vec<Check>,
}

impl AccountForm {
    fn with(visit: &Visit, roles: &BTreeSet<&str>, participants: &BTreeSet<&str>, classes: &BTreeSet<&str>) -> Self {
        let (t, snapshot) = (visit.texts(), visit.gateway.snapshot());
        let check = |value: &str, label: String, ticked: &BTreeSet<&str>| Check {
            value: value.to_owned(),
            label,
            checked: ticked.contains(value),
        };
        let mut named: Vec<Check> = snapshot
            .participants()
            .map(|k| check(k.participant.id.as_str(), k.participant.name.clone(), participants))
            .collect();
        named.sort_by(|a, b| a.label.cmp(&b.label));
        Self {
            login: String::new(),
            login_error: String::new(),
            name: String::new(),
            name_error: String::new(),
            roles: Role::ALL.iter().map(|r| check(r.as_str(), t.word("role", r.as_str()), roles)).collect(),
            roles_error: String::new(),
            participants: named,
            territories: String::new(),
            territories_error: String::new(),
            classes: DataClass::ALL
                .iter()
                .map(|c| check(c.as_str(), t.word("data-class", c.as_str()), classes))
                .collect(),
        }
    }

    /// For a new account.
    pub(super) fn empty(visit: &Visit) -> Self {
        Self::with(visit, &BTreeSet::new(), &BTreeSet::new(), &BTreeSet::new())
    }

    /// As the account is.
    pub(super) fn of(visit: &Visit, row: &AccountRow) -> Self {
        let roles = row.roles.iter().map(|r| r.as_str()).collect();
        let participants = row.scope.participants.iter().map(ParticipantId::as_str).collect();
        let classes = row.data_classes.iter().flatten().map(|c| c.as_str()).collect();
        let territories: Vec<&str> = row.scope.territories.iter().map(Oktmo::as_str).collect();
        Self {
            login: row.login.to_string(),
            name: row.name.clone(),
            territories: territories.join(" "),
            ..Self::with(visit, &roles, &participants, &classes)
        }
    }

    /// As it was sent, with what is wrong.
    pub(super) fn sent(visit: &Visit, fields: &Fields) -> Self {
        let all = |name: &'static str| fields.all(name).collect::<BTreeSet<&str>>();
        let mut form = Self {
            login: fields.get("login").to_lowercase(),
            name: fields.get("name").to_owned(),
            territories: fields.get("territories").to_owned(),
            ..Self::with(visit, &all("role"), &all("participant"), &all("class"))
        };
        let t = visit.texts();
        if form.login().is_none() {
            form.login_error = t.t("account-login-wrong");
        }
        if form.name().is_none() {
            form.name_error = t.t("account-name-wrong");
        }
        if form.roles.iter().all(|role| !role.checked) {
            form.roles_error = t.t("account-roles-none");
        }
        if form.territories().is_none() {
            form.territories_error = t.t("account-territories-wrong");
        }
        form
    }

    pub(super) fn login(&self) -> Option<Login> {
        Login::parse(&self.login).ok()
    }

    pub(super) fn name(&self) -> Option<Line> {
        Line::parse(&self.name).ok()
    }

    fn territories(&self) -> Option<BTreeSet<Oktmo>> {
        let codes = self.territories.split(|c: char| c.is_whitespace() || c == ',').filter(|code| !code.is_empty());
        codes.map(|code| Oktmo::parse(code).ok()).collect()
    }

    /// The rights; `None` when something is wrong with them.
    pub(super) fn access(&self) -> Option<Chosen> {
        let ticked = |checks: &[Check]| -> Vec<String> {
            checks.iter().filter(|c| c.checked).map(|c| c.value.clone()).collect()
        };
        let roles: BTreeSet<Role> = ticked(&self.roles).iter().map(|r| Role::parse(r)).collect::<Option<_>>()?;
        let participants = ticked(&self.participants);
        let participants = participants.iter().map(|p| ParticipantId::parse(p).ok()).collect::<Option<_>>()?;
        let classes = ticked(&self.classes);
        let classes: BTreeSet<DataClass> = classes.iter().map(|c| DataClass::parse(c)).collect::<Option<_>>()?;
        let scope = Scope { participants, territories: self.territories()? };
        let data_classes = (!classes.is_empty()).then_some(classes);
        (!roles.is_empty()).then_some(Chosen { roles, scope, data_classes })
    }
}
