//! Floor 1: the words of the field.
//!
//! Identifiers, participants, messages, cases, obligations, deliveries, faults and instants, as types
//! that cannot hold a wrong value. Nothing here does I/O, reads a clock or knows of XML or SQL.

mod chain;
mod data_class;
mod delivery;
mod digest;
mod fault;
mod fault_ru;
mod framing;
mod id;
pub mod media_type;
mod message;
mod notification;
mod obligation;
mod participant;
mod queue;
mod time;
mod trace;

pub use chain::chain;
pub use data_class::DataClass;
pub use delivery::{DeliveryState, ParkReason};
pub use digest::{Digest, DigestError};
pub use fault::{Fault, FaultClass, FaultCode};
pub use framing::{Framing, Plain, PlainAuth, PlainMethod};
pub use id::{
    AccountId, CaseId, ConversationId, DeliveryId, IdError, Line, Login, MailingId, MessageId, NotificationId,
    ObligationId, Oktmo, ParticipantId, RecordId, Remark, RoleCode, RuleId, TokenId,
};
pub use message::{Attachment, Header, MessageType, Priority, Technical, Via};
pub use notification::{NotificationChannel, NotificationStage, NotificationState};
pub use obligation::{ActGround, ActKind, ObligationState, OutsideWay, SettleKind};
pub use participant::{Contact, NoticesWanted, Participant, RoleHolding, TransportKind};
pub use queue::{BreakerState, QueueState};
pub use time::{Timestamp, Zone};
pub use trace::TraceContext;
