//! Vectors, and arrays of any rank.

use super::error::Result;
use super::stack::Item;
use super::{Importer, Pair};
use crate::abi::helper::HelperId;
use crate::abi::layout::array;
use crate::ir::{AliasClass, IntCc, MemRef, MemType, Op, SlotData, Type, Value};
use crate::metadata::Token;
use crate::types::{Known, TypeId, TypeKind};

impl Importer<'_> {
    pub(crate) fn newarr(&mut self, token: Token) -> Result<()> {
        let elem = self.type_pair(token)?;
        let ty = self.map_type(elem, |t| self.ctx.sz_array(t));
        let len = self.pop_i64()?;
        let handle = self.type_handle(ty);
        let v = self
            .b
            .type_op(Op::NewArray, &[handle, len], ty.canon)
            .expect("new_array has a result");
        self.push(v, Some(ty.canon));
        Ok(())
    }

    pub(crate) fn ldlen(&mut self) -> Result<()> {
        let a = self.pop_ref()?;
        self.b.null_check(a);
        let len = self.b.array_len(a);
        self.push(len, None);
        Ok(())
    }

    /// Address of an element, checked: the base with the element's place, and the offset to add.
    fn element_address(&mut self, a: Value, index: Value, size: u32) -> Value {
        self.b.null_check(a);
        let len = self.b.array_len(a);
        let index = if self.b.func.ty(index) == Type::I32 {
            let short = self.b.trunc(len);
            self.b.bounds_check(index, short);
            self.b.zext32(index)
        } else {
            let index = self.word(index);
            self.b.bounds_check(index, len);
            index
        };
        self.b.addr_index(a, index, size, array::DATA)
    }

    fn element_mem(&self, ty: MemType) -> MemRef {
        MemRef {
            offset: 0,
            ty,
            alias: AliasClass::Element(ty),
            volatile: self.prefixes.volatile,
        }
    }

    fn pop_array_index(&mut self) -> Result<(Value, Value)> {
        let index = self.pop_value()?;
        if self.is_float(index) {
            return self.invalid("a float as array index");
        }
        let array = self.pop_ref()?;
        Ok((array, index))
    }

    /// `ldelem.*` of a scalar.
    pub(crate) fn ldelem_scalar(&mut self, m: MemType) -> Result<()> {
        let static_type = self
            .stack
            .len()
            .checked_sub(2)
            .and_then(|n| self.stack[n].ty);
        let (a, index) = self.pop_array_index()?;
        let addr = self.element_address(a, index, m.bytes());
        let v = self.b.load(addr, self.element_mem(m));
        let ty = match static_type.map(|t| self.ctx.kind(t)) {
            Some(TypeKind::SzArray(e)) if m == MemType::Ref => Some(e),
            _ => None,
        };
        self.push(v, ty);
        Ok(())
    }

    /// `stelem.*` of a scalar that is not a reference.
    pub(crate) fn stelem_scalar(&mut self, m: MemType) -> Result<()> {
        let v = self.pop_value()?;
        let v = self.to_type(v, m.value_type())?;
        let (a, index) = self.pop_array_index()?;
        let addr = self.element_address(a, index, m.bytes());
        self.b.store(addr, v, self.element_mem(m));
        Ok(())
    }

    /// `stelem.ref`
    pub(crate) fn stelem_ref(&mut self) -> Result<()> {
        let v = self.pop_ref()?;
        let (a, index) = self.pop_array_index()?;
        let addr = self.element_address(a, index, 8);
        self.b.array_store_check(a, v);
        self.b.store_ref(addr, v, self.element_mem(MemType::Ref));
        Ok(())
    }

    /// `ldelem T`
    pub(crate) fn ldelem(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?.canon;
        let (a, index) = self.pop_array_index()?;
        let size = self.ctx.value_size(ty)?;
        let addr = self.element_address(a, index, size);
        let sample = self.element_mem(MemType::I64);
        self.push_loaded(
            addr,
            |m| MemRef {
                ty: m,
                alias: AliasClass::Element(m),
                ..sample
            },
            ty,
        )
    }

    /// `stelem T`
    pub(crate) fn stelem(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?.canon;
        if self.mem_of(ty)? == Some(MemType::Ref) {
            return self.stelem_ref();
        }
        let item = self.pop()?;
        let (a, index) = self.pop_array_index()?;
        let size = self.ctx.value_size(ty)?;
        let addr = self.element_address(a, index, size);
        let sample = self.element_mem(MemType::I64);
        self.store_item(
            addr,
            |m| MemRef {
                ty: m,
                alias: AliasClass::Element(m),
                ..sample
            },
            ty,
            item,
        )
    }

    /// `ldelema T`
    pub(crate) fn ldelema(&mut self, token: Token) -> Result<()> {
        let ty = self.type_pair(token)?;
        let (a, index) = self.pop_array_index()?;
        let size = self.ctx.value_size(ty.canon)?;
        let addr = self.element_address(a, index, size);
        self.check_element_type(a, ty);
        self.push_element_address(addr, ty.canon)
    }

    fn push_element_address(&mut self, addr: Value, elem: TypeId) -> Result<()> {
        if let Some(m) = self.mem_of(elem)? {
            self.remember_place(addr, self.element_mem(m));
        }
        let ty = self.ctx.by_ref(elem);
        self.push(addr, Some(ty));
        Ok(())
    }

    /// An address of a reference element needs the exact element type, unless it is only read.
    fn check_element_type(&mut self, a: Value, elem: Pair<TypeId>) {
        let exact = self.ctx.is_value_type(elem.canon) || self.prefixes.readonly;
        if !exact {
            let handle = self.type_handle(elem);
            self.b
                .call_helper(HelperId::ArrayAddressCheck, &[a, handle]);
        }
    }

    // ---- pseudo-methods of array types

    /// Address of the element of a multi-dimensional array at `indices`.
    pub(crate) fn md_address(&mut self, a: Value, indices: &[Value], size: u32) -> Result<Value> {
        self.b.null_check(a);
        if indices.len() == 1 {
            return self.general_vector_address(a, indices[0], size);
        }
        let bounds_mem = MemRef {
            offset: array::BOUNDS,
            ty: MemType::I64,
            alias: AliasClass::Immutable,
            volatile: false,
        };
        let bounds = self.b.load(a, bounds_mem);
        let mut linear = None;
        for (n, index) in indices.iter().enumerate() {
            let part = |offset: i32| MemRef {
                offset: n as i32 * 8 + offset,
                ty: MemType::I32,
                alias: AliasClass::Immutable,
                volatile: false,
            };
            let len = self.b.load(bounds, part(0));
            let lower = self.b.load(bounds, part(4));
            let index = self.to_type(*index, Type::I32)?;
            let relative = self.b.isub(index, lower);
            self.b.bounds_check(relative, len);
            let (relative, len) = (self.b.zext32(relative), self.b.zext32(len));
            linear = Some(match linear {
                None => relative,
                Some(before) => {
                    let scaled = self.b.imul(before, len);
                    self.b.iadd(scaled, relative)
                }
            });
        }
        let linear = linear.unwrap_or_else(|| self.b.i64(0));
        Ok(self.b.addr_index(a, linear, size, array::DATA))
    }

    /// Rank 1: a vector seen as `T[*]`, or an array with a lower bound.
    fn general_vector_address(&mut self, a: Value, index: Value, size: u32) -> Result<Value> {
        let index = self.to_type(index, Type::I32)?;
        let bounds_mem = MemRef {
            offset: array::BOUNDS,
            ty: MemType::I64,
            alias: AliasClass::Immutable,
            volatile: false,
        };
        let bounds = self.b.load(a, bounds_mem);
        let zero = self.b.i64(0);
        let has_bounds = self.b.icmp(IntCc::Ne, bounds, zero);
        let (with, without) = (self.b.create_block(), self.b.create_block());
        let join = self.b.create_block();
        let relative = self.b.add_param(join, Type::I32);
        self.b.brif(
            has_bounds,
            super::flow::plain(with),
            super::flow::plain(without),
        );
        self.b.seal(with);
        self.b.seal(without);
        self.b.switch_to(with);
        let lower = self.b.load(
            bounds,
            MemRef {
                offset: 4,
                ty: MemType::I32,
                alias: AliasClass::Immutable,
                volatile: false,
            },
        );
        let shifted = self.b.isub(index, lower);
        self.b.jump(join, &[shifted]);
        self.b.switch_to(without);
        self.b.jump(join, &[index]);
        self.b.seal(join);
        self.b.switch_to(join);
        let len = self.b.array_len(a);
        let len = self.b.trunc(len);
        self.b.bounds_check(relative, len);
        let wide = self.b.zext32(relative);
        Ok(self.b.addr_index(a, wide, size, array::DATA))
    }

    fn element_of(&self, ty: Pair<TypeId>) -> Result<Pair<TypeId>> {
        let elem = |t: TypeId| match self.ctx.kind(t) {
            TypeKind::Array { elem, .. } | TypeKind::SzArray(elem) => Some(elem),
            _ => None,
        };
        match (elem(ty.canon), elem(ty.open)) {
            (Some(canon), Some(open)) => Ok(Pair { canon, open }),
            _ => self.invalid("not an array type"),
        }
    }

    /// `Get`, `Set` and `Address` calls. `args`: the array, the indices, and for `Set` the value.
    pub(crate) fn array_method(
        &mut self,
        array_type: Pair<TypeId>,
        op: crate::types::ArrayMethod,
        args: &[Item],
    ) -> Result<()> {
        use crate::types::ArrayMethod;
        let elem = self.element_of(array_type)?;
        let size = self.ctx.value_size(elem.canon)?;
        let a = self.scalar_of(args[0])?;
        let a = self.to_type(a, Type::Ref)?;
        let index_count = if op == ArrayMethod::Set {
            args.len() - 2
        } else {
            args.len() - 1
        };
        let indices = args[1..=index_count]
            .iter()
            .map(|i| self.scalar_of(*i))
            .collect::<Result<Vec<_>>>()?;
        let addr = self.md_address(a, &indices, size)?;
        let sample = self.element_mem(MemType::I64);
        let mem = |m: MemType| MemRef {
            ty: m,
            alias: AliasClass::Element(m),
            ..sample
        };
        match op {
            ArrayMethod::Get => self.push_loaded(addr, mem, elem.canon),
            ArrayMethod::Set => {
                let value = args[args.len() - 1];
                if self.mem_of(elem.canon)? == Some(MemType::Ref) {
                    let v = self.scalar_of(value)?;
                    let v = self.to_type(v, Type::Ref)?;
                    self.b.array_store_check(a, v);
                }
                self.store_item(addr, mem, elem.canon, value)
            }
            ArrayMethod::Address => {
                self.check_element_type(a, elem);
                self.push_element_address(addr, elem.canon)
            }
            ArrayMethod::Ctor(_) => self.invalid("call of an array constructor"),
        }
    }

    /// `newobj` of an array type.
    pub(crate) fn new_md_array(&mut self, array_type: Pair<TypeId>, args: &[Item]) -> Result<()> {
        let handle = self.type_handle(array_type);
        let slot = self.b.func.add_slot(SlotData {
            size: 4 * args.len() as u32,
            align: 8,
            ty: None,
            zeroed: false,
            eh: None,
        });
        for (n, item) in args.iter().enumerate() {
            let v = self.scalar_of(*item)?;
            let v = self.to_type(v, Type::I32)?;
            self.b.slot_store(slot, 4 * n as i32, MemType::I32, v);
        }
        let count = self.b.i32(args.len() as i32);
        let addr = self.b.slot_addr(slot, 0);
        let v = self
            .b
            .call_helper(HelperId::NewMdArray, &[handle, count, addr])
            .expect("the helper has a result");
        self.push(v, Some(array_type.canon));
        Ok(())
    }

    /// `object`
    pub(crate) fn object_type(&self) -> TypeId {
        self.ctx.known(Known::Object)
    }
}
