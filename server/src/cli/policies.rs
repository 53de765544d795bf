//! `innsync-server policies`

use std::io::Write;

use super::CliError;
use super::args::{Policies, PolicyChoice};
use super::staff::{authority, existing};

pub(super) fn policies(options: Policies, out: &mut impl Write) -> Result<(), CliError> {
    existing(&options.data.data)?;
    let mut authority = authority(&options.data.data)?;
    let mut policies = authority.policies(&options.property)?;
    let choices = options.set.into_iter().map(|PolicyChoice { field, policy }| (field, Some(policy)));
    let changes: Vec<_> = choices.chain(options.reset.into_iter().map(|field| (field, None))).collect();
    for (field, policy) in &changes {
        policies.choose(field, policy.clone()).map_err(|error| CliError::Usage(error.to_string()))?;
    }
    if !changes.is_empty() {
        authority.set_policies(&options.property, &policies)?;
    }
    for (field, policy, chosen) in policies.table() {
        let by = if chosen { "  chosen by the property" } else { "" };
        writeln!(out, "{field:<24} {policy}{by}")?;
    }
    Ok(())
}
