//! Why a piece of compiled code stops and which CLI exception that is.

/// Reason of a hardware trap or of a failed explicit check. The numbers are part of the image format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum TrapKind {
    /// `System.NullReferenceException`
    NullReference = 1,
    /// `System.IndexOutOfRangeException`
    IndexOutOfRange = 2,
    /// `System.DivideByZeroException`
    DivideByZero = 3,
    /// `System.OverflowException`: checked arithmetic, `MinValue / -1`, negative array length
    Overflow = 4,
    /// `System.InvalidCastException`
    InvalidCast = 5,
    /// `System.ArithmeticException`: `ckfinite`
    Arithmetic = 6,
    /// `System.ArrayTypeMismatchException`
    ArrayTypeMismatch = 7,
    /// `System.StackOverflowException`
    StackOverflow = 8,
    /// `System.InvalidProgramException`: code that must not be reached
    InvalidProgram = 9,
}

impl TrapKind {
    /// Every kind with its name in IR text.
    pub const ALL: [(TrapKind, &'static str); 9] = [
        (TrapKind::NullReference, "null_reference"),
        (TrapKind::IndexOutOfRange, "index_out_of_range"),
        (TrapKind::DivideByZero, "divide_by_zero"),
        (TrapKind::Overflow, "overflow"),
        (TrapKind::InvalidCast, "invalid_cast"),
        (TrapKind::Arithmetic, "arithmetic"),
        (TrapKind::ArrayTypeMismatch, "array_type_mismatch"),
        (TrapKind::StackOverflow, "stack_overflow"),
        (TrapKind::InvalidProgram, "invalid_program"),
    ];

    /// The name in IR text.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(k, _)| *k == self)
            .map_or("?", |(_, n)| n)
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<TrapKind> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(k, _)| *k)
    }
}

impl TryFrom<u8> for TrapKind {
    type Error = ();
    fn try_from(n: u8) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .find(|(k, _)| *k as u8 == n)
            .map(|(k, _)| *k)
            .ok_or(())
    }
}
