//! Text of runtime constants: one table for printing and parsing.

use super::lex::{Cursor, Result};
use super::print::Printer;
use crate::abi::fixup::{Fixup, OpenFixup};
use crate::abi::helper::HelperId;
use crate::types::{FieldId, MethodId, ModuleId, TypeId};
use std::fmt::{self, Write};

/// An operand of a fixup.
trait Part: Sized {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result;
    fn parse(c: &mut Cursor<'_>) -> Result<Self>;
}

macro_rules! fixups {
    ($($variant:ident = $text:literal ($($part:ident),*);)*) => {
        pub(super) fn print(fixup: &Fixup, p: &mut Printer<'_, '_>) -> fmt::Result {
            match fixup {
                $(Fixup::$variant($($part),*) => {
                    p.write_str($text)?;
                    $(p.write_char(' ')?; $part.print(p)?;)*
                    Ok(())
                })*
            }
        }

        pub(super) fn parse(c: &mut Cursor<'_>) -> Result<Fixup> {
            match c.word()? {
                $($text => {
                    $(let $part = Part::parse(c)?;)*
                    Ok(Fixup::$variant($($part),*))
                })*
                other => Err(c.error(format!("no such runtime constant: {other}"))),
            }
        }
    };
}

fixups! {
    MethodTable = "method_table"(ty);
    TypeObject = "type_object"(ty);
    MethodHandle = "method_handle"(method);
    FieldHandle = "field_handle"(field);
    MethodEntry = "method_entry"(method);
    MethodCode = "method_code"(method);
    StaticsBase = "statics_base"(ty);
    ThreadStaticsIndex = "thread_statics_index"(ty);
    StringLiteral = "string_literal"(module, token);
    FieldData = "field_data"(field);
    Helper = "helper"(helper);
    NativeCode = "native_code"(method);
    GenericLookup = "generic_lookup"(method, open);
}

impl Part for TypeId {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.type_id(*self)
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        c.id("type").map(TypeId)
    }
}

impl Part for MethodId {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.method_id(*self)
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        c.id("method").map(MethodId)
    }
}

impl Part for FieldId {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.id("field", self.0, p.names().field_name(*self))
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        c.id("field").map(FieldId)
    }
}

impl Part for ModuleId {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.id("module", self.0, p.names().module_name(*self))
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        c.id("module").map(ModuleId)
    }
}

impl Part for u32 {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p, "{self}")
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        c.number()
    }
}

impl Part for HelperId {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.write_str(self.info().name)
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        c.helper()
    }
}

impl Part for OpenFixup {
    fn print(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        print(&Fixup::from(*self), p)
    }
    fn parse(c: &mut Cursor<'_>) -> Result<Self> {
        let fixup = parse(c)?;
        OpenFixup::try_from(fixup).map_err(|()| c.error("this runtime constant cannot be open"))
    }
}
