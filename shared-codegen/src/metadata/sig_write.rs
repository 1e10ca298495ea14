//! Writing signatures (ECMA-335 II.23.2): the inverse of [`sig`](super::sig), for modules made at run time.

use super::column::{coded, encode};
use super::sig::{ArrayShape, MethodSig, PropertySig, TypeSig};
use super::token::Token;

/// Appends a compressed unsigned number (II.23.2). Numbers above 29 bits are cut.
pub fn write_compressed(out: &mut Vec<u8>, n: u32) {
    match n {
        0..0x80 => out.push(n as u8),
        0x80..0x4000 => out.extend_from_slice(&(n as u16 | 0x8000).to_be_bytes()),
        _ => out.extend_from_slice(&(n & 0x1fff_ffff | 0xc000_0000).to_be_bytes()),
    }
}

fn signed(out: &mut Vec<u8>, n: i32) {
    let rotated = |bits: u32| (n << 1) as u32 & ((1 << bits) - 1) | u32::from(n < 0);
    match n {
        -0x40..0x40 => write_compressed(out, rotated(7)),
        -0x2000..0x2000 => out.extend_from_slice(&(rotated(14) as u16 | 0x8000).to_be_bytes()),
        _ => out.extend_from_slice(&(rotated(29) | 0xc000_0000).to_be_bytes()),
    }
}

fn token(out: &mut Vec<u8>, t: Token) {
    write_compressed(out, encode::<coded::TypeDefOrRef>(t).unwrap_or(0));
}

fn class(out: &mut Vec<u8>, t: Token, is_value: bool) {
    out.push(if is_value { 0x11 } else { 0x12 });
    token(out, t);
}

fn prefixed(out: &mut Vec<u8>, byte: u8, inner: &TypeSig) {
    out.push(byte);
    write_type(out, inner);
}

fn shape(out: &mut Vec<u8>, s: &ArrayShape) {
    write_compressed(out, s.rank);
    write_compressed(out, s.sizes.len() as u32);
    s.sizes.iter().for_each(|n| write_compressed(out, *n));
    write_compressed(out, s.lower_bounds.len() as u32);
    s.lower_bounds.iter().for_each(|n| signed(out, *n));
}

/// Appends a type.
pub fn write_type(out: &mut Vec<u8>, ty: &TypeSig) {
    match ty {
        TypeSig::Element(e) => out.push(*e as u8),
        TypeSig::Named(t, is_value) => class(out, *t, *is_value),
        TypeSig::Generic(t, is_value, args) => {
            out.push(0x15);
            class(out, *t, *is_value);
            types(out, args);
        }
        TypeSig::SzArray(e) => prefixed(out, 0x1d, e),
        TypeSig::Array(e, s) => {
            prefixed(out, 0x14, e);
            shape(out, s);
        }
        TypeSig::Ptr(e) => prefixed(out, 0x0f, e),
        TypeSig::ByRef(e) => prefixed(out, 0x10, e),
        TypeSig::FnPtr(m) => {
            out.push(0x1b);
            write_method(out, m);
        }
        TypeSig::Var(n) => {
            out.push(0x13);
            write_compressed(out, *n);
        }
        TypeSig::MVar(n) => {
            out.push(0x1e);
            write_compressed(out, *n);
        }
        TypeSig::Modified(required, t, inner) => {
            out.push(if *required { 0x1f } else { 0x20 });
            token(out, *t);
            write_type(out, inner);
        }
        TypeSig::Pinned(e) => prefixed(out, 0x45, e),
    }
}

fn types(out: &mut Vec<u8>, all: &[TypeSig]) {
    write_compressed(out, all.len() as u32);
    all.iter().for_each(|t| write_type(out, t));
}

/// Appends the signature of a method.
pub fn write_method(out: &mut Vec<u8>, m: &MethodSig) {
    let flags = [
        (m.generic_count > 0, 0x10),
        (m.has_this, 0x20),
        (m.explicit_this, 0x40),
    ];
    let flags = flags.iter().filter(|(set, _)| *set);
    out.push(flags.fold(m.call_conv, |byte, (_, flag)| byte | flag));
    if m.generic_count > 0 {
        write_compressed(out, m.generic_count);
    }
    write_compressed(out, m.params.len() as u32);
    write_type(out, &m.ret);
    for (n, p) in m.params.iter().enumerate() {
        if m.sentinel == Some(n as u32) {
            out.push(0x41);
        }
        write_type(out, p);
    }
}

/// The blob of a method.
pub fn method_blob(m: &MethodSig) -> Vec<u8> {
    let mut out = Vec::new();
    write_method(&mut out, m);
    out
}

/// The blob of a field.
pub fn field_blob(ty: &TypeSig) -> Vec<u8> {
    let mut out = Vec::new();
    prefixed(&mut out, 0x06, ty);
    out
}

/// The blob of local variables.
pub fn locals_blob(locals: &[TypeSig]) -> Vec<u8> {
    let mut out = vec![0x07];
    types(&mut out, locals);
    out
}

/// The blob of a property.
pub fn property_blob(p: &PropertySig) -> Vec<u8> {
    let mut out = vec![if p.has_this { 0x28 } else { 0x08 }];
    write_compressed(&mut out, p.params.len() as u32);
    write_type(&mut out, &p.ty);
    p.params.iter().for_each(|t| write_type(&mut out, t));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::sig::{self, Element};
    use crate::metadata::{RowId, TypeDefRow, TypeRefRow};

    fn leak(bytes: Vec<u8>) -> &'static [u8] {
        bytes.leak()
    }

    fn samples() -> Vec<TypeSig> {
        let int = || Box::new(TypeSig::Element(Element::I4));
        let class = Token::new(TypeRefRow::TABLE, 300);
        let bounds = ArrayShape {
            rank: 3,
            sizes: vec![5, 0x90],
            lower_bounds: vec![0, -1, 3, -64, 64, -8192, 8192, -100_000],
        };
        vec![
            *int(),
            TypeSig::Named(class, false),
            TypeSig::Generic(
                Token::new(TypeDefRow::TABLE, 2),
                true,
                vec![TypeSig::Var(1), TypeSig::MVar(200)],
            ),
            TypeSig::SzArray(int()),
            TypeSig::Array(int(), bounds),
            TypeSig::ByRef(Box::new(TypeSig::Ptr(int()))),
            TypeSig::Modified(true, class, int()),
            TypeSig::FnPtr(Box::new(MethodSig {
                call_conv: 5,
                has_this: true,
                explicit_this: false,
                generic_count: 0,
                ret: *int(),
                params: vec![*int(), TypeSig::Element(Element::String)],
                sentinel: Some(1),
            })),
        ]
    }

    #[test]
    fn what_is_written_is_read_back() {
        for ty in samples() {
            let mut blob = Vec::new();
            write_type(&mut blob, &ty);
            assert_eq!(sig::parse_type(leak(blob)), Ok(ty.clone()));
            assert_eq!(sig::parse_field(leak(field_blob(&ty))), Ok(ty));
        }
        let method = MethodSig {
            call_conv: 0,
            has_this: true,
            explicit_this: true,
            generic_count: 2,
            ret: TypeSig::Element(Element::Void),
            params: samples(),
            sentinel: None,
        };
        assert_eq!(sig::parse_method(leak(method_blob(&method))), Ok(method));
        let locals = samples();
        assert_eq!(sig::parse_locals(leak(locals_blob(&locals))), Ok(locals));
        let property = PropertySig {
            has_this: true,
            ty: TypeSig::Var(0),
            params: samples(),
        };
        assert_eq!(
            sig::parse_property(leak(property_blob(&property))),
            Ok(property)
        );
    }

    #[test]
    fn numbers_take_as_few_bytes_as_the_standard_says() {
        for (n, bytes) in [
            (0x7f, 1),
            (0x80, 2),
            (0x3fff, 2),
            (0x4000, 4),
            (0x1fff_ffff, 4),
        ] {
            let mut out = Vec::new();
            write_compressed(&mut out, n);
            assert_eq!(out.len(), bytes, "{n:#x}");
            assert_eq!(crate::metadata::compressed(leak(out)).map(|r| r.0), Some(n));
        }
    }
}
