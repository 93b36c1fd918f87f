//! What people read: Russian first with English beside. Ids, rules, participants and dates; no names of citizens, no bodies.

use serde_json::{Value, json};

use crate::deadline::{RungAt, Span, Term, Unit, show_due};
use crate::domain::{NotificationStage, ParticipantId, Timestamp, Zone};
use crate::store::{MailingContent, NewNotification, ObligationRow};

use super::super::Snapshot;
use super::super::ladder::Ladder;

/// A mailing in words.
pub(super) struct Told<'a> {
    pub(super) gateway: &'a ParticipantId,
    pub(super) snapshot: &'a Snapshot,
    pub(super) content: &'a MailingContent,
}

/// One notification's facts.
struct Facts<'a> {
    notification: &'a NewNotification,
    row: &'a ObligationRow,
    title_ru: String,
    title_en: String,
    zone: Zone,
    due: Option<Timestamp>,
    /// Working days since the last day in time, when the notification was due to be read.
    late: Option<u32>,
    source: String,
}

impl Told<'_> {
    /// The subject and the text of a mail.
    pub(super) fn mail(&self) -> (String, String) {
        match self.content {
            MailingContent::One(both) => self.facts(&both.0, &both.1).mail(self.gateway),
            MailingContent::Digest { .. } => self.digest_mail(),
        }
    }

    /// The body of a webhook: `type`, `timestamp` and `data`, by the convention of Standard Webhooks.
    pub(super) fn json(&self, made_at: Timestamp) -> Value {
        match self.content {
            MailingContent::One(both) => self.facts(&both.0, &both.1).json(),
            MailingContent::Digest { count, lines, first } => {
                let lines: Vec<Value> = lines
                    .iter()
                    .map(|line| json!({ "debtor": line.debtor, "stage": line.stage, "count": line.count }))
                    .collect();
                let first: Vec<Value> = first
                    .iter()
                    .map(|row| {
                        let due = row.due_at.map(|due| show_due(due, self.zone(row)));
                        json!({ "obligation": row.id, "rule": row.rule, "debtor": row.debtor, "due": due })
                    })
                    .collect();
                let data = json!({ "count": count, "byDebtor": lines, "first": first });
                json!({ "type": "deadline.digest", "timestamp": made_at, "data": data })
            }
        }
    }

    fn zone(&self, row: &ObligationRow) -> Zone {
        Ladder::of(row, self.snapshot).hours.zone
    }

    fn facts<'a>(&self, notification: &'a NewNotification, row: &'a ObligationRow) -> Facts<'a> {
        let ladder = Ladder::of(row, self.snapshot);
        let title = ladder.regulation.and_then(|r| r.rule(&row.rule)).map(|rule| rule.title.clone());
        let title = title.unwrap_or_default();
        let warning = notification.stage == NotificationStage::Warning;
        // What was overdue then: it may have been moved since.
        let due = if warning { row.due_at } else { Some(notification.anchor) };
        let late = due.filter(|_| !warning).and_then(|due| ladder.hours.working_days_late(due, notification.send_at));
        Facts {
            notification,
            row,
            title_ru: title.ru,
            title_en: title.en,
            zone: ladder.hours.zone,
            due,
            late,
            source: ladder.source(),
        }
    }

    fn digest_mail(&self) -> (String, String) {
        let MailingContent::Digest { count, lines, first } = self.content else { return Default::default() };
        let subject = format!("{}: сводка о сроках, {count} / digest of deadlines, {count}", self.gateway);
        let mut text = format!(
            "Сразу наступило много сроков, поэтому вместо отдельных писем - одно.\n\
             Many deadlines came at once, hence one mail instead of many.\n\n\
             Уведомлений / notices: {count}\n\nПо участникам, которые должны / by the participant that owes:\n"
        );
        for line in lines {
            text.push_str(&format!("  {}: {}, {}\n", line.debtor, stage(line.stage), line.count));
        }
        text.push_str("\nБлижайшие по сроку / the first by their due instants:\n");
        for row in first {
            let due = row.due_at.map(|due| show_due(due, self.zone(row))).unwrap_or_default();
            text.push_str(&format!("  {due}  {}  {}  {}\n", row.debtor, row.rule, row.id));
        }
        text.push_str("\nВсе / all of them: mezhved deadline list --overdue\n");
        (subject, text)
    }
}

impl Facts<'_> {
    fn mail(&self, gateway: &ParticipantId) -> (String, String) {
        let (row, stage) = (self.row, stage(self.notification.stage));
        let subject = format!("{gateway}: {stage}: {}: {}", row.debtor, self.title_ru);
        let mut text = format!("{stage}\n\n");
        let mut line = |ru: &str, en: &str, value: &str| text.push_str(&format!("{ru} / {en}: {value}\n"));
        line("Правило", "rule", &format!("{} / {} ({}, {})", self.title_ru, self.title_en, row.regulation, row.rule));
        line("Кто должен", "who owes", row.debtor.as_str());
        line("Кому", "to whom", row.creditor.as_str());
        if !row.period.is_empty() {
            line("Период", "period", &row.period);
        }
        if let Some(due) = self.due {
            line("Срок", "due", &format!("{} ({})", show_due(due, self.zone), self.zone));
        }
        if let Some(late) = self.late {
            line("Опоздание", "late by", &days(late));
        }
        if let Some(step) = self.step() {
            line("Ступень", "step", &step);
        }
        line("Основание", "source", &self.source);
        line("Обязательство", "obligation", &row.id.to_string());
        if let Some(case) = row.case_id {
            line("Дело", "case", &case.to_string());
        }
        text.push_str(&format!("\nПочему срок таков / why it is due then: mezhved deadline explain {}\n", row.id));
        (subject, text)
    }

    /// The words of a step after the due instant.
    fn step(&self) -> Option<String> {
        let rung = RungAt::of(&self.notification.rung)?;
        matches!(rung, RungAt::After(_)).then(|| format!("{} / {rung}", rung.ru()))
    }

    fn json(&self) -> Value {
        let (row, notification) = (self.row, self.notification);
        json!({
            "type": format!("deadline.{}", notification.stage),
            "timestamp": notification.event_at,
            "data": {
                "obligation": row.id, "regulation": row.regulation, "rule": row.rule,
                "title": { "ru": self.title_ru, "en": self.title_en },
                "stage": notification.stage, "step": notification.rung, "group": notification.group,
                "debtor": row.debtor, "creditor": row.creditor, "period": row.period,
                "due": self.due.map(|due| show_due(due, self.zone)), "lateWorkingDays": self.late,
                "case": row.case_id, "conversation": row.conversation_id, "source": self.source,
            },
        })
    }
}

fn stage(stage: NotificationStage) -> String {
    let en = match stage {
        NotificationStage::Warning => "due soon",
        NotificationStage::Overdue => "overdue",
        NotificationStage::Escalation => "overdue for long",
    };
    format!("{} / {en}", stage.ru())
}

fn days(count: u32) -> String {
    if count == 0 {
        return "меньше рабочего дня / less than a working day".to_owned();
    }
    let term = Term::After(Span { count, unit: Unit::WorkingDay });
    format!("{} / {term}", term.ru())
}

/// The subject and the text of a test.
pub(super) fn test_mail(gateway: &str) -> (String, String) {
    let subject = format!("{gateway}: проверка уведомлений / a test of notifications");
    let text = "Это проверка (`mezhved notify test`): так придут уведомления о сроках. Отвечать не нужно.\n\
                This is a test (`mezhved notify test`): notifications of deadlines will come like this. No answer is needed.\n";
    (subject, text.to_owned())
}

/// The body of a test call.
pub(super) fn test_json(now: Timestamp) -> Value {
    json!({ "type": "notify.test", "timestamp": now, "data": {} })
}
