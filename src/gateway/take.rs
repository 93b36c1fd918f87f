//! Messages from a participant's queue.

use crate::domain::TransportKind;
use crate::store::Channel;
use crate::transport::amqp::{Body, Disposition, Incoming, Queue};
use crate::transport::{Outcome, ToQueue};

use super::{Gateway, Peer};

impl Gateway {
    /// Takes a message from a participant's queue. It leaves the queue only when it is committed, or recorded as refused, and its signed
    /// answer has been confirmed by the broker.
    pub async fn take(&self, incoming: Incoming, answers: &dyn ToQueue) -> Disposition {
        let peer =
            Peer { channel: Channel::Amqp, address: None, queue: Some(incoming.participant), trace: incoming.trace };
        let reply = match incoming.body {
            Body::Whole(bytes) => self.receive(bytes, &peer).await,
            Body::TooLarge { .. } => self.refuse_too_large(&peer).await,
        };
        let (Some(to), Some(about), false) = (reply.to, reply.about, reply.bytes.is_empty()) else {
            let later = reply.status == 503;
            return if later { Disposition::RequeueLater } else { Disposition::Ack };
        };
        let uses_broker = self.snapshot().participant(&to).is_some_and(|p| p.transport == TransportKind::Amqp);
        if !uses_broker {
            return Disposition::Ack;
        }
        match answers.publish(&Queue::Receipts(to), &reply.bytes, about, peer.trace.as_ref()).await {
            Outcome::Sent { .. } => Disposition::Ack,
            // Not answered: it comes again, is found recorded, and gets the same receipt.
            Outcome::Failed { .. } | Outcome::Answered { .. } => Disposition::RequeueLater,
        }
    }
}
