//! The files of one account: database, lock, and who it belongs to.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use innsync_domain::Uuid;

use crate::drivers::Server;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::options::Account;
use crate::random;
use crate::session::write_private;

/// How long opening waits for a handle that is just being closed, or for another process, which may just be ending.
const CLOSING: Duration = Duration::from_secs(2);
/// Characters of a readable part of a file's name.
const READABLE_CHARS: usize = 24;

/// Where one account's files are.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    directory: PathBuf,
    stem: String,
}

impl Files {
    /// The files for that server, property and person: `seaside-ana-<hash>.db` and its like. The readable part is for
    /// people who look into the directory; the hash tells accounts apart.
    pub(crate) fn new(directory: &Path, server: &Server, property: &str, person: &str) -> Self {
        let whole = format!("{}\n{property}\n{person}", server.base());
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, whole.as_bytes()).simple().to_string();
        let stem = format!("{}-{}-{hash}", readable(property), readable(person));
        Self { directory: directory.to_owned(), stem }
    }

    /// The name that the account has in the token store.
    pub(crate) fn account_key(&self) -> &str {
        &self.stem
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("db")
    }

    /// Takes the lock for the core with that mailbox, so that no second handle, of this process or another, writes the same
    /// database. Does not wait for a handle of this process that stays open.
    pub(crate) fn lock(&self, holder: &Arc<Mailbox>) -> Result<Lock, Error> {
        let path = self.path("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        let path = std::path::absolute(path).map_err(io)?;
        let until = Instant::now() + CLOSING;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    holders().insert(path.clone(), Arc::clone(holder));
                    return Ok(Lock { path, _file: file });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < until && may_go(&path) => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => return Err(Error::AlreadyOpen),
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
        }
    }

    pub(crate) fn account(&self) -> Option<Account> {
        read_account(&self.path("account.json"))
    }

    pub(crate) fn save_account(&self, account: &Account) -> Result<(), Error> {
        make_directory(&self.directory)?;
        let bytes = serde_json::to_vec_pretty(account)
            .map_err(|error| Error::bug("an account is no JSON", &error))?;
        write_private(&self.path("account.json"), &bytes).map_err(io)
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.stem))
    }
}

/// The lock of an account's database, as long as it lives.
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the file: who looks in between takes it for another process's, and waits.
        holders().remove(&self.path);
    }
}

/// The locks of this process, and whose they are.
static HOLDERS: Mutex<BTreeMap<PathBuf, Arc<Mailbox>>> = Mutex::new(BTreeMap::new());

fn holders() -> MutexGuard<'static, BTreeMap<PathBuf, Arc<Mailbox>>> {
    HOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the lock may be free in a moment.
fn may_go(path: &Path) -> bool {
    let holder = holders().get(path).cloned();
    holder.is_none_or(|holder| holder.is_leaving())
}

/// The accounts that have files in the directory.
pub(crate) fn accounts(directory: &Path) -> Vec<Account> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let is_account = |path: &PathBuf| path.to_string_lossy().ends_with(".account.json");
    let paths = entries.flatten().map(|entry| entry.path()).filter(is_account);
    let mut accounts: Vec<_> = paths.filter_map(|path| read_account(&path)).collect();
    accounts.sort_by(|one, other| (&one.property, &one.name).cmp(&(&other.property, &other.name)));
    accounts
}

/// The phone's name: made up at first use, and kept.
pub(crate) fn device(directory: &Path) -> Result<String, Error> {
    let path = directory.join("device.txt");
    if let Ok(name) = fs::read_to_string(&path)
        && !name.trim().is_empty()
    {
        return Ok(name.trim().to_owned());
    }
    make_directory(directory)?;
    let name = format!("phone-{}", random::hex(4));
    write_private(&path, name.as_bytes()).map_err(io)?;
    Ok(name)
}

fn make_directory(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(io)
}

fn read_account(path: &Path) -> Option<Account> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn readable(text: &str) -> String {
    let plain = text.chars().filter(char::is_ascii_alphanumeric).take(READABLE_CHARS).collect::<String>();
    if plain.is_empty() { "x".to_owned() } else { plain.to_ascii_lowercase() }
}

fn io(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::StorageFull,
        _ => Error::InvalidInput(format!("the directory for databases cannot be used: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(property: &str, person: &str) -> Files {
        let server = Server::parse("https://sync.example.com").unwrap();
        Files::new(Path::new("/data"), &server, property, person)
    }

    #[test]
    fn names_are_readable_safe_and_apart() {
        let name = files("seaside", "ana").account_key().to_owned();
        assert!(name.starts_with("seaside-ana-"), "{name}");
        let hostile = files("../../etc", "pass/wd\0\n").account_key().to_owned();
        assert!(hostile.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{hostile}");
        assert_ne!(files("a-b", "c").account_key(), files("a", "b-c").account_key());
        assert_ne!(files("seaside", "Ana").account_key(), files("seaside", "ana").account_key());
        assert!(files("海", "").account_key().starts_with("x-x-"));
    }
}
