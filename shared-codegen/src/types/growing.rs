//! Modules made at run time: what their tokens mean, and signatures in their terms.
//!
//! A growing module has rows for what it *defines*. What it *refers* to needs no rows and no search by name: a
//! reference token is bound to the type or member it stands for when it is made.

use super::assembly::LoadedModule;
use super::{
    AssemblyInfo, AssemblyName, CallConv, Member, MethodSignature, ModuleId, TypeContext, TypeId,
    TypeKind,
};
use crate::metadata::sig::{ArrayShape, Element, MethodSig, TypeSig};
use crate::metadata::{
    GenericParamRow, Growth, MemberRefRow, MethodSpecRow, Module, RowId, Token, TypeDefRow,
    TypeRefRow, TypeSpecRow,
};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::path::PathBuf;

/// Gives tokens of growing modules their meaning when they are first needed, so that code may refer to what is
/// finished only later.
pub trait TokenBinder: Send + Sync {
    /// What a token stands for; `None` if it was never handed out. Called without locks held.
    fn bind(&self, module: ModuleId, token: Token) -> Option<Member>;
}

/// Tokens of a growing module by what they refer to.
pub(crate) type References = RwLock<FxHashMap<Member, Token>>;

impl TypeContext {
    /// Adds an empty module that rows can be added to.
    pub fn add_growing_module(&self, name: AssemblyName, binder: Box<dyn TokenBinder>) -> ModuleId {
        let guard = self.loading.lock();
        let id = ModuleId(self.modules.count() as u32);
        let info = AssemblyInfo {
            module: id,
            name,
            path: PathBuf::new(),
        };
        let mut loaded = LoadedModule::new(Module::growing(PathBuf::new()), info);
        loaded.binder = Some(binder);
        self.modules.push(loaded);
        drop(guard);
        id
    }

    /// The rows of a module made at run time.
    pub fn growth(&self, module: ModuleId) -> Option<&Growth> {
        self.module(module).growth()
    }

    /// Makes `token` mean `member` in a growing module.
    pub fn bind_token(&self, module: ModuleId, token: Token, member: Member) {
        self.loaded(module)
            .members
            .write()
            .insert(token, Ok(member));
    }

    /// What a token of a growing module was bound to.
    pub(crate) fn bound_member(&self, module: ModuleId, token: Token) -> Option<Member> {
        self.growth(module)?;
        let members = self.loaded(module).members.read();
        members.get(&token).and_then(|m| m.clone().ok())
    }

    /// Asks the maker of a growing module what a token means.
    pub(crate) fn ask_binder(&self, module: ModuleId, token: Token) -> Option<Member> {
        let binder = self.loaded(module).binder.as_ref()?;
        binder.bind(module, token)
    }

    /// A token of a growing module for anything: its own TypeDef, or a reference bound to it.
    pub fn token_for(&self, module: ModuleId, member: Member) -> Token {
        if let Member::Type(t) = member
            && let TypeKind::Def { module: m, row } = self.kind(t)
            && m == module
        {
            return row.token();
        }
        let loaded = self.loaded(module);
        if let Some(known) = loaded.references.read().get(&member) {
            return *known;
        }
        let Some(growth) = self.growth(module) else {
            return Token::NULL;
        };
        let token = match member {
            Member::Type(t) if matches!(self.kind(t), TypeKind::Def { .. }) => {
                growth.reserve::<TypeRefRow>().token()
            }
            Member::Type(_) => growth.reserve::<TypeSpecRow>().token(),
            Member::Method(m) if !self.method_args(m).is_empty() => {
                growth.reserve::<MethodSpecRow>().token()
            }
            Member::Method(_) | Member::Field(_) => growth.reserve::<MemberRefRow>().token(),
        };
        self.bind_token(module, token, member);
        *loaded.references.write().entry(member).or_insert(token)
    }

    /// A type as it stands in a signature of a growing module.
    pub fn sig_of_type(&self, module: ModuleId, t: TypeId) -> TypeSig {
        let part = |t: TypeId| Box::new(self.sig_of_type(module, t));
        let token = |t: TypeId| self.token_for(module, Member::Type(t));
        match self.kind(t) {
            TypeKind::Def { .. } => match self.element_of(t) {
                Some(e) => TypeSig::Element(e),
                None => TypeSig::Named(token(t), self.is_value_type(t)),
            },
            TypeKind::Inst { def, args } => TypeSig::Generic(
                token(def),
                self.is_value_type(def),
                args.iter().map(|&a| self.sig_of_type(module, a)).collect(),
            ),
            TypeKind::SzArray(e) => TypeSig::SzArray(part(e)),
            TypeKind::Array { elem, rank } => {
                let shape = ArrayShape {
                    rank,
                    ..ArrayShape::default()
                };
                TypeSig::Array(part(elem), shape)
            }
            TypeKind::Ptr(e) => TypeSig::Ptr(part(e)),
            TypeKind::ByRef(e) => TypeSig::ByRef(part(e)),
            TypeKind::FnPtr(s) => {
                TypeSig::FnPtr(Box::new(self.sig_of_method(module, self.signature(s))))
            }
            TypeKind::Var(n) => TypeSig::Var(n),
            TypeKind::MVar(n) => TypeSig::MVar(n),
            TypeKind::Param { module: m, row } => self.sig_of_param(m, row),
            TypeKind::Canon | TypeKind::Missing(_) => TypeSig::Element(Element::Object),
        }
    }

    /// A method signature as it stands in a blob of a growing module.
    pub fn sig_of_method(&self, module: ModuleId, sig: &MethodSignature) -> MethodSig {
        let part = |t: TypeId| self.sig_of_type(module, t);
        MethodSig {
            call_conv: match sig.conv {
                CallConv::Default => 0,
                CallConv::C => 1,
                CallConv::StdCall => 2,
                CallConv::ThisCall => 3,
                CallConv::FastCall => 4,
                CallConv::VarArg => 5,
            },
            has_this: sig.has_this,
            explicit_this: sig.explicit_this,
            generic_count: sig.generic_count,
            ret: part(sig.ret),
            params: sig.params.iter().map(|&p| part(p)).collect(),
            sentinel: sig.fixed_params,
        }
    }

    /// A generic parameter by its position.
    fn sig_of_param(&self, module: ModuleId, row: GenericParamRow) -> TypeSig {
        let Ok(param) = self.module(module).generic_param(row) else {
            return TypeSig::Element(Element::Object);
        };
        match param.owner.table() == TypeDefRow::TABLE {
            true => TypeSig::Var(param.number.into()),
            false => TypeSig::MVar(param.number.into()),
        }
    }
}
