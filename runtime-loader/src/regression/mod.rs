//! `aotrun --regression`: runs the test methods of an assembly and compares what they return with what their names say.
//!
//! A test is a static method without parameters that returns `int32`, named `test_<expected>_<name>`. `<expected>` is a
//! decimal number, `m` standing for the minus sign (`test_m1_shift`), or the simple name of the class of the exception that
//! the test ends with (`test_OverflowException_add`).
//!
//! * [`once`] runs the tests in this process, under the options it was started with, and prints one line for each.
//! * [`table`] starts a process for each set of optimizations, so that nothing that one set compiled is seen by the next,
//!   and prints the results side by side. A test that ends the process fails; those behind it are run in another process.

pub mod once;
pub mod table;

use clap::ValueEnum;
use std::fmt;

/// Which sets of optimizations to run tests (or benchmarks, but for the interpreter) under.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Mode {
    /// No optimization, quick, default and all.
    Sets,
    /// All optimizations, then all but each single one.
    Passes,
    /// The options given, in this process.
    Once,
}

/// What a test's name says of its result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// It returns this.
    Value(i32),
    /// It ends with an exception of the class with this simple name.
    Exception(String),
}

impl Expected {
    /// The expectation in a method's name; `None` if it is not the name of a test.
    pub fn of_name(method: &str) -> Option<Expected> {
        let (expected, name) = method.strip_prefix("test_")?.split_once('_')?;
        if name.is_empty() {
            return None;
        }
        let (sign, digits) = match expected.strip_prefix('m') {
            Some(digits) => ("-", digits),
            None => ("", expected),
        };
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            return format!("{sign}{digits}").parse().ok().map(Expected::Value);
        }
        let is_class = expected.starts_with(|c: char| c.is_ascii_uppercase());
        is_class.then(|| Expected::Exception(expected.to_owned()))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Value(v) => write!(f, "{v}"),
            Expected::Exception(class) => f.write_str(class),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn names() {
        let value = |n| Some(Expected::Value(n));
        let exception = |n: &str| Some(Expected::Exception(n.to_owned()));
        assert_eq!(Expected::of_name("test_12_a_b"), value(12));
        assert_eq!(Expected::of_name("test_m2147483648_min"), value(i32::MIN));
        assert_eq!(
            Expected::of_name("test_OverflowException_x"),
            exception("OverflowException")
        );
        for other in [
            "test_1_",
            "test_1",
            "test__x",
            "Test_1_x",
            "test_x_y",
            "test_1x_y",
            "test_9999999999_y",
        ] {
            assert_eq!(Expected::of_name(other), None, "{other}");
        }
    }
}
