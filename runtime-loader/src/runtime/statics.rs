//! Static fields: one block per type, allocated at first use.
#![allow(unsafe_code, reason = "blocks are raw memory")]

use crate::gc;
use crate::icall::Result;
use crate::object::{InitState, MethodTable};
use crate::threads;
use core::sync::atomic::Ordering;
use parking_lot::Mutex;
use shared_codegen::abi::layout::statics::INIT_STATE;
use shared_codegen::types::TypeContext;

/// Space in front of a block's base for the init state, keeping the base aligned to 16.
const PREFIX: usize = 16;
const _: () = assert!(INIT_STATE == -8);

/// The blocks of static fields.
#[derive(Default)]
pub struct Statics {
    allocating: Mutex<()>,
}

impl Statics {
    /// Base of the static fields of a type whose layout is known to be fine.
    ///
    /// # Panics
    /// When the layout cannot be computed; [`Self::base_of`] reports that.
    pub fn base(&self, mt: &'static MethodTable) -> *mut u8 {
        self.base_of(&super::get().types, mt)
            .expect("the statics of this type have been laid out before")
    }

    /// Base of the static fields of a type, allocated now if need be.
    pub fn base_of(&self, ctx: &TypeContext, mt: &'static MethodTable) -> Result<*mut u8> {
        let base = mt.statics.load(Ordering::Acquire);
        if !base.is_null() {
            return Ok(base);
        }
        let layout = ctx.statics(mt.type_id())?;
        let has_initializer = ctx.has_cctor(mt.type_id());
        let _lock = self.allocating.lock();
        let base = mt.statics.load(Ordering::Acquire);
        if !base.is_null() {
            return Ok(base);
        }
        let block = vec![
            0u64;
            (PREFIX + layout.size as usize)
                .div_ceil(8)
                .next_multiple_of(2)
                + 1
        ]
        .leak();
        let start = block.as_mut_ptr().cast::<u8>();
        // Keep the base aligned to 16 whatever the allocator gave.
        let base = start.wrapping_add(PREFIX + (start as usize & 8));
        if !has_initializer {
            *mt.desc.init.lock() = InitState::Done;
            // SAFETY: the byte lies in the prefix of the block just allocated, which nobody else knows yet.
            unsafe { base.offset(INIT_STATE as isize).write(1) };
        }
        // SAFETY: the block is never freed, and the offsets are those of its references.
        unsafe { gc::add_block(base, &layout.refs) };
        mt.statics.store(base, Ordering::Release);
        Ok(base)
    }

    /// Thread-static block number of a type.
    pub fn thread_index(&self, ctx: &TypeContext, mt: &'static MethodTable) -> Result<usize> {
        let layout = ctx.statics(mt.type_id())?;
        let index = &mt.desc.thread_statics;
        if index.load(Ordering::Acquire) == 0 {
            let _lock = self.allocating.lock();
            if index.load(Ordering::Acquire) == 0 {
                index.store(
                    threads::statics::new_index(layout.thread_size, &layout.thread_refs) + 1,
                    Ordering::Release,
                );
            }
        }
        Ok(index.load(Ordering::Acquire) - 1)
    }
}

/// Block of the current thread.
pub fn thread_block(index: usize) -> Result<*mut u8> {
    Ok(threads::statics::base(threads::current(), index))
}
