//! The rows, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

/// One thing measured, beside the baseline.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    pub(crate) baseline: f64,
    pub(crate) bound: Option<Bound>,
}

/// What a row may be at most.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// So many times the baseline.
    Ratio(f64),
    /// So much, whatever the baseline is.
    Ours(f64),
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, ours: f64, baseline: f64) -> Self {
        Self { name: name.into(), unit, ours, baseline, bound: None }
    }

    pub(crate) fn at_most(self, bound: Bound) -> Self {
        Self { bound: Some(bound), ..self }
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.ours / self.baseline
    }

    /// What could not be measured is over its bound, too.
    pub(crate) fn is_over(&self) -> bool {
        let within = match self.bound {
            None => true,
            Some(Bound::Ratio(most)) => self.ratio() <= most,
            Some(Bound::Ours(most)) => self.ours <= most,
        };
        !within
    }

    fn bound_text(&self) -> String {
        match self.bound {
            None => "–".to_owned(),
            Some(Bound::Ratio(most)) => format!("≤ {most:.1}x"),
            Some(Bound::Ours(most)) => format!("≤ {most:.0} {}", self.unit),
        }
    }

    fn to_json(&self) -> Value {
        let mut row = json!({
            "name": self.name, "unit": self.unit,
            "ours": self.ours, "baseline": self.baseline, "ratio": self.ratio(),
        });
        match self.bound {
            None => {}
            Some(Bound::Ratio(most)) => row["bound"] = json!({ "of": "ratio", "max": most }),
            Some(Bound::Ours(most)) => row["bound"] = json!({ "of": "ours", "max": most }),
        }
        row
    }
}

/// All rows as a JSON array.
pub(crate) fn json(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows.iter().map(Row::to_json).collect();
    format!("{:#}\n", Value::Array(rows))
}

/// The head of the table.
pub(crate) fn head() -> String {
    let bold = Style::new().bold();
    format!(
        "{bold}{:<36} {:<6} {:>9} {:>9} {:>7} {:>8}{bold:#}",
        "", "unit", "InnSync", "baseline", "ratio", "bound"
    )
}

/// One row of the table.
pub(crate) fn line(row: &Row) -> String {
    let colour = match (row.bound, row.is_over()) {
        (None, _) => Style::new(),
        (Some(_), false) => Style::new().fg_color(Some(AnsiColor::Green.into())),
        (Some(_), true) => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
    };
    let (ours, baseline) = (figure(row.ours), figure(row.baseline));
    let mut line = String::new();
    let _ = write!(line, "{:<36} {:<6} {ours:>9} {baseline:>9} ", row.name, row.unit);
    let _ = write!(line, "{colour}{:>6.2}x{colour:#} {:>8}", row.ratio(), row.bound_text());
    line
}

/// Three digits or so, as one reads them.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_fits_eighty_columns_and_says_whether_it_is_over() {
        let row = Row::new("command to observer with new rows, p99", "µs", 12_345.6, 9_876.5)
            .at_most(Bound::Ratio(1.2));
        assert!(row.is_over());
        let line = anstream::adapter::strip_str(&line(&row)).to_string();
        assert!(line.chars().count() <= 82, "{line}");
        assert!(!Row::new("", "MB", 9.0, 1.0).at_most(Bound::Ours(10.0)).is_over());
        assert!(Row::new("", "ms", f64::NAN, 1.0).at_most(Bound::Ratio(10.0)).is_over());
    }
}
