//! Numbers of documents, as people write them down and look for them.

use std::fmt;

/// The most characters of a number in a message.
const CHARS_MAX: usize = 60;

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NumberKind {
    /// Under which the sender sent its document.
    Outgoing,
    /// Under which somebody registered what came in.
    Incoming,
    /// Of the document itself, or of the one that it stands on: an application, a decision, a programme, a contract.
    Registration,
}

impl NumberKind {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Outgoing, Self::Incoming, Self::Registration];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outgoing => "outgoing",
            Self::Incoming => "incoming",
            Self::Registration => "registration",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What a child of a body's root with this name holds.
    pub(super) fn of_element(name: &str) -> Option<Self> {
        match name {
            "outgoingNumber" => Some(Self::Outgoing),
            "incomingNumber" => Some(Self::Incoming),
            "number" | "registrationNumber" | "programmeNumber" | "contractNumber" => Some(Self::Registration),
            _ => None,
        }
    }
}

/// A number without what people write differently: case, white space, `№`, kinds of dashes, `ё`, and Latin letters that look like
/// Russian ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FoldedNumber(String);

impl FoldedNumber {
    /// Folds a number; `None`: nothing is left of it, or it is longer than a number may be.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = |c: &char| !c.is_whitespace() && *c != '№';
        let folded: String = text.chars().filter(bare).flat_map(char::to_lowercase).map(folded).collect();
        (!folded.is_empty() && text.chars().count() <= CHARS_MAX).then_some(Self(folded))
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FoldedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a sign in lower case counts as.
fn folded(sign: char) -> char {
    match sign {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        'ё' => 'е',
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        for (typed, stored) in [
            ("452", "452"),
            (" № 452 ", "452"),
            ("01-17/412", "01–17/412"),
            ("исх. 15-АМ", "ИСХ.15-AM"), // the second with Latin letters
            ("Пр-Ё/7", "пр-е/7"),
            ("COX 9", "сох9"),
        ] {
            assert_eq!(FoldedNumber::parse(typed), FoldedNumber::parse(stored), "{typed}");
        }
        assert_ne!(FoldedNumber::parse("452"), FoldedNumber::parse("4520"));
        assert_ne!(FoldedNumber::parse("1-23"), FoldedNumber::parse("12-3"));
        for nothing in ["", " ", "№", &"1".repeat(61)] {
            assert_eq!(FoldedNumber::parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn words_are_parsed_back() {
        for kind in NumberKind::ALL {
            assert_eq!(NumberKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(NumberKind::parse("number"), None);
    }
}
