//! `mezhved message index`.

use std::process::ExitCode;

use super::Failure;
use crate::gateway::{FoundAgain, find_again};
use crate::store::Store;

/// How many messages pass between two lines that tell how far it is.
const TOLD_EVERY: u64 = 10_000;

/// Looks at all messages that were not looked at again.
pub(super) async fn run(store: &Store, from_start: bool) -> Result<ExitCode, Failure> {
    if from_start {
        store.find_from_the_first().await?;
    }
    let (mut all, mut told) = (FoundAgain::default(), 0);
    loop {
        let done = find_again(store).await?;
        if done.seen == 0 {
            break;
        }
        all.seen = all.seen.saturating_add(done.seen);
        all.found = all.found.saturating_add(done.found);
        all.unread = all.unread.saturating_add(done.unread);
        if all.seen.saturating_sub(told) >= TOLD_EVERY {
            told = all.seen;
            eprintln!("{}", told_of(&all));
        }
    }
    say!("{}", told_of(&all))?;
    Ok(ExitCode::SUCCESS)
}

fn told_of(all: &FoundAgain) -> String {
    format!(
        "просмотрено / looked at: {}; в указателе / indexed: {}; не прочитано / not readable: {}",
        all.seen, all.found, all.unread
    )
}
