//! The same things measured in Rust, in Kotlin and in Swift: each program prints lines `measured|what|unit|figure`.

use std::env::consts::EXE_SUFFIX;
use std::path::Path;
use std::process::Command;

use anstyle::Style;
use serde_json::{Value, json};

use crate::cargo::{built, cargo, heading, listen, root, step};
use crate::shells;

/// Which of the two are measured beside Rust.
#[derive(Clone, Copy)]
pub(super) struct Which {
    pub(super) kotlin: bool,
    pub(super) swift: bool,
}

/// One thing, measured in one language.
#[derive(Debug, Clone, PartialEq)]
struct Figure {
    what: String,
    unit: String,
    value: f64,
}

/// Measures, prints the table, and gives its rows. The libraries are those that ship.
pub(super) fn measure(libraries: &Path, which: Which) -> Result<Vec<Value>, String> {
    step("build", &mut cargo(&["build", "--release", "--quiet", "--package", "innsync-bench"]))?;
    // The benchmark's program is the server, too, with the server's own command line.
    let program = built()?.with_file_name("release").join(format!("innsync-bench{EXE_SUFFIX}"));
    let rust = figures("in Rust", Command::new(&program).arg("through"))?;
    let mut others = Vec::new();
    if which.kotlin {
        shells::needs_kotlin()?;
        let mut maven = shells::maven(libraries);
        maven.args(["test", "--projects", "innsync", "--also-make", "-Dgroups=bench", "-DexcludedGroups="]);
        others.push(("Kotlin", figures("through Kotlin", maven.env("INNSYNC_SERVER", &program))?));
    }
    if which.swift {
        shells::needs_swift()?;
        let mut swift = Command::new(root().join("ios/swift-run.sh"));
        swift.args(["swift", "run", "--configuration", "release", "InnSyncBench"]);
        others.push(("Swift", figures("through Swift", swift.env("INNSYNC_SERVER", &program))?));
    }
    heading("the same in each language");
    table(&rust, &others);
    Ok(rows(&rust, &others))
}

fn figures(title: &str, command: &mut Command) -> Result<Vec<Figure>, String> {
    let figures: Vec<Figure> = listen(title, command)?.lines().filter_map(figure).collect();
    if figures.is_empty() { Err(format!("{title}: nothing was measured")) } else { Ok(figures) }
}

fn figure(line: &str) -> Option<Figure> {
    let mut parts = line.split_once("measured|")?.1.split('|');
    let (what, unit, value) = (parts.next()?, parts.next()?, parts.next()?.trim().parse().ok()?);
    Some(Figure { what: what.to_owned(), unit: unit.to_owned(), value })
}

fn of<'a>(what: &Figure, figures: &'a [Figure]) -> Option<&'a Figure> {
    figures.iter().find(|figure| figure.what == what.what)
}

fn table(rust: &[Figure], others: &[(&str, Vec<Figure>)]) {
    let bold = Style::new().bold();
    let names: String = others.iter().map(|(name, _)| format!("{name:>18}")).collect();
    anstream::println!("{bold}{:<36} {:<4} {:>9}{names}{bold:#}", "", "unit", "Rust");
    for row in rust {
        let cells: String = others
            .iter()
            .map(|(_, figures)| match of(row, figures) {
                Some(other) => format!("{:>10}{:>8}", short(other.value), times(other.value, row.value)),
                None => format!("{:>18}", "–"),
            })
            .collect();
        anstream::println!("{:<36} {:<4} {:>9}{cells}", row.what, row.unit, short(row.value));
    }
}

/// How often one is the other; nothing where that is no number.
fn times(value: f64, baseline: f64) -> String {
    match value / baseline {
        ratio if !ratio.is_finite() => "–".to_owned(),
        ratio if ratio < 0.1 => format!("{ratio:.3}x"),
        ratio => format!("{ratio:.1}x"),
    }
}

/// Three digits or so, as one reads them.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn rows(rust: &[Figure], others: &[(&str, Vec<Figure>)]) -> Vec<Value> {
    let mut rows = Vec::new();
    for (name, figures) in others {
        for row in rust {
            if let Some(other) = of(row, figures) {
                rows.push(json!({
                    "name": format!("{name}: {}", row.what), "unit": row.unit,
                    "ours": other.value, "baseline": row.value, "ratio": other.value / row.value,
                }));
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_divided_has_no_ratio() {
        assert_eq!(times(5.0, 2.0), "2.5x");
        assert_eq!(times(1.0, 100.0), "0.010x");
        assert_eq!((times(1.0, 0.0), times(0.0, 0.0)), ("–".to_owned(), "–".to_owned()));
    }

    #[test]
    fn figures_are_found_among_what_a_build_tool_says() {
        let line = "[INFO] measured|command to observer, p50|ms|2.5";
        let found = figure(line).expect("a figure");
        assert_eq!(
            (found.what.as_str(), found.unit.as_str(), found.value),
            ("command to observer, p50", "ms", 2.5)
        );
        assert_eq!(figure("Tests run: 1"), None);
    }
}
