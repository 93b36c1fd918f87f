//! How sensitive personal data are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How sensitive a document's content is. A route or adapter carries only the classes that it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataClass {
    /// Ordinary personal data.
    General,
    /// State of health (special category, 152-FZ article 10).
    Health,
    /// Criminal record and offences (152-FZ article 10 part 3).
    CriminalRecord,
    /// The secret of adoption (Family Code article 139).
    Adoption,
    /// Data on minors.
    Minors,
}

impl DataClass {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::General, Self::Health, Self::CriminalRecord, Self::Adoption, Self::Minors];

    /// The stable word of the code list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Health => "health",
            Self::CriminalRecord => "criminal-record",
            Self::Adoption => "adoption",
            Self::Minors => "minors",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }

    /// Classes as words with a comma between them, for people.
    pub fn words<'c>(classes: impl IntoIterator<Item = &'c Self>) -> String {
        classes.into_iter().map(|class| class.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Parses stable words with white space between them; `None` when one is no class.
    pub fn parse_set(words: &str) -> Option<BTreeSet<Self>> {
        words.split_whitespace().map(Self::parse).collect()
    }
}
