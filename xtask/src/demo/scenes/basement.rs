//! Ana works offline, her phone is killed and opened again, and the server returns.

use std::io::{BufRead, BufReader};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use innsync_client::{ConnectionState, Outcome, Uuid};

use innsync_e2e::{becomes, toast};

use crate::demo::World;

/// The whole stretch.
pub(crate) async fn basement(world: &mut World) -> Result<(), String> {
    world.scene(
        "offline, killed, and back",
        "offline work, kill -9 of server and phone, and the way back",
        "Ana goes into the basement",
    );
    world.ana.innsync.close().await;
    world.server.kill();
    world.stage.say("server", "is killed (kill -9)");
    let sam = &world.sam;
    let noticed = becomes(|| async { sam.innsync.connection_state() == ConnectionState::Reconnecting }).await;
    let told = becomes(|| async { sam.was_told(toast("connection.lost")) }).await;
    world.print_told(&["sam"]);

    let saved = work_and_be_killed(world)?;
    world.stage.say("ana", "(her phone is killed, kill -9, while she works)");

    world.ana.open_again(world.server.url())?;
    let outbox = world.ana.innsync.outbox().await.map_err(|error| error.to_string())?;
    let kept = saved.iter().all(|id| outbox.iter().any(|queued| queued.op.id == *id));
    world.stage.say("ana", &format!("opens it again: {} changes wait in the outbox", outbox.len()));
    world.ana.innsync.connect();
    world.print_phones().await;

    world.server.restart()?;
    world.stage.say("server", "is started again, on what it had saved");
    let mut confirmed = 0;
    for id in &saved {
        let outcome = world.ana.innsync.settled(*id, Duration::from_secs(60)).await;
        confirmed += usize::from(outcome == Ok(Outcome::Confirmed));
    }
    for phone in world.phones() {
        phone.go_online().await?;
    }
    let ana = &world.ana;
    let synced = becomes(|| async { ana.was_told(toast("sync.done")) }).await;
    world.print_told(&["ana"]);
    world.print_phones().await;
    let (tasks, notes) = (
        world.server.http()?.list("maria", "tasks").await?,
        world.server.http()?.list("maria", "notes").await?,
    );
    let done =
        tasks.iter().filter(|it| it["assignedTo"] == ana_id(world) && it["status"] == "COMPLETED").count();
    let minibar = notes.iter().filter(|it| it["title"] == "Minibar").count();

    let mut note = |holds, what: &str| world.verdicts.note(&world.stage, holds, what);
    note(noticed && told, "sam's phone noticed at once, and said so");
    note(kept, &format!("all {} changes that ana saw saved are on her phone after the kill", saved.len()));
    note(
        confirmed == saved.len(),
        &format!("all {confirmed} of them were confirmed when the server returned"),
    );
    note(synced, "ana's phone said that her changes were synced");
    note(done == 3, &format!("the server has her three cleanings of the day completed ({done})"));
    note(minibar == 1, &format!("the server has her note exactly once ({minibar})"));
    world.stage.pause().await;
    Ok(())
}

fn ana_id(world: &World) -> String {
    world.ana.employee.to_string()
}

/// Starts ana's phone as a process, listens to what it saves, and kills it. Returns the saved operations.
fn work_and_be_killed(world: &World) -> Result<Vec<Uuid>, String> {
    let program = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let mut phone = Process::new(program)
        .args(["basement", "--server", world.server.url(), "--directory"])
        .arg(world.ana.directory())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("ana's phone could not be started: {error}"))?;
    let mut saved = Vec::new();
    let mut finished = false;
    if let Some(stdout) = phone.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line == "done" {
                finished = true;
                break;
            }
            if let Some((id, what)) = line.strip_prefix("saved ").and_then(|rest| rest.split_once(' ')) {
                world.stage.say("ana", &format!("{what}   (saved on the phone)"));
                saved.push(id.parse().map_err(|_| format!("not an id: {id}"))?);
            }
        }
    }
    let _ = phone.kill();
    let _ = phone.wait();
    if finished { Ok(saved) } else { Err("ana's phone ended before her work was done".to_owned()) }
}
