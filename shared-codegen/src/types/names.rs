//! Names of types and members as programs and messages show them.

use super::{FieldId, MethodId, ModuleId, TypeContext, TypeId, TypeKind};
use core::fmt::Write;

/// Deepest nesting of classes shown.
const MAX_ENCLOSING: usize = 64;

/// How to write a type's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameFormat {
    /// `System.Type.FullName` without assembly names: ``Ns.Outer`1+Inner[System.Int32]``
    Reflection,
    /// `System.Type.FullName`: arguments with their assemblies, ``Ns.List`1[[System.Int32, mscorlib, …]]``
    FullName,
    /// Internal-call and IL style: ``Ns.Outer`1/Inner<System.Int32>``
    Ecma,
}

impl TypeContext {
    /// Namespace and name of a type's definition; constructed types have none.
    pub fn type_name(&self, t: TypeId) -> (&'static str, &'static str) {
        match self.kind(t) {
            TypeKind::Missing(k) => k.name(),
            _ => self.facts(t).map_or(("", ""), |f| (f.namespace, f.name)),
        }
    }

    /// Full name in reflection style without assembly names.
    pub fn full_name(&self, t: TypeId) -> String {
        self.type_name_as(t, NameFormat::Reflection)
    }

    /// Full name in the given style.
    pub fn type_name_as(&self, t: TypeId, format: NameFormat) -> String {
        let mut out = String::new();
        self.write_type(t, format, &mut out);
        out
    }

    /// Display name of the assembly that defines a type (for constructed types: their element's).
    pub fn assembly_name_of(&self, t: TypeId) -> String {
        self.assembly(self.type_module(t)).name.to_string()
    }

    /// Module that defines a type; for constructed types, that of the element; mscorlib otherwise.
    pub fn type_module(&self, t: TypeId) -> ModuleId {
        match self.kind(t) {
            TypeKind::Def { module, .. } | TypeKind::Param { module, .. } => module,
            TypeKind::Inst { def: e, .. }
            | TypeKind::SzArray(e)
            | TypeKind::Array { elem: e, .. }
            | TypeKind::Ptr(e)
            | TypeKind::ByRef(e) => self.type_module(e),
            _ => self.corlib(),
        }
    }

    fn write_type(&self, t: TypeId, format: NameFormat, out: &mut String) {
        match self.kind(t) {
            TypeKind::Def { .. } | TypeKind::Missing(_) => self.write_def(t, format, out),
            TypeKind::Inst { def, args } => {
                self.write_def(def, format, out);
                self.write_args(args, format, out);
            }
            TypeKind::SzArray(e) => {
                self.write_type(e, format, out);
                out.push_str("[]");
            }
            TypeKind::Array { elem, rank } => {
                self.write_type(elem, format, out);
                out.push('[');
                match rank {
                    1 => out.push('*'),
                    n => out.extend((1..n).map(|_| ',')),
                }
                out.push(']');
            }
            TypeKind::Ptr(e) => {
                self.write_type(e, format, out);
                out.push('*');
            }
            TypeKind::ByRef(e) => {
                self.write_type(e, format, out);
                out.push('&');
            }
            TypeKind::FnPtr(_) => out.push_str("(fnptr)"),
            TypeKind::Var(n) => drop(write!(out, "!{n}")),
            TypeKind::MVar(n) => drop(write!(out, "!!{n}")),
            TypeKind::Param { module, row } => {
                let param = self.module(module).generic_param(row);
                out.push_str(param.map_or("?", |p| p.name));
            }
            TypeKind::Canon => out.push_str("__Canon"),
        }
    }

    fn write_def(&self, t: TypeId, format: NameFormat, out: &mut String) {
        let mut chain = vec![t];
        let mut at = t;
        while let Some(outer) = self.enclosing_type(at)
            && chain.len() < MAX_ENCLOSING
        {
            chain.push(outer);
            at = outer;
        }
        let namespace = self.type_name(at).0;
        if !namespace.is_empty() {
            out.push_str(namespace);
            out.push('.');
        }
        for (n, &t) in chain.iter().rev().enumerate() {
            if n > 0 {
                out.push(if format == NameFormat::Ecma { '/' } else { '+' });
            }
            match format {
                NameFormat::Ecma => out.push_str(self.type_name(t).1),
                _ => escape(self.type_name(t).1, out),
            }
        }
    }

    fn write_args(&self, args: &[TypeId], format: NameFormat, out: &mut String) {
        let (open, close) = match format {
            NameFormat::Ecma => ("<", ">"),
            _ => ("[", "]"),
        };
        out.push_str(open);
        for (n, &arg) in args.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            if format == NameFormat::FullName {
                out.push('[');
                self.write_type(arg, format, out);
                let _ = write!(out, ", {}", self.assembly_name_of(arg));
                out.push(']');
            } else {
                self.write_type(arg, format, out);
            }
        }
        out.push_str(close);
    }

    /// `Ns.Type::Method<Args>(Params)` in IL style.
    pub fn method_full_name(&self, m: MethodId) -> String {
        let mut out = self.type_name_as(self.method_owner(m), NameFormat::Ecma);
        out.push_str("::");
        out.push_str(self.method_name(m));
        if !self.method_args(m).is_empty() {
            self.write_args(self.method_args(m), NameFormat::Ecma, &mut out);
        }
        out.push('(');
        match self.method_signature(m) {
            Ok(sig) => {
                for (n, &p) in sig.params.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    self.write_type(p, NameFormat::Ecma, &mut out);
                }
            }
            Err(_) => out.push('?'),
        }
        out.push(')');
        out
    }

    /// `Ns.Type::field`
    pub fn field_full_name(&self, f: FieldId) -> String {
        let owner = self.type_name_as(self.field_kind(f).owner, NameFormat::Ecma);
        format!("{owner}::{}", self.field_name(f))
    }
}

/// Characters with a meaning in reflection names are escaped with a backslash.
fn escape(name: &str, out: &mut String) {
    for c in name.chars() {
        if matches!(c, ',' | '+' | '&' | '*' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
}
