//! An image in use: its tables, where it is mapped, and what the unwinder asks about its code.
#![allow(
    unsafe_code,
    reason = "reads cells and descriptions through raw addresses"
)]

use super::map::MappedImage;
use crate::jit::code_map::{CodeInfoProvider, MethodCode};
use crate::runtime;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::emit::{ClauseKind, EhClause};
use shared_codegen::image::clauses::{ImageClause, ImageClauseKind};
use shared_codegen::image::methods::MethodEntry;
use shared_codegen::image::{Image, fixups};
use shared_codegen::ir::{InlineSite, Lookup};
use shared_codegen::types::{self, ModuleId, TypeContext};
use std::path::PathBuf;

/// A verified and mapped image.
#[derive(Debug)]
pub struct LoadedImage {
    /// Its file.
    pub path: PathBuf,
    /// The module of the assembly it is of.
    pub module: ModuleId,
    /// Its tables.
    pub image: Image<'static>,
    code: core::ops::Range<usize>,
    cells: usize,
    /// Descriptions made so far, by method.
    described: Box<[AtomicPtr<MethodCode>]>,
}

impl LoadedImage {
    /// An image mapped at this place.
    pub fn new(
        path: PathBuf,
        module: ModuleId,
        image: Image<'static>,
        map: &MappedImage,
    ) -> Option<LoadedImage> {
        let code = image.code_vaddrs();
        let start = map.address(&code)?;
        let cells = map.address(&image.cell_vaddrs())?;
        let methods = image.method_count();
        Some(LoadedImage {
            path,
            module,
            code: start..start + (code.end - code.start) as usize,
            cells,
            described: (0..methods).map(|_| AtomicPtr::default()).collect(),
            image,
        })
    }

    /// Addresses of the code.
    pub fn code(&self) -> core::ops::Range<usize> {
        self.code.clone()
    }

    /// Address of a method's first instruction.
    pub fn address_of(&self, m: &MethodEntry) -> usize {
        self.code.start + m.code.start as usize
    }

    /// A cell; `n` must be below the number of cells.
    pub fn cell(&self, n: u32) -> &'static AtomicUsize {
        assert!(n < self.image.cell_count(), "the reader checked the number");
        // SAFETY: the cells are `cell_count` aligned words of writable memory (checked when the image was parsed) that is
        // never unmapped; everybody accesses them atomically.
        unsafe { &*((self.cells + 8 * n as usize) as *const AtomicUsize) }
    }

    fn offset(&self, pc: usize) -> Option<u32> {
        u32::try_from(pc.checked_sub(self.code.start)?).ok()
    }

    /// The method at an address and its description.
    fn describe(&self, pc: usize) -> Option<&'static MethodCode> {
        let m = self.image.method_at(self.offset(pc)?)?;
        let cell = self.described.get(m.number as usize)?;
        let known = cell.load(Ordering::Acquire);
        if known.is_null() {
            // A method that cannot be described has no frame the unwinder could trust; the image was verified, so this is
            // a defect, which shows as a broken stack walk.
            let made = self.build(&runtime::get().types, &m).ok()?;
            let made = Box::into_raw(Box::new(made));
            // Two threads may both get here; either description is right, and the loser's is lost.
            cell.store(made, Ordering::Release);
            // SAFETY: just made, never freed.
            return Some(unsafe { &*made });
        }
        // SAFETY: descriptions are never freed.
        Some(unsafe { &*known })
    }

    fn build(&self, ctx: &TypeContext, m: &MethodEntry) -> types::Result<MethodCode> {
        let image = &self.image;
        let bad = |e| types::Error::bad_image(&self.path.display().to_string(), e);
        let method = ctx.decode_method(self.module, image.method_key(m).map_err(bad)?)?;
        let clauses = image.clauses(m).map_err(bad)?;
        let sites = image.inline_sites(m).map_err(bad)?;
        Ok(MethodCode {
            method,
            start: self.address_of(m),
            len: m.code.end - m.code.start,
            frame: m.frame,
            clauses: clauses
                .iter()
                .map(|c| self.clause(ctx, c))
                .collect::<types::Result<_>>()?,
            traps: image.traps(m).map_err(bad)?.into(),
            lines: image.lines(m).map_err(bad)?.into(),
            inline_sites: sites
                .iter()
                .map(|s| {
                    Ok(InlineSite {
                        method: ctx.decode_method(self.module, s.method)?,
                        call: s.call,
                    })
                })
                .collect::<types::Result<_>>()?,
        })
    }

    fn clause(&self, ctx: &TypeContext, c: &ImageClause<'_>) -> types::Result<EhClause> {
        let kind = match c.kind {
            ImageClauseKind::Catch(ty) => ClauseKind::Catch(ctx.decode_type(self.module, ty)?),
            ImageClauseKind::CatchLookup(bytes) => match fixups::decode(ctx, self.module, bytes)? {
                Fixup::GenericLookup(owner, open) => ClauseKind::CatchLookup(Lookup {
                    owner,
                    fixup: open.into(),
                }),
                _ => return Err(types::Error::bad_image("image", "malformed clause")),
            },
            ImageClauseKind::Filter(at) => ClauseKind::Filter(at),
            ImageClauseKind::Fault => ClauseKind::Fault,
        };
        Ok(EhClause {
            start: c.start,
            end: c.end,
            handler: c.handler,
            kind,
            eh_slot: c.eh_slot,
            region: c.region,
        })
    }
}

impl CodeInfoProvider for LoadedImage {
    fn method_at(&self, pc: usize) -> Option<&'static MethodCode> {
        self.describe(pc)
    }

    fn trap_at(&self, pc: usize) -> Option<TrapKind> {
        self.image.trap_at(self.offset(pc)?)
    }
}
