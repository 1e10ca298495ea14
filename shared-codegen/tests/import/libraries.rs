//! Everything in the class libraries and in the C# compiler is imported with the verifier on.

use super::{LIBRARIES, context, methods, module};
use shared_codegen::import::{Error, import_method};
use shared_codegen::ir::verify::{VerifyOptions, verify};
use shared_codegen::types::{MethodId, TypeContext};
use std::collections::BTreeMap;
use std::path::Path;

/// What went wrong with a method, if something; and which instructions became exceptions.
fn outcome(ctx: &TypeContext, m: MethodId) -> Result<Vec<String>, String> {
    let imported = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        import_method(ctx, m, &Default::default())
    }));
    let f = match imported {
        Ok(Ok(f)) => f,
        Ok(Err(e @ (Error::Unsupported(_) | Error::Type(_)))) => return Err(format!("whole: {e}")),
        Ok(Err(e)) => return Err(format!("DEFECT {e}")),
        Err(_) => return Err("DEFECT panic".to_owned()),
    };
    if let Err(e) = verify(&f, VerifyOptions::CLI) {
        let text = e.to_string();
        let short: String = text.chars().take(300).collect();
        return Err(format!("DEFECT {short}"));
    }
    Ok(f.failures
        .iter()
        .map(|x| format!("part: {}", x.message))
        .collect())
}

/// Counts by reason, with an example; panics on defects.
fn import_all(file: &str) {
    let path = Path::new(LIBRARIES).join(file);
    if !path.exists() {
        return;
    }
    let ctx = context(None);
    let module = module(&ctx, &path);
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut imported = 0;
    for m in methods(&ctx, module) {
        if ctx.method_is_abstract(m) {
            continue;
        }
        let found = match outcome(&ctx, m) {
            Ok(parts) => {
                imported += 1;
                parts
            }
            Err(reason) => vec![reason],
        };
        for reason in found {
            let example = || (0, ctx.method_full_name(m));
            reasons.entry(reason).or_insert_with(example).0 += 1;
        }
    }
    println!("{file}: {imported} methods");
    for (reason, (n, example)) in &reasons {
        println!("{n:6} {reason}   e.g. {example}");
    }
    let defects = reasons.keys().filter(|r| r.starts_with("DEFECT")).count();
    assert_eq!(defects, 0, "{file}: defects of the importer");
    assert!(imported > 1000);
}

macro_rules! libraries {
    ($($test:ident $file:literal;)*) => {
        $(#[test]
        fn $test() {
            import_all($file);
        })*
    };
}

libraries! {
    mscorlib "mscorlib.dll";
    system "System.dll";
    system_core "System.Core.dll";
    system_xml "System.Xml.dll";
    mcs "mcs.exe";
}

/// P/Invokes of libraries that use the most of marshalling. All are imported; those that cannot be marshalled are known (a COM interface).
#[test]
fn pinvokes() {
    const REFUSED: [(&str, usize); 3] = [
        ("Mono.Posix.dll", 0),
        ("System.dll", 0),
        ("System.Data.dll", 1),
    ];
    for (file, refused) in REFUSED {
        let path = Path::new(LIBRARIES).join(file);
        let ctx = context(None);
        let module = module(&ctx, &path);
        let (mut seen, mut failures) = (0, Vec::new());
        for m in methods(&ctx, module)
            .into_iter()
            .filter(|m| ctx.method_is_pinvoke(*m))
        {
            seen += 1;
            match outcome(&ctx, m) {
                Ok(parts) => {
                    failures.extend(parts.into_iter().map(|p| (ctx.method_full_name(m), p)))
                }
                Err(e) => failures.push((ctx.method_full_name(m), e)),
            }
        }
        assert!(seen > 20, "{file}: {seen}");
        assert_eq!(failures.len(), refused, "{file}: {failures:#?}");
    }
}
