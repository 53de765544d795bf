//! Who works at the Seaside Motel.

use innsync_domain::{Department, Role, Uuid};

/// Ana cleans.
pub(crate) const ANA: usize = 0;
/// Ben repairs.
pub(crate) const BEN: usize = 1;
/// Maria manages.
pub(crate) const MARIA: usize = 2;

/// Somebody with a phone.
#[derive(Debug)]
pub(crate) struct Human {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) department: Department,
}

/// Everybody with a phone, in the order that plans count them.
pub(crate) const PEOPLE: [Human; 3] = [
    Human { name: "ana", role: Role::Housekeeper, department: Department::Housekeeping },
    Human { name: "ben", role: Role::Maintenance, department: Department::Maintenance },
    Human { name: "maria", role: Role::Manager, department: Department::Management },
];

/// The property's id.
pub(crate) const PROPERTY: &str = "seaside";

/// An employee's id.
pub(crate) fn employee(who: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0a00 + who as u128)
}
