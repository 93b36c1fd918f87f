//! A small pool of things that one thread at a time may use.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lends values that are costly to make and must not be shared. At most `made_max` exist; who comes later waits.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
    made_max: usize,
}

struct State<T> {
    idle: Vec<T>,
    made: usize,
}

impl<T> Pool<T> {
    /// A pool that already holds one value.
    pub(super) fn new(first: T, made_max: usize) -> Self {
        Self { state: Mutex::new(State { idle: vec![first], made: 1 }), returned: Condvar::new(), made_max }
    }

    /// Runs `work` on a lent value; makes one when none is idle and the limit allows. `None` when making failed.
    pub(super) fn with<R>(&self, make: impl FnOnce() -> Option<T>, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut lent = Lent { pool: self, value: Some(self.take(make)?) };
        lent.value.as_mut().map(work)
    }

    fn take(&self, make: impl FnOnce() -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(value) = state.idle.pop() {
                return Some(value);
            }
            if state.made < self.made_max {
                state.made += 1;
                drop(state);
                let place = Lent { pool: self, value: None };
                let made = make()?;
                std::mem::forget(place);
                return Some(made);
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the value back when dropped. After a panic the value is thrown away, for its state is not known; its place is freed.
struct Lent<'a, T> {
    pool: &'a Pool<T>,
    value: Option<T>,
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let value = self.value.take().filter(|_| !std::thread::panicking());
        let mut state = self.pool.lock();
        match value {
            Some(value) => state.idle.push(value),
            None => state.made -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_than_the_limit_exist_and_nobody_shares() {
        let pool = Pool::new(0_u32, 3);
        let (made, users, most) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicUsize::new(0));
        let start = Barrier::new(16);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..200 {
                        let make = || {
                            made.fetch_add(1, Ordering::SeqCst);
                            Some(0)
                        };
                        pool.with(make, |value| {
                            most.fetch_max(users.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            *value += 1;
                            users.fetch_sub(1, Ordering::SeqCst);
                        });
                    }
                });
            }
        });
        assert!(made.load(Ordering::SeqCst) <= 3);
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert_eq!(pool.lock().idle.iter().sum::<u32>(), 16 * 200);
    }

    #[test]
    fn a_place_is_freed_when_making_fails_or_work_panics() {
        let pool = Pool::new(0_u8, 1);
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.with(|| None, |_| panic!("planned"))));
        assert!(outcome.is_err());
        assert!(pool.with(|| None, |_| ()).is_none());
        assert_eq!(pool.with(|| Some(7), |value| *value), Some(7));
    }
}
