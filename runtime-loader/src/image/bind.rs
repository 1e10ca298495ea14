//! Binding: giving the cells of a method their values before it first runs.
//!
//! A call cell of a method without code holds the method's prestub. It is remembered, and gets the final address
//! when there is one, so calls between images are one indirect call.

use super::LoadedImage;
use crate::icall::Result;
use crate::jit::helpers;
use crate::object::MethodDesc;
use crate::runtime::Runtime;
use core::sync::atomic::{AtomicUsize, Ordering};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::image::fixups;
use shared_codegen::image::methods::MethodEntry;
use shared_codegen::types::MethodId;
use smallvec::SmallVec;

/// The call cells of each (canonical) method.
#[derive(Default)]
pub struct CallCells {
    by_method: Mutex<FxHashMap<MethodId, SmallVec<[&'static AtomicUsize; 2]>>>,
}

impl CallCells {
    /// Fills a call cell and remembers it.
    fn add(&self, rt: &Runtime, method: MethodId, cell: &'static AtomicUsize) -> Result<()> {
        let desc = rt.methods.canonical(rt, rt.methods.desc(method));
        let slot = rt.methods.entry(rt, desc)?;
        // Under the lock either the code is there already, or `publish` will see this cell.
        let mut all = self.by_method.lock();
        all.entry(desc.method).or_default().push(cell);
        let code = desc.compiled().unwrap_or_else(|| slot.target());
        cell.store(code, Ordering::Release);
        Ok(())
    }

    /// A method has (new) code: redirects all calls.
    pub fn publish(&self, method: MethodId, code: usize) {
        if let Some(cells) = self.by_method.lock().get(&method) {
            cells
                .iter()
                .for_each(|cell| cell.store(code, Ordering::Release));
        }
    }
}

/// Binds the cells of a method that are still zero.
pub fn bind(
    rt: &Runtime,
    calls: &CallCells,
    image: &'static LoadedImage,
    m: &MethodEntry,
) -> core::result::Result<(), String> {
    let cells = image.image.fixups(m).map_err(|e| e.to_string())?;
    for n in cells {
        let n = n.map_err(|e| e.to_string())?;
        let cell = image.cell(n);
        if cell.load(Ordering::Acquire) == 0 {
            let bytes = image.image.cell_fixup(n).map_err(|e| e.to_string())?;
            let fixup =
                fixups::decode(&rt.types, image.module, bytes).map_err(|e| e.to_string())?;
            fill(rt, calls, cell, fixup).map_err(|e| format!("{fixup:?}: {e:?}"))?;
        }
    }
    Ok(())
}

fn fill(rt: &Runtime, calls: &CallCells, cell: &'static AtomicUsize, fixup: Fixup) -> Result<()> {
    let value = match fixup {
        Fixup::MethodEntry(method) => return calls.add(rt, method, cell),
        Fixup::Helper(helper) => helpers::address(helper),
        Fixup::NativeCode(method) => native(rt, rt.methods.desc(method))?,
        other => rt.fixup_value(other)?,
    };
    cell.store(value, Ordering::Release);
    Ok(())
}

fn native(rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
    rt.native_code(desc)
}
