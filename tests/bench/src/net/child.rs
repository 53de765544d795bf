//! A server in a process of its own: this program once more, with a hidden command.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::Result;
use crate::machine;

/// The process; it ends when dropped.
pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) address: SocketAddr,
}

impl Child {
    /// Starts this program with these arguments, and waits until it says where it listens: an address of loopback in
    /// the first line that has one.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("a process without an output")?).lines();
        let address = lines.find_map(|line| line.map(|line| address_in(&line)).transpose());
        match address {
            Some(address) => {
                // Whatever else it says is read and dropped, so that it never waits for a reader.
                std::thread::spawn(move || lines.for_each(drop));
                Ok(Self { process, address: address? })
            }
            None => {
                let _ = process.kill();
                Err(format!("`{}` ended with {}", arguments.join(" "), process.wait()?).into())
            }
        }
    }

    /// Asks it to stop (SIGTERM), or kills it; returns when it has ended.
    pub(crate) fn end(&mut self, politely: bool) -> Result<()> {
        if politely {
            let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status()?;
            if !asked.success() {
                return Err(format!("kill: {asked}").into());
            }
        } else {
            self.process.kill()?;
        }
        self.process.wait()?;
        Ok(())
    }

    /// Resident memory, in MB.
    pub(crate) fn memory_mb(&self) -> Result<f64> {
        Ok(machine::status_kb(self.process.id(), "VmRSS")? / 1_000.0)
    }

    /// CPU time used so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        machine::cpu_seconds(self.process.id())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_whitespace().find_map(|word| {
        let word = word.strip_prefix("http://").unwrap_or(word);
        word.trim_end_matches(['/', '.', ',']).parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_what_a_server_says() {
        let expected = "127.0.0.1:8080".parse().ok();
        assert_eq!(address_in("127.0.0.1:8080"), expected);
        assert_eq!(address_in("listening on http://127.0.0.1:8080, data in /x"), expected);
        assert_eq!(address_in("hello"), None);
    }
}
