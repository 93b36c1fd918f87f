//! What happens when an obligation's instant has come: its state, who is told, and when to look again.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use serde_json::{Value, json};

use crate::deadline::{NoticeHours, Regulation, RungAt, default_rungs};
use crate::domain::{NotificationChannel, NotificationStage, ObligationState, Timestamp, Zone};
use crate::settings::Notify;
use crate::store::{JournalEntry, Mark, NewNotification, ObligationRow};

use super::{Snapshot, ids};

/// The hour of what is given by day where no regulation says one.
const WARN_AT: NaiveTime = match NaiveTime::from_hms_opt(9, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// An obligation with what its regulation says of its ladder now.
pub(super) struct Ladder<'a> {
    row: &'a ObligationRow,
    pub(super) regulation: Option<&'a Regulation>,
    pub(super) hours: NoticeHours<'a>,
    rungs: Vec<(RungAt, Vec<String>)>,
}

/// What an instant brings.
pub(super) struct Step {
    /// What the store writes, but for the reminder.
    pub(super) mark: Mark,
    /// What the participant that owes is told, and the step of the ladder, from 1; `None`: nothing happened that it does not know.
    pub(super) reminder: Option<(NotificationStage, u32)>,
}

/// A step of the ladder that has come.
struct Event<'a> {
    stage: NotificationStage,
    at: RungAt,
    /// What it is counted from.
    anchor: Timestamp,
    event_at: Timestamp,
    to: &'a [String],
}

impl<'a> Ladder<'a> {
    /// Who is told is the regulation's word of today; how the term was counted stays with the obligation.
    pub(super) fn of(row: &'a ObligationRow, snapshot: &'a Snapshot) -> Self {
        let regulation = snapshot.regulation(&row.regulation).ok();
        let kept = |key: &str| row.explanation.as_ref()?.get(key)?.as_str();
        let calendar = kept("calendar").or(regulation.map(|r| r.calendar.as_str()));
        let zone = kept("zone").and_then(Zone::parse);
        let zone = zone.or_else(|| snapshot.participant(&row.debtor).map(|p| p.zone)).or(regulation.map(|r| r.zone));
        let rule = regulation.and_then(|r| r.rule(&row.rule));
        let hours = NoticeHours {
            calendar: calendar.and_then(|name| snapshot.calendars.get(name)),
            zone: zone.unwrap_or_else(Zone::utc),
            warn_at: regulation.map_or(WARN_AT, |r| r.warn_at),
            round_the_clock: rule.is_some_and(|r| r.round_the_clock),
        };
        let rungs = regulation.map_or_else(default_rungs, |r| r.rungs(&row.rule));
        Self { row, regulation, hours, rungs }
    }

    /// What happens to an obligation whose next instant has come: the due instant makes it overdue, an earlier one warns, a later one
    /// tells more people. `None` for one without an instant.
    pub(super) fn step(&self, notify: &Notify, business_now: Timestamp, now: Timestamp) -> Option<Step> {
        let (expected, due) = (self.row.next_at?, self.row.due_at?);
        let mut mark = Mark {
            id: self.row.id,
            expected_next_at: expected,
            state: ObligationState::Warned,
            stays: false,
            next_at: None,
            at: business_now,
            now,
            made: Vec::new(),
            notifications: Vec::new(),
            journal: Vec::new(),
        };
        let (events, reminder) = if business_now < due {
            let later = self.row.warns.iter().copied().filter(|warn| *warn > business_now).min();
            mark.next_at = Some(later.unwrap_or(due));
            (self.events(NotificationStage::Warning, expected, expected), Some((NotificationStage::Warning, 1)))
        } else {
            mark.state = ObligationState::Overdue;
            mark.stays = self.row.state == ObligationState::Overdue;
            self.overdue(&mut mark, expected, due, business_now)
        };
        mark.notifications = self.notifications(&events, notify, business_now);
        Some(Step { mark, reminder })
    }

    /// At the due instant and after it. Whoever wakes late finds several steps at once: none is lost, and each is told once.
    fn overdue(
        &self,
        mark: &mut Mark,
        expected: Timestamp,
        due: Timestamp,
        business_now: Timestamp,
    ) -> (Vec<Event<'_>>, Option<(NotificationStage, u32)>) {
        let mut after: Vec<Event<'_>> = self
            .rungs
            .iter()
            .filter_map(|(at, to)| match at {
                RungAt::After(span) => Some(Event {
                    stage: NotificationStage::Escalation,
                    at: *at,
                    anchor: due,
                    event_at: self.hours.after(due, *span),
                    to,
                }),
                RungAt::Warning | RungAt::Overdue => None,
            })
            .collect();
        after.sort_by_key(|event| event.event_at);
        mark.next_at = after.iter().map(|event| event.event_at).find(|at| *at > business_now);
        let reached = after.iter().filter(|event| event.event_at <= business_now).count();
        after.truncate(reached);
        // Steps before the one that was waited for were taken by earlier marks.
        after.retain(|event| !mark.stays || event.event_at >= expected);
        for event in &after {
            mark.journal.push(JournalEntry {
                kind: "obligation-escalated".to_owned(),
                actor: "watcher".to_owned(),
                obligation_id: Some(self.row.id),
                detail: json!({ "step": event.at.to_string() }),
                ..JournalEntry::default()
            });
        }
        let step = u32::try_from(reached).unwrap_or(u32::MAX).saturating_add(2).min(99);
        let reminder = match (mark.stays, after.is_empty()) {
            (false, _) => Some((NotificationStage::Overdue, 2)),
            (true, false) => Some((NotificationStage::Escalation, step)),
            (true, true) => None,
        };
        let mut events = if mark.stays { Vec::new() } else { self.events(NotificationStage::Overdue, due, due) };
        events.extend(after);
        (events, reminder)
    }

    fn events(&self, stage: NotificationStage, anchor: Timestamp, event_at: Timestamp) -> Vec<Event<'_>> {
        let wanted = if stage == NotificationStage::Warning { RungAt::Warning } else { RungAt::Overdue };
        let rungs = self.rungs.iter().filter(|(at, _)| *at == wanted);
        rungs.map(|(at, to)| Event { stage, at: *at, anchor, event_at, to }).collect()
    }

    /// One for each address of the groups; a group that the settings do not have is told nothing, and `config check` says so.
    fn notifications(&self, events: &[Event<'_>], notify: &Notify, business_now: Timestamp) -> Vec<NewNotification> {
        let mut all = Vec::new();
        for event in events {
            let mut told = BTreeSet::new();
            for (name, group) in event.to.iter().filter_map(|name| notify.groups.get_key_value(name)) {
                let mails = group.mail.iter().map(|target| (NotificationChannel::Mail, target));
                let hooks = group.webhook.iter().map(|target| (NotificationChannel::Webhook, target));
                for (channel, target) in mails.chain(hooks) {
                    if !told.insert((channel, target)) {
                        continue;
                    }
                    all.push(NewNotification {
                        id: ids::notification(),
                        obligation_id: self.row.id,
                        stage: event.stage,
                        rung: event.at.to_string(),
                        anchor: event.anchor,
                        channel,
                        target: target.clone(),
                        group: name.clone(),
                        event_at: event.event_at,
                        send_at: self.hours.told_at(event.event_at, business_now),
                    });
                }
            }
        }
        all
    }

    /// The document and paragraph that the term stands on, as they were when it was counted.
    pub(super) fn source(&self) -> String {
        let source = self.row.explanation.as_ref().and_then(|e| e.get("source"));
        let part = |key| source.and_then(|s| s.get(key)).and_then(Value::as_str).unwrap_or_default();
        let text = format!("{}, {}", part("document"), part("paragraph"));
        let text = text.trim_matches([',', ' ']);
        if text.is_empty() { "-".to_owned() } else { text.to_owned() }
    }
}
