//! What is wrong with a document, and where.

use std::fmt;

use crate::domain::FaultCode;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $fault:ident;)*) => {
        /// Which rule a document breaks: a closed list with stable codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ViolatedRule { $($(#[$doc])* $name,)* }

        impl ViolatedRule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The fault that a message with such a violation is refused with.
            pub fn fault_code(self) -> FaultCode {
                match self { $(Self::$name => FaultCode::$fault,)* }
            }
        }
    };
}

rules! {
    /// The bytes are not a document at all.
    NotWellFormed = "not-well-formed", SchemaInvalid;
    /// The XSD or JSON Schema is broken.
    Schema = "schema", SchemaInvalid;
    /// A value has white space before or after it.
    SpaceAtTheEdge = "space-at-the-edge", ContentInvalid;
    /// A СНИЛС with wrong check digits.
    SnilsCheckDigit = "snils-check-digit", ContentInvalid;
    /// Neither a СНИЛС, nor an identity document, nor a birth date with an address.
    PersonNotIdentified = "person-not-identified", ContentInvalid;
    /// A series or number has not the form of its kind of document.
    DocumentNumberForm = "document-number-form", ContentInvalid;
    /// Something ends before it begins, or was registered before it was submitted.
    DatesOutOfOrder = "dates-out-of-order", ContentInvalid;
    /// A group's case without a family.
    FamilyMissing = "family-missing", ContentInvalid;
    /// An individual case with a family.
    FamilyUnexpected = "family-unexpected", ContentInvalid;
    /// Two family members with one number.
    MemberNumberTwice = "member-number-twice", ContentInvalid;
    /// A number that no family member has.
    MemberUnknown = "member-unknown", ContentInvalid;
    /// An answer without the document or the ground that its outcome needs.
    AnswerIncomplete = "answer-incomplete", ContentInvalid;
    /// An answer with a document or a ground that its outcome excludes.
    AnswerContradictory = "answer-contradictory", ContentInvalid;
    /// A field that another field's value makes necessary is missing.
    FieldNeeded = "field-needed", ContentInvalid;
    /// A field that another field's value, or its absence, excludes.
    FieldExcluded = "field-excluded", ContentInvalid;
}

impl fmt::Display for ViolatedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl serde::Serialize for ViolatedRule {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

/// One thing that is wrong with a document. Holds no value from the document: only where and which rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The line in the validated bytes, from 1; `None` where there are no lines to speak of (a JSON value).
    pub line: Option<u32>,
    /// The element's local name, or the JSON pointer of the value; empty when the document could not be read so far.
    pub element: String,
    /// The rule.
    pub rule: ViolatedRule,
    /// What is wrong, in English.
    pub message: String,
    /// What is wrong, in Russian.
    pub ru: String,
}

impl Violation {
    /// The longest [`Violation::element`] in characters; longer names are cut.
    pub const ELEMENT_CHARS_MAX: usize = 120;
    /// How many violations one validation reports; the rest are not listed.
    pub const REPORTED_MAX: usize = 20;

    pub(crate) fn new(
        line: Option<u32>,
        element: &str,
        rule: ViolatedRule,
        ru: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let element = element.chars().take(Self::ELEMENT_CHARS_MAX).collect();
        Self { line, element, rule, message: message.into(), ru: ru.into() }
    }
}

/// `line 16, element snils: …`, in English.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        if !self.element.is_empty() {
            write!(f, "element {}: ", self.element)?;
        }
        f.write_str(&self.message)
    }
}
