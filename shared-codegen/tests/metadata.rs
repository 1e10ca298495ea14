//! Reads everything in real assemblies, and survives damaged ones.

use shared_codegen::il::{Decoder, MethodBody};
use shared_codegen::metadata::{
    FieldRow, MemberRefRow, MethodDefRow, MethodSpecRow, Module, RowId, StandAloneSigRow, TableId,
    TypeDefRow, TypeSpecRow, sig,
};
use std::path::PathBuf;

const MSCORLIB: &str = "/usr/lib/mono/4.5/mscorlib.dll";

fn open(bytes: Vec<u8>) -> shared_codegen::metadata::Result<Module> {
    Module::parse(bytes.leak(), PathBuf::from("test.dll"))
}

fn body_is_fine(m: &Module, rva: u32) -> bool {
    MethodBody::parse(m, rva).is_ok_and(|b| Decoder::new(b.code, 0).all(|i| i.is_ok()))
}

/// Visits every row and signature; returns the number of errors.
fn walk(m: &Module) -> usize {
    let mut errors = 0;
    let mut check = |ok: bool| errors += usize::from(!ok);
    for table in TableId::all() {
        for row in 1..=m.row_count(table) {
            check(m.describe_row(table, row).is_ok());
        }
    }
    for r in m.rows::<MethodDefRow>() {
        check(
            m.method_def(r)
                .and_then(|d| sig::parse_method(d.signature))
                .is_ok(),
        );
        check(m.owner_of_method(r).is_ok());
        check(
            m.method_def(r)
                .is_ok_and(|d| d.rva == 0 || body_is_fine(m, d.rva)),
        );
    }
    for r in m.rows::<FieldRow>() {
        check(
            m.field(r)
                .and_then(|d| sig::parse_field(d.signature))
                .is_ok(),
        );
        check(m.owner_of_field(r).is_ok());
    }
    for r in m.rows::<MemberRefRow>() {
        let parsed = m.member_ref(r).and_then(|d| {
            if sig::is_field(d.signature) {
                sig::parse_field(d.signature).map(drop)
            } else {
                sig::parse_method(d.signature).map(drop)
            }
        });
        check(parsed.is_ok());
    }
    for r in m.rows::<TypeSpecRow>() {
        check(
            m.type_spec(r)
                .and_then(|d| sig::parse_type(d.signature))
                .is_ok(),
        );
    }
    for r in m.rows::<MethodSpecRow>() {
        check(
            m.method_spec(r)
                .and_then(|d| sig::parse_method_spec(d.instantiation))
                .is_ok(),
        );
    }
    for r in m.rows::<StandAloneSigRow>() {
        let parsed = m.stand_alone_sig(r).map(|d| {
            sig::parse_locals(d.signature).is_ok()
                || sig::parse_method(d.signature).is_ok()
                || sig::parse_field(d.signature).is_ok()
        });
        check(parsed == Ok(true));
    }
    for r in m.rows::<TypeDefRow>() {
        check(m.methods_of(r).all(|x| m.owner_of_method(x) == Ok(r)));
        check(m.fields_of(r).all(|x| m.owner_of_field(x) == Ok(r)));
        let _ = (
            m.interfaces_of(r).count(),
            m.generic_params_of(r.token()).count(),
            m.custom_attributes_of(r.token()).count(),
        );
        let _ = (
            m.properties_of(r).count(),
            m.events_of(r).count(),
            m.class_layout_of(r),
            m.enclosing_type(r),
        );
    }
    errors
}

#[test]
fn mscorlib_is_read_completely() {
    let m = open(std::fs::read(MSCORLIB).expect("the class libraries are installed")).unwrap();
    assert_eq!(walk(&m), 0);
    assert!(m.row_count(MethodDefRow::TABLE) > 20_000);
    let string = m.find_type("System", "String").unwrap();
    assert_eq!(m.type_def(string).unwrap().name, "String");
    let nested = m.nested_types(m.find_type("System", "Environment").unwrap());
    assert!(
        nested
            .iter()
            .any(|n| m.type_def(*n).unwrap().name == "SpecialFolder")
    );
    assert!(m.find_type("System", "Nonsense").is_none());
}

#[test]
fn damaged_files_give_errors() {
    let whole = std::fs::read("/usr/lib/mono/4.5/mcs.exe")
        .or_else(|_| std::fs::read(MSCORLIB))
        .unwrap();
    for cut in (0..4096)
        .step_by(13)
        .chain((4096..whole.len()).step_by(whole.len() / 40))
    {
        if let Ok(m) = open(whole[..cut].to_vec()) {
            let _ = m.find_type("System", "String");
        }
    }
    let small = std::fs::read("/usr/lib/mono/4.5/Facades/System.Runtime.dll").unwrap();
    let mut seed = 1u64;
    for _ in 0..300 {
        let mut bytes = small.clone();
        for _ in 0..8 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] ^= (seed >> 20) as u8 | 1;
        }
        if let Ok(m) = open(bytes) {
            walk(&m);
            let _ = m.find_type("System", "String");
        }
    }
}
