//! What happens in a demonstration: cases are opened, agencies are asked, and business time jumps to the next deadline whenever
//! nothing is in flight.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::time::{Instant, timeout, timeout_at};

use crate::app::Node;
use crate::deadline::obligations::next_period_at;
use crate::domain::{CaseId, DeliveryState, MessageId, ObligationId, ObligationState, ParticipantId, Timestamp};
use crate::simulate::Living;
use crate::store::{ObligationFilter, ObligationGroup, ObligationRow, Store};
use crate::system::protocol::{Application, Command, Event, Report, Request, Required, SILENT, WANTED};

use super::DemoError;
use super::company::Company;
use super::home::{Measure, REGISTER};
use super::voice::Voice;

/// Who is asked for what although its list of document kinds in the gateway lacks it: an agency that answers nothing anyway, so that nobody
/// waits for it.
pub(super) const GAP: (&str, &str) = (SILENT, "study-certificate");

/// When a business day of the demonstration begins, and with it the demonstration.
pub(super) const BEGINS_AT: &str = "2026-05-06T09:00:00+05:00";
/// Business time does not jump beyond this: later terms would need a calendar that is not there.
const JUMPS_UNTIL: &str = "2026-12-31T00:00:00+05:00";

/// How long everybody may take to connect.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How long one scripted scenario may take.
const ONCE_MAX: Duration = Duration::from_secs(60);
/// How long messages may be in flight before the demonstration gives up.
const QUIET_MAX: Duration = Duration::from_secs(30);
/// With no event for so long it is worth looking whether all is quiet.
const LOOK: Duration = Duration::from_millis(40);
/// Between two acts of a demonstration that goes on, so that people can follow.
const PACE: Duration = Duration::from_secs(4);
/// Rows of obligations looked at.
const ROWS_MAX: u32 = 1_000;

/// The running demonstration.
pub(super) struct Stage<'a> {
    node: &'a Node,
    company: Company,
    voice: Voice,
    /// Messages that systems were told to send and that are not receipted yet.
    unsent: usize,
    /// Requests that must be answered, and those that were.
    asked: BTreeSet<MessageId>,
    answered: BTreeSet<MessageId>,
    /// What was shown and told already.
    shown: BTreeSet<(ObligationId, ObligationState)>,
    told: BTreeSet<ObligationId>,
    /// The last application's number.
    number: u32,
    /// The agencies with a past, if there are any.
    district: Option<Living>,
}

/// Which agencies an application needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Everybody,
    Only(&'static [&'static str]),
}

impl Asks {
    fn asks(self, agency: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(agencies) => agencies.contains(&agency),
        }
    }
}

/// The first three cases: everybody is asked; two are asked; the citizen brought everything.
const FIRST: [Asks; 3] = [Asks::Everybody, Asks::Only(&["health", "employment"]), Asks::Only(&[])];
/// Further cases ask agencies that answer.
const FURTHER: [Asks; 3] =
    [Asks::Only(&["education", "guardianship"]), Asks::Only(&["health"]), Asks::Only(&["employment", "education"])];

/// The measures of the first two cases.
pub(super) fn measures(cases: &[CaseId; 3]) -> Vec<Measure> {
    let [first, second, _] = *cases;
    vec![
        Measure { case: first, responsible: "health", title: "Диспансерное наблюдение" },
        Measure {
            case: first, responsible: "education", title: "Занятия с педагогом-психологом"
        },
        Measure { case: second, responsible: "employment", title: "Содействие в поиске работы" },
    ]
}

fn id(text: &str) -> Result<ParticipantId, DemoError> {
    ParticipantId::parse(text).map_err(|e| DemoError::Defect(e.to_string()))
}

impl<'a> Stage<'a> {
    /// Puts everybody on the stage.
    pub(super) fn new(node: &'a Node, company: Company, voice: Voice, district: Option<Living>) -> Self {
        let (asked, answered, shown, told) = Default::default();
        Self { node, company, voice, unsent: 0, asked, answered, shown, told, number: 0, district }
    }

    fn store(&self) -> &Store {
        self.node.gateway().store()
    }

    fn business_now(&self) -> Timestamp {
        self.node.gateway().clock().business_now()
    }

    fn today(&self) -> NaiveDate {
        self.business_now().utc().with_timezone(&self.voice.zone.tz()).date_naive()
    }

    /// Ends the systems.
    pub(super) async fn end(self) {
        self.company.end().await;
    }

    /// Connects the systems to the gateway and waits until all are connected.
    pub(super) async fn begin(&mut self) -> Result<(), DemoError> {
        let gateway = format!("http://{}", self.node.agencies());
        let today = self.today();
        self.company.tell_all(&Command::Begin { gateway, today }).await?;
        let mut waiting: BTreeSet<ParticipantId> = self.company.ids().into_iter().collect();
        let deadline = Instant::now() + CONNECT_MAX;
        while !waiting.is_empty() {
            let heard = timeout_at(deadline, self.company.hear()).await;
            let (who, event) = heard.map_err(|_| DemoError::not_connected(&waiting))??;
            if event == Event::Ready {
                waiting.remove(&who);
            } else {
                self.heard(&who, &event)?;
            }
        }
        Ok(())
    }

    /// One scripted scenario to its end: until no deadline lies ahead.
    pub(super) async fn once(&mut self, cases: &[CaseId; 3]) -> Result<(), DemoError> {
        let late = |_| DemoError::NotQuiet { seconds: ONCE_MAX.as_secs() };
        timeout(ONCE_MAX, self.play_out(cases)).await.map_err(late)?
    }

    async fn play_out(&mut self, cases: &[CaseId; 3]) -> Result<(), DemoError> {
        self.first_cases(cases).await?;
        loop {
            self.quiet().await?;
            self.show_marks().await?;
            if self.tell_reports().await? {
                continue;
            }
            match self.store().next_instant().await? {
                Some(at) => self.jump(at).await?,
                None => return Ok(()),
            }
        }
    }

    /// Goes on until it is dropped: cases by turns with jumps.
    pub(super) async fn on_and_on(&mut self, cases: &[CaseId; 3]) -> Result<(), DemoError> {
        self.first_cases(cases).await?;
        self.ask_in_vain(cases).await?;
        let until = instant(JUMPS_UNTIL)?;
        let mut at_end = false;
        for turn in 0_u64.. {
            self.pause().await?;
            self.quiet().await?;
            self.show_marks().await?;
            if self.tell_reports().await? {
                continue;
            }
            let next = self.next_instant().await?;
            match next.filter(|at| *at < until) {
                Some(at) if turn % 3 != 2 => self.jump(at).await?,
                None if !at_end => {
                    at_end = true;
                    self.voice.line("\n>> конец года демонстрации: время больше не прыгает, обмен продолжается / the demonstration's year ends: no more jumps, the exchange goes on");
                }
                Some(_) | None => self.further_case(turn).await?,
            }
        }
        Ok(())
    }

    async fn first_cases(&mut self, cases: &[CaseId; 3]) -> Result<(), DemoError> {
        for (case, asks) in cases.iter().zip(FIRST) {
            self.open_case(*case, asks).await?;
        }
        Ok(())
    }

    /// An agency is asked for a document that its list in the gateway lacks: the request is parked and waits for an administrator.
    async fn ask_in_vain(&mut self, cases: &[CaseId; 3]) -> Result<(), DemoError> {
        let [case, _, _] = *cases;
        let (to, kind) = GAP;
        let request = Request { case, number: 1, to: id(to)?, kinds: vec![kind.to_owned()] };
        self.send(&id(REGISTER)?, Command::Request(request)).await
    }

    async fn further_case(&mut self, turn: u64) -> Result<(), DemoError> {
        let [first, second, third] = FURTHER;
        let asks = match turn % 3 {
            0 => first,
            1 => second,
            _ => third,
        };
        self.open_case(CaseId::from_uuid(uuid::Uuid::now_v7()), asks).await
    }

    /// Registers an application, and when that is receipted, asks whom it needs.
    async fn open_case(&mut self, case: CaseId, asks: Asks) -> Result<(), DemoError> {
        self.number += 1;
        let required =
            |kind: &str, holder: &str, ask| Required { kind: kind.to_owned(), holder: holder.to_owned(), ask };
        let mut documents = vec![required("pension-amount", "social-fund", false)];
        for (agency, kinds) in WANTED {
            documents.extend(kinds.iter().map(|kind| required(kind, agency, asks.asks(agency))));
        }
        let (register, number, registered_at) = (id(REGISTER)?, self.number, self.business_now());
        self.send(&register, Command::Application(Application { case, number, registered_at, documents })).await?;
        self.receipted().await?;
        for (agency, kinds) in WANTED.into_iter().filter(|(agency, _)| asks.asks(agency)) {
            let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            self.send(&register, Command::Request(Request { case, number, to: id(agency)?, kinds })).await?;
        }
        Ok(())
    }

    async fn send(&mut self, who: &ParticipantId, command: Command) -> Result<(), DemoError> {
        self.unsent += 1;
        self.company.tell(who, &command).await
    }

    /// Waits until everything that was told to be sent is receipted.
    async fn receipted(&mut self) -> Result<(), DemoError> {
        let deadline = Instant::now() + QUIET_MAX;
        while self.unsent > 0 {
            let heard = timeout_at(deadline, self.company.hear()).await;
            let (who, event) = heard.map_err(|_| DemoError::NotQuiet { seconds: QUIET_MAX.as_secs() })??;
            self.heard(&who, &event)?;
        }
        Ok(())
    }

    /// Waits until nothing is in flight: everything sent is receipted, every request to an agency that answers is answered, no
    /// delivery is under way, and the watcher has marked what is due.
    async fn quiet(&mut self) -> Result<(), DemoError> {
        let deadline = Instant::now() + QUIET_MAX;
        loop {
            match timeout(LOOK, self.company.hear()).await {
                Ok(heard) => {
                    let (who, event) = heard?;
                    self.heard(&who, &event)?;
                }
                Err(_) if self.is_quiet().await? => return Ok(()),
                Err(_) if Instant::now() > deadline => {
                    return Err(DemoError::NotQuiet { seconds: QUIET_MAX.as_secs() });
                }
                Err(_) => {}
            }
        }
    }

    async fn is_quiet(&mut self) -> Result<bool, DemoError> {
        if let Some(district) = &mut self.district
            && district.act(self.node.gateway()).await?
        {
            return Ok(false);
        }
        if self.unsent > 0 || !self.asked.is_subset(&self.answered) {
            return Ok(false);
        }
        self.asked.clear();
        self.answered.clear();
        let counts = self.store().counts().await?;
        let under_way = [DeliveryState::Queued, DeliveryState::Leased, DeliveryState::Sent];
        let idle = under_way.iter().all(|state| counts.deliveries.get(state).is_none_or(|count| *count == 0));
        Ok(idle && self.store().due(self.business_now(), 1).await?.is_empty())
    }

    fn heard(&mut self, who: &ParticipantId, event: &Event) -> Result<(), DemoError> {
        self.voice.event(self.business_now(), who, event);
        match event {
            Event::Accepted { id, kind, to, in_reply_to } => match (kind.as_str(), in_reply_to) {
                ("document-response", Some(request)) => drop(self.answered.insert(*request)),
                ("document-request", _) => {
                    self.unsent = self.unsent.saturating_sub(1);
                    if to.as_str() != SILENT {
                        self.asked.insert(*id);
                    }
                }
                _ => self.unsent = self.unsent.saturating_sub(1),
            },
            Event::Refused { id, code, .. } => {
                return Err(DemoError::Refused { sender: who.clone(), id: *id, code: code.clone() });
            }
            Event::Started { .. }
            | Event::Ready
            | Event::Responded { .. }
            | Event::Received { .. }
            | Event::Trouble { .. } => {}
        }
        Ok(())
    }

    /// Listens for a while.
    async fn pause(&mut self) -> Result<(), DemoError> {
        let end = Instant::now() + PACE;
        while let Ok(heard) = timeout_at(end, self.company.hear()).await {
            let (who, event) = heard?;
            self.heard(&who, &event)?;
        }
        Ok(())
    }

    async fn obligations(&self, group: ObligationGroup) -> Result<Vec<ObligationRow>, DemoError> {
        let filter = ObligationFilter { group: Some(group), ..ObligationFilter::default() };
        let mut rows = self.store().list_obligations(&filter, None, ROWS_MAX).await?;
        // The district minds its own business.
        let systems = self.company.ids();
        rows.retain(|row| systems.contains(&row.debtor));
        Ok(rows)
    }

    async fn show_marks(&mut self) -> Result<(), DemoError> {
        let mut rows = self.obligations(ObligationGroup::Overdue).await?;
        rows.extend(self.obligations(ObligationGroup::Running).await?);
        for row in rows.iter().filter(|row| row.state != ObligationState::Open) {
            if self.shown.insert((row.id, row.state)) {
                self.voice.mark(self.business_now(), row);
            }
        }
        Ok(())
    }

    /// Whoever was warned of a report sends it. Returns whether anybody was told so.
    async fn tell_reports(&mut self) -> Result<bool, DemoError> {
        let mut told = false;
        for row in self.obligations(ObligationGroup::Running).await? {
            let due_soon = row.state == ObligationState::Warned && row.rule.as_str() == "progress-report";
            let Some(case) = row.case_id.filter(|_| due_soon) else { continue };
            if self.told.insert(row.id) {
                let measure = "Мероприятие социального сопровождения".to_owned();
                let report = Report { case, period: row.period, to: row.creditor, measure };
                self.send(&row.debtor, Command::Report(report)).await?;
                told = true;
            }
        }
        Ok(told)
    }

    /// The next instant of a deadline of the six systems, or of the calendar.
    async fn next_instant(&self) -> Result<Option<Timestamp>, DemoError> {
        let (snapshot, now) = (self.node.gateway().snapshot(), self.business_now());
        let periods = snapshot.regulations().filter_map(|r| next_period_at(r, snapshot.as_ref(), now));
        let rows = self.obligations(ObligationGroup::Running).await?;
        let marks = rows.iter().filter_map(|row| row.next_at);
        Ok(marks.chain(periods).filter(|at| *at > now).min())
    }

    /// Moves business time and waits until the watcher has seen it.
    async fn jump(&mut self, at: Timestamp) -> Result<(), DemoError> {
        let from = self.business_now();
        let rows = self.obligations(ObligationGroup::Running).await?;
        let why = match rows.iter().find(|row| row.next_at == Some(at)) {
            Some(row) if row.due_at == Some(at) => ("истекает срок", "a deadline ends"),
            Some(_) => ("пора предупредить", "time to warn"),
            None => ("начинается месяц", "a month begins"),
        };
        self.voice.jump(from, at, why);
        if let Some(district) = &mut self.district {
            while let Some(earlier) = district.next_at().filter(|earlier| *earlier < at) {
                self.node.gateway().clock().jump_to(earlier);
                district.act(self.node.gateway()).await?;
            }
        }
        self.node.gateway().clock().jump_to(at);
        let today = self.today();
        self.company.tell_all(&Command::Today { today }).await?;
        self.quiet().await?;
        self.show_marks().await
    }
}

/// A fixed instant of this module.
pub(super) fn instant(text: &str) -> Result<Timestamp, DemoError> {
    Timestamp::parse(text).ok_or_else(|| DemoError::Defect(format!("`{text}` is no instant")))
}
