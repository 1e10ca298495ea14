//! Why a method, or an instruction in it, cannot be imported.

use crate::ir::Failure;
use crate::{metadata, types};

/// Failure of an import.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The header or the instruction stream is damaged.
    #[error("{0}")]
    Il(metadata::Error),
    /// A type or member cannot be had.
    #[error("{0}")]
    Type(#[from] types::Error),
    /// The IL breaks a rule.
    #[error("invalid IL at IL_{offset:04x}: {reason}")]
    Invalid {
        /// Where.
        offset: u32,
        /// Which rule.
        reason: &'static str,
    },
    /// A legal construct that is not supported.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// The method is larger than the compiler accepts.
    #[error("method too large")]
    TooLarge,
}

impl From<metadata::Error> for Error {
    fn from(e: metadata::Error) -> Error {
        Error::Il(e)
    }
}

impl Error {
    /// Namespace and name of the exception to raise when the code is reached.
    pub fn exception(&self) -> (&'static str, &'static str) {
        match self {
            Error::Type(e) => e.exception(),
            Error::Unsupported(_) => ("System", "NotSupportedException"),
            Error::Il(_) | Error::Invalid { .. } | Error::TooLarge => {
                ("System", "InvalidProgramException")
            }
        }
    }

    /// What code that stands for the failed import raises.
    pub fn failure(&self) -> Failure {
        let (namespace, class) = self.exception();
        let subject = match self {
            Error::Type(e) => e.subject(),
            _ => None,
        };
        Failure {
            namespace,
            class,
            message: self.to_string(),
            subject: subject.unwrap_or_default().to_owned(),
        }
    }
}

/// Result of importing.
pub type Result<T> = core::result::Result<T, Error>;
