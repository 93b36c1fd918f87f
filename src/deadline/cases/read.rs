//! What each message type says of its case.

use chrono::NaiveDate;
use roxmltree::Node;

use super::{
    Assessment, CaseFacts, CaseMeasure, Consent, ConsentState, Contract, Extension, Limits, Programme, grounds, steps,
};
use crate::deadline::obligations::MessageEvent;
use crate::deadline::regulation::{CaseLimit, Regulation};
use crate::deadline::{BodyPath, Calendars, Start};
use crate::domain::{DataClass, Fault, FaultCode, Timestamp};

/// The case after an accepted message.
///
/// # Errors
/// `case-closed`, `step-missing`, and `content-invalid` for an extension beyond the limit, an end on another ground than the
/// regulation knows, or a date that cannot be read.
pub(in crate::deadline) fn apply(
    regulation: &Regulation,
    calendars: &Calendars,
    facts: &mut CaseFacts,
    event: &MessageEvent<'_>,
) -> Result<(), Fault> {
    let name = event.header.message_type.name.as_str();
    let body = Body { node: event.body, event };
    grounds::check(regulation, event)?;
    steps::take(regulation, facts, (name, event.body), body.act())?;
    let limit = regulation.case.as_ref().and_then(|c| c.limit.as_ref());
    let limits = Limits { limit, regulation, calendars, zone: event.sender.zone };
    match name {
        "programme" if body.text("status") == Some("approved") => facts.programme(&body)?,
        "contract" => facts.contract(&body)?,
        "extension" => facts.extension(&body, &limits)?,
        "needs-assessment" => facts.level(&body)?,
        "level-change" => facts.change_level(&body)?,
        "curator" => facts.appoint(&body),
        "effectiveness-assessment" => facts.assessment(&body),
        "consent" => facts.consent(&body)?,
        "application" => facts.application(&body),
        _ => {}
    }
    // What comes after the end, such as a late report, does not move it.
    if !facts.is_closed() {
        facts.settle_dates(&limits)?;
    }
    if regulation.case.as_ref().and_then(|c| c.closes.as_deref()) == Some(name) {
        facts.closed_at = Some(body.act().micros());
        if let Some(ends) = body.date("endsOn")? {
            facts.ends_on = Some(ends);
        }
    }
    Ok(())
}

/// Which programme a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deadline) enum ProgrammeCopy {
    /// None, a draft, or the first copy of the one that is in force now.
    First,
    /// Another copy of the one in force.
    Another,
    /// One that another has replaced already.
    Older,
}

/// Which programme a message is, by the programmes in force before and after it.
pub(in crate::deadline) fn programme_of(
    known: Option<&Programme>,
    now: Option<&Programme>,
    event: &MessageEvent<'_>,
) -> ProgrammeCopy {
    let body = Body { node: event.body, event };
    let is_programme = event.header.message_type.name == "programme" && body.text("status") == Some("approved");
    let (true, Some(now)) = (is_programme, now) else { return ProgrammeCopy::First };
    let said = (body.text("number").unwrap_or_default(), body.version());
    match known {
        _ if said != (now.number.as_str(), now.version) => ProgrammeCopy::Older,
        Some(known) if known.is_same_version(now) => ProgrammeCopy::Another,
        Some(_) | None => ProgrammeCopy::First,
    }
}

impl CaseFacts {
    /// A programme that is older than the one in force changes nothing.
    fn programme(&mut self, body: &Body<'_>) -> Result<(), Fault> {
        let approved_at = body.instant("approvedAt").unwrap_or(body.event.accepted_at).micros();
        if self.programme.as_ref().is_some_and(|p| p.approved_at > approved_at) {
            return Ok(());
        }
        let mut new = Programme {
            number: body.text("number").unwrap_or_default().to_owned(),
            version: body.version(),
            approved_at,
            begins_on: body.need_date("beginsOn")?,
            ends_on: body.need_date("endsOn")?,
            measures: body.all("measures/measure").into_iter().map(measure).collect::<Result<_, _>>()?,
        };
        // What was changed after the approval, by a message of its own, is not changed back by a copy.
        if self.level_decided_at.is_none_or(|changed| changed <= approved_at) {
            self.level(body)?;
        }
        if self.curator_decided_at.is_none_or(|appointed| appointed <= approved_at) {
            self.curator = body.text("curator/id").map(str::to_owned).or(self.curator.take());
        }
        // Each organisation may get a copy with its own measures: the copies of one version add up.
        if let Some(known) = self.programme.take().filter(|known| known.is_same_version(&new)) {
            let added: Vec<_> = new.measures.iter().map(|m| m.number.clone()).collect();
            new.measures.extend(known.measures.into_iter().filter(|m| !added.contains(&m.number)));
            new.measures.sort_by(|a, b| a.number.cmp(&b.number));
        }
        self.programme = Some(new);
        Ok(())
    }

    fn contract(&mut self, body: &Body<'_>) -> Result<(), Fault> {
        let signed_at = body.act().micros();
        // A copy of the contract to another participant says the same; an older contract changes nothing.
        if self.contract.as_ref().is_some_and(|c| c.signed_at > signed_at) {
            return Ok(());
        }
        let (begins_on, ends_on) = (body.need_date("beginsOn")?, body.need_date("endsOn")?);
        self.contract = Some(Contract { signed_at, begins_on, ends_on });
        Ok(())
    }

    /// The level, and since when: a programme that repeats the level does not begin it anew.
    fn level(&mut self, body: &Body<'_>) -> Result<(), Fault> {
        let Some(level) = body.text("level") else { return Ok(()) };
        let since = match body.date("levelSince")? {
            Some(since) => Some(since),
            None => body.date("beginsOn")?,
        };
        if self.level.as_deref() != Some(level) || self.level_since.is_none() || body.text("levelSince").is_some() {
            self.level_since = since;
        }
        self.level = Some(level.to_owned());
        Ok(())
    }

    /// A decision that is older than the latest one changes nothing.
    fn change_level(&mut self, body: &Body<'_>) -> Result<(), Fault> {
        let decided_at = body.act().micros();
        if self.level_decided_at.is_some_and(|known| known > decided_at) {
            return Ok(());
        }
        self.level_decided_at = Some(decided_at);
        self.level(body)
    }

    /// An order that is older than the latest one changes nothing.
    fn appoint(&mut self, body: &Body<'_>) {
        let decided_at = body.act().micros();
        if self.curator_decided_at.is_none_or(|known| known <= decided_at) {
            self.curator = body.text("curator/id").map(str::to_owned);
            self.curator_decided_at = Some(decided_at);
        }
    }

    /// One that is older than the one in force changes nothing, and one without ground does not undo what was granted with it.
    fn extension(&mut self, body: &Body<'_>, limits: &Limits<'_>) -> Result<(), Fault> {
        let (ends_on, decided_at) = (body.need_date("endsOn")?, body.act().micros());
        let known = self.extension.as_ref();
        let copy = known.filter(|known| (known.decided_at, known.ends_on) == (decided_at, ends_on));
        let end_before = copy.map_or(self.ends_on, |copy| copy.end_before);
        let (wish, decision) = (body.date("wish/date")?, body.date("groupDecision/date")?);
        let before_end = |date: Option<NaiveDate>| date.is_some_and(|d| end_before.is_none_or(|end| d < end));
        let grounded = before_end(wish) && before_end(decision);
        if let Some(begins) = self.begins_on
            && let Some(last) = limits.last_day(begins, true)?
            && ends_on > last
        {
            let told = |limit: &CaseLimit| {
                let (document, paragraph) = limits.regulation.written(&limit.source);
                format!("{} ({document}, {paragraph})", limit.extended)
            };
            let most = limits.limit.map_or_else(String::new, told);
            let detail = format!(
                "`endsOn` lies beyond the limit of {most} from the accompaniment's first day; name an earlier day"
            );
            return Err(Fault::new(FaultCode::ContentInvalid, detail));
        }
        if known.is_some_and(|known| known.decided_at > decided_at) {
            return Ok(());
        }
        let stays = !grounded && known.is_some_and(|known| known.grounded);
        self.unflag("extension-without-ground");
        if !grounded {
            self.flag(
                "extension-without-ground",
                "продление без основания: нужны письменное пожелание гражданина и решение рабочей группы, оба до конца срока; предел прежний"
                    .to_owned(),
                "an extension without ground: the citizen's written wish and the working group's decision are needed, both before \
                 the end; the limit stays"
                    .to_owned(),
            );
        }
        if !stays {
            self.extension = Some(Extension { decided_at, ends_on, grounded, end_before });
        }
        Ok(())
    }

    fn consent(&mut self, body: &Body<'_>) -> Result<(), Fault> {
        let Some(state) = body.text("state").and_then(ConsentState::parse) else { return Ok(()) };
        let texts = |path: &str| body.all(path).into_iter().filter_map(|node| node.text()).map(str::trim);
        self.said(Consent {
            number: body.text("number").unwrap_or_default().to_owned(),
            state,
            at: body.act().micros(),
            of_another: !body.all("person").is_empty(),
            recipients: Some(texts("recipients/recipient/participant").map(str::to_owned).collect()),
            data_classes: Some(texts("dataClasses/dataClass").filter_map(DataClass::parse).collect()),
            valid_until: body.date("validUntil")?,
        });
        Ok(())
    }

    /// The consent that stands in the form of an application. Its scope is free text, so it is about all recipients and all data.
    fn application(&mut self, body: &Body<'_>) {
        let state = match body.text("processingBasis/consent/given") {
            Some("true" | "1") => ConsentState::Given,
            Some(_) => ConsentState::Refused,
            // Processed by law, or not said.
            None => return,
        };
        let (at, all) = (body.act().micros(), None);
        let number = String::new();
        self.said(Consent {
            number,
            state,
            at,
            of_another: false,
            recipients: all,
            data_classes: None,
            valid_until: None,
        });
    }

    fn assessment(&mut self, body: &Body<'_>) {
        let stage = body.text("stage").unwrap_or("interim").to_owned();
        let assessment = Assessment { stage, assessed_at: body.act().micros() };
        if !self.assessments.contains(&assessment) {
            self.assessments.push(assessment);
        }
    }
}

fn measure(node: Node<'_, '_>) -> Result<CaseMeasure, Fault> {
    let text = |name: &str| BodyPath::parse(name).and_then(|path| path.text(node));
    let date = |name: &'static str| {
        let found = text(name).and_then(|t| NaiveDate::parse_from_str(t, "%Y-%m-%d").ok());
        found.ok_or_else(|| {
            Fault::new(FaultCode::ContentInvalid, format!("`measures/measure`: `{name}` must be a date"))
        })
    };
    Ok(CaseMeasure {
        number: text("number").unwrap_or_default().to_owned(),
        kind: text("helpKind").unwrap_or_default().to_owned(),
        responsible: text("responsible").map(str::to_owned),
        begins_on: date("beginsOn")?,
        due_on: date("dueOn")?,
    })
}

/// A body with the message that carried it.
struct Body<'a> {
    node: Node<'a, 'a>,
    event: &'a MessageEvent<'a>,
}

impl<'a> Body<'a> {
    fn text(&self, path: &str) -> Option<&'a str> {
        BodyPath::parse(path).and_then(|path| path.text(self.node))
    }

    fn all(&self, path: &str) -> Vec<Node<'a, 'a>> {
        BodyPath::parse(path).map(|path| path.all(self.node)).unwrap_or_default()
    }

    fn date(&self, name: &str) -> Result<Option<NaiveDate>, Fault> {
        let Some(text) = self.text(name) else { return Ok(None) };
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map(Some)
            .map_err(|_| Fault::new(FaultCode::ContentInvalid, format!("`{name}` must be a date such as 2026-05-11")))
    }

    fn need_date(&self, name: &str) -> Result<NaiveDate, Fault> {
        self.date(name)?.ok_or_else(|| Fault::new(FaultCode::ContentInvalid, format!("`{name}` is missing")))
    }

    fn instant(&self, name: &str) -> Option<Timestamp> {
        match self.text(name).and_then(Start::parse)? {
            Start::Instant(at) => Some(at),
            Start::Date(_) | Start::Month(_) | Start::Quarter(_) | Start::Year(_) => None,
        }
    }

    fn version(&self) -> u32 {
        self.text("version").and_then(|v| v.parse().ok()).unwrap_or(1)
    }

    /// The instant of the act: the first dated field that the body has, else the acceptance.
    fn act(&self) -> Timestamp {
        let dated = ["decidedAt", "signedAt", "approvedAt", "assessedAt", "registeredAt", "identifiedAt", "enteredAt"];
        dated.into_iter().find_map(|name| self.instant(name)).unwrap_or(self.event.accepted_at)
    }
}
