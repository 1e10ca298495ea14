//! From a method to its code: import, passes, back end. The one place where the JIT and the
//! ahead-of-time compiler meet all stages.

use crate::compile::{CodegenOptions, CompileError, EmitOptions, compile_with};
use crate::emit::CodeBlob;
use crate::import::{self, ContextOracle, ImportOptions, import_method};
pub use crate::isa::x64::finish::emit_options;
use crate::passes::{OptSet, PassContext, PassError, Verify, run_pipeline};
use crate::types::{MethodId, TypeContext};

/// Why a method has no code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The method itself is at fault; the program sees an exception.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// A pass produced wrong IR: a defect of the compiler.
    #[error("{0}")]
    Pass(String),
    /// The back end gave up.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

impl From<PassError> for Error {
    fn from(e: PassError) -> Error {
        Error::Pass(e.to_string())
    }
}

/// What to do with a method.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Optional passes.
    pub passes: OptSet,
    /// Back end.
    pub codegen: CodegenOptions,
    /// Proof of the IR.
    pub verify: Verify,
}

/// Compiles a method (canonical form).
pub fn compile_method(ctx: &TypeContext, method: MethodId, plan: &Plan) -> Result<CodeBlob, Error> {
    let emission = EmitOptions {
        text: plan.codegen.text.then_some(""),
        ..emit_options(plan.codegen.policy)
    };
    compile_method_with(ctx, method, plan, &emission)
}

/// The same with full control over emission: local symbols of the text, direct calls.
pub fn compile_method_with(
    ctx: &TypeContext,
    method: MethodId,
    plan: &Plan,
    emission: &EmitOptions<'_>,
) -> Result<CodeBlob, Error> {
    let options = ImportOptions::default();
    let mut f = import_method(ctx, method, &options)?;
    let oracle = ContextOracle { ctx, options };
    let mut cx = PassContext::new(&oracle);
    cx.verify = plan.verify;
    // The baseline of the back end is x86-64-v2.
    (cx.has_round, cx.has_popcnt) = (true, true);
    run_pipeline(&mut f, &plan.passes, &cx)?;
    Ok(compile_with(&f, &plan.codegen, emission)?)
}
