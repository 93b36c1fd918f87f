//! What a node tells a collector of a message's way: one span for each step, under the trace that its sender began.
//!
//! | span | from | to | under |
//! |---|---|---|---|
//! | `accept` | a document's last byte | its signed answer | the sender's span |
//! | `queue` | the acceptance | the first claim | `accept` |
//! | `deliver` | a claim | what the attempt came to; one each attempt | `accept` |
//! | `receipt` | the partner's word is here | it is verified and settled | `deliver`, or `accept` when it comes by itself |
//!
//! The context that what follows belongs under is stored with the message, so that a step on another node, or after a week, finds it.
//! Spans hold ids, codes and counts that are set here one by one; nothing is taken from log lines or bodies. Without a collector there is
//! no span, and the sender's context is passed on as it came.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use tracing::{Instrument as _, info_span};

use crate::domain::{MessageId, ParticipantId, Timestamp, TraceContext, TransportKind};
use crate::store::{Channel, Claimed, MessageRow};

use super::dispatch::{Dispatcher, held};
use super::receive::Prepared;
use super::{Gateway, Peer, Reply};

/// Where spans go; by default nowhere.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    tracer: Option<SdkTracer>,
}

impl Traces {
    /// Spans go to whatever this tracer was made for.
    pub fn to(tracer: SdkTracer) -> Self {
        Self { tracer: Some(tracer) }
    }

    fn begin(&self, name: &'static str, kind: SpanKind, parent: Option<&TraceContext>, at: Timestamp) -> Option<Step> {
        let tracer = self.tracer.as_ref()?;
        let builder = SpanBuilder::from_name(name).with_kind(kind).with_start_time(instant(at));
        let over = match parent {
            Some(parent) => Context::new().with_remote_span_context(remote(parent)),
            None => Context::new(),
        };
        let span = tracer.build_with_context(builder, &over);
        let context = context_of(span.span_context())?;
        Some(Step { span, context })
    }
}

/// A step of a message that a collector will be told of.
pub(super) struct Step {
    span: Span,
    context: TraceContext,
}

impl Step {
    fn id(&mut self, key: &'static str, id: impl ToString) {
        if self.span.is_recording() {
            self.span.set_attribute(KeyValue::new(key, id.to_string()));
        }
    }

    fn message(&mut self, message: &MessageRow) {
        self.id("mezhved.message_id", message.message_id);
        self.id("mezhved.record_id", message.record_id);
        self.id("mezhved.sender", &message.sender);
        self.id("mezhved.recipient", &message.recipient);
        self.id("mezhved.type", &message.message_type);
    }

    fn end(mut self, at: Timestamp) {
        self.span.end_with_timestamp(instant(at));
    }
}

impl Gateway {
    /// Begins `accept`, for a document whose last byte is here. With the peer under whose context the rest goes on.
    pub(super) fn begin_accept(&self, peer: &Peer) -> Option<(Step, Peer)> {
        let kind = match peer.channel {
            Channel::Amqp => SpanKind::Consumer,
            Channel::Http | Channel::Plain => SpanKind::Server,
            Channel::Internal => SpanKind::Internal,
        };
        let mut step = self.inner.traces.begin("accept", kind, peer.trace.as_ref(), self.clock().now())?;
        step.id("mezhved.channel", Self::channel_word(peer.channel));
        let trace = Some(step.context.clone());
        Some((step, Peer { trace, ..peer.clone() }))
    }

    /// Ends it: whose document it was, where a signature was verified, and the code of the fault, if it is one.
    pub(super) fn end_accept(&self, mut step: Step, reply: &Reply) {
        if let Some((sender, id)) = reply.to.as_ref().zip(reply.about) {
            step.id("mezhved.sender", sender);
            step.id("mezhved.message_id", id);
        }
        if let Some(code) = reply.code {
            step.id("mezhved.fault", code.code());
        }
        step.end(self.clock().now());
    }

    /// The same for a participant without envelopes.
    pub(super) fn end_accept_plain(
        &self,
        mut step: Step,
        sender: &ParticipantId,
        outcome: Result<MessageId, &'static str>,
    ) {
        step.id("mezhved.sender", sender);
        match outcome {
            Ok(id) => step.id("mezhved.message_id", id),
            Err(code) => step.id("mezhved.fault", code),
        }
        step.end(self.clock().now());
    }

    /// Tells how long a delivery lay until its first claim, and begins `deliver`.
    fn begin_deliver(&self, claimed: &Claimed) -> Option<Step> {
        let (traces, message) = (&self.inner.traces, &claimed.message);
        traces.tracer.as_ref()?;
        let now = self.clock().now();
        let waited = (claimed.attempt == 1).then(|| {
            let began = message.accepted_at.min(now);
            traces.begin("queue", SpanKind::Internal, message.trace.as_ref(), began)
        });
        if let Some(mut waited) = waited.flatten() {
            waited.message(message);
            waited.id("mezhved.delivery_id", claimed.delivery_id);
            waited.end(now);
        }
        let kind = self.snapshot().participant(&claimed.recipient).map(|p| match p.transport {
            TransportKind::Http { .. } => SpanKind::Client,
            TransportKind::Amqp | TransportKind::Mailbox => SpanKind::Producer,
        });
        let kind = kind.unwrap_or(SpanKind::Internal);
        let mut step = traces.begin("deliver", kind, message.trace.as_ref(), now)?;
        step.message(message);
        step.id("mezhved.delivery_id", claimed.delivery_id);
        step.id("mezhved.attempt", claimed.attempt);
        Some(step)
    }

    /// Tells of a partner's word about a message: `receipt`, `fault`, or `none` when it is neither. It began to be read at `began`.
    pub(super) fn tell_receipt(&self, about: &MessageRow, word: &'static str, began: Timestamp) {
        let parent = about.trace.as_ref();
        let Some(mut step) = self.inner.traces.begin("receipt", SpanKind::Internal, parent, began) else { return };
        step.message(about);
        step.id("mezhved.word", word);
        step.end(self.clock().now());
    }
}

impl Prepared {
    /// The same, with what is recorded standing here in a trace.
    pub(super) fn under(mut self, trace: Option<&TraceContext>) -> Self {
        if let (Self::Accept { accept, .. }, Some(trace)) = (&mut self, trace) {
            accept.made.iter_mut().chain([&mut accept.message]).for_each(|m| m.trace = Some(trace.clone()));
        }
        self
    }
}

impl Dispatcher {
    /// Works on a delivery as one step of its message.
    pub(super) async fn traced(&self, mut claimed: Claimed, way: held::Way) {
        let step = self.gateway.begin_deliver(&claimed);
        if let Some(step) = &step {
            claimed.message.trace = Some(step.context.clone());
        }
        let lines = log_span(claimed.message.trace.as_ref());
        let came_to = self.work(claimed, way).instrument(lines).await;
        let Some(mut step) = step else { return };
        if let Some((state, reason)) = came_to {
            step.id("mezhved.state", state);
            if let Some(reason) = reason {
                step.id("mezhved.reason", reason);
            }
        }
        step.end(self.gateway.clock().now());
    }
}

/// What log lines about a message stand in, so that each of them names its trace; nothing for a message without one.
pub(super) fn log_span(trace: Option<&TraceContext>) -> tracing::Span {
    match trace {
        Some(trace) => info_span!("trace", trace_id = trace.trace_text()),
        None => tracing::Span::none(),
    }
}

fn instant(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.micros()).unwrap_or_default())
}

fn remote(context: &TraceContext) -> SpanContext {
    let state = context.state().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let (trace, span) = (context.trace().to_be_bytes(), context.span().to_be_bytes());
    let flags = TraceFlags::new(context.flags());
    SpanContext::new(TraceId::from_bytes(trace), SpanId::from_bytes(span), flags, true, state)
}

fn context_of(own: &SpanContext) -> Option<TraceContext> {
    let (trace, span) = (u128::from_be_bytes(own.trace_id().to_bytes()), u64::from_be_bytes(own.span_id().to_bytes()));
    let state = own.trace_state().header();
    TraceContext::new(trace, span, own.trace_flags().to_u8(), Some(state.as_str()))
}
