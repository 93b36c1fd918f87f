//! The page before a dangerous act: what will happen, and a way back.

use askama::Template;
use axum::response::Response;

use super::errors::Trouble;
use super::visit::{Frame, Visit, html};

/// What is asked.
pub(super) struct Confirm {
    pub(super) title: String,
    pub(super) text: String,
    /// Where the form goes when it is confirmed.
    pub(super) action: String,
    pub(super) button: String,
    /// Where it leads when it is not.
    pub(super) back: String,
    /// The entry of the navigation that is lit.
    pub(super) section: &'static str,
}

#[derive(Template)]
#[template(path = "console/confirm.html")]
struct Page {
    frame: Frame,
    text: String,
    action: String,
    button: String,
    back: String,
}

/// The page that asks.
pub(super) fn page(visit: &Visit, ask: Confirm) -> Result<Response, Trouble> {
    let Confirm { title, text, action, button, back, section } = ask;
    let frame = visit.frame(&title, section);
    Ok(html(Page { frame, text, action, button, back }.render()?))
}
