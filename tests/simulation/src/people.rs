//! Who works at the Seaside Motel.

use innsync_domain::{Department, Role, Uuid};

/// Ana cleans.
pub(crate) const ANA: usize = 0;
/// Ben repairs.
pub(crate) const BEN: usize = 1;
/// Maria manages.
pub(crate) const MARIA: usize = 2;
/// Sam supervises, in plans that have them.
pub(crate) const SAM: usize = 3;
/// How many there are unless a plan says otherwise.
pub(crate) const FEW: usize = 3;

/// Somebody with a phone.
#[derive(Debug)]
pub(crate) struct Human {
    pub(crate) name: &'static str,
    /// What a phone is called that got a copy of the database of theirs.
    pub(crate) copy: &'static str,
    pub(crate) role: Role,
    pub(crate) department: Department,
}

macro_rules! people {
    ($($name:literal $role:ident $department:ident),* $(,)?) => {
        [$(Human {
            name: $name,
            copy: concat!($name, "-copy"),
            role: Role::$role,
            department: Department::$department,
        }),*]
    };
}

/// Everybody who may have a phone, in the order that plans count them; a plan says how many of them there are.
pub(crate) const PEOPLE: [Human; 20] = people![
    "ana" Housekeeper Housekeeping,
    "ben" Maintenance Maintenance,
    "maria" Manager Management,
    "sam" Supervisor Housekeeping,
    "miguel" Maintenance Maintenance,
    "dora" FrontDesk FrontDesk,
    "eli" Housekeeper Housekeeping,
    "fay" Housekeeper Housekeeping,
    "gus" Housekeeper Housekeeping,
    "hana" Housekeeper Housekeeping,
    "ivo" Housekeeper Housekeeping,
    "jun" Housekeeper Housekeeping,
    "kim" Housekeeper Housekeeping,
    "leo" Housekeeper Housekeeping,
    "mona" Maintenance Maintenance,
    "noor" Maintenance Maintenance,
    "oda" FrontDesk FrontDesk,
    "pia" FrontDesk FrontDesk,
    "quin" Supervisor Maintenance,
    "rosa" Manager Management,
];

/// Whether that person, in the role that they begin with, tells others what to do.
pub(crate) fn directs(who: usize) -> bool {
    matches!(PEOPLE[who].role, Role::Manager | Role::Supervisor)
}

/// The property's id.
pub(crate) const PROPERTY: &str = "seaside";

/// An employee's id.
pub(crate) fn employee(who: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0a00 + who as u128)
}
