//! What the user asked `aotrun` for.

use std::path::PathBuf;

/// Which tiers of the JIT may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum JitTier {
    /// Cheap optimizations and the fast register allocator.
    #[default]
    Quick,
    /// The optimizations of ahead-of-time compilation.
    Opt,
    /// The program's own methods are interpreted (`crate::interp`), the others compiled as by [`Self::Quick`].
    Interpret,
}

/// Options of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders searched for images before the usual places.
    pub aot_path: Vec<PathBuf>,
    /// Do not use images.
    pub no_aot: bool,
    /// Do not compile; an error names the first method that would need it.
    pub no_jit: bool,
    /// JIT tier.
    pub jit: JitTier,
    /// Optimization list (`-O`), as given.
    pub optimize: Option<String>,
    /// More folders to find assemblies in.
    pub lib_path: Vec<PathBuf>,
    /// Say for each method that was not taken from an image why.
    pub explain: bool,
    /// Print statistics at exit.
    pub stats: bool,
    /// Verify IR after each pass and run the register-allocation checker.
    pub verify: bool,
    /// Collect at every n-th allocation (0: never).
    pub gc_stress: u32,
    /// The heap never grows beyond this many bytes (0: as memory allows).
    pub heap_max: usize,
    /// Print the name of each method when it is compiled or bound.
    pub trace_compile: bool,
}
