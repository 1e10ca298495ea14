//! Runs the tests of the entry assembly in this process. Prints `name<TAB>ok<TAB>microseconds` or
//! `name<TAB>what happened<TAB>microseconds` for each test, in the order of the metadata; [`super::table`] reads that.

use super::Expected;
use crate::icall::{Result, Thrown};
use crate::object::Obj;
use crate::runtime::{Runtime, exit, invoke};
use shared_codegen::metadata::{MethodDefRow, TypeDefRow};
use shared_codegen::types::{Known, MethodId, ModuleId, TypeId};
use std::io::Write;
use std::time::Instant;

/// The word for a test that did what its name says.
pub const PASSED: &str = "ok";

/// The last line: no test has ended the process.
pub const FINISHED: &str = "all tests have run";

/// A test of an assembly.
struct Test {
    name: &'static str,
    owner: TypeId,
    method: MethodId,
    expected: Expected,
}

/// Runs the tests behind the first `skip` and gives the number of failures. An assembly without tests counts as one.
pub fn run(rt: &'static Runtime, skip: usize) -> usize {
    let Some(objects) = rt.objects.get() else {
        return 1;
    };
    let tests = tests_of(rt, objects.entry);
    if tests.is_empty() {
        eprintln!("aotrun: the assembly has no method test_<expected>_<name>");
        return 1;
    }
    let mut failures = 0;
    for test in tests.into_iter().skip(skip) {
        let start = Instant::now();
        let outcome = outcome(rt, &test);
        let time = start.elapsed().as_micros();
        failures += usize::from(outcome != PASSED);
        // A reader that has gone away changes nothing about the result.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}\t{outcome}\t{time}", test.name);
        let _ = out.flush();
    }
    println!("{FINISHED}");
    failures
}

fn tests_of(rt: &Runtime, module: ModuleId) -> Vec<Test> {
    let metadata = rt.types.module(module);
    let mut tests = Vec::new();
    for class in metadata.rows::<TypeDefRow>() {
        let owner = rt.types.type_def(module, class);
        for row in metadata.methods_of(class) {
            tests.extend(test_of(rt, module, owner, row));
        }
    }
    tests
}

fn test_of(rt: &Runtime, module: ModuleId, owner: TypeId, row: MethodDefRow) -> Option<Test> {
    let name = rt.types.module(module).method_def(row).ok()?.name;
    Some(Test {
        name,
        owner,
        method: rt.types.method_of(owner, row),
        expected: Expected::of_name(name)?,
    })
}

fn outcome(rt: &'static Runtime, test: &Test) -> String {
    let got = match call(rt, test) {
        Ok(value) => Expected::Value(value),
        Err(Misfit::Form) => {
            return "must be static, without parameters, not generic, and return int32".into();
        }
        Err(Misfit::Raised(thrown)) => {
            let exception = thrown.into_object();
            let class = Expected::Exception(class_of(rt, exception));
            if class != test.expected {
                return one_line(&exit::describe(exception));
            }
            class
        }
    };
    match got == test.expected {
        true => PASSED.into(),
        false => got.to_string(),
    }
}

/// Why a test gave no number.
enum Misfit {
    /// It is not declared as a test should be.
    Form,
    /// It ended with an exception.
    Raised(Thrown),
}

impl<E: Into<Thrown>> From<E> for Misfit {
    fn from(e: E) -> Misfit {
        Misfit::Raised(e.into())
    }
}

fn call(rt: &'static Runtime, test: &Test) -> core::result::Result<i32, Misfit> {
    let signature = rt.types.method_signature(test.method)?;
    let plain = !signature.has_this
        && signature.params.is_empty()
        && signature.generic_count == 0
        && signature.ret == rt.types.known(Known::Int32)
        && rt.types.generic_count(test.owner) == 0;
    if !plain {
        return Err(Misfit::Form);
    }
    Ok(run_method(rt, test)?)
}

fn run_method(rt: &'static Runtime, test: &Test) -> Result<i32> {
    if rt.types.has_cctor(test.owner) {
        rt.class_init.ensure(rt.method_table(test.owner)?)?;
    }
    let returned = invoke::call(rt.methods.desc(test.method), &[])?;
    Ok(returned.word as i32)
}

fn class_of(rt: &Runtime, exception: Obj) -> String {
    let class = exception.non_null().map(|e| e.method_table().type_id());
    class.map_or_else(String::new, |c| rt.types.type_name(c).1.to_owned())
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}
