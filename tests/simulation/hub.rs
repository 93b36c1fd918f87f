//! The one hand that holds everything: at each gate it lets pass, holds, breaks or kills, as the seed says.
//!
//! Only one thing of a world moves at a time. It moves until it ends or is held at a gate, and then the script says what moves next; so
//! the order of everything is drawn, and the same seed draws the same. Held at gates lie many things at once: that is how a lease ends
//! under a worker, and how a copy overtakes its original.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use mezhved::domain::Timestamp;
use mezhved::store::{Fate, Faults, Step, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::draw::Draw;
use crate::ground::begins;

/// What the driver hears.
pub(crate) enum Event<O> {
    /// Something is held.
    Held,
    /// A node died.
    Died,
    /// An actor came to its end.
    Done(u64, O),
}

/// A node's life: its place and which start it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) node: usize,
    pub(crate) start: u32,
}

impl std::fmt::Display for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", ["a", "b", "c"][self.node], self.start)
    }
}

struct Held {
    life: Life,
    /// Before a write: what may share a transaction with others.
    asks: bool,
    release: oneshot::Sender<()>,
}

/// How often things go wrong, of a thousand; drawn for each world.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Odds {
    pub(crate) hold: usize,
    pub(crate) away: usize,
    pub(crate) lost: usize,
    pub(crate) full: usize,
    pub(crate) unknown: usize,
    pub(crate) kill: usize,
    pub(crate) net: usize,
}

pub(crate) struct State {
    pub(crate) draw: Draw,
    pub(crate) odds: Odds,
    pub(crate) now: Timestamp,
    /// Nothing goes wrong any more.
    pub(crate) calm: bool,
    /// So many answers of the writer are held, whatever is drawn: they came out of one transaction.
    forced: usize,
    dead: BTreeMap<usize, u32>,
    held: BTreeMap<u64, Held>,
    next: u64,
    pub(crate) trace: Vec<String>,
    pub(crate) broken: Vec<String>,
}

pub(crate) struct Hub<O> {
    state: Mutex<State>,
    events: mpsc::UnboundedSender<Event<O>>,
}

impl<O> std::fmt::Debug for Hub<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}

enum Passing {
    Go,
    Fail(StoreError),
    Hold(oneshot::Receiver<()>),
    Dead,
}

impl<O: Send + 'static> Hub<O> {
    pub(crate) fn new(seed: u64) -> (Arc<Self>, mpsc::UnboundedReceiver<Event<O>>) {
        let (events, heard) = mpsc::unbounded_channel();
        let mut draw = Draw::new(seed);
        // Some worlds are calm in one way and wild in another: faults that hide each other are told apart.
        let mut some = |most: i64| if draw.permille(250) { 0 } else { usize::try_from(draw.between(1, most)).unwrap() };
        let odds = Odds {
            hold: some(350) + 50,
            away: some(30),
            lost: some(60),
            full: some(20),
            unknown: some(60),
            kill: some(20),
            net: some(500),
        };
        let state = State {
            draw,
            odds,
            now: begins(),
            calm: false,
            forced: 0,
            dead: BTreeMap::new(),
            held: BTreeMap::new(),
            next: 0,
            trace: Vec::new(),
            broken: Vec::new(),
        };
        (Arc::new(Self { state: Mutex::new(state), events }), heard)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn tell(&self, event: Event<O>) {
        // Nobody listens to what a world does after its end.
        drop(self.events.send(event));
    }

    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        let mut state = self.state();
        let mut line = String::new();
        write!(line, "{:>12} {text}", state.now.since(begins()) / 1_000).unwrap();
        state.trace.push(line);
    }

    pub(crate) fn is_dead(&self, life: Life) -> bool {
        self.state().dead.get(&life.node).is_some_and(|start| *start >= life.start)
    }

    pub(crate) fn kill(&self, life: Life) {
        let mut state = self.state();
        state.dead.insert(life.node, life.start);
        // What it held is dropped, and never goes on.
        state.held.retain(|_, held| held.life != life);
    }

    /// The numbers of what is held.
    pub(crate) fn held(&self) -> Vec<u64> {
        self.state().held.keys().copied().collect()
    }

    /// Writes of one node that are held before the writer knows of them; none where there is but one.
    pub(crate) fn asking(&self, node: usize) -> Vec<u64> {
        let state = self.state();
        let asking: Vec<u64> =
            state.held.iter().filter(|(_, h)| h.asks && h.life.node == node).map(|(n, _)| *n).collect();
        if asking.len() < 2 { Vec::new() } else { asking }
    }

    /// Lets go what is held under these numbers, and holds the writer's answers if they are several.
    pub(crate) fn release(&self, numbers: &[u64]) {
        let mut state = self.state();
        state.forced = if numbers.len() > 1 { numbers.len() } else { 0 };
        for number in numbers {
            if let Some(held) = state.held.remove(number) {
                held.release.send(()).unwrap();
            }
        }
    }

    /// A gate: of a store (`Some(step)`) or of the network.
    pub(crate) async fn gate(&self, life: Life, what: &str, step: Option<Step>) -> Result<(), StoreError> {
        match self.decide(life, what, step) {
            Passing::Go => Ok(()),
            Passing::Fail(error) => Err(error),
            Passing::Hold(released) => {
                // Dropped: the node was killed meanwhile.
                if released.await.is_err() {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
            Passing::Dead => {
                self.tell(Event::Died);
                std::future::pending::<()>().await;
                Ok(())
            }
        }
    }

    fn decide(&self, life: Life, what: &str, step: Option<Step>) -> Passing {
        if self.is_dead(life) {
            return Passing::Dead;
        }
        let mut state = self.state();
        if state.calm {
            return Passing::Go;
        }
        let odds = state.odds;
        let is_forced = state.forced > 0 && matches!(step, Some(Step::Answered(_)));
        state.forced -= usize::from(is_forced);
        if !is_forced && state.draw.permille(odds.kill) {
            state.dead.insert(life.node, life.start);
            state.held.retain(|_, held| held.life != life);
            drop(state);
            self.note(format_args!("{life} is killed at {what}"));
            return Passing::Dead;
        }
        if !is_forced && matches!(step, Some(Step::Asked(_))) && state.draw.permille(odds.away) {
            drop(state);
            self.note(format_args!("{life} store away at {what}"));
            return Passing::Fail(StoreError::Away("away on purpose".to_owned()));
        }
        if is_forced || state.draw.permille(odds.hold) {
            let (release, released) = oneshot::channel();
            let number = state.next;
            state.next += 1;
            state.held.insert(number, Held { life, asks: matches!(step, Some(Step::Asked(_))), release });
            drop(state);
            self.note(format_args!("{life} held at {what} as {number}"));
            self.tell(Event::Held);
            return Passing::Hold(released);
        }
        Passing::Go
    }
}

/// The faults of one node's store.
pub(crate) struct NodeFaults<O> {
    pub(crate) hub: Arc<Hub<O>>,
    pub(crate) life: Life,
}

impl<O> std::fmt::Debug for NodeFaults<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeFaults({})", self.life)
    }
}

impl<O: Send + 'static> Faults for NodeFaults<O> {
    fn pass(&self, step: Step) -> BoxFuture<'_, Result<(), StoreError>> {
        let what = match step {
            Step::Asked(what) => format!("before {what}"),
            Step::Answered(what) => format!("after {what}"),
        };
        async move { self.hub.gate(self.life, &what, Some(step)).await }.boxed()
    }

    fn fate(&self) -> Fate {
        if self.hub.is_dead(self.life) {
            return Fate::Lost;
        }
        let mut state = self.hub.state();
        if state.calm {
            return Fate::Committed;
        }
        let odds = state.odds;
        let (fate, dies) = if state.draw.permille(odds.lost) {
            (Fate::Lost, false)
        } else if state.draw.permille(odds.full) {
            (Fate::NoRoom, false)
        } else if state.draw.permille(odds.unknown) {
            (Fate::Unknown, false)
        } else if state.draw.permille(odds.kill) {
            (if state.draw.permille(500) { Fate::Lost } else { Fate::Unknown }, true)
        } else {
            return Fate::Committed;
        };
        if dies {
            state.dead.insert(self.life.node, self.life.start);
            let life = self.life;
            state.held.retain(|_, held| held.life != life);
        }
        drop(state);
        self.hub.note(format_args!("{} {fate:?} at commit{}", self.life, if dies { ", and is killed" } else { "" }));
        fate
    }
}
