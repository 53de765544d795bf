//! What people write, compared and merged word by word.
//!
//! A text is a row of tokens: words as Unicode has them (UAX 29: `don't`, `10.5` and each ideograph are one), each run of
//! white space, and every other character. What somebody did to a text is a row of changes: so many tokens replaced by
//! others, at one place. What one person changed on both sides of a white space is one change: who rewrites a sentence
//! did not mean to keep its spaces.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use unicode_segmentation::UnicodeSegmentation;

/// Items of both texts together that are compared one by one. So many take 20 ms at worst (measured, optimised), ten times as
/// many took a second.
const WORK: usize = 4_000;

/// What [`merge`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// The text with what both did.
    Merged(String),
    /// Both changed the same place: a person must decide.
    Overlap,
}

/// A piece of a text beside another, see [`spans`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Which of the two has it.
    pub kind: SpanKind,
    /// The piece, never empty.
    pub text: String,
}

/// Which of two texts has a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SpanKind {
    /// Both.
    Same,
    /// The one before.
    Removed,
    /// The one after.
    Added,
}

/// The text with what two people made of `base`, neither knowing of the other. Which of them is `mine` makes no
/// difference.
///
/// It is merged when their changes are at different places, that is when
///
/// - a token of `base` that both kept is between them, if only the space between two words, or
/// - what one of them put in, without taking anything away, brings a space of its own towards a word that the other
///   replaced (`suite 101` became `suite 102` and `suite 101, bring towels`).
///
/// What both changed alike is one change. All else overlaps: a word that both replaced, two insertions at one place, an
/// insertion beside what was deleted, the same new word in changes side by side.
pub fn merge(base: &str, mine: &str, theirs: &str) -> Merge {
    let (base, mine, theirs) = (tokens(base), tokens(mine), tokens(theirs));
    let (mut by_me, mut by_them) = (changes(&base, &mine), changes(&base, &theirs));
    let by_both: BTreeSet<Change<'_>> = {
        let theirs: BTreeSet<&Change<'_>> = by_them.iter().collect();
        by_me.iter().filter(|change| theirs.contains(change)).copied().collect()
    };
    by_me.retain(|change| !by_both.contains(change));
    by_them.retain(|change| !by_both.contains(change));
    let (by_me, by_them) = (joined(by_me, &base, &mine), joined(by_them, &base, &theirs));
    if any_meet(&base, &by_me, &by_them) {
        return Merge::Overlap;
    }
    let mut all: Vec<Change<'_>> = by_me.into_iter().chain(by_them).chain(by_both).collect();
    all.sort();
    Merge::Merged(with_changes(&base, &all))
}

/// What `to` keeps of `from`, and what it has in place of the rest: for display. `SAME` and `REMOVED` together are `from`,
/// `SAME` and `ADDED` together `to`; no two of a kind follow each other, and what was removed comes before what took its
/// place.
pub fn spans(from: &str, to: &str) -> Vec<Span> {
    let (from, to) = (tokens(from), tokens(to));
    let mut spans = Vec::new();
    let mut at = 0;
    for change in joined(changes(&from, &to), &from, &to) {
        push(&mut spans, SpanKind::Same, &from[at..change.start]);
        push(&mut spans, SpanKind::Removed, &from[change.start..change.end]);
        push(&mut spans, SpanKind::Added, change.with);
        at = change.end;
    }
    push(&mut spans, SpanKind::Same, &from[at..]);
    spans
}

fn push(spans: &mut Vec<Span>, kind: SpanKind, tokens: &[&str]) {
    if !tokens.is_empty() {
        spans.push(Span { kind, text: tokens.concat() });
    }
}

/// The tokens `start..end` of a text, replaced by `with`. One of the two may be empty.
#[derive(Debug, Clone, Copy)]
struct Change<'a> {
    start: usize,
    end: usize,
    with: &'a [&'a str],
    /// Where `with` begins in the text that it is of.
    place: usize,
}

impl<'a> Change<'a> {
    fn key(&self) -> (usize, usize, &'a [&'a str]) {
        (self.start, self.end, self.with)
    }

    fn is_insertion(&self) -> bool {
        self.start == self.end
    }

    fn is_replacement(&self) -> bool {
        self.start < self.end && !self.with.is_empty()
    }
}

/// In the order of their places; what is put in before a token comes before what replaces it. The same change in two
/// texts is equal, wherever it stands there.
impl Ord for Change<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Change<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Change<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Change<'_> {}

/// Words, runs of white space, and whatever else there is, in order and without gaps.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut space_from = None;
    for (at, piece) in text.split_word_bound_indices() {
        if is_space(piece) {
            space_from.get_or_insert(at);
        } else {
            tokens.extend(space_from.take().map(|from| &text[from..at]));
            tokens.push(piece);
        }
    }
    tokens.extend(space_from.map(|from| &text[from..]));
    tokens
}

fn is_space(token: &str) -> bool {
    token.chars().all(char::is_whitespace)
}

fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// What makes `to` of `from`, in order, with at least one kept token between any two.
///
/// Where more than [`WORK`] tokens lie between the first and the last difference, whole sentences and lines are compared first,
/// and words only within those that changed.
fn changes<'a>(from: &[&str], to: &'a [&'a str]) -> Vec<Change<'a>> {
    let before = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let rest = from[before..].iter().rev().zip(to[before..].iter().rev());
    let after = rest.take_while(|(one, other)| one == other).count();
    let (old, new) = (before..from.len() - after, before..to.len() - after);
    let mut found = Vec::new();
    if old.len() + new.len() <= WORK {
        by_words(from, to, old, new, &mut found);
        return settled(found, from, to);
    }
    let (old_passages, new_passages) = (passages(&from[old]), passages(&to[new]));
    let tokens = |passages: &[&[&str]]| before + passages.iter().map(|it| it.len()).sum::<usize>();
    for (old, new) in differences(&old_passages, &new_passages) {
        let old = tokens(&old_passages[..old.start])..tokens(&old_passages[..old.end]);
        let new = tokens(&new_passages[..new.start])..tokens(&new_passages[..new.end]);
        by_words(from, to, old, new, &mut found);
    }
    settled(found, from, to)
}

/// What was put in or taken away can often be seen at several places: of `two towels`, `two` and the space after it, or the
/// space before it and `two`. The last of them counts, so that the same change is the same in any text.
fn settled<'a>(mut changes: Vec<Change<'a>>, from: &[&str], to: &'a [&'a str]) -> Vec<Change<'a>> {
    let mut next = from.len() + 1;
    for change in changes.iter_mut().rev() {
        let (taken, put) = (change.end - change.start, change.with.len());
        while change.end + 1 < next && change.end < from.len() {
            let goes_round = match (taken, put) {
                (0, _) => change.with.first() == from.get(change.end),
                (_, 0) => from[change.start] == from[change.end],
                _ => false,
            };
            if !goes_round {
                break;
            }
            (change.start, change.end, change.place) = (change.start + 1, change.end + 1, change.place + 1);
            change.with = &to[change.place..change.place + put];
        }
        next = change.start;
    }
    changes
}

fn by_words<'a>(
    from: &[&str],
    to: &'a [&'a str],
    old: Range<usize>,
    new: Range<usize>,
    found: &mut Vec<Change<'a>>,
) {
    for (at, with) in differences(&from[old.clone()], &to[new.clone()]) {
        let with = new.start + with.start..new.start + with.end;
        let place = with.start;
        found.push(Change { start: old.start + at.start, end: old.start + at.end, with: &to[with], place });
    }
}

/// Which ranges of the two are different, with something equal between any two. Of more than [`WORK`] items it is not asked
/// what they have in common.
///
/// The search gives up looking for the shortest answer after an amount of work that the sizes decide, never a clock: the
/// same texts have the same differences everywhere.
fn differences<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<(Range<usize>, Range<usize>)> {
    if old.len() + new.len() > WORK {
        return vec![(0..old.len(), 0..new.len())];
    }
    let mut differences: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, new) = (op.old_range(), op.new_range());
        match differences.last_mut() {
            Some(last) if last.0.end == old.start && last.1.end == new.start => {
                (last.0.end, last.1.end) = (old.end, new.end);
            }
            _ => differences.push((old, new)),
        }
    }
    differences
}

/// Sentences and lines, each with what ends it.
fn passages<'a, 't>(tokens: &'a [&'t str]) -> Vec<&'a [&'t str]> {
    tokens.split_inclusive(|token| token.contains('\n') || matches!(*token, "." | "!" | "?" | "。")).collect()
}

/// Changes with nothing but a white space between them are one. A run of white space is one token, so that no change of
/// somebody else has room there.
fn joined<'a>(changes: Vec<Change<'a>>, from: &[&str], to: &'a [&'a str]) -> Vec<Change<'a>> {
    let mut joined: Vec<Change<'a>> = Vec::with_capacity(changes.len());
    for change in changes {
        match joined.last_mut() {
            Some(last) if last.end + 1 == change.start && is_space(from[last.end]) => {
                last.end = change.end;
                last.with = &to[last.place..change.place + change.with.len()];
            }
            _ => joined.push(change),
        }
    }
    joined
}

/// Whether one of the first is at the same place as one of the others.
fn any_meet(base: &[&str], mine: &[Change<'_>], theirs: &[Change<'_>]) -> bool {
    let (mut mine, mut theirs) = (mine.iter().peekable(), theirs.iter().peekable());
    while let (Some(one), Some(other)) = (mine.peek(), theirs.peek()) {
        if meet(base, one, other) {
            return true;
        }
        // Those of one person do not touch each other: what ends first meets none of the rest.
        if one.end <= other.end {
            mine.next()
        } else {
            theirs.next()
        };
    }
    false
}

fn meet(base: &[&str], one: &Change<'_>, other: &Change<'_>) -> bool {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    if first.end == second.start {
        return !divided(first, second) || share_a_word(first, second);
    }
    let only_a_space_between = first.end + 1 == second.start && is_space(base[first.end]);
    first.end > second.start || (only_a_space_between && share_a_word(first, second))
}

/// Whether both put in the same word: side by side it would be there twice.
fn share_a_word(one: &Change<'_>, other: &Change<'_>) -> bool {
    let words: BTreeSet<&str> = one.with.iter().copied().filter(|token| is_word(token)).collect();
    other.with.iter().any(|token| words.contains(token))
}

/// Whether what was put in right beside a replacement has a space of its own between.
fn divided(first: &Change<'_>, second: &Change<'_>) -> bool {
    let has_space = |token: &&str| is_space(token);
    let no_word = |token: &&&str| !is_word(token);
    (first.is_insertion()
        && second.is_replacement()
        && first.with.iter().rev().take_while(no_word).any(has_space))
        || (second.is_insertion()
            && first.is_replacement()
            && second.with.iter().take_while(no_word).any(has_space))
}

fn with_changes(base: &[&str], changes: &[Change<'_>]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for change in changes {
        text.extend(base[at..change.start].iter().chain(change.with).copied());
        at = change.end;
    }
    text.extend(base[at..].iter().copied());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_spaces_and_the_rest() {
        assert_eq!(
            tokens("Don't  wait,\n\n10.5 m² in 房間"),
            ["Don't", "  ", "wait", ",", "\n\n", "10.5", " ", "m", "²", " ", "in", " ", "房", "間"]
        );
        assert_eq!(tokens(" \u{a0}a "), [" \u{a0}", "a", " "]);
        assert_eq!(tokens("👩‍👩‍👧👍🏽"), ["👩‍👩‍👧", "👍🏽"], "a picture is never taken apart");
        assert!(tokens("").is_empty());
    }

    #[test]
    fn changes_across_a_space_are_one() {
        let (from, to) = (tokens("clean the suite, then rest"), tokens("wash every room, then rest"));
        let fine = changes(&from, &to);
        assert_eq!(fine.len(), 3);
        let joined = joined(fine, &from, &to);
        assert_eq!(joined.len(), 1);
        assert_eq!(
            (joined[0].start, joined[0].end, joined[0].with.concat().as_str()),
            (0, 5, "wash every room")
        );
    }
}
