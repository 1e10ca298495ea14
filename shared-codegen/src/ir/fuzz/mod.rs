//! Random programs and their reduction, for tests that compare what a function computes before and after something.
//!
//! A [`Program`] is a tree of statements over a few variables, made from a seed and turned into IR by the
//! [`super::FunctionBuilder`] (so SSA construction is under test too). Programs end: loops have counters. They use
//! integers, floats, slots, objects, arrays, calls of a method without body (which the interpreter's host logs), exceptions of
//! every kind of handler. [`random_loop`] makes loops over arrays. [`reduce`] makes a failing program small by leaving statements out.

mod build;
mod loops;
mod program;

pub use build::build;
pub use loops::{ARRAY_FIELD, COUNT_FIELD, LoopProgram, random_loop};
pub use program::{Handler, Program, Random, Stmt, generate};

/// Leaves out statements, or replaces them by their parts, as long as `fails` holds; gives the smallest program found.
pub fn reduce(mut program: Program, fails: impl Fn(&Program) -> bool) -> Program {
    loop {
        let candidates = program.smaller();
        match candidates.into_iter().find(|p| fails(p)) {
            Some(p) => program = p,
            None => return program,
        }
    }
}
