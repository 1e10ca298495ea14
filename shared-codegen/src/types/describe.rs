//! Everything known about a type as text, for people.

use super::{Result, StaticStorage, TypeContext, TypeId};
use core::fmt::Write;

impl TypeContext {
    /// Hierarchy, layout, statics, virtual methods and interface map of a type. Parts that cannot be computed show their error.
    pub fn describe_type(&self, t: TypeId) -> String {
        let mut out = format!("{} in {}\n", self.full_name(t), self.assembly_name_of(t));
        let parts: [(&str, PartWriter); 5] = [
            ("hierarchy", Self::describe_hierarchy),
            ("layout", Self::describe_layout),
            ("statics", Self::describe_statics),
            ("vtable", Self::describe_vtable),
            ("interfaces", Self::describe_interfaces),
        ];
        for (name, write) in parts {
            let mut part = String::new();
            if let Err(e) = write(self, t, &mut part) {
                let _ = writeln!(part, "  error: {e}");
            }
            if !part.is_empty() {
                let _ = write!(out, "{name}:\n{part}");
            }
        }
        out
    }

    fn describe_hierarchy(&self, t: TypeId, out: &mut String) -> Result<()> {
        let mut at = self.parent(t)?;
        while let Some(base) = at {
            let _ = writeln!(out, "  {}", self.full_name(base));
            at = self.parent(base)?;
        }
        Ok(())
    }

    fn describe_layout(&self, t: TypeId, out: &mut String) -> Result<()> {
        if self.is_interface(t) {
            return Ok(());
        }
        let layout = self.layout(t)?;
        let (size, align, refs) = (layout.size, layout.align, &layout.refs);
        let _ = writeln!(out, "  size {size} align {align} references at {refs:?}");
        let mut chain = vec![t];
        while let Some(base) = self.parent(chain[chain.len() - 1])? {
            chain.push(base);
        }
        for class in chain.into_iter().rev() {
            let mut fields = self.layout(class)?.fields.to_vec();
            fields.sort_by_key(|f| f.1);
            for (row, offset) in fields {
                let f = self.field_of(class, row);
                let ty = self.full_name(self.field_type(f)?);
                let _ = writeln!(out, "  {offset:>5} {ty} {}", self.field_name(f));
            }
        }
        Ok(())
    }

    fn describe_statics(&self, t: TypeId, out: &mut String) -> Result<()> {
        let statics = self.statics(t)?;
        for &(row, storage) in &statics.fields {
            let f = self.field_of(self.open_form(t), row);
            let place = match storage {
                StaticStorage::Normal(o) => format!("{o:>5}"),
                StaticStorage::Thread(o) => format!("thread {o:>5}"),
                StaticStorage::Rva(rva) => format!("rva {rva:#x}"),
                StaticStorage::Literal => continue,
            };
            let ty = self.full_name(self.field_type(f)?);
            let _ = writeln!(out, "  {place} {ty} {}", self.field_name(f));
        }
        Ok(())
    }

    fn describe_vtable(&self, t: TypeId, out: &mut String) -> Result<()> {
        for slot in 0..self.vtable_len(t)? {
            let m = self.vtable_method(t, slot)?;
            let _ = writeln!(out, "  {slot:>4} {}", self.method_full_name(m));
        }
        Ok(())
    }

    fn describe_interfaces(&self, t: TypeId, out: &mut String) -> Result<()> {
        for &interface in self.interfaces(t)? {
            let _ = writeln!(out, "  {}", self.full_name(interface));
            if self.is_interface(t) {
                continue;
            }
            for m in self.interface_methods(interface)? {
                let target = match self.resolve_interface(t, m) {
                    Ok(target) => self.method_full_name(target),
                    Err(e) => format!("error: {e}"),
                };
                let (name, imt) = (self.method_name(m), self.imt_slot(m));
                let _ = writeln!(out, "    [{imt:>2}] {name} -> {target}");
            }
        }
        Ok(())
    }
}

type PartWriter = fn(&TypeContext, TypeId, &mut String) -> Result<()>;
