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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportOptions, import_method};
    use crate::metadata::sig_write::{field_blob, method_blob};
    use crate::metadata::{Field, FieldRow, GenericParam, MethodDef, MethodDefRow, TypeDef};
    use crate::types::Known;
    use crate::types::binding::{SearchPath, StandardBinder};

    /// A token that means the same everywhere.
    struct Fixed(Token, Member);

    impl TokenBinder for Fixed {
        fn bind(&self, _module: ModuleId, token: Token) -> Option<Member> {
            (token == self.0).then_some(self.1)
        }
    }

    fn context() -> TypeContext {
        let binder = StandardBinder::reading(SearchPath::system(None));
        TypeContext::new(Box::new(binder)).expect("the class libraries are installed")
    }

    const LATE: Token = Token(0x0aff_ffff);

    /// `class Ns.Pair<T> { T first; List<T> rest; int Get() { ldarg.0; call LATE; ret } }`
    fn pair(ctx: &TypeContext) -> (ModuleId, TypeId) {
        let object = ctx.known(Known::Object);
        let hash = ctx.find_method(object, "GetHashCode").unwrap().unwrap();
        let binder = Box::new(Fixed(LATE, Member::Method(hash)));
        let module = ctx.add_growing_module(AssemblyName::simple("grown"), binder);
        let growth = ctx.growth(module).unwrap();
        let row = TypeDefRow(7);
        let var = ctx.intern_type(TypeKind::Var(0));
        let param = growth.add(&GenericParam {
            owner: row.token(),
            name: "T",
            ..GenericParam::default()
        });
        growth.set_keyed_rows(row.token(), [param]);
        growth.set(
            row,
            &TypeDef {
                name: "Pair`1",
                namespace: "Ns",
                extends: ctx.token_for(module, Member::Type(object)),
                ..TypeDef::default()
            },
        );
        growth.set_name(row, "Ns", "Pair`1", None);
        let list = ctx
            .find_type_by_full_name(ctx.corlib(), "System.Collections.Generic.List`1")
            .unwrap()
            .unwrap();
        let types = [("first", var), ("rest", ctx.instance(list, &[var]))];
        let fields: Vec<FieldRow> = types
            .iter()
            .map(|(name, ty)| {
                growth.add(&Field {
                    flags: 6,
                    name,
                    signature: growth.bytes(&field_blob(&ctx.sig_of_type(module, *ty))),
                })
            })
            .collect();
        // Out of order, as builders number them.
        growth.set_rows(row.0, fields.into_iter().rev());
        let mut body = vec![0x02 | 7 << 2, 0x02, 0x28];
        body.extend_from_slice(&LATE.0.to_le_bytes());
        body.push(0x2a);
        let int = TypeSig::Element(Element::I4);
        let signature = MethodSig {
            call_conv: 0,
            has_this: true,
            explicit_this: false,
            generic_count: 0,
            ret: int,
            params: Vec::new(),
            sentinel: None,
        };
        let get = MethodDefRow(3);
        growth.set_owner(get.token(), row);
        growth.set_rows(row.0, [get]);
        growth.set(
            get,
            &MethodDef {
                rva: growth.item(&body),
                flags: 6,
                name: "Get",
                signature: growth.bytes(&method_blob(&signature)),
                ..MethodDef::default()
            },
        );
        (module, ctx.type_def(module, row))
    }

    #[test]
    fn rows_are_read_like_those_of_a_file() {
        let ctx = context();
        let (module, pair) = pair(&ctx);
        assert_eq!(ctx.find_type_def(module, "Ns", "Pair`1"), Some(pair));
        let int = ctx.known(Known::Int32);
        let of_int = ctx.instance(pair, &[int]);
        assert_eq!(ctx.full_name(of_int), "Ns.Pair`1[System.Int32]");
        let names: Vec<_> = ctx.fields(of_int).unwrap();
        let names: Vec<_> = names.iter().map(|f| ctx.field_name(*f)).collect();
        assert_eq!(names, ["rest", "first"]);
        let rest = ctx.find_field(of_int, "rest").unwrap().unwrap();
        let rest = ctx.full_name(ctx.field_type(rest).unwrap());
        assert_eq!(rest, "System.Collections.Generic.List`1[System.Int32]");
        assert!(ctx.layout(of_int).is_ok());
        assert_eq!(ctx.parent(of_int).unwrap(), Some(ctx.known(Known::Object)));
    }

    #[test]
    fn code_uses_tokens_that_are_bound_when_needed() {
        let ctx = context();
        let (_, pair) = pair(&ctx);
        let of_string = ctx.instance(pair, &[ctx.known(Known::String)]);
        let get = ctx.find_method(of_string, "Get").unwrap().unwrap();
        let get = ctx.canonical_method(get);
        let function = import_method(&ctx, get, &ImportOptions::default()).unwrap();
        assert!(function.failures.is_empty(), "{:?}", function.failures);
        let object = ctx.known(Known::Object);
        let hash = ctx.find_method(object, "GetHashCode").unwrap().unwrap();
        let call = format!("call method#{} ", hash.0);
        assert!(function.to_string().contains(&call), "{function}");
    }

    #[test]
    fn what_a_token_was_given_for_comes_before_the_row_of_its_number() {
        let ctx = context();
        let object = ctx.known(Known::Object);
        let token = TypeDefRow(0xff_ffff).token();
        let binder = Box::new(Fixed(token, Member::Type(object)));
        let module = ctx.add_growing_module(AssemblyName::simple("grown"), binder);
        let growth = ctx.growth(module).unwrap();
        for row in [TypeDefRow(0xff_ffff), TypeDefRow(3)] {
            growth.set(row, &TypeDef::default());
        }
        let resolve = |token| ctx.resolve_type(module, token, crate::types::GenericContext::EMPTY);
        assert_eq!(resolve(token), Ok(object));
        let row = TypeDefRow(3);
        assert_eq!(resolve(row.token()), Ok(ctx.type_def(module, row)));
    }

    #[test]
    fn tokens_that_mean_nothing_are_errors() {
        let ctx = context();
        let (module, _) = pair(&ctx);
        let generics = crate::types::GenericContext::EMPTY;
        for token in [
            0x0100_0001,
            0x02ff_ffff,
            0x0a00_0009,
            0x1b00_0001,
            0x7000_0063,
        ] {
            let found = ctx.resolve_member_token(module, Token(token), generics);
            // The first reference is the base class.
            assert_eq!(found.is_ok(), token == 0x0100_0001, "{token:#x} {found:?}");
        }
        let md = ctx.module(module);
        assert!(md.user_string(Token(0x7000_0063)).is_err());
        assert!(md.data_at(99).is_none() && md.type_def(TypeDefRow(1)).is_err());
    }

    #[test]
    fn emitted_assemblies_are_not_found_by_name() {
        let ctx = context();
        let (module, pair) = pair(&ctx);
        assert_eq!(ctx.find_loaded(&AssemblyName::simple("grown")), None);
        let mut key = Vec::new();
        ctx.encode_type(pair, &mut key);
        let other = ctx.add_growing_module(
            AssemblyName::simple("grown"),
            Box::new(Fixed(Token::NULL, Member::Type(pair))),
        );
        let mut same_row = Vec::new();
        ctx.encode_type(ctx.type_def(other, TypeDefRow(7)), &mut same_row);
        assert_ne!(key, same_row);
        assert_ne!(module, other);
    }
}
