//! The engine: one entry point, one state.

use innsync_domain::Uuid;

use crate::clock::Now;
use crate::input::{Input, Session};
use crate::output::Output;
use crate::store::{Batch, StoreError, StoreRead};

/// Who and where the engine works for.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The person's employee id.
    pub employee: Uuid,
    /// The phone's name, stable over restarts.
    pub device: String,
    /// Which boot of the phone this is.
    pub boot_id: String,
    /// The seed of the engine's randomness (jitter).
    pub seed: u64,
}

/// What an input does: to be written, then done.
#[derive(Debug, Clone)]
pub struct Step {
    /// To be committed in one transaction; empty: nothing to commit.
    pub batch: Batch,
    outputs: Vec<Output>,
    next: State,
}

/// The engine could not prepare a step.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// Reading the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone)]
struct State {}

/// The phone's sync engine.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    state: State,
}

impl Engine {
    /// The engine over what the store has; operations that were sent but not answered will be sent again.
    pub fn open(config: Config, session: Option<Session>, now: Now, store: &dyn StoreRead) -> Result<Self, EngineError> {
        let _ = (session, now, store);
        Ok(Self { config, state: State {} })
    }

    /// What `input` does at `now`. Pure: nothing changes until the batch is committed and [`Engine::apply`] is called.
    pub fn prepare(&self, now: Now, input: Input, store: &dyn StoreRead) -> Result<Step, EngineError> {
        let _ = (&self.config, now, input, store);
        Ok(Step { batch: Batch::default(), outputs: Vec::new(), next: self.state.clone() })
    }

    /// Takes over a committed step and hands out what is to be done, in order.
    pub fn apply(&mut self, step: Step) -> Vec<Output> {
        self.state = step.next;
        step.outputs
    }

    /// When [`Input::Tick`] is due (in `boot_ms`), and why.
    pub fn next_deadline(&self) -> Option<(u64, &'static str)> {
        None
    }
}
