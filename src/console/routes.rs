//! The one table of routes. A route that is not here does not exist, and a route here says who may use it; a test walks the table and
//! asks each route as somebody who may not.

use axum::http::Method;
use axum::routing::MethodRouter;

use super::{
    Console, accounts, adapters, api, assets, cases, conversations, dead, events, journal, messages, obligation,
    obligation_acts, obligations, overview, own, participants, participants_edit, participants_ping, queues, reports,
    rules, sign_in,
};
use crate::access::Right;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Whoever has signed in, whatever the rights.
    Signed,
    /// Whoever has this right. Whose part of the exchange is shown is the handler's to ask.
    Right(Right),
}

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) handler: MethodRouter<Console>,
}

impl Route {
    /// A page that is looked at.
    pub(super) fn get(path: &'static str, access: Access, handler: MethodRouter<Console>) -> Self {
        Self { method: Method::GET, path, access, handler }
    }

    /// A form that changes something.
    pub(super) fn post(path: &'static str, access: Access, handler: MethodRouter<Console>) -> Self {
        Self { method: Method::POST, path, access, handler }
    }
}

/// One route, for a test that walks them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// Every route of the console's address, but `/metrics`, which belongs to Prometheus.
pub fn table() -> Vec<RouteInfo> {
    all().into_iter().map(|r| RouteInfo { method: r.method, path: r.path, access: r.access }).collect()
}

/// Every route with its handler; each page brings its own.
pub(super) fn all() -> Vec<Route> {
    let mut all = Vec::new();
    all.extend(assets::routes());
    all.extend(sign_in::routes());
    all.extend(overview::routes());
    all.extend(obligations::routes());
    all.extend(obligation::routes());
    all.extend(obligation_acts::routes());
    all.extend(messages::routes());
    all.extend(conversations::routes());
    all.extend(queues::routes());
    all.extend(dead::routes());
    all.extend(participants::routes());
    all.extend(participants_edit::routes());
    all.extend(participants_ping::routes());
    all.extend(rules::routes());
    all.extend(adapters::routes());
    all.extend(journal::routes());
    all.extend(accounts::routes());
    all.extend(cases::routes());
    all.extend(reports::routes());
    all.extend(own::routes());
    all.extend(events::routes());
    all.extend(api::routes());
    all
}

/// One entry of the navigation.
pub(super) struct Section {
    /// Its word: the text is `nav-<word>`.
    pub(super) word: &'static str,
    pub(super) path: &'static str,
    pub(super) right: Right,
}

/// The navigation, in the order in which it is shown. Who has not the right does not see the entry.
pub(super) const SECTIONS: &[Section] = &[
    Section { word: "overview", path: "/", right: Right::SeeOverview },
    Section { word: "obligations", path: "/obligations", right: Right::SeeObligations },
    Section { word: "messages", path: "/messages", right: Right::SeeMessages },
    Section { word: "queues", path: "/queues", right: Right::SeeQueues },
    Section { word: "cases", path: "/cases", right: Right::SeeCases },
    Section { word: "reports", path: "/reports", right: Right::SeeReports },
    Section { word: "participants", path: "/participants", right: Right::SeeConfiguration },
    Section { word: "regulations", path: "/regulations", right: Right::SeeConfiguration },
    Section { word: "calendar", path: "/calendar", right: Right::SeeConfiguration },
    Section { word: "adapters", path: "/adapters", right: Right::SeeConfiguration },
    Section { word: "journal", path: "/journal", right: Right::SeeJournal },
    Section { word: "accounts", path: "/accounts", right: Right::SeeAccounts },
];
