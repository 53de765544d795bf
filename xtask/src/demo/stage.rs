//! What is printed: at most 80 columns, in colour where the terminal has it.

use std::time::Duration;

use anstyle::{AnsiColor, Effects, Style};

const WIDTH: usize = 80;

pub(crate) struct Stage {
    headless: bool,
}

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(colour)))
}

const HEADING: Style = colour(AnsiColor::Cyan).effects(Effects::BOLD);
const GOOD: Style = colour(AnsiColor::Green);
const BAD: Style = colour(AnsiColor::Red).effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);

/// The colour of a person, so that the eye finds them again.
fn of_person(name: &str) -> Style {
    match name {
        "maria" => colour(AnsiColor::Magenta),
        "sam" => colour(AnsiColor::Blue),
        "ana" => colour(AnsiColor::Yellow),
        "ben" => colour(AnsiColor::Cyan),
        "miguel" => colour(AnsiColor::Green),
        _ => Style::new(),
    }
}

impl Stage {
    pub(crate) fn new(headless: bool) -> Self {
        Self { headless }
    }

    /// A line as it is; longer ones are cut, so that nothing wraps.
    fn line(&self, text: &str, style: Style) {
        let text: String = text.chars().take(WIDTH).collect();
        if self.headless {
            anstream::println!("{}", anstream::adapter::strip_str(&text));
        } else {
            anstream::println!("{style}{text}{style:#}");
        }
    }

    /// Begins a scene.
    pub(crate) fn scene(&self, source: &str, title: &str) {
        self.line("", Style::new());
        self.line(&format!("━━ {title}"), HEADING);
        self.line(&format!("   {source}"), DIM);
    }

    /// Somebody does something.
    pub(crate) fn say(&self, who: &str, what: &str) {
        for (index, line) in wrap(what, WIDTH - 9).into_iter().enumerate() {
            let who = if index == 0 { who } else { "" };
            self.line(&format!("{who:>7}  {line}"), of_person(who));
        }
    }

    /// A phone shows something.
    pub(crate) fn shows(&self, who: &str, what: &str) {
        for (index, line) in wrap(what, WIDTH - 18).into_iter().enumerate() {
            let mark = if index == 0 { format!("{who}'s phone ▸") } else { String::new() };
            self.line(&format!("{mark:>16} {line}"), Style::new());
        }
    }

    /// A line of the table of phones.
    pub(crate) fn row(&self, text: &str) {
        self.line(&format!("         {text}"), DIM);
    }

    /// A verdict.
    pub(crate) fn verdict(&self, holds: bool, what: &str) {
        let (mark, style) = if holds { ("✔", GOOD) } else { ("✘", BAD) };
        for (index, line) in wrap(what, WIDTH - 5).into_iter().enumerate() {
            let mark = if index == 0 { mark } else { " " };
            self.line(&format!("  {mark}  {line}"), style);
        }
    }

    /// Time to read.
    pub(crate) async fn pause(&self) {
        if !self.headless {
            tokio::time::sleep(Duration::from_millis(1_200)).await;
        }
    }
}

/// Breaks a text at blanks into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("clean suite 101 soon", 11), ["clean suite", "101 soon"]);
        assert_eq!(wrap("", 11), [""]);
        assert_eq!(wrap("unbreakable-word", 4), ["unbreakable-word"]);
    }
}
