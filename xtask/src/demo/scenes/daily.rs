//! The seed's §7.2 and §6.1 to §6.3: assigning, completing, checking out.

use innsync_domain::{Command, Priority, SuiteStatus, TaskStatus, TaskType};

use innsync_e2e::{Phone, becomes, toast};

use crate::demo::World;

type Done = Result<(), String>;

/// Everybody connects.
pub(crate) async fn opening(world: &mut World) -> Done {
    for phone in world.phones() {
        phone.go_online().await?;
    }
    world.print_phones().await;
    world.verdicts.scenario("opening");
    let suites = world.ana.suites().await.len();
    world.verdicts.note(
        &world.stage,
        suites == 20,
        &format!("ana's phone holds the motel's 20 suites ({suites})"),
    );
    world.stage.pause().await;
    Ok(())
}

/// Maria assigns a task to ana.
pub(crate) async fn assignment(world: &mut World) -> Done {
    world.scene("assignment", "a manager assigns a task to an employee", "Maria has work for ana");
    let title = "Clean Suite 101";
    let task_id = world.maria.innsync.new_id();
    world.stage.say("maria", &format!("creates “{title}” and assigns it to ana"));
    let suite = world.maria.suite("101").await.ok_or("there is no suite 101")?;
    let task_type = if suite.open_cleaning_task.is_none() { TaskType::Cleaning } else { TaskType::General };
    let command = Command::CreateTask {
        task_id,
        title: title.to_owned(),
        description: "Fresh towels, please.".to_owned(),
        task_type,
        priority: Priority::High,
        suite_id: Some(suite.id),
        assigned_to: Some(world.ana.employee),
        due_at: None,
        severity: None,
    };
    world.maria.does(command).await?;

    let (ana, sam, ben) = (&world.ana, &world.sam, &world.ben);
    let listed = becomes(|| async {
        ana.innsync.my_tasks().await.is_ok_and(|mine| mine.tasks.iter().any(|card| card.task.title == title))
    });
    let listed = listed.await;
    let unread = becomes(|| async { ana.unread().await > 0 }).await;
    let told = becomes(|| async { ana.was_told(toast("task.assigned")) }).await;
    let board = becomes(|| async { sam.task(task_id).await.is_some() }).await;
    let hidden = ben.innsync.up_to_date(std::time::Duration::from_secs(10)).await.is_ok()
        && ben.task(task_id).await.is_none();
    world.print_told(&["ana"]);
    world.print_phones().await;
    let mut note = |holds, what| world.verdicts.note(&world.stage, holds, what);
    note(listed, "the task is in ana's list");
    note(unread, "ana's inbox counts it as unread");
    note(told, "ana's phone showed a toast for it");
    note(board, "sam, who supervises, has it on his board");
    note(hidden, "ben does not see it: it is neither his nor to be taken");
    world.stage.pause().await;
    Ok(())
}

/// Ana cleans a suite.
pub(crate) async fn completion(world: &mut World) -> Done {
    world.scene("completion", "an employee completes a task", "Ana cleans a suite");
    let unassigned = world.ana.innsync.unassigned().await.map_err(|error| error.to_string())?;
    let card = unassigned.tasks.into_iter().find(|card| card.task.task_type == TaskType::Cleaning);
    let card = card.ok_or("there is nothing to clean")?;
    let (task_id, number) = (card.task.id, card.suite_number.unwrap_or_default());
    world.stage.say("ana", &format!("takes “{}”, starts it, and completes it", card.task.title));
    for command in
        [Command::TakeTask { task_id }, Command::StartTask { task_id }, Command::CompleteTask { task_id }]
    {
        world.ana.does(command).await?;
    }
    let (maria, ben) = (&world.maria, &world.ben);
    let at_once =
        world.ana.suite(&number).await.is_some_and(|suite| suite.status == SuiteStatus::VacantClean);
    let clean = |phone: &'static str| format!("suite {number} is VACANT_CLEAN on {phone}'s phone");
    let maria_clean = becomes(|| async {
        maria.suite(&number).await.is_some_and(|it| it.status == SuiteStatus::VacantClean)
    })
    .await;
    let ben_clean = becomes(|| async {
        ben.suite(&number).await.is_some_and(|it| it.status == SuiteStatus::VacantClean)
    })
    .await;
    let completed = becomes(|| async {
        maria.task(task_id).await.is_some_and(|task| task.status == TaskStatus::Completed)
    });
    let completed = completed.await;
    let heard = maria.heard("TASK_STATUS_CHANGED");
    world.print_told(&["maria"]);
    world.print_told(&["ben"]);
    let mut note = |holds, what: &str| world.verdicts.note(&world.stage, holds, what);
    note(at_once, &format!("ana's own phone showed {number} clean at once, before any answer"));
    note(maria_clean, &clean("maria"));
    note(ben_clean, &clean("ben"));
    note(completed && heard, "maria's phone heard TASK_STATUS_CHANGED and shows the task completed");
    world.stage.pause().await;
    Ok(())
}

/// A guest checks out.
pub(crate) async fn checkout(world: &mut World) -> Done {
    world.scene("checkout", "a suite's status changes", "A guest checks out");
    let occupied = world.maria.suites().await.into_iter().find(|suite| suite.status == SuiteStatus::Occupied);
    let suite = occupied.ok_or("no suite is occupied")?;
    let number = suite.suite_number.clone();
    world.stage.say("maria", &format!("checks the guest of suite {number} out"));
    world
        .maria
        .does(Command::SetSuiteStatus { suite_id: suite.id, status: SuiteStatus::VacantDirty })
        .await?;

    let (ana, ben, miguel) = (&world.ana, &world.ben, &world.miguel);
    let mut dirty = true;
    for phone in world.phones() {
        dirty &= becomes(|| async {
            phone.suite(&number).await.is_some_and(|suite| suite.status == SuiteStatus::VacantDirty)
        })
        .await;
    }
    let made = ana.suite(&number).await.and_then(|suite| suite.open_cleaning_task);
    let lists = |phone: &Phone| {
        let innsync = phone.innsync.clone();
        move || {
            let innsync = innsync.clone();
            async move {
                innsync
                    .unassigned()
                    .await
                    .is_ok_and(|all| all.tasks.iter().any(|it| Some(it.task.id) == made))
            }
        }
    };
    let both = becomes(lists(ana)).await && becomes(lists(ben)).await;
    let told =
        becomes(|| async { ana.was_told(toast("task.available")) && ben.was_told(toast("task.available")) })
            .await;
    let not_miguel = !lists(miguel)().await;
    world.print_told(&["ana", "ben"]);
    let mut note = |holds, what: &str| world.verdicts.note(&world.stage, holds, what);
    note(dirty, &format!("suite {number} is VACANT_DIRTY on all five phones"));
    note(both && made.is_some(), "its new cleaning task is in ana's and ben's unassigned lists");
    note(told, "both were told that there is something to be taken");
    note(not_miguel, "miguel, who does maintenance, has no such task");
    world.stage.pause().await;
    Ok(())
}
