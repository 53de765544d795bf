//! A database that is there is opened, and the first hundred rows are read. The file is in the system's cache.

use crate::measure::{Pair, millis, timed};
use crate::phone::{Phone, question};
use crate::report::{Bound, Row};
use crate::{Result, Scale, data, handle, machine, plain};

pub(crate) const NAME: &str = "open";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let body = data::snapshot(&data::entities(scale.tasks));
    let folder = machine::folder()?;
    let (ours, theirs) = (folder.path().join("ours.sqlite"), folder.path().join("plain.sqlite"));
    Phone::new(&ours)?.ingest(&body)?;
    plain::ingest(&mut plain::create(&theirs)?, &body)?;
    let (assignee, question) = (data::assignee(), question(data::assignee()));
    let plainly = || {
        let (_connection, time) = timed(|| {
            let connection = plain::open(&theirs)?;
            plain::query(&connection, assignee, "PENDING")?;
            Ok(connection)
        })?;
        Ok(millis(time))
    };
    let store = Pair::interleave(
        scale.openings,
        |_| {
            let (_store, time) = timed(|| {
                let store = innsync_store::Store::open(&ours)?;
                store.query(&question)?;
                Ok(store)
            })?;
            Ok(millis(time))
        },
        |_| plainly(),
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (innsync, server) = handle::filled(&runtime, folder.path(), body.clone())?;
    runtime.block_on(innsync.close());
    let whole = Pair::interleave(
        scale.openings,
        |_| {
            let (innsync, time) = timed(|| {
                let innsync = innsync_client::open(handle::options(server, folder.path()))?;
                runtime.block_on(innsync.live(question.clone()).next()).ok_or("the live query ended")?;
                Ok(innsync)
            })?;
            runtime.block_on(innsync.close());
            Ok(millis(time))
        },
        |_| plainly(),
    )?;
    let row = |name: &str, pair: &Pair| {
        Row::new(format!("{NAME}: {name}"), "ms", pair.ours.median(), pair.baseline.median())
    };
    Ok(vec![
        row("store to first 100 rows", &store).at_most(Bound::Ratio(2.0)),
        row("whole handle to first rows", &whole),
    ])
}
