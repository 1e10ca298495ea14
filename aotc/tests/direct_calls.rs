//! Calls inside an image that need no cell.

mod support;

use shared_codegen::abi::fixup::Fixup;
use shared_codegen::image::{Image, fixups};
use shared_codegen::types::TypeContext;
use shared_codegen::types::binding::{SearchPath, StandardBinder};
use support::{Lab, errors};

const SOURCE: &str = r#"
using System;
using System.Runtime.CompilerServices;
static class P {
    const MethodImplOptions Alone = MethodImplOptions.NoInlining;
    [MethodImpl(Alone)] static int Leaf(int a, int b) { return a / b; }
    // All it needs is the cell of the leaf, which it does not need.
    [MethodImpl(Alone)] static int Middle(int a) { return Leaf(a, 3) + Leaf(3, a); }
    // Both call each other: which cells are needed first cannot be said, so they are bound.
    [MethodImpl(Alone)] static int Even(int n) { return n == 0 ? 1 : Odd(n - 1); }
    [MethodImpl(Alone)] static int Odd(int n) { return n == 0 ? 0 : Even(n - 1); }
    // Needs constants that its caller does not need.
    [MethodImpl(Alone)] static string Texts(int n) { return n == 1 ? "one" : n == 2 ? "two" : "many"; }
    [MethodImpl(Alone)] static int Caller(int n) { return Texts(n).Length; }
    static int Main() { return Middle(4) + Even(6) + Caller(2); }
}
"#;

/// Full names of the methods that have a call cell.
fn called_through_cells(lab: &Lab, image: &str) -> Vec<String> {
    let bytes = std::fs::read(lab.path(image)).unwrap();
    let image = Image::parse(&bytes).unwrap();
    let path = SearchPath::system(Some(lab.folder().to_owned()));
    let ctx = TypeContext::new(Box::new(StandardBinder::reading(path))).unwrap();
    let module = ctx.load_assembly(&lab.path("p.exe")).unwrap();
    let cells = (0..image.cell_count()).map(|n| image.cell_fixup(n).unwrap());
    cells
        .filter_map(|bytes| match fixups::decode(&ctx, module, bytes).unwrap() {
            Fixup::MethodEntry(m) => Some(ctx.method_full_name(m)),
            _ => None,
        })
        .collect()
}

#[test]
fn callees_that_need_nothing_more_are_called_directly() {
    let lab = Lab::new();
    lab.mcs("p.exe", SOURCE, &[]);
    for form in [&[][..], &["--asm-data"]] {
        let out = lab.aotc(&[form, &["--all", "p.exe"]].concat());
        assert_eq!((out.status.code(), errors(&out).as_str()), (Some(0), ""));
        let through_cells = called_through_cells(&lab, "p.exe.so");
        let has = |name: &str| through_cells.iter().any(|n| n.starts_with(name));
        assert!(!has("P::Leaf("), "{through_cells:?}");
        assert!(!has("P::Middle("), "{through_cells:?}");
        assert!(has("P::Texts("), "{through_cells:?}");
    }
}
