//! A person changes a task: until whoever watches the list has the new rows, saved on disk.

use innsync_client::{Command, InnSync, LiveQuery, Update};
use innsync_domain::{Entity, Uuid};
use tokio::runtime::Runtime;

use crate::measure::{Pair, micros, timed};
use crate::phone::question;
use crate::plain::Actor;
use crate::report::{Bound, Row};
use crate::{Result, Scale, data, handle, machine, plain};

pub(crate) const NAME: &str = "tap";

/// Operations that wait in the outbox at most: more than a shift without network brings.
const WAITING: usize = 50;

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let body = data::snapshot(&data::entities(scale.tasks));
    let folder = machine::folder()?;
    let theirs = folder.path().join("plain.sqlite");
    plain::ingest(&mut plain::create(&theirs)?, &body)?;
    let actor = Actor::start(&theirs, data::assignee())?;
    let mut watched = Watched::new(folder.path(), body)?;
    let tasks = watched.tasks.clone();
    let title = |round: usize| format!("Look after the heater, attempt {round}");
    let pair = Pair::interleave(
        scale.taps,
        |round| {
            watched.make_room()?;
            Ok(micros(timed(|| watched.edit(tasks[round % tasks.len()], title(round)))?.1))
        },
        |round| Ok(micros(timed(|| actor.edit(tasks[round % tasks.len()], title(round)))?.1)),
    )?;
    watched.close();
    let row = |share: f64, name: &str| {
        Row::new(
            format!("{NAME}: command to new rows, {name}"),
            "µs",
            pair.ours.quantile(share),
            pair.baseline.quantile(share),
        )
    };
    Ok(vec![row(0.5, "p50").at_most(Bound::Ratio(1.5)), row(0.99, "p99").at_most(Bound::Ratio(2.0))])
}

/// A handle with a live query.
struct Watched {
    runtime: Runtime,
    innsync: InnSync,
    live: LiveQuery,
    tasks: Vec<Uuid>,
    waiting: Vec<Uuid>,
}

impl Watched {
    fn new(folder: &std::path::Path, body: Vec<u8>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (innsync, _) = handle::filled(&runtime, folder, body)?;
        let live = innsync.live(question(data::assignee()));
        let mut rows = Vec::new();
        runtime.block_on(live.next()).ok_or("the live query ended")?.apply(&mut rows);
        if rows.is_empty() {
            return Err("the live query is empty".into());
        }
        let tasks = rows.iter().map(Entity::id).collect();
        Ok(Self { runtime, innsync, live, tasks, waiting: Vec::new() })
    }

    /// Gives the command and waits for what changes in the list.
    fn edit(&mut self, task: Uuid, title: String) -> Result<Update> {
        let patch = innsync_domain::TaskPatch { title: Some(title), ..Default::default() };
        self.runtime.block_on(async {
            let receipt = self.innsync.execute(Command::EditTask { task_id: task, patch }).await?;
            let update = self.live.next().await.ok_or("the live query ended")?;
            self.waiting.push(receipt.id);
            Ok(update)
        })
    }

    /// Empties the outbox when it has become too long; nobody's clock runs.
    fn make_room(&mut self) -> Result<()> {
        if self.waiting.len() < WAITING {
            return Ok(());
        }
        self.runtime.block_on(async {
            // The newest first: what an older one changed stays as it was before it.
            for operation in self.waiting.drain(..).rev() {
                self.innsync.discard(operation).await?;
                self.live.next().await.ok_or("the live query ended")?;
            }
            Ok(())
        })
    }

    fn close(self) {
        self.runtime.block_on(self.innsync.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_show_the_new_title() {
        let body = data::snapshot(&data::entities(200));
        let folder = machine::folder().unwrap();
        let path = folder.path().join("plain.sqlite");
        plain::ingest(&mut plain::create(&path).unwrap(), &body).unwrap();
        let mut watched = Watched::new(folder.path(), body).unwrap();
        let task = watched.tasks[1];
        let rows = Actor::start(&path, data::assignee()).unwrap().edit(task, "Quiet now".into()).unwrap();
        assert_eq!((rows[1].id, rows[1].title.as_str()), (task, "Quiet now"));
        let Update::Diff(changes) = watched.edit(task, "Quiet now".into()).unwrap() else {
            panic!("a reset")
        };
        let [innsync_client::Change::Update { at: 1, entity: Entity::Task(shown) }] = changes.as_slice()
        else {
            panic!("{changes:?}")
        };
        assert_eq!((shown.id, shown.title.as_str()), (task, "Quiet now"));
        watched.close();
    }
}
