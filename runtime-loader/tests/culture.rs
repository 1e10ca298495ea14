//! Text and culture: `programs/culture` with expected output, normalization against `icu_normalizer`, satellite assemblies.

#[macro_use]
mod support;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const SUITE: support::Suite = support::Suite {
    folder: "tests/programs/culture",
    mcs: &[],
};

program_tests! { SUITE, gc "31":
    casing 0;
    cultures 0;
    normalization 0;
}

/// One line `text;NFC;NFD;NFKC;NFKD` of UTF-16 units.
fn line(text: &str, to: &mut String) {
    let forms = [
        text.to_owned(),
        ComposingNormalizerBorrowed::new_nfc()
            .normalize(text)
            .into_owned(),
        DecomposingNormalizerBorrowed::new_nfd()
            .normalize(text)
            .into_owned(),
        ComposingNormalizerBorrowed::new_nfkc()
            .normalize(text)
            .into_owned(),
        DecomposingNormalizerBorrowed::new_nfkd()
            .normalize(text)
            .into_owned(),
    ];
    let units = |form: &String| {
        form.encode_utf16()
            .map(|u| format!("{u:04x}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let _ = writeln!(to, "{}", forms.each_ref().map(units).join(";"));
}

/// Every character up to U+FFFF, alone and between marks, and random texts of those that take part in composition.
#[test]
fn normalization_of_all_characters() {
    let mut lines = String::new();
    let mut buffer = [0; 4];
    let nfkd = DecomposingNormalizerBorrowed::new_nfkd();
    let mut pool: Vec<char> = "\u{300}\u{301}\u{323}\u{327}\u{3099}\u{1161}\u{11a8}aqA\u{ac00}"
        .chars()
        .collect();
    for c in '\0'..='\u{ffff}' {
        line(c.encode_utf8(&mut buffer), &mut lines);
        if !nfkd.is_normalized(c.encode_utf8(&mut buffer))
            && !('\u{ac01}'..='\u{d7a3}').contains(&c)
        {
            line(&format!("x\u{301}{c}\u{323}\u{301}{c}"), &mut lines);
            pool.push(c);
        }
    }
    let mut state = 12345_u32;
    let mut next = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % n
    };
    for _ in 0..5000 {
        // Marks and jamo every other time: they stand at the front of the pool.
        let text: String = (0..6)
            .map(|i| {
                if i % 2 == 0 {
                    pool[next(pool.len())]
                } else {
                    pool[next(11)]
                }
            })
            .collect();
        line(&text, &mut lines);
    }
    let exe = SUITE.compiled("normalization");
    let file = exe.with_file_name("normalization.txt");
    std::fs::write(&file, lines).expect("a file of expected results");
    let out = Command::new(env!("CARGO_BIN_EXE_aotrun"))
        .arg(&exe)
        .arg(&file)
        .output()
        .expect("aotrun starts");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

/// Runs a tool of the class libraries' own in a folder.
fn tool(folder: &Path, program: &str, args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_aotrun"))
        .arg(format!("/usr/lib/mono/4.5/{program}"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("aotrun starts");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{program} {args:?}: {said}");
}

/// Satellite assemblies for `de` and `de-AT` beside a program, as build systems lay them out.
#[test]
fn satellites() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/satellites");
    let source = |name: &str| sources.join(name).display().to_string();
    let lab = tempfile::tempdir().expect("a folder");
    let folder = lab.path();
    let resource = |name: &str| {
        let made = format!("{name}.resources");
        tool(
            folder,
            "resgen.exe",
            &[&source(&format!("{name}.txt")), &made],
        );
        format!("-res:{made},{made}")
    };
    tool(
        folder,
        "mcs.exe",
        &["-out:app.exe", &resource("words"), &source("app.cs")],
    );
    for culture in ["de", "de-AT"] {
        std::fs::create_dir(folder.join(culture)).expect("a folder");
        let code = std::fs::read_to_string(source("satellite.cs")).expect("its code is there");
        let code = code.replace("CULTURE", &format!("\"{culture}\""));
        std::fs::write(folder.join("satellite.cs"), code).expect("it can be written");
        let out = format!("-out:{culture}/app.resources.dll");
        let words = resource(&format!("words.{culture}"));
        tool(
            folder,
            "mcs.exe",
            &["-target:library", &out, &words, "satellite.cs"],
        );
    }
    let out = Command::new(env!("CARGO_BIN_EXE_aotrun"))
        .arg("app.exe")
        .current_dir(folder)
        .output();
    let out = out.expect("aotrun starts");
    let expected =
        std::fs::read_to_string(source("app.out")).expect("the expected output is there");
    assert_eq!(
        String::from_utf8_lossy(&out.stdout),
        expected,
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}
