//! `aotc`: ahead-of-time compiler for CLI assemblies.
#![forbid(unsafe_code)]

fn main() {}
