//! The seed's §7.1 and a working day against the real server, whose program stands beside this one after
//! `cargo build --profile ci -p innsync-server`, or is named by `INNSYNC_SERVER`.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::time::Duration;

use common::{reaches, until};
use innsync_client::{Command, ConnectionState, InnSync, Options, Outcome, sign_in};

const LONG: Duration = Duration::from_secs(20);

struct Server(Child, String);

impl Server {
    fn start(data: &Path, listen: &str) -> Self {
        let beside = || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("innsync-server");
        let program = std::env::var_os("INNSYNC_SERVER").map_or_else(beside, PathBuf::from);
        let mut program = Program::new(program);
        program.args(["serve", "--demo", "--listen", listen, "--data"]).arg(data.join("ledger.db"));
        let mut child = program.env("RUST_LOG", "error").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self(child, url)
    }

    async fn sign_in(&self, person: &str, phone: &Path) -> InnSync {
        sign_in(Options::new(&self.1, "seaside", person, phone).device("handset"), "demo").await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "needs the server's program"]
async fn should_connect_reconnect_and_queue() {
    let (data, phone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), "127.0.0.1:0");
    let ana = server.sign_in("ana", phone.path()).await;
    let states = ana.watch_connection();
    ana.send(r#"{"type":"TEST","data":"test"}"#).unwrap();
    ana.connect();
    reaches(&states, ConnectionState::Connected).await;
    until(&ana.watch_status(), |status| status.has_data).await;
    ana.up_to_date(LONG).await.unwrap();
    let listen = server.1.trim_start_matches("http://").to_owned();
    drop(server);
    reaches(&states, ConnectionState::Reconnecting).await;
    let _server = Server::start(data.path(), &listen);
    reaches(&states, ConnectionState::Connected).await;
    ana.up_to_date(LONG).await.unwrap();
}

#[tokio::test]
#[ignore = "needs the server's program"]
async fn what_maria_assigns_ana_sees_does_and_reports() {
    let (data, phones) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), "127.0.0.1:0");
    let ana = server.sign_in("ana", phones.path()).await;
    let maria = server.sign_in("maria", phones.path()).await;
    for innsync in [&ana, &maria] {
        innsync.connect();
        until(&innsync.watch_status(), |status| status.has_data).await;
    }
    let (tasks, inbox) = (ana.watch::<innsync_client::MyTasks>(), ana.inbox().await.unwrap());
    let task_id = maria.new_id();
    let create: Command = serde_json::from_value(serde_json::json!({
        "type": "CREATE_TASK", "taskId": task_id, "title": "Clean Suite 101", "assignedTo": ana.account().employee,
    }))
    .unwrap();
    let receipt = maria.execute(create).await.unwrap();
    assert_eq!(maria.settled(receipt.id, LONG).await.unwrap(), Outcome::Confirmed);
    until(&tasks, |tasks| tasks.tasks.iter().any(|card| card.task.id == task_id)).await;
    ana.up_to_date(LONG).await.unwrap();
    assert!(ana.inbox().await.unwrap().unread_count > inbox.unread_count);
    let done = [Command::StartTask { task_id }, Command::CompleteTask { task_id }];
    for command in done {
        let receipt = ana.execute(command).await.unwrap();
        assert_eq!(ana.settled(receipt.id, LONG).await.unwrap(), Outcome::Confirmed);
    }
    maria.up_to_date(LONG).await.unwrap();
    let task = maria.stores().tasks().get(task_id).await.unwrap().unwrap();
    assert_eq!(task.status.as_str(), "COMPLETED");
}
