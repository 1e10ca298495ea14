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
        deep 0;
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

const EXITS: support::Suite = support::Suite {
    folder: "tests/programs/exits",
    mcs: &[],
};

/// Ways for a process to end: argument of the program, exit status, what it prints.
const WAYS: &[(&str, i32, &[&str])] = &[
    ("thread", 1, &["UnhandledException in a thread True True"]),
    ("pool", 255, &["UnhandledException in the pool True True"]),
    ("timer", 255, &["UnhandledException in a timer True True"]),
    (
        "finalizer",
        255,
        &["UnhandledException in a finalizer True True"],
    ),
    ("main", 1, &["UnhandledException in Main True True"]),
    ("finally", 5, &["ProcessExit 5 False", "finalizer of kept"]),
    ("exit_finalizer", 23, &["leaving", "ProcessExit 23 False"]),
    (
        "exit_many",
        7,
        &["ProcessExit 7 False", "finalizer of kept"],
    ),
    (
        "exit_thread",
        9,
        &["ProcessExit 9 False", "finalizer of kept"],
    ),
    ("exit_again", 4, &["first"]),
    ("exit_throws", 6, &[]),
    ("handler_throws", 1, &["handler"]),
    ("handler_exits", 11, &["handler", "ProcessExit"]),
    (
        "foreground",
        40,
        &[
            "Main returns",
            "foreground done",
            "ProcessExit 40 False",
            "finalizer of kept",
        ],
    ),
    (
        "background",
        13,
        &[
            "ProcessExit 13 False",
            "finally in background",
            "finalizer of kept",
        ],
    ),
    ("becomes_background", 14, &["now"]),
    ("exit_code", 16, &["17"]),
    (
        "finalizers",
        0,
        &[
            "ProcessExit 0 False",
            "finalizer of garbage",
            "finalizer of garbage",
            "finalizer of garbage",
        ],
    ),
    ("starts_at_exit", 0, &["late thread", "5"]),
    ("task", 0, &["unobserved in a task"]),
    ("abort_main", 0, &[]),
    (
        "abort_thread",
        18,
        &["ProcessExit 18 False", "finalizer of kept"],
    ),
    (
        "second_unhandled",
        1,
        &["UnhandledException several True True"],
    ),
    (
        "async_void",
        255,
        &["UnhandledException async void True True"],
    ),
];

fn check_exits(options: &[&str]) {
    for (way, status, lines) in WAYS {
        let out = EXITS.run_with("exits", options, &[way]);
        let text = String::from_utf8_lossy(&out.stdout);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(text.lines().collect::<Vec<_>>(), *lines, "{way}: {said}");
        assert_eq!(out.status.code(), Some(*status), "{way}: {said}");
    }
}

#[test]
fn ways_to_exit() {
    check_exits(&[]);
}

#[test]
fn ways_to_exit_collecting() {
    check_exits(&["--gc-stress", "499"]);
}

mod stress {
    use super::STRESS;
    program_tests! { STRESS, gc "499":
        null_refs 0;
        class_init 0;
        mixed 0;
    }
}
