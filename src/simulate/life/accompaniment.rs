//! From the programme to the end of the accompaniment.

use chrono::{Days, Months, NaiveDate};

use crate::deadline::Month;
use crate::domain::Timestamp;
use crate::simulate::bodies::{self, Assessed, Contract, Extension, Level, Measure, Programme, Termination};

use super::beginning::Applied;
use super::reporting::Family;
use super::{Duty, Life};

const HELPS: [&str; 5] = ["medical", "psychological", "pedagogical", "legal", "social"];
const LEVELS: [&str; 4] = ["adaptation", "basic", "crisis", "emergency"];
/// Curators of one provider.
const CURATORS: u32 = 12;

/// An accompaniment that goes on.
struct Course {
    provider: usize,
    programme: Programme,
    /// When the programme was approved.
    approved: Timestamp,
    /// Who is responsible for each measure.
    responsible: Vec<Option<usize>>,
    ends: NaiveDate,
}

impl Life<'_> {
    /// The whole life. Whatever does not fit into the time is left out.
    pub(super) fn live(&mut self) {
        // `None` on the way only says that the case came no further.
        if let Some(applied) = self.apply()
            && let Some(decided) = self.recognise(&applied)
            && let Some(mut course) = self.plan(&applied, decided)
        {
            self.conclude(&course);
            self.carry_out(&course);
            self.go_on(&mut course);
            self.tell(&course);
        }
        // What was drawn before the end was.
        let letters = std::mem::take(&mut self.letters);
        self.letters = letters.into_iter().filter(|(at, letter)| self.may_come(*at, letter.kind)).collect();
    }

    /// The programme, its draft first.
    fn plan(&mut self, applied: &Applied, decided: Timestamp) -> Option<Course> {
        let (scene, days, territory) = (self.scene, self.scene.days, self.territory);
        let approvers = ["working-group", "uszn", "provider"];
        let (from, to) = self.programme_route()?;
        let provider =
            scene.region.agencies.iter().position(|a| a.role.as_str() == "provider" && a.is_in(territory))?;
        let begins = days.date(decided).checked_add_days(Days::new(u64::from(self.draw.between(7, 20))))?;
        let months = if self.draw.chance(4) { self.draw.between(7, 9) } else { self.draw.between(2, 6) };
        let ends = begins.checked_add_months(Months::new(months))?.pred_opt()?;
        let (responsible, measures) = self.measures(provider, begins, ends);
        let curator = format!("kurator-{}", self.draw.between(1, CURATORS));
        let mut programme = Programme {
            version: 1,
            approved: None,
            begins,
            ends,
            level: Level { code: self.draw.pick(&LEVELS).copied().unwrap_or("basic"), since: begins },
            curator: (curator, scene.agency(provider)?.id.clone()),
            substitute: self.draw.chance(15),
            measures,
        };
        let mut drafted = decided;
        let drafter = approvers.iter().find_map(|role| {
            let to = scene.region.agencies.iter().position(|a| a.role.as_str() == *role && a.is_in(territory))?;
            (to != from && scene.allows("programme", from, to)).then_some(to)
        });
        if let Some(to) = drafter {
            let term = scene.term("programme", &[("status", "draft")], 1);
            drafted = self.when_at_last(from, decided, term)?;
            self.hand_programme(drafted, (from, to), &programme)?;
        }
        let term = scene.term("programme", &[("status", "approved")], 10);
        let aimed = self.when_at_last(from, applied.at, term)?;
        let approved = if aimed > drafted { aimed } else { days.after(drafted, 0, &mut self.draw)? };
        programme.approved = Some(approved);
        self.hand_programme(approved, (from, to), &programme)?;
        let mut copied = vec![from, to];
        for place in responsible.iter().flatten() {
            if !copied.contains(place) && scene.allows("programme", from, *place) {
                copied.push(*place);
                self.hand_programme(approved, (from, *place), &programme);
            }
        }
        Some(Course { provider, programme, approved, responsible, ends })
    }

    fn programme_route(&self) -> Option<(usize, usize)> {
        let from = ["uszn", "working-group", "provider"];
        self.scene.route(("programme", &[("status", "approved")]), &from, &["provider", "uszn"], self.territory)
    }

    fn hand_programme(&mut self, at: Timestamp, parties: (usize, usize), programme: &Programme) -> Option<()> {
        let (card, programme) = (self.card.clone(), programme.clone());
        let body = Box::new(move || bodies::programme(&card, &programme));
        self.post(at, "programme", parties, body).map(|_| ())
    }

    /// One to four measures, most of participants that report to the provider.
    fn measures(&mut self, provider: usize, begins: NaiveDate, ends: NaiveDate) -> (Vec<Option<usize>>, Vec<Measure>) {
        let scene = self.scene;
        let able = |place: &usize| {
            ["progress-report", "measure-mark"].iter().any(|kind| scene.allows(kind, *place, provider))
                || *place == provider
        };
        let here = |place: &usize| scene.agency(*place).is_some_and(|a| a.is_in(self.territory));
        let able: Vec<usize> = (0..scene.region.agencies.len()).filter(here).filter(able).collect();
        let (mut responsible, mut measures) = (Vec::new(), Vec::new());
        let length = u32::try_from((ends - begins).num_days()).unwrap_or(0);
        for number in 1..=self.draw.between(1, 4) {
            let place = if self.draw.chance(10) { None } else { self.draw.pick(&able).copied() };
            let first = self.draw.between(0, length / 2);
            let due = self.draw.between(first.saturating_add(length / 4).min(length), length);
            let day = |after: u32| begins.checked_add_days(Days::new(u64::from(after))).unwrap_or(begins);
            measures.push(Measure {
                number,
                help: self.draw.pick(&HELPS).copied().unwrap_or("social"),
                responsible: place.and_then(|place| scene.agency(place)).map(|a| a.id.clone()),
                begins: day(first),
                due: day(due),
            });
            responsible.push(place);
        }
        (responsible, measures)
    }

    /// The contract, its copy, the data bank.
    fn conclude(&mut self, course: &Course) -> Option<()> {
        let (scene, territory) = (self.scene, self.territory);
        let to = ["uszn", "working-group", "ministry", "department", "guardianship"];
        let (from, to) = scene.route(("contract", &[]), &["provider"], &to, territory)?;
        let signed = self.when_at_last(from, course.approved, scene.term("contract", &[], 1))?;
        let p = &course.programme;
        let contract = Contract { signed, begins: p.begins, ends: p.ends, substitute: p.substitute };
        let write = |life: &Self| -> super::Body {
            let (card, name) = (life.card.clone(), life.name(from));
            Box::new(move || bodies::contract(&card, &contract, &name))
        };
        let body = write(self);
        let is_guardian = |place: usize| scene.agency(place).is_some_and(|a| a.role.as_str() == "guardianship");
        self.post(signed, "contract", (from, to), body)?;
        if p.substitute && !is_guardian(to) {
            let copy = scene.route(("contract", &[]), &["provider"], &["guardianship"], territory).map(|(_, to)| to);
            if let Some(copy) = copy.filter(|place| is_guardian(*place))
                && let Some(at) = self.when(from, signed, scene.term("contract", &[("substituteFamily", "true")], 3))
            {
                let body = write(self);
                self.post(at, "contract", (from, copy), body);
            }
        }
        if let Some(parties) = scene.route(("databank-entry", &[]), &["provider"], &["databank"], territory)
            && let Some(at) = scene.days.after(signed, self.draw.between(1, 10), &mut self.draw)
        {
            let card = self.card.clone();
            self.post(at, "databank-entry", parties, Box::new(move || bodies::databank_entry(&card, at)));
        }
        Some(())
    }

    /// Marks of measures, and what may happen meanwhile.
    fn carry_out(&mut self, course: &Course) {
        let (scene, territory) = (self.scene, self.territory);
        for (measure, place) in course.programme.measures.iter().zip(&course.responsible) {
            let Some(place) = *place else { continue };
            let parties = (place, course.provider);
            if !scene.allows("measure-mark", place, course.provider) {
                continue;
            }
            let Some(days) = self.days(place, 5) else { continue };
            let begun = measure.due.checked_sub_days(Days::new(7)).unwrap_or(measure.due).max(measure.begins);
            let start = scene.days.on_or_before(begun, &mut self.draw);
            let Some(at) = start.and_then(|start| scene.days.after(start, days, &mut self.draw)) else { continue };
            let (card, number) = (self.card.clone(), measure.number);
            self.post(at, "measure-mark", parties, Box::new(move || bodies::measure_mark(&card, number, at)));
        }
        if self.draw.chance(3)
            && let Some(parties) = scene.route(("rights-violation", &[]), &["provider"], &["guardianship"], territory)
        {
            self.violation(parties, course);
        }
    }

    fn violation(&mut self, parties: (usize, usize), course: &Course) -> Option<()> {
        let length = u32::try_from((course.ends - course.programme.begins).num_days()).unwrap_or(0);
        let day =
            course.programme.begins.checked_add_days(Days::new(u64::from(self.draw.between(1, length.max(1)))))?;
        let established = self.scene.days.on_or_after(day, &mut self.draw)?;
        // At once, or a day and more later.
        let late = self.days(parties.0, 0)?;
        let at = established.plus_seconds(i64::from(late) * 86_400 + i64::from(self.draw.between(1, 4)) * 600);
        let called = established.plus_seconds(300);
        let names = (self.name(parties.0), self.name(parties.1));
        let body = Box::new(move || bodies::rights_violation(established, called, (&names.0, &names.1)));
        self.post(at, "rights-violation", parties, body).map(|_| ())
    }

    /// Interim assessments, perhaps a new version or an extension, and the end.
    fn go_on(&mut self, course: &mut Course) -> Option<()> {
        let first = course.programme.begins;
        let third = first.checked_add_months(Months::new(3))?;
        if third < course.ends {
            self.assess(third, Assessed::Interim);
            self.revise(course, third);
        }
        let extended = self.draw.chance(30) && self.extend(course).is_some();
        if extended {
            self.assess(first.checked_add_months(Months::new(6))?, Assessed::Interim);
        }
        self.assess(course.ends.checked_sub_days(Days::new(16))?, Assessed::Final);
        self.terminate(course)
    }

    /// The end of the accompaniment, told to everybody who took part.
    fn terminate(&mut self, course: &mut Course) -> Option<()> {
        let (scene, days, first) = (self.scene, self.scene.days, course.programme.begins);
        let from = ["working-group", "uszn", "provider"];
        let (sender, to) =
            scene.route(("termination", &[]), &from, &["provider", "uszn", "ministry"], self.territory)?;
        let early = self.draw.chance(10);
        let (last, ground) = if early {
            let length = u32::try_from((course.ends - first).num_days()).unwrap_or(0);
            let day = first.checked_add_days(Days::new(u64::from(self.draw.between(length / 4, length))))?;
            let known: Vec<&str> =
                ["citizen-wish", "moved", "no-need"].into_iter().filter(|ground| scene.knows_ground(ground)).collect();
            (day, self.draw.pick(&known).copied().unwrap_or("citizen-wish"))
        } else {
            (course.ends, "programme-done")
        };
        let aimed = days.on_or_before(last, &mut self.draw).filter(|at| *at > course.approved)?;
        let at = days.after(aimed, self.days(sender, 0)?, &mut self.draw)?;
        let ended = Termination { decided: at, ends: last.min(days.date(at)), ground };
        let mut told = Vec::new();
        let others = course.responsible.iter().flatten().copied().filter(|place| *place != sender);
        for place in std::iter::once(to).chain(others) {
            if !told.contains(&place) && scene.allows("termination", sender, place) {
                told.push(place);
                let card = self.card.clone();
                self.post(at, "termination", (sender, place), Box::new(move || bodies::termination(&card, &ended)))?;
            }
        }
        self.closed = Some(at);
        course.ends = course.ends.min(days.date(at));
        Some(())
    }

    /// An assessment up to a day, by whoever owes it.
    fn assess(&mut self, day: NaiveDate, stage: Assessed) -> Option<()> {
        let (scene, days) = (self.scene, self.scene.days);
        let word = if stage == Assessed::Interim { "interim" } else { "final" };
        let to = ["provider", "uszn", "ministry", "working-group"];
        let kind = ("effectiveness-assessment", &[("stage", word)][..]);
        let parties = scene.route(kind, &["working-group", "provider"], &to, self.territory)?;
        let start = days.on_or_before(day.checked_sub_days(Days::new(5))?, &mut self.draw)?;
        let at = days.after(start, self.days(parties.0, 3)?, &mut self.draw)?;
        let card = self.card.clone();
        let body = Box::new(move || bodies::effectiveness(&card, at, stage));
        self.post(at, "effectiveness-assessment", parties, body).map(|_| ())
    }

    /// After the interim assessment every fifth programme gets another version with one measure less.
    fn revise(&mut self, course: &mut Course, day: NaiveDate) -> Option<()> {
        if !self.draw.chance(20) {
            return None;
        }
        let route = self.programme_route();
        let at = self.scene.days.on_or_after(day.checked_add_days(Days::new(7))?, &mut self.draw)?;
        let mut programme = course.programme.clone();
        programme.version = 2;
        programme.approved = Some(at);
        if programme.measures.len() > 1 {
            programme.measures.pop();
        }
        self.hand_programme(at, route?, &programme)
    }

    /// To a year in all, mostly with the citizen's wish and the group's decision.
    fn extend(&mut self, course: &mut Course) -> Option<()> {
        let (scene, days) = (self.scene, self.scene.days);
        let to = ["provider", "uszn"];
        let parties = scene.route(("extension", &[]), &["working-group", "uszn", "provider"], &to, self.territory)?;
        let day = course.ends.checked_sub_days(Days::new(u64::from(self.draw.between(15, 25))))?;
        let decided = days.on_or_before(day, &mut self.draw).filter(|at| *at > course.approved)?;
        let year = course.programme.begins.checked_add_months(Months::new(12))?.pred_opt()?;
        let ends = course.ends.checked_add_months(Months::new(self.draw.between(1, 6)))?.min(year);
        if ends <= course.ends {
            return None;
        }
        let grounds = if self.draw.chance(90) { days.date(decided).pred_opt() } else { None };
        let (card, extension) = (self.card.clone(), Extension { decided, ends, grounds });
        self.post(decided, "extension", parties, Box::new(move || bodies::extension(&card, &extension)))?;
        if grounds.is_some() {
            course.ends = ends;
        }
        Some(())
    }

    /// What is told month by month.
    fn tell(&mut self, course: &Course) {
        let (first, last) = (Month::of(course.programme.begins), Month::of(course.ends));
        self.family = Some(Family { provider: course.provider, first, last });
        for (measure, place) in course.programme.measures.iter().zip(&course.responsible) {
            let Some(place) = place.filter(|p| self.scene.allows("progress-report", *p, course.provider)) else {
                continue;
            };
            let mut month = Month::of(measure.begins);
            while month <= Month::of(measure.due).min(last) {
                self.duties.push(Duty { responsible: place, provider: course.provider, month, case: self.card.id });
                month = month.plus(1);
            }
        }
        let mut month = first;
        while month <= last && month < Month::of(self.scene.days.last_day()) {
            self.tell_month(course, month);
            month = month.plus(1);
        }
    }

    fn tell_month(&mut self, course: &Course, month: Month) {
        let (scene, territory) = (self.scene, self.territory);
        let after = month.plus(1).first_day();
        let acts = scene.route(("provision-act", &[]), &["provider"], &[], territory);
        let words = scene.route(("guardianship-report", &[]), &["provider"], &["guardianship"], territory);
        let words = words.filter(|_| course.programme.substitute);
        for (parties, kind) in [(acts, "provision-act"), (words, "guardianship-report")] {
            let Some(parties) = parties else { continue };
            let Some(days) = self.days(parties.0, 3) else { continue };
            let start = scene.days.on_or_after(after, &mut self.draw);
            let Some(at) = start.and_then(|start| scene.days.after(start, days, &mut self.draw)) else { continue };
            let card = self.card.clone();
            let body: super::Body = if kind == "provision-act" {
                Box::new(move || bodies::provision_act(&card, month, at))
            } else {
                Box::new(move || bodies::guardianship_report(month))
            };
            self.post(at, kind, parties, body);
        }
    }
}
