//! The network of a world: it loses, repeats, delays and reorders; and at its ends the agencies' systems.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mezhved::crypto::sha256;
use mezhved::domain::{DeliveryId, Digest, MessageId, ParkReason, ParticipantId, TraceContext};
use mezhved::envelope::technical::{MailboxBatch, Receipt};
use mezhved::transport::amqp::Queue;
use mezhved::transport::http::{PlainAnswer, PlainCall};
use mezhved::transport::{Answer, Outcome, ToAddress, ToQueue};

use crate::ground::{PARTIES, Reach};
use crate::hub::{Hub, Life};
use crate::party::{Party, open};
use crate::script::Letter;
use crate::world::Out;

/// Something that a system sends until it is acknowledged.
pub(crate) struct Item {
    pub(crate) from: &'static str,
    pub(crate) letter: Option<Letter>,
    /// Written and signed when it is first sent.
    pub(crate) written: Option<Written>,
    /// The receipts that came; of a letter all must be the same.
    pub(crate) acknowledged: Option<Vec<u8>>,
    /// Refused because its time was over before any try of it was recorded: its sender sends it no more.
    pub(crate) given_up: bool,
    /// Put into the sender's own queue, which is safer than a request.
    pub(crate) queued: bool,
}

#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) id: MessageId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
}

/// A message in a participant's own queue.
pub(crate) struct Queued {
    pub(crate) tag: u64,
    pub(crate) from: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Who holds it unacknowledged.
    pub(crate) out: Option<Life>,
}

/// Everything outside of the nodes.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) parties: BTreeMap<&'static str, Party>,
    pub(crate) items: Vec<Item>,
    /// Copies that are still on their way.
    pub(crate) delayed: Vec<(&'static str, Vec<u8>)>,
    pub(crate) to: BTreeMap<&'static str, VecDeque<Vec<u8>>>,
    pub(crate) receipts: BTreeMap<&'static str, VecDeque<Vec<u8>>>,
    pub(crate) from: Vec<Queued>,
    pub(crate) tags: u64,
    /// What was pulled and is to be acknowledged.
    pub(crate) acks: BTreeMap<(&'static str, DeliveryId), Vec<u8>>,
    pub(crate) last_pull: BTreeMap<&'static str, Vec<u8>>,
    /// Every item that came out of a mailbox: repeated, it has the same bytes.
    pulled: BTreeMap<DeliveryId, Digest>,
}

pub(crate) struct Net {
    pub(crate) hub: Arc<Hub<Out>>,
    outside: Mutex<Outside>,
}

/// The static name of a participant.
pub(crate) fn known(id: &ParticipantId) -> &'static str {
    PARTIES.iter().find(|(name, ..)| *name == id.as_str()).map(|(name, ..)| *name).unwrap()
}

pub(crate) fn reach(name: &str) -> Reach {
    PARTIES.iter().find(|(n, ..)| *n == name).map(|(.., reach)| *reach).unwrap()
}

impl Net {
    pub(crate) fn new(hub: Arc<Hub<Out>>) -> Arc<Self> {
        let mut outside = Outside::default();
        for (name, ..) in PARTIES {
            outside.parties.insert(name, Party::default());
            outside.to.insert(name, VecDeque::new());
            outside.receipts.insert(name, VecDeque::new());
        }
        Arc::new(Self { hub, outside: Mutex::new(outside) })
    }

    pub(crate) fn outside(&self) -> MutexGuard<'_, Outside> {
        self.outside.lock().unwrap()
    }

    pub(crate) fn broken(&self, what: String) {
        self.hub.note(format_args!("BROKEN: {what}"));
        self.hub.state().broken.push(what);
    }

    /// A system gets a copy. Returns its signed receipt, unless nobody waits for one.
    pub(crate) fn arrive(&self, to: &'static str, bytes: &[u8], says_so_itself: bool) -> Option<Vec<u8>> {
        let mut outside = self.outside();
        let taken = {
            let mut state = self.hub.state();
            let now = state.now;
            outside.parties.get_mut(to).unwrap().take(to, bytes, &mut state.draw, now)
        };
        let (key, is_new) = match taken {
            Ok(taken) => taken,
            Err(why) => {
                self.broken(why);
                return None;
            }
        };
        let got = outside.parties[to].got[&key].clone();
        self.hub.note(format_args!("{to} gets {} {}{}", got.opened.kind(), key.1, if is_new { "" } else { " again" }));
        if !got.opened.wants_receipt() {
            return None;
        }
        if is_new && got.opened.kind() == "document-request" && !self.hub.state().draw.permille(250) {
            outside.items.push(Item {
                from: to,
                letter: Some(Letter::response(to, &got.opened.header)),
                written: None,
                acknowledged: None,
                given_up: false,
                queued: false,
            });
        }
        let is_told = outside.items.iter().any(|i| i.written.as_ref().is_some_and(|w| w.id == got.receipt_id));
        if says_so_itself && !is_told {
            let sealed = got.receipt.clone();
            let written = Written { id: got.receipt_id, bytes: sealed.bytes, digest: sealed.digest };
            outside.items.push(Item {
                from: to,
                letter: None,
                written: Some(written),
                acknowledged: None,
                given_up: false,
                queued: false,
            });
        }
        Some(got.receipt.bytes)
    }

    /// The gateway's answer to an item. `heard`: the sender gets it.
    pub(crate) fn answered(&self, index: usize, bytes: &[u8], heard: bool) {
        let mut outside = self.outside();
        let now = self.hub.state().now;
        let item = &mut outside.items[index];
        let written = item.written.clone().unwrap();
        let receipt = open(bytes, now).and_then(|opened| opened.technical::<Receipt>());
        let problem = match receipt {
            Err(why) => Some(format!("the answer to {} is no receipt: {why}", written.id)),
            Ok(r) if r.message_id != written.id || r.sender.as_str() != item.from || r.digest != written.digest => {
                Some(format!("the receipt for {} does not match its bytes", written.id))
            }
            Ok(_) if item.letter.is_some() && item.acknowledged.as_ref().is_some_and(|first| first != bytes) => {
                Some(format!("two receipts for {} differ", written.id))
            }
            Ok(_) => None,
        };
        if heard && problem.is_none() {
            item.acknowledged.get_or_insert_with(|| bytes.to_vec());
        }
        drop(outside);
        if let Some(problem) = problem {
            self.broken(problem);
        }
    }

    /// A system reads one message of its queue of answers.
    pub(crate) fn read_answer(&self, to: &'static str, bytes: &[u8]) {
        let now = self.hub.state().now;
        let opened = match open(bytes, now) {
            Ok(opened) => opened,
            Err(why) => return self.broken(format!("{to} cannot read an answer: {why}")),
        };
        if opened.kind() != "receipt" {
            if opened.kind() == "fault" {
                self.broken(format!("{to} is refused: {}", String::from_utf8_lossy(&opened.body)));
            }
            self.arrive(to, bytes, false);
            return;
        }
        let about = opened.header.in_reply_to;
        let index = {
            let outside = self.outside();
            let same = |i: &Item| i.from == to && i.written.as_ref().is_some_and(|w| Some(w.id) == about);
            outside.items.iter().position(same)
        };
        match index {
            Some(index) => {
                self.hub.note(format_args!("{to} reads the receipt for {}", about.unwrap()));
                self.answered(index, bytes, true);
            }
            None => self.broken(format!("{to} gets a receipt for what it did not send")),
        }
    }

    /// The answer to a pull.
    pub(crate) fn pulled(&self, to: &'static str, bytes: &[u8]) {
        let now = self.hub.state().now;
        let opened = match open(bytes, now) {
            Ok(opened) => opened,
            Err(why) => return self.broken(format!("{to} cannot read a batch: {why}")),
        };
        if opened.kind() == "fault" {
            // A pull that was repeated after its lease.
            self.outside().last_pull.remove(to);
            return;
        }
        let batch: MailboxBatch = match opened.technical() {
            Ok(batch) => batch,
            Err(why) => return self.broken(format!("{to} cannot read a batch: {why}")),
        };
        for item in batch.items {
            let hash = sha256(&item.envelope);
            if *self.outside().pulled.entry(item.delivery_id).or_insert(hash) != hash {
                self.broken(format!("{} was pulled again with other bytes", item.delivery_id));
            }
            self.arrive(to, &item.envelope, false);
            let mut outside = self.outside();
            let found = outside.parties[to].got.values().find(|got| got.bytes == hash);
            let receipt = found.map(|got| got.receipt.bytes.clone());
            if let Some(receipt) = receipt {
                outside.acks.insert((to, item.delivery_id), receipt);
            }
        }
    }

    fn post(&self, to: &'static str, bytes: Vec<u8>) -> Outcome {
        let (calm, odds) = {
            let state = self.hub.state();
            (state.calm, state.odds.net)
        };
        let goes_wrong = !calm && self.hub.state().draw.permille(odds);
        let how = if goes_wrong { self.hub.state().draw.below(8) } else { 8 };
        let timed_out = || Outcome::failed(ParkReason::TimedOut, "no answer in time");
        let answer = |receipt: Option<Vec<u8>>| Outcome::Sent { answer: receipt.map_or(Answer::Empty, Answer::Bytes) };
        match how {
            0 => Outcome::failed(ParkReason::Unreachable, "no way there"),
            1 => timed_out(),
            2 => {
                self.arrive(to, &bytes, false);
                timed_out()
            }
            3 => {
                self.outside().delayed.push((to, bytes));
                timed_out()
            }
            4 => {
                self.outside().delayed.push((to, bytes.clone()));
                answer(self.arrive(to, &bytes, false))
            }
            5 => Outcome::Failed {
                reason: ParkReason::PartnerError,
                detail: "HTTP 503".to_owned(),
                retry_after: Some(Duration::from_secs(2)),
            },
            6 => {
                self.arrive(to, &bytes, true);
                Outcome::SENT
            }
            7 => {
                self.arrive(to, &bytes, true);
                Outcome::Sent { answer: Answer::Unread { detail: "broke off".to_owned() } }
            }
            _ => answer(self.arrive(to, &bytes, false)),
        }
    }

    fn put(&self, queue: &Queue, bytes: &[u8]) -> Outcome {
        let (calm, odds) = {
            let state = self.hub.state();
            (state.calm, state.odds.net)
        };
        let goes_wrong = !calm && self.hub.state().draw.permille(odds);
        let how = if goes_wrong { self.hub.state().draw.below(3) } else { 3 };
        if how >= 2 {
            let mut outside = self.outside();
            let line = match queue {
                Queue::To(id) => outside.to.get_mut(known(id)),
                Queue::Receipts(id) => outside.receipts.get_mut(known(id)),
            };
            line.unwrap().push_back(bytes.to_vec());
        }
        match how {
            0 => Outcome::failed(ParkReason::BrokerAway, "no broker"),
            1 => Outcome::failed(ParkReason::BrokerRefused, "nack"),
            2 => Outcome::failed(ParkReason::TimedOut, "no confirm in time"),
            _ => Outcome::SENT,
        }
    }
}

/// A node's way into the network.
pub(crate) struct Wire {
    pub(crate) net: Arc<Net>,
    pub(crate) life: Life,
}

impl Wire {
    async fn gate(&self, what: String) {
        self.net.hub.gate(self.life, &what, None).await.unwrap();
    }
}

impl ToAddress for Wire {
    fn push<'a>(
        &'a self,
        url: &'a str,
        bytes: Vec<u8>,
        id: MessageId,
        _: Option<&'a TraceContext>,
    ) -> BoxFuture<'a, Outcome> {
        let host = url.strip_prefix("https://").unwrap().split('.').next().unwrap();
        let to = PARTIES.iter().find(|(name, ..)| *name == host).map(|(name, ..)| *name).unwrap();
        async move {
            self.gate(format!("before push of {id} to {to}")).await;
            let outcome = self.net.post(to, bytes);
            self.net.hub.note(format_args!("{} pushed {id} to {to}: {}", self.life, word(&outcome)));
            self.gate(format!("after push of {id} to {to}")).await;
            outcome
        }
        .boxed()
    }

    fn send_plain(&self, _: PlainCall) -> BoxFuture<'_, PlainAnswer> {
        unreachable!("every system of this world speaks envelopes")
    }
}

impl ToQueue for Wire {
    fn publish<'a>(
        &'a self,
        queue: &'a Queue,
        bytes: &'a [u8],
        id: MessageId,
        _: Option<&'a TraceContext>,
    ) -> BoxFuture<'a, Outcome> {
        async move {
            self.gate(format!("before publish of {id}")).await;
            let outcome = self.net.put(queue, bytes);
            self.net.hub.note(format_args!("{} published {id}: {}", self.life, word(&outcome)));
            self.gate(format!("after publish of {id}")).await;
            outcome
        }
        .boxed()
    }
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent { answer: Answer::Bytes(_) } => "receipt".to_owned(),
        Outcome::Sent { .. } => "sent".to_owned(),
        Outcome::Answered { status, .. } => format!("HTTP {status}"),
        Outcome::Failed { reason, .. } => reason.to_string(),
    }
}
