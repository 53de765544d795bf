//! The server: a process of its own that can be killed and started again at the same address.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::http::Http;

/// A server process with the demo property. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    data: PathBuf,
    arguments: Vec<String>,
    log: Option<PathBuf>,
    url: String,
    process: Option<Child>,
}

impl Server {
    /// Starts it on a free port, with its ledger in that file.
    pub fn start(data: &Path) -> Result<Self, String> {
        Self::start_with(data, &[])
    }

    /// As [`Server::start`], with those arguments besides.
    pub fn start_with(data: &Path, arguments: &[String]) -> Result<Self, String> {
        Self::start_as(data, arguments, None)
    }

    /// As [`Server::start_with`]; what it logs goes to that file.
    pub fn start_logged(data: &Path, arguments: &[String], log: &Path) -> Result<Self, String> {
        Self::start_as(data, arguments, Some(log.to_owned()))
    }

    fn start_as(data: &Path, arguments: &[String], log: Option<PathBuf>) -> Result<Self, String> {
        let (data, arguments) = (data.to_owned(), arguments.to_vec());
        let mut server = Self { data, arguments, log, url: String::new(), process: None };
        server.spawn("127.0.0.1:0")?;
        Ok(server)
    }

    /// The server's program. It lies beside the program that runs (or one folder up, of a test), since both were built
    /// in the same profile.
    pub fn program() -> Result<PathBuf, String> {
        let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let name = format!("innsync-server{}", std::env::consts::EXE_SUFFIX);
        let found =
            here.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|file| file.is_file());
        found.ok_or_else(|| format!("{name} was not built: run `cargo xtask test`, which builds it first"))
    }

    fn spawn(&mut self, listen: &str) -> Result<(), String> {
        let fault = |error: std::io::Error| format!("the server could not be started: {error}");
        let (level, stderr) = match &self.log {
            None => ("error", Stdio::inherit()),
            Some(log) => {
                let log = File::options().create(true).append(true).open(log).map_err(fault)?;
                ("debug", Stdio::from(log))
            }
        };
        let mut child = Command::new(Self::program()?)
            .args(["serve", "--demo", "--listen", listen, "--data"])
            .arg(&self.data)
            .args(&self.arguments)
            .env("RUST_LOG", level)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(fault)?;
        let mut first = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut first).map_err(|error| error.to_string())?;
        }
        let url = first.split_whitespace().find(|word| word.starts_with("http://"));
        self.process = Some(child);
        self.url = url.ok_or_else(|| format!("the server did not start: {first:?}"))?.to_owned();
        Ok(())
    }

    /// Its base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Plain HTTP to it.
    pub fn http(&self) -> Result<Http, String> {
        Http::new(&self.url)
    }

    /// Whether there is a process, as far as [`Server::kill`] and [`Server::restart`] know.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it again where it was, on what it had saved.
    pub fn restart(&mut self) -> Result<(), String> {
        let listen = self.url.trim_start_matches("http://").to_owned();
        self.spawn(&listen)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
