//! Rounds of chaos, and what they find when something is broken on purpose.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use innsync_e2e::chaos::{Sabotage, Settings, round, rounds};

fn settings() -> Settings {
    Settings::new(PathBuf::from(env!("CARGO_BIN_EXE_innsync-chaos")))
}

/// `INNSYNC_ROUNDS` says how many; seeds are fresh each time, and printed.
#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_chaos_run_clean() {
    // G1, G2, G3, G9, G10, G11, G12, G17
    let count = std::env::var("INNSYNC_ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(10);
    // Ten in a row have one of each kind.
    let from = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let done = rounds(from..from + count, 2, &settings(), |ran| match ran {
        Ok(ran) => println!("{ran}"),
        Err(failed) => println!("{failed}"),
    })
    .await;
    let failed: Vec<String> =
        done.iter().filter_map(|ran| ran.as_ref().err()).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let clean: Vec<_> = done.into_iter().flatten().collect();
    let saved: usize = clean.iter().map(|ran| ran.saved).sum();
    let kills: usize = clean.iter().map(|ran| ran.phones_killed + ran.servers_killed).sum();
    assert!(
        saved as u64 >= 20 * count && kills as u64 >= count,
        "it did not storm: {saved} saved, {kills} killed"
    );
}

/// A check that never fails is none: each kind of damage is done once, and must be called by its name.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_on_purpose_is_found() {
    for (sabotage, guarantee, tells) in [
        (Sabotage::Lose, "G1", "was saved, and is gone"),
        (Sabotage::DoTwice, "G2", "no operation asked for commit"),
        (Sabotage::ShowOther, "G9", "otherwise than a fresh one, as SUITE"),
    ] {
        let storm = Duration::from_millis(600);
        let settings = Settings { sabotage: Some(sabotage), storm, ..settings() };
        let failed = round(7, &settings).await.unwrap_err();
        let told = |what: &&String| what.starts_with(guarantee) && what.contains(tells);
        assert_eq!(failed.what.iter().filter(told).count(), 1, "{sabotage:?}: {failed}");
        assert_eq!(failed.what.len(), 1, "{sabotage:?}: {failed}");
        assert!(failed.directory.join("ledger.sqlite").is_file(), "what is left of it is kept");
        std::fs::remove_dir_all(&failed.directory).unwrap();
    }
}
