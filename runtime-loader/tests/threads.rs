//! Programs about threads, synchronization and memory, with expected output, and short runs of the stress programs
//! (`scripts/stress` runs those for long).

#[macro_use]
mod support;

const THREADS: support::Suite = support::Suite {
    folder: "tests/programs/threads",
    mcs: &[],
};

const STRESS: support::Suite = support::Suite {
    folder: "tests/programs/stress",
    mcs: &[],
};

mod programs {
    use super::THREADS;
    program_tests! { THREADS, gc "499":
        abort 0;
        sync 0;
        memory 0;
    }
}

mod stress {
    use super::STRESS;
    program_tests! { STRESS, gc "499":
        null_refs 0;
        class_init 0;
        mixed 0;
    }
}
