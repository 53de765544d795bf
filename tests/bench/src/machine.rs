//! What it was measured on, and where its files are.

use std::path::{Path, PathBuf};

use crate::Result;

/// A new folder beside this program, which is on the build's disk; it goes when dropped.
pub(crate) fn folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(home()?)?)
}

fn home() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().ok_or("this program has no folder")?.to_owned())
}

/// Cores, SQLite, file system and build, in one line.
pub(crate) fn facts() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let build = if cfg!(debug_assertions) { "DEBUG build: figures mean nothing" } else { "optimised build" };
    let sqlite = rusqlite::version();
    let disk = file_system(&home()?).unwrap_or_else(|| "an unknown file system".to_owned());
    Ok(format!("{cores} cores, SQLite {sqlite} (WAL, synchronous=FULL), {disk}, {build}"))
}

/// The file system that `path` is on, by the longest mount point above it.
fn file_system(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        path.starts_with(point).then_some((point.len(), kind))
    });
    // Of two on the same point, the later one lies on top.
    above.max_by_key(|(length, _)| *length).map(|(_, kind)| kind.to_owned())
}

/// A number of `/proc/<pid>/status` in kB, as `VmRSS`.
pub(crate) fn status_kb(process: u32, name: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = value.and_then(|value| value.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("/proc/{process}/status has no {name}"))?.parse()?)
}

/// The CPU time that a process has used so far (user and system), in seconds.
pub(crate) fn cpu_seconds(process: u32) -> Result<f64> {
    // proc(5): in USER_HZ, which is 100 on every Linux that there is.
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name in parentheses and may hold anything.
    let rest = text.rsplit_once(')').ok_or("an odd /proc/<pid>/stat")?.1;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_a_file_system() {
        assert!(status_kb(std::process::id(), "VmRSS").unwrap() > 100.0);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
        assert!(file_system(Path::new("/")).is_some());
    }
}
