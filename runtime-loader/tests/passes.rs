//! Every optional pass switched off alone, and on alone, under the suites and programs with expected output: a pass that needs
//! another one to be right, or hides its faults, is found here. Every test has a share of it; `scripts/passes` runs all under
//! every set.

#[path = "support/regression.rs"]
mod regression;
mod support;

use regression::{aotrun, failures, suites};
use shared_codegen::passes::table::PassId;
use std::path::Path;
use support::Suite;

const EXAMPLES: Suite = Suite {
    folder: "../examples",
    mcs: &["-nowarn:184,253"],
};
const CLASS_LIBRARY: Suite = Suite {
    folder: "tests/programs/class_library",
    mcs: &[],
};

/// Programs and their exit status.
const PROGRAMS: &[(&Suite, &str, i32)] = &[
    (&EXAMPLES, "checks", 0),
    (&EXAMPLES, "collections", 0),
    (&EXAMPLES, "delegates", 0),
    (&EXAMPLES, "exceptions", 3),
    (&EXAMPLES, "generics", 0),
    (&EXAMPLES, "graphs", 0),
    (&EXAMPLES, "interfaces", 0),
    (&EXAMPLES, "kernels", 0),
    (&EXAMPLES, "pinvoke", 0),
    (&EXAMPLES, "shapes", 0),
    (&EXAMPLES, "structs", 0),
    (&EXAMPLES, "text", 0),
    (&EXAMPLES, "tour", 0),
    (&CLASS_LIBRARY, "aborts", 0),
    (&CLASS_LIBRARY, "encodings", 0),
    (&CLASS_LIBRARY, "files", 0),
    (&CLASS_LIBRARY, "marshal", 0),
    (&CLASS_LIBRARY, "messages", 0),
    (&CLASS_LIBRARY, "time_zones", 0),
    (&CLASS_LIBRARY, "traces", 0),
    (&CLASS_LIBRARY, "versions", 0),
    (&CLASS_LIBRARY, "volatile", 0),
];

/// All passes but one, and one alone, for each optional pass.
fn sets() -> Vec<String> {
    let optional = PassId::ALL.iter().map(|p| p.info()).filter(|p| !p.required);
    let names = optional.map(|p| p.name);
    names
        .flat_map(|name| [format!("all,-{name}"), format!("none,{name}")])
        .collect()
}

fn check_suite(suite: &Path, set: &str) {
    let options = [
        "--regression=once",
        "--no-aot",
        "--verify",
        "--jit",
        "opt",
        "-O",
        set,
    ];
    let done = aotrun(&options, suite);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && said.contains("\tok\t"),
        "{} -O {set}: {:?} {}",
        suite.display(),
        done.status,
        failures(&done)
    );
}

fn check_program(n: usize, set: &str) {
    let (suite, name, status) = PROGRAMS[n];
    suite.check(name, &["--no-aot", "--jit", "opt", "-O", set], status);
}

/// Each set has one suite and one program, each suite and program several sets.
#[test]
fn a_share_for_each_set() {
    for (n, set) in sets().iter().enumerate() {
        let suites = suites();
        check_suite(&suites[n % suites.len()], set);
        check_program(n % PROGRAMS.len(), set);
    }
}

#[test]
#[ignore = "takes minutes: scripts/passes"]
fn everything_for_each_set() {
    for set in sets() {
        println!("-O {set}");
        suites().iter().for_each(|s| check_suite(s, &set));
        (0..PROGRAMS.len()).for_each(|n| check_program(n, &set));
    }
}
