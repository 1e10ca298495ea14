//! Reads everything in a module.

use crate::stack;
use shared_codegen::il::{MethodBody, print_method};
use shared_codegen::metadata::{
    ConstantRow, CustomAttribute, CustomAttributeRow, Error, EventRow, FieldMarshalRow, FieldRow,
    GenericParamRow, ManifestResourceRow, MemberRefRow, MethodDefRow, MethodSpecRow, Module,
    PropertyRow, Result, RowId, StandAloneSigRow, TableId, Token, TypeDefRow, TypeSpecRow,
    attribute::{self, EnumRef},
    marshal, sig,
    sig::{Element, MethodSig, TypeSig},
};
use std::fmt::Debug;

/// What was found.
pub struct Walk<'m> {
    module: &'m Module,
    /// What could not be read.
    pub errors: Vec<String>,
    /// Methods with a body.
    pub bodies: u32,
    /// Attributes decoded.
    pub attributes: u32,
}

/// Visits every row, list, signature, blob and body.
pub fn walk(module: &Module) -> Walk<'_> {
    let mut walk = Walk {
        module,
        errors: Vec::new(),
        bodies: 0,
        attributes: 0,
    };
    walk.rows();
    walk.signatures();
    walk.blobs();
    walk.types();
    walk.methods();
    walk
}

impl Walk<'_> {
    fn check<T>(&mut self, what: impl Debug, result: Result<T>) -> Option<T> {
        result
            .map_err(|e| self.errors.push(format!("{what:?}: {e}")))
            .ok()
    }

    fn each<R: RowId, T>(&mut self, read: impl Fn(&Module, R) -> Result<T>) {
        for row in self.module.rows::<R>() {
            self.check(row, read(self.module, row));
        }
    }

    fn rows(&mut self) {
        for table in TableId::all() {
            for row in 1..=self.module.row_count(table) {
                let what = Token::new(table, row);
                self.check(what, self.module.describe_row(table, row));
            }
        }
    }

    fn signatures(&mut self) {
        self.each(|m, r: FieldRow| sig::parse_field(m.field(r)?.signature));
        self.each(|m, r: MethodDefRow| sig::parse_method(m.method_def(r)?.signature));
        self.each(|m, r: PropertyRow| sig::parse_property(m.property(r)?.signature));
        self.each(|m, r: TypeSpecRow| sig::parse_type(m.type_spec(r)?.signature));
        self.each(|m, r: MethodSpecRow| sig::parse_method_spec(m.method_spec(r)?.instantiation));
        self.each(|m, r: MemberRefRow| {
            let blob = m.member_ref(r)?.signature;
            if sig::is_field(blob) {
                sig::parse_field(blob).map(drop)
            } else {
                sig::parse_method(blob).map(drop)
            }
        });
        self.each(|m, r: StandAloneSigRow| {
            let blob = m.stand_alone_sig(r)?.signature;
            match blob.first() {
                Some(7) => sig::parse_locals(blob).map(drop),
                Some(6) => sig::parse_field(blob).map(drop),
                _ => sig::parse_method(blob).map(drop),
            }
        });
    }

    fn blobs(&mut self) {
        self.each(|m, r: FieldMarshalRow| marshal::parse(m.field_marshal(r)?.native_type));
        self.each(|m, r: ConstantRow| m.constant(r));
        self.each(|m, r: ManifestResourceRow| {
            let is_embedded = m.manifest_resource(r)?.implementation.is_null();
            is_embedded.then(|| m.resource_bytes(r)).transpose()
        });
        for row in self.module.rows::<CustomAttributeRow>() {
            let Some(found) = self.check(row, self.module.custom_attribute(row)) else {
                continue;
            };
            let decoded = decode_attribute(self.module, &found);
            self.attributes += u32::from(self.check(row, decoded).is_some());
        }
    }

    fn types(&mut self) {
        let m = self.module;
        for r in m.rows::<TypeDefRow>() {
            let owned = m.methods_of(r).all(|x| m.owner_of_method(x) == Ok(r))
                && m.fields_of(r).all(|x| m.owner_of_field(x) == Ok(r));
            if !owned {
                self.errors.push(format!("{r:?}: owner of a member"));
            }
            let _ = (m.interfaces_of(r).count(), m.method_impls_of(r).count());
            let _ = (m.class_layout_of(r), m.enclosing_type(r));
            let _ = (
                m.nested_types(r).len(),
                m.generic_params_of(r.token()).count(),
            );
            let _ = m.decl_security_of(r.token()).count();
            for p in m.properties_of(r).map(PropertyRow::token) {
                let _ = (m.semantics_of(p).count(), m.constant_of(p));
            }
            for e in m.events_of(r).map(EventRow::token) {
                let _ = m.semantics_of(e).count();
            }
            for f in m.fields_of(r) {
                let _ = (m.field_rva_of(f), m.field_offset_of(f));
                let _ = (m.field_marshal_of(f.token()), m.constant_of(f.token()));
            }
        }
        for r in m.rows::<GenericParamRow>() {
            let _ = m.generic_constraints_of(r).count();
        }
        let _ = (
            m.find_type("System", "String"),
            m.find_exported("", "x"),
            m.mvid(),
        );
    }

    fn methods(&mut self) {
        let m = self.module;
        for r in m.rows::<MethodDefRow>() {
            let _ = (m.params_of(r).count(), m.impl_map_of(r));
            let Some(def) = self.check(r, m.method_def(r)) else {
                continue;
            };
            if def.rva != 0 && def.impl_flags & 3 == 0 {
                let body = self.check(r, MethodBody::parse(m, def.rva));
                let checked = body.map(|body| {
                    body.instruction_starts()?;
                    let signature = sig::parse_method(def.signature)?;
                    stack::check(m, &body, &signature)
                });
                self.check(r, checked.transpose());
                self.bodies += 1;
            }
            self.check(r, print_method(m, r));
        }
    }
}

/// The signature behind a MethodDef or MemberRef.
pub fn method_sig(m: &Module, token: Token) -> Result<MethodSig> {
    let blob = if let Some(row) = token.as_row::<MethodDefRow>() {
        m.method_def(row)?.signature
    } else if let Some(row) = token.as_row::<MemberRefRow>() {
        m.member_ref(row)?.signature
    } else if let Some(row) = token.as_row::<MethodSpecRow>() {
        let method = m.method_spec(row)?.method;
        if method.as_row::<MethodSpecRow>().is_some() {
            return Err(Error::Token(method.0));
        }
        return method_sig(m, method);
    } else {
        let row = StandAloneSigRow(token.row());
        m.stand_alone_sig(row)?.signature
    };
    sig::parse_method(blob)
}

pub fn decode_attribute(m: &Module, found: &CustomAttribute) -> Result<attribute::Attribute> {
    let ctor = method_sig(m, found.ty)?;
    attribute::parse(found.value, &ctor.params, &|e| underlying(m, e))
}

/// Underlying type of an enum of the module itself; others are taken to be of the usual type.
fn underlying(m: &Module, which: EnumRef) -> Result<Element> {
    let row = match which {
        EnumRef::Token(token) => token.as_row::<TypeDefRow>(),
        EnumRef::Name(name) => {
            let name = name.split(',').next().unwrap_or_default();
            let (namespace, name) = name.rsplit_once('.').unwrap_or(("", name));
            m.find_type(namespace, name)
        }
    };
    let Some(row) = row else {
        return Ok(match which {
            EnumRef::Name(n) if n.starts_with("System.Diagnostics.Tracing.EventKeywords") => {
                Element::I8
            }
            _ => Element::I4,
        });
    };
    let fields = m.fields_of(row).filter_map(|f| m.field(f).ok());
    let value = fields.filter(|f| f.name == "value__").last();
    match value.map(|f| sig::parse_field(f.signature)) {
        Some(Ok(TypeSig::Element(e))) => Ok(e),
        _ => Err(Error::Blob("no enum")),
    }
}
