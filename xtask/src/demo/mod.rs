//! `cargo xtask demo`: a motel's day, played by a real server process and five real phones on this machine.

mod basement;
mod check;
mod scenes;
mod stage;
mod texts;

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use innsync_e2e::{PASSWORD, PROPERTY, Phone, Server};

use crate::cargo::{PROFILE, cargo, step};
use check::Verdicts;
use stage::Stage;

pub(crate) use basement::{Args as BasementArgs, run as run_basement};

/// How the story is told.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Prints plain lines, without colour and without pauses for reading.
    #[arg(long)]
    headless: bool,
    /// Leaves the server up at the end, and says how to try it.
    #[arg(long)]
    serve: bool,
    /// Takes the server that is built already.
    #[arg(long, hide = true)]
    built: bool,
}

/// Everything that the scenes play with.
struct World {
    server: Server,
    maria: Phone,
    sam: Phone,
    ana: Phone,
    ben: Phone,
    miguel: Phone,
    stage: Stage,
    verdicts: Verdicts,
    /// How many effects of each phone have been printed.
    printed: BTreeMap<&'static str, usize>,
}

impl World {
    /// All phones, in the order of the table.
    fn phones(&self) -> [&Phone; 5] {
        [&self.maria, &self.sam, &self.ana, &self.ben, &self.miguel]
    }

    /// Begins a scene, with the name under which its verdicts are counted. What the phones told before is over.
    fn scene(&mut self, scenario: &str, source: &str, title: &str) {
        self.stage.scene(source, title);
        self.verdicts.scenario(scenario);
        for phone in [&self.maria, &self.sam, &self.ana, &self.ben, &self.miguel] {
            let printed = self.printed.entry(phone.name).or_default();
            *printed += phone.told_after(*printed).len();
        }
    }

    /// Prints what these people's phones have told them since the scene began, or the last time.
    fn print_told(&mut self, names: &[&'static str]) {
        for phone in [&self.maria, &self.sam, &self.ana, &self.ben, &self.miguel] {
            if names.contains(&phone.name) {
                let printed = self.printed.entry(phone.name).or_default();
                let effects = phone.told_after(*printed);
                *printed += effects.len();
                effects.iter().for_each(|effect| self.stage.shows(phone.name, &texts::effect(effect)));
            }
        }
    }

    /// A line for each phone: connection, tasks, unread, outbox.
    async fn print_phones(&self) {
        for phone in self.phones() {
            let status = phone.innsync.status();
            let tasks = phone.innsync.my_tasks().await.map(|mine| mine.tasks.len()).unwrap_or_default();
            let parked =
                if status.parked > 0 { format!(", {} parked", status.parked) } else { String::new() };
            self.stage.row(&format!(
                "{:<7} {:<13} my tasks {tasks:>2}   unread {:>2}   outbox {:>2}{parked}",
                phone.name,
                status.connection.as_str(),
                phone.unread().await,
                status.pending_changes,
            ));
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    if !args.built {
        step(
            "building the server",
            &mut cargo(&["build", "--quiet", "--profile", PROFILE, "--package", "innsync-server"]),
        )?;
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(play(args))
}

async fn play(args: &Args) -> Result<(), String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let stage = Stage::new(args.headless);
    stage.scene(
        "a server process with the Seaside Motel, and five phones on this machine",
        "The shift begins",
    );
    let server = Server::start(&directory.path().join("ledger.sqlite"))?;
    stage.say("server", &format!("listens on {} (its own process, SQLite ledger)", server.url()));

    let phone = |name| Phone::sign_in(name, server.url(), directory.path());
    let mut world = World {
        maria: phone("maria").await?,
        sam: phone("sam").await?,
        ana: phone("ana").await?,
        ben: phone("ben").await?,
        miguel: phone("miguel").await?,
        server,
        stage,
        verdicts: Verdicts::default(),
        printed: BTreeMap::new(),
    };
    scenes::opening(&mut world).await?;
    scenes::assignment(&mut world).await?;
    scenes::completion(&mut world).await?;
    scenes::checkout(&mut world).await?;
    scenes::emergency(&mut world).await?;
    scenes::basement(&mut world).await?;
    scenes::conflict(&mut world).await?;
    scenes::edits(&mut world).await?;
    scenes::agreement(&mut world).await?;

    let failed = world.verdicts.print(&world.stage);
    if args.serve {
        leave_up(world.server.url(), &world.stage).await;
    }
    for phone in world.phones() {
        phone.innsync.close().await;
    }
    match failed {
        0 => Ok(()),
        failed => Err(format!("{failed} verdict(s) are false")),
    }
}

/// Says how to try the server, and waits for Ctrl-C.
async fn leave_up(url: &str, stage: &Stage) {
    let socket = url.replace("http://", "ws://");
    stage.scene("Ctrl-C ends it", "The server is still up: try it");
    anstream::println!(
        "
  Everybody (maria, sam, ana, ben, miguel) has the password {PASSWORD:?}.

  curl -s {url}/v1/sessions -H 'Content-Type: application/json' \\
    -d '{{\"property\":{PROPERTY:?},\"person\":\"ana\",\"password\":{PASSWORD:?},\"device\":\"curl\"}}'
  TOKEN=…   # the accessToken of the answer
  curl -s {url}/v1/tasks -H \"Authorization: Bearer $TOKEN\"
  npx wscat -c \"{socket}/v1/ws?token=$TOKEN\"
    > {{\"type\":\"HEARTBEAT\"}}
"
    );
    let _ = tokio::signal::ctrl_c().await;
}
