//! What others did becomes rows on the phone: the frames' text is read, each frame one transaction on the disk.

use crate::measure::{Pair, micros, timed};
use crate::phone::Phone;
use crate::report::Row;
use crate::{Result, Scale, data, machine, plain};

pub(crate) const NAME: &str = "apply";

/// Changes in a round: as many as come at once after an hour away; and some one by one.
const AT_ONCE: usize = 2_000;
const PER_FRAME: usize = 200;
const ONE_BY_ONE: usize = 200;

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let entities = data::entities(scale.tasks);
    let body = data::snapshot(&entities);
    let folder = machine::folder()?;
    let mut phone = Phone::new(&folder.path().join("ours.sqlite"))?;
    phone.ingest(&body)?;
    phone.link()?;
    let mut connection = plain::create(&folder.path().join("plain.sqlite"))?;
    plain::ingest(&mut connection, &body)?;
    let mut changes = data::Changes::of(&entities);
    let mut rows = Vec::new();
    for (name, count, per_frame) in [("by 200", AT_ONCE, PER_FRAME), ("one by one", ONE_BY_ONE, 1)] {
        // The same texts for both, made before they are timed.
        let rounds: Vec<Vec<String>> =
            (0..=scale.rounds).map(|_| changes.frames(count / per_frame, per_frame)).collect();
        let each = count as f64;
        let pair = Pair::interleave(
            scale.rounds,
            |round| Ok(micros(timed(|| phone.hear(&rounds[round]))?.1) / each),
            |round| {
                let apply = || {
                    rounds[round].iter().try_for_each(|text| plain::apply(&mut connection, text).map(drop))
                };
                Ok(micros(timed(apply)?.1) / each)
            },
        )?;
        rows.push(Row::new(
            format!("{NAME}: a change, {name}"),
            "µs",
            pair.ours.median(),
            pair.baseline.median(),
        ));
    }
    phone.is_at(changes.head())?;
    Ok(rows)
}
