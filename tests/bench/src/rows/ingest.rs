//! A snapshot's bytes in memory become rows in tables, and the cursor is set.

use crate::measure::{Pair, millis, timed};
use crate::phone::Phone;
use crate::report::{Bound, Row};
use crate::{Result, Scale, data, machine, plain};

pub(crate) const NAME: &str = "ingest";

/// The first snapshot of a new phone; then another over it, which is staged and swapped in whole.
pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let body = data::snapshot(&data::entities(scale.tasks));
    let folder = machine::folder()?;
    let path = |name: &str, round: usize| folder.path().join(format!("{name}-{round}.sqlite"));
    let mut again = Pair::default();
    let first = Pair::interleave(
        scale.rounds,
        |round| {
            let mut phone = Phone::new(&path("ours", round))?;
            let ((), first) = timed(|| phone.ingest(&body))?;
            phone.refetch()?;
            let ((), second) = timed(|| phone.ingest(&body))?;
            if round > 0 {
                again.ours.push(millis(second));
            }
            Ok(millis(first))
        },
        |round| {
            let mut connection = plain::create(&path("plain", round))?;
            let ((), first) = timed(|| plain::ingest(&mut connection, &body))?;
            let ((), second) = timed(|| plain::ingest(&mut connection, &body))?;
            if round > 0 {
                again.baseline.push(millis(second));
            }
            Ok(millis(first))
        },
    )?;
    let row = |name: &str, pair: &Pair| {
        Row::new(format!("{NAME}: {name}"), "ms", pair.ours.median(), pair.baseline.median())
    };
    Ok(vec![row("the first snapshot", &first).at_most(Bound::Ratio(2.0)), row("another, swapped in", &again)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_give_the_same_tasks_in_the_same_order() {
        let body = data::snapshot(&data::entities(200));
        let folder = machine::folder().unwrap();
        let mut phone = Phone::new(&folder.path().join("ours.sqlite")).unwrap();
        let mut connection = plain::create(&folder.path().join("plain.sqlite")).unwrap();
        for _ in 0..2 {
            phone.ingest(&body).unwrap();
            phone.refetch().unwrap();
            plain::ingest(&mut connection, &body).unwrap();
            let ours = phone.query(&crate::phone::question(data::assignee())).unwrap();
            let ours: Vec<plain::Task> =
                ours.iter().map(|entity| serde_json::from_str(&entity.to_json()).unwrap()).collect();
            assert_eq!(ours.len(), 2);
            assert_eq!(ours, plain::query(&connection, data::assignee(), "PENDING").unwrap());
        }
    }
}
