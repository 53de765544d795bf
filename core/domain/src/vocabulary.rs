//! The closed sets. A value that this release does not know is kept as it came (`Other`) and written back unchanged,
//! so that an old phone survives a newer server.

macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* #[doc = concat!("`", $text, "`")] $variant,)+
            /// A value of a newer release, as it came.
            Other(Box<str>),
        }

        impl $name {
            /// Every value that this release knows, in the order of the protocol.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value as it is written on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }

            /// Whether this release knows the value.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.into()),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl ::serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!("one of", $(" ", $text),+))
                    }
                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name::from(text))
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}
pub(crate) use closed_set;

closed_set!(
    /// What state a suite is in.
    SuiteStatus {
        VacantClean = "VACANT_CLEAN",
        VacantDirty = "VACANT_DIRTY",
        Occupied = "OCCUPIED",
        Cleaning = "CLEANING",
        Inspected = "INSPECTED",
        OutOfService = "OUT_OF_SERVICE",
    }
);
closed_set!(
    /// What kind of work a task is; it decides the department.
    TaskType {
        Cleaning = "CLEANING",
        Maintenance = "MAINTENANCE",
        Inspection = "INSPECTION",
        Emergency = "EMERGENCY",
        General = "GENERAL",
    }
);
closed_set!(
    /// How far a task has come.
    TaskStatus {
        Pending = "PENDING",
        InProgress = "IN_PROGRESS",
        Completed = "COMPLETED",
        Cancelled = "CANCELLED",
    }
);
closed_set!(
    /// How urgent a task is, least first.
    Priority { Low = "LOW", Normal = "NORMAL", High = "HIGH", Urgent = "URGENT", Emergency = "EMERGENCY" }
);
closed_set!(
    /// What a person is doing just now.
    EmployeeStatus { Available = "AVAILABLE", Busy = "BUSY", OnBreak = "ON_BREAK", OffDuty = "OFF_DUTY" }
);
closed_set!(
    /// What a person is allowed to do.
    Role {
        Housekeeper = "HOUSEKEEPER",
        Maintenance = "MAINTENANCE",
        FrontDesk = "FRONT_DESK",
        Supervisor = "SUPERVISOR",
        Manager = "MANAGER",
    }
);
closed_set!(
    /// Where a person works.
    Department {
        Housekeeping = "HOUSEKEEPING",
        Maintenance = "MAINTENANCE",
        FrontDesk = "FRONT_DESK",
        Management = "MANAGEMENT",
    }
);
closed_set!(
    /// How bad an emergency is, least first.
    Severity { Low = "LOW", Medium = "MEDIUM", High = "HIGH", Critical = "CRITICAL" }
);
closed_set!(
    /// How prominently an announcement is shown, least first.
    AnnouncementPriority { Low = "LOW", Normal = "NORMAL", High = "HIGH" }
);
closed_set!(
    /// How prominently a notification is shown, least first.
    NotificationPriority { Low = "LOW", Normal = "NORMAL", High = "HIGH", Urgent = "URGENT" }
);
closed_set!(
    /// Why somebody was notified.
    NotificationType {
        /// A task was assigned to the recipient.
        TaskAssigned = "TASK_ASSIGNED",
        /// An unassigned task of the recipient's department is there to be taken.
        TaskAvailable = "TASK_AVAILABLE",
        /// An emergency was raised (to managers, beside the alert).
        Emergency = "EMERGENCY",
    }
);

impl Role {
    /// Supervisors and managers see and direct everybody's work.
    pub fn directs(&self) -> bool {
        matches!(self, Self::Supervisor | Self::Manager)
    }
}

impl TaskType {
    /// The department that does this kind of work; `None`: all of them.
    pub fn department(&self) -> Option<Department> {
        match self {
            Self::Cleaning | Self::Inspection => Some(Department::Housekeeping),
            Self::Maintenance => Some(Department::Maintenance),
            Self::Emergency | Self::General | Self::Other(_) => None,
        }
    }
}

impl TaskStatus {
    /// Whether work is still to be done.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_newer_release_survives_the_round_trip() {
        let status: SuiteStatus = serde_json::from_str("\"DEEP_CLEAN\"").unwrap();
        assert_eq!(status, SuiteStatus::Other("DEEP_CLEAN".into()));
        assert!(!status.is_known());
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"DEEP_CLEAN\"");
    }

    #[test]
    fn known_values_are_written_as_the_protocol_has_them() {
        let written: Vec<&str> = SuiteStatus::KNOWN.iter().map(SuiteStatus::as_str).collect();
        assert_eq!(
            written,
            ["VACANT_CLEAN", "VACANT_DIRTY", "OCCUPIED", "CLEANING", "INSPECTED", "OUT_OF_SERVICE"]
        );
        for status in SuiteStatus::KNOWN {
            assert_eq!(SuiteStatus::from(status.as_str()), *status);
        }
    }
}
