//! What must hold in the end, by the ledger and by what every phone said.

use std::collections::BTreeMap;

use innsync_client::{Command, Uuid};

use super::ledger::Ledger;
use super::talk::{Rows, Said, Shown};
use super::{Person, Ran, Round};
use crate::toxic::Befallen;

/// What a person was told of their operations.
#[derive(Default)]
struct Told {
    /// Saved, by the command.
    saved: BTreeMap<Uuid, Option<Command>>,
    /// Parked, for that reason, and discarded or tried again as another.
    parked: BTreeMap<Uuid, String>,
}

impl Told {
    fn by(person: &Person) -> Self {
        let mut told = Self::default();
        for said in person.said_after(0) {
            match said {
                Said::Saved { id, command } => drop(told.saved.insert(id, Some(command))),
                Said::GivenUp { id, reason } => drop(told.parked.insert(id, reason)),
                Said::Again { id, reason, under } => {
                    told.parked.insert(id, reason);
                    told.saved.insert(under, None);
                }
                Said::Open | Said::Waiting { .. } | Said::Tidy | Said::Shows(_) | Said::Failed { .. } => {}
            }
        }
        told
    }
}

impl Round {
    pub(super) fn check(&mut self, shown: Vec<(Shown, Rows)>) -> Result<Ran, Vec<String>> {
        let mut wrong = Vec::new();
        let mut ran = Ran { servers_killed: self.servers_killed, ..Ran::default() };
        for (person, (shown, fresh)) in self.people.iter().zip(&shown) {
            ran.phones_killed += person.kills;
            add(&mut ran.befallen, person.network.befallen());
            wrong.extend(phone_is_right(person.name, shown, fresh));
        }
        for person in &mut self.people {
            person.kill();
        }
        self.server.kill();
        let ledger = Ledger::read(&self.data).map_err(|what| vec![format!("RUN: {what}")])?;
        for person in &self.people {
            let told = Told::by(person);
            ran.saved += told.saved.len();
            ran.parked += told.parked.len();
            wrong.extend(operations_are_right(person, &told, &ledger));
        }
        wrong.extend(self.nothing_else_was_done(&ledger));
        if wrong.is_empty() { Ok(ran) } else { Err(wrong) }
    }

    /// G2: each commit is of one operation.
    fn nothing_else_was_done(&self, ledger: &Ledger) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut of: BTreeMap<u64, Uuid> = BTreeMap::new();
        for (id, seq) in &ledger.outcomes {
            if let Some(other) = seq.and_then(|seq| of.insert(seq, *id)) {
                wrong.push(format!("G2: {id} and {other} share a commit"));
            }
        }
        for seq in ledger.commits.iter().filter(|seq| **seq > self.begin) {
            if of.remove(seq).is_none() {
                wrong.push(format!("G2: no operation asked for commit {seq}"));
            }
        }
        wrong.extend(
            of.iter().map(|(seq, id)| format!("G2: {id} is told to be commit {seq}, which there is not")),
        );
        wrong
    }
}

fn add(all: &mut Befallen, some: Befallen) {
    all.connections += some.connections;
    all.cut += some.cut;
    all.reset += some.reset;
    all.mute += some.mute;
    all.refused += some.refused;
    all.portal += some.portal;
}

/// G9, G10, G11.
fn phone_is_right(name: &str, shown: &Shown, fresh: &Rows) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(error) = &shown.barrier {
        wrong.push(format!("G11: {name} is not up to date: {error}"));
    }
    if let Some(what) = &shown.status {
        wrong.push(format!("G10: {name}'s phone says that {what}"));
    }
    let ids = shown.rows.keys().chain(fresh.keys());
    let odd: std::collections::BTreeSet<&String> =
        ids.filter(|id| shown.rows.get(*id) != fresh.get(*id)).collect();
    if let Some(id) = odd.first() {
        let (mine, theirs) = (shown.rows.get(*id), fresh.get(*id));
        wrong.push(format!(
            "G9: of {} rows, {name}'s phone shows {} otherwise than a fresh one, as {id}:\n    {mine:?}\n    {theirs:?}",
            fresh.len(),
            odd.len(),
        ));
    }
    wrong
}

/// G1, G2: what a person saw saved took effect once, or was parked with a reason and had none.
fn operations_are_right(person: &Person, told: &Told, ledger: &Ledger) -> Vec<String> {
    let name = person.name;
    let mut wrong = Vec::new();
    for (id, command) in &told.saved {
        let what = command.as_ref().map_or("operation, tried again", Command::name);
        let outcome = ledger.outcomes.get(id).copied();
        match (told.parked.get(id), outcome) {
            (Some(_), None | Some(None)) | (None, Some(Some(_))) => {}
            (Some(reason), Some(Some(seq))) => {
                wrong
                    .push(format!("G2: {name}'s {what} {id} was parked ({reason}), and took effect ({seq})"));
            }
            // A read mark that is refused is forgotten: there is nothing that a person could decide.
            (None, Some(None)) if command.as_ref().is_some_and(Command::is_cosmetic) => {}
            (None, Some(None)) => {
                wrong.push(format!("G1: {name}'s {what} {id} was saved and refused, and nobody was told"));
            }
            (None, None) => wrong.push(format!("G1: {name}'s {what} {id} was saved, and is gone")),
        }
        if let (Some(command), Some(Some(_))) = (command, outcome)
            && let Some((made, times)) = made(command, ledger)
            && times != 1
        {
            wrong.push(format!("G2: {name}'s {what} {id} made {made} {times} times"));
        }
    }
    for (id, reason) in &told.parked {
        if reason.trim().is_empty() {
            wrong.push(format!("G24: {name}'s {id} was parked without a reason"));
        }
    }
    // What was saved when the phone was killed before it could say so, and what was parked of it.
    let me = told.saved.keys().find_map(|id| ledger.authors.get(id));
    let theirs = ledger.authors.iter().filter(|(_, author)| Some(*author) == me);
    let unsaid = theirs.filter(|(id, _)| !told.saved.contains_key(*id)).count();
    if unsaid > person.kills {
        wrong.push(format!(
            "G2: the ledger has {unsaid} operations of {name} that nobody saw saved; the phone was killed {} times",
            person.kills
        ));
    }
    wrong
}

/// What that command made, and how often it is there.
fn made(command: &Command, ledger: &Ledger) -> Option<(Uuid, usize)> {
    let (id, of) = match command {
        Command::CreateTask { task_id: id, .. }
        | Command::RaiseEmergency { task_id: id, .. }
        | Command::CreateNote { note_id: id, .. }
        | Command::Announce { announcement_id: id, .. } => (*id, &ledger.made),
        Command::AddComment { comment_id: id, .. } => (*id, &ledger.comments),
        _ => return None,
    };
    Some((id, of.get(&id).copied().unwrap_or_default()))
}
