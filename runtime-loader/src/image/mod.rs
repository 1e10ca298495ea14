//! Precompiled images: finding, verifying, mapping and binding them.

pub mod files;
pub mod map;
pub mod probe;
