//! From tokens to types and members.

use super::signature::ParsedMethod;
use super::{
    ArrayMethod, Error, FieldId, GenericContext, Known, Member, MethodId, MethodKind, ModuleId,
    Result, TypeContext, TypeId, TypeKind,
};
use crate::metadata::{
    AssemblyRefRow, FieldRow, MemberRef, MemberRefRow, MethodDefRow, MethodSpecRow, ModuleRefRow,
    ModuleRow, RowId, TableId, Token, TypeDefRow, TypeRefRow, TypeSpecRow, sig,
};

/// Table numbers as patterns.
mod table {
    use super::*;
    pub(super) const MODULE: TableId = ModuleRow::TABLE;
    pub(super) const TYPE_REF: TableId = TypeRefRow::TABLE;
    pub(super) const TYPE_DEF: TableId = TypeDefRow::TABLE;
    pub(super) const FIELD: TableId = FieldRow::TABLE;
    pub(super) const METHOD_DEF: TableId = MethodDefRow::TABLE;
    pub(super) const MEMBER_REF: TableId = MemberRefRow::TABLE;
    pub(super) const MODULE_REF: TableId = ModuleRefRow::TABLE;
    pub(super) const TYPE_SPEC: TableId = TypeSpecRow::TABLE;
    pub(super) const ASSEMBLY_REF: TableId = AssemblyRefRow::TABLE;
    pub(super) const METHOD_SPEC: TableId = MethodSpecRow::TABLE;
}

impl TypeContext {
    /// The type a TypeDef, TypeRef or TypeSpec token stands for. A TypeDef or TypeRef of a generic type gives
    /// the generic type definition.
    pub fn resolve_type(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<TypeId> {
        // In modules made at run time a token may mean something else than the row of its number.
        let is_row = self.growth(module).is_none();
        match token.table() {
            table::TYPE_DEF if is_row => {
                let row = TypeDefRow(token.row());
                self.module(module).type_def(row)?;
                Ok(self.type_def(module, row))
            }
            table::TYPE_REF if is_row => self.resolve_type_ref(module, TypeRefRow(token.row())),
            table::TYPE_DEF | table::TYPE_REF | table::TYPE_SPEC => {
                match self.open_member(module, token)? {
                    Member::Type(t) => Ok(self.substitute(t, generics)),
                    _ => Err(self.bad_token(module, token, "a type")),
                }
            }
            _ => Err(self.bad_token(module, token, "a type")),
        }
    }

    fn resolve_type_ref(&self, module: ModuleId, row: TypeRefRow) -> Result<TypeId> {
        let cell = self
            .loaded(module)
            .type_refs
            .get((row.0 as usize).wrapping_sub(1));
        let Some(cell) = cell else {
            return Err(Error::bad_image(self.module_name(module), "TypeRef row"));
        };
        if let Some(done) = cell.get() {
            return done.clone();
        }
        let found = self.find_type_ref(module, row, 0);
        let found = found.map_err(|e| e.in_file(self.module_name(module)));
        cell.get_or_init(|| found).clone()
    }

    fn find_type_ref(&self, module: ModuleId, row: TypeRefRow, depth: u32) -> Result<TypeId> {
        let r = self.module(module).type_ref(row)?;
        let scope = r.scope;
        match scope.table() {
            table::TYPE_REF if depth < 64 => {
                let outer = self.find_type_ref(module, TypeRefRow(scope.row()), depth + 1)?;
                self.find_nested(outer, r.name)
                    .ok_or_else(|| Error::TypeLoad {
                        name: format!("{}+{}", self.full_name(outer), r.name).into(),
                        assembly: self.assembly_name_of(outer).into(),
                        reason: "".into(),
                    })
            }
            table::ASSEMBLY_REF => {
                let target = AssemblyRefRow(scope.row());
                let target = self.assembly_ref(module, target)?;
                self.require_type(target, r.namespace, r.name)
            }
            table::MODULE | table::MODULE_REF => self.require_type(module, r.namespace, r.name),
            _ => Err(Error::bad_image(
                self.module_name(module),
                "scope of a TypeRef",
            )),
        }
    }

    /// Namespace and name behind a TypeDef or TypeRef token, empty for others. Nothing is resolved.
    pub(crate) fn reference_name(
        &self,
        module: ModuleId,
        token: Token,
    ) -> (&'static str, &'static str) {
        let md = self.module(module);
        if let Some(Member::Type(t)) = self.bound_member(module, token) {
            return self.type_name(t);
        }
        match token.table() {
            _ if token.is_null() => ("", ""),
            table::TYPE_DEF => md
                .type_def(TypeDefRow(token.row()))
                .map_or(("", ""), |d| (d.namespace, d.name)),
            table::TYPE_REF => md
                .type_ref(TypeRefRow(token.row()))
                .map_or(("", ""), |r| (r.namespace, r.name)),
            _ => ("", ""),
        }
    }

    /// Class name of the constructor of a custom attribute.
    pub(crate) fn attribute_class_name(
        &self,
        module: ModuleId,
        ctor: Token,
    ) -> (&'static str, &'static str) {
        let md = self.module(module);
        if let Some(Member::Method(m)) = self.bound_member(module, ctor) {
            return self.type_name(self.method_owner(m));
        }
        let class = match ctor.table() {
            table::METHOD_DEF => md
                .owner_of_method(MethodDefRow(ctor.row()))
                .ok()
                .map(Token::from),
            table::MEMBER_REF => md
                .member_ref(MemberRefRow(ctor.row()))
                .ok()
                .map(|r| r.class),
            _ => None,
        };
        class.map_or(("", ""), |c| self.reference_name(module, c))
    }

    /// The method a MethodDef, MemberRef or MethodSpec token stands for. A MethodDef of a generic type gives the
    /// method on the type's open form. Vararg call sites resolve to the method with its fixed parameters; see
    /// [`TypeContext::call_site_signature`].
    pub fn resolve_method(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<MethodId> {
        match self.resolve_member_token(module, token, generics)? {
            Member::Method(m) => Ok(m),
            _ => Err(self.bad_token(module, token, "a method")),
        }
    }

    /// The field a Field or MemberRef token stands for.
    pub fn resolve_field(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<FieldId> {
        match self.resolve_member_token(module, token, generics)? {
            Member::Field(f) => Ok(f),
            _ => Err(self.bad_token(module, token, "a field")),
        }
    }

    /// What any `ldtoken` operand stands for.
    pub fn resolve_member_token(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<Member> {
        match token.table() {
            table::TYPE_DEF | table::TYPE_REF | table::TYPE_SPEC => {
                self.resolve_type(module, token, generics).map(Member::Type)
            }
            _ => {
                let open = self.open_member(module, token)?;
                Ok(match open {
                    Member::Type(t) => Member::Type(self.substitute(t, generics)),
                    Member::Method(m) => Member::Method(self.substitute_method(m, generics)),
                    Member::Field(f) => Member::Field(self.substitute_field(f, generics)),
                })
            }
        }
    }

    /// The field on the owner with `Var` and `MVar` replaced.
    pub fn substitute_field(&self, f: FieldId, generics: GenericContext) -> FieldId {
        let field = self.field_kind(f);
        let owner = self.substitute(field.owner, generics);
        if owner == field.owner {
            f
        } else {
            self.field_of(owner, field.row)
        }
    }

    /// A member token in the terms of the method that contains it; kept.
    fn open_member(&self, module: ModuleId, token: Token) -> Result<Member> {
        let loaded = self.loaded(module);
        if let Some(done) = loaded.members.read().get(&token) {
            return done.clone();
        }
        let found = self.find_member(module, token);
        let found = found.map_err(|e| e.in_file(self.module_name(module)));
        loaded.members.write().insert(token, found.clone());
        found
    }

    fn find_member(&self, module: ModuleId, token: Token) -> Result<Member> {
        if let Some(member) = self.ask_binder(module, token) {
            return Ok(member);
        }
        let md = self.module(module);
        match token.table() {
            table::METHOD_DEF => {
                let row = MethodDefRow(token.row());
                let owner = md.owner_of_method(row);
                let owner = owner.map_err(|_| self.bad_token(module, token, "a method"))?;
                let owner = self.open_form(self.type_def(module, owner));
                Ok(Member::Method(self.method_of(owner, row)))
            }
            table::FIELD => {
                let row = FieldRow(token.row());
                let owner = md.owner_of_field(row);
                let owner = owner.map_err(|_| self.bad_token(module, token, "a field"))?;
                let owner = self.open_form(self.type_def(module, owner));
                Ok(Member::Field(self.field_of(owner, row)))
            }
            table::TYPE_DEF => {
                let row = TypeDefRow(token.row());
                md.type_def(row)?;
                Ok(Member::Type(self.type_def(module, row)))
            }
            table::TYPE_SPEC => {
                let blob = md.type_spec(TypeSpecRow(token.row()))?.signature;
                self.read_type_spec(module, blob, GenericContext::EMPTY)
                    .map(Member::Type)
            }
            table::MEMBER_REF => {
                self.find_member_ref(module, &md.member_ref(MemberRefRow(token.row()))?)
            }
            table::METHOD_SPEC => {
                let spec = md.method_spec(MethodSpecRow(token.row()))?;
                let generic = self.resolve_method(module, spec.method, GenericContext::EMPTY)?;
                let args = self.read_instantiation(module, spec.instantiation)?;
                if args.len() as u32 != self.generic_param_count(generic) {
                    return Err(self.bad_token(module, token, "an instantiation"));
                }
                Ok(Member::Method(self.with_method_args(generic, args)))
            }
            _ => Err(self.bad_token(module, token, "a member")),
        }
    }

    fn find_member_ref(&self, module: ModuleId, r: &MemberRef) -> Result<Member> {
        let parent = match r.class.table() {
            table::METHOD_DEF => {
                // A call site of a vararg method of this module.
                return self.open_member(module, r.class);
            }
            table::MODULE_REF => {
                let row = TypeDefRow(1);
                self.type_def(module, row)
            }
            _ => self.resolve_type(module, r.class, GenericContext::EMPTY)?,
        };
        if sig::is_field(r.signature) {
            return self.find_field_ref(module, parent, r).map(Member::Field);
        }
        let sig = self.parse_method_signature(module, r.signature)?;
        match self.kind(parent) {
            TypeKind::SzArray(_) | TypeKind::Array { .. } => self
                .find_array_method(parent, r.name, &sig)
                .map(Member::Method),
            _ => self
                .find_method_ref(module, parent, r.name, &sig)
                .map(Member::Method),
        }
    }

    /// A pseudo-method of an array, or an inherited one.
    fn find_array_method(&self, array: TypeId, name: &str, sig: &ParsedMethod) -> Result<MethodId> {
        let op = match name {
            ".ctor" => ArrayMethod::Ctor(sig.params.len() as u32),
            "Get" => ArrayMethod::Get,
            "Set" => ArrayMethod::Set,
            "Address" => ArrayMethod::Address,
            _ => {
                let class = self.known(Known::Array);
                return self.find_method_ref(self.corlib(), class, name, sig);
            }
        };
        Ok(self.intern_method(MethodKind::Array { array, op }))
    }

    fn find_field_ref(&self, module: ModuleId, parent: TypeId, r: &MemberRef) -> Result<FieldId> {
        let wanted = self.read_field_signature(module, r.signature, GenericContext::EMPTY)?;
        let mut at = Some(parent);
        while let Some(owner) = at {
            // The reference is written in terms of the definition's parameters.
            let open = self.open_form(self.definition(owner));
            for f in self.fields(open)? {
                if self.field_name(f) == r.name && self.field_type(f)? == wanted {
                    return Ok(self.field_of(owner_form(self, owner), self.field_kind(f).row));
                }
            }
            at = self.parent(owner)?;
        }
        Err(Error::MissingField {
            member: format!("{}.{}", self.full_name(parent), r.name).into(),
        })
    }

    fn find_method_ref(
        &self,
        _module: ModuleId,
        parent: TypeId,
        name: &str,
        sig: &ParsedMethod,
    ) -> Result<MethodId> {
        let mut at = Some(parent);
        while let Some(owner) = at {
            if let Some(m) = self.declared_match(owner, name, sig)? {
                return Ok(m);
            }
            // Constructors are not inherited.
            at = if name.starts_with('.') {
                None
            } else {
                self.parent(owner)?
            };
        }
        if self.is_interface(parent) {
            for &i in self.interfaces(parent)? {
                if let Some(m) = self.declared_match(i, name, sig)? {
                    return Ok(m);
                }
            }
            let object = self.known(Known::Object);
            if let Some(m) = self.declared_match(object, name, sig)? {
                return Ok(m);
            }
        }
        Err(Error::MissingMethod {
            member: self.describe_missing(parent, name, sig).into(),
        })
    }

    /// The method that `owner` declares with a name and signature; the signature is in terms of the
    /// owner's definition.
    fn declared_match(
        &self,
        owner: TypeId,
        name: &str,
        sig: &ParsedMethod,
    ) -> Result<Option<MethodId>> {
        let Some((module, row)) = self.def_of(owner) else {
            return Ok(None);
        };
        let md = self.module(module);
        let open = self.open_form(self.definition(owner));
        for m in md.methods_of(row) {
            if md.method_def(m).is_ok_and(|d| d.name == name) {
                let candidate = self.method_of(open, m);
                if sig.matches(self.method_signature(candidate)?) {
                    return Ok(Some(self.method_of(owner_form(self, owner), m)));
                }
            }
        }
        Ok(None)
    }

    fn describe_missing(&self, parent: TypeId, name: &str, sig: &ParsedMethod) -> String {
        let params: Vec<String> = sig.fixed().iter().map(|&p| self.short_name(p)).collect();
        let ret = self.short_name(sig.ret);
        format!(
            "{ret} {}.{name}({})",
            self.full_name(parent),
            params.join(",")
        )
    }

    fn bad_token(&self, module: ModuleId, token: Token, wanted: &str) -> Error {
        Error::BadImage {
            file: self.module_name(module).into(),
            reason: format!("token {token} is not {wanted}").into(),
        }
    }
}

/// Owner of a member found on `t`: the open form of a bare generic definition, else `t`.
fn owner_form(ctx: &TypeContext, t: TypeId) -> TypeId {
    ctx.open_form(t)
}
