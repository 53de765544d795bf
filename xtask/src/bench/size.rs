//! What the library that ships weighs, and what of it comes from where: by the sizes of its functions, as
//! `cargo bloat` has it. What link-time optimisation has merged counts for the crate that it was merged into.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use goblin::elf::Elf;

/// Crates that make up less of the code than this are summed up.
const LEAST_SHARE: f64 = 0.015;

pub(super) fn report(libraries: &Path) -> Result<(), String> {
    let file = libraries.join(format!("{DLL_PREFIX}innsync_ffi{DLL_SUFFIX}"));
    let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let elf = match Elf::parse(&bytes) {
        Ok(elf) => elf,
        Err(error) => {
            anstream::println!("not looked into, since it is no ELF library: {error}");
            return Ok(());
        }
    };
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let copy = stripped(&file, folder.path())?;
    anstream::println!("{:<30} {:>8.2} MB", "the library", bytes_of(&copy)?);
    anstream::println!("{:<30} {:>8.2} MB", "  compressed (gzip)", bytes_of(&compressed(&copy)?)?);
    let code = code(&elf);
    let total: u64 = code.values().sum();
    let mut by_size: Vec<(&str, u64)> = code.iter().map(|(name, size)| (name.as_str(), *size)).collect();
    by_size.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), *name));
    let share = |size: u64| size as f64 / total.max(1) as f64;
    anstream::println!("{:<30} {:>8.2} MB", "functions", megabytes(total));
    let mut rest = 0;
    for (name, size) in by_size {
        if share(size) < LEAST_SHARE {
            rest += size;
        } else {
            anstream::println!("  {name:<28} {:>8.2} MB {:>4.0} %", megabytes(size), share(size) * 100.0);
        }
    }
    anstream::println!("  {:<28} {:>8.2} MB {:>4.0} %", "others", megabytes(rest), share(rest) * 100.0);
    for (name, size) in data(&elf) {
        anstream::println!("{name:<30} {:>8.2} MB", megabytes(size));
    }
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A copy of what goes into an app: without symbols.
fn stripped(library: &Path, into: &Path) -> Result<PathBuf, String> {
    let copy = into.join("stripped");
    let done = Command::new("strip").arg("--strip-unneeded").arg("-o").arg(&copy).arg(library).status();
    match done {
        Ok(status) if status.success() => Ok(copy),
        Ok(status) => Err(format!("strip failed with {status}")),
        Err(error) => Err(format!("strip could not be started (it comes with the C compiler): {error}")),
    }
}

fn compressed(file: &Path) -> Result<PathBuf, String> {
    match Command::new("gzip").args(["-9", "--keep"]).arg(file).status() {
        Ok(status) if status.success() => Ok(file.with_extension("gz")),
        Ok(status) => Err(format!("gzip failed with {status}")),
        Err(error) => Err(format!("gzip could not be started: {error}")),
    }
}

fn bytes_of(file: &Path) -> Result<f64, String> {
    fs::metadata(file).map(|about| megabytes(about.len())).map_err(|error| error.to_string())
}

/// Bytes of functions by where they come from.
fn code(elf: &Elf<'_>) -> BTreeMap<String, u64> {
    let mut seen = std::collections::BTreeSet::new();
    let mut sizes = BTreeMap::new();
    for symbol in elf.syms.iter().filter(|symbol| symbol.is_function() && symbol.st_size > 0) {
        let name = elf.strtab.get_at(symbol.st_name).unwrap_or_default();
        if seen.insert(symbol.st_value) {
            *sizes.entry(origin(name)).or_default() += symbol.st_size;
        }
    }
    sizes
}

/// Sections besides the code, the large ones.
fn data<'a>(elf: &'a Elf<'_>) -> Vec<(&'a str, u64)> {
    let loaded = |header: &&goblin::elf::SectionHeader| header.is_alloc() && !header.is_executable();
    let named = elf.section_headers.iter().filter(loaded).filter_map(|header| {
        let name = match elf.shdr_strtab.get_at(header.sh_name)? {
            ".rodata" => "texts and tables (.rodata)",
            ".eh_frame" | ".eh_frame_hdr" | ".gcc_except_table" => "unwinding after a panic",
            ".rela.dyn" => "relocations (.rela.dyn)",
            ".data.rel.ro" => "pointers (.data.rel.ro)",
            _ => return None,
        };
        Some((name, header.sh_size))
    });
    let mut sums = BTreeMap::<&str, u64>::new();
    named.for_each(|(name, size)| *sums.entry(name).or_default() += size);
    sums.into_iter().collect()
}

/// The crate of a function, or the C library.
fn origin(symbol: &str) -> String {
    if symbol.starts_with("sqlite3") {
        return "SQLite".to_owned();
    }
    if symbol.contains("ring_core") {
        return "ring".to_owned();
    }
    let Ok(demangled) = rustc_demangle::try_demangle(symbol) else {
        return "C, and what has no name".to_owned();
    };
    let text = format!("{demangled:#}");
    // `<a::B as c::D>::e` is of a, which the function was made for.
    let path = text.trim_start_matches(['<', '&', '[', '(', '*', ' ']);
    let path = path.strip_prefix("mut ").or_else(|| path.strip_prefix("dyn ")).unwrap_or(path);
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    match &path[..end] {
        "core" | "alloc" | "std" => "Rust's standard library".to_owned(),
        "" => "C, and what has no name".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_an_origin() {
        let of = |symbol| origin(symbol);
        assert_eq!(of("sqlite3VdbeExec"), "SQLite");
        assert_eq!(of("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"), "Rust's standard library");
        assert_eq!(of("_ZN5tokio7runtime4task17h0123456789abcdefE"), "tokio");
        assert_eq!(of("memcpy"), "C, and what has no name");
    }
}
