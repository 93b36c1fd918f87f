//! What organisations tell of many cases at once: months of measures, quarters, years.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days};

use crate::deadline::Month;
use crate::domain::{CaseId, ConversationId, MessageId, Timestamp};
use crate::simulate::bodies;
use crate::simulate::draw::Draw;
use crate::simulate::region::Temper;

use super::{Body, Duty, Letter, Scene, takes, uuid};

/// Cases in one report.
const CASES_MAX: usize = 400;

/// A family in accompaniment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) provider: usize,
    pub(super) first: Month,
    pub(super) last: Month,
}

/// All reports of the time.
pub(super) fn letters(scene: &Scene<'_>, duties: &BTreeSet<Duty>, families: &[Family]) -> Vec<(Timestamp, Letter)> {
    let mut desk = Desk { scene, ids: Draw::new(scene.seed, "report ids", 0), letters: Vec::new() };
    let mut by_month: BTreeMap<(usize, usize, Month), Vec<CaseId>> = BTreeMap::new();
    for duty in duties {
        by_month.entry((duty.responsible, duty.provider, duty.month)).or_default().push(duty.case);
    }
    for ((responsible, provider, month), cases) in by_month {
        desk.months(responsible, provider, month, &cases);
    }
    desk.of_organisations(families);
    desk.letters
}

struct Desk<'a> {
    scene: &'a Scene<'a>,
    ids: Draw,
    letters: Vec<(Timestamp, Letter)>,
}

impl Desk<'_> {
    fn post(&mut self, at: Timestamp, kind: &'static str, (sender, recipient): (usize, usize), body: Body) {
        if at >= self.scene.days.ends_at() {
            return;
        }
        let id = MessageId::from_uuid(uuid(at, &mut self.ids));
        let conversation = ConversationId::from_uuid(uuid(at, &mut self.ids));
        let letter =
            Letter { case: None, case_id: None, sender, recipient, kind, id, conversation, in_reply_to: None, body };
        self.letters.push((at, letter));
    }

    fn stream(&self, purpose: &str, agency: usize, month: Month) -> Draw {
        let first = month.first_day();
        let number = u64::try_from(agency).unwrap_or(0) * 1_000_000 + u64::from(first.year().unsigned_abs()) * 12;
        Draw::new(self.scene.seed, purpose, number + u64::from(first.month()))
    }

    /// The report of a month: in one message what is ready in time, the rest later day by day, some never.
    fn months(&mut self, responsible: usize, provider: usize, month: Month, cases: &[CaseId]) {
        let (scene, mut draw) = (self.scene, self.stream("month", responsible, month));
        let Some((temper, name)) = scene.agency(responsible).map(|a| (a.temper, a.name.clone())) else { return };
        let first = month.plus(1).first_day();
        // Up to the fifth; on a day off it moves to the next working day, and so does the term.
        let target = first.checked_add_days(Days::new(u64::from(draw.between(0, 4)))).unwrap_or(first);
        let Some(ready) = scene.days.on_or_after(target, &mut draw) else { return };
        let mut by_instant: BTreeMap<Timestamp, Vec<CaseId>> = BTreeMap::new();
        for case in cases {
            let days = match temper {
                Temper::Honest if draw.chance(98) => Some(0),
                Temper::Late if draw.chance(60) => Some(0),
                Temper::Honest | Temper::Late => Some(3 + draw.between(1, 4) * 3),
                Temper::Silent if draw.chance(50) => None,
                Temper::Silent => Some(0),
            };
            let at = match days {
                None => continue,
                Some(0) => Some(ready),
                Some(days) => scene.days.after(ready, days, &mut self.stream("later", responsible, month)),
            };
            if let Some(at) = at {
                by_instant.entry(at).or_default().push(*case);
            }
        }
        for (at, cases) in by_instant {
            for part in cases.chunks(CASES_MAX) {
                let (name, today, part) = (name.clone(), scene.days.date(at), part.to_vec());
                let body = Box::new(move || bodies::progress_report(month, &name, today, &part));
                self.post(at, "progress-report", (responsible, provider), body);
            }
        }
    }

    /// Quarters of providers, months for the ministry, years of the department.
    fn of_organisations(&mut self, families: &[Family]) {
        let months = self.scene.days.months();
        for month in &months {
            for territory in 0..crate::simulate::region::TERRITORIES.len() {
                self.ministry(*month, territory, families);
                if month.first_day().month() % 3 == 0 {
                    self.quarter(*month, territory, families);
                }
            }
        }
        let years: BTreeSet<i32> = months.iter().map(|m| m.first_day().year()).collect();
        for year in years {
            self.year(year, families);
        }
    }

    /// When an agency tells of a month: on one of the first days of the next.
    fn told(&self, purpose: &str, agency: usize, month: Month, days: u32) -> Option<Timestamp> {
        let mut draw = self.stream(purpose, agency, month);
        let temper = self.scene.agency(agency).map_or(Temper::Honest, |a| a.temper);
        let first = self.scene.days.on_or_after(month.plus(1).first_day(), &mut draw)?;
        let taken = takes(temper, days, &mut draw)?;
        if taken == 0 { Some(first) } else { self.scene.days.after(first, taken, &mut draw) }
    }

    fn ministry(&mut self, month: Month, territory: usize, families: &[Family]) {
        let Some(parties) = self.scene.route(("ministry-report", &[]), &["provider"], &["ministry"], territory) else {
            return;
        };
        let Some(at) = self.told("ministry", parties.0, month, 5) else { return };
        let (name, count) = (self.name(parties.0), in_month(families, parties.0, month));
        self.post(at, "ministry-report", parties, Box::new(move || bodies::ministry_report(month, &name, count)));
    }

    fn quarter(&mut self, month: Month, territory: usize, families: &[Family]) {
        let to = ["working-group", "department", "uszn"];
        let Some(parties) = self.scene.route(("quarterly-analysis", &[]), &["provider"], &to, territory) else {
            return;
        };
        let Some(at) = self.told("quarter", parties.0, month, 5) else { return };
        let quarter = format!("{}-Q{}", month.first_day().year(), month.quarter());
        let (name, count) = (self.name(parties.0), in_month(families, parties.0, month));
        let body = Box::new(move || bodies::quarterly_analysis(&quarter, &name, count));
        self.post(at, "quarterly-analysis", parties, body);
    }

    /// In January or February of the next year; the summary of the last year lies beyond the time.
    fn year(&mut self, year: i32, families: &[Family]) {
        let Some(parties) = self.scene.route(("yearly-summary", &[]), &["department"], &["working-group"], 0) else {
            return;
        };
        let Some(december) = chrono::NaiveDate::from_ymd_opt(year, 12, 1).map(Month::of) else { return };
        let Some(at) = self.told("year", parties.0, december, 20) else { return };
        let (name, count) = (self.name(parties.0), families.len());
        self.post(at, "yearly-summary", parties, Box::new(move || bodies::yearly_summary(year, &name, count)));
    }

    fn name(&self, agency: usize) -> String {
        self.scene.agency(agency).map(|a| a.name.clone()).unwrap_or_default()
    }
}

/// The families of a provider in a month.
fn in_month(families: &[Family], provider: usize, month: Month) -> usize {
    families.iter().filter(|f| f.provider == provider && f.first <= month && month <= f.last).count()
}
