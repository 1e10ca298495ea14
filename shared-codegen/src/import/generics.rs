//! Runtime constants, exact or by generic lookup.

use super::error::Result;
use super::{Importer, Pair};
use crate::abi::fixup::Fixup;
use crate::abi::layout::object;
use crate::ir::{AliasClass, Imm, Lookup, LookupRef, MemRef, MemType, Op, Type, Value};
use crate::metadata::Token;
use crate::types::{ContextSource, FieldId, GenericContext, MethodId, TypeId};

impl Importer<'_> {
    /// The type of a token.
    pub(crate) fn type_pair(&mut self, token: Token) -> Result<Pair<TypeId>> {
        if let Some(pair) = self.type_pairs.get(&token.0) {
            return Ok(*pair);
        }
        let canon = self.ctx.resolve_type(self.module, token, self.generics)?;
        let pair = if self.shared {
            Pair {
                canon,
                open: self
                    .ctx
                    .resolve_type(self.module, token, GenericContext::EMPTY)?,
            }
        } else {
            Pair::same(canon)
        };
        self.type_pairs.insert(token.0, pair);
        Ok(pair)
    }

    /// The method of a token.
    pub(crate) fn method_pair(&self, token: Token) -> Result<Pair<MethodId>> {
        let canon = self.ctx.resolve_method(self.module, token, self.generics)?;
        self.ctx.check_method_use(self.method, canon)?;
        let open = if self.shared {
            self.ctx
                .resolve_method(self.module, token, GenericContext::EMPTY)?
        } else {
            canon
        };
        Ok(Pair { canon, open })
    }

    /// The field of a token.
    pub(crate) fn field_pair(&self, token: Token) -> Result<Pair<FieldId>> {
        let canon = self.ctx.resolve_field(self.module, token, self.generics)?;
        self.ctx.check_field_use(self.method, canon)?;
        let open = if self.shared {
            self.ctx
                .resolve_field(self.module, token, GenericContext::EMPTY)?
        } else {
            canon
        };
        Ok(Pair { canon, open })
    }

    /// The type that declares a method.
    pub(crate) fn owner_of(&self, method: Pair<MethodId>) -> Pair<TypeId> {
        Pair {
            canon: self.ctx.method_owner(method.canon),
            open: self.ctx.method_owner(method.open),
        }
    }

    /// A type made from a type.
    pub(crate) fn map_type(&self, t: Pair<TypeId>, f: impl Fn(TypeId) -> TypeId) -> Pair<TypeId> {
        Pair {
            canon: f(t.canon),
            open: f(t.open),
        }
    }

    pub(crate) fn needs_lookup_type(&self, t: Pair<TypeId>) -> bool {
        self.shared && self.ctx.contains_canon(t.canon)
    }

    pub(crate) fn needs_lookup_method(&self, m: Pair<MethodId>) -> bool {
        self.shared
            && (self.ctx.contains_canon(self.ctx.method_owner(m.canon))
                || self
                    .ctx
                    .method_args(m.canon)
                    .iter()
                    .any(|a| self.ctx.contains_canon(*a)))
    }

    /// An entry of the table of open constants.
    pub(crate) fn lookup(&mut self, open: Fixup) -> LookupRef {
        self.b.func.add_lookup(Lookup {
            owner: self.method,
            fixup: open,
        })
    }

    /// The generic context of this body.
    pub(crate) fn generic_context_value(&mut self) -> Result<Value> {
        match self.ctx.needs_context(self.method) {
            ContextSource::FromThis => {
                let this = self.b.param(self.b.func.entry(), 0);
                let mem = MemRef {
                    offset: object::METHOD_TABLE,
                    ty: MemType::I64,
                    alias: AliasClass::Immutable,
                    volatile: false,
                };
                // `call` runs instance methods on null too.
                self.b.null_check(this);
                Ok(self.b.load(this, mem))
            }
            ContextSource::None => self.invalid("no generic context"),
            _ => match self.context_arg {
                Some(context) => Ok(context),
                None => self.invalid("no generic context"),
            },
        }
    }

    fn generic_lookup(&mut self, open: Fixup, ty: Type) -> Value {
        let lookup = self.lookup(open);
        let Ok(context) = self.generic_context_value() else {
            return self.b.zero(ty);
        };
        self.b
            .emit(Op::GenericLookup, ty, &[context], Imm::Lookup(lookup))
            .expect("a lookup has a result")
    }

    fn type_constant(
        &mut self,
        t: Pair<TypeId>,
        make: impl Fn(TypeId) -> Fixup,
        ty: Type,
    ) -> Value {
        if self.needs_lookup_type(t) {
            self.generic_lookup(make(t.open), ty)
        } else {
            self.b.fixup(make(t.canon))
        }
    }

    fn method_constant(&mut self, m: Pair<MethodId>, make: impl Fn(MethodId) -> Fixup) -> Value {
        if self.needs_lookup_method(m) {
            self.generic_lookup(make(m.open), Type::I64)
        } else {
            self.b.fixup(make(m.canon))
        }
    }

    /// Method table.
    pub(crate) fn type_handle(&mut self, t: Pair<TypeId>) -> Value {
        self.type_constant(t, Fixup::MethodTable, Type::I64)
    }

    /// `System.RuntimeType` object.
    pub(crate) fn type_object(&mut self, t: Pair<TypeId>) -> Value {
        self.type_constant(t, Fixup::TypeObject, Type::Ref)
    }

    /// Base of the static fields.
    pub(crate) fn statics_base(&mut self, t: Pair<TypeId>) -> Value {
        self.type_constant(t, Fixup::StaticsBase, Type::I64)
    }

    /// Index of the thread-static block.
    pub(crate) fn thread_statics_index(&mut self, t: Pair<TypeId>) -> Value {
        self.type_constant(t, Fixup::ThreadStaticsIndex, Type::I64)
    }

    /// Method descriptor.
    pub(crate) fn method_handle(&mut self, m: Pair<MethodId>) -> Value {
        self.method_constant(m, Fixup::MethodHandle)
    }

    /// Address that anybody can call.
    pub(crate) fn method_code(&mut self, m: Pair<MethodId>) -> Value {
        self.method_constant(m, Fixup::MethodCode)
    }

    /// Field descriptor.
    pub(crate) fn field_handle(&mut self, f: Pair<FieldId>) -> Value {
        let owner = self.ctx.field_kind(f.canon).owner;
        if self.shared && self.ctx.contains_canon(owner) {
            self.generic_lookup(Fixup::FieldHandle(f.open), Type::I64)
        } else {
            self.b.fixup(Fixup::FieldHandle(f.canon))
        }
    }

    /// The hidden argument a call of this method needs, if one.
    pub(crate) fn callee_context(&mut self, m: Pair<MethodId>) -> Option<Value> {
        match self.ctx.needs_context(m.canon) {
            ContextSource::None | ContextSource::FromThis => None,
            ContextSource::OwnerTable => {
                let owner = self.owner_of(m);
                Some(self.type_handle(owner))
            }
            ContextSource::MethodHandle => Some(self.method_handle(m)),
        }
    }
}
