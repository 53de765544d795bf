//! From the core's types to the shell's and back, field by field: what the macros of this file write.

use std::collections::{BTreeMap, HashMap};

use innsync_client::domain::Fields;
use innsync_client::{Timestamp, Uuid};

/// A value of the core, as the shell has it.
pub(crate) trait ToShell {
    type Shell;
    fn to_shell(self) -> Self::Shell;
}

/// A value of the shell, as the core has it.
pub(crate) trait ToCore {
    type Core;
    fn to_core(self) -> Self::Core;
}

macro_rules! as_it_is {
    ($($type:ty),+) => {
        $(impl ToShell for $type {
            type Shell = Self;
            fn to_shell(self) -> Self {
                self
            }
        }
        impl ToCore for $type {
            type Core = Self;
            fn to_core(self) -> Self {
                self
            }
        })+
    };
}
as_it_is!(String, bool, i32, u8, u16, u32, u64, Uuid, Timestamp);

impl<T: ToShell> ToShell for Option<T> {
    type Shell = Option<T::Shell>;
    fn to_shell(self) -> Self::Shell {
        self.map(T::to_shell)
    }
}

impl<T: ToCore> ToCore for Option<T> {
    type Core = Option<T::Core>;
    fn to_core(self) -> Self::Core {
        self.map(T::to_core)
    }
}

impl<T: ToShell> ToShell for Vec<T> {
    type Shell = Vec<T::Shell>;
    fn to_shell(self) -> Self::Shell {
        self.into_iter().map(T::to_shell).collect()
    }
}

impl<T: ToCore> ToCore for Vec<T> {
    type Core = Vec<T::Core>;
    fn to_core(self) -> Self::Core {
        self.into_iter().map(T::to_core).collect()
    }
}

impl<T: ToShell> ToShell for Box<T> {
    type Shell = T::Shell;
    fn to_shell(self) -> Self::Shell {
        (*self).to_shell()
    }
}

/// Positions and counts.
impl ToShell for usize {
    type Shell = u32;
    fn to_shell(self) -> u32 {
        u32::try_from(self).unwrap_or(u32::MAX)
    }
}

impl ToShell for BTreeMap<String, String> {
    type Shell = HashMap<String, String>;
    fn to_shell(self) -> Self::Shell {
        self.into_iter().collect()
    }
}

/// As JSON text.
impl ToShell for serde_json::Value {
    type Shell = crate::JsonValue;
    fn to_shell(self) -> crate::JsonValue {
        crate::JsonValue(self)
    }
}

/// As JSON text.
impl ToShell for Fields {
    type Shell = String;
    fn to_shell(self) -> String {
        serde_json::Value::Object(self).to_string()
    }
}

/// A record of the core, for the shell. Each of its fields is named, also one that is left out: a field that is new in the
/// core does not compile before somebody has decided.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident = $core:path {
        $($(#[$doc:meta])* $field:ident : $type:ty),+ $(,)?
    } $(without $left_out:ident)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, uniffi::Record)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }
        impl $crate::mirror::ToShell for $core {
            type Shell = $name;
            fn to_shell(self) -> $name {
                let $core { $($field,)+ $($left_out: _,)? } = self;
                $name { $($field: $crate::mirror::ToShell::to_shell($field),)+ }
            }
        }
    };
}
pub(crate) use record;

/// A closed set of the core: its known values, and one for those of a newer release.
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A value of a newer release.
            Other {
                /// As it came.
                value: String,
            },
        }
        impl $crate::mirror::ToShell for ::innsync_client::domain::$name {
            type Shell = $name;
            fn to_shell(self) -> $name {
                match self {
                    $(Self::$variant => $name::$variant,)+
                    Self::Other(value) => $name::Other { value: value.into() },
                }
            }
        }
        impl $crate::mirror::ToCore for $name {
            type Core = ::innsync_client::domain::$name;
            fn to_core(self) -> Self::Core {
                match self {
                    $(Self::$variant => Self::Core::$variant,)+
                    // Also where the text is that of a value which is known by now.
                    Self::Other { value } => Self::Core::from(value.as_str()),
                }
            }
        }
    };
}
pub(crate) use closed_set;

/// An enum of the core whose variants have no fields, for the shell.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident = $core:path { $($(#[$doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }
        impl $crate::mirror::ToShell for $core {
            type Shell = $name;
            fn to_shell(self) -> $name {
                match self {
                    $(Self::$variant => $name::$variant,)+
                }
            }
        }
    };
}
pub(crate) use choice;
