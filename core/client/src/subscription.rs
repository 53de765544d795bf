//! Callbacks for events by name (the seed's `on` and `off`).

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use innsync_engine::ClientEvent;

use crate::drivers::runtime;

/// Events that wait for one callback.
const WAITING: usize = 1_000;

/// A callback's registration: dropping it, or [`Subscription::off`], unsubscribes. No call begins after that; one that
/// is running goes on to its end.
#[must_use = "dropping a subscription unsubscribes"]
pub struct Subscription {
    subscriber: Arc<Subscriber>,
    all: Weak<Subscribers>,
}

impl Subscription {
    /// Unsubscribes.
    pub fn off(self) {
        drop(self);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut inbox = self.subscriber.lock();
        inbox.off = true;
        inbox.events.clear();
        drop(inbox);
        if let Some(all) = self.all.upgrade() {
            all.lock().retain(|one| !Arc::ptr_eq(one, &self.subscriber));
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({:?})", self.subscriber.name)
    }
}

/// All callbacks of a handle.
#[derive(Default)]
pub(crate) struct Subscribers {
    all: Mutex<Vec<Arc<Subscriber>>>,
}

type Callback = Box<dyn Fn(&ClientEvent) + Send + Sync>;

struct Subscriber {
    name: String,
    callback: Callback,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    events: VecDeque<ClientEvent>,
    // A thread is calling; it takes what comes meanwhile.
    busy: bool,
    off: bool,
}

impl Subscribers {
    /// Adds a callback.
    pub(crate) fn add(self: &Arc<Self>, name: &str, callback: Callback) -> Subscription {
        let subscriber = Arc::new(Subscriber { name: name.to_owned(), callback, inbox: Mutex::default() });
        self.lock().push(Arc::clone(&subscriber));
        Subscription { subscriber, all: Arc::downgrade(self) }
    }

    /// Hands an event to whoever listens for it. Never waits.
    pub(crate) fn tell(&self, event: &ClientEvent) {
        // Cloned out of the lock: a callback may subscribe or unsubscribe.
        let all = self.lock().clone();
        all.iter().filter(|one| one.name == event.name()).for_each(|one| one.hand(event));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Subscriber>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    fn hand(self: &Arc<Self>, event: &ClientEvent) {
        let mut inbox = self.lock();
        if inbox.off {
            return;
        }
        if inbox.events.len() >= WAITING {
            inbox.events.pop_front();
            tracing::warn!(name = self.name, "a callback is too slow; the oldest event was dropped");
        }
        inbox.events.push_back(event.clone());
        if std::mem::replace(&mut inbox.busy, true) {
            return;
        }
        drop(inbox);
        // A thread for as long as there is something to call: callbacks are apart from each other, and an idle one
        // costs none.
        let this = Arc::clone(self);
        match runtime() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || this.call_all())),
            Err(_) => self.lock().busy = false,
        }
    }

    fn call_all(&self) {
        while let Some(event) = self.next() {
            if catch_unwind(AssertUnwindSafe(|| (self.callback)(&event))).is_err() {
                tracing::error!(name = self.name, "a callback panicked; it stays subscribed");
            }
        }
    }

    fn next(&self) -> Option<ClientEvent> {
        let mut inbox = self.lock();
        let event = inbox.events.pop_front();
        inbox.busy = event.is_some();
        event
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_callback_that_panics_or_hangs_hurts_no_other() {
        let all = Arc::new(Subscribers::default());
        let (heard, hears) = mpsc::channel();
        let _panics = all.add("connected", Box::new(|_| panic!("ana's callback")));
        let (release, hang) = mpsc::channel::<()>();
        let hang = Mutex::new(hang);
        let _hangs = all.add("connected", Box::new(move |_| _ = hang.lock().unwrap().recv()));
        let _works = all.add("connected", Box::new(move |_| heard.send(()).unwrap()));
        for _ in 0..3 {
            all.tell(&ClientEvent::Connected);
        }
        for _ in 0..3 {
            hears.recv_timeout(Duration::from_secs(5)).unwrap();
        }
        drop(release);
    }

    #[test]
    fn after_off_no_call_begins() {
        let all = Arc::new(Subscribers::default());
        let (heard, hears) = mpsc::channel();
        let subscription = all.add("connected", Box::new(move |_| heard.send(()).unwrap()));
        all.tell(&ClientEvent::ReconnectFailed);
        all.tell(&ClientEvent::Connected);
        hears.recv_timeout(Duration::from_secs(5)).unwrap();
        subscription.off();
        all.tell(&ClientEvent::Connected);
        assert!(hears.recv_timeout(Duration::from_millis(50)).is_err());
    }
}
