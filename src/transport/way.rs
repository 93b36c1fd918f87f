//! What dispatch asks of a transport, apart from how it does it: a simulation puts a network of its own in the place of sockets.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::domain::{MessageId, TraceContext};

use super::Outcome;
use super::amqp::{Amqp, Queue};
use super::http::{PlainAnswer, PlainCall, Push};

/// Hands bytes to an address.
pub trait ToAddress: Send + Sync {
    /// One attempt, as [`Push::push`] has it.
    fn push<'a>(
        &'a self,
        url: &'a str,
        bytes: Vec<u8>,
        id: MessageId,
        trace: Option<&'a TraceContext>,
    ) -> BoxFuture<'a, Outcome>;

    /// One attempt to hand over a request without an envelope, as [`Push::send_plain`] has it.
    fn send_plain(&self, call: PlainCall) -> BoxFuture<'_, PlainAnswer>;

    /// What looks at an address step by step, if this goes over sockets.
    fn looker(&self) -> Option<&Push> {
        None
    }
}

/// Puts bytes into a participant's queue.
pub trait ToQueue: Send + Sync {
    /// One attempt, up to the broker's confirm, as [`Amqp::publish`] has it.
    fn publish<'a>(
        &'a self,
        queue: &'a Queue,
        bytes: &'a [u8],
        id: MessageId,
        trace: Option<&'a TraceContext>,
    ) -> BoxFuture<'a, Outcome>;

    /// What looks at the broker, if this is one.
    fn looker(&self) -> Option<&Amqp> {
        None
    }
}

impl ToAddress for Push {
    fn push<'a>(
        &'a self,
        url: &'a str,
        bytes: Vec<u8>,
        id: MessageId,
        trace: Option<&'a TraceContext>,
    ) -> BoxFuture<'a, Outcome> {
        Self::push(self, url, bytes, id, trace).boxed()
    }

    fn send_plain(&self, call: PlainCall) -> BoxFuture<'_, PlainAnswer> {
        Self::send_plain(self, call).boxed()
    }

    fn looker(&self) -> Option<&Push> {
        Some(self)
    }
}

impl ToQueue for Amqp {
    fn publish<'a>(
        &'a self,
        queue: &'a Queue,
        bytes: &'a [u8],
        id: MessageId,
        trace: Option<&'a TraceContext>,
    ) -> BoxFuture<'a, Outcome> {
        Self::publish(self, queue, bytes, id, trace).boxed()
    }

    fn looker(&self) -> Option<&Amqp> {
        Some(self)
    }
}
