//! Failures of the type system. Each keeps the identity of the CLI exception the running program
//! must see, so a JIT can raise it and a compiler can print it.

use crate::metadata;

/// Why a type, member or assembly could not be had. Errors are remembered: asking again for the same
/// thing gives the same error.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// `System.TypeLoadException`
    #[error("Could not load type '{name}' from assembly '{assembly}'{}", reason_text(.reason))]
    TypeLoad {
        /// Full name of the type.
        name: Box<str>,
        /// Assembly it was looked for in.
        assembly: Box<str>,
        /// Extra words, may be empty.
        reason: Box<str>,
    },
    /// `System.IO.FileNotFoundException`
    #[error("Could not load file or assembly '{assembly}' or one of its dependencies.")]
    FileNotFound {
        /// Display name of the assembly.
        assembly: Box<str>,
    },
    /// `System.IO.FileLoadException`
    #[error("Could not load file or assembly '{assembly}': {reason}")]
    FileLoad {
        /// Display name of the assembly.
        assembly: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// `System.TypeLoadException` of a class that is at odds with what it is made of, in words of its own.
    #[error("{text}")]
    Class {
        /// Full name of the type.
        name: Box<str>,
        /// The message.
        text: Box<str>,
    },
    /// `System.MethodAccessException`
    #[error("Attempt by method '{by}' to access method '{member}' failed.")]
    MethodAccess {
        /// The method whose code refers to it.
        by: Box<str>,
        /// Full name of the method.
        member: Box<str>,
    },
    /// `System.FieldAccessException`
    #[error("Attempt by method '{by}' to access field '{member}' failed.")]
    FieldAccess {
        /// The method whose code refers to it.
        by: Box<str>,
        /// Full name of the field.
        member: Box<str>,
    },
    /// `System.MissingMethodException`
    #[error("Method not found: '{member}'.")]
    MissingMethod {
        /// Full name with signature.
        member: Box<str>,
    },
    /// `System.MissingFieldException`
    #[error("Field not found: '{member}'.")]
    MissingField {
        /// Full name.
        member: Box<str>,
    },
    /// `System.BadImageFormatException`
    #[error("{file}: {reason}")]
    BadImage {
        /// File or module name.
        file: Box<str>,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// `System.InvalidProgramException`
    #[error("Invalid IL code: {reason}")]
    InvalidProgram {
        /// What is wrong.
        reason: Box<str>,
    },
    /// `System.VerificationException`-like failures of generic constraints.
    #[error("{reason}")]
    Constraint {
        /// Which constraint is violated.
        reason: Box<str>,
    },
    /// `System.Runtime.InteropServices.MarshalDirectiveException`
    #[error("Cannot marshal {reason}.")]
    Marshal {
        /// What, and why not.
        reason: Box<str>,
    },
    /// A legal construct that this implementation does not support; `System.NotSupportedException`.
    #[error("not supported: {what}")]
    Unsupported {
        /// What.
        what: Box<str>,
    },
}

fn reason_text(reason: &str) -> String {
    if reason.is_empty() {
        ".".to_owned()
    } else {
        format!(": {reason}.")
    }
}

/// Result of a type-system query.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// Namespace and name of the CLI exception class to raise.
    pub fn exception(&self) -> (&'static str, &'static str) {
        match self {
            Error::TypeLoad { .. } | Error::Class { .. } => ("System", "TypeLoadException"),
            Error::MethodAccess { .. } => ("System", "MethodAccessException"),
            Error::FieldAccess { .. } => ("System", "FieldAccessException"),
            Error::FileNotFound { .. } => ("System.IO", "FileNotFoundException"),
            Error::FileLoad { .. } => ("System.IO", "FileLoadException"),
            Error::MissingMethod { .. } => ("System", "MissingMethodException"),
            Error::MissingField { .. } => ("System", "MissingFieldException"),
            Error::BadImage { .. } => ("System", "BadImageFormatException"),
            Error::InvalidProgram { .. } => ("System", "InvalidProgramException"),
            Error::Constraint { .. } => ("System.Security", "VerificationException"),
            Error::Marshal { .. } => (
                "System.Runtime.InteropServices",
                "MarshalDirectiveException",
            ),
            Error::Unsupported { .. } => ("System", "NotSupportedException"),
        }
    }

    /// The second constructor argument of the exceptions that take one: file or type name.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Error::TypeLoad { name, .. } | Error::Class { name, .. } => Some(name),
            Error::FileNotFound { assembly } | Error::FileLoad { assembly, .. } => Some(assembly),
            Error::BadImage { file, .. } => Some(file),
            _ => None,
        }
    }

    /// Names the file of an error that came from its metadata.
    pub(crate) fn in_file(self, name: &str) -> Error {
        match self {
            Error::BadImage { file, reason } if file.is_empty() => Error::BadImage {
                file: name.into(),
                reason,
            },
            e => e,
        }
    }

    /// A file that is damaged or not what it should be.
    pub fn bad_image(file: &str, reason: impl core::fmt::Display) -> Error {
        Error::BadImage {
            file: file.into(),
            reason: reason.to_string().into(),
        }
    }

    pub(crate) fn invalid_program(reason: impl core::fmt::Display) -> Error {
        Error::InvalidProgram {
            reason: reason.to_string().into(),
        }
    }
}

impl From<metadata::Error> for Error {
    fn from(e: metadata::Error) -> Error {
        Error::bad_image("", e)
    }
}
