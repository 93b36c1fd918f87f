//! A page of a listing.

use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Code, Problem, both};
use crate::console::visit::Visit;

/// Lines of a page when nothing is said.
pub(super) const LINES: u32 = 50;
/// Lines of a page at most.
pub(super) const LINES_MAX: u32 = 100;

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The lines.
    pub(super) items: Vec<T>,
    /// The address of the next page, with the same filters; `null`: this is the last.
    pub(super) next: Option<String>,
}

/// How many lines are asked for.
pub(super) fn limit(visit: &Visit) -> Result<u32, Problem> {
    let text = visit.query("limit");
    let asked = if text.is_empty() { Some(LINES) } else { text.parse().ok() };
    asked
        .filter(|n| (1..=LINES_MAX).contains(n))
        .ok_or_else(|| Problem::said(Code::BadQuery, both(|t| t.n("query-limit", LINES_MAX))).at("limit"))
}

/// The first lines of what was read with one line more than asked, and the last of them if there are more.
pub(super) fn cut<R>(rows: &[R], limit: u32) -> (&[R], Option<&R>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown = rows.get(..limit).unwrap_or(rows);
    (shown, shown.last().filter(|_| rows.len() > limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_begins_after_the_last_line_if_there_are_more() {
        assert_eq!(cut(&[1, 2, 3], 2), (&[1, 2][..], Some(&2)));
        assert_eq!(cut(&[1, 2], 2), (&[1, 2][..], None));
        assert_eq!(cut::<u8>(&[], 2), (&[][..], None));
    }
}
