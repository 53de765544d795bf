//! A phone: the client with its own directory, and a record of what it told its person.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innsync_client::{ClientEvent, Command, Effect, EffectBody, InnSync, Options, Receipt, Uuid};
use innsync_domain::{Suite, Task};

use crate::{PASSWORD, PATIENCE, PROPERTY};

/// What a phone told its person, in order.
#[derive(Debug, Default)]
struct Told {
    effects: Mutex<Vec<Effect>>,
    events: Mutex<Vec<String>>,
}

/// Somebody's phone.
#[derive(Debug)]
pub struct Phone {
    /// The person's sign-in name.
    pub name: &'static str,
    /// The client.
    pub innsync: InnSync,
    /// The person's employee id.
    pub employee: Uuid,
    directory: PathBuf,
    told: Arc<Told>,
}

impl Phone {
    /// Signs in; the database lies below `home`. Not yet connected.
    pub async fn sign_in(name: &'static str, server: &str, home: &Path) -> Result<Self, String> {
        Self::sign_in_on(name, server, &home.join(name)).await
    }

    /// Signs in on the phone with that directory, which others may have used before.
    pub async fn sign_in_on(name: &'static str, server: &str, directory: &Path) -> Result<Self, String> {
        let innsync = innsync_client::sign_in(Self::options(name, server, directory), PASSWORD)
            .await
            .map_err(|error| format!("{name} could not sign in: {error}"))?;
        Self::with(name, innsync, directory.to_owned())
    }

    /// Opens the phone again: no password, no network needed.
    pub fn open_again(&mut self, server: &str) -> Result<(), String> {
        let innsync = innsync_client::open(Self::options(self.name, server, &self.directory))
            .map_err(|error| format!("{}'s phone could not be opened: {error}", self.name))?;
        *self = Self::with(self.name, innsync, self.directory.clone())?;
        Ok(())
    }

    /// How the phone of that name is opened.
    pub fn options(name: &str, server: &str, directory: &Path) -> Options {
        Options::new(server, PROPERTY, name, directory).device(format!("{name}-phone"))
    }

    fn with(name: &'static str, innsync: InnSync, directory: PathBuf) -> Result<Self, String> {
        let told = Arc::new(Told::default());
        listen(&innsync, &told);
        let account = innsync_client::accounts(&directory).into_iter().find(|account| account.person == name);
        let employee = account.ok_or_else(|| format!("{name}'s phone does not know {name}"))?.employee;
        Ok(Self { name, innsync, employee, directory, told })
    }

    /// Where the phone keeps its data.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Connects and waits until everything is there.
    pub async fn go_online(&self) -> Result<(), String> {
        self.innsync.connect();
        let caught_up = self.innsync.up_to_date(PATIENCE).await;
        caught_up.map_err(|error| format!("{} is not up to date: {error}", self.name))
    }

    /// Does something; returns when it is saved on the phone.
    pub async fn does(&self, command: Command) -> Result<Receipt, String> {
        let name = command.name();
        self.innsync.execute(command).await.map_err(|error| format!("{}: {name}: {error}", self.name))
    }

    /// All suites, as shown.
    pub async fn suites(&self) -> Vec<Suite> {
        self.innsync.stores().suites().get_all().await.unwrap_or_default()
    }

    /// The suite with that number, as shown.
    pub async fn suite(&self, number: &str) -> Option<Suite> {
        self.suites().await.into_iter().find(|suite| suite.suite_number == number)
    }

    /// The task, as shown.
    pub async fn task(&self, id: Uuid) -> Option<Task> {
        self.innsync.stores().tasks().get(id).await.ok().flatten()
    }

    /// How many notifications are unread.
    pub async fn unread(&self) -> u32 {
        self.innsync.inbox().await.map(|inbox| inbox.unread_count).unwrap_or_default()
    }

    /// What the phone told its person so far, after the first `from`.
    pub fn told_after(&self, from: usize) -> Vec<Effect> {
        lock(&self.told.effects).iter().skip(from).cloned().collect()
    }

    /// Whether the phone has told its person something of which `is` holds.
    pub fn was_told(&self, is: impl Fn(&Effect) -> bool) -> bool {
        lock(&self.told.effects).iter().any(is)
    }

    /// Whether an event of that name was heard.
    pub fn heard(&self, name: &str) -> bool {
        lock(&self.told.events).iter().any(|heard| heard == name)
    }
}

/// Whether the effect is a toast with that key.
pub fn toast(key: &str) -> impl Fn(&Effect) -> bool {
    move |effect| matches!(&effect.body, EffectBody::Toast { key: found, .. } if found == key)
}

/// Writes down what the phone tells, as a shell would show it.
fn listen(innsync: &InnSync, told: &Arc<Told>) {
    let (effects, events) = (innsync.effects(), innsync.events());
    let (innsync, record) = (innsync.clone(), Arc::clone(told));
    tokio::spawn(async move {
        while let Some(effect) = effects.next().await {
            innsync.presented(effect.id);
            lock(&record.effects).push(effect);
        }
    });
    let record = Arc::clone(told);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            lock(&record.events).push(ClientEvent::name(&event).to_owned());
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
