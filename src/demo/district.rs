//! The district with a past: the agencies of a simulated region beside the six systems, so that the pages have something to show from the
//! first moment. Its weeks before the demonstration are played into the database before the gateway starts; afterwards its agencies send
//! and fetch through the running gateway as the demonstration's time goes on.

use std::path::Path;

use chrono::NaiveDate;

use crate::bundle;
use crate::domain::Timestamp;
use crate::simulate::{self, Living, SimulateError};

use super::home::Home;
use super::scenario;
use super::voice::Voice;
use super::{DemoError, Options};

/// The regulation of the district: all its rules are played, unlike those of the six systems.
const REGULATION: &str = "model";
/// Nine weeks before the demonstration begins.
const FROM: (i32, u32, u32) = (2026, 3, 2);
/// The calendar's last day.
const TO: (i32, u32, u32) = (2026, 12, 31);
/// Every demonstration has the same past.
const SEED: u64 = 5;

/// Writes the district's agencies into the gateway's folder; `None` when the demonstration has no district.
pub(super) fn settle(
    options: &Options,
    home: &Home,
    config: &Path,
    now: Timestamp,
) -> Result<Option<Living>, DemoError> {
    if options.once || options.cases == 0 {
        return Ok(None);
    }
    let what = simulate::Options {
        regulation: REGULATION.to_owned(),
        from: date(FROM)?,
        to: date(TO)?,
        cases: options.cases,
        seed: SEED,
        database: None,
        keep: None,
    };
    let certificate = home.gateway_certificate()?;
    Ok(Some(Living::settle(config, &what, &bundle::embedded(), &certificate, now)?))
}

/// Plays the weeks before the demonstration.
pub(super) async fn past(voice: Voice, district: &mut Living, config: &Path) -> Result<(), DemoError> {
    voice.line("история вымышленного округа за девять недель… / nine weeks of an invented district's past…");
    Ok(district.past(config, scenario::instant(scenario::BEGINS_AT)?).await?)
}

fn date((year, month, day): (i32, u32, u32)) -> Result<NaiveDate, SimulateError> {
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| SimulateError::Defect("a day of the district".to_owned()))
}
