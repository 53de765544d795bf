//! Two people change the same thing; and at the end, whether all phones agree.

use std::time::Duration;

use innsync_client::{ConnectionState, Outcome, ParkReason};
use innsync_domain::{Command, SuiteStatus};

use innsync_e2e::becomes;

use crate::demo::World;

/// Far more than the offset of a clock can be wrong by on one machine.
pub(super) const A_MOMENT: Duration = Duration::from_secs(1);

/// Maria changes a suite, and ben, who is offline, does too: later, and to what is not possible from there.
pub(crate) async fn conflict(world: &mut World) -> Result<(), String> {
    world.scene("conflict", "a conflict is parked, with both values", "Ben and maria change the same suite");
    let dirty = world.ben.suites().await.into_iter().find(|suite| suite.status == SuiteStatus::VacantDirty);
    let suite = dirty.ok_or("no suite is dirty")?;
    let number = suite.suite_number.clone();
    world.ben.innsync.disconnect();
    let ben = &world.ben;
    becomes(|| async { ben.innsync.connection_state() == ConnectionState::Disconnected }).await;
    world.stage.say("maria", &format!("takes {number} out of service"));
    let change = Command::SetSuiteStatus { suite_id: suite.id, status: SuiteStatus::OutOfService };
    let hers = world.maria.does(change).await?;
    let hers = world.maria.innsync.settled(hers.id, Duration::from_secs(20)).await;
    // His is later: by the clock of the server, as his phone knows it.
    tokio::time::sleep(A_MOMENT).await;
    world.stage.say("ben", &format!("(offline) begins to clean {number}"));
    let receipt =
        world.ben.does(Command::SetSuiteStatus { suite_id: suite.id, status: SuiteStatus::Cleaning }).await?;
    world.stage.say("ben", "comes back into the Wi-Fi");
    world.ben.innsync.connect();
    let outcome = world.ben.innsync.settled(receipt.id, Duration::from_secs(20)).await;
    let fields = match &outcome {
        Ok(Outcome::Parked(reason)) => match &**reason {
            ParkReason::Conflict { fields, .. } => fields.clone(),
            ParkReason::Rejected { .. } => Vec::new(),
        },
        _ => Vec::new(),
    };
    for field in &fields {
        let told = format!(
            "conflict on {}: saw {}, mine {}, theirs {}",
            field.field, field.base, field.mine, field.theirs
        );
        world.stage.shows("ben", &told);
    }
    let both = fields.first().is_some_and(|field| {
        field.mine == "CLEANING" && field.theirs == "OUT_OF_SERVICE" && field.base == "VACANT_DIRTY"
    });
    let ben = &world.ben;
    let theirs = becomes(|| async {
        ben.suite(&number).await.is_some_and(|suite| suite.status == SuiteStatus::OutOfService)
    });
    let theirs = theirs.await;
    let parked = world.ben.innsync.status().parked;
    let board = world.ben.innsync.suite_board().await.map_err(|error| error.to_string())?;
    let mut cards = board.floors.iter().flat_map(|floor| &floor.suites);
    let on_board = cards.any(|card| card.suite.suite_number == number && card.conflict == Some(receipt.id));
    world.print_told(&["ben"]);
    world.stage.say("ben", "lets maria's value stand");
    world.ben.innsync.discard(receipt.id).await.map_err(|error| error.to_string())?;
    let ben = &world.ben;
    let settled = becomes(|| async { ben.innsync.status().parked == 0 }).await;

    let mut note = |holds, what: &str| world.verdicts.note(&world.stage, holds, what);
    note(hers == Ok(Outcome::Confirmed), "maria's change was confirmed");
    note(both, "ben's was parked as a conflict, with what he saw, his value and hers");
    note(theirs, "ben's phone shows what the server has, not what he wanted");
    note(on_board, "and the suite on his board says that it waits for him");
    note(parked == 1 && settled, "the status said that one change needs him, until he decided");
    world.stage.pause().await;
    Ok(())
}

/// All phones against the server.
pub(crate) async fn agreement(world: &mut World) -> Result<(), String> {
    world.scene(
        "agreement",
        "every phone beside what the server answers to its person",
        "The end of the shift",
    );
    for phone in world.phones() {
        phone.go_online().await?;
    }
    world.print_phones().await;
    for index in 0..world.phones().len() {
        let phone = world.phones()[index];
        let name = phone.name;
        let suites = world.server.http()?.list(name, "suites").await?;
        let tasks = world.server.http()?.list(name, "tasks").await?;
        let stores = phone.innsync.stores();
        let shown_suites = stores.suites().get_all().await.map_err(|error| error.to_string())?;
        let shown_tasks = stores.tasks().get_all().await.map_err(|error| error.to_string())?;
        let same = same(&shown_suites, &suites) && same(&shown_tasks, &tasks);
        let drained = phone.innsync.outbox().await.is_ok_and(|outbox| outbox.is_empty());
        let what = format!(
            "{name}: suites ({}) and tasks ({}) as the server has them, outbox empty",
            shown_suites.len(),
            shown_tasks.len()
        );
        world.verdicts.note(&world.stage, same && drained, &what);
    }
    Ok(())
}

/// Whether the phone's entities are the server's, in any order.
fn same<T: serde::Serialize>(shown: &[T], server: &[serde_json::Value]) -> bool {
    let mut shown: Vec<String> = shown
        .iter()
        .filter_map(|entity| serde_json::to_value(entity).ok())
        .map(|value| value.to_string())
        .collect();
    let mut server: Vec<String> = server.iter().map(ToString::to_string).collect();
    shown.sort();
    server.sort();
    shown == server
}
