//! How long somebody has to wait who failed to sign in again and again.

/// Whose failures are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those under one login.
    Login,
    /// Those from one address, where several people may sit.
    Address,
}

/// Failures without a pause under one login.
const FREE_OF_LOGIN: u32 = 5;
/// Failures without a pause from one address.
const FREE_OF_ADDRESS: u32 = 25;
/// The first pause, in seconds; each further failure doubles it.
const PAUSE_SECONDS: i64 = 30;
/// The longest pause, in seconds: a person who is locked out by somebody else's attempts can get in again the same day.
const PAUSE_SECONDS_MAX: i64 = 900;
/// Failures older than so many seconds are forgotten.
pub const FORGOTTEN_AFTER_SECONDS: i64 = 6 * 3600;

/// The pause after so many failures, in seconds; 0: none.
pub fn pause_seconds(counted: Counted, failures: u32) -> i64 {
    let free = match counted {
        Counted::Login => FREE_OF_LOGIN,
        Counted::Address => FREE_OF_ADDRESS,
    };
    match failures.checked_sub(free) {
        None => 0,
        Some(over) => PAUSE_SECONDS.saturating_mul(1_i64 << over.min(20)).min(PAUSE_SECONDS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_end() {
        let pauses: Vec<i64> = (3..13).map(|n| pause_seconds(Counted::Login, n)).collect();
        assert_eq!(pauses, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!((pause_seconds(Counted::Address, 24), pause_seconds(Counted::Address, 25)), (0, 30));
        assert_eq!(pause_seconds(Counted::Login, u32::MAX), PAUSE_SECONDS_MAX);
    }
}
