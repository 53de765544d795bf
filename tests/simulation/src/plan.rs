//! What a run does, decoded from its seed: which faults are on, and who does what when. A plan is a value: saved as JSON
//! it gives the same run again, and with steps taken out a shorter one.

use innsync_domain::{EntityKind, Policies};
use innsync_random::Random;
use serde::{Deserialize, Serialize};

use crate::contest;
use crate::people::{ANA, BEN, FEW, MARIA, PEOPLE};
use crate::workload::Deed;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The seed of everything that the plan does not say: delays, ids, which frame is hit.
    pub seed: u64,
    /// How bad the network is.
    pub faults: Faults,
    /// By how many milliseconds each phone's wall clock is wrong.
    pub skew_ms: Vec<i64>,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
    /// The phones whose database is a file on a disk that fails; the others' are in memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<DiskPlan>,
    /// How many people there are, each with a phone.
    #[serde(default = "few", skip_serializing_if = "is_few")]
    pub people: usize,
    /// How the property decides between edits, where that is not as the table says.
    #[serde(default, skip_serializing_if = "is_table")]
    pub policies: Policies,
}

fn is_table(policies: &Policies) -> bool {
    *policies == Policies::default()
}

fn few() -> usize {
    FEW
}

fn is_few(people: &usize) -> bool {
    *people == FEW
}

/// A phone's disk, and what goes wrong with it until all is calm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskPlan {
    /// Whose phone.
    pub who: usize,
    /// The faults.
    pub faults: Vec<DiskFault>,
}

/// A fault of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFault {
    /// SQLite's operations on the disk are counted from 1; the first that this may hit.
    pub operation: u64,
    /// What goes wrong.
    pub fault: Trouble,
}

/// What goes wrong with a disk. `times`: how many operations fail, of those that this can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
#[allow(missing_docs)]
pub enum Trouble {
    /// The app dies within the operation, and is started again after `down_ms`.
    Crash { down_ms: u64 },
    /// The phone's power fails within the operation. `seed` says what is left of what was not synced.
    PowerLoss { down_ms: u64, seed: u64 },
    /// The operation fails.
    Io { times: u64 },
    /// There is no space.
    Full { times: u64 },
    /// Another process has the lock.
    Busy { times: u64 },
}

/// How bad network and tokens are. Chances are thousandths of each frame or request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Faults {
    /// The shortest way of a packet, in milliseconds.
    pub delay_min_ms: u64,
    /// The longest.
    pub delay_max_ms: u64,
    /// A request never arrives.
    pub lose_request: u32,
    /// The request is carried out, but its answer never arrives.
    pub lose_answer: u32,
    /// The request arrives twice, the second time perhaps much later.
    pub duplicate: u32,
    /// The answer is a 500, 502 or 503, or a 429 with Retry-After.
    pub server_error: u32,
    /// The answer is a hotel Wi-Fi's own page.
    pub captive: u32,
    /// A snapshot's body breaks off.
    pub cut_body: u32,
    /// A socket breaks while it carries a frame.
    pub cut_socket: u32,
    /// A phone's transaction fails (disk full).
    pub commit_fails: u32,
    /// How long an access token is good, in milliseconds; 0: as good as for ever.
    pub token_ms: u64,
    /// Something between answers 401, 403, 404, 409 or 413, whether or not the request was carried out.
    #[serde(skip_serializing_if = "is_zero")]
    pub refuse: u32,
    /// An answer's body breaks off, and nothing says so.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut_answer: u32,
    /// An effect is not presented as long as the app runs.
    #[serde(skip_serializing_if = "is_zero")]
    pub unseen: u32,
    /// The app is busy when a frame comes, and takes it together with those that come meanwhile.
    #[serde(skip_serializing_if = "is_zero")]
    pub busy: u32,
    /// Commits in a page of the feed, and of the results in it a few; 0: as in earnest. Stays when all is calm.
    #[serde(skip_serializing_if = "is_zero")]
    pub page: u32,
    /// How long the ledger takes at most to tell the hub what a socket missed, in milliseconds; 0: a moment.
    #[serde(skip_serializing_if = "is_zero")]
    pub slow_ledger_ms: u32,
    /// Who watches a phone's database reads nothing for a while, or goes away, when something is committed.
    #[serde(skip_serializing_if = "is_zero")]
    pub absent: u32,
    /// The releases of app and server.
    #[serde(skip_serializing_if = "Releases::is_same")]
    pub releases: Releases,
}

fn is_zero(chance: &u32) -> bool {
    *chance == 0
}

/// How the server's release lies to the app's, until all is calm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Releases {
    /// They are of one release.
    #[default]
    Same,
    /// The server does not know what is optional.
    OlderServer,
    /// The server says more than the app knows: fields, frames, lines and kinds of entities.
    NewerServer,
}

impl Releases {
    fn is_same(&self) -> bool {
        *self == Self::Same
    }
}

/// Something happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When, in milliseconds from the start.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What happens. `who` counts the phones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
#[allow(missing_docs)]
pub enum What {
    /// A person does something; `pick` decides with what, among that which they see.
    Act { who: usize, deed: Deed, pick: u64 },
    /// A person looks at a parked operation, and tries it again or discards it.
    Decide { who: usize, pick: u64 },
    /// The app dies and is started again after `down_ms`; with `reboot` the whole phone.
    Crash { who: usize, point: CrashPoint, down_ms: u64, reboot: bool },
    /// The server's process is replaced: hub and authority are new, the ledger stays.
    RestartServer { down_ms: u64 },
    /// The app is closed in order, and opened again after `down_ms`.
    Close { who: usize, down_ms: u64 },
    /// No packet gets through for so long; with `told` the platform tells the app.
    Partition { who: usize, ms: u64, told: bool },
    /// The phone's socket dies.
    CutSocket { who: usize, side: Side },
    /// The phone's wall clock jumps.
    SetClock { who: usize, by_ms: i64 },
    /// The app comes to the foreground.
    Foreground { who: usize },
    /// The server does not take the phone's access token any more.
    RevokeAccess { who: usize },
    /// A person's session ends on the server: they must sign in again, and do after `ms`.
    EndSession { who: usize, ms: u64 },
    /// The app fetches all anew.
    Refetch { who: usize },
    /// The app forgets all but the outbox.
    ClearCache { who: usize },
    /// The app forgets all of one kind.
    ClearKind { who: usize, kind: EntityKind },
    /// The app disconnects, and connects again after `ms`.
    Disconnect { who: usize, ms: u64 },
    /// The server forgets the log but for the last `keep` commits.
    TrimLog { keep: u64 },
    /// A backup of the server's ledger is taken.
    BackUp,
    /// The server stops, and starts again from the last backup, if there is one. `declared`: it is told so, and begins
    /// another epoch; else only the marks of commits tell.
    Restore { down_ms: u64, declared: bool },
    /// The platform freezes the app for so long, and the phone's sockets are gone when it wakes.
    Suspend { who: usize, ms: u64 },
    /// For so long no packet gets through in one direction: none that the phone sends (`up`), or none that it is sent. The
    /// socket of that moment never recovers.
    OneWay { who: usize, ms: u64, up: bool },
    /// The phone's database comes onto another phone, and both go on with it.
    CopyPhone { who: usize },
    /// The app goes to the background, and is opened again after `ms`: it sends and fetches what it can within `budget_ms`,
    /// and is closed once nothing more comes of waiting. If it is not closed in time, the platform freezes it.
    Background { who: usize, budget_ms: u64, ms: u64 },
    /// A push wakes the app, for `budget_ms` at most where it is in the background; unless it says how far the feed has come,
    /// and the phone is there already.
    Push {
        who: usize,
        budget_ms: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<Hint>,
    },
    /// A person settles a conflict of theirs, by what they were shown last, or earlier.
    Settle { who: usize, pick: u64 },
    /// Maria takes the person off the staff, and back onto it after `ms`.
    Dismiss { who: usize, ms: u64 },
}

/// A push that says how far the feed had come when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hint {
    /// How long it is on its way.
    pub late_ms: u64,
    /// It comes a second time, so much later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_ms: Option<u64>,
    /// Whether it says the mark, too.
    pub with_mark: bool,
}

/// Where in the way of an input the app dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CrashPoint {
    /// Now, between two inputs.
    Idle,
    /// At the next input that writes, before its commit.
    BeforeCommit,
    /// At the next input that writes, after its commit and before anything was told.
    AfterCommit,
    /// At the next input that writes, after half of its outputs were carried out.
    AmidOutputs,
}

/// Who notices that a socket died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Side {
    /// Both.
    Both,
    /// The phone alone.
    Phone,
    /// The server alone.
    Server,
    /// Nobody: packets just vanish.
    Neither,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::of(seed, "plan");
        let people = if Random::of(seed, "people").chance(10) { PEOPLE.len() } else { FEW };
        let faults = more_faults(seed, faults(&mut random));
        let skew_ms = (0..people).map(|_| skew(&mut random)).collect();
        let mut steps = work(&mut random, people);
        trouble(&mut random, &mut steps, people);
        more_trouble(seed, &mut steps, people);
        backgrounds(seed, &mut steps, people);
        let mut plan =
            Self { seed, faults, skew_ms, steps, disks: disks(seed), people, policies: Policies::default() };
        plan.contests();
        plan.steps.sort_by_key(|step| step.at);
        plan
    }

    /// People who change the same things at once, in some runs: sam is among them.
    fn contests(&mut self) {
        let Some(contest) = contest::of(self.seed, self.end()) else { return };
        let (rivals, skews) = (contest.skew_ms.len(), contest.skew_ms);
        self.people = self.people.max(rivals);
        self.skew_ms.splice(..rivals.min(self.skew_ms.len()), skews);
        self.policies = contest.policies;
        self.steps.extend(contest.steps);
    }

    /// When the last step is over, in milliseconds from the start.
    pub(crate) fn end(&self) -> u64 {
        let over = |step: &Step| match step.what {
            What::Suspend { ms, .. } => step.at + ms,
            What::Background { budget_ms, ms, .. } => step.at + budget_ms + ms,
            What::Push { budget_ms, hint, .. } => {
                let late = hint.map_or(0, |hint| hint.late_ms + hint.again_ms.unwrap_or(0));
                step.at + late + budget_ms
            }
            _ => step.at,
        };
        self.steps.iter().map(over).max().unwrap_or(0)
    }
}

/// Every tenth run has phones with failing disks. Drawn apart, so that the other runs do not change with it.
fn disks(seed: u64) -> Vec<DiskPlan> {
    let mut random = Random::of(seed, "disks");
    if !random.chance(100) {
        return Vec::new();
    }
    let first = random.below(FEW as u64) as usize;
    let mut disks = Vec::new();
    for who in 0..FEW {
        if who == first || random.chance(400) {
            let count = random.between(1, 8);
            disks.push(DiskPlan { who, faults: (0..count).map(|_| disk_fault(&mut random)).collect() });
        }
    }
    disks
}

fn disk_fault(random: &mut Random) -> DiskFault {
    // Opening a new file has some 200 operations, a day's work a few thousand.
    let operation = 1 + if random.chance(250) { random.below(250) } else { random.below(6_000) };
    let mut times = |most: u64| if random.chance(400) { 1 } else { random.between(2, most) };
    let (io, full, busy) = (times(6), times(30), times(150));
    let down_ms = random.between(1, 20_000);
    let fault = match random.below(10) {
        0..3 => Trouble::Crash { down_ms },
        3..6 => Trouble::PowerLoss { down_ms, seed: random.next() },
        6..8 => Trouble::Io { times: io },
        8 => Trouble::Full { times: full },
        _ => Trouble::Busy { times: busy },
    };
    DiskFault { operation, fault }
}

/// Each class of faults is on in some runs and off in others, so that no class hides what another would show.
fn faults(random: &mut Random) -> Faults {
    let mut class = |most: u64| if random.chance(350) { random.between(5, most) as u32 } else { 0 };
    let (lose_request, lose_answer, duplicate) = (class(200), class(250), class(300));
    let (server_error, captive, cut_body) = (class(150), class(80), class(300));
    let (cut_socket, commit_fails) = (class(60), class(25));
    let delay_max_ms = *random.pick(&[20, 150, 1_500, 9_000]).unwrap_or(&150);
    let token_ms = *random.pick(&[0, 0, 75_000, 150_000]).unwrap_or(&0);
    Faults {
        delay_min_ms: 5,
        delay_max_ms,
        lose_request,
        lose_answer,
        duplicate,
        server_error,
        captive,
        cut_body,
        cut_socket,
        commit_fails,
        token_ms,
        ..Faults::default()
    }
}

/// The classes of faults that came later. Drawn apart, so that what a seed had before stays.
fn more_faults(seed: u64, faults: Faults) -> Faults {
    let mut random = Random::of(seed, "more faults");
    let mut class = |most: u64| if random.chance(250) { random.between(5, most) as u32 } else { 0 };
    let (refuse, cut_answer, unseen) = (class(120), class(150), class(900));
    let releases = match random.below(10) {
        0 => Releases::OlderServer,
        1 => Releases::NewerServer,
        _ => Releases::Same,
    };
    let busy = if random.chance(500) { random.between(50, 600) as u32 } else { 0 };
    let page = if random.chance(250) { *random.pick(&[1, 2, 5, 20]).unwrap_or(&1) } else { 0 };
    let slow_ledger_ms =
        if random.chance(250) { *random.pick(&[400, 3_000, 20_000]).unwrap_or(&400) } else { 0 };
    let absent = if random.chance(300) { random.between(20, 500) as u32 } else { 0 };
    Faults { refuse, cut_answer, unseen, busy, page, slow_ledger_ms, absent, releases, ..faults }
}

fn skew(random: &mut Random) -> i64 {
    let day = 24 * 60 * 60 * 1000;
    match random.below(4) {
        0 => 0,
        1 => random.below(5_000) as i64 - 2_500,
        2 => random.below(600_000) as i64 - 300_000,
        _ => random.below(2 * day) as i64 - day as i64,
    }
}

/// A day's work, shortened.
fn work(random: &mut Random, people: usize) -> Vec<Step> {
    let count = random.between(50, 130) * if people == FEW { 1 } else { 3 };
    let pause = *random.pick(&[300, 1_500, 4_000]).unwrap_or(&1_500);
    let mut at = random.below(4_000);
    let mut steps = Vec::new();
    for _ in 0..count {
        // Sometimes several do something at once, sometimes nobody does for minutes.
        at += match random.below(100) {
            0..35 => random.below(40),
            35..97 => random.below(pause * 2),
            _ => random.below(60_000),
        };
        let who = match people {
            FEW => *random.pick(&[ANA, ANA, BEN, BEN, MARIA, MARIA, MARIA]).unwrap_or(&ANA),
            _ => random.below(people as u64) as usize,
        };
        let what = if random.chance(80) {
            What::Decide { who, pick: random.next() }
        } else {
            What::Act { who, deed: Deed::draw(random, who), pick: random.next() }
        };
        steps.push(Step { at, what });
    }
    steps
}

/// What goes wrong meanwhile, besides what [`Faults`] does to each packet.
fn trouble(random: &mut Random, steps: &mut Vec<Step>, people: usize) {
    let end = steps.last().map_or(1_000, |step| step.at + 1_000);
    let kinds: Vec<u64> = (0..10).filter(|_| random.chance(350)).collect();
    let count = random.between(0, 14);
    for _ in 0..count {
        let Some(kind) = random.pick(&kinds).copied() else { return };
        let who = random.below(people as u64) as usize;
        let what = match kind {
            0 | 1 => What::Crash {
                who,
                point: *random
                    .pick(&[
                        CrashPoint::Idle,
                        CrashPoint::BeforeCommit,
                        CrashPoint::AfterCommit,
                        CrashPoint::AmidOutputs,
                    ])
                    .unwrap_or(&CrashPoint::Idle),
                down_ms: random.between(1, 20_000),
                reboot: random.chance(300),
            },
            2 => What::RestartServer { down_ms: random.between(1, 15_000) },
            3 => What::Partition {
                who,
                ms: *random.pick(&[500, 6_000, 45_000, 240_000]).unwrap_or(&500),
                told: random.chance(500),
            },
            4 => What::CutSocket {
                who,
                side: *random
                    .pick(&[Side::Both, Side::Phone, Side::Server, Side::Neither])
                    .unwrap_or(&Side::Both),
            },
            5 => What::SetClock { who, by_ms: random.below(7_200_000) as i64 - 3_600_000 },
            6 => What::RevokeAccess { who },
            7 => match random.below(4) {
                0 => What::EndSession { who, ms: random.between(1, 40_000) },
                1 => What::ClearCache { who },
                2 => {
                    let kinds = [EntityKind::Suite, EntityKind::Task, EntityKind::Employee, EntityKind::Note];
                    What::ClearKind { who, kind: random.pick(&kinds).unwrap_or(&EntityKind::Suite).clone() }
                }
                _ => What::Refetch { who },
            },
            8 => match random.below(2) {
                0 => What::Disconnect { who, ms: random.between(1, 30_000) },
                _ => What::Foreground { who },
            },
            _ => What::TrimLog { keep: random.below(8) },
        };
        steps.push(Step { at: random.below(end), what });
    }
}

/// The kinds of trouble that came later, each off in most runs. Drawn apart, so that what a seed had before stays.
fn more_trouble(seed: u64, steps: &mut Vec<Step>, people: usize) {
    let mut random = Random::of(seed, "more trouble");
    let end = steps.iter().map(|step| step.at + 1_000).max().unwrap_or(1_000);
    let mut add = |at, what| steps.push(Step { at, what });
    if random.chance(150) {
        let taken = random.below(end);
        add(taken, What::BackUp);
        for _ in 0..random.between(1, 2) {
            let (down_ms, declared) = (random.between(1, 15_000), random.chance(500));
            add(random.between(taken, end), What::Restore { down_ms, declared });
        }
    }
    if random.chance(150) {
        for _ in 0..random.between(1, 3) {
            let who = random.below(people as u64) as usize;
            // Long enough to miss something, to be given up by the server, to outlive a token; one night.
            let lengths = [20_000, 20_000, 150_000, 150_000, 3_600_000, 7 * 3_600_000];
            let ms = *random.pick(&lengths).unwrap_or(&20_000);
            add(random.below(end), What::Suspend { who, ms });
        }
    }
    if random.chance(150) {
        for _ in 0..random.between(1, 3) {
            let who = random.below(people as u64) as usize;
            let ms = *random.pick(&[500, 6_000, 45_000, 240_000]).unwrap_or(&500);
            add(random.below(end), What::OneWay { who, ms, up: random.chance(500) });
        }
    }
    if random.chance(100) {
        for _ in 0..random.between(2, 6) {
            let pick = random.next();
            add(random.below(end), What::Act { who: MARIA, deed: Deed::Promote, pick });
        }
    }
    if random.chance(80) {
        let who = random.below(people as u64) as usize;
        add(random.below(end), What::CopyPhone { who });
    }
    // A restored backup might have nobody who is to come back, or have them twice.
    let restores = steps.iter().any(|step| matches!(step.what, What::Restore { .. }));
    if random.chance(80) && !restores {
        let (who, ms) = (*random.pick(&[ANA, BEN]).unwrap_or(&ANA), random.between(1, 60_000));
        steps.push(Step { at: random.below(end), what: What::Dismiss { who, ms } });
    }
}

/// Apps that go to the background, and pushes. Drawn apart, so that what a seed had before stays.
fn backgrounds(seed: u64, steps: &mut Vec<Step>, people: usize) {
    let mut random = Random::of(seed, "backgrounds");
    let mut hints = Random::of(seed, "hints");
    if !random.chance(250) {
        return;
    }
    let end = steps.iter().map(|step| step.at + 1_000).max().unwrap_or(1_000);
    for _ in 0..random.between(1, 5) {
        let who = random.below(people as u64) as usize;
        // Next to nothing, what a push gets, what an app gets that is left.
        let budget_ms = *random.pick(&[400, 5_000, 25_000]).unwrap_or(&5_000);
        let ms = *random.pick(&[1, 5_000, 60_000, 600_000]).unwrap_or(&5_000);
        let at = random.below(end);
        steps.push(Step { at, what: What::Background { who, budget_ms, ms } });
        for _ in 0..random.below(3) {
            let at = at + random.below(budget_ms + ms);
            let hint = hint(&mut hints);
            steps.push(Step { at, what: What::Push { who, budget_ms: 5_000, hint } });
        }
    }
}

fn hint(random: &mut Random) -> Option<Hint> {
    let late_ms = *random.pick(&[0, 500, 20_000, 120_000]).unwrap_or(&0);
    let again_ms = random.chance(250).then_some(1 + random.below(60_000));
    let with_mark = random.chance(500);
    random.chance(750).then_some(Hint { late_ms, again_ms, with_mark })
}
