//! Callbacks for events by name (the seed's `on` and `off`).

/// A callback's registration: dropping it, or [`Subscription::off`], unsubscribes. No call begins after that; one that
/// is running goes on to its end.
#[derive(Debug)]
#[must_use = "dropping a subscription unsubscribes"]
pub struct Subscription {}

impl Subscription {
    /// Unsubscribes.
    pub fn off(self) {
        drop(self);
    }
}
