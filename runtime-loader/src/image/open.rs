//! Opening an image file: every check stands before the first byte is executed.
//!
//! 1. Nobody else may write to the file or the folders on the way to it.
//! 2. Format, ABI hash and the bounds of every table (`Image::parse`), version of the compiler.
//! 3. The processor has the features the code uses.
//! 4. The hash of the whole file.
//! 5. The assembly, and every assembly that influenced the code, have exactly the bytes the image was made from.

use super::files::{FileIdentity, open_trusted};
use super::{Images, LoadedImage, map};
use crate::arch::native::cpu;
use crate::jit::CodeMap;
use crate::runtime::Runtime;
use shared_codegen::image::dependencies::Dependency;
use shared_codegen::image::reader::file_hash;
use shared_codegen::image::{COMPILER, Image};
use shared_codegen::isa::x64::Features;
use shared_codegen::types::ModuleId;
use shared_codegen::types::binding::AssemblyName;
use std::path::Path;

impl Images {
    /// Verifies, maps and registers the image of a module. The reason for a refusal is for people.
    pub(super) fn open(
        &self,
        rt: &Runtime,
        module: ModuleId,
        path: &Path,
    ) -> Result<&'static LoadedImage, String> {
        let (file, metadata) = open_trusted(path)?;
        let bytes = crate::sys::file::map_open_file(&file).map_err(|e| e.to_string())?;
        let image = Image::parse(bytes).map_err(|e| e.to_string())?;
        check_maker(&image)?;
        check_processor(&image)?;
        self.check_hash(&image, bytes, FileIdentity::of(&metadata))?;
        self.check_dependencies(rt, module, &image)?;
        let mapped = map::map(&file, &image)?;
        let loaded = LoadedImage::new(path.to_path_buf(), module, image, &mapped)
            .ok_or("code or cells lie outside the segments")?;
        let loaded: &'static LoadedImage = Box::leak(Box::new(loaded));
        CodeMap::global().register_image(loaded.code().start, loaded.code().end, loaded);
        Ok(loaded)
    }

    fn check_hash(
        &self,
        image: &Image<'_>,
        bytes: &[u8],
        identity: FileIdentity,
    ) -> Result<(), String> {
        let compute = || {
            image
                .hash_offset()
                .and_then(|at| file_hash(bytes, at))
                .unwrap_or_default()
        };
        let found = self
            .hashes
            .hash_by(Some(identity), bytes.len() as u64, compute);
        if found == image.header().file_hash {
            Ok(())
        } else {
            Err("damaged: the content hash does not match".into())
        }
    }

    fn check_dependencies(
        &self,
        rt: &Runtime,
        module: ModuleId,
        image: &Image<'_>,
    ) -> Result<(), String> {
        let all = image.dependencies().map_err(|e| e.to_string())?;
        let Some((own, others)) = all.split_first() else {
            return Err("it does not say which assembly it is of".into());
        };
        self.check_assembly(rt, module, own)?;
        for other in others {
            let name = AssemblyName::parse(other.name);
            let found = rt
                .types
                .load_by_name(Some(module), &name)
                .map_err(|e| format!("made with {}, which cannot be had: {e}", other.name))?;
            self.check_assembly(rt, found, other)?;
        }
        Ok(())
    }

    fn check_assembly(
        &self,
        rt: &Runtime,
        module: ModuleId,
        wanted: &Dependency<'_>,
    ) -> Result<(), String> {
        let metadata = rt.types.module(module);
        let bytes = metadata.pe().bytes();
        let same = wanted.size == bytes.len() as u32
            && self.hashes.hash(self.assemblies.identity(bytes), bytes) == wanted.hash;
        if same {
            return Ok(());
        }
        Err(format!(
            "made from another {} than {}",
            wanted.name,
            metadata.path().display()
        ))
    }
}

fn check_maker(image: &Image<'_>) -> Result<(), String> {
    let compiler = image.compiler().map_err(|e| e.to_string())?;
    if compiler == COMPILER {
        Ok(())
    } else {
        Err(format!("made by {compiler}, not {COMPILER}"))
    }
}

fn check_processor(image: &Image<'_>) -> Result<(), String> {
    let wanted = Features::from_bits_retain(image.header().features);
    let missing = wanted - cpu::features();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("made for a processor with {missing:?}"))
    }
}
