//! One input: prepare, commit, apply, carry out. And what is done when something of it fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use innsync_engine::{ClientEvent, EngineError, Input, Output, StoreError};

use super::Actor;
use crate::error::Error;

/// Why a step came to nothing.
enum Trouble {
    /// The database could not be read; the input is lost.
    Prepare(EngineError),
    /// The database could not be written; nothing of the step happened.
    Commit(StoreError),
}

impl Actor {
    /// Takes an input, all outputs of the one before being carried out.
    pub(crate) fn input(&mut self, input: Input) {
        let request = match &input {
            Input::Execute { request, .. } | Input::Edit { request, .. } | Input::Settle { request, .. } => {
                Some(*request)
            }
            _ => None,
        };
        if self.store.is_read_only() {
            // Nothing of what would follow could be kept.
            return self.refuse(request, Error::UpdateRequired);
        }
        match catch_unwind(AssertUnwindSafe(|| self.step(input))) {
            Ok(Ok(())) => {}
            Ok(Err(Trouble::Commit(error))) => {
                self.refuse(request, error.into());
                self.commit_failed();
            }
            Ok(Err(Trouble::Prepare(error))) => {
                self.refuse(request, error.into());
                self.recover();
            }
            Err(panic) => {
                let bug = Error::bug("a step panicked", &text_of(panic.as_ref()));
                self.tell_bug(&bug);
                self.refuse(request, bug);
                self.recover();
            }
        }
        if let Some(reply) = request.and_then(|request| self.executing.remove(&request)) {
            // Neither carried out nor refused: the engine forgot it.
            let _ = reply.send(Err(Error::bug("the engine gave no answer", &"to a command")));
        }
    }

    fn step(&mut self, input: Input) -> Result<(), Trouble> {
        let now = self.shared.now();
        self.kept.recorder.note(now, &input);
        let step = self.engine.prepare(now, input, &self.store).map_err(Trouble::Prepare)?;
        let written = self.store.commit(&step.batch).map_err(Trouble::Commit)?;
        let before = self.engine.cursor();
        let outputs = self.engine.apply(step);
        self.kept.observers.note(&written);
        self.visits.note(&written, self.engine.cursor() != before);
        // Replies last: whoever looks at the status after a command must find it counted.
        let (replies, told): (Vec<_>, Vec<_>) = outputs
            .into_iter()
            .partition(|output| matches!(output, Output::Executed { .. } | Output::UpToDate { .. }));
        for output in told.into_iter().chain(replies) {
            self.carry(output);
        }
        self.abort_requests();
        self.check_waiting();
        Ok(())
    }

    fn commit_failed(&mut self) {
        match catch_unwind(AssertUnwindSafe(|| self.step(Input::CommitFailed))) {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => self.recover(),
        }
    }

    /// Begins anew from what is on disk. Nothing that was saved is lost by it.
    fn recover(&mut self) {
        tracing::warn!("the engine begins anew from the database");
        match catch_unwind(AssertUnwindSafe(|| self.reopen_engine())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the engine cannot be opened again"),
            Err(panic) => {
                tracing::error!(panic = text_of(panic.as_ref()), "the engine cannot be opened again")
            }
        }
    }

    /// Runs something on this thread that must not end it.
    pub(crate) fn guarded(&mut self, run: impl FnOnce(&mut Self)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(self))) {
            let bug = Error::bug("a job panicked", &text_of(panic.as_ref()));
            self.tell_bug(&bug);
        }
    }

    fn refuse(&mut self, request: Option<u64>, error: Error) {
        if let Some(reply) = request.and_then(|request| self.executing.remove(&request)) {
            let _ = reply.send(Err(error));
        }
    }

    fn tell_bug(&self, bug: &Error) {
        let event = match bug {
            Error::Bug(id) => ClientEvent::Bug { id: id.clone() },
            other => ClientEvent::Error { detail: other.to_string() },
        };
        self.shared.event(&event);
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, ConnectionState, Error, Options, Uuid, open};
    use innsync_domain::Command;
    use std::time::Duration;

    /// Ben's phone, on which he signed in at some time; no server is there.
    fn ben(phone: &std::path::Path) -> crate::InnSync {
        let options = Options::new("http://127.0.0.1:1", "seaside", "ben", phone);
        let opening = crate::opening::Opening::new(options.clone()).unwrap();
        let account = Account {
            server: options.server.clone(),
            property: "seaside".into(),
            person: "ben".into(),
            employee: Uuid::from_u128(0xb),
            name: "Ben".into(),
            device: "handset-1".into(),
        };
        opening.files.save_account(&account).unwrap();
        open(options).unwrap()
    }

    #[tokio::test]
    async fn a_panic_on_the_thread_is_a_bug_with_an_id_and_nothing_more() {
        let phone = tempfile::tempdir().unwrap();
        let ben = ben(phone.path());
        let events = ben.events();
        let answer = ben.ask(|_| -> Result<(), Error> { panic!("a mistake of ours") }).await;
        assert!(matches!(answer, Err(Error::Bug(_))), "{answer:?}");
        assert!(matches!(events.next().await, Some(ClientEvent::Bug { .. })));
        assert!(ben.outbox().await.unwrap().is_empty(), "it works on");
    }

    #[tokio::test]
    async fn a_new_engine_goes_on_where_the_old_one_was() {
        let phone = tempfile::tempdir().unwrap();
        let ben = ben(phone.path());
        ben.connect();
        ben.ask(|actor| {
            let before = actor.kept.incarnation;
            actor.recover();
            assert_eq!(actor.kept.incarnation, before + 1);
            Ok(())
        })
        .await
        .unwrap();
        // Without tokens it can't connect, but it wants to, as before.
        let wants = ben.ask(|actor| Ok(actor.kept.connect)).await.unwrap();
        assert!(wants);
        assert_ne!(ben.connection_state(), ConnectionState::Connected);
        let refused = ben.execute(Command::StartTask { task_id: Uuid::nil() }).await;
        assert!(matches!(refused, Err(Error::Rejected(_))), "{refused:?}");
        assert_eq!(ben.up_to_date(Duration::from_millis(100)).await, Err(Error::Timeout));
    }
}
