//! Which method a code address belongs to, and what the unwinder and the signal handlers need to know
//! about it.
//!
//! Reads take no lock and allocate nothing (signal handlers use them). Descriptions are immortal.
#![allow(unsafe_code, reason = "descriptions are found through raw addresses")]

use super::code_memory::CodeMemory;
use core::fmt;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::emit::{CodeBlob, EhClause, FrameInfo, LineEntry, TrapSite};
use shared_codegen::ir::InlineSite;
use shared_codegen::types::MethodId;
use std::sync::OnceLock;

/// What compiled code looks like to the unwinder: the tables of [`CodeBlob`] with an address.
#[derive(Debug)]
pub struct MethodCode {
    /// The method (canonical if shared).
    pub method: MethodId,
    /// Address of the first byte.
    pub start: usize,
    /// Bytes of instructions.
    pub len: u32,
    /// Frame.
    pub frame: FrameInfo,
    /// Protected regions, inner before outer.
    pub clauses: Box<[EhClause]>,
    /// Instructions that may trap, sorted by offset.
    pub traps: Box<[TrapSite]>,
    /// Source positions, sorted by offset.
    pub lines: Box<[LineEntry]>,
    /// Inlined bodies that `lines` refer to.
    pub inline_sites: Box<[InlineSite]>,
}

/// One logical frame of a pc: the method and the IL offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogicalFrame {
    /// Method, inlined or not.
    pub method: MethodId,
    /// IL offset, if known.
    pub il: Option<u32>,
}

/// Bound on the depth of inlining believed of tables.
const MAX_INLINE_DEPTH: usize = 256;

impl MethodCode {
    /// The description of a blob placed at `start`.
    pub fn of_blob(blob: &CodeBlob, method: MethodId, start: usize) -> MethodCode {
        MethodCode {
            method,
            start,
            len: blob.code_size,
            frame: blob.frame,
            clauses: blob.clauses.clone().into(),
            traps: blob.traps.clone().into(),
            lines: blob.lines.clone().into(),
            inline_sites: blob.inline_sites.clone().into(),
        }
    }

    /// Does this address lie in the code?
    pub fn contains(&self, pc: usize) -> bool {
        pc.wrapping_sub(self.start) < self.len as usize
    }

    /// The trap at exactly this offset.
    pub fn trap_at(&self, offset: u32) -> Option<TrapKind> {
        let i = self
            .traps
            .binary_search_by_key(&offset, |t| t.offset)
            .ok()?;
        Some(self.traps[i].kind)
    }

    /// The methods an offset belongs to, innermost (most deeply inlined) first.
    pub fn logical_frames(&self, offset: u32) -> Vec<LogicalFrame> {
        let at = self.lines.partition_point(|l| l.offset <= offset);
        let mut loc = at.checked_sub(1).map(|i| self.lines[i].loc);
        let mut frames = Vec::new();
        while let Some(l) = loc {
            let site = (l.site as usize)
                .checked_sub(1)
                .and_then(|i| self.inline_sites.get(i));
            let Some(site) = site.filter(|_| frames.len() < MAX_INLINE_DEPTH) else {
                break;
            };
            frames.push(LogicalFrame {
                method: site.method,
                il: Some(l.il),
            });
            loc = Some(site.call);
        }
        frames.push(LogicalFrame {
            method: self.method,
            il: loc.map(|l| l.il),
        });
        frames
    }
}

/// Answers for a range of code that was not made by the JIT: an image.
pub trait CodeInfoProvider: Send + Sync {
    /// The method at a pc. May build and keep the description; not called from signal handlers.
    fn method_at(&self, pc: usize) -> Option<&'static MethodCode>;

    /// The trap at exactly this pc. Called from signal handlers: no locks, no allocation.
    fn trap_at(&self, pc: usize) -> Option<TrapKind>;
}

struct ImageRange {
    start: usize,
    end: usize,
    provider: &'static dyn CodeInfoProvider,
}

/// Every piece of managed code in the process.
pub struct CodeMap {
    memory: CodeMemory,
    images: boxcar::Vec<ImageRange>,
}

impl fmt::Debug for CodeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeMap")
            .field("memory", &self.memory)
            .field("images", &self.images.count())
            .finish()
    }
}

/// The one code map of the process: signal handlers have no other way to find it.
static GLOBAL: OnceLock<CodeMap> = OnceLock::new();

impl CodeMap {
    /// The process's code map; reserves the code memory on first use.
    ///
    /// # Panics
    /// When the address space for code cannot be reserved.
    pub fn global() -> &'static CodeMap {
        GLOBAL.get_or_init(|| CodeMap {
            memory: CodeMemory::reserve()
                .unwrap_or_else(|e| panic!("cannot reserve memory for code: {e}")),
            images: boxcar::Vec::new(),
        })
    }

    /// The code map if there is one already; for signal handlers.
    pub fn existing() -> Option<&'static CodeMap> {
        GLOBAL.get()
    }

    /// Where JIT code lives.
    pub fn memory(&self) -> &CodeMemory {
        &self.memory
    }

    /// Registers a method whose code was written to [`memory`](Self::memory). Do this before its address gets known to others.
    pub fn register(&self, code: MethodCode) -> &'static MethodCode {
        let code: &'static MethodCode = Box::leak(Box::new(code));
        self.memory
            .publish(code.start, core::ptr::from_ref(code) as usize);
        code
    }

    /// Registers a range of code that `provider` answers for.
    pub fn register_image(
        &self,
        start: usize,
        end: usize,
        provider: &'static dyn CodeInfoProvider,
    ) {
        self.images.push(ImageRange {
            start,
            end,
            provider,
        });
    }

    /// The method at a pc.
    pub fn find(&self, pc: usize) -> Option<&'static MethodCode> {
        match self.jit_method(pc) {
            Some(code) => Some(code),
            None => self.image(pc)?.method_at(pc),
        }
    }

    /// The trap at exactly this pc. Safe in signal handlers.
    pub fn trap_at(&self, pc: usize) -> Option<TrapKind> {
        match self.jit_method(pc) {
            Some(code) => code.trap_at((pc - code.start) as u32),
            None => self.image(pc)?.trap_at(pc),
        }
    }

    /// Is this an address in managed code or a stub? Safe in signal handlers.
    pub fn is_managed(&self, pc: usize) -> bool {
        self.memory.contains(pc) || self.image(pc).is_some()
    }

    fn jit_method(&self, pc: usize) -> Option<&'static MethodCode> {
        let (_, description) = self.memory.description_at(pc)?;
        // SAFETY: descriptions are published by `register` only, as addresses of leaked `MethodCode`s.
        let code = unsafe { &*(description as *const MethodCode) };
        code.contains(pc).then_some(code)
    }

    fn image(&self, pc: usize) -> Option<&'static dyn CodeInfoProvider> {
        self.images
            .iter()
            .find(|(_, r)| (r.start..r.end).contains(&pc))
            .map(|(_, r)| r.provider)
    }
}
