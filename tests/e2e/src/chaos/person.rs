//! The round's side of a phone: its process, and everything that it ever said.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::talk::{Asked, Said};
use crate::toxic::Toxic;

/// Somebody with a phone, and the network that it is in.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) network: Toxic,
    pub(super) directory: PathBuf,
    /// How often the phone's process was killed.
    pub(super) kills: usize,
    program: PathBuf,
    log: PathBuf,
    seed: u64,
    started: u64,
    running: Option<Running>,
    said: Arc<Mutex<Vec<Said>>>,
}

struct Running {
    process: Child,
    stdin: ChildStdin,
    reader: JoinHandle<()>,
}

impl Person {
    pub(super) fn new(name: &'static str, network: Toxic, home: &Path, program: &Path, seed: u64) -> Self {
        Self {
            name,
            network,
            directory: home.join(name),
            kills: 0,
            program: program.to_owned(),
            log: home.join(format!("{name}.log")),
            seed,
            started: 0,
            running: None,
            said: Arc::default(),
        }
    }

    /// Starts the phone's process.
    pub(super) fn start(&mut self) -> Result<(), String> {
        let fault = |error: std::io::Error| format!("{}'s phone could not be started: {error}", self.name);
        let log = File::options().create(true).append(true).open(&self.log).map_err(fault)?;
        let seed = self.seed ^ (self.started << 32);
        let mut process = Command::new(&self.program)
            .args(["phone", "--person", self.name, "--server", &self.network.url()])
            .arg("--directory")
            .arg(&self.directory)
            .args(["--seed", &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(fault)?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(format!("{}'s phone has no pipes", self.name));
        };
        let said = Arc::clone(&self.said);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The last line of a process that was killed may be cut; what it told was not said then.
                if let Ok(heard) = serde_json::from_str(&line) {
                    lock(&said).push(heard);
                }
            }
        });
        self.started += 1;
        self.running = Some(Running { process, stdin, reader });
        Ok(())
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The process, while there is one.
    pub(super) fn process(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.process.id())
    }

    /// Kills the process as `kill -9` does. What it had said until then is heard.
    pub(super) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            self.kills += 1;
            let _ = running.process.kill();
            let _ = running.process.wait();
            let _ = running.reader.join();
        }
    }

    /// Asks something of the phone, if it runs.
    pub(super) fn ask(&mut self, asked: Asked) {
        if let Some(running) = &mut self.running {
            let line = serde_json::to_string(&asked).unwrap_or_default();
            let _ = writeln!(running.stdin, "{line}");
        }
    }

    /// How much it has said so far.
    pub(super) fn said(&self) -> usize {
        lock(&self.said).len()
    }

    /// All that it has said after the first `from`.
    pub(super) fn said_after(&self, from: usize) -> Vec<Said> {
        lock(&self.said).iter().skip(from).cloned().collect()
    }

    /// The first thing after the first `from` of which `is` holds.
    pub(super) fn find(&self, from: usize, is: impl Fn(&Said) -> bool) -> Option<Said> {
        lock(&self.said).iter().skip(from).find(|said| is(said)).cloned()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
