//! The reference interpreter: executes functions at any level, slowly and plainly. Tests compare its results before and
//! after passes, and with compiled code.
//!
//! Memory is two arenas of bytes (heap and stack) behind made-up addresses, so a wrong access is an [`InterpError`] and never
//! harms. Objects have the layout of `abi::layout`. Everything outside the functions (which method a call reaches,
//! what types there are, what helpers do beyond the obvious) is asked of a [`Host`]; [`SimpleHost`] answers for tests.
//!
//! Exceptions are found in two passes over the frames as the runtime does: filters run during the first, fault handlers during the second.

mod machine;
mod memory;
mod ops;
mod simple;
mod unwind;

pub use memory::{BadAddress, Memory};
pub use simple::SimpleHost;

use super::Function;
use super::eval::Const;
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::types::{MethodId, TypeId};
use std::rc::Rc;

/// Why a run ended without a result.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum InterpError {
    /// An exception nobody caught: address of the object.
    #[error("unhandled exception, object {0:#x}")]
    Unhandled(u64),
    /// The step limit was reached.
    #[error("more steps than allowed")]
    OutOfFuel,
    /// A load, store or copy of memory that is not there: the IR (or the importer) is wrong.
    #[error("{function}: {inst}: {address}")]
    Memory {
        /// The function.
        function: String,
        /// The instruction's text.
        inst: String,
        /// The access.
        address: BadAddress,
    },
    /// Something the interpreter or the host cannot do, or that is not defined (`sdiv` by zero).
    #[error("{function}: {inst}: {why}")]
    Unsupported {
        /// The function.
        function: String,
        /// The instruction's text.
        inst: String,
        /// What.
        why: String,
    },
}

/// What an operation that is not plain computing comes to.
#[derive(Clone, PartialEq, Debug)]
pub enum Raise {
    /// Raises the exception of a trap.
    Trap(TrapKind),
    /// Raises an object.
    Object(u64),
    /// Accesses memory that is not there.
    Bad(BadAddress),
    /// Cannot be done.
    Unsupported(String),
}

impl From<BadAddress> for Raise {
    fn from(a: BadAddress) -> Raise {
        Raise::Bad(a)
    }
}

/// Result of such an operation.
pub type Answer<T> = Result<T, Raise>;

fn unsupported<T>(what: impl Into<String>) -> Answer<T> {
    Err(Raise::Unsupported(what.into()))
}

/// What the interpreter asks about the world. Addresses of method tables are those the host gives for
/// `Fixup::MethodTable`.
pub trait Host {
    /// The body of a method.
    fn function(&self, method: MethodId) -> Option<Rc<Function>>;

    /// The value of a runtime constant.
    fn fixup(&mut self, mem: &mut Memory, fixup: Fixup) -> Answer<u64>;

    /// The method whose code is at an address that [`Host::fixup`] gave for `MethodCode`, or stored in a cell of `MethodEntry`.
    fn method_at(&self, code: u64) -> Option<MethodId>;

    /// An object of the class of exceptions that a trap raises.
    fn trap_exception(&mut self, mem: &mut Memory, kind: TrapKind) -> Answer<u64>;

    /// The object (not null) is an instance of the type with this method table.
    fn is_instance(&self, mem: &Memory, object: u64, table: u64) -> bool;

    /// The type a method table belongs to.
    fn type_of_table(&self, mem: &Memory, table: u64) -> Option<TypeId>;

    /// The exception is an instance of a type named by a catch clause.
    fn catches(&self, mem: &Memory, object: u64, ty: TypeId) -> bool;

    /// Bytes of an instance with header.
    fn instance_size(&self, ty: TypeId) -> u32;

    /// Bytes of an element of an array type.
    fn element_size(&self, array: TypeId) -> u32;

    /// The method that a virtual or interface call reaches on an object.
    fn virtual_target(&self, mem: &Memory, object: u64, method: MethodId) -> Option<MethodId>;

    /// A method without body, native functions (address in place of the method) included.
    fn external(
        &mut self,
        _mem: &mut Memory,
        method: Option<MethodId>,
        _args: &[Const],
    ) -> Answer<Option<Const>> {
        unsupported(format!("no body: {method:?}"))
    }

    /// An open runtime constant for a generic context.
    fn lookup(&mut self, _mem: &mut Memory, lookup: super::Lookup, _context: u64) -> Answer<u64> {
        unsupported(format!("{lookup:?}"))
    }

    /// A helper the interpreter does not know by itself.
    fn helper(&mut self, _: &mut Memory, helper: HelperId, _: &[Const]) -> Answer<Option<Const>> {
        unsupported(helper.info().name)
    }

    /// Runs a class initializer, if it has not run.
    fn class_init(&mut self, _mem: &mut Memory, _ty: TypeId) -> Answer<()> {
        Ok(())
    }
}

/// Runs a method. `fuel` is the number of instructions it may execute.
pub fn run(
    host: &mut dyn Host,
    mem: &mut Memory,
    method: MethodId,
    args: &[Const],
    fuel: u64,
) -> Result<Option<Const>, InterpError> {
    machine::Machine::new(host, mem, fuel).run(method, args)
}
