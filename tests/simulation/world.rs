//! One world: nodes of the production pipeline on one database, the network, the agencies; and what moves next.

#[path = "agencies.rs"]
mod agencies;
#[path = "peace.rs"]
mod peace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mezhved::domain::{DeliveryId, FaultCode, Timestamp};
use mezhved::gateway::dispatch::{self, Ways};
use mezhved::gateway::watch::{self, Asked};
use mezhved::gateway::{Clock, Gateway, Peer, Reply, seal};
use mezhved::store::{Channel, Store, StoreOptions};
use mezhved::transport::amqp::{Body, Disposition, Incoming};
use mezhved::vault::Vault;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinHandle;

use crate::ground::{PARTIES, Reach, ground, options, participant};
use crate::hub::{Event, Hub, Life, NodeFaults};
use crate::net::{Item, Net, Queued, Wire, reach};
use crate::script;

/// Longer than any step takes, even on a busy machine; what takes longer hangs.
const HANGS_AFTER: Duration = Duration::from_secs(60);
/// More than happens in any world; one to which more happens goes in circles.
const LINES_MAX: usize = 100_000;
/// Loops that one node runs at once.
const DRAINS_MAX: usize = 2;

/// How an actor ended.
pub(crate) enum Out {
    Reply(usize, Reply),
    Taken(u64, Disposition),
    Pulled(&'static str, Reply),
    Acked(&'static str, DeliveryId, Reply),
    Drained,
    Looked,
}

struct Live {
    life: Life,
    gateway: Gateway,
    ways: Ways,
    clock: Arc<Clock>,
    asked: Arc<AsyncMutex<Asked>>,
}

struct Actor {
    number: u64,
    life: Life,
    what: &'static str,
    task: JoinHandle<()>,
}

pub(crate) struct World {
    pub(crate) hub: Arc<Hub<Out>>,
    pub(crate) net: Arc<Net>,
    pub(crate) file: PathBuf,
    _folder: tempfile::TempDir,
    events: mpsc::UnboundedReceiver<Event<Out>>,
    nodes: Vec<Option<Live>>,
    starts: Vec<u32>,
    /// How far each node's clock is off, in microseconds.
    skews: Vec<i64>,
    actors: Vec<Actor>,
    numbers: u64,
    seed: u64,
}

/// What may move.
#[derive(Debug, Clone, Copy)]
enum Move {
    Send(usize),
    Drain(usize),
    Watch(usize),
    Seal(usize),
    Look(usize),
    Release(u64),
    Together(usize),
    Late(usize),
    Read(&'static str),
    ReadAnswer(&'static str),
    Take(usize, usize),
    Pull(&'static str),
    Ack(&'static str, DeliveryId),
    Wait,
    Kill(usize),
    Start(usize),
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let (hub, events) = Hub::new(seed);
        let net = Net::new(hub.clone());
        let (folder, file) = ground().database();
        let (letters, count, skews) = {
            let draw = &mut hub.state().draw;
            let letters = script::letters(draw);
            let count = usize::try_from(draw.between(1, 3)).unwrap();
            let skews: Vec<i64> =
                (0..count).map(|_| if draw.permille(500) { 0 } else { draw.between(-400, 400) * 1_000 }).collect();
            (letters, count, skews)
        };
        for (from, letter) in letters {
            let queued = reach(from) == Reach::Queue;
            let item = Item { from, letter: Some(letter), written: None, acknowledged: None, given_up: false, queued };
            net.outside().items.push(item);
        }
        let nodes = (0..count).map(|_| None).collect();
        let mut world = Self {
            hub,
            net,
            file,
            _folder: folder,
            events,
            nodes,
            starts: vec![0; count],
            skews,
            actors: Vec::new(),
            numbers: 0,
            seed,
        };
        for node in 0..count {
            world.start(node).await;
        }
        world
    }

    async fn start(&mut self, node: usize) {
        self.starts[node] += 1;
        let life = Life { node, start: self.starts[node] };
        let faults = Arc::new(NodeFaults { hub: self.hub.clone(), life });
        let store = Store::open(StoreOptions { faults: Some(faults), ..options(&self.file) }).await.unwrap();
        let own_seed = self.seed.wrapping_mul(1_000_003) ^ (u64::from(life.start) << 8) ^ node as u64;
        let clock = Arc::new(Clock::turned_by_hand(self.time_of(node), own_seed));
        let ground = ground();
        let gateway = Gateway::new(
            ground.settings.clone(),
            life.to_string(),
            store,
            ground.gateway.clone(),
            clock.clone(),
            ground.snapshot.clone(),
            Vault::folder(self.file.with_extension("files")),
        );
        let wire = Arc::new(Wire { net: self.net.clone(), life });
        let ways = Ways { push: wire.clone(), amqp: Some(wire) };
        let asked = Arc::new(AsyncMutex::new(Asked::default()));
        self.nodes[node] = Some(Live { life, gateway, ways, clock, asked });
        self.hub.note(format_args!("{life} starts"));
    }

    fn time_of(&self, node: usize) -> Timestamp {
        Timestamp::from_micros(self.hub.state().now.micros() + self.skews[node])
    }

    /// Lets time pass.
    fn pass(&self, micros: i64) {
        let now = self.hub.state().now;
        self.hub.state().now = Timestamp::from_micros(now.micros() + micros);
        for live in self.nodes.iter().flatten() {
            assert!(live.clock.turn_to(self.time_of(live.life.node)));
        }
    }

    async fn stop(&mut self, node: usize) {
        let Some(live) = self.nodes[node].take() else { return };
        self.hub.kill(live.life);
        let (dead, alive) = std::mem::take(&mut self.actors).into_iter().partition(|a: &Actor| a.life == live.life);
        self.actors = alive;
        let dead: Vec<Actor> = dead;
        for actor in dead {
            actor.task.abort();
            drop(actor.task.await);
        }
        for queued in &mut self.net.outside().from {
            queued.out = queued.out.filter(|life| *life != live.life);
        }
        live.gateway.store().close().await;
    }

    fn spawn(&mut self, life: Life, what: &'static str, work: impl Future<Output = Out> + Send + 'static) {
        let number = self.numbers;
        self.numbers += 1;
        let hub = self.hub.clone();
        let task = tokio::spawn(async move {
            let out = work.await;
            hub.tell(Event::Done(number, out));
        });
        self.actors.push(Actor { number, life, what, task });
    }

    /// Waits until what moves has come to its end, is held or has died.
    async fn settle(&mut self, movers: usize) {
        {
            let state = self.hub.state();
            let last = state.trace.len().saturating_sub(20);
            assert!(state.trace.len() < LINES_MAX, "it goes in circles:\n{}", state.trace[last..].join("\n"));
        }
        for _ in 0..movers {
            let event = tokio::time::timeout(HANGS_AFTER, self.events.recv()).await;
            match event {
                Err(_) => {
                    panic!("nothing moves any more: {:?}", self.actors.iter().map(|a| a.what).collect::<Vec<_>>())
                }
                Ok(None) => unreachable!("the hub keeps its end"),
                Ok(Some(Event::Held | Event::Died)) => {}
                Ok(Some(Event::Done(number, out))) => {
                    let place = self.actors.iter().position(|a| a.number == number).unwrap();
                    let actor = self.actors.swap_remove(place);
                    actor.task.await.unwrap();
                    self.done(out, actor.life);
                }
            }
        }
        let dead = |live: &&Live| self.hub.is_dead(live.life);
        let dead: Vec<usize> = self.nodes.iter().flatten().filter(dead).map(|live| live.life.node).collect();
        for node in dead {
            self.stop(node).await;
        }
    }

    fn done(&mut self, out: Out, life: Life) {
        let lossy = {
            let mut state = self.hub.state();
            let odds = state.odds.net / 3;
            !state.calm && state.draw.permille(odds)
        };
        match out {
            Out::Drained | Out::Looked => {}
            Out::Reply(index, reply) => {
                let id = self.net.outside().items[index].written.as_ref().map(|w| w.id).unwrap();
                let lost = if lossy { ", which is lost" } else { "" };
                self.hub.note(format_args!("{life} answers {id}: {}{lost}", reply.status));
                match reply.status {
                    200 => self.net.answered(index, &reply.bytes, !lossy),
                    503 => {}
                    422 if reply.code == Some(FaultCode::Expired) && self.may_expire(index) => {
                        self.net.outside().items[index].given_up = true;
                    }
                    status => {
                        let said = String::from_utf8_lossy(&reply.bytes).into_owned();
                        self.net.broken(format!("{id} was refused: {status} {:?}: {said}", reply.code));
                    }
                }
            }
            Out::Taken(tag, disposition) => {
                self.hub.note(format_args!("{life} took {tag}: {disposition:?}"));
                let mut outside = self.net.outside();
                match disposition {
                    // The broker may lose the acknowledgement with the connection, and hands the message out again.
                    Disposition::Ack if !lossy => outside.from.retain(|q| q.tag != tag),
                    Disposition::Ack | Disposition::RequeueLater => {
                        outside.from.iter_mut().filter(|q| q.tag == tag).for_each(|q| q.out = None);
                    }
                }
            }
            Out::Pulled(to, reply) => {
                self.hub.note(format_args!("{life} answers a pull of {to}: {}", reply.status));
                if !lossy && !reply.bytes.is_empty() {
                    self.net.pulled(to, &reply.bytes);
                }
            }
            Out::Acked(to, delivery, reply) => {
                self.hub.note(format_args!("{life} answers an ack of {to} for {delivery}: {}", reply.status));
                match reply.status {
                    200 if !lossy => drop(self.net.outside().acks.remove(&(to, delivery))),
                    200 | 503 => {}
                    status => self.net.broken(format!("an ack of {to} was refused: {status} {:?}", reply.code)),
                }
            }
        }
    }

    fn may_expire(&self, index: usize) -> bool {
        self.net.outside().items[index].letter.as_ref().is_some_and(|letter| letter.expires_seconds.is_some())
    }

    fn moves(&self) -> Vec<(usize, Move)> {
        let mut all = vec![(8, Move::Wait)];
        let outside = self.net.outside();
        let sendable = |i: &Item| {
            let done = |n: usize| outside.items[n].acknowledged.is_some() || outside.items[n].given_up;
            let is_due = i.letter.as_ref().and_then(|l| l.after).is_none_or(done);
            // What lies in the sender's queue is not sent again by the sender.
            i.acknowledged.is_none() && !i.given_up && is_due && !(i.queued && i.written.is_some())
        };
        for (index, item) in outside.items.iter().enumerate().filter(|(_, i)| sendable(i)) {
            all.push((if item.written.is_none() { 6 } else { 3 }, Move::Send(index)));
        }
        all.extend(self.hub.held().into_iter().map(|number| (4, Move::Release(number))));
        all.extend((0..outside.delayed.len()).map(|n| (2, Move::Late(n))));
        for (name, _, reach) in PARTIES {
            if !outside.to[name].is_empty() {
                all.push((4, Move::Read(name)));
            }
            if !outside.receipts[name].is_empty() {
                all.push((4, Move::ReadAnswer(name)));
            }
            if reach == Reach::Mailbox {
                all.push((3, Move::Pull(name)));
            }
        }
        all.extend(outside.acks.keys().map(|(name, id)| (3, Move::Ack(name, *id))));
        for (node, live) in self.nodes.iter().enumerate() {
            if live.is_none() {
                all.push((4, Move::Start(node)));
                continue;
            }
            all.push((if self.hub.state().odds.kill > 0 { 1 } else { 0 }, Move::Kill(node)));
            let runs = |what| self.actors.iter().filter(|a| a.life.node == node && a.what == what).count();
            if runs("drain") < DRAINS_MAX {
                all.push((8, Move::Drain(node)));
            }
            if runs("watch") == 0 {
                all.push((2, Move::Watch(node)));
            }
            all.push((2, Move::Look(node)));
            if runs("seal") == 0 {
                all.push((2, Move::Seal(node)));
            }
            if !self.hub.asking(node).is_empty() {
                all.push((6, Move::Together(node)));
            }
            all.extend(
                (0..outside.from.len()).filter(|n| outside.from[*n].out.is_none()).map(|n| (4, Move::Take(n, node))),
            );
        }
        all
    }

    /// One move, drawn by weight.
    pub(crate) async fn step(&mut self) {
        let moves = self.moves();
        let all: usize = moves.iter().map(|(weight, _)| weight).sum();
        let (mut drawn, millis) = {
            let draw = &mut self.hub.state().draw;
            (draw.below(all), draw.between(1, 40))
        };
        self.pass(millis * 1_000);
        let mut chosen = Move::Wait;
        for (weight, one) in moves {
            if drawn < weight {
                chosen = one;
                break;
            }
            drawn -= weight;
        }
        self.make(chosen).await;
    }

    async fn make(&mut self, chosen: Move) {
        let live = self.nodes.iter().filter(|live| live.is_some()).count();
        match chosen {
            Move::Wait => {
                let micros = self.waits();
                self.pass(micros);
            }
            Move::Release(number) => {
                self.hub.release(&[number]);
                self.settle(1).await;
            }
            Move::Together(node) => {
                let numbers = self.hub.asking(node);
                self.hub.note(format_args!("together: {numbers:?}"));
                self.hub.release(&numbers);
                self.settle(numbers.len()).await;
            }
            Move::Late(place) => {
                let (to, bytes) = self.net.outside().delayed.remove(place);
                self.net.arrive(to, &bytes, false);
            }
            Move::Read(to) => self.read(to, false),
            Move::ReadAnswer(to) => self.read(to, true),
            Move::Kill(node) => {
                self.hub.note(format_args!("kill of node {node}"));
                self.stop(node).await;
            }
            Move::Start(node) => self.start(node).await,
            Move::Drain(node) => self.drain(node).await,
            Move::Watch(node) => {
                let live = self.nodes[node].as_ref().unwrap();
                let (life, gateway, asked) = (live.life, live.gateway.clone(), live.asked.clone());
                self.spawn(life, "watch", async move {
                    drop(watch::round(&gateway, &mut *asked.lock().await).await);
                    Out::Looked
                });
                self.settle(1).await;
            }
            Move::Seal(node) => {
                let live = self.nodes[node].as_ref().unwrap();
                let (life, gateway) = (live.life, live.gateway.clone());
                self.spawn(life, "seal", async move {
                    drop(seal::seal_all(&gateway).await);
                    Out::Looked
                });
                self.settle(1).await;
            }
            Move::Look(node) => {
                let gateway = self.nodes[node].as_ref().unwrap().gateway.clone();
                gateway.look_at_queues().await.unwrap();
            }
            Move::Take(place, node) => self.take(place, node).await,
            Move::Send(_) | Move::Pull(_) | Move::Ack(..) if live == 0 => {}
            Move::Send(index) => self.send(index).await,
            Move::Pull(to) => self.pull(to).await,
            Move::Ack(to, delivery) => self.ack(to, delivery).await,
        }
    }

    fn waits(&self) -> i64 {
        let draw = &mut self.hub.state().draw;
        let millis = match draw.below(20) {
            0..=9 => draw.between(100, 5_000),
            10..=17 => draw.between(5_000, 90_000),
            18 => draw.between(90_000, 3_600_000),
            _ => draw.between(1, 40) * 3_600_000,
        };
        millis * 1_000
    }

    /// Any node that lives.
    fn any(&self) -> &Live {
        let live: Vec<&Live> = self.nodes.iter().flatten().collect();
        live[self.hub.state().draw.below(live.len())]
    }

    fn write(&self, index: usize) -> Vec<u8> {
        let mut outside = self.net.outside();
        let item = &mut outside.items[index];
        if item.written.is_none() {
            let mut state = self.hub.state();
            let now = state.now;
            let written = item.letter.as_ref().unwrap().write(item.from, &mut state.draw, now);
            item.written = Some(written);
        }
        item.written.as_ref().unwrap().bytes.clone()
    }

    async fn send(&mut self, index: usize) {
        let bytes = self.write(index);
        let (from, queued, id, what) = {
            let outside = self.net.outside();
            let item = &outside.items[index];
            let what = item.letter.as_ref().map_or("receipt", |letter| letter.kind);
            (item.from, reach(item.from) == Reach::Queue, item.written.as_ref().unwrap().id, what)
        };
        self.hub.note(format_args!("{from} sends {what} {id} (item {index})"));
        if queued {
            let mut outside = self.net.outside();
            outside.items[index].queued = true;
            outside.tags += 1;
            let tag = outside.tags;
            outside.from.push(Queued { tag, from, bytes, out: None });
            return;
        }
        let live = self.any();
        let (life, gateway) = (live.life, live.gateway.clone());
        let peer = Peer { channel: Channel::Http, address: None, queue: None, trace: None };
        self.spawn(life, "receive", async move { Out::Reply(index, gateway.receive(bytes, &peer).await) });
        self.settle(1).await;
    }

    async fn drain(&mut self, node: usize) {
        let live = self.nodes[node].as_ref().unwrap();
        let (life, gateway, ways) = (live.life, live.gateway.clone(), live.ways.clone());
        self.spawn(life, "drain", async move {
            dispatch::drain(&gateway, &ways).await;
            Out::Drained
        });
        self.settle(1).await;
    }

    async fn take(&mut self, place: usize, node: usize) {
        let live = self.nodes[node].as_ref().unwrap();
        let (life, gateway) = (live.life, live.gateway.clone());
        let (tag, from, bytes) = {
            let mut outside = self.net.outside();
            let queued = &mut outside.from[place];
            queued.out = Some(life);
            (queued.tag, queued.from, queued.bytes.clone())
        };
        let incoming =
            Incoming { participant: participant(from), body: Body::Whole(bytes), redelivered: false, trace: None };
        let wire = Wire { net: self.net.clone(), life };
        self.hub.note(format_args!("{life} takes {tag} of {from}"));
        self.spawn(life, "take", async move { Out::Taken(tag, gateway.take(incoming, &wire).await) });
        self.settle(1).await;
    }
}
