//! Finding the implementation of an internal call by name.

use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// One row of an `icalls!` table.
#[derive(Clone, Copy, Debug)]
pub struct Icall {
    /// Full name of the declaring type, `/` between nested names.
    pub class: &'static str,
    /// Method name, perhaps with its parameter list.
    pub method: &'static str,
    /// Number of machine-level parameters, `this` included.
    pub arity: usize,
    /// Address of the `extern "C"` function.
    pub code: *const (),
}

// SAFETY: `code` is the address of a function, which is immutable.
unsafe impl Sync for Icall {}
// SAFETY: as above.
unsafe impl Send for Icall {}

/// The tables of all families.
const FAMILIES: &[&[Icall]] = &[
    super::app_domain::ICALLS,
    super::arg_iterator::ICALLS,
    super::array::ICALLS,
    super::async_delegate::ICALLS,
    super::assembly::ICALLS,
    super::console::ICALLS,
    super::delegate::ICALLS,
    super::clock::ICALLS,
    super::culture::ICALLS,
    super::emit::assembly::ICALLS,
    super::emit::attributes::ICALLS,
    super::emit::dynamic_method::ICALLS,
    super::emit::signature::ICALLS,
    super::emit::tokens::ICALLS,
    super::emit::type_builder::ICALLS,
    super::environment::ICALLS,
    super::gc::ICALLS,
    super::marshal::ICALLS,
    super::marshal_com::ICALLS,
    super::marshal_structure::ICALLS,
    super::math::ICALLS,
    super::memory_map::ICALLS,
    super::process::ICALLS,
    super::mono_io::ICALLS,
    super::assembly_name::ICALLS,
    super::module::ICALLS,
    super::reflection::attribute_data::ICALLS,
    super::reflection::custom_attributes::ICALLS,
    super::reflection::field::ICALLS,
    super::reflection::interfaces::ICALLS,
    super::reflection::invoke::ICALLS,
    super::reflection::marshal_info::ICALLS,
    super::reflection::members::ICALLS,
    super::reflection::method::ICALLS,
    super::reflection::method_body::ICALLS,
    super::reflection::native::ICALLS,
    super::reflection::parameter::ICALLS,
    super::reflection::property::ICALLS,
    super::type_lookup::ICALLS,
    super::typed_reference::ICALLS,
    super::file_version::ICALLS,
    super::process_modules::ICALLS,
    super::monitor::ICALLS,
    super::interlocked::ICALLS,
    super::normalization::ICALLS,
    super::object::ICALLS,
    super::runtime_type::ICALLS,
    super::stack_trace::ICALLS,
    super::string::ICALLS,
    super::services::ICALLS,
    super::terminal::ICALLS,
    super::thread::ICALLS,
    super::value_type::ICALLS,
    super::thread_pool::ICALLS,
    super::wait_handles::ICALLS,
];

type Index = FxHashMap<(&'static str, &'static str), &'static Icall>;

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| implemented().map(|i| ((i.class, i.method), i)).collect())
}

/// All internal calls that are implemented.
pub fn implemented() -> impl Iterator<Item = &'static Icall> {
    FAMILIES.iter().flat_map(|f| f.iter())
}

/// Finds an internal call: first `method(signature)`, then `method` alone.
pub fn find(
    class: &str,
    method: &str,
    signature: impl FnOnce() -> String,
) -> Option<&'static Icall> {
    let index = index();
    let plain = index.get(&(class, method)).copied();
    plain.or_else(|| {
        index
            .get(&(class, format!("{method}({})", signature()).as_str()))
            .copied()
    })
}
