//! Names of types and members as CIL assembler writes them, by metadata alone: nothing is resolved.

use super::error::{Error, Result};
use super::module::Module;
use super::schema::TableId;
use super::sig::{self, ArrayShape, Element, MethodSig, TypeSig};
use super::tables::*;
use super::token::Token;

/// How deep names may nest: damaged metadata can refer to itself.
const MAX_DEPTH: u32 = 64;
/// Longest text made: damaged metadata can grow exponentially.
const MAX_TEXT: usize = 1 << 16;

/// Writes names of one module's items.
#[derive(Debug)]
pub struct IlNames<'m> {
    module: &'m Module,
    out: String,
    depth: u32,
}

/// Keyword of an element type.
fn keyword(e: Element) -> &'static str {
    match e {
        Element::Void => "void",
        Element::Boolean => "bool",
        Element::Char => "char",
        Element::I1 => "int8",
        Element::U1 => "uint8",
        Element::I2 => "int16",
        Element::U2 => "uint16",
        Element::I4 => "int32",
        Element::U4 => "uint32",
        Element::I8 => "int64",
        Element::U8 => "uint64",
        Element::R4 => "float32",
        Element::R8 => "float64",
        Element::String => "string",
        Element::TypedByRef => "typedref",
        Element::I => "native int",
        Element::U => "native uint",
        Element::Object => "object",
    }
}

/// Needs no quotes.
fn is_plain(name: &str) -> bool {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'`' | b'$' | b'@');
    let starts = |b: &u8| !b.is_ascii_digit();
    name.bytes().all(allowed) && name.as_bytes().first().is_some_and(starts)
}

/// A name, quoted if it needs to be.
fn quoted(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

impl<'m> IlNames<'m> {
    fn write(module: &'m Module, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<String> {
        let mut names = IlNames {
            module,
            out: String::new(),
            depth: 0,
        };
        f(&mut names)?;
        Ok(names.out)
    }

    /// A type token: ``[mscorlib]System.Collections.Generic.List`1/Enumerator``.
    pub fn type_name(module: &'m Module, token: Token) -> Result<String> {
        Self::write(module, |n| n.type_token(token))
    }

    /// A type in a signature: `class [mscorlib]System.Exception[]`.
    pub fn type_sig(module: &'m Module, sig: &TypeSig) -> Result<String> {
        Self::write(module, |n| n.sig(sig))
    }

    /// The parameters of a method, in parentheses.
    pub fn params(module: &'m Module, sig: &MethodSig) -> Result<String> {
        Self::write(module, |n| n.param_list(sig))
    }

    /// Any token that can be an instruction's operand, except `ldstr`'s.
    pub fn operand(module: &'m Module, token: Token) -> Result<String> {
        Self::write(module, |n| n.any_token(token))
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || self.out.len() > MAX_TEXT {
            return Err(Error::Signature("nested too deeply"));
        }
        Ok(())
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn full_name(&mut self, namespace: &str, name: &str) {
        if !namespace.is_empty() {
            self.put(&quoted(namespace));
            self.put(".");
        }
        self.put(&quoted(name));
    }

    fn type_token(&mut self, token: Token) -> Result<()> {
        self.enter()?;
        if let Some(row) = token.as_row::<TypeDefRow>() {
            let def = self.module.type_def(row)?;
            if let Some(outer) = self.module.enclosing_type(row) {
                self.type_token(outer.token())?;
                self.put("/");
            }
            self.full_name(def.namespace, def.name);
        } else if let Some(row) = token.as_row::<TypeRefRow>() {
            let reference = self.module.type_ref(row)?;
            self.scope(reference.scope)?;
            self.full_name(reference.namespace, reference.name);
        } else if let Some(row) = token.as_row::<TypeSpecRow>() {
            let spec = sig::parse_type(self.module.type_spec(row)?.signature)?;
            self.sig(&spec)?;
        } else {
            return Err(Error::Token(token.0));
        }
        self.depth -= 1;
        Ok(())
    }

    fn scope(&mut self, scope: Token) -> Result<()> {
        if let Some(row) = scope.as_row::<AssemblyRefRow>() {
            let name = quoted(self.module.assembly_ref(row)?.name);
            self.put(&format!("[{name}]"));
        } else if let Some(row) = scope.as_row::<ModuleRefRow>() {
            let name = quoted(self.module.module_ref(row)?.name);
            self.put(&format!("[.module {name}]"));
        } else if scope.as_row::<TypeRefRow>().is_some() {
            self.type_token(scope)?;
            self.put("/");
        }
        Ok(())
    }

    fn sigs(&mut self, sigs: &[TypeSig]) -> Result<()> {
        for (i, sig) in sigs.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.sig(sig)?;
        }
        Ok(())
    }

    fn sig(&mut self, sig: &TypeSig) -> Result<()> {
        self.enter()?;
        let class = |is_value: bool| if is_value { "valuetype " } else { "class " };
        match sig {
            TypeSig::Element(e) => self.put(keyword(*e)),
            TypeSig::Named(token, is_value) => {
                self.put(class(*is_value));
                self.type_token(*token)?;
            }
            TypeSig::Generic(token, is_value, args) => {
                self.put(class(*is_value));
                self.type_token(*token)?;
                self.put("<");
                self.sigs(args)?;
                self.put(">");
            }
            TypeSig::SzArray(e) => self.suffixed(e, "[]")?,
            TypeSig::Array(e, shape) => self.suffixed(e, &shape_text(shape))?,
            TypeSig::Ptr(e) => self.suffixed(e, "*")?,
            TypeSig::ByRef(e) => self.suffixed(e, "&")?,
            TypeSig::Pinned(e) => self.suffixed(e, " pinned")?,
            TypeSig::FnPtr(m) => {
                self.put("method ");
                self.method_head(m)?;
                self.put(" *");
                self.param_list(m)?;
            }
            TypeSig::Var(n) => self.put(&format!("!{n}")),
            TypeSig::MVar(n) => self.put(&format!("!!{n}")),
            TypeSig::Modified(required, modifier, inner) => {
                self.sig(inner)?;
                self.put(if *required { " modreq(" } else { " modopt(" });
                self.type_token(*modifier)?;
                self.put(")");
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn suffixed(&mut self, element: &TypeSig, suffix: &str) -> Result<()> {
        self.sig(element)?;
        self.put(suffix);
        Ok(())
    }

    /// Calling convention and result.
    fn method_head(&mut self, m: &MethodSig) -> Result<()> {
        if m.has_this {
            self.put("instance ");
        }
        if m.explicit_this {
            self.put("explicit ");
        }
        self.put(match m.call_conv {
            1 => "unmanaged cdecl ",
            2 => "unmanaged stdcall ",
            3 => "unmanaged thiscall ",
            4 => "unmanaged fastcall ",
            5 => "vararg ",
            9 => "unmanaged ",
            _ => "",
        });
        self.sig(&m.ret)
    }

    fn param_list(&mut self, m: &MethodSig) -> Result<()> {
        let fixed = m.sentinel.map_or(m.params.len(), |s| s as usize);
        let (fixed, variable) = m.params.split_at(fixed.min(m.params.len()));
        self.put("(");
        self.sigs(fixed)?;
        if m.sentinel.is_some() {
            self.put(if fixed.is_empty() { "..., " } else { ", ..., " });
            self.sigs(variable)?;
        }
        self.put(")");
        Ok(())
    }

    /// Owner of a MemberRef, with the colons behind it. Global members have none.
    fn owner(&mut self, owner: Token) -> Result<()> {
        if let Some(row) = owner.as_row::<ModuleRefRow>() {
            let name = quoted(self.module.module_ref(row)?.name);
            self.put(&format!("[.module {name}]::"));
            return Ok(());
        }
        let owner = match owner.as_row::<MethodDefRow>() {
            Some(method) => self.module.owner_of_method(method)?.token(),
            None => owner,
        };
        if owner != TypeDefRow(1).token() {
            self.type_token(owner)?;
            self.put("::");
        }
        Ok(())
    }

    fn method(&mut self, token: Token, args: &[TypeSig]) -> Result<()> {
        let (owner, name, signature) = if let Some(row) = token.as_row::<MethodDefRow>() {
            let def = self.module.method_def(row)?;
            let owner = self.module.owner_of_method(row)?;
            (owner.token(), def.name, def.signature)
        } else if let Some(row) = token.as_row::<MemberRefRow>() {
            let reference = self.module.member_ref(row)?;
            (reference.class, reference.name, reference.signature)
        } else {
            return Err(Error::Token(token.0));
        };
        let signature = sig::parse_method(signature)?;
        self.method_head(&signature)?;
        self.put(" ");
        self.owner(owner)?;
        self.put(&quoted_member(name));
        if !args.is_empty() {
            self.put("<");
            self.sigs(args)?;
            self.put(">");
        }
        self.param_list(&signature)
    }

    fn field(&mut self, owner: Token, name: &str, signature: &'static [u8]) -> Result<()> {
        self.sig(&sig::parse_field(signature)?)?;
        self.put(" ");
        self.owner(owner)?;
        self.put(&quoted_member(name));
        Ok(())
    }

    fn any_token(&mut self, token: Token) -> Result<()> {
        const STAND_ALONE_SIG: TableId = StandAloneSigRow::TABLE;
        match token.table() {
            TypeDefRow::TABLE | TypeRefRow::TABLE | TypeSpecRow::TABLE => self.type_token(token),
            MethodDefRow::TABLE => self.method(token, &[]),
            FieldRow::TABLE => {
                let row = FieldRow(token.row());
                let field = self.module.field(row)?;
                let owner = self.module.owner_of_field(row)?.token();
                self.field(owner, field.name, field.signature)
            }
            MemberRefRow::TABLE => {
                let reference = self.module.member_ref(MemberRefRow(token.row()))?;
                if sig::is_field(reference.signature) {
                    self.field(reference.class, reference.name, reference.signature)
                } else {
                    self.method(token, &[])
                }
            }
            MethodSpecRow::TABLE => {
                let spec = self.module.method_spec(MethodSpecRow(token.row()))?;
                let args = sig::parse_method_spec(spec.instantiation)?;
                self.method(spec.method, &args)
            }
            STAND_ALONE_SIG => {
                let row = self.module.stand_alone_sig(StandAloneSigRow(token.row()))?;
                let signature = sig::parse_method(row.signature)?;
                self.method_head(&signature)?;
                self.param_list(&signature)
            }
            _ => Err(Error::Token(token.0)),
        }
    }
}

/// Constructors are keywords in themselves.
fn quoted_member(name: &str) -> String {
    match name {
        ".ctor" | ".cctor" => name.to_owned(),
        _ => quoted(name),
    }
}

fn shape_text(shape: &ArrayShape) -> String {
    let dimension = |i: usize| {
        let low = shape.lower_bounds.get(i).copied();
        match (low, shape.sizes.get(i)) {
            (Some(0) | None, None) => String::new(),
            (Some(low), None) => format!("{low}..."),
            (low, Some(size)) => {
                let low = i64::from(low.unwrap_or(0));
                format!("{low}...{}", low + i64::from(*size) - 1)
            }
        }
    };
    let all: Vec<String> = (0..shape.rank as usize).map(dimension).collect();
    format!("[{}]", all.join(","))
}
