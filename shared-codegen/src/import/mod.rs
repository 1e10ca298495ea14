//! From IL to IR: the only module that sees both.
//!
//! A method body is imported in one walk over its reachable blocks; SSA form is made on the way. What each
//! file does:
//! * `scan`: finds block leaders, address-taken and handler-live variables before the walk;
//! * `vars`: arguments and locals; `stack`: the evaluation stack; `flow`: blocks, branches, `regions`: exception
//!   clauses, copies of finally bodies;
//! * `dispatch`: one instruction; `arith`, `convert`, `fields`, `arrays`, `objects`, `calls`, `tail`, `varargs`, `generics`, `intrinsics`: by theme;
//! * `wrappers`: bodies of methods without IL.
//!
//! Generic code is imported in canonical form. Tokens are resolved twice where it matters: with the canonical
//! arguments, which decide layout and sharing, and in open form, which says what to ask the generic
//! context for ([`Pair`]).
#![allow(
    clippy::wrong_self_convention,
    reason = "`to` and `from` in names of emitters say which way the emitted code converts"
)]

mod arith;
mod arrays;
mod calls;
mod convert;
mod dispatch;
mod error;
mod fields;
mod flow;
#[cfg(test)]
mod fuzz_tests;
mod generics;
mod intrinsics;
mod marshal;
mod names;
mod newobj;
mod objects;
mod oracle;
mod regions;
mod scan;
mod signature;
mod stack;
mod tail;
mod targets;
mod varargs;
mod vars;
mod wrappers;

pub use error::{Error, Result};
pub use intrinsics::is_intrinsic;
pub use marshal::delegates_passed;
pub use oracle::ContextOracle;
pub use signature::{ir_signature, pass_type};

use crate::il::MethodBody;
use crate::ir::{Function, FunctionBuilder, SourceLoc};
use crate::types::{
    ArrayMethod, GenericContext, MethodId, MethodKind, MethodSignature, ModuleId, TypeContext,
    TypeId,
};
use rustc_hash::FxHashMap;

/// Largest method body that is imported, in bytes of IL.
pub const MAX_IL_SIZE: usize = 1 << 20;

/// The instruction `ret`.
const RET: &[u8] = &[0x2a];

/// Most exception clauses of a method that is imported.
pub const MAX_CLAUSES: usize = 1 << 14;

/// What the importer is told from outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Leave out stack-limit and safepoint polls (for tests that compare IR).
    pub no_polls: bool,
    /// Attribute code to the offset of its own instruction (for reports), not to the start of its statement as stack traces
    /// show it.
    pub exact_places: bool,
}

/// A type, method or field in canonical form, and in terms of the generic parameters of the method it
/// stands in. Both are the same in code that is not shared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair<T> {
    /// With canonical arguments.
    pub canon: T,
    /// Open.
    pub open: T,
}

impl<T: Copy> Pair<T> {
    /// Something that does not depend on generic parameters.
    pub fn same(t: T) -> Pair<T> {
        Pair { canon: t, open: t }
    }
}

/// Imports the body of a method (canonical form): its IL, or the wrapper that stands for it.
pub fn import_method(
    ctx: &TypeContext,
    method: MethodId,
    options: &ImportOptions,
) -> Result<Function> {
    let signature = *ctx.method_signature(method)?;
    let sig = ir_signature(ctx, method, &signature)?;
    let mut function = Function::new(ctx.method_full_name(method), sig);
    function.method = Some(method);
    if let MethodKind::Array { array, op } = ctx.method_kind(method) {
        let body = MethodBody::of_code(RET);
        let importer = Importer::new(ctx, method, signature, body, function, *options)?;
        return importer.run_array_method(array, op);
    }
    let rva = ctx.method_rva(method);
    let has_il = rva != 0
        && !ctx.method_is_pinvoke(method)
        && !ctx.method_is_internal_call(method)
        && !ctx.method_is_runtime(method);
    if !has_il {
        return wrappers::import(ctx, method, signature, function);
    }
    let module = ctx.method_module(method);
    let body = MethodBody::parse(ctx.module(module), rva).map_err(Error::Il)?;
    if body.code.len() > MAX_IL_SIZE || body.clauses.len() > MAX_CLAUSES {
        return Err(Error::TooLarge);
    }
    Importer::new(ctx, method, signature, body, function, *options)?.run()
}

/// State of one import.
pub(crate) struct Importer<'c> {
    ctx: &'c TypeContext,
    method: MethodId,
    /// Signature in canonical terms.
    signature: MethodSignature,
    module: ModuleId,
    /// Canonical generic arguments.
    generics: GenericContext,
    /// The body serves several instances.
    shared: bool,
    body: MethodBody,
    scan: scan::Scan,
    b: FunctionBuilder,
    args: Vec<vars::Storage>,
    locals: Vec<vars::Storage>,
    stack: Vec<stack::Item>,
    flow: flow::Flow,
    regions: regions::Regions,
    temps: stack::TempPool,
    return_buffer: Option<crate::ir::Value>,
    /// The hidden generic context argument.
    context_arg: Option<crate::ir::Value>,
    prefixes: dispatch::Prefixes,
    /// Addresses of scalar elements and fields, with the alias class of what is there and its type.
    places: FxHashMap<crate::ir::Value, (crate::ir::MemType, crate::ir::AliasClass)>,
    /// A failure that the whole method shares: of an exception clause.
    fatal: Option<Error>,
    type_pairs: FxHashMap<u32, Pair<TypeId>>,
    options: ImportOptions,
    /// Offset of the instruction being imported.
    offset: u32,
    /// Whether the last instruction was a call.
    called: bool,
    /// Offset of the instruction after it; moved on by look-ahead.
    next: u32,
}

impl<'c> Importer<'c> {
    fn new(
        ctx: &'c TypeContext,
        method: MethodId,
        signature: MethodSignature,
        body: MethodBody,
        mut function: Function,
        options: ImportOptions,
    ) -> Result<Self> {
        let scan = scan::Scan::new(&body)?;
        function.vars_in_frame = !scan.too_many_params.is_empty();
        Ok(Importer {
            ctx,
            method,
            signature,
            module: ctx.method_module(method),
            generics: ctx.generic_context(method),
            shared: ctx.is_shared(method),
            regions: regions::Regions::new(&body),
            flow: flow::Flow::new(&scan),
            scan,
            body,
            b: FunctionBuilder::new(function),
            args: Vec::new(),
            locals: Vec::new(),
            stack: Vec::new(),
            temps: stack::TempPool::default(),
            return_buffer: None,
            context_arg: None,
            prefixes: dispatch::Prefixes::default(),
            places: FxHashMap::default(),
            fatal: None,
            type_pairs: FxHashMap::default(),
            options,
            offset: 0,
            called: false,
            next: 0,
        })
    }

    fn run(mut self) -> Result<Function> {
        self.b.create_entry();
        if self.b.func.sig.context {
            self.context_arg = Some(self.b.context_arg());
        }
        self.declare_args()?;
        self.declare_locals()?;
        self.enter_synchronized()?;
        self.check_own_class_init()?;
        self.start_at_first_instruction()?;
        while let Some(block) = self.flow.next_block() {
            self.import_block(block)?;
            if let Some(e) = self.fatal.take() {
                return Err(e);
            }
        }
        self.finish_finally_copies();
        self.finish_unreached();
        Ok(self.b.finish())
    }

    /// The body of a pseudo-method of an array type: its arguments, the inlined call, `ret`.
    fn run_array_method(mut self, array: TypeId, op: ArrayMethod) -> Result<Function> {
        self.b.create_entry();
        self.declare_args()?;
        for n in 0..self.args.len() {
            self.load_var(scan::VarRef::Arg(n as u32))?;
        }
        let args = core::mem::take(&mut self.stack);
        // Which element type the caller's array type has is not known in shared code, and checked by nobody then.
        self.prefixes.readonly = self.ctx.contains_canon(array);
        self.array_method(Pair::same(array), op, &args)?;
        self.ret()?;
        Ok(self.b.finish())
    }

    /// Code is attributed to the start of its statement, as stack traces show it: the last offset where the evaluation
    /// stack was empty, or the one behind the last call since then.
    fn set_loc(&mut self) {
        if self.stack.is_empty() || self.called || self.options.exact_places {
            self.b.set_loc(SourceLoc {
                il: self.offset,
                site: 0,
            });
        }
        self.called = false;
    }

    fn invalid<T>(&self, reason: &'static str) -> Result<T> {
        Err(Error::Invalid {
            offset: self.offset,
            reason,
        })
    }
}
