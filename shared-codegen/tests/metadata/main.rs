//! Reads everything in real assemblies, and survives damaged ones.

mod stack;
mod walk;

use shared_codegen::metadata::{Module, Result, TypeDefRow, attribute::Value, sig};
use std::path::{Path, PathBuf};
use std::process::Command;
use walk::walk;

const LIBRARIES: &str = "/usr/lib/mono/4.5";

fn open(bytes: Vec<u8>) -> Result<Module> {
    Module::parse(bytes.leak(), PathBuf::from("test.dll"))
}

fn library(name: &str) -> Module {
    let path = Path::new(LIBRARIES).join(name);
    let bytes = std::fs::read(path).expect("the class libraries are installed");
    open(bytes).expect("class libraries are well-formed")
}

/// `sample.cs`, compiled.
fn sample() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let exe = folder.path().join("sample.exe");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/metadata/sample.cs");
    let status = Command::new("mcs")
        .args(["-unsafe", "-nowarn:0067,0649", source])
        .arg(format!("-out:{}", exe.display()))
        .status()
        .expect("mcs is installed");
    assert!(status.success());
    std::fs::read(exe).unwrap()
}

#[test]
fn mscorlib_is_read_completely() {
    let m = library("mscorlib.dll");
    let found = walk(&m);
    assert_eq!(found.errors, [""; 0]);
    assert!(found.bodies > 20_000 && found.attributes > 5_000);
    let string = m.find_type("System", "String").unwrap();
    assert_eq!(m.type_def(string).unwrap().name, "String");
    let nested = m.nested_types(m.find_type("System", "Environment").unwrap());
    let name = |n: &TypeDefRow| m.type_def(*n).unwrap().name;
    assert!(nested.iter().any(|n| name(n) == "SpecialFolder"));
    assert!(m.find_type("System", "Nonsense").is_none());
    assert!(m.find_type("System", "string").is_none());
}

#[test]
fn other_libraries_are_read_completely() {
    for name in [
        "System.dll",
        "System.Core.dll",
        "Facades/System.Runtime.dll",
        "mcs.exe",
    ] {
        let m = library(name);
        assert_eq!(walk(&m).errors, [""; 0], "{name}");
    }
}

#[test]
fn sample_is_read_completely() {
    let m = open(sample()).unwrap();
    assert_eq!(walk(&m).errors, [""; 0]);
    let program = m.find_type("", "Program").unwrap();
    let notes: Vec<_> = m
        .custom_attributes_of(program.token())
        .map(|r| m.custom_attribute(r).unwrap())
        .map(|a| walk::decode_attribute(&m, &a).unwrap())
        .collect();
    let note = notes.iter().find(|n| n.fixed.len() == 3).unwrap();
    assert_eq!(note.fixed[0].value, Value::Text(Some("outer")));
    assert_eq!(note.fixed[1].value, Value::Bits(200));
    let Value::Array(Some(more)) = &note.fixed[2].value else {
        panic!("an array is expected")
    };
    assert_eq!(more.len(), 6);
    let names: Vec<_> = note.named.iter().map(|n| n.name).collect();
    assert_eq!(names, ["Number", "Kind"]);
    assert!(note.named[0].is_field && !note.named[1].is_field);
    let largest = m.methods_of(program).map(|r| m.method_def(r).unwrap());
    let largest = largest.filter(|d| d.name == "Largest").last().unwrap();
    let largest = sig::parse_method(largest.signature).unwrap();
    assert_eq!((largest.generic_count, largest.params.len()), (1, 2));
}

/// Turns the table stream into an uncompressed one without indirections that claims no sorted tables.
fn unsorted(mut bytes: Vec<u8>) -> Vec<u8> {
    let find = |what: &[u8]| bytes.windows(what.len()).position(|w| w == what).unwrap();
    let (root, name) = (find(b"BSJB"), find(b"#~\0\0"));
    let offset = u32::from_le_bytes(bytes[name - 8..name - 4].try_into().unwrap());
    let sorted = root + offset as usize + 16;
    bytes[name + 1] = b'-';
    bytes[sorted..sorted + 8].fill(0);
    bytes
}

#[test]
fn unsorted_tables_give_the_same_answers() {
    let (a, b) = (open(sample()).unwrap(), open(unsorted(sample())).unwrap());
    assert_eq!(walk(&b).errors, [""; 0]);
    for row in a.rows::<TypeDefRow>() {
        let summary = |m: &Module| {
            let owned: Vec<_> = m.custom_attributes_of(row.token()).collect();
            let fields: Vec<_> = m.fields_of(row).map(|f| m.constant_of(f.token())).collect();
            let counts = (m.interfaces_of(row).len(), m.methods_of(row).len());
            (
                owned,
                fields,
                counts,
                m.class_layout_of(row),
                m.enclosing_type(row),
            )
        };
        assert_eq!(summary(&a), summary(&b));
    }
}

#[test]
fn truncated_files_give_errors() {
    let whole = sample();
    // Every place in the headers, many in the metadata.
    for cut in (0..1024).chain((1024..whole.len()).step_by(5)) {
        if let Ok(m) = open(whole[..cut].to_vec()) {
            walk(&m);
        }
    }
}

/// Flips bytes at places that a fixed pseudo-random sequence chooses.
fn damage(bytes: &mut [u8], seed: &mut u64, count: usize) {
    for _ in 0..count {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = (*seed >> 33) as usize % bytes.len();
        bytes[at] ^= (*seed >> 20) as u8 | 1;
    }
}

#[test]
fn damaged_files_give_errors() {
    let whole = sample();
    let mut seed = 1;
    for round in 0..800 {
        let mut bytes = whole.clone();
        damage(&mut bytes, &mut seed, 1 + round % 16);
        if let Ok(m) = open(bytes) {
            walk(&m);
        }
    }
}
