//! The tables of `System.Text.Normalization`.
#![allow(
    unsafe_code,
    reason = "writes through by-ref arguments and reads static fields"
)]

use super::{Result, icalls, managed};
use crate::culture::normalization::{UNITS, tables};
use crate::object::{Obj, Plain, array};
use crate::runtime::{self, Runtime};

icalls! {
    "System.Text.Normalization" {
        "load_normalization_resource" => load(*mut usize, *mut usize, *mut usize, *mut usize, *mut usize, *mut usize);
    }
}

/// A `CodePointIndexer.TableRange`: code points from `start` up to `end` stand in a table from `index_start` on.
#[derive(Clone, Copy)]
#[repr(C)]
struct TableRange {
    start: i32,
    end: i32,
    count: i32,
    index_start: i32,
    index_end: i32,
}

// SAFETY: five integers, as on the managed side.
unsafe impl Plain for TableRange {}

/// The indexers of `NormalizationTableUtil` name the blocks that had something to say in Unicode 5 and leave out the rest. Our tables
/// have an entry for each unit, so the first range of each becomes all of them.
fn widen_indexers(rt: &'static Runtime) -> Result<()> {
    let corlib = rt.types.corlib();
    let class = rt.types.require_type(
        corlib,
        "Mono.Globalization.Unicode",
        "NormalizationTableUtil",
    )?;
    rt.class_init.ensure(rt.method_table(class)?)?;
    let units = UNITS as i32;
    let all = TableRange {
        start: 0,
        end: units,
        count: units,
        index_start: 0,
        index_end: units,
    };
    for indexer in ["Prop", "Map", "Combining", "Composite", "Helper"] {
        let slot = rt.static_field(class, indexer)?;
        // SAFETY: the address of a static field of reference type, set by the initializer.
        let indexer = unsafe { slot.cast::<Obj>().read() };
        let ranges: Obj = rt.get_field(indexer, "ranges");
        array::set(ranges, 0, all);
    }
    Ok(())
}

extern "C" fn load(
    properties: *mut usize,
    characters: *mut usize,
    map_index: *mut usize,
    helper_index: *mut usize,
    composites: *mut usize,
    classes: *mut usize,
) {
    managed(|| {
        widen_indexers(runtime::get())?;
        let t = tables();
        let addresses = [
            (properties, t.properties.as_ptr() as usize),
            (characters, t.characters.as_ptr() as usize),
            (map_index, t.map_index.as_ptr() as usize),
            (helper_index, t.helper_index.as_ptr() as usize),
            (composites, t.composites.as_ptr() as usize),
            (classes, t.classes.as_ptr() as usize),
        ];
        for (to, address) in addresses {
            // SAFETY: `out` arguments of the caller.
            unsafe { to.write(address) };
        }
        Ok(())
    });
}
