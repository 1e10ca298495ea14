//! CLI metadata (ECMA-335 II.22–24), read lazily and without copying.

pub mod attribute;
mod blob;
mod column;
mod display;
mod error;
mod grow;
mod heaps;
pub mod marshal;
mod module;
mod names;
mod query;
mod schema;
pub mod sig;
pub mod sig_write;
mod tables;
mod token;

pub use display::IlNames;
pub use error::{Error, Result};
pub use grow::{GrownRow, Growth};
pub use heaps::compressed;
pub use module::{Module, RowRange};
pub use schema::TableId;
pub use tables::*;
pub use token::Token;
