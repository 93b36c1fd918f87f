//! How a simulated system behaves.

use std::time::Duration;

use crate::envelope::technical::ReminderStage;

/// How a system treats what it gets and owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Behaviour {
    /// Отвечает сразу / answers at once
    #[default]
    Honest,
    /// Отвечает, когда ему напомнят о просрочке / answers when it is reminded that it is overdue
    Late,
    /// Квитирует и не отвечает / receipts and never answers
    Silent,
    /// Отвечает ошибками, мусором и чужими квитанциями / answers with errors, garbage and receipts about something else
    Broken,
    /// Квитирует с задержкой --pause / receipts after --pause
    Slow,
    /// --pause доступно, --pause нет / there for --pause, away for --pause
    Flapping,
}

impl Behaviour {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::Broken => "broken",
            Self::Slow => "slow",
            Self::Flapping => "flapping",
        }
    }

    /// Whether a request is answered as soon as it comes.
    pub(super) fn answers_at_once(self) -> bool {
        matches!(self, Self::Honest | Self::Slow | Self::Flapping)
    }

    /// Whether it does what it owes when it gets a reminder of this stage.
    pub(super) fn acts_on(self, stage: ReminderStage) -> bool {
        match self {
            Self::Honest | Self::Slow | Self::Flapping => true,
            Self::Late => stage != ReminderStage::Warning,
            Self::Silent | Self::Broken => false,
        }
    }

    /// Whether it is away, so long after its start.
    pub(super) fn is_away(self, running: Duration, pause: Duration) -> bool {
        let turns = running.as_millis().checked_div(pause.as_millis()).unwrap_or(0);
        self == Self::Flapping && turns % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for behaviour in Behaviour::value_variants() {
            assert_eq!(behaviour.to_possible_value().unwrap().get_name(), behaviour.name());
        }
    }

    #[test]
    fn who_flaps_is_there_first_and_away_then() {
        let pause = Duration::from_secs(10);
        let away = |behaviour: Behaviour, seconds| behaviour.is_away(Duration::from_secs(seconds), pause);
        assert_eq!([0, 9, 10, 19, 20].map(|s| away(Behaviour::Flapping, s)), [false, false, true, true, false]);
        assert!(!away(Behaviour::Honest, 10));
        assert!(!Behaviour::Flapping.is_away(pause, Duration::ZERO));
    }

    #[test]
    fn who_is_late_waits_until_it_is() {
        let acts = |behaviour: Behaviour| {
            [ReminderStage::Warning, ReminderStage::Overdue, ReminderStage::Escalation].map(|s| behaviour.acts_on(s))
        };
        assert_eq!(acts(Behaviour::Honest), [true, true, true]);
        assert_eq!(acts(Behaviour::Late), [false, true, true]);
        assert_eq!(acts(Behaviour::Silent), [false, false, false]);
    }
}
