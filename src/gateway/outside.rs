//! A debtor's own word that it met an obligation outside of the gateway.

use tracing::info;

use crate::deadline::obligations::AHEAD_MAX_SECONDS;
use crate::domain::{Fault, FaultCode, ObligationId, Timestamp};
use crate::envelope::technical::OutsideAct;
use crate::store::{Act, ActMessage, ActRefusal, Acted, NewAct};

use super::Gateway;
use super::judge::VerifiedSender;
use super::technical::not_now;

impl Gateway {
    /// Enters what a verified debtor says that it did. Answered with a receipt, however often the same message comes; the obligations of
    /// others and those that are not there are one answer.
    pub(super) async fn outside_act(
        &self,
        known: &VerifiedSender,
        act: OutsideAct,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        if let Some(scan) = act.scan
            && !known.header.attachments.iter().any(|a| a.digest == scan && a.inline.is_some())
        {
            let detail = "element scan: attach the file with this digest in Header/Attachments, its content inline";
            return Err(Fault::new(FaultCode::AttachmentInvalid, detail));
        }
        if known.header.test {
            // A rehearsal settles nothing, but it is told what the real thing would be told about the obligation's id.
            self.own_obligation(known, act.obligation).await?;
            return self.receipt_for(known).await;
        }
        let (now, business_now) = (self.clock().now(), self.clock().business_now());
        let obligation = act.obligation;
        let new = NewAct {
            obligation_id: obligation,
            act: Act::Outside {
                way: act.way,
                acted_at: not_ahead(act.acted_at, business_now),
                by: Some(act.by),
                to: Some(act.to),
                number: act.number,
                scan: act.scan,
            },
            note: act.note,
            author: known.header.sender.to_string(),
            message: Some(ActMessage {
                sender: known.header.sender.clone(),
                message_id: known.header.message_id,
                digest: known.digest,
                bytes: bytes.to_vec(),
            }),
            at: business_now,
            now,
        };
        match self.store().act(new).await.map_err(not_now)? {
            Acted::Done(entered, row) => {
                info!(%obligation, debtor = %row.debtor, act = entered.id, state = %row.state, "met outside of the gateway");
            }
            Acted::Already(..) => {}
            Acted::NotFound => return Err(not_yours()),
            Acted::Refused(refusal) => return Err(refused(refusal)),
        }
        self.receipt_for(known).await
    }

    async fn own_obligation(&self, known: &VerifiedSender, id: ObligationId) -> Result<(), Fault> {
        let row = self.store().obligation(id).await.map_err(not_now)?;
        row.filter(|row| row.debtor == known.header.sender).map(|_| ()).ok_or_else(not_yours)
    }
}

/// What lies a little ahead, for clocks differ, is as of now; what lies further ahead is left for the refusal.
fn not_ahead(acted_at: Timestamp, now: Timestamp) -> Timestamp {
    if acted_at <= now.plus_seconds(AHEAD_MAX_SECONDS) { acted_at.min(now) } else { acted_at }
}

fn not_yours() -> Fault {
    Fault::new(FaultCode::NotFound, "element obligation: you owe nothing under this id")
}

fn refused(refusal: ActRefusal) -> Fault {
    let (code, detail) = match refusal {
        ActRefusal::Ended(state, _) => {
            (FaultCode::ObligationEnded, format!("element obligation: it has ended already, it is `{state}`"))
        }
        ActRefusal::Ahead => {
            (FaultCode::ContentInvalid, format!("element actedAt: at most {AHEAD_MAX_SECONDS} seconds ahead of now"))
        }
        ActRefusal::BeforeStart(begun) => {
            (FaultCode::ContentInvalid, format!("element actedAt: the obligation began at {begun}"))
        }
        ActRefusal::IdReused => (FaultCode::IdReused, "Header/MessageId: use a new id for new content".to_owned()),
        // Of extensions only, which no message asks for.
        ActRefusal::NotBegun | ActRefusal::NotLater(_) | ActRefusal::DueMoved(_) => {
            (FaultCode::ContentInvalid, "element obligation: this cannot be done to it".to_owned())
        }
    };
    Fault::new(code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_a_little_ahead_is_as_of_now() {
        let now = Timestamp::from_micros(0);
        for (ahead, taken) in
            [(-60, -60), (0, 0), (AHEAD_MAX_SECONDS, 0), (AHEAD_MAX_SECONDS + 1, AHEAD_MAX_SECONDS + 1)]
        {
            assert_eq!(not_ahead(now.plus_seconds(ahead), now), now.plus_seconds(taken), "{ahead}");
        }
    }
}
