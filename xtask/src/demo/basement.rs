//! Ana's phone in the basement: a process of its own, so that it can be killed like one.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use innsync_client::{Command, InnSync};
use innsync_e2e::Phone;

/// Where the phone's database is, and the server that does not answer.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The server's URL.
    #[arg(long)]
    server: String,
    /// The phone's directory.
    #[arg(long)]
    directory: PathBuf,
}

/// Works without a network: each command is said on a line once it is saved. Then waits to be killed.
pub(crate) fn run(args: &Args) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let innsync = innsync_client::open(Phone::options("ana", &args.server, &args.directory))
            .map_err(|error| format!("ana's phone could not be opened: {error}"))?;
        innsync.connect();
        let failed = |error: innsync_client::Error| error.to_string();
        let dirty = innsync.unassigned().await.map_err(failed)?;
        for card in dirty.tasks.into_iter().filter(|card| card.suite_number.is_some()).take(2) {
            let (id, title) = (card.task.id, card.task.title);
            save(&innsync, Command::TakeTask { task_id: id }, &format!("takes “{title}”")).await?;
            save(&innsync, Command::StartTask { task_id: id }, &format!("starts “{title}”")).await?;
            save(&innsync, Command::CompleteTask { task_id: id }, &format!("completes “{title}”")).await?;
        }
        let note = Command::CreateNote {
            note_id: innsync.new_id(),
            title: "Minibar".to_owned(),
            content: "The minibar is empty on the first floor.".to_owned(),
            suite_id: None,
            task_id: None,
            audience: innsync_client::domain::Audience::AllStaff,
        };
        save(&innsync, note, "writes a note: “Minibar”").await?;
        anstream::println!("done");
        std::future::pending::<()>().await;
        Ok(())
    })
}

async fn save(innsync: &InnSync, command: Command, what: &str) -> Result<(), String> {
    let receipt = innsync.execute(command).await.map_err(|error| format!("ana {what}: {error}"))?;
    anstream::println!("saved {} {what}", receipt.id);
    Ok(())
}
