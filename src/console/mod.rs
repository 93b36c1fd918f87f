//! Floor 7: the pages for operators and administrators.
//!
//! | room | what it does |
//! |---|---|
//! | `routes` | the one table of routes: method, path, who may, handler |
//! | `guard` | in front of every route: the session or token, the right, the form's token, the security headers, the pages of errors |
//! | `visit` | one request as a handler sees it: who asks, in which language, what the layout needs |
//! | `fields` | what a form sent |
//! | `api` | the same in JSON for scripts, with its description |
//! | `texts`, `words` | texts of both languages from `locales/`; dates and spans as people write them |
//! | the others | one page each, with its template in `templates/console/` |
//!
//! Pages are rendered on the server and work without a script. A handler is reached only when the guard has found the route's right, but
//! whose part of the exchange is shown is the handler's to ask: [`crate::access::Principal::scope`] and
//! [`crate::access::Principal::sees`].

mod accounts;
mod adapters;
mod api;
mod assets;
mod cases;
mod confirm;
mod conversations;
mod cookies;
mod days;
mod dead;
mod download;
mod errors;
mod events;
mod fields;
mod figures;
mod guard;
mod journal;
mod message_view;
mod messages;
mod obligation;
mod obligation_acts;
mod obligations;
mod overview;
mod own;
mod participants;
mod participants_edit;
mod participants_ping;
mod pick;
mod queues;
mod reports;
mod routes;
mod rules;
mod seen;
mod shown;
mod sign_in;
mod texts;
mod visit;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::gateway::Gateway;
pub use api::openapi;
pub use routes::{Access, RouteInfo, table};

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Console {
    gateway: Gateway,
}

/// Bytes of a form, its files included.
const FORM_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The router of the console's address.
pub fn router(gateway: Gateway) -> Router {
    let console = Console { gateway };
    let mut router = Router::new();
    for route in routes::all() {
        router = router.route(route.path, guard::guarded(&console, &route));
    }
    router
        .fallback_service(guard::nothing_here(&console))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::map_response_with_state(console.clone(), guard::headers))
        .with_state(console)
}
