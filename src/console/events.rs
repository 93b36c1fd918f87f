//! `/events`: server-sent events. An event says only that something happened; the page then asks again for what its reader may see.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::stream::{self, Stream};

use super::errors::Trouble;
use super::routes::{Access, Route};
use super::visit::Visit;
use crate::domain::Digest;

/// Events of one page follow each other no faster.
const PAUSE: Duration = Duration::from_millis(1_000);
/// Without an event a comment goes out, so that nobody between takes the connection for dead.
const ALIVE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/events", Access::Signed, get(events))]
}

/// What a stream of events goes on with.
struct Listening {
    visit: Visit,
    session: Option<Digest>,
    pulse: tokio::sync::watch::Receiver<u64>,
    first: bool,
}

async fn events(visit: Visit) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Trouble> {
    let session = visit.signed()?.session.as_ref().map(|s| s.token_hash);
    let pulse = visit.gateway.pulse();
    let begin = Listening { visit, session, pulse, first: true };
    let stream = stream::unfold(begin, |mut at| async move {
        if at.first {
            at.first = false;
            return Some((Ok(Event::default().event("open").data("")), at));
        }
        tokio::time::sleep(PAUSE).await;
        at.pulse.changed().await.ok()?;
        let beat = *at.pulse.borrow_and_update();
        // An open page does not keep a session alive, and hears nothing when it has ended.
        at.is_signed_in().await.then(|| (Ok(Event::default().event("change").data(beat.to_string())), at))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE)))
}

impl Listening {
    async fn is_signed_in(&self) -> bool {
        let Some(session) = self.session else { return false };
        let gateway = &self.visit.gateway;
        let now = gateway.clock().now();
        let idle = i64::from(gateway.settings().console.session_idle_minutes) * 60;
        let found = gateway.store().session(session, now.plus_seconds(-idle), now).await;
        found.is_ok_and(|found| found.is_some())
    }
}
