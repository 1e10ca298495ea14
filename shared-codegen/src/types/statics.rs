//! Storage of static fields.
//!
//! Each exact type that needs it has one block of static fields and one block per thread. Structs lie inline.
//! Literals have no storage, fields with RVA live in the image.

use super::layout::{FieldShape, MAX_SIZE, round_up};
use super::{Error, FieldId, Result, TypeContext, TypeId};
use crate::metadata::FieldRow;

/// Where a static field lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StaticStorage {
    /// At this offset of the type's block of statics.
    Normal(u32),
    /// At this offset of the type's block for the current thread.
    Thread(u32),
    /// In the image, at this relative virtual address.
    Rva(u32),
    /// A constant; there is nothing to load.
    Literal,
}

/// The blocks of static fields of one type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StaticsLayout {
    /// Bytes of the block shared by all threads.
    pub size: u32,
    /// Offsets of references in it.
    pub refs: Box<[u32]>,
    /// Bytes of the block of each thread.
    pub thread_size: u32,
    /// Offsets of references in it.
    pub thread_refs: Box<[u32]>,
    /// Storage of each static field, in row order.
    pub fields: Box<[(FieldRow, StaticStorage)]>,
}

#[derive(Default)]
struct Block {
    shapes: Vec<FieldShape>,
}

impl Block {
    fn bytes(&self) -> u64 {
        self.shapes.iter().map(|s| u64::from(s.size)).sum()
    }

    /// Places the fields, references first. Gives size, reference offsets and field offsets.
    fn place(mut self) -> (u32, Box<[u32]>, Vec<(FieldRow, u32)>) {
        self.shapes
            .sort_by_key(|s| (s.refs.is_empty(), core::cmp::Reverse(s.align)));
        let (mut end, mut refs, mut fields) = (0, Vec::new(), Vec::new());
        for shape in &self.shapes {
            let at = round_up(end, shape.align);
            refs.extend(shape.refs.iter().map(|r| at.saturating_add(*r)));
            fields.push((shape.row, at));
            end = at.saturating_add(shape.size);
        }
        (round_up(end, 8), refs.into(), fields)
    }
}

impl TypeContext {
    /// Layout of the static fields of an exact (or canonical) type.
    pub fn statics(&self, t: TypeId) -> Result<&StaticsLayout> {
        let entry = self.entry(t);
        if let Some(done) = entry.statics.get() {
            return done.as_deref().map_err(Clone::clone);
        }
        let computed = self.compute_statics(t).map(Box::new);
        let kept = entry.statics.get_or_init(|| computed);
        kept.as_deref().map_err(Clone::clone)
    }

    /// Where a static field lives.
    pub fn static_storage(&self, f: FieldId) -> Result<StaticStorage> {
        let field = self.field_kind(f);
        let layout = self.statics(field.owner)?;
        match layout.fields.binary_search_by_key(&field.row, |x| x.0) {
            Ok(at) => Ok(layout.fields[at].1),
            Err(_) => Err(Error::MissingField {
                member: self.field_full_name(f).into(),
            }),
        }
    }

    fn compute_statics(&self, t: TypeId) -> Result<StaticsLayout> {
        let (mut shared, mut thread) = (Block::default(), Block::default());
        let mut fields = Vec::new();
        for f in self.fields(t)? {
            let row = self.field_kind(f).row;
            if !self.field_is_static(f) {
                continue;
            }
            if self.field_is_literal(f) {
                fields.push((row, StaticStorage::Literal));
            } else if let Some(rva) = self.field_rva(f) {
                fields.push((row, StaticStorage::Rva(rva)));
            } else {
                let shape = self.field_shape(f, &mut Vec::new())?;
                let block = if self.field_is_thread_static(f) {
                    &mut thread
                } else {
                    &mut shared
                };
                block.shapes.push(shape);
            }
        }
        if shared.bytes().max(thread.bytes()) > u64::from(MAX_SIZE) {
            return Err(self.type_load(t, "its static fields are too large"));
        }
        let (size, refs, placed) = shared.place();
        fields.extend(placed.iter().map(|&(r, o)| (r, StaticStorage::Normal(o))));
        let (thread_size, thread_refs, placed) = thread.place();
        fields.extend(placed.iter().map(|&(r, o)| (r, StaticStorage::Thread(o))));
        fields.sort_unstable_by_key(|f| f.0);
        Ok(StaticsLayout {
            size,
            refs,
            thread_size,
            thread_refs,
            fields: fields.into(),
        })
    }
}
