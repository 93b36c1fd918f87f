//! Tells people of deadlines: gathers what waits into mailings, claims them under a lease, sends them by e-mail or webhook with no
//! transaction open, and settles.
//!
//! On the wire at least once: a node that dies between the mail server's 250 and its own commit sends the mailing again, with the same
//! `Message-ID` or `webhook-id`.

mod text;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::domain::{MailingId, NotificationChannel, ParkReason, Timestamp};
use crate::retry::{self, Verdict};
use crate::store::{
    ClaimedMailing, MailingContent, MailingOutcome, NotifyRound, RoundLimits, SettleMailing, StoreError,
};
use crate::transport::Outcome;
use crate::transport::http::{Hook, Push};
use crate::transport::mail::{Mail, Mailer};

use super::{Gateway, ids};
use text::Told;

/// The lease under which one node tells people.
const LEASE_MS: u32 = 10_000;
/// The longest sleep: a clock that was set is noticed within it.
const SLEEP_MAX: Duration = Duration::from_millis(LEASE_MS as u64 / 2);
/// Beyond the longest attempt a mailing stays ours so long, in milliseconds: for reading it and for settling.
const LEASE_MARGIN_MS: u64 = 5_000;

/// The ways to people.
#[derive(Debug, Clone)]
pub struct Voices {
    /// The mail server, if the settings name one.
    pub mail: Option<Mailer>,
    /// HTTP, for webhooks.
    pub push: Push,
}

/// Tells people until cancelled, then waits for what is on its way. Returns at once where the settings name nobody.
pub async fn run(gateway: Gateway, voices: Voices, stop: CancellationToken) {
    if !gateway.settings().notify.is_on() {
        warn!("nobody is told of deadlines: [notify.groups] of settings.toml is empty");
        return;
    }
    let notifier = Notifier { gateway, voices, freed: Arc::new(Notify::new()), tasks: TaskTracker::new() };
    let mut changed = notifier.gateway.store().notifications_changed();
    let mut stepped = notifier.gateway.clock().stepped();
    while !stop.is_cancelled() {
        let pause = match notifier.round().await {
            Ok(pause) => pause,
            Err(error) => {
                warn!(%error, "nobody can be told now");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = notifier.freed.notified() => {}
            _ = changed.changed() => {}
            _ = stepped.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    notifier.tasks.close();
    notifier.tasks.wait().await;
}

#[derive(Clone)]
struct Notifier {
    gateway: Gateway,
    voices: Voices,
    freed: Arc<Notify>,
    tasks: TaskTracker,
}

impl Notifier {
    /// One look: takes what can be worked on, and says how long to sleep.
    async fn round(&self) -> Result<Duration, StoreError> {
        let (settings, clock) = (self.gateway.settings(), self.gateway.clock());
        let free = settings.notify.workers.saturating_sub(self.tasks.len());
        let (now, business_now) = (clock.now(), clock.business_now());
        let round = NotifyRound {
            node: self.gateway.node().to_owned(),
            now,
            business_now,
            lease_ms: LEASE_MS,
            limits: self.limits(free),
        };
        let Some(taken) = self.gateway.store().notify_round(round).await? else {
            return Ok(SLEEP_MAX / 2);
        };
        for mailing in taken.mailings {
            let (worker, id) = (self.clone(), mailing.id);
            self.tasks.spawn(async move {
                let done = std::panic::AssertUnwindSafe(worker.work(mailing)).catch_unwind().await;
                if done.is_err() {
                    warn!(mailing = %id, "a mailing panicked; it comes back when its lease ends");
                }
                worker.freed.notify_one();
            });
        }
        // With all workers busy it is they that wake us.
        let next = taken.next_at.filter(|_| free > 0).map(|at| at.since(now));
        let business = taken.next_business_at.map(|at| at.since(business_now));
        let wait = next.into_iter().chain(business).min();
        Ok(wait.map_or(SLEEP_MAX, |micros| {
            Duration::from_micros(micros.max(0).unsigned_abs()).clamp(Duration::from_millis(5), SLEEP_MAX)
        }))
    }

    fn limits(&self, free: usize) -> RoundLimits {
        let settings = self.gateway.settings();
        let attempt_ms = settings.notify.smtp.timeout_ms.max(settings.push.timeout_ms);
        let ms = |seconds: u32| seconds.saturating_mul(1_000);
        RoundLimits {
            claim_max: u32::try_from(free).unwrap_or(u32::MAX),
            mailing_lease_ms: u32::try_from(attempt_ms.saturating_add(LEASE_MARGIN_MS)).unwrap_or(u32::MAX),
            gather_ms: ms(settings.notify.gather_seconds),
            window_mailings_max: settings.notify.window_mailings_max,
            window_ms: ms(settings.notify.window_seconds),
        }
    }

    async fn work(&self, mailing: ClaimedMailing) {
        let (id, channel, attempt) = (mailing.id, mailing.channel, mailing.attempt);
        let digest_ids = self.gateway.settings().notify.digest_ids_max;
        let content = match self.gateway.store().mailing_content(id, mailing.digest, digest_ids).await {
            Ok(content) => content,
            Err(error) => {
                warn!(mailing = %id, %error, "cannot be read; it comes back when its lease ends");
                return;
            }
        };
        let (told, retry_after) = self.tell(&mailing, &content).await;
        let now = self.gateway.clock().now();
        let outcome = match told {
            Ok(()) => MailingOutcome::Sent,
            Err((reason, detail)) => self.failed(&mailing, reason, detail, retry_after, now),
        };
        let group = mailing.group.clone();
        match &outcome {
            MailingOutcome::Sent => info!(mailing = %id, %channel, group, attempt, "told"),
            MailingOutcome::Again { reason, detail, .. } => {
                warn!(mailing = %id, %channel, group, attempt, %reason, detail, "not told yet; tried again");
            }
            MailingOutcome::Park { reason, detail } => {
                warn!(mailing = %id, %channel, group, attempt, %reason, detail, "given up: nobody is told");
            }
        }
        match self.gateway.store().settle_mailing(SettleMailing { mailing, outcome, now }).await {
            Ok(true) => {}
            Ok(false) => warn!(mailing = %id, "a late result was dropped: the lease is another's"),
            Err(error) => warn!(mailing = %id, %error, "not settled; it comes back when its lease ends"),
        }
    }

    /// One attempt.
    async fn tell(
        &self,
        mailing: &ClaimedMailing,
        content: &MailingContent,
    ) -> (Result<(), (ParkReason, String)>, Option<Duration>) {
        let settings = &self.gateway.settings().notify;
        if !settings.knows(&mailing.target) {
            let detail = "the address is in no group of [notify.groups] any more".to_owned();
            return (Err((ParkReason::RouteMissing, detail)), None);
        }
        let told = Told { gateway: self.gateway.id(), snapshot: &self.gateway.snapshot(), content };
        let outcome = match mailing.channel {
            NotificationChannel::Mail => {
                let (subject, text) = told.mail();
                self.voices.mail(mailing.id, &mailing.target, (subject, text), mailing.made_at).await
            }
            NotificationChannel::Webhook => {
                let body = told.json(mailing.made_at);
                let now = self.gateway.clock().now();
                self.voices.call(mailing.id, &mailing.target, &body, settings.webhook.key().as_deref(), now).await
            }
        };
        match outcome {
            Outcome::Sent { .. } | Outcome::Answered { .. } => (Ok(()), None),
            Outcome::Failed { reason, detail, retry_after } => (Err((reason, detail)), retry_after),
        }
    }

    fn failed(
        &self,
        mailing: &ClaimedMailing,
        reason: ParkReason,
        detail: String,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> MailingOutcome {
        let settings = &self.gateway.settings().notify;
        let limits = retry::Limits {
            base_ms: settings.retry_base_ms,
            ceiling_ms: settings.retry_ceiling_ms,
            attempts_max: settings.attempts_max,
            give_up_ms: None,
        };
        let tried = retry::Tried { attempt: mailing.attempt, waited_ms: 0, partner_away: false };
        match retry::next(&limits, reason, tried, retry::seed_of(mailing.id.uuid()), now) {
            Verdict::Again(at) => {
                let asked = retry_after.map(|d| now.plus_millis(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)));
                MailingOutcome::Again { at: at.max(asked.unwrap_or(at)), reason, detail }
            }
            Verdict::Park(park) => MailingOutcome::Park { reason: park, detail: format!("{reason}: {detail}") },
        }
    }
}

impl Voices {
    async fn mail(&self, id: MailingId, to: &str, (subject, text): (String, String), at: Timestamp) -> Outcome {
        let Some(mailer) = &self.mail else {
            return Outcome::failed(ParkReason::RouteMissing, "no mail server is set: notify.smtp.host");
        };
        mailer.send(&Mail { id, to: to.to_owned(), subject, text, at }).await
    }

    async fn call(
        &self,
        id: MailingId,
        url: &str,
        body: &serde_json::Value,
        key: Option<&[u8]>,
        at: Timestamp,
    ) -> Outcome {
        let Some(key) = key else {
            return Outcome::failed(ParkReason::RouteMissing, "no secret is set: notify.webhook.secret");
        };
        self.push.call(url, &Hook { id, at, body: body.to_string().into_bytes() }, key).await
    }

    /// Sends one real mail that says that it is a test. Returns its `Message-ID`.
    ///
    /// # Errors
    /// The reason's code and what happened.
    pub async fn test_mail(&self, gateway: &str, to: &str, now: Timestamp) -> Result<String, String> {
        let id = ids::mailing();
        let done = self.mail(id, to, text::test_mail(gateway), now).await;
        let message_id = self.mail.as_ref().map(|m| m.message_id(id)).unwrap_or_default();
        said(done).map(|()| message_id)
    }

    /// Makes one real call that says that it is a test. Returns its `webhook-id`.
    ///
    /// # Errors
    /// The reason's code and what happened.
    pub async fn test_call(&self, url: &str, key: Option<&[u8]>, now: Timestamp) -> Result<String, String> {
        let id = ids::mailing();
        said(self.call(id, url, &text::test_json(now), key, now).await).map(|()| id.to_string())
    }
}

fn said(outcome: Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Sent { .. } | Outcome::Answered { .. } => Ok(()),
        Outcome::Failed { reason, detail, .. } => Err(format!("{reason}: {detail}")),
    }
}
