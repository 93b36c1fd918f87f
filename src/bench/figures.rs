//! What a scenario came to, as a table, as JSON, and beside an earlier run.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::floors::Floors;
use super::scenario::{Beside, PAIRS, all};

/// Quantiles of a time, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Quantiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

impl Quantiles {
    /// Of times in microseconds; zeros of none.
    pub(super) fn of(mut micros: Vec<i64>) -> Self {
        micros.sort_unstable();
        let at = |share: f64| {
            let place = ((micros.len().saturating_sub(1)) as f64 * share).round() as usize;
            micros.get(place).map_or(0.0, |micros| *micros as f64 / 1_000.0)
        };
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
    }
}

/// What a scenario came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Figures {
    /// Its name.
    pub(super) scenario: String,
    /// Bytes of one envelope.
    pub(super) envelope_bytes: usize,
    /// Messages sent at the highest rate.
    pub(super) messages: usize,
    /// Accepted a second at the highest rate.
    pub(super) accepted_per_second: f64,
    /// Delivered a second meanwhile; `None`: nothing is handed over.
    pub(super) delivered_per_second: Option<f64>,
    /// From the first byte to the receipt, at half of the highest rate.
    pub(super) accept_ms: Quantiles,
    /// From the first byte to the recipient, at half of the highest rate.
    pub(super) end_to_end_ms: Option<Quantiles>,
    /// Processor time of the gateway's process a message, at the highest rate.
    pub(super) cpu_us: f64,
    /// Transactions of the gateway a message, at the highest rate.
    pub(super) commits: f64,
    /// What the process held with the queue that the scenario asks for, in MiB.
    pub(super) queued_mib: Option<f64>,
    /// The most memory that the process held, in MiB.
    pub(super) peak_mib: f64,
    /// The floors of the same minute.
    pub(super) floors: Floors,
    /// The raw cryptography that a message of the scenario needs.
    pub(super) cryptography_us: f64,
    /// Messages that came more than once.
    pub(super) repeated: u64,
}

impl Figures {
    /// The gateway's processor time by the raw cryptography of the message.
    pub(super) fn ratio(&self) -> f64 {
        self.cpu_us / self.cryptography_us.max(f64::MIN_POSITIVE)
    }
}

/// A run, as `--json` writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Report {
    /// The program's version.
    pub(super) version: String,
    /// Processors of the machine.
    pub(super) processors: usize,
    /// The scenarios in the order in which they were run.
    pub(super) scenarios: Vec<Figures>,
}

/// The figures of one scenario as text.
pub(super) fn shown(figures: &Figures) -> String {
    let f = figures;
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        writeln!(text, "  {what:<64} {value}").unwrap_or_default();
    };
    line("размер конверта, байт / envelope, bytes", f.envelope_bytes.to_string());
    line("принято в секунду / accepted a second", format!("{:.0}", f.accepted_per_second));
    if let Some(delivered) = f.delivered_per_second {
        line("вручено в секунду / delivered a second", format!("{delivered:.0}"));
    }
    let times = |q: &Quantiles| format!("{:.1} / {:.1} / {:.1}", q.p50, q.p99, q.p999);
    line("до квитанции на половине темпа, мс / accept at half rate, p50/p99/p99.9", times(&f.accept_ms));
    if let Some(end_to_end) = &f.end_to_end_ms {
        line("до получателя на половине темпа, мс / end to end at half rate", times(end_to_end));
    }
    line("процессор шлюза на сообщение, мкс / gateway CPU a message, us", format!("{:.0}", f.cpu_us));
    let cryptography = format!("{:.0} ({:.2}x)", f.cryptography_us, f.ratio());
    line("  из них чистая криптография / raw cryptography (ratio)", cryptography);
    line("  разбор и каноническая форма / parse and canonical form", format!("{:.0}", f.floors.canonical_us));
    line("  одна запись на диск, мкс / one durable write, us", format!("{:.0}", f.floors.commit_us));
    line("транзакций на сообщение / transactions a message", format!("{:.2}", f.commits));
    if let Some(mib) = f.queued_mib {
        line("память с очередью, МиБ / resident memory with the queue, MiB", format!("{mib:.0}"));
    }
    line("память, МиБ, наибольшая / peak memory, MiB", format!("{:.0}", f.peak_mib));
    if f.repeated > 0 {
        line("пришло больше одного раза / came more than once", f.repeated.to_string());
    }
    text
}

/// What scenarios of one run say together, where both of a pair were run.
pub(super) fn beside(report: &Report) -> String {
    let mut text = String::new();
    let find = |name: &str| report.scenarios.iter().find(|f| f.scenario == name);
    for (one, other, what) in PAIRS {
        let (Some(one), Some(other)) = (find(one), find(other)) else { continue };
        let (ratio, meaning) = match what {
            Beside::Living => (living(one) / living(other), "получают остальные / what the others get"),
            Beside::Cost => (one.cpu_us / other.cpu_us, "процессор на сообщение / CPU a message"),
        };
        writeln!(text, "{} : {} = {ratio:.2} ({meaning})", one.scenario, other.scenario).unwrap_or_default();
    }
    text
}

/// What comes to seven of eight partners in a second: to the living ones, or to seven of the eight.
fn living(figures: &Figures) -> f64 {
    let delivered = figures.delivered_per_second.unwrap_or_default();
    let scenario = all().into_iter().find(|s| s.name == figures.scenario);
    let has_dead = scenario.is_none_or(|s| s.dead);
    if has_dead { delivered } else { delivered * 7.0 / 8.0 }
}

/// Ratios of the second run to the first, for the scenarios that both have.
pub(super) fn compared(before: &Report, after: &Report) -> String {
    let mut text = format!(
        "{:<44} {:>10} {:>10} {:>10} {:>10}\n",
        "сценарий / scenario", "accepted/s", "CPU", "CPU:crypto", "p99 accept"
    );
    for new in &after.scenarios {
        let Some(old) = before.scenarios.iter().find(|old| old.scenario == new.scenario) else { continue };
        let by = |new: f64, old: f64| new / old.max(f64::MIN_POSITIVE);
        let (rate, cpu) = (by(new.accepted_per_second, old.accepted_per_second), by(new.cpu_us, old.cpu_us));
        let (ratio, p99) = (by(new.ratio(), old.ratio()), by(new.accept_ms.p99, old.accept_ms.p99));
        writeln!(text, "{:<44} {rate:>9.2}x {cpu:>9.2}x {ratio:>9.2}x {p99:>9.2}x", new.scenario).unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_times() {
        let q = Quantiles::of((1..=1000).rev().map(|n| n * 1_000).collect());
        assert_eq!((q.p50, q.p99, q.p999), (501.0, 990.0, 999.0));
        assert_eq!(Quantiles::of(Vec::new()).p99, 0.0);
    }
}
