//! `cilutil`.
fn main() {}
