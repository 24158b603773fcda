//! The request context as a decision asks it: each key once, whatever the number of conditions.

use crate::request::{ContextKeys, Lookup};
use std::borrow::Cow;
use std::cell::OnceCell;

/// Keys that are remembered; a power of two. Requests are asked for a handful.
const SLOTS: usize = 16;

/// A request context and what was asked of it so far. Lives on the stack for one decision.
pub(crate) struct Asked<'a> {
    keys: &'a dyn ContextKeys,
    slots: [OnceCell<(&'a str, Lookup<'a>)>; SLOTS],
}

impl<'a> Asked<'a> {
    pub fn new(keys: &'a dyn ContextKeys) -> Self {
        Self { keys, slots: [const { OnceCell::new() }; SLOTS] }
    }

    /// What the context holds under the key, which is in lower case.
    pub fn get(&self, key: &'a str) -> Lookup<'_> {
        match self.remembered(key) {
            Some(lookup) => borrowed(lookup),
            None => self.keys.get(key),
        }
    }

    /// As [`Asked::get`], where the answer is needed for a moment only.
    pub fn with<T>(&self, key: &'a str, look: impl FnOnce(&Lookup<'_>) -> T) -> T {
        match self.remembered(key) {
            Some(lookup) => look(lookup),
            None => look(&self.keys.get(key)),
        }
    }

    /// `None` when another key has the place; then this one is asked for each time.
    fn remembered(&self, key: &'a str) -> Option<&Lookup<'a>> {
        let slot = self.slots.get(place(key))?;
        let (remembered, lookup) = slot.get_or_init(|| (key, self.keys.get(key)));
        (*remembered == key).then_some(lookup)
    }
}

/// Keys mostly differ in length, last and middle character.
fn place(key: &str) -> usize {
    let bytes = key.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
    let length = bytes.len();
    (length + 7 * byte(length.wrapping_sub(1)) + 5 * byte(length / 2)) % SLOTS
}

fn borrowed<'s>(lookup: &'s Lookup<'_>) -> Lookup<'s> {
    match lookup {
        Lookup::Absent => Lookup::Absent,
        Lookup::One(value) => Lookup::One(Cow::Borrowed(value)),
        Lookup::Many(values) => Lookup::Many(Cow::Borrowed(values)),
        Lookup::Unresolvable => Lookup::Unresolvable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Counts how often it is asked and answers with the key itself.
    struct Counting(Cell<usize>);

    impl ContextKeys for Counting {
        fn get(&self, key: &str) -> Lookup<'_> {
            self.0.set(self.0.get() + 1);
            Lookup::owned(key.to_owned())
        }
    }

    #[test]
    fn a_key_is_asked_for_once() {
        let counting = Counting(Cell::new(0));
        let asked = Asked::new(&counting);
        for _ in 0..3 {
            assert_eq!(asked.get("aws:sourceip"), Lookup::one("aws:sourceip"));
        }
        assert_eq!(counting.0.get(), 1);
    }

    #[test]
    fn keys_of_one_place_are_told_apart() {
        let counting = Counting(Cell::new(0));
        let keys: Vec<String> = (0..200).map(|number| format!("aws:tag/{number}")).collect();
        let asked = Asked::new(&counting);
        for key in keys.iter().chain(&keys) {
            assert_eq!(asked.get(key), Lookup::one(key), "{key}");
        }
        assert_eq!(asked.get(""), Lookup::one(""));
    }
}
