//! What the agencies' systems do by themselves: they read their queues and look into their mailboxes.

use mezhved::domain::DeliveryId;
use mezhved::envelope::technical::{AckItem, MailboxAck, MailboxPull, TechnicalBody};
use mezhved::gateway::Peer;
use mezhved::store::Channel;

use super::{Out, World};
use crate::ground::{GATEWAY, ground};
use crate::party::{header, sign};

impl World {
    /// A system reads the head of its queue; now and then it dies before it has acknowledged, and reads it again.
    pub(super) fn read(&self, to: &'static str, answers: bool) {
        let again = {
            let mut state = self.hub.state();
            let odds = state.odds.net / 4;
            !state.calm && state.draw.permille(odds)
        };
        let bytes = {
            let mut outside = self.net.outside();
            let lines = if answers { &mut outside.receipts } else { &mut outside.to };
            let line = lines.get_mut(to).unwrap();
            if again { line.front().cloned() } else { line.pop_front() }
        };
        let Some(bytes) = bytes else { return };
        if answers { self.net.read_answer(to, &bytes) } else { drop(self.net.arrive(to, &bytes, true)) }
    }

    fn technical<B: TechnicalBody>(&self, from: &'static str, body: &B) -> Vec<u8> {
        let mut state = self.hub.state();
        let now = state.now;
        let head = header(from, GATEWAY, B::KIND.name(), &mut state.draw, now);
        sign(head, body.to_xml().unwrap(), &ground().signers[from]).bytes
    }

    pub(super) async fn pull(&mut self, to: &'static str) {
        let repeats = !self.hub.state().calm && self.hub.state().draw.permille(200);
        let last = self.net.outside().last_pull.get(to).cloned().filter(|_| repeats);
        let bytes = last.unwrap_or_else(|| self.technical(to, &MailboxPull { messages_max: 5 }));
        self.net.outside().last_pull.insert(to, bytes.clone());
        let live = self.any();
        let (life, gateway) = (live.life, live.gateway.clone());
        let peer = Peer { channel: Channel::Http, address: None, queue: None, trace: None };
        self.spawn(life, "pull", async move { Out::Pulled(to, gateway.receive(bytes, &peer).await) });
        self.settle(1).await;
    }

    pub(super) async fn ack(&mut self, to: &'static str, delivery: DeliveryId) {
        let Some(answer) = self.net.outside().acks.get(&(to, delivery)).cloned() else { return };
        // One in each: what an acknowledgement has at once is written at once, in an order that nobody draws.
        let bytes = self.technical(to, &MailboxAck { items: vec![AckItem { delivery_id: delivery, answer }] });
        let live = self.any();
        let (life, gateway) = (live.life, live.gateway.clone());
        let peer = Peer { channel: Channel::Http, address: None, queue: None, trace: None };
        self.spawn(life, "ack", async move { Out::Acked(to, delivery, gateway.receive(bytes, &peer).await) });
        self.settle(1).await;
    }
}
