//! What an accepted message opens and settles.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::{
    AHEAD_MAX_SECONDS, Beginning, CaseUpsert, DatedTerm, Effects, MessageEvent, NewObligation, Note, PendingStart,
    Plan, Settlement, StartError, StartOn,
};
use crate::deadline::regulation::{
    DATED_FIELDS, Key, Matching, Meets, Opens, Party, Regulation, Rule, SettleAt, StartAt, TermChoice,
};
use crate::deadline::{BodyPath, Calendars, ComputeError, Month, Start, Term, start_of_day};
use crate::domain::{CaseId, Fault, FaultCode, Oktmo, Participant, RoleCode, Timestamp};

/// What an accepted message opens and settles under a regulation. A message marked as a test does nothing.
///
/// # Errors
/// `content-invalid` for a date in the future or a value that names nothing, `header-invalid` for a missing case id or
/// in-reply-to, `role-vacant` when a role has not exactly one holder, and `not-now` when the calendar has no data for a year.
pub fn on_message(regulation: &Regulation, calendars: &Calendars, event: &MessageEvent<'_>) -> Result<Effects, Fault> {
    no_date_ahead(event)?;
    if event.header.test || !regulation.in_force(event.accepted_at) {
        return Ok(Effects::default());
    }
    let case = case_upsert(regulation, event)?;
    let territory = case.as_ref().map(|c| c.territory.clone()).or_else(|| event.case.map(|c| c.territory.clone()));
    let context = Context { regulation, calendars, event, territory };
    let mut effects = Effects { case, ..Effects::default() };
    let name = &event.header.message_type.name;
    for rule in regulation.rules.iter().filter(|r| r.off.is_none()) {
        if let Opens::Message(matching) = &rule.opens
            && matching.message == *name
        {
            context.open(rule, matching, &mut effects)?;
        }
        for meets in rule.met.iter().filter(|m| m.matching.message == *name) {
            effects.settle.extend(context.settle(rule, meets)?);
        }
    }
    Ok(effects)
}

fn content(detail: impl Into<String>) -> Fault {
    Fault::new(FaultCode::ContentInvalid, detail)
}

/// Refuses a body whose dated acts lie in the future.
fn no_date_ahead(event: &MessageEvent<'_>) -> Result<(), Fault> {
    for field in DATED_FIELDS {
        if BodyPath::parse(field).is_some_and(|path| path.text(event.body).is_some()) {
            dated(event, field)?;
        }
    }
    Ok(())
}

/// A dated field at the top of the body.
fn dated(event: &MessageEvent<'_>, field: &str) -> Result<Start, Fault> {
    let text = BodyPath::parse(field).and_then(|path| path.text(event.body));
    let text = text.ok_or_else(|| content(format!("`{field}` is missing; the term is counted from it")))?;
    let text = if text.contains('T') { text } else { text.get(..10).unwrap_or(text) };
    let start = Start::parse(text).filter(|s| matches!(s, Start::Instant(_) | Start::Date(_)));
    let start = start.ok_or_else(|| {
        content(format!("`{field}` must be a date, or a time with its zone, such as 2026-05-06T10:00:00+05:00"))
    })?;
    if start.instant(event.sender.zone) > event.accepted_at.plus_seconds(AHEAD_MAX_SECONDS) {
        return Err(content(format!("`{field}` lies in the future")));
    }
    Ok(start)
}

/// An act dated by a day alone was done by the end of that day, but not after it arrived.
fn settled_by(act: &Start, event: &MessageEvent<'_>) -> Timestamp {
    let zone = event.sender.zone;
    let last = match act {
        Start::Instant(at) => *at,
        Start::Date(_) | Start::Month(_) | Start::Quarter(_) => {
            let next = act.local_date(zone).succ_opt().map(|day| start_of_day(day, zone));
            Timestamp::from_micros(next.unwrap_or(event.accepted_at).micros().saturating_sub(1))
        }
    };
    last.min(event.accepted_at)
}

fn case_upsert(regulation: &Regulation, event: &MessageEvent<'_>) -> Result<Option<CaseUpsert>, Fault> {
    let Some(source) = regulation.case.as_ref().filter(|c| c.message == event.header.message_type.name) else {
        return Ok(None);
    };
    let id = event.header.case_id.ok_or_else(|| {
        Fault::new(FaultCode::HeaderInvalid, format!("CaseId is needed: `{}` begins a case", source.message))
    })?;
    let need =
        |path: &BodyPath| path.text(event.body).ok_or_else(|| content(format!("`{path}` is missing; a case needs it")));
    let territory = Oktmo::parse(need(&source.territory)?)
        .map_err(|_| content(format!("`{}` is no OKTMO code of 2 to 11 digits", source.territory)))?;
    let kind = need(&source.kind)?.to_owned();
    Ok(Some(CaseUpsert { id, territory, kind, regulation: regulation.id.clone() }))
}

/// What in a message stands for one obligation.
struct Item<'a> {
    node: Node<'a, 'a>,
    key: Option<String>,
    case: Option<CaseId>,
}

struct Context<'a> {
    regulation: &'a Regulation,
    calendars: &'a Calendars,
    event: &'a MessageEvent<'a>,
    territory: Option<Oktmo>,
}

impl<'a> Context<'a> {
    /// The items of a message; equal ones are one.
    fn items(&self, matching: &Matching) -> Result<Vec<Item<'a>>, Fault> {
        let body = self.event.body;
        let nodes = matching.each.as_ref().map_or_else(|| vec![body], |each| each.all(body));
        let mut items: Vec<Item<'a>> = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            let passes = |(path, values): &(BodyPath, Vec<String>)| {
                path.text(node).is_some_and(|text| values.iter().any(|value| value == text))
            };
            if !matching.filter.iter().all(passes) {
                continue;
            }
            let place =
                || matching.each.as_ref().map_or_else(String::new, |each| format!("`{each}` no. {}: ", index + 1));
            let case = match &matching.case {
                None => self.event.header.case_id,
                Some(path) => {
                    let id = path.text(node).and_then(|text| CaseId::parse(text).ok());
                    Some(id.ok_or_else(|| content(format!("{}`{path}` must be a case id", place())))?)
                }
            };
            let keys = match &matching.key {
                None => vec![None],
                Some(Key::Path(path)) => {
                    let key = path.text(node).ok_or_else(|| content(format!("{}`{path}` is missing", place())))?;
                    vec![Some(key.to_owned())]
                }
                Some(Key::RolesOfRecipient) => self.roles_of_recipient(),
            };
            for key in keys {
                if !items.iter().any(|item| item.key == key && item.case == case) {
                    items.push(Item { node, key, case });
                }
            }
        }
        Ok(items)
    }

    fn roles_of_recipient(&self) -> Vec<Option<String>> {
        let recipient = self.event.recipient;
        let held = recipient.roles.iter().filter(|holding| recipient.holds(&holding.role, self.territory.as_ref()));
        held.map(|holding| Some(holding.role.as_str().to_owned())).collect()
    }

    fn open(&self, rule: &Rule, matching: &Matching, effects: &mut Effects) -> Result<(), Fault> {
        let period = self.period(matching)?;
        let items = self.items(matching)?;
        if let (true, Some(nothing)) = (items.is_empty(), &rule.nothing) {
            effects.notes.push(Note { rule: rule.id.clone(), ru: nothing.ru.clone(), en: nothing.en.clone() });
        }
        for item in items {
            match self.stranger(rule, &item) {
                Some(note) => effects.notes.push(note),
                None => effects.open.push(self.obligation(rule, &item, &period)?),
            }
        }
        Ok(())
    }

    /// A holder that the regulation does not know cannot be owed through the gateway: that is said, not refused.
    fn stranger(&self, rule: &Rule, item: &Item<'_>) -> Option<Note> {
        if rule.debtor != Party::RoleOfKey && rule.creditor != Party::RoleOfKey {
            return None;
        }
        let key = item.key.as_deref().unwrap_or("");
        let known = self.regulation.roles.iter().any(|role| role.code.as_str() == key);
        (!known).then(|| Note {
            rule: rule.id.clone(),
            ru: format!("роли `{key}` в регламенте нет: это делается вне шлюза"),
            en: format!("the regulation has no role `{key}`: this is done outside of the gateway"),
        })
    }

    fn obligation(&self, rule: &Rule, item: &Item<'_>, period: &str) -> Result<NewObligation, Fault> {
        let (header, event) = (self.event.header, self.event);
        let debtor = self.party(&rule.debtor, item)?;
        let creditor = self.party(&rule.creditor, item)?;
        let thread = format!("{}/{}", header.sender, header.message_id);
        let subject = self.subject(rule, item, &thread, debtor, creditor)?;
        let (term, versions) = self.terms(rule, item)?;
        let named = std::iter::once(term).chain(versions.iter().map(|v| &v.term));
        let fields = named.flat_map(|term| self.term_fields(term, item)).collect();
        let plan = Plan::new(self.regulation, rule, (term, versions), debtor.zone, fields);
        let wish = rule.wish.as_ref().and_then(|path| path.text(event.body)).and_then(|text| text.get(..10));
        let start = match &rule.start {
            StartAt::Sent => Beginning::Pending(PendingStart { on: StartOn::Sent, plan }),
            StartAt::Delivered => Beginning::Pending(PendingStart { on: StartOn::Delivered, plan }),
            StartAt::Accepted | StartAt::Period => self.begin(&plan, &Start::Instant(event.accepted_at))?,
            StartAt::Field(field) => self.begin(&plan, &dated(event, field)?)?,
        };
        let term = match &start {
            Beginning::Started(started) => &started.term,
            Beginning::Pending(pending) => {
                pending.plan.term_on(Start::Instant(event.accepted_at).local_date(debtor.zone))
            }
        };
        Ok(NewObligation {
            regulation: self.regulation.id.clone(),
            rule: rule.id.clone(),
            subject,
            period: period.to_owned(),
            case: item.case,
            conversation: Some(header.conversation_id),
            debtor: debtor.id.clone(),
            creditor: Some(creditor.id.clone()),
            zone: debtor.zone,
            term: term.to_string(),
            wish: wish.filter(|text| matches!(Start::parse(text), Some(Start::Date(_)))).map(str::to_owned),
            start,
        })
    }

    fn begin(&self, plan: &Plan, start: &Start) -> Result<Beginning, Fault> {
        plan.start(self.calendars, start).map(Beginning::Started).map_err(|error| {
            let code = match &error {
                StartError::Compute(
                    ComputeError::FieldMissing { .. } | ComputeError::NeedsInstant { .. } | ComputeError::TooFar { .. },
                ) => FaultCode::ContentInvalid,
                StartError::Compute(ComputeError::Year(_))
                | StartError::Calendar(_)
                | StartError::Participant { .. }
                | StartError::Holder { .. } => FaultCode::NotNow,
            };
            Fault::new(code, error.to_string())
        })
    }

    fn settle(&self, rule: &Rule, meets: &Meets) -> Result<Vec<Settlement>, Fault> {
        let header = self.event.header;
        let period = self.period(&meets.matching)?;
        let thread = match header.in_reply_to {
            Some(request) => format!("{}/{request}", header.recipient),
            None if rule.subject.contains("{thread}") => {
                let detail = format!("InReplyTo is needed: `{}` answers a message", header.message_type.name);
                return Err(Fault::new(FaultCode::HeaderInvalid, detail));
            }
            None => String::new(),
        };
        let at = match &meets.at {
            SettleAt::Accepted => self.event.accepted_at,
            SettleAt::Field(field) => settled_by(&dated(self.event, field)?, self.event),
        };
        let needs_case = rule.subject.contains("{case}");
        let mut settlements = Vec::new();
        for item in self.items(&meets.matching)? {
            if needs_case && item.case.is_none() {
                continue;
            }
            let debtor = self.party(&meets.debtor, &item)?;
            let subject = self.subject(rule, &item, &thread, debtor, self.event.recipient)?;
            let (period, debtor) = (period.clone(), debtor.id.clone());
            settlements.push(Settlement { rule: rule.id.clone(), subject, period, debtor, at });
        }
        Ok(settlements)
    }

    /// The month that the body names, if the rule looks for one. A month that has not begun is a date in the future.
    fn period(&self, matching: &Matching) -> Result<String, Fault> {
        let Some(path) = &matching.period else { return Ok(String::new()) };
        let month = path.text(self.event.body).and_then(|text| text.get(..7)).and_then(Month::parse);
        let month = month.ok_or_else(|| content(format!("`{path}` must be a month, such as 2026-05")))?;
        if Start::Month(month).instant(self.event.sender.zone) > self.event.accepted_at.plus_seconds(AHEAD_MAX_SECONDS)
        {
            return Err(content(format!("`{path}` lies in the future")));
        }
        Ok(month.to_string())
    }

    fn party(&self, party: &Party, item: &Item<'_>) -> Result<&'a Participant, Fault> {
        match party {
            Party::Sender => Ok(self.event.sender),
            Party::Recipient | Party::Responsible => Ok(self.event.recipient),
            Party::Role(role) => self.holder(role),
            Party::RoleOfKey => {
                let role = item.key.as_deref().and_then(|key| RoleCode::parse(key).ok());
                let message = &self.event.header.message_type.name;
                self.holder(
                    &role.ok_or_else(|| content(format!("a holder in `{message}` is no role of the regulation")))?,
                )
            }
        }
    }

    fn holder(&self, role: &RoleCode) -> Result<&'a Participant, Fault> {
        self.event.directory.holder(&self.regulation.id, role, self.territory.as_ref()).map_err(|problem| {
            let place = self.territory.as_ref().map_or("-", Oktmo::as_str);
            Fault::new(FaultCode::RoleVacant, format!("`{role}`, ОКТМО {place}: {problem}"))
        })
    }

    /// Fills the template: the same words for what opens and for what settles.
    fn subject(
        &self,
        rule: &Rule,
        item: &Item<'_>,
        thread: &str,
        debtor: &Participant,
        creditor: &Participant,
    ) -> Result<String, Fault> {
        let mut subject = rule.subject.clone();
        if subject.contains("{case}") {
            let case = item.case.ok_or_else(|| {
                let detail = format!(
                    "CaseId is needed: `{}` opens an obligation of a case",
                    self.event.header.message_type.name
                );
                Fault::new(FaultCode::HeaderInvalid, detail)
            })?;
            subject = subject.replace("{case}", &case.to_string());
        }
        let known = [("{thread}", thread), ("{debtor}", debtor.id.as_str()), ("{creditor}", creditor.id.as_str())];
        for (placeholder, value) in known {
            subject = subject.replace(placeholder, value);
        }
        // The key comes from the body and so goes in last: what stands in it is not a placeholder.
        Ok(subject.replace("{key}", item.key.as_deref().unwrap_or("")))
    }

    /// The rule's term, or all versions of it that are in force.
    fn terms<'r>(&self, rule: &'r Rule, item: &Item<'_>) -> Result<(&'r Term, Vec<DatedTerm>), Fault>
    where
        'a: 'r,
    {
        match &rule.term {
            TermChoice::Plain(term) => Ok((term, Vec::new())),
            TermChoice::Table(id) => {
                let (key, table) = (item.key.as_deref(), self.regulation.term_tables.get(id));
                let missing = || Fault::new(FaultCode::NotNow, format!("the term table `{id}` is not there"));
                let table = table.ok_or_else(missing)?;
                let (_, first) = table.in_force().next().ok_or_else(missing)?;
                let dated = |(from, version)| DatedTerm::new(self.regulation, from, version, key);
                Ok((first.term(key), table.in_force().map(dated).collect()))
            }
        }
    }

    /// The document's dates that a term names: from the node, else from the top of the body.
    fn term_fields(&self, term: &Term, item: &Item<'_>) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for name in term.fields() {
            let text =
                BodyPath::parse(name).and_then(|path| path.text(item.node).or_else(|| path.text(self.event.body)));
            if let Some(text) = text {
                fields.insert(name.to_owned(), text.to_owned());
            }
        }
        fields
    }
}
