//! The types of the exchange as the document describes them: each closed list once, with its words.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::access::{Right, Role};
use crate::console::{messages, obligations};
use crate::deadline::Title;
use crate::domain::{
    ActGround, ActKind, BreakerState, CaseId, ConversationId, DataClass, DeliveryId, DeliveryState, Digest, MessageId,
    ObligationId, ObligationState, Oktmo, OutsideWay, ParkReason, ParticipantId, QueueState, RecordId, RuleId,
    SettleKind, Timestamp,
};
use crate::gateway::ReportKind;
use crate::store::Channel;

/// A text.
pub(super) fn text() -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build()
}

fn formatted(format: SchemaFormat) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).format(Some(format)).build()
}

/// A UUID.
pub(super) fn id() -> Object {
    formatted(SchemaFormat::Custom("uuid".to_owned()))
}

/// A day such as `2026-11-28`.
pub(super) fn day() -> Object {
    formatted(SchemaFormat::KnownFormat(KnownFormat::Date))
}

/// A positive number up to the most lines of a page.
pub(super) fn lines() -> Object {
    let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
    number.minimum(Some(1)).maximum(Some(super::listing::LINES_MAX)).build()
}

fn instant() -> Object {
    formatted(SchemaFormat::KnownFormat(KnownFormat::DateTime))
}

fn one_of(words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words)).build()
}

macro_rules! described {
    ($($type:ident: $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema))
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )*};
}

described! {
    Timestamp: instant();
    ObligationId: id();
    RecordId: id();
    MessageId: id();
    DeliveryId: id();
    ConversationId: id();
    CaseId: id();
    ParticipantId: text();
    RuleId: text();
    Oktmo: text();
    Digest: text();
    ObligationState: states();
    DeliveryState: one_of(DeliveryState::ALL.iter().map(|w| w.as_str()));
    ParkReason: reasons();
    SettleKind: one_of(SettleKind::ALL.iter().map(|w| w.as_str()));
    ActKind: one_of(ActKind::ALL.iter().map(|w| w.as_str()));
    ActGround: one_of(ActGround::ALL.iter().map(|w| w.as_str()));
    OutsideWay: one_of(OutsideWay::ALL.iter().map(|w| w.as_str()));
    QueueState: one_of(QueueState::ALL.iter().map(|w| w.as_str()));
    BreakerState: one_of(BreakerState::ALL.iter().map(|w| w.as_str()));
    DataClass: one_of(DataClass::ALL.iter().map(|w| w.as_str()));
    Channel: one_of(Channel::ALL.iter().map(|w| w.as_str()));
    Right: one_of(Right::ALL.iter().map(|w| w.as_str()));
    Role: one_of(Role::ALL.iter().map(|w| w.as_str()));
    ReportKind: one_of(ReportKind::ALL.iter().map(|w| w.as_str()));
}

/// The states of an obligation.
pub(super) fn states() -> Object {
    one_of(ObligationState::ALL.iter().map(|w| w.as_str()))
}

/// Why a delivery was put back or parked.
pub(super) fn reasons() -> Object {
    one_of(ParkReason::ALL.iter().map(|w| w.as_str()))
}

/// The groups of obligations.
pub(super) fn groups() -> Object {
    one_of(obligations::GROUPS.map(|(_, word)| word))
}

/// The orders of obligations.
pub(super) fn orders() -> Object {
    one_of(["earliest", "latest"])
}

/// The states by which messages are asked for.
pub(super) fn message_states() -> Object {
    one_of(messages::STATES.map(|(word, _)| word))
}

/// The states of dead letters.
pub(super) fn dead_states() -> Object {
    one_of(crate::console::dead::STATES.map(DeliveryState::as_str))
}

/// A text in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Title)]
pub(super) struct Named {
    /// In Russian.
    ru: String,
    /// In English.
    en: String,
}

impl From<&Title> for Named {
    fn from(title: &Title) -> Self {
        Self { ru: title.ru.clone(), en: title.en.clone() }
    }
}
