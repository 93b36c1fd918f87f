//! Roles, rights, and the table between them.

use std::collections::BTreeSet;
use std::fmt;

macro_rules! closed {
    ($(#[$doc:meta])* $name:ident { $($(#[$own:meta])* $variant:ident = $word:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$own])* $variant,)* }

        impl $name {
            /// Every one, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Parses the stable word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                let words: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                Self::parse(word).ok_or_else(|| format!("`{word}`: {}", words.join(", ")))
            }
        }
    };
}

closed! {
    /// What a person is in the console.
    Role {
        /// Watches deadlines and messages, and acts on them.
        Operator = "operator";
        /// Sets up participants and accounts.
        Administrator = "administrator";
        /// Looks at everything but personal data, and changes nothing.
        Auditor = "auditor";
        /// Answers for accounts and for the journal.
        SecurityOfficer = "security-officer";
    }
}

closed! {
    /// One kind of action.
    Right {
        /// The summary.
        SeeOverview = "see-overview";
        /// Obligations with their explanation and acts.
        SeeObligations = "see-obligations";
        /// Messages and conversations: headers, states, attempts; never a body.
        SeeMessages = "see-messages";
        /// Bodies, names and other personal data, each look with an entry in the journal.
        SeePersonalData = "see-personal-data";
        /// The course of cases.
        SeeCases = "see-cases";
        /// Deliveries by participant.
        SeeQueues = "see-queues";
        /// Reports and registers.
        SeeReports = "see-reports";
        /// Reminding, assigning, waiving, extending, outside acts, notes.
        ActOnObligations = "act-on-obligations";
        /// Replaying, discarding, pausing.
        ActOnQueues = "act-on-queues";
        /// Participants, regulations, calendars, adapters, as they are in force.
        SeeConfiguration = "see-configuration";
        /// Changing participants and their certificates, testing the connection.
        ConfigureParticipants = "configure-participants";
        /// The journal.
        SeeJournal = "see-journal";
        /// Taking the journal away as a file.
        ExportJournal = "export-journal";
        /// The list of accounts.
        SeeAccounts = "see-accounts";
        /// Adding accounts and changing them.
        ManageAccounts = "manage-accounts";
        /// One's own password, sessions and tokens.
        OwnAccess = "own-access";
    }
}

impl Role {
    /// The rights of the role.
    pub fn rights(self) -> &'static [Right] {
        use Right::{
            ActOnObligations, ActOnQueues, ConfigureParticipants, ExportJournal, ManageAccounts, OwnAccess,
            SeeAccounts, SeeCases, SeeConfiguration, SeeJournal, SeeMessages, SeeObligations, SeeOverview,
            SeePersonalData, SeeQueues, SeeReports,
        };
        match self {
            Self::Operator => &[
                SeeOverview,
                SeeObligations,
                SeeMessages,
                SeePersonalData,
                SeeCases,
                SeeQueues,
                SeeReports,
                ActOnObligations,
                ActOnQueues,
                SeeConfiguration,
                OwnAccess,
            ],
            Self::Administrator => &[
                SeeOverview,
                SeeObligations,
                SeeMessages,
                SeeQueues,
                SeeReports,
                ActOnQueues,
                SeeConfiguration,
                ConfigureParticipants,
                SeeJournal,
                SeeAccounts,
                ManageAccounts,
                OwnAccess,
            ],
            Self::Auditor => &[
                SeeOverview,
                SeeObligations,
                SeeMessages,
                SeeCases,
                SeeQueues,
                SeeReports,
                SeeConfiguration,
                SeeJournal,
                ExportJournal,
                SeeAccounts,
                OwnAccess,
            ],
            Self::SecurityOfficer => {
                &[SeeOverview, SeeConfiguration, SeeJournal, ExportJournal, SeeAccounts, ManageAccounts, OwnAccess]
            }
        }
    }
}

impl Right {
    /// Whether it concerns the whole region, so that a person with a part of it has it not, whatever the roles say: the configuration,
    /// the journal and the accounts are not divided by participant or territory.
    pub fn needs_the_whole(self) -> bool {
        matches!(
            self,
            Self::SeeConfiguration
                | Self::ConfigureParticipants
                | Self::SeeJournal
                | Self::ExportJournal
                | Self::SeeAccounts
                | Self::ManageAccounts
        )
    }

    /// Whether it changes anything.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::ActOnObligations
                | Self::ActOnQueues
                | Self::ConfigureParticipants
                | Self::ManageAccounts
                | Self::OwnAccess
        )
    }

    /// The rights of several roles together.
    pub fn of(roles: &BTreeSet<Role>) -> BTreeSet<Self> {
        roles.iter().flat_map(|role| role.rights()).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rights of each role as a table that a person can read: operator, administrator, auditor, security officer.
    const TABLE: [(Right, &str); 16] = [
        (Right::SeeOverview, "oads"),
        (Right::SeeObligations, "oad-"),
        (Right::SeeMessages, "oad-"),
        (Right::SeePersonalData, "o---"),
        (Right::SeeCases, "o-d-"),
        (Right::SeeQueues, "oad-"),
        (Right::SeeReports, "oad-"),
        (Right::ActOnObligations, "o---"),
        (Right::ActOnQueues, "oa--"),
        (Right::SeeConfiguration, "oads"),
        (Right::ConfigureParticipants, "-a--"),
        (Right::SeeJournal, "-ads"),
        (Right::ExportJournal, "--ds"),
        (Right::SeeAccounts, "-ads"),
        (Right::ManageAccounts, "-a-s"),
        (Right::OwnAccess, "oads"),
    ];

    #[test]
    fn every_role_has_the_rights_of_the_table() {
        assert_eq!(TABLE.map(|(right, _)| right).as_slice(), Right::ALL);
        for (right, row) in TABLE {
            for (role, sign) in Role::ALL.iter().zip(row.chars()) {
                assert_eq!(role.rights().contains(&right), sign != '-', "{role} {right}");
            }
        }
    }

    #[test]
    fn who_looks_only_changes_nothing_but_the_own_access() {
        let changes: Vec<&Right> = Role::Auditor.rights().iter().filter(|right| right.changes()).collect();
        assert_eq!(changes, [&Right::OwnAccess]);
    }

    #[test]
    fn words_are_parsed_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
        }
        for right in Right::ALL {
            assert_eq!(Right::parse(right.as_str()), Some(*right));
        }
        assert!("root".parse::<Role>().unwrap_err().contains("security-officer"));
    }
}
