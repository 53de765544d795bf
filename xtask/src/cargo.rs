//! Running cargo and what it has built, in the profile that xtask itself was built in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anstyle::{AnsiColor, Style};

/// The build profile of all xtask commands: quick to build on two cores.
pub(crate) const PROFILE: &str = "ci";

/// `cargo` with these arguments, in the workspace's root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a step and says so first; fails with its name if it does.
pub(crate) fn step(title: &str, command: &mut Command) -> Result<(), String> {
    heading(title);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{title}: failed with {status}")),
        Err(error) => Err(format!("{title}: could not be started: {error}")),
    }
}

/// Runs a step and gives what it printed; that is shown only when the step fails.
pub(crate) fn listen(title: &str, command: &mut Command) -> Result<String, String> {
    heading(title);
    let done = command.stderr(Stdio::inherit()).output();
    let done = done.map_err(|error| format!("{title}: could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(text);
    }
    anstream::println!("{text}");
    Err(format!("{title}: failed with {}", done.status))
}

/// Builds every library and program, for use and not for tests. The whole workspace at once: by themselves its packages
/// would be built once more, with other features of their dependencies.
pub(crate) fn build() -> Result<(), String> {
    step("build", &mut cargo(&["build", "--profile", PROFILE, "--workspace", "--lib", "--bins"]))
}

/// Where cargo has put what it built in the profile of xtask.
pub(crate) fn built() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    here.parent().map(Path::to_owned).ok_or_else(|| "where am I?".to_owned())
}

/// Says what comes next.
pub(crate) fn heading(title: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
    anstream::println!("{style}── {title}{style:#}");
}
