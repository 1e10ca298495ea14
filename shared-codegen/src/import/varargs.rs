//! Variable argument lists (ECMA-335 I.12.3.2.2, III.3.4).
//!
//! A method with a variable argument list has one more machine-level parameter behind the declared ones: the address of
//! a block that the caller makes in its frame ([`varargs`](crate::abi::layout::varargs)). It
//! names a method table and an address for each extra argument, so the list needs no description besides.
//! `arglist` is that address. Native functions get their extra arguments as C passes them: each list of argument types has a wrapper
//! of its own, a method of kind [`SyntheticKind::ManagedToNative`].

use super::error::Result;
use super::stack::Item;
use super::{Importer, Pair};
use crate::abi::layout::varargs as block;
use crate::ir::{MemType, SlotData, Type, Value};
use crate::metadata::Token;
use crate::types::{
    CallConv, GenericContext, Known, MethodId, MethodKind, MethodSignature, SyntheticKind, TypeId,
    TypeKind, ValueClass,
};

/// Most arguments behind the declared ones.
const MAX_EXTRA: usize = 1 << 12;

impl Importer<'_> {
    /// Pops the arguments of a call, without `this` if `newobj` supplies it. The address of the list is the last one.
    /// The target is another one than `method` if it is native.
    pub(crate) fn pop_call(
        &mut self,
        token: Token,
        method: &mut Pair<MethodId>,
        has_this: bool,
    ) -> Result<Vec<Item>> {
        let signature = *self.ctx.method_signature(method.canon)?;
        let fixed = signature.params.len() + usize::from(has_this);
        if !signature.is_vararg() {
            return self.pop_args(fixed);
        }
        let site = |generics| self.ctx.call_site_signature(self.module, token, generics);
        let canon = site(self.generics)?;
        let open = if self.shared {
            site(GenericContext::EMPTY)?
        } else {
            canon
        };
        if self.ctx.method_is_pinvoke(method.canon) {
            *method = Pair::same(self.native_wrapper(method.canon, canon));
            return self.pop_args(canon.params.len());
        }
        let extra = extra_types(&canon, &open, signature.params.len());
        let mut args = self.pop_args(fixed + extra.len())?;
        let list = args.split_off(fixed);
        args.push(self.argument_block(&extra, list)?);
        Ok(args)
    }

    /// The wrapper that passes just these arguments to a native function.
    fn native_wrapper(&self, method: MethodId, site: MethodSignature) -> MethodId {
        let sig = MethodSignature {
            conv: CallConv::Default,
            fixed_params: Some(site.fixed_params.unwrap_or(site.params.len() as u32)),
            ..site
        };
        self.ctx.intern_method(MethodKind::Synthetic {
            kind: SyntheticKind::ManagedToNative,
            subject: method,
            sig: self.ctx.intern_signature(sig),
        })
    }

    /// Pops the arguments of a `calli` of a managed method with a variable argument list. The signature becomes that of the
    /// method called.
    pub(crate) fn pop_indirect_varargs(
        &mut self,
        token: Token,
        signature: &mut MethodSignature,
    ) -> Result<Vec<Item>> {
        let open = if self.shared {
            self.ctx
                .stand_alone_signature(self.module, token, GenericContext::EMPTY)?
        } else {
            *signature
        };
        let declared = signature.fixed_params.map_or(usize::MAX, |n| n as usize);
        let declared = declared.min(signature.params.len());
        let extra = extra_types(signature, &open, declared);
        let this = usize::from(signature.has_this && !signature.explicit_this);
        let mut args = self.pop_args(declared + this + extra.len())?;
        let list = args.split_off(declared + this);
        args.push(self.argument_block(&extra, list)?);
        signature.params = &signature.params[..declared];
        signature.fixed_params = None;
        Ok(args)
    }

    /// Makes the block for these arguments; its address.
    fn argument_block(&mut self, types: &[Pair<TypeId>], args: Vec<Item>) -> Result<Item> {
        if args.len() > MAX_EXTRA {
            return self.invalid("too many arguments");
        }
        let slot = self.b.func.add_slot(SlotData {
            size: block::ENTRIES as u32 + block::ENTRY_SIZE as u32 * args.len() as u32,
            align: 8,
            ty: None,
            zeroed: false,
            eh: None,
        });
        let count = self.b.i64(args.len() as i64);
        self.b.slot_store(slot, block::COUNT, MemType::I64, count);
        for (n, (item, ty)) in args.into_iter().zip(types).enumerate() {
            let entry = block::ENTRIES + block::ENTRY_SIZE * n as i32;
            let (ty, address) = self.listed_argument(item, *ty)?;
            let table = self.type_handle(ty);
            self.b
                .slot_store(slot, entry + block::TABLE, MemType::I64, table);
            self.b
                .slot_store(slot, entry + block::ADDRESS, MemType::I64, address);
        }
        Ok(Item::scalar(self.b.slot_addr(slot, 0), None))
    }

    /// Type and address of an argument. What is passed by reference stands for what it refers to.
    fn listed_argument(&mut self, item: Item, ty: Pair<TypeId>) -> Result<(Pair<TypeId>, Value)> {
        let referent = |t| match self.ctx.kind(t) {
            TypeKind::ByRef(e) => e,
            _ => t,
        };
        if let TypeKind::ByRef(_) = self.ctx.kind(ty.canon) {
            let ty = self.map_type(ty, referent);
            let address = self.address_in(item)?;
            return Ok((ty, self.word(address)));
        }
        let address = match self.ctx.value_class(ty.canon)? {
            ValueClass::Scalar(m) => {
                let value = self.narrowed(item, m)?;
                let address = self.new_temp(ty.canon)?;
                let mem = self.any_mem(m);
                self.b.store(address, value, mem);
                address
            }
            ValueClass::Struct { .. } if item.is_struct => self.owned(item)?.value,
            _ => return self.invalid("argument type does not fit"),
        };
        Ok((ty, address))
    }

    /// The address of the present method's list, as an argument to hand on.
    pub(crate) fn own_argument_list(&mut self) -> Result<Item> {
        if !self.signature.is_vararg() {
            return self.invalid("arglist in a method without a variable argument list");
        }
        let last = self.b.func.sig.params.len() - 1;
        let list = self.b.param(self.b.func.entry(), last);
        Ok(Item::scalar(list, None))
    }

    /// `arglist`
    pub(crate) fn arglist(&mut self) -> Result<()> {
        let list = self.own_argument_list()?;
        let class = self.ctx.known(Known::RuntimeArgumentHandle);
        let temp = self.new_temp(class)?;
        let mem = self.any_mem(MemType::I64);
        self.b.store(temp, list.value, mem);
        self.stack.push(Item::structure(temp, class));
        Ok(())
    }
}

/// The types of the arguments behind the declared ones.
fn extra_types(
    canon: &MethodSignature,
    open: &MethodSignature,
    declared: usize,
) -> Vec<Pair<TypeId>> {
    let pairs = canon.params.iter().zip(open.params);
    let pairs = pairs.map(|(canon, open)| Pair {
        canon: *canon,
        open: *open,
    });
    pairs.skip(declared).collect()
}

/// What `lower` passes for the list.
pub(super) const LIST: Type = Type::I64;
