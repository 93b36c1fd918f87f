//! The figures of the summary. Each leads to the list that explains it.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Months, NaiveDate};

use super::errors::Trouble;
use super::shown::Light;
use super::visit::Visit;
use super::{seen, words};
use crate::domain::{DeliveryState, ParticipantId, Timestamp};
use crate::store::{DeskFigures, InTime};

/// A certificate that ends within so many days is about to end.
const ENDING_DAYS: i64 = 30;

/// A figure with its list.
pub(super) struct Figure {
    pub(super) count: u64,
    pub(super) text: String,
    pub(super) href: String,
    /// How it looks: `bad`, `warn` or nothing.
    pub(super) looks: &'static str,
}

/// What a participant owes.
pub(super) struct ByDebtor {
    pub(super) name: String,
    pub(super) overdue: u64,
    pub(super) overdue_href: String,
    pub(super) today: u64,
    pub(super) today_href: String,
}

/// A participant with what is to be known of it.
pub(super) struct Away {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) text: String,
}

/// The share of what was met in time, this month beside the last.
pub(super) struct Share {
    pub(super) months: Vec<MonthShare>,
}

/// One month of it.
pub(super) struct MonthShare {
    pub(super) title: String,
    /// Of 100; `None`: nothing was due.
    pub(super) percent: Option<u64>,
    pub(super) text: String,
    /// Where its bar is, in the picture's units.
    pub(super) top: usize,
}

fn today_href(day: NaiveDate) -> String {
    format!("/obligations?group=running&to={day}")
}

/// The line of figures at the top.
pub(super) fn all(
    light: &Light<'_>,
    found: &DeskFigures,
    (away, ending): (usize, usize),
    today: NaiveDate,
) -> Vec<Figure> {
    let t = light.t;
    let sum = |rows: &[(ParticipantId, u64)]| rows.iter().map(|(_, count)| *count).sum::<u64>();
    let held = |states: &[DeliveryState]| {
        found.held.iter().filter(|held| states.contains(&held.state)).map(|held| held.count).sum::<u64>()
    };
    let figure = |count: u64, text: String, href: &str, looks| Figure {
        count,
        text,
        href: href.to_owned(),
        looks: if count > 0 { looks } else { "" },
    };
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let all = [DeliveryState::Queued, DeliveryState::Leased, DeliveryState::Parked, DeliveryState::Expired];
    let flying = [DeliveryState::Queued, DeliveryState::Leased];
    vec![
        figure(sum(&found.overdue), t.t("overview-overdue"), "/obligations?group=overdue", "bad"),
        figure(sum(&found.due), t.t("overview-today"), &today_href(today), "warn"),
        figure(held(&all), t.t("overview-stuck"), "#h-stuck", "warn"),
        figure(held(&flying), t.t("overview-flying"), "/messages?state=waiting", ""),
        figure(held(&[DeliveryState::Parked]), t.t("overview-parked"), "/dead?state=parked", "bad"),
        figure(size(away), t.t("overview-away"), "#h-away", "bad"),
        figure(size(ending), t.t("overview-ending"), "#h-ending", "warn"),
    ]
}

/// Who owes what, the most overdue first.
pub(super) fn by_debtor(light: &Light<'_>, found: &DeskFigures, today: NaiveDate) -> Vec<ByDebtor> {
    let mut all: BTreeMap<&ParticipantId, (u64, u64)> = BTreeMap::new();
    for (id, count) in &found.overdue {
        all.entry(id).or_default().0 = *count;
    }
    for (id, count) in &found.due {
        all.entry(id).or_default().1 = *count;
    }
    let mut rows: Vec<ByDebtor> = all
        .into_iter()
        .map(|(id, (overdue, due))| ByDebtor {
            name: light.name(id),
            overdue,
            overdue_href: format!("/obligations?group=overdue&debtor={id}"),
            today: due,
            today_href: format!("{}&debtor={id}", today_href(today)),
        })
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse((row.overdue, row.today)), row.name.clone()));
    rows
}

/// What is not handed over, by state and reason.
pub(super) fn held(light: &Light<'_>, found: &DeskFigures) -> Vec<Figure> {
    let t = light.t;
    let one = |held: &crate::store::Held| {
        let reason = held.reason.map_or_else(|| t.t("first-attempt-ahead"), |r| t.word("reason", r.as_str()));
        let href = match (held.state, held.reason) {
            (DeliveryState::Parked, Some(reason)) => format!("/dead?state=parked&reason={reason}"),
            (DeliveryState::Parked, None) => "/dead?state=parked".to_owned(),
            (DeliveryState::Expired, _) => "/dead?state=expired".to_owned(),
            _ => "/messages?state=waiting".to_owned(),
        };
        let state = t.word("delivery", held.state.as_str());
        Figure { count: held.count, text: format!("{state}: {reason}"), href, looks: "" }
    };
    found.held.iter().map(one).collect()
}

/// Participants whose system is held to be away.
pub(super) async fn away(visit: &Visit, light: &Light<'_>) -> Result<Vec<Away>, Trouble> {
    let mut all = Vec::new();
    for row in visit.gateway.store().breakers().await? {
        if seen::queue(visit, &row.participant)? {
            let reason = light.t.word("reason", row.reason.as_str());
            let when = words::instant(light.t, row.opened_at, light.zone);
            all.push(Away {
                name: light.name(&row.participant),
                href: format!("/queues/{}", row.participant),
                text: light.t.a2("breaker-since", "when", when, "reason", reason),
            });
        }
    }
    Ok(all)
}

/// Participants whose newest certificate ends soon or has ended, and the gateway's own.
pub(super) fn ending(visit: &Visit, light: &Light<'_>) -> Result<Vec<Away>, Trouble> {
    let scope = visit.principal()?.scope();
    let soon = light.now.plus_seconds(ENDING_DAYS * 86_400);
    let own = (visit.gateway.id(), visit.gateway.certificate().not_after());
    let of_others = light.snapshot.participants().filter(|known| scope.covers_participant(&known.participant.id));
    let of_others = of_others.filter_map(|known| {
        let last = known.certificates.iter().map(crate::crypto::Certificate::not_after).max()?;
        Some((&known.participant.id, last))
    });
    let mut all: Vec<(&ParticipantId, Timestamp)> =
        of_others.chain(std::iter::once(own).filter(|_| scope.is_whole())).filter(|(_, at)| *at < soon).collect();
    all.sort_by_key(|(_, at)| *at);
    let one = |(id, at): (&ParticipantId, Timestamp)| Away {
        name: light.name(id),
        href: format!("/queues/{id}"),
        text: light.t.a("ending-at", "when", words::instant(light.t, at, light.zone)),
    };
    Ok(all.into_iter().map(one).collect())
}

/// The share of what was met in time: of the obligations whose terms ended in this month until now, and in the last one.
pub(super) async fn share(visit: &Visit, light: &Light<'_>, today: NaiveDate) -> Result<Share, Trouble> {
    let first = today.with_day(1).unwrap_or(today);
    let before = first.checked_sub_months(Months::new(1)).unwrap_or(first);
    let start = |day| words::day_start(day, light.zone).unwrap_or(light.business_now);
    let spans = [(before, start(first)), (first, light.business_now)];
    let mut months = Vec::new();
    for (index, (month, until)) in spans.into_iter().enumerate() {
        let scope = visit.principal()?.scope();
        let counted = visit.gateway.store().met_in_time(scope, (start(month), until)).await?;
        let title = format!("{}, {}", light.t.word("month-name", &month.month().to_string()), month.year());
        let percent = percent(counted);
        let text = percent.map_or_else(
            || light.t.t("share-none"),
            |percent| light.t.a2("share-of", "percent", percent.to_string(), "late", counted.late.to_string()),
        );
        months.push(MonthShare { title, percent, text, top: index * 28 });
    }
    Ok(Share { months })
}

/// Rounded down: 99.9 of a hundred is not all.
fn percent(counted: InTime) -> Option<u64> {
    let all = counted.met.checked_add(counted.late)?;
    counted.met.checked_mul(100)?.checked_div(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_of_nothing_there_is_none() {
        for (met, late, share) in [(0, 0, None), (0, 3, Some(0)), (999, 1, Some(99)), (7, 0, Some(100))] {
            assert_eq!(percent(InTime { met, late }), share, "{met} {late}");
        }
    }
}
