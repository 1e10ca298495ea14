//! Compiled code really run: IR functions are compiled as for an image, assembled and linked with a
//! small frame that stands in for the runtime, and called with given arguments.
//!
//! File tests are the `*.ir` files here. A comment `; run "name"(args) = result` calls a function of the
//! file; the result is a number, `trap KIND`, `throws` (a helper that
//! raises was called), or nothing for functions without result. An argument `buf` is the
//! address of 256 bytes holding 0, 1, 2, ... .

mod harness;
mod ops;
mod random;

use harness::{Case, run_everywhere};
use shared_codegen::ir::text::parse_functions;

fn run_file(name: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/native")
        .join(name);
    let text = std::fs::read_to_string(path).expect("test file");
    let functions = parse_functions(&text).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let cases: Vec<Case> = text
        .lines()
        .filter_map(|l| l.trim().strip_prefix("; run "))
        .map(|l| Case::parse(l, &functions).unwrap_or_else(|| panic!("{name}: cannot read `{l}`")))
        .collect();
    assert!(!cases.is_empty(), "{name} runs nothing");
    run_everywhere(name, &functions, &cases);
}

macro_rules! files {
    ($($test:ident = $file:literal;)*) => { $(
        #[test]
        fn $test() {
            run_file($file);
        }
    )* };
}

files! {
    control = "control.ir";
    checks = "checks.ir";
}
