//! What an accepted message opens, settles and makes void.

use std::collections::BTreeMap;

use super::dates::{content, dated, no_date_ahead, period, settled_by};
use super::parties::{Item, Parties};
use super::{
    Beginning, Cancel, DatedTerm, Effects, MessageEvent, NewObligation, Note, PendingStart, Plan, Settlement,
    StartError, StartOn, case_effects,
};
use crate::deadline::cases::{self, CaseFacts, ProgrammeCopy};
use crate::deadline::regulation::{Again, CaseDate, Matching, Meets, Regulation, Rule, SettleAt, StartAt, TermChoice};
use crate::deadline::{BodyPath, Calendars, ComputeError, Start, Term};
use crate::domain::{Fault, FaultCode, MessageId, Participant, ParticipantId};

/// What an accepted message opens and settles under a regulation. A message marked as a test does nothing.
///
/// # Errors
/// `content-invalid` for a date in the future or a value that names nothing, `header-invalid` for a missing case id or
/// in-reply-to, `role-vacant` when a role has not exactly one holder, `case-closed` and `step-missing` where the regulation
/// forbids the step, and `not-now` when the calendar has no data for a year.
pub fn on_message(regulation: &Regulation, calendars: &Calendars, event: &MessageEvent<'_>) -> Result<Effects, Fault> {
    no_date_ahead(event)?;
    if event.header.test || !regulation.in_force(event.accepted_at) {
        return Ok(Effects::default());
    }
    let case = case_effects::after(regulation, calendars, event)?;
    let territory = case.as_ref().map(|c| c.territory.clone()).or_else(|| event.case.map(|c| c.territory.clone()));
    let parties = Parties { regulation, event, territory };
    let facts = case.as_ref().map(|c| c.facts.clone()).unwrap_or_default();
    let known = event.case.and_then(|c| c.facts.programme.as_ref());
    let programme = cases::programme_of(known, facts.programme.as_ref(), event);
    let context = Context { regulation, calendars, event, parties, facts, programme };
    let mut effects = Effects::default();
    let name = &event.header.message_type.name;
    for rule in regulation.rules.iter().filter(|r| r.off.is_none()) {
        let opens = |m: &&Matching| m.message == *name && context.parties.goes(m);
        let outdated = programme == ProgrammeCopy::Older || context.says_an_older_level(rule);
        for matching in rule.openings().iter().filter(opens).filter(|_| !outdated) {
            context.open(rule, matching, &mut effects)?;
        }
        for meets in rule.met.iter().filter(|m| m.matching.message == *name && context.parties.goes(&m.matching)) {
            effects.settle.extend(context.settle(rule, meets)?);
        }
        for voids in rule.cancelled.iter().filter(|m| m.matching.message == *name && context.parties.goes(&m.matching))
        {
            effects.cancel.extend(context.cancel(rule, voids)?);
        }
    }
    if let Some(case) = case {
        case_effects::follow(regulation, calendars, event, case, &mut effects)?;
    }
    Ok(effects)
}

struct Context<'a> {
    regulation: &'a Regulation,
    calendars: &'a Calendars,
    event: &'a MessageEvent<'a>,
    parties: Parties<'a>,
    /// The case after this message.
    facts: CaseFacts,
    /// Which programme the message is: another copy of the one in force adds to what the earlier copies opened, and replaces nothing.
    programme: ProgrammeCopy,
}

impl<'a> Context<'a> {
    /// Whether a rule counts the days of the present level and the message names another: a copy that comes late.
    fn says_an_older_level(&self, rule: &Rule) -> bool {
        let said = || BodyPath::parse("level").and_then(|path| path.text(self.event.body));
        rule.start == StartAt::Case(CaseDate::Level)
            && said().is_some_and(|said| self.facts.level.as_deref().is_some_and(|level| level != said))
    }

    fn open(&self, rule: &Rule, matching: &Matching, effects: &mut Effects) -> Result<(), Fault> {
        let period = period(matching, self.event)?;
        let items = self.parties.items(matching)?;
        if let (true, Some(nothing)) = (items.is_empty(), &rule.nothing) {
            effects.notes.push(Note { rule: rule.id.clone(), ru: nothing.ru.clone(), en: nothing.en.clone() });
        }
        // A message that is no opening of the rule, such as a draft, replaces nothing.
        let replaces = rule.again == Again::Replace && !items.is_empty() && self.programme != ProgrammeCopy::Another;
        let mut keep = Vec::new();
        for item in items {
            match self.parties.stranger(rule, &item) {
                Some(note) => effects.notes.push(note),
                None => {
                    let opened = self.obligation(rule, &item, &period)?;
                    keep.extend(opened.iter().map(|o| o.subject.clone()));
                    effects.open.extend(opened);
                }
            }
        }
        if let (true, Some(case)) = (replaces, self.event.header.case_id) {
            effects.cancel.push(Cancel::Others { rule: rule.id.clone(), case, keep });
        }
        Ok(())
    }

    /// `None`: the document or the case does not have the date from which the rule counts, or the person is of the age already.
    fn obligation(&self, rule: &Rule, item: &Item<'_>, period: &str) -> Result<Option<NewObligation>, Fault> {
        let (header, event) = (self.event.header, self.event);
        let debtor = self.parties.debtor(&rule.debtor, item)?;
        let creditor = self.parties.party(&rule.creditor, item)?;
        let thread = thread(&header.sender, header.message_id);
        let subject = self.subject(rule, item, &thread, debtor, creditor)?;
        let Some(start) = self.start(rule, item)? else { return Ok(None) };
        let (start, term) = match self.terms(rule, item)? {
            None => (self.task(rule, debtor, &start), String::new()),
            Some(terms) => self.begin(rule, item, debtor, terms, &start)?,
        };
        if let Beginning::Started(started) = &start
            && matches!(started.term, Term::UntilAge(_))
            && started.due <= event.accepted_at
        {
            return Ok(None);
        }
        let wish = rule.wish.as_ref().and_then(|path| path.text(event.body)).and_then(|text| text.get(..10));
        Ok(Some(NewObligation {
            regulation: self.regulation.id.clone(),
            rule: rule.id.clone(),
            subject,
            period: period.to_owned(),
            case: item.case,
            conversation: Some(header.conversation_id),
            debtor: debtor.id.clone(),
            creditor: creditor.map(|c| c.id.clone()),
            debtor_role: Parties::role(&rule.debtor, item),
            creditor_role: Parties::role(&rule.creditor, item),
            retime: rule.again != Again::Keep,
            zone: debtor.zone,
            term,
            wish: wish.filter(|text| matches!(Start::parse(text), Some(Start::Date(_)))).map(str::to_owned),
            start,
        }))
    }

    /// From where a rule counts; what waits for the handing over counts from the acceptance for now.
    fn start(&self, rule: &Rule, item: &Item<'_>) -> Result<Option<Start>, Fault> {
        match &rule.start {
            StartAt::Sent | StartAt::Delivered | StartAt::Accepted | StartAt::Period => {
                Ok(Some(Start::Instant(self.event.accepted_at)))
            }
            StartAt::Field(field) => dated(self.event, field).map(Some),
            StartAt::Date(field) => {
                let path = BodyPath::parse(field);
                let text = path.and_then(|path| path.text(item.node).or_else(|| path.text(self.event.body)));
                Ok(text.and_then(Start::parse))
            }
            StartAt::Case(date) => Ok(self.facts.date(*date)),
        }
    }

    fn task(&self, rule: &Rule, debtor: &Participant, start: &Start) -> Beginning {
        let explanation = Plan::about(self.regulation, rule, debtor.zone);
        Beginning::Task { started_at: start.instant(debtor.zone), explanation }
    }

    /// How it begins, and the term in words.
    fn begin(
        &self,
        rule: &Rule,
        item: &Item<'_>,
        debtor: &Participant,
        (term, versions): (&Term, Vec<DatedTerm>),
        start: &Start,
    ) -> Result<(Beginning, String), Fault> {
        let named = std::iter::once(term).chain(versions.iter().map(|v| &v.term));
        let fields = named.flat_map(|term| self.term_fields(term, item)).collect();
        let plan = Plan::new(self.regulation, rule, (term, versions), debtor.zone, fields);
        let pending = |on| {
            let term = plan.term_on(start.local_date(debtor.zone)).to_string();
            (Beginning::Pending(PendingStart { on, plan: plan.clone() }), term)
        };
        match &rule.start {
            StartAt::Sent => Ok(pending(StartOn::Sent)),
            StartAt::Delivered => Ok(pending(StartOn::Delivered)),
            StartAt::Accepted | StartAt::Period | StartAt::Field(_) | StartAt::Date(_) | StartAt::Case(_) => {
                let started = plan.start(self.calendars, start).map_err(|e| start_fault(&e))?;
                let term = started.term.to_string();
                Ok((Beginning::Started(started), term))
            }
        }
    }

    fn settle(&self, rule: &Rule, meets: &Meets) -> Result<Vec<Settlement>, Fault> {
        let period = period(&meets.matching, self.event)?;
        let thread = self.thread_of(rule, &meets.matching)?;
        let items = self.parties.items(&meets.matching)?;
        let at = match &meets.at {
            // A draft need not have the date of what is approved: only what settles something must be dated.
            _ if items.is_empty() => return Ok(Vec::new()),
            SettleAt::Accepted => self.event.accepted_at,
            SettleAt::Field(field) => settled_by(&dated(self.event, field)?, self.event),
        };
        let needs_case = rule.subject.contains("{case}");
        let mut settlements = Vec::new();
        for item in items {
            if needs_case && item.case.is_none() {
                continue;
            }
            let debtor = self.parties.debtor(&meets.debtor, &item)?;
            let subject = self.subject(rule, &item, &thread, debtor, Some(self.event.recipient))?;
            let (period, debtor) = (period.clone(), debtor.id.clone());
            settlements.push(Settlement { rule: rule.id.clone(), subject, period, debtor, at });
        }
        Ok(settlements)
    }

    fn cancel(&self, rule: &Rule, voids: &Meets) -> Result<Vec<Cancel>, Fault> {
        let id = |rule: &Rule| rule.id.clone();
        if let (Some(path), None) = (&voids.matching.about, &voids.matching.key) {
            let message = self.about(path)?;
            return Ok(vec![Cancel::OpenedBy { rule: id(rule), sender: self.event.header.sender.clone(), message }]);
        }
        let (period, thread) = (period(&voids.matching, self.event)?, self.thread_of(rule, &voids.matching)?);
        let mut cancels = Vec::new();
        for item in self.parties.items(&voids.matching)? {
            let debtor = self.parties.debtor(&voids.debtor, &item)?;
            let subject = self.subject(rule, &item, &thread, debtor, Some(self.event.recipient))?;
            cancels.push(Cancel::Key { rule: id(rule), subject, period: period.clone() });
        }
        Ok(cancels)
    }

    fn about(&self, path: &BodyPath) -> Result<MessageId, Fault> {
        let id = path.text(self.event.body).and_then(|text| MessageId::parse(text).ok());
        id.ok_or_else(|| content(format!("`{path}` must be the id of a message of yours")))
    }

    /// Which message's thread is meant: the one that is answered, or the one of the sender's own that the body names.
    fn thread_of(&self, rule: &Rule, matching: &Matching) -> Result<String, Fault> {
        let header = self.event.header;
        if let Some(path) = &matching.about {
            return Ok(thread(&header.sender, self.about(path)?));
        }
        match header.in_reply_to {
            Some(request) => Ok(thread(&header.recipient, request)),
            None if rule.subject.contains("{thread}") => {
                let detail = format!("InReplyTo is needed: `{}` answers a message", header.message_type.name);
                Err(Fault::new(FaultCode::HeaderInvalid, detail))
            }
            None => Ok(String::new()),
        }
    }

    /// Fills the template: the same words for what opens and for what settles.
    fn subject(
        &self,
        rule: &Rule,
        item: &Item<'_>,
        thread: &str,
        debtor: &Participant,
        creditor: Option<&Participant>,
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
        let creditor = creditor.map_or_else(ParticipantId::citizen, |c| c.id.clone());
        let known = [("{thread}", thread), ("{debtor}", debtor.id.as_str()), ("{creditor}", creditor.as_str())];
        for (placeholder, value) in known {
            subject = subject.replace(placeholder, value);
        }
        // The key comes from the body and so goes in last: what stands in it is not a placeholder.
        Ok(subject.replace("{key}", item.key.as_deref().unwrap_or("")))
    }

    /// The rule's term, or all versions of it that are in force; `None`: a task.
    fn terms<'r>(&self, rule: &'r Rule, item: &Item<'_>) -> Result<Option<(&'r Term, Vec<DatedTerm>)>, Fault>
    where
        'a: 'r,
    {
        match &rule.term {
            TermChoice::None => Ok(None),
            TermChoice::Plain(term) => Ok(Some((term, Vec::new()))),
            TermChoice::Table(id) => {
                let named = rule.term_key.as_ref().and_then(|p| p.text(item.node).or_else(|| p.text(self.event.body)));
                let key = if rule.term_key.is_some() { named } else { item.key.as_deref() };
                let table = self.regulation.term_tables.get(id);
                let missing = || Fault::new(FaultCode::NotNow, format!("the term table `{id}` is not there"));
                let table = table.ok_or_else(missing)?;
                let (_, first) = table.in_force().next().ok_or_else(missing)?;
                let dated = |(from, version)| DatedTerm::new(self.regulation, from, version, key);
                Ok(Some((first.term(key), table.in_force().map(dated).collect())))
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

/// The name of a message's thread: sender and id.
fn thread(sender: &ParticipantId, id: MessageId) -> String {
    format!("{sender}/{id}")
}

/// Why an obligation cannot be begun, for the sender.
pub(super) fn start_fault(error: &StartError) -> Fault {
    let code = match error {
        StartError::Compute(
            ComputeError::FieldMissing { .. } | ComputeError::NeedsInstant { .. } | ComputeError::TooFar { .. },
        ) => FaultCode::ContentInvalid,
        StartError::Compute(ComputeError::Year(_))
        | StartError::Calendar(_)
        | StartError::Participant { .. }
        | StartError::Holder { .. } => FaultCode::NotNow,
    };
    Fault::new(code, error.to_string())
}
