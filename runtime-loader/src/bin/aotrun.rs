//! `aotrun`.
fn main() {}
