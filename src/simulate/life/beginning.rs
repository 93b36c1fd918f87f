//! From the first word of a citizen to the decision.

use crate::domain::{MessageId, Timestamp};
use crate::simulate::bodies::{self, Decision};

use super::Life;

/// Kinds of documents by the role of who holds them.
const DOCUMENTS: [(&str, &[&str]); 8] = [
    ("health", &["medical-conclusion", "no-contraindications"]),
    ("education", &["study-certificate", "pupil-characteristic"]),
    ("police", &["criminal-record", "residence-registration"]),
    ("guardianship", &["living-conditions-act", "parental-rights"]),
    ("employment", &["unemployment-registration", "unemployment-benefit"]),
    ("minors-commission", &["minors-commission-order"]),
    ("social-fund", &["pension-amount"]),
    ("tax", &["income-certificate"]),
];

/// Of a hundred cases so many begin with a notice of an identified citizen, and so many of these are emergencies.
const IDENTIFIED: u32 = 25;
const EMERGENCIES: u32 = 20;
/// Of a hundred applications so many are refused.
const REFUSED: u32 = 8;
/// Of a hundred requests so many are withdrawn.
const WITHDRAWN: u32 = 3;

/// Who takes the application, by roles, the likeliest first.
const LEADS: [&str; 3] = ["uszn", "ministry", "provider"];

/// What was applied for.
pub(super) struct Applied {
    /// When it was registered.
    pub(super) at: Timestamp,
    /// When the provider got it.
    pub(super) handed: Timestamp,
    pub(super) emergency: bool,
}

impl Life<'_> {
    /// Notice, application, and its way to the provider.
    pub(super) fn apply(&mut self) -> Option<Applied> {
        let days = self.scene.days;
        let day = days.any(&mut self.draw)?;
        let mut at = days.some_hour(day, &mut self.draw);
        let (mut emergency, is_identified) = (false, self.draw.chance(IDENTIFIED));
        if is_identified && let Some(notice) = self.identify(at, &mut emergency) {
            at = days.after(notice, self.draw.between(0, if emergency { 1 } else { 4 }), &mut self.draw)?;
        }
        let (lead, _) = self.scene.route(("application", &[]), &LEADS, &LEADS, self.territory)?;
        let documents = self.documents(lead);
        let submitted = at.plus_seconds(-i64::from(self.draw.between(1, 4)) * 600);
        let write = |life: &Self, at: Timestamp| -> super::Body {
            let (card, documents, name) = (life.card.clone(), documents.clone(), life.name(lead));
            let today = days.date(at);
            Box::new(move || bodies::application(&card, (submitted, at), today, &name, &documents))
        };
        let body = write(self, at);
        // Registered with itself where the regulation has that; the copy for the provider is the same application.
        let registered_with = if self.scene.allows("application", lead, lead) { Some(lead) } else { None };
        let provider = self.scene.route(("application", &[]), &LEADS, &["provider"], self.territory).map(|(_, to)| to);
        if let Some(to) = registered_with.or(provider) {
            self.post(at, "application", (lead, to), body)?;
        }
        let mut handed = at;
        if let Some(to) = provider.filter(|to| registered_with.is_some() && *to != lead) {
            handed = self.when_at_last(lead, at, 1)?;
            let copy = {
                let (card, documents, name, today) =
                    (self.card.clone(), documents.clone(), self.name(lead), days.date(at));
                Box::new(move || bodies::application(&card, (submitted, at), today, &name, &documents))
            };
            self.post(handed, "application", (lead, to), copy)?;
        }
        self.ask(lead, at, &documents);
        Some(Applied { at, handed, emergency })
    }

    /// The notice of an identified citizen; when it came.
    fn identify(&mut self, identified: Timestamp, emergency: &mut bool) -> Option<Timestamp> {
        let territory = self.territory;
        let mut senders: Vec<(usize, usize)> = Vec::new();
        for exchange in self.scene.exchanges("identification-notice") {
            let to = exchange.to.first().and_then(|to| self.scene.region.holder(to, territory));
            let from = exchange.from.iter().filter_map(|from| self.scene.region.holder(from, territory));
            senders.extend(from.zip(std::iter::repeat(to)).filter_map(|(from, to)| Some((from, to?))));
        }
        let (from, to) = self.draw.pick(&senders).copied()?;
        *emergency = self.draw.chance(EMERGENCIES);
        let at = if *emergency {
            // Around the clock: minutes for who is awake, hours or days for the others.
            let minutes = match self.days(from, 0) {
                Some(0) => self.draw.between(1, 5) * 10,
                Some(days) => days * 24 * 60 + 30,
                None => return None,
            };
            identified.plus_seconds(i64::from(minutes) * 60)
        } else {
            let term = self.scene.term("identification-notice", &[("urgency", "normal")], 2);
            self.when(from, identified, term)?
        };
        let (card, name, is_emergency) = (self.card.clone(), self.name(from), *emergency);
        let body = Box::new(move || bodies::identification(&card, identified, is_emergency, &name));
        self.post(at, "identification-notice", (from, to), body).map(|_| at)
    }

    /// The documents that the application needs: kind, role of the holder, whether it is asked for.
    fn documents(&mut self, lead: usize) -> Vec<(String, String, bool)> {
        let (scene, territory) = (self.scene, self.territory);
        let can_be_asked = |role: &str| {
            let holder = scene.region.agencies.iter().position(|a| a.role.as_str() == role && a.is_in(territory));
            holder.is_some_and(|holder| scene.allows("document-request", lead, holder))
        };
        let mut documents = Vec::new();
        for (role, kinds) in DOCUMENTS {
            let Some(kind) = self.draw.pick(kinds).copied() else { continue };
            let (asked, brought) = (self.draw.chance(30), self.draw.chance(30));
            if can_be_asked(role) && (asked || brought) {
                documents.push((kind.to_owned(), role.to_owned(), asked));
                if asked && let Some(more) = kinds.iter().find(|k| **k != kind).filter(|_| brought) {
                    documents.push(((*more).to_owned(), role.to_owned(), true));
                }
            }
        }
        documents
    }

    /// Asks the holders, each in one request, and lets them answer.
    fn ask(&mut self, lead: usize, from: Timestamp, documents: &[(String, String, bool)]) {
        for (role, _) in DOCUMENTS {
            let wanted = documents.iter().filter(|(_, holder, asked)| *asked && holder == role);
            let kinds: Vec<String> = wanted.map(|(kind, ..)| kind.clone()).collect();
            let holder =
                self.scene.region.agencies.iter().position(|a| a.role.as_str() == role && a.is_in(self.territory));
            let Some(holder) = holder.filter(|_| !kinds.is_empty()) else { continue };
            if self.scene.allows("document-request", lead, holder) {
                self.ask_one(lead, holder, from, kinds);
            }
        }
    }

    fn ask_one(&mut self, lead: usize, holder: usize, from: Timestamp, kinds: Vec<String>) -> Option<()> {
        let days = self.scene.days;
        let at = self.when(lead, from, self.scene.term("document-request", &[], 1))?;
        let (card, names, wanted) = (self.card.clone(), (self.name(lead), self.name(holder)), kinds.clone());
        let today = days.date(at);
        let body = Box::new(move || bodies::request(&card, today, (&names.0, &names.1), &wanted));
        let asked = self.answer(at, "document-request", (lead, holder), None, body)?;
        if self.draw.chance(WITHDRAWN) && self.scene.allows("request-withdrawal", lead, holder) {
            let at = days.after(at, 1, &mut self.draw)?;
            return self.withdraw(at, (lead, holder), asked.0);
        }
        let at = self.when(holder, days.mail_after(at)?, self.scene.term("document-response", &[], 5))?;
        let (card, today) = (self.card.clone(), days.date(at));
        let body = Box::new(move || bodies::response(&card, today, &kinds));
        self.answer(at, "document-response", (holder, lead), Some(asked), body).map(|_| ())
    }

    fn withdraw(&mut self, at: Timestamp, parties: (usize, usize), request: MessageId) -> Option<()> {
        let body = Box::new(move || bodies::withdrawal(request));
        self.post(at, "request-withdrawal", parties, body).map(|_| ())
    }

    /// Assessment and decision. `None`: refused, or not within the time.
    pub(super) fn recognise(&mut self, applied: &Applied) -> Option<Timestamp> {
        let (scene, days, territory) = (self.scene, self.scene.days, self.territory);
        let recognised = !self.draw.chance(REFUSED);
        let mut ready = applied.handed;
        let to = ["commission", "uszn", "ministry", "working-group"];
        if let Some((from, to)) = scene.route(("needs-assessment", &[]), &["provider"], &to, territory) {
            ready = self.when_at_last(from, applied.handed, scene.term("needs-assessment", &[], 3))?;
            let (card, today, assessed) = (self.card.clone(), days.date(ready), ready.plus_seconds(-1800));
            let body = Box::new(move || bodies::needs_assessment(&card, assessed, today, recognised));
            self.post(ready, "needs-assessment", (from, to), body)?;
        }
        let urgency = match (applied.emergency, self.draw.chance(10)) {
            (true, _) => "urgent",
            (false, true) => "palliative",
            (false, false) => "ordinary",
        };
        let mut decided = ready;
        let from = ["commission", "uszn", "ministry"];
        let fields = [("urgency", urgency), ("outcome", "recognised")];
        if let Some((from, to)) = scene.route(("decision", &fields), &from, &["provider", "uszn"], territory) {
            let aimed = self.when_at_last(from, applied.at, scene.term("decision", &fields, 5))?;
            // Nothing is decided before it is assessed.
            decided = if aimed > ready { aimed } else { days.after(ready, 0, &mut self.draw)? };
            let (card, decision) = (self.card.clone(), Decision { at: decided, urgency, recognised });
            let body = Box::new(move || bodies::decision(&card, &decision));
            self.post(decided, "decision", (from, to), body)?;
        }
        recognised.then_some(decided)
    }
}
