//! Bodies of the messages as Rust types: one struct for each message type and version, with a strict reader and a writer.
//!
//! [`Body`] is any of them. Fields, their order and their docs are those of `schemas/social/<type>/<version>`; `content.rs` says how a type
//! is declared. A new version is a `message!` in the file of its theme and a line in the list below; `tests.rs` fails while one is missing.
//!
//! Reading is strict about elements, their order, their number, their namespace and the form of their text. What a schema says of the whole
//! (one thing once, one date after another) is [`crate::schema`]'s; a body that was read need not be valid, and the gateway never takes one
//! for valid because it was read.

pub mod beginning;
pub mod codes;
mod content;
pub mod course;
pub mod inquiry;
pub mod people;
pub mod programme;
pub mod reports;
#[cfg(test)]
mod tests;
mod values;

use crate::domain::MessageType;
use crate::xml::{Node, WriteError};

pub use content::{Message, Misread};
pub use values::{
    AddressPart, Change, Confirmed, Count, CuratorId, DocumentNumber, DocumentSeries, Email, FieldName, FigureValue,
    FormError, Instant, Line, MemberNumber, Month, NamePart, Number, Oktmo, Phone, PostalCode, Quarter, Snils, Text,
    Version, Year,
};

macro_rules! bodies {
    ($($theme:ident: $($name:ident),*;)*) => {
        /// A body of any type and version.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body { $($(#[doc = concat!("See [`", stringify!($theme), "::", stringify!($name), "`].")] $name(Box<$theme::$name>),)*)* }

        impl Body {
            /// Every type and version that has a struct, by name and version.
            pub const KINDS: &'static [(&'static str, u32)] =
                &[$($((<$theme::$name as Message>::NAME, <$theme::$name as Message>::VERSION),)*)*];

            /// Reads a body of this type from its root element; `None` when no struct is known for the type.
            ///
            /// # Errors
            /// When it is another message, or anything in it is unknown, missing, out of order or of another form.
            pub fn read(kind: &MessageType, root: Node<'_>) -> Option<Result<Self, Misread>> {
                match (kind.name.as_str(), kind.version) {
                    $($((<$theme::$name as Message>::NAME, <$theme::$name as Message>::VERSION) => {
                        Some($theme::$name::read(root).map(Self::from))
                    })*)*
                    _ => None,
                }
            }

            /// Its type.
            pub fn kind(&self) -> MessageType {
                match self { $($(Self::$name(_) => $theme::$name::kind(),)*)* }
            }

            /// Writes it.
            ///
            /// # Errors
            /// When a value has a character that XML cannot carry.
            pub fn write(&self) -> Result<Vec<u8>, WriteError> {
                match self { $($(Self::$name(body) => body.write(),)*)* }
            }
        }
    };
}

bodies! {
    beginning: IdentificationNotice, Application, Application2, NeedsAssessment, Decision, Consent;
    inquiry: DocumentRequest, DocumentResponse, RequestWithdrawal, InformationRequest, InformationResponse,
        DatabankQuery, DatabankAnswer, DatabankEntry;
    programme: Programme, Programme2, ProgrammeRemarks, MeasureMark, Contract, Curator, LevelChange, Extension;
    course: EffectivenessAssessment, GroupConclusion, FamilyRefusal, PersonalDataChange, RightsViolation,
        CaseHandover, TerminationRequest, Termination, Termination2;
    reports: ProgressReport, ProvisionAct, GuardianshipReport, MinistryReport, QuarterlyAnalysis, YearlySummary,
        Statistics, Proposal, Note;
}
