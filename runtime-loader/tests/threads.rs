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

const MEMORY: support::Suite = support::Suite {
    folder: "tests/programs/memory",
    mcs: &[],
};

const LIMITED_HEAP: support::Suite = support::Suite {
    folder: "tests/programs/limited_heap",
    mcs: &[],
};

mod memory {
    use super::MEMORY;
    program_tests! { MEMORY, gc "499":
        peak 0;
    }
}

#[test]
fn memory_runs_out() {
    LIMITED_HEAP.check("out_of_memory", &["--heap-max", "64"], 0);
    LIMITED_HEAP.check("out_of_memory", &["--heap-max", "64", "--jit", "opt"], 0);
}

mod stress {
    use super::STRESS;
    program_tests! { STRESS, gc "499":
        null_refs 0;
        class_init 0;
        mixed 0;
    }
}
