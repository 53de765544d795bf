//! Two people write in one text; what of it can be merged is, and nothing is lost or said twice.

use std::collections::BTreeSet;

use innsync_domain::text::Merge::{self, Merged, Overlap};
use innsync_domain::text::SpanKind::{Added, Removed, Same};
use innsync_domain::text::{Span, SpanKind, merge, spans};
use proptest::prelude::*;

fn merged(text: &str) -> Merge {
    Merged(text.to_owned())
}

/// Each case: what both had before them, ana's, sam's, and what comes of it.
fn tell(cases: &[(&str, &str, &str, Merge)]) {
    for (base, ana, sam, expected) in cases {
        assert_eq!(merge(base, ana, sam), *expected, "{base:?}: {ana:?}, {sam:?}");
        assert_eq!(merge(base, sam, ana), *expected, "{base:?}: {sam:?}, {ana:?}");
    }
}

/// G8
#[test]
fn ana_adds_towels_while_sam_corrects_the_suite() {
    tell(&[
        (
            "Guest in suite 101 asked for help.",
            "Guest in suite 101 asked for help. Bring towels.",
            "Guest in suite 102 asked for help.",
            merged("Guest in suite 102 asked for help. Bring towels."),
        ),
        // Right behind the word that sam corrects: what ana adds brings its own space.
        (
            "Clean suite 101",
            "Clean suite 101, bring towels",
            "Clean suite 102",
            merged("Clean suite 102, bring towels"),
        ),
        (
            "Clean suite 101",
            "Clean suite 101 bring towels",
            "Clean suite 102",
            merged("Clean suite 102 bring towels"),
        ),
        (
            "Clean suite 101",
            "Clean suite 101\nBring towels.",
            "Clean suite 102",
            merged("Clean suite 102\nBring towels."),
        ),
        ("101 is dirty", "Suite 101 is dirty", "102 is dirty", merged("Suite 102 is dirty")),
        ("suite 101", "room 101", "suite 102", merged("room 102")),
        (
            "Limpiar la habitación 101",
            "¡Ojo! Limpiar la habitación 101",
            "Limpiar la habitación 102",
            merged("¡Ojo! Limpiar la habitación 102"),
        ),
        ("打掃房間一", "打掃房間二", "快打掃房間一", merged("快打掃房間二")),
    ]);
}

#[test]
fn what_only_one_changed_is_theirs() {
    tell(&[
        ("Tap drips", "Tap drips", "Tap leaks", merged("Tap leaks")),
        ("Tap drips", "Tap drips", "", merged("")),
        ("", "", "Tap leaks", merged("Tap leaks")),
        ("Tap drips", "Tap drips", "Tap drips", merged("Tap drips")),
    ]);
}

#[test]
fn what_both_changed_alike_is_one_change() {
    tell(&[
        ("Tap drips in 101", "Tap leaks in 101", "Tap leaks in 101", merged("Tap leaks in 101")),
        ("Tap drips in 101", "Tap leaks in 101", "Tap leaks in 102", merged("Tap leaks in 102")),
        ("Tap drips", "Tap drips again", "Tap drips again", merged("Tap drips again")),
        ("Tap drips, hurry, please", "Tap drips, please", "Tap drips, please", merged("Tap drips, please")),
        ("", "Towels", "Towels", merged("Towels")),
        // The same word, whatever else there is to the left and to the right of it.
        ("a for towels b", "a for two towels b", "c for two towels d", merged("c for two towels d")),
        ("a for two towels b", "a for towels b", "c for towels d", merged("c for towels d")),
        // The word beside it was changed by one of them, too.
        ("Clean suite 101", "Wash room 101", "Wash suite 101", merged("Wash room 101")),
    ]);
}

#[test]
fn one_place_changed_by_two_is_for_a_person() {
    tell(&[
        ("suite 101", "suite 102", "suite 103", Overlap),
        ("suite 101", "suite 101 and 102", "suite 101 and 103", Overlap),
        ("", "Towels", "Soap", Overlap),
        ("Bring towels now", "Bring blue towels now", "Bring now", Overlap),
        ("Bring towels now", "Bring blue towels now", "", Overlap),
        ("Clean suite 101", "Clean suite 101", "Clean suite 101", merged("Clean suite 101")),
        // No space of its own: what is added is about the very word that the other replaces.
        ("at 10", "at 10:30", "at 11", Overlap),
        ("Clean 101", "Clean 101!", "Clean 102", Overlap),
        // Both want two: side by side it would be there twice.
        ("Bring towels", "Bring two towels", "Bring two sheets", Overlap),
        ("Bring towels", "Bring two towels", "Fetch two towels", Overlap),
        ("ha ha ha", "ha ha ha ha", "ha ha ha ha!", Overlap),
        ("Bring towels", "Bring two towels", "Two bring towels", merged("Two bring two towels")),
        // Who rewrites a sentence did not keep its spaces for somebody else's word.
        ("clean the suite", "wash every room", "clean the big suite", Overlap),
    ]);
}

#[test]
fn spaces_read_well() {
    tell(&[
        ("Towels, soap, lamp", "Towels, soap", "Bring towels, soap, lamp", merged("Bring towels, soap")),
        ("one two three four", "two three four", "one two three", merged("two three")),
        ("first.\n\nsecond.", "First.\n\nsecond.", "first.\n\nSecond.", merged("First.\n\nSecond.")),
        ("a  b", "a b", "a  c", Overlap),
    ]);
}

#[test]
fn a_correction_is_shown_beside_what_was_there() {
    let span = |kind: SpanKind, text: &str| Span { kind, text: text.to_owned() };
    assert_eq!(
        spans("Clean suite 101 today", "Clean suite 102 today, bring towels"),
        [
            span(Same, "Clean suite "),
            span(Removed, "101"),
            span(Added, "102"),
            span(Same, " today"),
            span(Added, ", bring towels"),
        ]
    );
    assert_eq!(
        spans("clean the suite", "wash every room"),
        [span(Removed, "clean the suite"), span(Added, "wash every room")],
        "not word by word with the spaces kept"
    );
    assert_eq!(spans("", ""), []);
    assert_eq!(spans("", "Towels"), [span(Added, "Towels")]);
    assert_eq!(spans("Towels", "Towels"), [span(Same, "Towels")]);
    assert_eq!(
        serde_json::to_value(spans("soap", "soap now")).unwrap(),
        serde_json::json!([{"kind": "SAME", "text": "soap"}, {"kind": "ADDED", "text": " now"}])
    );
}

/// As long as a note may be: changes far apart and many are still found word by word.
#[test]
fn a_long_note_is_compared_by_its_sentences_first() {
    let sentence = |number: usize| format!("In suite {number} the guest asked for towels and soap.");
    let night: Vec<String> = (100..499).map(sentence).collect();
    let base = night.join("\n");
    assert!(base.chars().count() > innsync_domain::limits::NOTE_CHARS - 1_000);
    let (mut ana, mut sam, mut both) = (night.clone(), night.clone(), night);
    for at in (0..399).step_by(10) {
        for by_ana in [&mut ana, &mut both] {
            by_ana[at] = by_ana[at].replace("towels", "two towels");
        }
        for by_sam in [&mut sam, &mut both] {
            by_sam[at] = by_sam[at].replace("soap", "shampoo");
        }
    }
    assert_eq!(merge(&base, &ana.join("\n"), &sam.join("\n")), Merged(both.join("\n")));
    let added: Vec<String> = spans(&base, &ana.join("\n"))
        .into_iter()
        .filter(|span| span.kind != Same)
        .map(|span| span.text)
        .collect();
    assert_eq!(added, vec!["two ".to_owned(); 40]);

    // One of them changed one sentence, the other the same and all others: it is found to be the same.
    let one = [&ana[..11], &base.split('\n').skip(11).map(str::to_owned).collect::<Vec<_>>()].concat();
    assert_eq!(merge(&base, &one.join("\n"), &ana.join("\n")), Merged(ana.join("\n")));
}

/// As long as a note may be, and nothing in common but what confuses: in time, and never with a word lost.
#[test]
fn long_texts_of_few_words() {
    let text = |by: usize| -> String {
        (0..innsync_domain::limits::NOTE_CHARS).map(|at| if at * at % 7 < by { 'x' } else { ',' }).collect()
    };
    let (base, mine, theirs) = (text(3), text(4), text(5));
    let pieces = spans(&base, &mine);
    assert_eq!((joined(&pieces, Removed), joined(&pieces, Added)), (base.clone(), mine.clone()));
    assert_eq!(merge(&base, &mine, &theirs), merge(&base, &theirs, &mine));
    assert_eq!(merge(&base, &mine, &base), Merged(mine));
}

/// The spans that are in both texts or in the one that `side` names.
fn joined(spans: &[Span], side: SpanKind) -> String {
    spans
        .iter()
        .filter(|span| span.kind == Same || span.kind == side)
        .map(|span| span.text.as_str())
        .collect()
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &["a", "b", "suite", "10", ".", ",", "!", " ", "  ", "\n", "é", "e\u{301}", "房", "👍🏽", "\u{200d}"][..],
    );
    prop_oneof![prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat()), ".{0,12}"]
}

/// What somebody does to a text of so many words: where, and what.
fn edits(words: usize) -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..words, any::<u8>()), 0..6)
}

const WORDS: usize = 10;

/// The base's words are `w0` to `w9`; each new one is `prefix` and a number, each used once.
fn edited(prefix: &str, edits: &[(usize, u8)]) -> String {
    let mut words: Vec<Vec<String>> = (0..WORDS).map(|at| vec![format!("w{at}")]).collect();
    for (number, (at, what)) in edits.iter().enumerate() {
        let new = format!("{prefix}{number}");
        match what % 4 {
            0 => words[*at] = Vec::new(),
            1 => words[*at] = vec![new],
            2 => words[*at].push(new),
            _ => words[*at].insert(0, new),
        }
    }
    words.concat().join(" ")
}

/// The words of a text that begin so, in order.
fn words_of<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    text.split(' ').filter(|word| word.starts_with(prefix)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn spans_are_both_texts(from in any_text(), to in any_text()) {
        let spans = spans(&from, &to);
        prop_assert_eq!(joined(&spans, Removed), from);
        prop_assert_eq!(joined(&spans, Added), to);
        prop_assert!(spans.iter().all(|span| !span.text.is_empty()));
        prop_assert!(spans.windows(2).all(|pair| pair[0].kind != pair[1].kind));
    }

    #[test]
    fn who_is_who_makes_no_difference(base in any_text(), x in any_text(), y in any_text()) {
        prop_assert_eq!(merge(&base, &x, &y), merge(&base, &y, &x));
        prop_assert_eq!(merge(&base, &x, &base), Merged(x.clone()));
        prop_assert_eq!(merge(&base, &x, &x), Merged(x.clone()));
    }

    /// G8: each new word is there once and in its author's order, and what is gone was taken away by one of them.
    #[test]
    fn no_word_is_lost_or_said_twice(ana in edits(WORDS), sam in edits(WORDS)) {
        let (base, ana, sam) = (edited("", &[]), edited("ana", &ana), edited("sam", &sam));
        if let Merged(text) = merge(&base, &ana, &sam) {
            prop_assert_eq!(words_of(&text, "ana"), words_of(&ana, "ana"), "{:?}", text);
            prop_assert_eq!(words_of(&text, "sam"), words_of(&sam, "sam"), "{:?}", text);
            let with_sam: BTreeSet<&str> = words_of(&sam, "w").into_iter().collect();
            let kept: Vec<&str> = words_of(&ana, "w").into_iter().filter(|word| with_sam.contains(word)).collect();
            prop_assert_eq!(words_of(&text, "w"), kept, "{:?}", text);
            prop_assert_eq!(text.trim(), text.split_whitespace().collect::<Vec<_>>().join(" "), "single spaces");
        }
    }

    /// Words that different people replaced are merged, also where they stand side by side.
    #[test]
    fn different_words_are_different_places(by in prop::collection::vec(0..3_u8, WORDS)) {
        let text = |ana: bool, sam: bool| {
            let word = |(at, by): (usize, &u8)| match by {
                1 if ana => format!("ana{at}"),
                2 if sam => format!("sam{at}"),
                _ => format!("w{at}"),
            };
            by.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
        };
        prop_assert_eq!(merge(&text(false, false), &text(true, false), &text(false, true)), Merged(text(true, true)));
    }
}
