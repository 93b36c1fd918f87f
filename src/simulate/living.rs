//! A region beside others, for the demonstration: its agencies are written into a configuration folder that is there already, its past is
//! played before the gateway starts, and then its life goes on through the running gateway.

use std::path::Path;
use std::sync::Arc;

use crate::bundle::Files;
use crate::deadline::Regulations;
use crate::domain::Timestamp;
use crate::gateway::dispatch::Ways;
use crate::gateway::{Clock, Gateway};
use crate::transport::http::{HttpOptions, Push};

use super::days::Workdays;
use super::life::{self, Scene, Script};
use super::region::{self, Folder, Region};
use super::stage::{self, Stage};
use super::{Options, SimulateError};

/// A demonstration may be left open for months.
const KEYS_VALID_DAYS: u32 = 365;

/// The region and what will happen in it.
pub(crate) struct Living {
    region: Region,
    days: Workdays,
    script: Script,
}

impl Living {
    /// Writes the regulation and its agencies into a gateway's configuration folder, and draws what will happen. `gateway_pem` is that
    /// gateway's certificate, `now` the machine's time. `database` and `keep` of the options mean nothing here: the folder has both.
    pub(crate) fn settle(
        folder: &Path,
        options: &Options,
        files: &Files,
        gateway_pem: &[u8],
        now: Timestamp,
    ) -> Result<Self, SimulateError> {
        let regulations = Regulations::from_files(files).map_err(SimulateError::Findings)?;
        let regulation = super::regulation(options, &regulations)?;
        let days = super::days(options, regulation, files)?;
        let folder = Folder::of(folder);
        if let Some(bytes) = files.get(&regulation.file) {
            folder.write(regulation.file.strip_prefix("config/").unwrap_or(&regulation.file), bytes, false)?;
        }
        let region = region::settle(&folder, regulation, gateway_pem, KEYS_VALID_DAYS, (options.seed, now))?;
        let scene = Scene { regulation, region: &region, days: &days, seed: options.seed };
        let script = life::script(&scene, options.cases);
        Ok(Self { region, days, script })
    }

    /// Plays everything up to an instant in the database of the folder's settings, in which nobody works meanwhile.
    pub(crate) async fn past(&mut self, folder: &Path, until: Timestamp) -> Result<(), SimulateError> {
        let gateway = super::gateway(folder, Clock::standing_at(self.days.begins_at())).await?;
        let ways = Ways { push: Arc::new(Push::new(HttpOptions::default())?), amqp: None };
        let script = std::mem::take(&mut self.script);
        let played = Stage::new(&gateway, &ways, (&self.region, &self.days), script).past(until).await;
        gateway.store().close().await;
        self.script = played?;
        Ok(())
    }

    /// When something is sent next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.script.keys().next().copied()
    }

    /// Sends what is to be sent by now, and fetches what waits in the mailboxes. Returns whether anything happened.
    pub(crate) async fn act(&mut self, gateway: &Gateway) -> Result<bool, SimulateError> {
        let mut happened = false;
        while let Some(due) = self.script.first_entry().filter(|due| *due.key() <= gateway.clock().business_now()) {
            for posted in stage::send(gateway, &self.region, due.remove()).await? {
                if let Some((code, detail)) = posted.refused {
                    return Err(SimulateError::Exchange(format!("{}: {code}: {detail}", posted.kind)));
                }
            }
            happened = true;
        }
        Ok(stage::fetch(gateway, &self.region).await? || happened)
    }
}
