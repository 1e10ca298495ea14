//! Facts about single types: category, flags, primitive kind, generic parameters, members.

use super::layout::Placement;
use super::{
    Error, FieldId, FieldKind, GenericContext, Known, MethodId, MethodKind, ModuleId, Prim, Result,
    TypeContext, TypeId, TypeKind, TypeList,
};
use crate::metadata::{FieldRow, GenericParamRow, MethodDefRow, TypeDefRow};
use std::sync::OnceLock;

/// What kind of type a TypeDef is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Category {
    Class,
    Interface,
    Struct,
    Enum,
    Delegate,
}

/// Facts of a TypeDef that cost only a look at its own rows.
#[derive(Debug)]
pub(crate) struct DefFacts {
    pub(crate) flags: u32,
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
    pub(crate) category: Category,
    pub(crate) prim: Option<Prim>,
    pub(crate) generic_count: u32,
    pub(crate) variance: OnceLock<Box<[Variance]>>,
    pub(crate) underlying: OnceLock<Result<TypeId>>,
}

/// Variance of a generic parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variance {
    /// Arguments must be equal.
    None,
    /// `out T`
    Covariant,
    /// `in T`
    Contravariant,
}

/// A generic parameter of a type or method.
#[derive(Clone, Debug)]
pub struct GenericParam {
    /// The row.
    pub row: GenericParamRow,
    /// Position.
    pub number: u32,
    /// Name.
    pub name: &'static str,
    /// `GenericParameterAttributes`
    pub flags: u32,
    /// Types it must derive from or implement, in terms of the owner's parameters.
    pub constraints: Vec<TypeId>,
}

/// `TypeAttributes` bits.
pub(crate) mod attr {
    pub(crate) const LAYOUT_MASK: u32 = 0x18;
    pub(crate) const SEQUENTIAL: u32 = 0x08;
    pub(crate) const EXPLICIT: u32 = 0x10;
    pub(crate) const INTERFACE: u32 = 0x20;
    pub(crate) const ABSTRACT: u32 = 0x80;
    pub(crate) const SEALED: u32 = 0x100;
    pub(crate) const BEFORE_FIELD_INIT: u32 = 0x10_0000;
}

const PRIMITIVES: [(Known, Prim); 14] = [
    (Known::Boolean, Prim::Bool),
    (Known::Char, Prim::Char),
    (Known::SByte, Prim::I1),
    (Known::Byte, Prim::U1),
    (Known::Int16, Prim::I2),
    (Known::UInt16, Prim::U2),
    (Known::Int32, Prim::I4),
    (Known::UInt32, Prim::U4),
    (Known::Int64, Prim::I8),
    (Known::UInt64, Prim::U8),
    (Known::IntPtr, Prim::I),
    (Known::UIntPtr, Prim::U),
    (Known::Single, Prim::R4),
    (Known::Double, Prim::R8),
];

impl Prim {
    /// The mscorlib class of the primitive.
    pub fn known(self) -> Known {
        PRIMITIVES[self as usize].0
    }
}

impl TypeContext {
    /// Module and row of a type definition or of the definition of an instance.
    pub fn def_of(&self, t: TypeId) -> Option<(ModuleId, TypeDefRow)> {
        match self.kind(t) {
            TypeKind::Def { module, row } => Some((module, row)),
            TypeKind::Inst { def, .. } => self.def_of(def),
            _ => None,
        }
    }

    /// The generic type definition of an instance, else the type itself.
    pub fn definition(&self, t: TypeId) -> TypeId {
        match self.kind(t) {
            TypeKind::Inst { def, .. } => def,
            _ => t,
        }
    }

    /// A generic type definition over its own parameters (`List<!0>`); other types are returned as they are.
    pub fn open_form(&self, t: TypeId) -> TypeId {
        match (self.kind(t), self.generic_count(t)) {
            (TypeKind::Def { .. }, n) if n > 0 => {
                let vars: Vec<TypeId> =
                    (0..n).map(|n| self.intern_type(TypeKind::Var(n))).collect();
                self.instance(t, &vars)
            }
            _ => t,
        }
    }

    /// Arguments of an instance; empty for anything else.
    pub fn type_args(&self, t: TypeId) -> TypeList {
        match self.kind(t) {
            TypeKind::Inst { args, .. } => args,
            _ => &[],
        }
    }

    /// Facts of the definition behind a `Def` or `Inst`.
    pub(crate) fn facts(&self, t: TypeId) -> Option<&DefFacts> {
        let entry = self.entry(t);
        match entry.kind {
            TypeKind::Inst { def, .. } => self.facts(def),
            TypeKind::Def { module, row } => Some(
                entry
                    .def
                    .get_or_init(|| Box::new(self.compute_facts(module, row))),
            ),
            _ => None,
        }
    }

    fn compute_facts(&self, module: ModuleId, row: TypeDefRow) -> DefFacts {
        let md = self.module(module);
        let def = md.type_def(row).unwrap_or_default();
        let corlib = module == self.corlib();
        let (base_ns, base) = self.reference_name(module, def.extends);
        let category = match (base_ns, base) {
            _ if def.flags & attr::INTERFACE != 0 => Category::Interface,
            ("System", "Enum") => Category::Enum,
            ("System", "ValueType") if (def.namespace, def.name) != ("System", "Enum") => {
                Category::Struct
            }
            ("System", "MulticastDelegate") => Category::Delegate,
            _ => Category::Class,
        };
        let prim = (corlib && category == Category::Struct && def.namespace == "System")
            .then(|| PRIMITIVES.iter().find(|(k, _)| k.name().1 == def.name))
            .flatten()
            .map(|&(_, p)| p);
        DefFacts {
            flags: def.flags,
            namespace: def.namespace,
            name: def.name,
            category,
            prim,
            generic_count: md.generic_params_of(row.into()).len() as u32,
            variance: OnceLock::new(),
            underlying: OnceLock::new(),
        }
    }

    fn category(&self, t: TypeId) -> Option<Category> {
        self.facts(t).map(|f| f.category)
    }

    fn flag(&self, t: TypeId, flag: u32) -> bool {
        self.type_flags(t) & flag != 0
    }

    /// `TypeAttributes` of a definition or instance; 0 for constructed types.
    pub fn type_flags(&self, t: TypeId) -> u32 {
        self.facts(t).map_or(0, |f| f.flags)
    }

    /// A struct, enum or primitive.
    pub fn is_value_type(&self, t: TypeId) -> bool {
        matches!(self.category(t), Some(Category::Struct | Category::Enum))
    }

    /// An enum.
    pub fn is_enum(&self, t: TypeId) -> bool {
        self.category(t) == Some(Category::Enum)
    }

    /// An interface.
    pub fn is_interface(&self, t: TypeId) -> bool {
        self.category(t) == Some(Category::Interface)
    }

    /// A class derived from `System.MulticastDelegate`.
    pub fn is_delegate(&self, t: TypeId) -> bool {
        self.category(t) == Some(Category::Delegate)
    }

    /// No class can derive from it. Arrays of sealed elements are sealed too.
    pub fn is_sealed(&self, t: TypeId) -> bool {
        match self.kind(t) {
            TypeKind::SzArray(e) | TypeKind::Array { elem: e, .. } => self.is_sealed_element(e),
            _ => self.flag(t, attr::SEALED),
        }
    }

    /// Arrays of this element type hold no array of another element type (`int[]` can be a `uint[]`).
    fn is_sealed_element(&self, e: TypeId) -> bool {
        self.is_sealed(e) && !self.is_value_type(e) && !self.has_variance(e)
    }

    /// Has no instances of its own.
    pub fn is_abstract(&self, t: TypeId) -> bool {
        self.flag(t, attr::ABSTRACT)
    }

    /// The class initializer runs at the first access of a static field only.
    pub fn is_before_field_init(&self, t: TypeId) -> bool {
        self.flag(t, attr::BEFORE_FIELD_INIT)
    }

    /// A generic type definition without arguments.
    pub fn is_generic_definition(&self, t: TypeId) -> bool {
        matches!(self.kind(t), TypeKind::Def { .. }) && self.generic_count(t) > 0
    }

    /// Number of generic parameters of the definition.
    pub fn generic_count(&self, t: TypeId) -> u32 {
        self.facts(t).map_or(0, |f| f.generic_count)
    }

    /// `System.Nullable<T>`: gives `T`.
    pub fn nullable_arg(&self, t: TypeId) -> Option<TypeId> {
        match self.kind(t) {
            TypeKind::Inst { def, args: &[arg] } if self.is_known(def, Known::Nullable) => {
                Some(arg)
            }
            _ => None,
        }
    }

    /// An instance of `System.Nullable<T>`.
    pub fn is_nullable(&self, t: TypeId) -> bool {
        self.nullable_arg(t).is_some()
    }

    /// The type is this well-known class. Compares names, so nothing is resolved.
    pub fn is_known(&self, t: TypeId, class: Known) -> bool {
        match self.kind(t) {
            TypeKind::Def { module, .. } if module == self.corlib() => {
                self.facts(t)
                    .is_some_and(|f| class.name() == (f.namespace, f.name))
                    && self.known(class) == t
            }
            TypeKind::Missing(k) => k == class,
            _ => false,
        }
    }

    /// A value that may live only on the stack: marked `IsByRefLike`, or one of the special types of mscorlib.
    pub fn is_byref_like(&self, t: TypeId) -> bool {
        const SPECIAL: [Known; 4] = [
            Known::TypedReference,
            Known::ArgIterator,
            Known::RuntimeArgumentHandle,
            Known::ByReference,
        ];
        let def = self.definition(t);
        self.is_value_type(t)
            && (SPECIAL.iter().any(|&k| self.is_known(def, k))
                || self.def_of(def).is_some_and(|(module, row)| {
                    let name = ("System.Runtime.CompilerServices", "IsByRefLikeAttribute");
                    self.has_attribute(module, row.into(), name)
                }))
    }

    /// The primitive a type is. Enums are not primitives: see [`TypeContext::underlying`].
    pub fn prim(&self, t: TypeId) -> Option<Prim> {
        match self.kind(t) {
            TypeKind::Def { .. } => self.facts(t)?.prim,
            _ => None,
        }
    }

    /// The integer type under an enum; other types, and malformed enums, are returned as they are.
    pub fn underlying(&self, t: TypeId) -> TypeId {
        self.try_underlying(t).unwrap_or(t)
    }

    /// As [`TypeContext::underlying`], with an error for malformed enums.
    pub fn try_underlying(&self, t: TypeId) -> Result<TypeId> {
        if !self.is_enum(t) {
            return Ok(t);
        }
        let Some(facts) = self.facts(t) else {
            return Ok(t);
        };
        if let Some(known) = facts.underlying.get() {
            return known.clone();
        }
        let found = self.compute_underlying(t);
        facts.underlying.get_or_init(|| found).clone()
    }

    fn compute_underlying(&self, t: TypeId) -> Result<TypeId> {
        let fields = self.fields(self.definition(t))?;
        let value = fields.into_iter().find(|&f| !self.field_is_static(f));
        let ty = value.map(|f| self.field_type(f)).transpose()?;
        let ty = ty.filter(|&ty| self.prim(ty).is_some());
        ty.ok_or_else(|| self.type_load(t, "an enum needs one field of an integer type"))
    }

    /// Variance of each generic parameter.
    pub fn variance(&self, t: TypeId) -> &[Variance] {
        let (Some(facts), Some((module, row))) = (self.facts(t), self.def_of(t)) else {
            return &[];
        };
        facts.variance.get_or_init(|| {
            let md = self.module(module);
            let rows = md.generic_params_of(row.into());
            let flags = rows.map(|r| md.generic_param(r).map_or(0, |p| p.flags));
            flags.map(Variance::of).collect()
        })
    }

    /// An instance of an interface or delegate with a variant parameter.
    pub fn has_variance(&self, t: TypeId) -> bool {
        self.variance(t).iter().any(|v| *v != Variance::None)
    }

    /// The type's static constructor.
    pub fn class_initializer(&self, t: TypeId) -> Option<MethodId> {
        let (module, row) = self.def_of(t)?;
        let md = self.module(module);
        let cctor = md.methods_of(row).find(|&m| {
            md.method_def(m).is_ok_and(|d| {
                d.name == ".cctor" && u32::from(d.flags) & super::member::attr::STATIC != 0
            })
        })?;
        Some(self.method_of(self.open_form(t), cctor))
    }

    /// Has a static constructor.
    pub fn has_cctor(&self, t: TypeId) -> bool {
        self.class_initializer(t).is_some()
    }

    /// The `Finalize` method that runs when an instance dies; none if only `object` has one.
    pub fn finalizer(&self, t: TypeId) -> Result<Option<MethodId>> {
        if self.is_value_type(t) || self.is_interface(t) || !self.is_reference_type(t) {
            return Ok(None);
        }
        let object = self.known(Known::Object);
        let Some(base) = self.find_method(object, "Finalize")? else {
            return Ok(None);
        };
        let target = self.resolve_virtual(t, base)?;
        Ok((target != base).then_some(target))
    }

    /// Instances have a finalizer.
    pub fn has_finalizer(&self, t: TypeId) -> bool {
        matches!(self.finalizer(t), Ok(Some(_)))
    }

    /// The method declared with `row` by `owner` (an exact type or an open form).
    pub fn method_of(&self, owner: TypeId, row: MethodDefRow) -> MethodId {
        let module = self.def_of(owner).map_or(self.corlib(), |d| d.0);
        self.intern_method(MethodKind::Def {
            module,
            row,
            owner,
            args: &[],
        })
    }

    /// The field declared with `row` by `owner`.
    pub fn field_of(&self, owner: TypeId, row: FieldRow) -> FieldId {
        let module = self.def_of(owner).map_or(self.corlib(), |d| d.0);
        self.intern_field(FieldKind { module, row, owner })
    }

    /// Methods declared by a type, in row order; none for constructed types.
    pub fn methods(&self, t: TypeId) -> Result<Vec<MethodId>> {
        let Some((module, row)) = self.def_of(t) else {
            return Ok(Vec::new());
        };
        let owner = self.open_form(t);
        let rows = self.module(module).methods_of(row);
        Ok(rows.map(|m| self.method_of(owner, m)).collect())
    }

    /// Fields declared by a type, in row order; none for constructed types.
    pub fn fields(&self, t: TypeId) -> Result<Vec<FieldId>> {
        let Some((module, row)) = self.def_of(t) else {
            return Ok(Vec::new());
        };
        let owner = self.open_form(t);
        let rows = self.module(module).fields_of(row);
        Ok(rows.map(|f| self.field_of(owner, f)).collect())
    }

    /// Placement, packing and minimum size asked for.
    pub(crate) fn class_layout(&self, t: TypeId) -> (Placement, u32, u32) {
        let placement = match self.type_flags(t) & attr::LAYOUT_MASK {
            attr::SEQUENTIAL => Placement::Sequential,
            attr::EXPLICIT => Placement::Explicit,
            _ => Placement::Auto,
        };
        let row = self.def_of(t);
        let asked = row.and_then(|(m, r)| self.module(m).class_layout_of(r));
        let (pack, size) = asked.map_or((0, 0), |l| (l.packing_size, l.class_size));
        let pack = if u32::from(pack).is_power_of_two() {
            pack
        } else {
            0
        };
        (placement, pack.into(), size)
    }

    pub(crate) fn explicit_offset(&self, t: TypeId, field: FieldRow) -> Option<u32> {
        let (module, _) = self.def_of(t)?;
        self.module(module).field_offset_of(field)
    }

    /// Generic parameters of a type definition.
    pub fn generic_params(&self, t: TypeId) -> Result<Vec<GenericParam>> {
        match self.def_of(t) {
            Some((module, row)) => self.generic_params_of(module, row.into()),
            None => Ok(Vec::new()),
        }
    }

    /// The parameters of a generic type definition as types of their own (for reflection).
    pub fn param_types(&self, t: TypeId) -> TypeList {
        match self.def_of(t) {
            Some((module, row)) => self.param_types_of(module, row.into()),
            None => &[],
        }
    }

    /// A type as part of another one, as reflection sees it: a generic type definition is the type over its own parameters.
    pub fn element_form(&self, t: TypeId) -> TypeId {
        match self.is_generic_definition(t) {
            true => self.instance(t, self.param_types(t)),
            false => t,
        }
    }

    /// The parameters of a generic method as types of their own (for reflection).
    pub fn method_param_types(&self, m: MethodId) -> TypeList {
        match self.method_kind(m) {
            MethodKind::Def { module, row, .. } => self.param_types_of(module, row.into()),
            _ => &[],
        }
    }

    fn param_types_of(&self, module: ModuleId, owner: crate::metadata::Token) -> TypeList {
        let rows = self.module(module).generic_params_of(owner);
        let types: Vec<TypeId> = rows
            .map(|row| self.intern_type(TypeKind::Param { module, row }))
            .collect();
        self.list(&types)
    }

    pub(crate) fn generic_params_of(
        &self,
        module: ModuleId,
        owner: crate::metadata::Token,
    ) -> Result<Vec<GenericParam>> {
        let md = self.module(module);
        let make = |row| {
            let p = md.generic_param(row)?;
            let constraints = md
                .generic_constraints_of(row)
                .map(|token| self.resolve_type(module, token, GenericContext::EMPTY));
            Ok(GenericParam {
                row,
                number: p.number.into(),
                name: p.name,
                flags: p.flags.into(),
                constraints: constraints.collect::<Result<_>>()?,
            })
        };
        md.generic_params_of(owner).map(make).collect()
    }

    /// The type that contains a nested type (its definition).
    pub fn enclosing_type(&self, t: TypeId) -> Option<TypeId> {
        let (module, row) = self.def_of(t)?;
        let outer = self.module(module).enclosing_type(row)?;
        Some(self.type_def(module, outer))
    }

    /// Types nested in a type (definitions).
    pub fn nested_types(&self, t: TypeId) -> Vec<TypeId> {
        let Some((module, row)) = self.def_of(t) else {
            return Vec::new();
        };
        let rows = self.module(module).nested_types(row).iter();
        rows.map(|&r| self.type_def(module, r)).collect()
    }

    /// The id of a TypeDef row.
    pub fn type_def(&self, module: ModuleId, row: TypeDefRow) -> TypeId {
        self.intern_type(TypeKind::Def { module, row })
    }

    pub(crate) fn type_load(&self, t: TypeId, reason: &str) -> Error {
        Error::TypeLoad {
            name: self.full_name(t).into(),
            assembly: self.assembly_name_of(t).into(),
            reason: reason.into(),
        }
    }
}

impl Variance {
    fn of(flags: u16) -> Variance {
        match flags & 3 {
            1 => Variance::Covariant,
            2 => Variance::Contravariant,
            _ => Variance::None,
        }
    }
}
