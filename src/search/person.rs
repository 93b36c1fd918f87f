//! People: what is looked for is folded first, then hashed under the installation's key.

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDate;

use super::{Finds, FoldedNumber, NumberKind};
use crate::crypto::{CryptoError, hmac_sha256};
use crate::domain::Digest;
use crate::schema::snils_is_valid;

/// Between the parts of what is hashed: no value has it.
const SEPARATOR: char = '\u{1f}';

/// By what somebody is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PersonKind {
    /// СНИЛС.
    Snils,
    /// Family name, given name, date of birth.
    Name,
    /// The same with the patronymic.
    FullName,
}

impl PersonKind {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snils => "snils",
            Self::Name => "name",
            Self::FullName => "full-name",
        }
    }
}

/// Somebody, as looked for: folded. `Debug` shows no value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    kind: PersonKind,
    value: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Person {
    /// By СНИЛС, with or without spaces and hyphens; `None` when it is none, or its check digits are wrong.
    pub fn by_snils(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)).collect();
        if digits.len() != 11 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let part = |from, to| digits.get(from..to).unwrap_or_default();
        let written = format!("{}-{}-{} {}", part(0, 3), part(3, 6), part(6, 9), part(9, 11));
        snils_is_valid(&written).then_some(Self { kind: PersonKind::Snils, value: digits })
    }

    /// By name and date of birth; `None` when the family name or the given name is empty.
    pub fn by_name(family: &str, given: &str, patronymic: Option<&str>, birth: NaiveDate) -> Option<Self> {
        let (family, given) = (name(family), name(given));
        let patronymic = patronymic.map(name).filter(|own| !own.is_empty());
        if family.is_empty() || given.is_empty() {
            return None;
        }
        let kind = if patronymic.is_some() { PersonKind::FullName } else { PersonKind::Name };
        let mut value = format!("{family}{SEPARATOR}{given}{SEPARATOR}");
        if let Some(patronymic) = patronymic {
            value.push_str(&patronymic);
            value.push(SEPARATOR);
        }
        value.push_str(&birth.format("%Y-%m-%d").to_string());
        Some(Self { kind, value })
    }

    /// By what it is.
    pub fn kind(&self) -> PersonKind {
        self.kind
    }
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// A part of a name without what people write differently: case, `ё`, the space or hyphen of a double name, kinds of apostrophes.
fn name(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut between = false;
    for sign in text.chars().flat_map(char::to_lowercase) {
        if sign.is_whitespace() || is_dash(sign) {
            between = !folded.is_empty();
            continue;
        }
        // Letters that came in two pieces.
        match sign {
            '\u{308}' if folded.ends_with('е') => continue,
            '\u{306}' if folded.ends_with('и') => {
                folded.pop();
                folded.push('й');
                continue;
            }
            _ => {}
        }
        if std::mem::take(&mut between) {
            folded.push(' ');
        }
        folded.push(match sign {
            'ё' => 'е',
            '’' | 'ʼ' | '`' => '\'',
            other => other,
        });
    }
    folded
}

/// What of somebody stands in the index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonMark {
    /// By what.
    pub kind: PersonKind,
    /// The keyed hash.
    pub hash: Digest,
}

/// What a message is found by, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Numbers of documents.
    pub numbers: BTreeSet<(NumberKind, FoldedNumber)>,
    /// People.
    pub people: BTreeSet<PersonMark>,
}

/// The secret under which people are hashed: one for the installation. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchKey([u8; 32]);

impl fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchKey")
    }
}

impl SearchKey {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What stands in the index of somebody.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn mark(&self, person: &Person) -> Result<PersonMark, CryptoError> {
        let said = format!("{}{SEPARATOR}{}", person.kind.as_str(), person.value);
        let hash: [u8; 32] = hmac_sha256(&self.0, said.as_bytes())?
            .try_into()
            .map_err(|_| CryptoError::Library("an HMAC of another length".to_owned()))?;
        Ok(PersonMark { kind: person.kind, hash: Digest::from_bytes(hash) })
    }

    /// What a message is found by, as it is stored.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn marks(&self, finds: Finds) -> Result<Marks, CryptoError> {
        let people = finds.people.iter().map(|person| self.mark(person)).collect::<Result<_, _>>()?;
        Ok(Marks { numbers: finds.numbers, people })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn born() -> NaiveDate {
        "1948-01-09".parse().unwrap()
    }

    #[test]
    fn a_snils_is_its_digits_with_the_right_check_number() {
        let known = Person::by_snils("112-233-445 95");
        assert!(known.is_some());
        for same in ["11223344595", "112 233 445 95", " 112-233-445-95 ", "112–233–445 95"] {
            assert_eq!(Person::by_snils(same), known, "{same}");
        }
        for wrong in ["", "112-233-445 94", "112-233-445 9", "112-233-445 950", "112-233-44Б 95", "١١٢٢٣٣٤٤٥٩٥"]
        {
            assert_eq!(Person::by_snils(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        let person = |family: &str, given: &str| Person::by_name(family, given, None, born());
        for (typed, stored) in [
            (("ОБРАЗЦОВ", "пётр"), ("Образцов", "Петр")),
            ((" Образцов ", "Пе\u{308}тр"), ("Образцов", "Пётр")),
            (("Иванова Петрова", "Анна Мария"), ("Иванова-Петрова", "Анна-Мария")),
            (("Иванова - Петрова", "Анна"), ("Иванова–Петрова", "Анна")),
            (("Николаи\u{306}", "Сергеи\u{306}"), ("Николай", "Сергей")),
            (("О’Нил", "Шон"), ("О'Нил", "Шон")),
        ] {
            assert!(person(typed.0, typed.1).is_some());
            assert_eq!(person(typed.0, typed.1), person(stored.0, stored.1), "{typed:?}");
        }
        // Nothing of one part runs into the next.
        assert_ne!(person("Иванова Анна", "Мария"), person("Иванова", "Анна Мария"));
        assert_ne!(person("Иванова", "Анна"), Person::by_name("Иванова", "Анна", Some("Петровна"), born()));
        assert_eq!(person("Иванова", "Анна"), Person::by_name("Иванова", "Анна", Some(" "), born()));
        let other = Person::by_name("Образцов", "Пётр", None, born().succ_opt().unwrap());
        assert_ne!(person("Образцов", "Пётр"), other);
        for (family, given) in [("", "Анна"), ("Иванова", " - ")] {
            assert_eq!(person(family, given), None, "{family} {given}");
        }
    }

    #[test]
    fn a_hash_depends_on_the_key_and_nothing_shows_a_value() {
        let person = Person::by_name("Образцов", "Пётр", None, born()).unwrap();
        let (one, other) = (SearchKey::new([1; 32]), SearchKey::new([2; 32]));
        assert_eq!(one.mark(&person), one.mark(&person));
        assert_ne!(one.mark(&person), other.mark(&person));
        // Reckoned with Python: hmac.new(bytes([1]) * 32, "name\x1fобразцов\x1fпетр\x1f1948-01-09".encode(), "sha256").
        let expected = "cc9f9980fba2272730622b4c193d1b2869d1f88807ad6b08a30d07573386d5df";
        assert_eq!(one.mark(&person).unwrap().hash.to_string(), expected);
        let shown = format!("{person:?} {one:?}");
        assert!(!shown.contains("образцов") && !shown.contains("1, 1"), "{shown}");
    }
}
