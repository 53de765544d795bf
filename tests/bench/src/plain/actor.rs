//! A thread that owns the connection: commands come by one channel, the rows that are shown go by another.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use innsync_domain::Uuid;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::Task;
use crate::Result;

/// What it is told: another title for a task.
#[derive(Debug, Serialize)]
struct Edit {
    id: Uuid,
    title: String,
}

/// The thread and its channels.
pub(crate) struct Actor {
    commands: Option<Sender<Edit>>,
    rows: Receiver<Result<Vec<Task>>>,
    thread: Option<JoinHandle<()>>,
}

impl Actor {
    /// Over a database that is there; shows the pending tasks of `assignee`.
    pub(crate) fn start(path: &Path, assignee: Uuid) -> Result<Self> {
        let mut connection = super::open(path)?;
        let (commands, inbox) = channel::<Edit>();
        let (screen, rows) = channel();
        let thread = std::thread::spawn(move || {
            for edit in inbox {
                let shown = save(&mut connection, &edit)
                    .and_then(|()| super::query(&connection, assignee, "PENDING"));
                if screen.send(shown).is_err() {
                    return;
                }
            }
        });
        Ok(Self { commands: Some(commands), rows, thread: Some(thread) })
    }

    /// Changes a title and waits for the new rows.
    pub(crate) fn edit(&self, id: Uuid, title: String) -> Result<Vec<Task>> {
        let commands = self.commands.as_ref().ok_or("the thread was stopped")?;
        commands.send(Edit { id, title })?;
        self.rows.recv()?
    }
}

fn save(connection: &mut Connection, edit: &Edit) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction
        .prepare_cached("INSERT INTO outbox (doc) VALUES (?1)")?
        .execute([serde_json::to_string(edit)?])?;
    transaction
        .prepare_cached("UPDATE tasks SET title = ?2 WHERE id = ?1")?
        .execute(params![edit.id.as_bytes(), edit.title])?;
    transaction.commit()?;
    Ok(())
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
