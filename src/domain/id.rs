//! Identifiers. Each is parsed once at an edge and never rechecked inside.

use std::fmt;

use uuid::Uuid;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{value}`: {problem}")]
pub struct IdError {
    /// Which identifier was expected, for example `participant id`.
    pub kind: &'static str,
    /// The text that was met, cut to 80 characters.
    pub value: String,
    /// What is wrong with it and what is allowed.
    pub problem: &'static str,
}

impl IdError {
    fn new(kind: &'static str, value: &str, problem: &'static str) -> Self {
        Self { kind, value: value.chars().take(80).collect(), problem }
    }
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:expr, $problem:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Parses a ", $kind, ".")]
            ///
            /// # Errors
            /// When the text has another form; the error says which is allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(IdError::new($kind, text, $problem)) }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_code(text: &str, len_max: usize) -> bool {
    let mut bytes = text.bytes();
    text.len() <= len_max
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.ends_with('-')
}

text_newtype!(
    /// A participant of the exchange: an agency's system or the register. Lower-case Latin letters, digits and
    /// hyphens, at most 40 characters, beginning with a letter; it also names the participant's queues.
    ParticipantId, "participant id", |t| is_code(t, 40),
    "a participant id is 1 to 40 lower-case Latin letters, digits and hyphens, beginning with a letter"
);
text_newtype!(
    /// A role of a regulation, such as `uszn` or `provider`.
    RoleCode, "role", |t| is_code(t, 40),
    "a role is 1 to 40 lower-case Latin letters, digits and hyphens, beginning with a letter"
);
text_newtype!(
    /// A deadline rule of a regulation, such as `document-request`.
    RuleId, "rule id", |t| is_code(t, 60),
    "a rule id is 1 to 60 lower-case Latin letters, digits and hyphens, beginning with a letter"
);
text_newtype!(
    /// A territory by the classifier ОКТМО (OK 033-2013): 8 or 11 digits for a municipality or settlement, 2 to 7 for
    /// a prefix that covers all territories beginning with it.
    Oktmo, "OKTMO code", |t| (2..=11).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit()),
    "an OKTMO code is 2 to 11 digits"
);

text_newtype!(
    /// The name under which a person signs in: 2 to 64 lower-case Latin letters, digits, dots, hyphens, underscores and at signs,
    /// beginning with a letter or a digit.
    Login, "login", |t| (2..=64).contains(&t.len())
        && t.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_@".contains(&b)),
    "a login is 2 to 64 lower-case Latin letters, digits and . - _ @, beginning with a letter or a digit"
);
text_newtype!(
    /// One line that a person wrote: 1 to 250 characters without control characters and without spaces at its ends.
    Line, "line", |t| is_written(t, 250, |_| false),
    "one line of 1 to 250 characters is needed, without spaces at its ends"
);
text_newtype!(
    /// What a person remarked: 1 to 4000 characters, line ends allowed, other control characters not; no white space at its ends.
    Remark, "remark", |t| is_written(t, 4000, |c| c == '\n'),
    "a text of 1 to 4000 characters is needed, without white space at its ends"
);

fn is_written(text: &str, chars_max: usize, allowed: fn(char) -> bool) -> bool {
    let blank = [' ', '\t', '\n', '\r'];
    let bare = !text.is_empty() && !text.starts_with(blank) && !text.ends_with(blank);
    bare && text.chars().count() <= chars_max && text.chars().all(|c| !c.is_control() || allowed(c))
}

impl Oktmo {
    /// Whether this code, taken as a prefix, covers the other.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl ParticipantId {
    /// Stands for the citizen where something is owed to one. No participant may have this id.
    pub fn citizen() -> Self {
        Self("citizen".to_owned())
    }
}

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            #[doc = concat!("Parses a ", $kind, ": a UUID in its hyphenated lower-case form.")]
            ///
            /// # Errors
            /// When the text is not such a UUID.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let problem = "a UUID of 36 characters in lower case is needed";
                let uuid = Uuid::try_parse(text).map_err(|_| IdError::new($kind, text, problem))?;
                if uuid.hyphenated().to_string() != text {
                    return Err(IdError::new($kind, text, problem));
                }
                Ok(Self(uuid))
            }

            #[doc = concat!("Wraps a UUID as a ", $kind, ".")]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

uuid_newtype!(
    /// The sender's id of a message. Version 7, so that ids grow with time; checked by [`MessageId::is_time_ordered`].
    MessageId, "message id"
);
uuid_newtype!(
    /// A request and all that answers it.
    ConversationId, "conversation id"
);
uuid_newtype!(
    /// One citizen's or family's accompaniment, from application to end.
    CaseId, "case id"
);
uuid_newtype!(
    /// One message on its way to one participant.
    DeliveryId, "delivery id"
);
uuid_newtype!(
    /// A message as the gateway recorded it (the sender's [`MessageId`] is unique only with the sender).
    RecordId, "record id"
);
uuid_newtype!(
    /// A person's account in the console.
    AccountId, "account id"
);
uuid_newtype!(
    /// A personal token of an account, for scripts.
    TokenId, "token id"
);
uuid_newtype!(
    /// One obligation.
    ObligationId, "obligation id"
);
uuid_newtype!(
    /// One step of the ladder for one address.
    NotificationId, "notification id"
);
uuid_newtype!(
    /// What goes over the wire to one address: one notification, or a digest of many.
    MailingId, "mailing id"
);

impl MessageId {
    /// Whether this is a UUID of version 7, the only kind an envelope may carry.
    pub fn is_time_ordered(self) -> bool {
        self.0.get_version_num() == 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn participant_ids() {
        for good in ["health", "uszn-surgut", "a", "mvd2"] {
            assert!(ParticipantId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Health", "-a", "a-", "здрав", "a.b", "1a", &"a".repeat(41)] {
            assert!(ParticipantId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_people_write_is_bounded_and_cannot_steer_a_terminal() {
        for (text, line, remark) in [
            ("Звонок дежурной части", true, true),
            ("x", true, true),
            ("а\nб", false, true),
            ("", false, false),
            (" x", false, false),
            ("x\n", false, false),
            ("x\u{1b}[2Jx", false, false),
            ("x\u{9b}x", false, false),
            (&"ы".repeat(250), true, true),
            (&"ы".repeat(251), false, true),
            (&"ы".repeat(4001), false, false),
        ] {
            assert_eq!((Line::parse(text).is_ok(), Remark::parse(text).is_ok()), (line, remark), "{text:?}");
        }
    }

    #[test]
    fn uuids_have_one_spelling() {
        assert!(MessageId::parse("01931f6e-7a00-7000-8000-000000000001").is_ok_and(MessageId::is_time_ordered));
        assert!(MessageId::parse("01931F6E-7A00-7000-8000-000000000001").is_err());
        assert!(MessageId::parse("01931f6e7a0070008000000000000001").is_err());
    }

    #[test]
    fn a_prefix_covers_its_territories() {
        let region = Oktmo::parse("718").unwrap();
        assert!(region.covers(&Oktmo::parse("71876000").unwrap()));
        assert!(!region.covers(&Oktmo::parse("66701000").unwrap()));
    }
}
