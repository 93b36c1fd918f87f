//! What a system does by itself in a rehearsal: it answers questions, and does what the regulation and reminders say that it owes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::body::Body;
use crate::crypto::sha256;
use crate::domain::{CaseId, Oktmo};
use crate::envelope::technical::{DeadlineReminder, Receipt};
use crate::xml::{self, Limits};

use super::compose::{Known, Wanted, compose, due_of};
use super::duties::{Duty, Office};
use super::identity::{Opened, Signed, technical};
use super::{Answer, System};

/// The most cases, conversations and answers that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// What a system remembers of what came.
#[derive(Default)]
pub(super) struct Memory {
    /// By case, or by conversation where there is none.
    threads: BTreeMap<String, Thread>,
    /// What was done already, so that two systems never answer each other without end.
    done: BTreeSet<String>,
}

/// What is known of a case.
#[derive(Default)]
struct Thread {
    known: Known,
    /// Steps of the regulation that were seen.
    seen: BTreeSet<String>,
    territory: Option<Oktmo>,
    /// What is owed and not done yet.
    waiting: Vec<Duty>,
}

impl Thread {
    /// What waits and a reminder is about. It does not name a measure: the one that is due first is meant. A part of a programme came
    /// under an id of its own, so that the message which opened an obligation need not be known by the id that the reminder names.
    fn take(&mut self, reminder: &DeadlineReminder) -> Option<Duty> {
        let Self { known, waiting, .. } = self;
        let due = |duty: &Duty| duty.key.as_deref().and_then(|key| due_of(known, key));
        let of_rule = || waiting.iter().enumerate().filter(|(_, duty)| duty.rule == reminder.rule.as_str());
        let first = |of_request: bool| {
            let meant = |duty: &Duty| !of_request || reminder.request == Some(duty.request);
            of_rule().filter(|(_, duty)| meant(duty)).min_by_key(|(_, duty)| due(duty)).map(|(index, _)| index)
        };
        let index = first(true).or_else(|| first(false).filter(|_| reminder.message == "measure-mark"))?;
        Some(waiting.remove(index))
    }
}

/// Where what belongs together is remembered.
fn thread_of(case: Option<CaseId>, conversation: impl std::fmt::Display) -> String {
    case.map_or_else(|| format!("conversation {conversation}"), |case| case.to_string())
}

impl System {
    /// Follows a new message; the first copy only.
    pub(super) fn follow(self: &Arc<Self>, opened: &Opened) {
        let kind = opened.header.message_type.name.as_str();
        let outcome = match (&self.office, kind) {
            (Some(_), "deadline-reminder") => technical::<DeadlineReminder>(&opened.body)
                .map_err(|fault| fault.to_string())
                .and_then(|reminder| self.reminded(&reminder)),
            _ if opened.header.message_type.technical().is_some() => Ok(()),
            (Some(office), _) => self.heard(office, opened),
            (None, "document-request") if self.identity.profile.behaviour.answers_at_once() => {
                self.send(self.response(opened));
                Ok(())
            }
            (None, _) => Ok(()),
        };
        if let Err(text) = outcome {
            self.trouble(text);
        }
    }

    fn remember<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut memory);
        // A rehearsal of months keeps the latest.
        while memory.threads.len() > REMEMBERED_MAX {
            memory.threads.pop_first();
        }
        while memory.done.len() > REMEMBERED_MAX {
            memory.done.pop_first();
        }
        result
    }

    /// Remembers a message, and does at once what it may do now.
    fn heard(self: &Arc<Self>, office: &Office, opened: &Opened) -> Result<(), String> {
        let header = &opened.header;
        let canonical = self.canonical(opened)?;
        let document = xml::read(&canonical, &Limits::default()).map_err(|fault| fault.to_string())?;
        let Some(body) = Body::read(&header.message_type, document.root()) else { return Ok(()) };
        let body = body.map_err(|misread| misread.to_string())?;
        let thread = thread_of(header.case_id, header.conversation_id);
        let name = header.message_type.name.clone();
        let said = document.root().children().find(|n| n.tag_name().name() == "territory").and_then(|n| n.text());
        let said = said.and_then(|text| Oktmo::parse(text.trim()).ok());
        let territory = self.remember(|memory| {
            let thread = memory.threads.entry(thread.clone()).or_default();
            thread.territory = said.or(thread.territory.take());
            thread.seen.extend(office.regulation.steps_of(&name, document.root()).map(|step| step.id.clone()));
            thread.known.insert(name, body.clone());
            thread.territory.clone()
        });
        let duties = office.duties(header, document.root(), territory);
        self.remember(|memory| {
            let new = duties.into_iter().filter(|duty| memory.done.insert(duty.name()));
            let new = new.map(|duty| Duty { because: Some(body.clone()), ..duty });
            memory.threads.entry(thread.clone()).or_default().waiting.extend(new);
        });
        if self.identity.profile.behaviour.answers_at_once() {
            self.do_what_may_be(office, &thread);
        } else if self.waits_itself() {
            self.do_later(thread);
        }
        Ok(())
    }

    /// Does what waits in a thread and need not wait: one thing may let another be done.
    pub(super) fn do_what_may_be(self: &Arc<Self>, office: &Office, thread: &str) {
        let mut early = Vec::new();
        while let Some(duty) = self.remember(|memory| {
            let waiting = &mut memory.threads.get_mut(thread)?.waiting;
            let index = waiting.iter().position(|duty| duty.is_prompt && !early.contains(&duty.name()))?;
            Some(waiting.remove(index))
        }) {
            match self.perform(office, thread, &duty, false) {
                Ok(Some(signed)) => {
                    early.clear();
                    self.send(Ok(signed));
                }
                Ok(None) => {
                    early.push(duty.name());
                    self.remember(|memory| memory.threads.entry(thread.to_owned()).or_default().waiting.push(duty));
                }
                Err(text) => self.trouble(format!("{} by {}: {text}", duty.kind, duty.rule)),
            }
        }
    }

    /// Makes what a duty asks for. `None`: the regulation wants another step first, and this one can wait.
    fn perform(&self, office: &Office, thread: &str, duty: &Duty, is_due: bool) -> Result<Option<Signed>, String> {
        let (mut known, seen) = self.remember(|memory| {
            let thread = memory.threads.entry(thread.to_owned()).or_default();
            (thread.known.clone(), thread.seen.clone())
        });
        // Meanwhile another of this type may have come.
        known.extend(duty.because.iter().map(|body| (body.kind().name, body.clone())));
        let mut wanted = Wanted { filter: duty.filter.clone(), key: duty.key.clone(), ..Wanted::default() };
        (wanted.period, wanted.case) = (duty.period.clone(), duty.case);
        let is_filed = duty.kind == "document-response" && self.answers_with_files();
        let desk = self.desk();
        let file = is_filed.then(|| super::bodies::file(&desk.outgoing));
        wanted.file = file.as_ref().map(|file| file.digest);
        let body = compose(&duty.kind, &desk, &wanted, &known).map_err(|e| e.to_string())?;
        let kind = body.kind();
        let canonical = body.write().map_err(|e| e.to_string())?;
        let document = xml::read(&canonical, &Limits::default()).map_err(|fault| fault.to_string())?;
        if !is_due && office.regulation.is_early(&kind.name, document.root(), &seen) {
            return Ok(None);
        }
        let mut header = self.identity.header(kind.clone(), &duty.to);
        (header.case_id, header.in_reply_to) = (duty.header_case(), duty.in_reply_to);
        if let Some(conversation) = duty.conversation {
            header.conversation_id = conversation;
        }
        header.attachments.extend(file);
        let steps: Vec<String> =
            office.regulation.steps_of(&kind.name, document.root()).map(|s| s.id.clone()).collect();
        self.remember(|memory| {
            let thread = memory.threads.entry(thread.to_owned()).or_default();
            thread.seen.extend(steps);
            thread.known.insert(kind.name, body);
        });
        self.sign(header, &canonical).map(Some)
    }

    /// Does what a reminder says, if this is the moment at which the system does so.
    fn reminded(self: &Arc<Self>, reminder: &DeadlineReminder) -> Result<(), String> {
        let Some(office) = self.office.as_ref().filter(|_| self.identity.profile.behaviour.acts_on(reminder.stage))
        else {
            return Ok(());
        };
        let (kind, id) = (reminder.message.as_str(), reminder.obligation);
        let thread = match (reminder.case, reminder.conversation) {
            (None, Some(conversation)) => thread_of(None, conversation),
            (case, _) => thread_of(case, "-"),
        };
        let waiting = self.remember(|memory| memory.threads.get_mut(&thread)?.take(reminder));
        let duty = match waiting {
            Some(duty) => duty,
            // What it answered to was answered, or came before this system was started.
            None if kind == "document-response" => return Ok(()),
            None => {
                let duty = office.reminded(reminder)?;
                if !self.remember(|memory| memory.done.insert(format!("reminder {id}"))) {
                    return Ok(());
                }
                duty
            }
        };
        match self.perform(office, &thread, &duty, true) {
            Ok(Some(signed)) => self.send(Ok(signed)),
            Ok(None) => {}
            Err(text) => self.trouble(format!("{kind} for obligation {id}: {text}")),
        }
        Ok(())
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

    /// The pause of its behaviour.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_secs(self.identity.profile.pause_seconds)
    }

    /// What the behaviour does before anything is taken. An error: the system is away, try again later.
    pub(super) async fn before_taking(&self) -> Result<(), String> {
        let (profile, pause) = (&self.identity.profile, self.pause());
        if profile.behaviour.is_away(self.started.elapsed(), pause) {
            return Err("away for a while, as told".to_owned());
        }
        if profile.behaviour == super::Behaviour::Slow {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
