//! Asking for a password. It is never an argument: everybody on the machine could see that.

use std::io::{BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

use super::CliError;
use crate::auth::Secret;

/// Characters of a password.
const SHORTEST: usize = 4;
const LONGEST: usize = 1_000;

/// Asks for it, or reads the first line of stdin.
pub(super) fn read(from_stdin: bool) -> Result<Secret, CliError> {
    let stdin = std::io::stdin();
    let mut line = String::new();
    if from_stdin || !stdin.is_terminal() {
        stdin.lock().read_line(&mut line)?;
    } else {
        let mut stderr = std::io::stderr();
        write!(stderr, "Password: ")?;
        stderr.flush()?;
        let hidden = Hidden::new();
        stdin.lock().read_line(&mut line)?;
        drop(hidden);
        writeln!(stderr)?;
    }
    let password = line.trim_end_matches(['\r', '\n']);
    match password.chars().count() {
        SHORTEST..=LONGEST => Ok(Secret::new(password.to_owned())),
        _ => {
            Err(CliError::Usage(format!("a password has {SHORTEST} to {LONGEST} characters; choose another")))
        }
    }
}

/// While it lives, the terminal does not show what is typed.
struct Hidden;

impl Hidden {
    fn new() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(setting: &str) {
    let _ = Command::new("stty").arg(setting).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
}
