//! From phone to phone: ben renames a note, ana's list shows it; saved on his phone, on the server and on hers on the way.
//! The baseline does the same with three plain databases, a request and a broadcast.

use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use futures_util::StreamExt;
use innsync_client::{Command, EntityKind, InnSync, LiveQuery, Query};
use innsync_domain::{Entity, NotePatch, Uuid};
use tokio::runtime::Runtime;

use crate::handle::{PATIENCE, at_work, write_note};
use crate::measure::{Pair, Samples, millis};
use crate::net::{Http, dial, ours, plain as plain_server};
use crate::plain::Actor;
use crate::report::{Bound, Row};
use crate::{Result, Scale, data, machine, plain};

pub(crate) const NAME: &str = "phone to phone";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = ours::Server::start()?;
    let mut ours = runtime.block_on(Phones::new(&server, folder.path()))?;
    let mut theirs = Plain::new(folder.path())?;
    let pair = Pair::interleave(
        scale.told,
        |round| runtime.block_on(ours.tell(format!("Round {round}"))),
        |round| theirs.tell(format!("Round {round}")),
    )?;
    runtime.block_on(ours.close());
    let row = |share: f64, name: &str, most: f64| {
        let of = |samples: &Samples| samples.quantile(share);
        Row::new(format!("{NAME}, {name}"), "ms", of(&pair.ours), of(&pair.baseline))
            .at_most(Bound::Ours(most))
    };
    Ok(vec![row(0.5, "p50", 3.0), row(0.99, "p99", 10.0)])
}

struct Phones {
    ben: InnSync,
    ana: InnSync,
    list: LiveQuery,
    note: Uuid,
}

impl Phones {
    async fn new(server: &ours::Server, folder: &std::path::Path) -> Result<Self> {
        let ben = at_work(server.options("ben", folder)).await?;
        let ana = at_work(server.options("ana", folder)).await?;
        let note = write_note(&ben, "Round".to_owned()).await?;
        ben.up_to_date(PATIENCE).await?;
        ana.up_to_date(PATIENCE).await?;
        let list = ana.live(Query::of(EntityKind::Note));
        Ok(Self { ben, ana, list, note })
    }

    async fn tell(&mut self, title: String) -> Result<f64> {
        let patch = NotePatch { title: Some(title.clone()), ..NotePatch::default() };
        let begun = Instant::now();
        self.ben.execute(Command::EditNote { note_id: self.note, patch }).await?;
        let mut rows = Vec::new();
        loop {
            let shown = |row: &Entity| matches!(row, Entity::Note(note) if note.title == title);
            match self.list.next().await.ok_or("the list ended")? {
                innsync_client::Update::Reset(all) => rows = all,
                innsync_client::Update::Diff(changes) => {
                    for change in changes {
                        if let innsync_client::Change::Update { entity, .. }
                        | innsync_client::Change::Insert { entity, .. } = change
                        {
                            rows.push(entity);
                        }
                    }
                }
            }
            if rows.iter().any(shown) {
                return Ok(millis(begun.elapsed()));
            }
        }
    }

    async fn close(self) {
        self.ben.close().await;
        self.ana.close().await;
    }
}

struct Plain {
    _server: crate::net::Child,
    _runtime: Runtime,
    http: Http,
    heard: Receiver<String>,
    ben: Actor,
    ana: Actor,
    task: Uuid,
}

impl Plain {
    fn new(folder: &std::path::Path) -> Result<Self> {
        let entities = data::entities(100);
        let body = data::snapshot(&entities);
        let phone = |name: &str| -> Result<Actor> {
            let path = folder.join(name);
            plain::ingest(&mut plain::create(&path)?, &body)?;
            Actor::start(&path, data::assignee())
        };
        let (ben, ana) = (phone("plain-ben.sqlite")?, phone("plain-ana.sqlite")?);
        let task = entities.iter().find_map(|entity| match entity {
            Entity::Task(task) if task.assigned_to == Some(data::assignee()) => Some(task.id),
            _ => None,
        });
        let server = plain_server::start_saving(&folder.join("log.sqlite"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut socket = runtime.block_on(dial(&plain_server::dials(&server, 1)[0]))?;
        let (tell, heard) = channel();
        runtime.spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                if tell.send(message.to_string()).is_err() {
                    return;
                }
            }
        });
        let http = Http::connect(server.address)?;
        Ok(Self { _server: server, _runtime: runtime, http, heard, ben, ana, task: task.ok_or("no task")? })
    }

    fn tell(&mut self, title: String) -> Result<f64> {
        let doc = serde_json::json!([{ "id": self.task, "title": title }]).to_string();
        let begun = Instant::now();
        self.ben.edit(self.task, title)?;
        self.http.post("/save", &doc)?;
        let heard: serde_json::Value = serde_json::from_str(&self.heard.recv()?)?;
        let title = heard["title"].as_str().ok_or("an odd text")?;
        self.ana.edit(self.task, title.to_owned())?;
        Ok(millis(begun.elapsed()))
    }
}
