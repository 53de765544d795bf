//! A hundred rows by assignee and status, in order.

use crate::measure::{Pair, micros, timed};
use crate::phone::{Phone, question};
use crate::report::{Bound, Row};
use crate::{Result, Scale, data, machine, plain};

pub(crate) const NAME: &str = "query";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let body = data::snapshot(&data::entities(scale.tasks));
    let folder = machine::folder()?;
    let mut phone = Phone::new(&folder.path().join("ours.sqlite"))?;
    phone.ingest(&body)?;
    let mut connection = plain::create(&folder.path().join("plain.sqlite"))?;
    plain::ingest(&mut connection, &body)?;
    let (assignee, question) = (data::assignee(), question(data::assignee()));
    let pair = Pair::interleave(
        scale.samples,
        |_| Ok(micros(timed(|| phone.query(&question))?.1)),
        |_| Ok(micros(timed(|| plain::query(&connection, assignee, "PENDING"))?.1)),
    )?;
    let row = |share: f64, name: &str| {
        Row::new(
            format!("{NAME}: 100 rows, {name}"),
            "µs",
            pair.ours.quantile(share),
            pair.baseline.quantile(share),
        )
    };
    Ok(vec![row(0.5, "p50").at_most(Bound::Ratio(1.2)), row(0.99, "p99")])
}
