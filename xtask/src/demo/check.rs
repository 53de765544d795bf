//! Verdicts: what must be so at the end of a scene, read from the phones and the server.

use super::stage::Stage;

#[derive(Default)]
pub(crate) struct Verdicts {
    all: Vec<(String, Vec<(bool, String)>)>,
}

impl Verdicts {
    /// The verdicts from now on belong to this scenario.
    pub(crate) fn scenario(&mut self, name: &str) {
        self.all.push((name.to_owned(), Vec::new()));
    }

    /// Notes a verdict and prints it.
    pub(crate) fn note(&mut self, stage: &Stage, holds: bool, what: &str) {
        stage.verdict(holds, what);
        if let Some((_, verdicts)) = self.all.last_mut() {
            verdicts.push((holds, what.to_owned()));
        }
    }

    /// Prints a line for each scenario and returns how many verdicts are false.
    pub(crate) fn print(&self, stage: &Stage) -> usize {
        stage.scene("each verdict was read from the phones' databases and from the server", "Verdicts");
        let mut failed = 0;
        for (name, verdicts) in &self.all {
            let wrong = verdicts.iter().filter(|(holds, _)| !holds).count();
            failed += wrong;
            stage.verdict(
                wrong == 0,
                &format!("{name}: {} of {} hold", verdicts.len() - wrong, verdicts.len()),
            );
        }
        let total: usize = self.all.iter().map(|(_, verdicts)| verdicts.len()).sum();
        match failed {
            0 => stage.verdict(true, &format!("all {total} verdicts hold")),
            failed => stage.verdict(false, &format!("{failed} of {total} verdicts are false")),
        }
        failed
    }
}
