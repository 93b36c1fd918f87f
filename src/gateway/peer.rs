//! Where a document came from.

use std::net::IpAddr;

use crate::domain::{ParticipantId, TraceContext};
use crate::store::Channel;

/// Where bytes came from.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The channel.
    pub channel: Channel,
    /// The address, over HTTP.
    pub address: Option<IpAddr>,
    /// The owner of the queue, over the broker.
    pub queue: Option<ParticipantId>,
    /// Where in a trace it says that it belongs.
    pub trace: Option<TraceContext>,
}

impl Peer {
    pub(super) fn name(&self) -> String {
        match (&self.queue, self.address) {
            (Some(queue), _) => format!("queue of {queue}"),
            (None, Some(address)) => address.to_string(),
            (None, None) => "unknown".to_owned(),
        }
    }
}
