//! Programs that use the class libraries as people do, with expected output: `programs/class_library`.

#[macro_use]
mod support;

const SUITE: support::Suite = support::Suite {
    folder: "tests/programs/class_library",
    mcs: &[],
};

program_tests! { SUITE, gc "31":
    messages 0;
    files 0;
    marshal 0;
    versions 0;
    volatile 0;
    traces 0;
    aborts 0;
    encodings 0;
    time_zones 0;
}
