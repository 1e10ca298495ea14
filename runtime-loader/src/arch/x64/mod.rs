//! x86-64, System V.

pub mod registers;
