//! What a system does by itself in a rehearsal: it answers requests, and does what reminders say that it owes.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::crypto::sha256;
use crate::domain::{CaseId, MessageId};
use crate::envelope::technical::{DeadlineReminder, Receipt};

use super::super::protocol::{Event, Report};
use super::identity::{Opened, Signed, technical};
use super::{Answer, System, bodies};

/// The most requests and cases that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// What a system remembers of what came.
#[derive(Default)]
pub(super) struct Memory {
    /// Requests that are not answered yet.
    requests: BTreeMap<MessageId, Opened>,
    /// The system's own measures that are not marked, by case, the earliest due first.
    measures: BTreeMap<CaseId, Vec<bodies::OwnMeasure>>,
}

impl System {
    /// Follows a new message; the first copy only.
    pub(super) fn follow(self: &Arc<Self>, opened: Opened) {
        let outcome = match opened.header.message_type.name.as_str() {
            "document-request" if self.identity.profile.behaviour.answers_at_once() => {
                self.send(self.response(&opened));
                Ok(())
            }
            "document-request" => {
                self.remember(|memory| drop(memory.requests.insert(opened.header.message_id, opened)));
                Ok(())
            }
            "programme" if self.is_rehearsal() => self.remember_programme(&opened),
            "deadline-reminder" if self.is_rehearsal() => technical::<DeadlineReminder>(&opened.body)
                .map_err(|fault| fault.to_string())
                .and_then(|reminder| self.reminded(&reminder)),
            _ => Ok(()),
        };
        if let Err(text) = outcome {
            self.trouble(text);
        }
    }

    fn remember(&self, change: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut memory);
        // A rehearsal of months keeps the latest.
        while memory.requests.len() > REMEMBERED_MAX {
            memory.requests.pop_first();
        }
        while memory.measures.len() > REMEMBERED_MAX {
            memory.measures.pop_first();
        }
    }

    fn remember_programme(&self, opened: &Opened) -> Result<(), String> {
        let Some(case) = opened.header.case_id else { return Ok(()) };
        let canonical = self.canonical(opened)?;
        let own = bodies::own_measures(&canonical, &self.identity.profile.id).map_err(|fault| fault.to_string())?;
        self.remember(|memory| drop(memory.measures.insert(case, own)));
        Ok(())
    }

    /// Does what a reminder says, if this is the moment at which the system does so.
    fn reminded(self: &Arc<Self>, reminder: &DeadlineReminder) -> Result<(), String> {
        if !self.identity.profile.behaviour.acts_on(reminder.stage) {
            return Ok(());
        }
        let (kind, id) = (reminder.message.as_str(), reminder.obligation);
        let made = match kind {
            "document-response" => {
                let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                let request = reminder.request.and_then(|id| memory.requests.remove(&id));
                drop(memory);
                // It was answered, or came before this system was started.
                let Some(request) = request else { return Ok(()) };
                self.response(&request)
            }
            _ => self.owed(reminder),
        };
        match made {
            Ok(signed) => self.send(Ok(signed)),
            Err(text) => self.say(&Event::Trouble { text: format!("{kind} for obligation {id}: {text}") }),
        }
        Ok(())
    }

    fn owed(&self, reminder: &DeadlineReminder) -> Result<Signed, String> {
        let kind = reminder.message.as_str();
        let to = reminder.creditor.as_ref().ok_or("a citizen waits for it, nobody to send it to")?;
        let case = reminder.case.ok_or("the reminder names no case");
        let mut header = self.identity.header(bodies::kind(kind), to);
        header.case_id = reminder.case;
        if let Some(conversation) = reminder.conversation {
            header.conversation_id = conversation;
        }
        let body = match kind {
            "progress-report" => {
                let period = reminder.period.clone().ok_or("the reminder names no period")?;
                let measure = "Мероприятие программы".to_owned();
                // A report is about many cases: they stand in its body.
                header.case_id = None;
                let report = Report { case: case?, period, to: to.clone(), measure };
                bodies::report(&report, self.today(), &self.identity.profile.name, &self.outgoing())
                    .map_err(|e| e.to_string())?
            }
            "measure-mark" => {
                let case = case?;
                let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                let measures = memory.measures.get_mut(&case).filter(|measures| !measures.is_empty());
                let measure = measures.ok_or("no measure of the case is known that is not marked")?.remove(0);
                drop(memory);
                bodies::measure_mark(&measure, self.identity.now()).map_err(|e| e.to_string())?
            }
            _ => self.sample(kind)?,
        };
        self.sign(header, &body)
    }

    /// The smallest sample of a message type: plausible, and the same each time.
    fn sample(&self, kind: &str) -> Result<Vec<u8>, String> {
        let path = format!("schemas/social/{kind}/1/samples/minimal.xml");
        self.samples.get(&path).cloned().ok_or_else(|| format!("there is no {path}"))
    }

    /// What a broken system answers: in turn nothing, what is no envelope, and a receipt about something else.
    pub(super) fn broken_answer(&self, opened: &Opened) -> Result<Answer, String> {
        let other = Receipt { digest: sha256(b"something else"), ..self.identity.receipt_of(opened) };
        let signed = self.identity.seal(&other, Some(&opened.header)).map_err(|e| e.to_string())?;
        let turn = self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3;
        let (status, bytes) = match turn {
            0 => (500, Vec::new()),
            1 => (200, b"<html><body>It works!</body></html>".to_vec()),
            _ => (200, signed.bytes),
        };
        Ok(Answer { header: signed.header, bytes, status })
    }

    /// What the behaviour does before anything is taken. An error: the system is away, try again later.
    pub(super) async fn before_taking(&self) -> Result<(), String> {
        let profile = &self.identity.profile;
        let pause = Duration::from_secs(profile.pause_seconds);
        if profile.behaviour.is_away(self.started.elapsed(), pause) {
            return Err("away for a while, as told".to_owned());
        }
        if profile.behaviour == super::Behaviour::Slow {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
