//! `newobj`: classes, value types, strings, arrays, delegates.

use super::error::{Error, Result};
use super::stack::Item;
use super::{Importer, Pair};
use crate::abi::helper::HelperId;
use crate::ir::Type;
use crate::metadata::Token;
use crate::types::{Known, MethodId, MethodKind, TypeId, ValueClass};

impl Importer<'_> {
    pub(crate) fn newobj(&mut self, token: Token) -> Result<()> {
        let mut ctor = self.method_pair(token)?;
        let owner = self.owner_of(ctor);
        let args = self.pop_call(token, &mut ctor, false)?;
        if let MethodKind::Array { .. } = self.ctx.method_kind(ctor.canon) {
            return self.new_md_array(owner, &args);
        }
        if self.ctx.is_delegate(owner.canon) {
            return self.new_delegate(owner, &args);
        }
        if owner.canon == self.ctx.known(Known::String) {
            return self.new_string(ctor.canon, args);
        }
        if self.ctx.is_abstract(owner.canon) {
            return Err(Error::Invalid {
                offset: self.offset,
                reason: "newobj of an abstract class",
            });
        }
        match self.ctx.value_class(owner.canon)? {
            ValueClass::Scalar(crate::ir::MemType::Ref) => {
                let object = self.new_instance(owner);
                let this = Item::scalar(object, Some(owner.canon));
                self.emit_direct_call(ctor, core::iter::once(this).chain(args).collect())?;
                self.push(object, Some(owner.canon));
            }
            _ => self.new_value(ctor, owner, args)?,
        }
        self.called = !self.is_plain_exception(owner.canon, ctor.canon)?;
        Ok(())
    }

    /// An exception of mscorlib made from at most two strings: `throw new X("…")` counts as one statement.
    fn is_plain_exception(&self, class: TypeId, ctor: MethodId) -> Result<bool> {
        let params = self.ctx.method_signature(ctor)?.params;
        let string = self.ctx.known(Known::String);
        Ok(params.len() <= 2
            && params.iter().all(|p| *p == string)
            && self.ctx.type_module(class) == self.ctx.corlib()
            && self
                .ctx
                .is_assignable(class, self.ctx.known(Known::Exception)))
    }

    /// A value type: constructed in a temporary.
    fn new_value(
        &mut self,
        ctor: Pair<MethodId>,
        owner: Pair<TypeId>,
        args: Vec<Item>,
    ) -> Result<()> {
        let temp = self.new_temp(owner.canon)?;
        self.zero_value(temp, owner.canon)?;
        let this = self.to_type(temp, Type::ByRef)?;
        let by_ref = self.ctx.by_ref(owner.canon);
        let all: Vec<Item> = core::iter::once(Item::scalar(this, Some(by_ref)))
            .chain(args)
            .collect();
        if !self.try_intrinsic(ctor, &all)? {
            self.emit_direct_call(ctor, all)?;
        }
        match self.ctx.value_class(owner.canon)? {
            ValueClass::Scalar(m) => {
                let mem = self.any_mem(m);
                let v = self.b.load(temp, mem);
                self.push(v, Some(owner.canon));
            }
            _ => self.stack.push(Item::structure(temp, owner.canon)),
        }
        Ok(())
    }

    /// The constructors of `String` are stand-ins for static `String.Ctor` methods with the same parameters.
    fn new_string(&mut self, ctor: MethodId, args: Vec<Item>) -> Result<()> {
        let target = string_constructor(self.ctx, ctor)?;
        self.emit_direct_call(Pair::same(target), args)
    }

    fn new_delegate(&mut self, owner: Pair<TypeId>, args: &[Item]) -> Result<()> {
        let [target, code] = args else {
            return self.invalid("constructor of a delegate");
        };
        let target_value = self.scalar_of(*target)?;
        let target_value = self.to_type(target_value, Type::Ref)?;
        let address = self.scalar_of(*code)?;
        let address = self.to_type(address, Type::I64)?;
        let object = self.new_instance(owner);
        let method = match code.ftn {
            Some(m) => self.method_handle(m),
            None => self.b.i64(0),
        };
        self.b.call_helper(
            HelperId::DelegateInit,
            &[object, target_value, address, method],
        );
        self.push(object, Some(owner.canon));
        Ok(())
    }

    /// Pops the arguments of a call, first argument first.
    pub(crate) fn pop_args(&mut self, count: usize) -> Result<Vec<Item>> {
        match self.stack.len().checked_sub(count) {
            Some(at) => Ok(self.stack.split_off(at)),
            None => self.invalid("stack underflow"),
        }
    }
}

/// `String.Ctor` with the parameters of a constructor of `String`.
pub(crate) fn string_constructor(
    ctx: &crate::types::TypeContext,
    ctor: MethodId,
) -> Result<MethodId> {
    let string = ctx.known(Known::String);
    let params = ctx.method_signature(ctor)?.params;
    let found = ctx.find_method_with(string, "Ctor", params)?;
    found.ok_or(Error::Unsupported("this constructor of System.String"))
}
