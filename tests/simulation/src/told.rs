//! A plan in words.

use std::fmt;

use crate::people::PEOPLE;
use crate::plan::{Hint, Plan, Releases, Step, What};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = serde_json::to_value(self.faults).unwrap_or_default();
        let off = ["delayMinMs", "delayMaxMs", "tokenMs", "releases"];
        let on: Vec<String> = faults
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, chance)| !off.contains(&name.as_str()) && chance.as_u64() != Some(0))
            .map(|(name, chance)| format!("{name} {chance}"))
            .collect();
        write!(f, "{} people; packets take up to {} ms", self.people, self.faults.delay_max_ms)?;
        if !on.is_empty() {
            write!(f, "; of a thousand: {}", on.join(", "))?;
        }
        if self.faults.token_ms > 0 {
            write!(f, "; tokens are good for {} ms", self.faults.token_ms)?;
        }
        if self.faults.releases != Releases::Same {
            write!(f, "; {:?}", self.faults.releases)?;
        }
        writeln!(f)?;
        for (field, policy, _) in self.policies.table().filter(|(_, _, chosen)| *chosen) {
            writeln!(f, "  of {field}: {policy}")?;
        }
        for disk in &self.disks {
            writeln!(f, "  {}'s disk: {:?}", name(disk.who), disk.faults)?;
        }
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}.{:03} {}", self.at / 1000, self.at % 1000, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act { who, deed, pick } => write!(f, "{} does {deed:?} (pick {pick})", name(*who)),
            Self::Decide { who, pick } if pick.is_multiple_of(2) => {
                write!(f, "{} tries again what is parked", name(*who))
            }
            Self::Decide { who, .. } => write!(f, "{} discards what is parked", name(*who)),
            Self::Settle { who, pick } => write!(f, "{} settles a conflict (pick {pick})", name(*who)),
            Self::Crash { who, point, down_ms, reboot } => {
                let what = if *reboot { "phone" } else { "app" };
                write!(f, "{}'s {what} dies ({point:?}), for {down_ms} ms", name(*who))
            }
            Self::RestartServer { down_ms } => write!(f, "the server stops, for {down_ms} ms"),
            Self::Close { who, down_ms } => write!(f, "{}'s app is closed, for {down_ms} ms", name(*who)),
            Self::Partition { who, ms, told } => {
                let told = if *told { "" } else { ", untold" };
                write!(f, "{} has no network for {ms} ms{told}", name(*who))
            }
            Self::CutSocket { who, side } => write!(f, "{}'s socket dies; told: {side:?}", name(*who)),
            Self::SetClock { who, by_ms } => write!(f, "{}'s clock jumps by {by_ms} ms", name(*who)),
            Self::Foreground { who } => write!(f, "{}'s app comes to the foreground", name(*who)),
            Self::RevokeAccess { who } => write!(f, "{}'s access token is revoked", name(*who)),
            Self::EndSession { who, ms } => {
                write!(f, "{}'s session ends, a sign-in follows after {ms} ms", name(*who))
            }
            Self::Refetch { who } => write!(f, "{} fetches everything anew", name(*who)),
            Self::ClearCache { who } => write!(f, "{} clears the cache", name(*who)),
            Self::ClearKind { who, kind } => write!(f, "{} clears all of kind {kind}", name(*who)),
            Self::Disconnect { who, ms } => write!(f, "{} disconnects for {ms} ms", name(*who)),
            Self::TrimLog { keep } => write!(f, "the server forgets the log but for {keep} commits"),
            Self::BackUp => write!(f, "a backup is taken"),
            Self::Restore { down_ms, declared } => {
                let declared = if *declared { "another epoch" } else { "and nobody says so" };
                write!(f, "the backup is restored within {down_ms} ms, {declared}")
            }
            Self::Suspend { who, ms } => write!(f, "{}'s app is frozen for {ms} ms", name(*who)),
            Self::OneWay { who, ms, up } => {
                let way = if *up { "sends" } else { "is sent" };
                write!(f, "for {ms} ms nothing arrives that {} {way}", name(*who))
            }
            Self::Dismiss { who, ms } => {
                write!(f, "maria takes {} off the staff, and back after {ms} ms", name(*who))
            }
            Self::Background { who, budget_ms, ms } => {
                let name = name(*who);
                write!(
                    f,
                    "{name}'s app goes to the background, within {budget_ms} ms, and stays there for {ms} ms"
                )
            }
            Self::Push { who, budget_ms, hint } => {
                write!(f, "a push wakes {}'s app, for {budget_ms} ms", name(*who))?;
                let Some(Hint { late_ms, again_ms, with_mark }) = hint else { return Ok(()) };
                let mark = if *with_mark { " by its mark" } else { "" };
                write!(f, ", unless it has what the server has now{mark}; {late_ms} ms late")?;
                again_ms.map_or(Ok(()), |ms| write!(f, ", and again after {ms} ms"))
            }
            Self::CopyPhone { who } => write!(f, "{}'s database comes onto another phone", name(*who)),
        }
    }
}

fn name(who: usize) -> &'static str {
    PEOPLE.get(who).map_or("somebody", |human| human.name)
}
