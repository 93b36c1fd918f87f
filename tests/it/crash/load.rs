//! Senders that repeat what was not acknowledged, with the same id and bytes, as a partner's system does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::world::{RUNTIME, Wire};

const SENDERS: usize = 16;

struct Shared {
    messages: Vec<Vec<u8>>,
    receipts: Mutex<BTreeMap<usize, Vec<u8>>>,
    waiting: Mutex<VecDeque<usize>>,
    acknowledged: AtomicUsize,
    failed_tries: AtomicUsize,
}

/// Many messages on their way to the gateway.
pub(super) struct Load {
    shared: Arc<Shared>,
    wire: watch::Sender<Wire>,
    senders: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts sending.
    pub(super) fn start(messages: Vec<Vec<u8>>, wire: Wire) -> Self {
        let shared = Shared {
            waiting: Mutex::new((0..messages.len()).collect()),
            messages,
            receipts: Mutex::default(),
            acknowledged: AtomicUsize::new(0),
            failed_tries: AtomicUsize::new(0),
        };
        let shared = Arc::new(shared);
        let wire = watch::Sender::new(wire);
        let senders = (0..SENDERS).map(|_| RUNTIME.spawn(send(shared.clone(), wire.subscribe()))).collect();
        Self { shared, wire, senders }
    }

    /// How many messages there are.
    pub(super) fn count(&self) -> usize {
        self.shared.messages.len()
    }

    /// How many messages have a verified receipt.
    pub(super) fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::Acquire)
    }

    /// How many tries ended without an answer.
    pub(super) fn failed_tries(&self) -> usize {
        self.shared.failed_tries.load(Ordering::Acquire)
    }

    /// The first messages that have a receipt, so many of them, each with it.
    pub(super) fn receipted(&self, count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let receipts = self.shared.receipts.lock().unwrap();
        receipts.iter().take(count).map(|(index, r)| (self.shared.messages[*index].clone(), r.clone())).collect()
    }

    /// The gateway is back, maybe elsewhere.
    pub(super) fn go_on(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// Waits for the senders, which end when nothing is left; a sender that panicked fails the test.
    pub(super) fn finish(self) {
        for sender in self.senders {
            RUNTIME.block_on(sender).unwrap();
        }
    }
}

async fn send(shared: Arc<Shared>, mut wire: watch::Receiver<Wire>) {
    loop {
        let next = shared.waiting.lock().unwrap().pop_front();
        let Some(index) = next else {
            // Others may still give something back.
            if shared.acknowledged.load(Ordering::Acquire) == shared.messages.len() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let now = wire.borrow_and_update().clone();
        match now.post("/v1/messages", shared.messages[index].clone()).await {
            Ok(answer) if answer.status == 200 => {
                answer.receipt();
                shared.receipts.lock().unwrap().insert(index, answer.bytes);
                shared.acknowledged.fetch_add(1, Ordering::AcqRel);
            }
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{}", answer.text());
                shared.waiting.lock().unwrap().push_back(index);
            }
            Err(error) => {
                eprintln!("a try without an answer: {error:?}");
                shared.failed_tries.fetch_add(1, Ordering::AcqRel);
                shared.waiting.lock().unwrap().push_back(index);
                // Until it is said where the gateway is now; an error of the old one after that is tried again at once.
                tokio::time::timeout(std::time::Duration::from_secs(60), wire.changed()).await.ok();
            }
        }
    }
}
