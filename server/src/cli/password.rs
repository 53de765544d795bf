//! Asking for a password. It is never an argument: everybody on the machine could see that.

use std::io::{BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

use super::CliError;
use crate::auth::{Secret, check_password};

const NO_TERMINAL: &str = "there is no terminal to ask for the password at; add --password-stdin and send it to standard \
                           input, as in: pass show maria | innsync-server person … --password-stdin";

/// Asks for it, or reads the first line of stdin.
pub(super) fn read(from_stdin: bool) -> Result<Secret, CliError> {
    let stdin = std::io::stdin();
    let password = match (from_stdin, stdin.is_terminal()) {
        (true, _) => {
            let password = line(&mut stdin.lock())?;
            check(&password).map_err(|error| CliError::Usage(format!("on standard input: {error}")))?;
            password
        }
        (false, true) => {
            let _hidden = Hidden::new();
            twice(&mut stdin.lock(), &mut std::io::stderr())?
        }
        (false, false) => return Err(CliError::Usage(NO_TERMINAL.to_owned())),
    };
    Ok(Secret::new(password))
}

/// Asks for it and asks again, since nobody sees what they type.
fn twice(input: &mut impl BufRead, output: &mut impl Write) -> Result<String, CliError> {
    let password = ask("Password: ", input, output)?;
    check(&password)?;
    match ask("The same again: ", input, output)? == password {
        true => Ok(password),
        false => Err(CliError::Usage(
            "the two passwords are not the same; nothing was changed, try again".to_owned(),
        )),
    }
}

fn ask(question: &str, input: &mut impl BufRead, output: &mut impl Write) -> Result<String, CliError> {
    write!(output, "{question}")?;
    output.flush()?;
    let answer = line(input)?;
    writeln!(output)?;
    Ok(answer)
}

fn line(input: &mut impl BufRead) -> Result<String, CliError> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn check(password: &str) -> Result<(), CliError> {
    check_password(password).map_err(CliError::Usage)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> (Result<String, String>, String) {
        let mut output = Vec::new();
        let password = twice(&mut keys.as_bytes(), &mut output).map_err(|error| error.to_string());
        (password, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_password_that_nobody_sees_is_asked_for_twice() {
        let (password, questions) = typed("sea-glass\nsea-glass\r\n");
        assert_eq!(password, Ok("sea-glass".to_owned()));
        assert_eq!(questions, "Password: \nThe same again: \n");
        assert!(typed("sea-glass\nsea-grass\n").0.unwrap_err().contains("not the same"));
        assert!(typed("sea-glass\n").0.unwrap_err().contains("not the same"));
        // Of one that is too short it is said before it is typed again.
        let (short, questions) = typed("sea\nsea\n");
        assert!(short.unwrap_err().contains("4 to 1000") && !questions.contains("again"), "{questions}");
    }
}
