//! Drawn numbers that are the same everywhere and for ever.

/// A generator for one purpose. SplitMix64 by its published constants, written here because a report must come out byte for byte the
/// same with every later version of the program: the generators of `rand` may change between versions (`StdRng` says so), and nothing
/// here needs more than even spread.
#[derive(Debug, Clone)]
pub(super) struct Draw(u64);

impl Draw {
    /// A stream for a purpose (`"case"`) and a number within it. Each purpose has its own, so that drawing once more in one place moves
    /// nothing in another.
    pub(super) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        // FNV-1a over the purpose tells the streams apart; the mixing below spreads it.
        let named = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut mixed = Self(seed);
        let first = mixed.next();
        let mut own = Self(first ^ named);
        let second = own.next();
        Self(second ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included; `low` when `high` is less.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high.saturating_sub(low)) + 1;
        let scaled = (u128::from(self.next()) * u128::from(width)) >> 64;
        low.saturating_add(u32::try_from(scaled).unwrap_or(0))
    }

    /// Whether something happens that happens `percent` times of a hundred.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.between(0, 99) < percent
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let last = u32::try_from(all.len().checked_sub(1)?).unwrap_or(u32::MAX);
        all.get(usize::try_from(self.between(0, last)).unwrap_or(0))
    }

    /// Puts a list in a drawn order.
    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for end in (1..all.len()).rev() {
            let last = u32::try_from(end).unwrap_or(u32::MAX);
            let other = usize::try_from(self.between(0, last)).unwrap_or(0);
            all.swap(end, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published first outputs of SplitMix64 from the state 1234567: whoever changes the generator changes every report.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut draw = Draw(1_234_567);
        let first = [draw.next(), draw.next(), draw.next()];
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_stay_in_their_bounds_and_streams_differ() {
        let mut draw = Draw::new(7, "case", 1);
        let drawn: Vec<u32> = (0..1_000).map(|_| draw.between(3, 5)).collect();
        assert!(drawn.iter().all(|n| (3..=5).contains(n)) && [3, 4, 5].iter().all(|n| drawn.contains(n)));
        assert_eq!(draw.between(4, 2), 4);
        assert!(draw.pick::<u8>(&[]).is_none());
        let streams =
            [Draw::new(7, "case", 1), Draw::new(7, "case", 2), Draw::new(7, "agency", 1), Draw::new(8, "case", 1)];
        let firsts: std::collections::BTreeSet<u64> = streams.into_iter().map(|mut draw| draw.next()).collect();
        assert_eq!(firsts.len(), 4);
    }
}
