//! How native code of the runtime raises managed exceptions.

use crate::object::Obj;
use std::borrow::Cow;

/// Result of anything that may raise a managed exception.
pub type Result<T> = std::result::Result<T, Thrown>;

/// A managed exception on its way: an object, or what is needed to make one.
#[derive(Clone, Debug)]
pub enum Thrown {
    /// An existing exception object.
    Object(Obj),
    /// An exception to be made by running its constructor.
    New {
        /// Namespace of the class, in mscorlib.
        namespace: &'static str,
        /// Name of the class.
        name: &'static str,
        /// First constructor argument, `None` for the constructor without arguments.
        message: Option<Cow<'static, str>>,
        /// Second constructor argument (parameter name, file name, ...).
        second: Option<Cow<'static, str>>,
    },
}

impl Thrown {
    /// An exception of `System` with a message.
    pub fn system(name: &'static str, message: impl Into<Cow<'static, str>>) -> Thrown {
        Thrown::of("System", name, message)
    }

    /// An exception with a message.
    pub fn of(
        namespace: &'static str,
        name: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Thrown {
        Thrown::New {
            namespace,
            name,
            message: Some(message.into()),
            second: None,
        }
    }

    /// An exception with a message, about a file, type or other thing that it names in a property too; may be empty.
    pub fn about(
        (namespace, name): (&'static str, &'static str),
        message: impl Into<Cow<'static, str>>,
        subject: &str,
    ) -> Thrown {
        Thrown::New {
            namespace,
            name,
            message: Some(message.into()),
            second: (!subject.is_empty()).then(|| subject.to_owned().into()),
        }
    }

    /// `TypeLoadException` of a type that its assembly does not have.
    pub fn no_type(name: &str, assembly: impl core::fmt::Display) -> Thrown {
        let text = format!("Could not load type '{name}' from assembly '{assembly}'.");
        Thrown::about(("System", "TypeLoadException"), text, name)
    }

    /// An exception with its default message.
    pub fn bare(namespace: &'static str, name: &'static str) -> Thrown {
        Thrown::New {
            namespace,
            name,
            message: None,
            second: None,
        }
    }

    /// `ArgumentNullException` of a parameter.
    pub fn argument_null(param: &'static str) -> Thrown {
        Thrown::of("System", "ArgumentNullException", param)
    }

    /// `ArgumentException` with message and parameter.
    pub fn argument(message: impl Into<Cow<'static, str>>, param: &'static str) -> Thrown {
        Thrown::New {
            namespace: "System",
            name: "ArgumentException",
            message: Some(message.into()),
            second: Some(param.into()),
        }
    }

    /// `ArgumentOutOfRangeException` of a parameter.
    pub fn out_of_range(param: &'static str) -> Thrown {
        Thrown::of("System", "ArgumentOutOfRangeException", param)
    }

    /// `NotSupportedException` with a message.
    pub fn not_supported(message: impl Into<Cow<'static, str>>) -> Thrown {
        Thrown::system("NotSupportedException", message)
    }

    /// `NullReferenceException`.
    pub fn null_reference() -> Thrown {
        Thrown::system(
            "NullReferenceException",
            "Object reference not set to an instance of an object",
        )
    }

    /// `OutOfMemoryException`.
    pub fn out_of_memory() -> Thrown {
        Thrown::bare("System", "OutOfMemoryException")
    }

    /// The exception object, made now if need be.
    pub fn into_object(self) -> Obj {
        crate::runtime::exception::materialize(self)
    }
}

/// Values that a function returns when it leaves an exception pending.
pub trait ZeroResult {
    /// All bits zero.
    fn zero() -> Self;
}

macro_rules! zero_result {
    ($($t:ty = $z:expr),*) => { $(impl ZeroResult for $t { fn zero() -> Self { $z } })* };
}
zero_result!(
    () = (),
    bool = false,
    u8 = 0,
    i8 = 0,
    u16 = 0,
    i16 = 0,
    u32 = 0,
    i32 = 0,
    u64 = 0,
    i64 = 0,
    usize = 0,
    isize = 0,
    f32 = 0.0,
    f64 = 0.0,
    Obj = Obj::NULL
);

impl<T> ZeroResult for *mut T {
    fn zero() -> Self {
        core::ptr::null_mut()
    }
}

impl<T> ZeroResult for *const T {
    fn zero() -> Self {
        core::ptr::null()
    }
}

/// Runs the body of an internal call; an error becomes the thread's pending exception.
pub fn managed<R: ZeroResult>(body: impl FnOnce() -> Result<R>) -> R {
    body().unwrap_or_else(|thrown| {
        let exception = thrown.into_object();
        crate::threads::current().set_pending_exception(exception.addr());
        R::zero()
    })
}
