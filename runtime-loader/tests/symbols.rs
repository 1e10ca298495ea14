//! Source lines in stack traces: `programs/symbols`, compiled with symbol files.

#[macro_use]
mod support;

const SUITE: support::Suite = support::Suite {
    folder: "tests/programs/symbols",
    mcs: &["-debug"],
};

program_tests! { SUITE, gc "31":
    lines 0;
}
