//! Two people edit the same task: what becomes of both edits, and of what one takes back.

use std::time::Duration;

use innsync_client::Outcome;
use innsync_domain::{Command, Priority, TaskPatch, TaskType, Uuid};
use innsync_e2e::{Phone, becomes, toast};

use super::conflict::A_MOMENT;
use crate::demo::World;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sam, offline, and maria edit one task; then each takes back what they may.
pub(crate) async fn edits(world: &mut World) -> Result<(), String> {
    world.scene(
        "edits",
        "both edits of a text, the later of two priorities, and undo",
        "Sam and maria edit the same task",
    );
    let task_id = world.maria.innsync.new_id();
    let create = Command::CreateTask {
        task_id,
        title: "Bring two towels to suite 101".to_owned(),
        description: String::new(),
        task_type: TaskType::General,
        priority: Priority::Normal,
        suite_id: None,
        assigned_to: None,
        due_at: None,
        severity: None,
    };
    confirmed(&world.maria, create).await?;
    becomes(|| async { world.sam.task(task_id).await.is_some() }).await;

    let from = world.sam.told_after(0).len();
    world.sam.innsync.disconnect();
    world.stage.say("sam", "(offline) makes it four towels, and its priority LOW");
    let mine = TaskPatch { priority: Some(Priority::Low), ..retitled("Bring four towels to suite 101") };
    let mine = world.sam.does(Command::EditTask { task_id, patch: mine }).await?;
    tokio::time::sleep(A_MOMENT).await;
    world.stage.say("maria", "corrects the suite to 102, and makes it URGENT");
    let hers = TaskPatch { priority: Some(Priority::Urgent), ..retitled("Bring two towels to suite 102") };
    confirmed(&world.maria, Command::EditTask { task_id, patch: hers }).await?;
    world.stage.say("sam", "comes back into the Wi-Fi");
    world.sam.innsync.connect();
    let outcome = world.sam.innsync.settled(mine.id, PATIENCE).await;
    let both = "Bring four towels to suite 102";
    let merged = shown(world, task_id, both, Priority::Urgent).await;
    world.stage.shows("maria", &format!("the task is “{both}”, URGENT"));
    let was_told = becomes(|| async { world.sam.told_after(from).iter().any(toast("conflict.lost")) }).await;
    world.print_told(&["sam"]);
    let lost = world.sam.innsync.conflicts().await.map_err(|error| error.to_string())?.lost;
    let low = lost.iter().find(|it| it.conflict.entity_id == task_id);
    let kept_by = low.and_then(|it| it.kept_by_name.clone()).unwrap_or_default();
    if let Some(low) = low {
        world.stage.shows(
            "sam",
            &format!("what lost: priority {}, {} is kept by {kept_by}", low.conflict.lost, low.conflict.kept),
        );
        world.stage.say("sam", "restores it with one tap");
        world.sam.innsync.restore(low.conflict.id).await.map_err(|error| error.to_string())?;
    }
    let restored = shown(world, task_id, both, Priority::Low).await;
    becomes(|| async { world.sam.innsync.status().pending_changes == 0 }).await;
    world.stage.say("sam", "thinks again, and taps “Undo”");
    let undone = world.sam.innsync.undo().await;
    let undone = undone.is_ok() && shown(world, task_id, both, Priority::Urgent).await;

    let mut note = |holds, what: &str| world.verdicts.note(&world.stage, holds, what);
    note(
        outcome == Ok(Outcome::Confirmed) && merged,
        "both edits of the text are in it, and nobody was asked",
    );
    note(was_told && kept_by == "Maria", "sam was told that his LOW lost to maria's later URGENT");
    note(restored, "he restored it, and every phone shows it");
    note(undone, "and took that back");
    world.stage.pause().await;
    Ok(())
}

fn retitled(title: &str) -> TaskPatch {
    TaskPatch { title: Some(title.to_owned()), ..TaskPatch::default() }
}

async fn confirmed(phone: &Phone, command: Command) -> Result<(), String> {
    let receipt = phone.does(command).await?;
    match phone.innsync.settled(receipt.id, PATIENCE).await {
        Ok(Outcome::Confirmed) => Ok(()),
        other => Err(format!("{} was not confirmed: {other:?}", phone.name)),
    }
}

/// Whether both phones come to show the task so.
async fn shown(world: &World, task_id: Uuid, title: &str, priority: Priority) -> bool {
    let (sam, maria, priority) = (&world.sam, &world.maria, &priority);
    becomes(|| async move {
        let rows = [sam.task(task_id).await, maria.task(task_id).await];
        rows.iter().flatten().filter(|it| it.title == title && it.priority == *priority).count() == 2
    })
    .await
}
