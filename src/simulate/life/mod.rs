//! What the simulated agencies will do: the whole script of the time, drawn before it begins. Nothing in it depends on what the gateway
//! answers, so the same seed gives the same script however threads run.

mod accompaniment;
mod beginning;
mod reporting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::deadline::{BodyPath, Exchange, Meets, Month, Party, Regulation, Rule, Term, TermChoice, Unit};
use crate::domain::{CaseId, ConversationId, MessageId, RoleCode, Timestamp};

use super::bodies::{Card, Person, Written};
use super::days::Workdays;
use super::draw::Draw;
use super::region::{Agency, Region, TERRITORIES, Temper};

/// Categories of citizens that cases are about.
const CATEGORIES: [&str; 6] = [
    "family-low-income",
    "family-large",
    "family-at-risk",
    "family-disabled-child",
    "disabled-person",
    "elderly-person",
];

/// Writes a body once its message is sent.
pub(super) type Body = Box<dyn FnOnce() -> Written + Send>;

/// A message that will be sent.
pub(super) struct Letter {
    /// The case it is about: its number. Messages of one case go one after the other.
    pub(super) case: Option<usize>,
    pub(super) case_id: Option<CaseId>,
    /// Places of the agencies.
    pub(super) sender: usize,
    pub(super) recipient: usize,
    pub(super) kind: &'static str,
    pub(super) id: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) in_reply_to: Option<MessageId>,
    pub(super) body: Body,
}

/// The script: what is sent at which instant, in the order in which it was written.
pub(super) type Script = BTreeMap<Timestamp, Vec<Letter>>;

/// Where everything happens.
pub(super) struct Scene<'a> {
    pub(super) regulation: &'a Regulation,
    pub(super) region: &'a Region,
    pub(super) days: &'a Workdays,
    pub(super) seed: u64,
}

/// Somebody who must report on a case for a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Duty {
    responsible: usize,
    provider: usize,
    month: Month,
    case: CaseId,
}

/// Writes the script of so many cases.
pub(super) fn script(scene: &Scene<'_>, cases: usize) -> Script {
    let mut script = Script::new();
    let mut duties = BTreeSet::new();
    let mut families = Vec::new();
    for number in 1..=cases {
        let mut life = Life::new(scene, number);
        life.live();
        families.extend(life.family);
        duties.extend(life.duties);
        for (at, letter) in life.letters {
            script.entry(at).or_default().push(letter);
        }
    }
    for (at, letter) in reporting::letters(scene, &duties, &families) {
        script.entry(at).or_default().push(letter);
    }
    script
}

impl Scene<'_> {
    fn agency(&self, place: usize) -> Option<&Agency> {
        self.region.agency(place)
    }

    /// Between whom a message with these fields goes in a territory: of the pairs that the regulation allows, the one whose roles stand
    /// first in the wishes; whoever owes it stands before them. `None`: the regulation has no such exchange.
    fn route(
        &self,
        (kind, fields): (&str, &[(&str, &str)]),
        from: &[&str],
        to: &[&str],
        territory: usize,
    ) -> Option<(usize, usize)> {
        let mut senders = self.debtors(kind, fields);
        senders.extend(from);
        let rank = |wishes: &[&str], role: &RoleCode| {
            wishes.iter().position(|wish| *wish == role.as_str()).unwrap_or(wishes.len())
        };
        let pairs = self.exchanges(kind).flat_map(|e| e.from.iter().flat_map(|f| e.to.iter().map(move |t| (f, t))));
        let (sender, recipient) = pairs.min_by_key(|(f, t)| (rank(&senders, f), rank(to, t)))?;
        Some((self.region.holder(sender, territory)?, self.region.holder(recipient, territory)?))
    }

    fn exchanges<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Exchange> {
        self.regulation.exchanges.iter().filter(move |e| e.message == kind)
    }

    /// Whether one agency may send a message to another.
    fn allows(&self, kind: &str, sender: usize, recipient: usize) -> bool {
        let (Some(sender), Some(recipient)) = (self.agency(sender), self.agency(recipient)) else { return false };
        self.exchanges(kind).any(|e| e.from.contains(&sender.role) && e.to.contains(&recipient.role))
    }

    /// Whether a case may end on this ground.
    fn knows_ground(&self, ground: &str) -> bool {
        let grounds = self.regulation.case.as_ref().map(|case| case.grounds.as_slice()).unwrap_or_default();
        grounds.is_empty() || grounds.iter().any(|known| known.code == ground)
    }

    /// The roles of those who owe a message with these fields: the likeliest to send it.
    fn debtors<'s>(&'s self, kind: &'s str, fields: &'s [(&'s str, &'s str)]) -> Vec<&'s str> {
        let named = self.met_by(kind, fields).filter_map(|(rule, _)| match &rule.debtor {
            Party::Role(role) => Some(role.as_str()),
            Party::RoleOfKey | Party::Sender | Party::Recipient | Party::Responsible | Party::Citizen => None,
        });
        named.collect()
    }

    /// The rules in force that a message with these fields meets.
    fn met_by<'s>(
        &'s self,
        kind: &'s str,
        fields: &'s [(&'s str, &'s str)],
    ) -> impl Iterator<Item = (&'s Rule, &'s Meets)> {
        let holds = move |(path, values): &(BodyPath, Vec<String>)| {
            fields.iter().any(|(name, value)| path.to_string() == *name && values.iter().any(|v| v == value))
        };
        let rules = self.regulation.rules.iter().filter(|r| r.off.is_none());
        let all = rules.flat_map(|r| r.met.iter().map(move |m| (r, m)));
        all.filter(move |(_, m)| m.matching.message == kind && m.matching.filter.iter().all(holds))
    }

    /// Within how many working days the regulation wants a message with these fields: the shortest of its rules that it meets. Calendar
    /// days count as the working days that are among them at least. An agency knows the law, and takes `without` where it is silent.
    fn term(&self, kind: &str, fields: &[(&str, &str)], without: u32) -> u32 {
        let terms = self.met_by(kind, fields).filter_map(|(rule, _)| match &rule.term {
            TermChoice::Plain(Term::After(span)) => match span.unit {
                Unit::WorkingDay => Some(span.count),
                Unit::Day => Some((span.count * 5 / 7).max(1)),
                Unit::Hour | Unit::Week | Unit::Month | Unit::Year => None,
            },
            TermChoice::Plain(_) | TermChoice::Table(_) | TermChoice::None => None,
        });
        terms.min().unwrap_or(without)
    }
}

/// The life of one case.
struct Life<'a> {
    scene: &'a Scene<'a>,
    card: Arc<Card>,
    territory: usize,
    draw: Draw,
    ids: Draw,
    letters: Vec<(Timestamp, Letter)>,
    duties: Vec<Duty>,
    /// Its provider and the months of its accompaniment, once it began.
    family: Option<reporting::Family>,
    closed: Option<Timestamp>,
}

impl<'a> Life<'a> {
    fn new(scene: &'a Scene<'a>, number: usize) -> Self {
        let stream = u64::try_from(number).unwrap_or(u64::MAX);
        let (mut draw, mut ids) = (Draw::new(scene.seed, "case", stream), Draw::new(scene.seed, "case ids", stream));
        let territories: Vec<(usize, &'static str)> = TERRITORIES.into_iter().enumerate().collect();
        let (territory, oktmo) = draw.pick(&territories).copied().unwrap_or_default();
        let card = Card {
            number,
            id: CaseId::from_uuid(uuid(scene.days.begins_at(), &mut ids)),
            territory: oktmo,
            category: draw.pick(&CATEGORIES).copied().unwrap_or_default(),
            person: Person::draw(&mut draw, number * 2, (1950, 1990)),
            // Some of the children come of age within the time.
            child: draw.chance(60).then(|| Person::draw(&mut draw, number * 2 + 1, (2007, 2022))),
        };
        Self {
            scene,
            card: Arc::new(card),
            territory,
            draw,
            ids,
            letters: Vec::new(),
            duties: Vec::new(),
            family: None,
            closed: None,
        }
    }
}

impl Life<'_> {
    /// How many working days an agency takes for what it should do within `term` days. `None`: it never does it.
    fn days(&mut self, agency: usize, term: u32) -> Option<u32> {
        let temper = self.scene.agency(agency).map_or(Temper::Honest, |a| a.temper);
        takes(temper, term, &mut self.draw)
    }

    /// When an agency does what it should do within `term` working days of an instant. `None`: never, or not within the time.
    fn when(&mut self, agency: usize, from: Timestamp, term: u32) -> Option<Timestamp> {
        let days = self.days(agency, term)?;
        self.scene.days.after(from, days, &mut self.draw)
    }

    /// The same for a step without which the case stands still: who would never do it does it very late.
    fn when_at_last(&mut self, agency: usize, from: Timestamp, term: u32) -> Option<Timestamp> {
        let days = self.days(agency, term).unwrap_or_else(|| term.saturating_add(self.draw.between(10, 30)));
        self.scene.days.after(from, days, &mut self.draw)
    }

    /// Whether a message may still come: the case is not closed by then, or the regulation takes it nevertheless.
    fn may_come(&self, at: Timestamp, kind: &str) -> bool {
        // The end itself was put into the script before what else comes at that instant.
        let is_open = self.closed.is_none_or(|closed| at < closed);
        let case = self.scene.regulation.case.as_ref();
        let after_close = case.map(|c| c.after_close.as_slice()).unwrap_or_default();
        is_open || kind == "termination" || after_close.iter().any(|late| late == kind)
    }

    fn name(&self, agency: usize) -> String {
        self.scene.agency(agency).map(|a| a.name.clone()).unwrap_or_default()
    }

    /// Puts a message of the case into the script, unless the case is closed by then. Returns its id.
    fn post(
        &mut self,
        at: Timestamp,
        kind: &'static str,
        (sender, recipient): (usize, usize),
        body: Body,
    ) -> Option<MessageId> {
        self.answer(at, kind, (sender, recipient), None, body).map(|(id, _)| id)
    }

    /// The same in an earlier message's conversation.
    fn answer(
        &mut self,
        at: Timestamp,
        kind: &'static str,
        (sender, recipient): (usize, usize),
        asked: Option<(MessageId, ConversationId)>,
        body: Body,
    ) -> Option<(MessageId, ConversationId)> {
        if at >= self.scene.days.ends_at() || !self.may_come(at, kind) {
            return None;
        }
        let id = MessageId::from_uuid(uuid(at, &mut self.ids));
        let conversation = asked.map_or_else(|| ConversationId::from_uuid(uuid(at, &mut self.ids)), |(_, own)| own);
        let letter = Letter {
            case: Some(self.card.number),
            case_id: Some(self.card.id),
            sender,
            recipient,
            kind,
            id,
            conversation,
            in_reply_to: asked.map(|(id, _)| id),
            body,
        };
        self.letters.push((at, letter));
        Some((id, conversation))
    }
}

/// How many working days somebody of this temper takes for what should be done within `term` days; `None`: for ever.
fn takes(temper: Temper, term: u32, draw: &mut Draw) -> Option<u32> {
    match temper {
        Temper::Honest if draw.chance(4) => Some(term.saturating_add(draw.between(1, 3))),
        Temper::Honest => Some(draw.between(term / 3, term)),
        Temper::Late if draw.chance(45) => Some(term.saturating_add(draw.between(1, 15))),
        Temper::Late => Some(draw.between(term / 2, term)),
        Temper::Silent if draw.chance(50) => None,
        Temper::Silent => Some(draw.between(0, term)),
    }
}

/// An id of version 7, from a drawn stream.
fn uuid(at: Timestamp, ids: &mut Draw) -> uuid::Uuid {
    let millis = u64::try_from(at.micros().div_euclid(1_000)).unwrap_or(0);
    let mut random = [0_u8; 10];
    for (place, byte) in random.iter_mut().zip(ids.next().to_le_bytes().into_iter().chain(ids.next().to_le_bytes())) {
        *place = byte;
    }
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The id of a case by its number: the first that is drawn for it.
pub(super) fn case_id(scene: &Scene<'_>, number: usize) -> CaseId {
    let mut ids = Draw::new(scene.seed, "case ids", u64::try_from(number).unwrap_or(u64::MAX));
    CaseId::from_uuid(uuid(scene.days.begins_at(), &mut ids))
}
