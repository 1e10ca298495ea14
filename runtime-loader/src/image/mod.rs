//! Precompiled images: finding, verifying, mapping and binding them.
//!
//! The image of a module is looked for when its first method is about to run. Whatever is wrong with a file gives a
//! refusal with a reason, and the methods are compiled as they run.

mod bind;
pub mod files;
mod loaded;
pub mod map;
mod open;
pub mod probe;

pub use loaded::LoadedImage;

use crate::icall::Thrown;
use crate::object::MethodDesc;
use crate::runtime::Runtime;
use crate::runtime::options::Options;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use files::{HashCache, MappedFiles};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::image::methods::MethodEntry;
use shared_codegen::types::encode::Fnv;
use shared_codegen::types::{MethodId, ModuleId};
use std::path::PathBuf;
use std::sync::Arc;

/// Why a method's code was not taken from an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotFromImage {
    /// Images are switched off.
    SwitchedOff,
    /// There is no usable image of this assembly.
    NoImage(String),
    /// The image holds no code for it; what the image says about it.
    NotInside(String),
    /// No image in use holds this instance of generic code; whoever needs it should.
    NoInstance,
    /// The program made it (`System.Reflection.Emit`, compiled expressions).
    Emitted,
    /// A runtime constant of its code could not be had.
    Unbound(String),
}

impl fmt::Display for NotFromImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotFromImage::SwitchedOff => f.write_str("images are switched off"),
            NotFromImage::NoImage(assembly) => write!(f, "no usable image of {assembly}"),
            NotFromImage::NotInside(why) if why.is_empty() => f.write_str("not in the image"),
            NotFromImage::NotInside(why) => write!(f, "not in the image: {why}"),
            NotFromImage::NoInstance => f.write_str("no image in use has this instance"),
            NotFromImage::Emitted => f.write_str("emitted at run time"),
            NotFromImage::Unbound(what) => write!(f, "cannot be bound: {what}"),
        }
    }
}

/// An image file that is not used, and why.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// For people.
    pub reason: String,
}

/// All images of the process.
pub struct Images {
    off: bool,
    given: Vec<PathBuf>,
    caches: Vec<PathBuf>,
    assemblies: Arc<MappedFiles>,
    hashes: HashCache,
    by_module: Mutex<FxHashMap<ModuleId, Option<&'static LoadedImage>>>,
    loaded: boxcar::Vec<&'static LoadedImage>,
    refused: boxcar::Vec<Refusal>,
    calls: bind::CallCells,
    bound: AtomicU64,
}

impl Images {
    /// No image yet. `assemblies` knows the files that assemblies were mapped from.
    pub fn new(options: &Options, assemblies: Arc<MappedFiles>) -> Images {
        let user = probe::user_cache();
        Images {
            off: options.no_aot,
            given: options.aot_path.clone(),
            caches: user
                .iter()
                .cloned()
                .chain([PathBuf::from(probe::SYSTEM_CACHE)])
                .collect(),
            assemblies,
            hashes: HashCache::new(user),
            by_module: Mutex::default(),
            loaded: boxcar::Vec::new(),
            refused: boxcar::Vec::new(),
            calls: bind::CallCells::default(),
            bound: AtomicU64::new(0),
        }
    }

    /// Number of methods that run from images.
    pub fn bound_methods(&self) -> u64 {
        self.bound.load(Ordering::Relaxed)
    }

    /// The images in use.
    pub fn loaded(&self) -> impl Iterator<Item = &'static LoadedImage> + '_ {
        self.loaded.iter().map(|(_, image)| *image)
    }

    /// The files that were found but not used.
    pub fn refused(&self) -> impl Iterator<Item = &Refusal> + '_ {
        self.refused.iter().map(|(_, r)| r)
    }

    /// Takes a method (canonical) from an image: binds what its code needs and gives its address.
    pub fn take(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize, NotFromImage> {
        if self.off {
            return Err(NotFromImage::SwitchedOff);
        }
        let (image, m) = self.find(rt, desc.method)?;
        bind::bind(rt, &self.calls, image, &m).map_err(NotFromImage::Unbound)?;
        self.bound.fetch_add(1, Ordering::Relaxed);
        Ok(image.address_of(&m))
    }

    /// Tells callers in images where the code of a method is now.
    pub fn publish(&self, method: MethodId, code: usize) {
        self.calls.publish(method, code);
    }

    /// The exception of a piece of a method in an image that could not be compiled.
    pub fn failure_at(&self, pc: usize, index: u32) -> Option<Thrown> {
        let image = self.loaded().find(|i| i.code().contains(&pc))?;
        let offset = u32::try_from(pc - image.code().start).ok()?;
        let m = image.image.method_at(offset)?;
        let failure = image.image.failure(&m, index).ok()?;
        let (class, message) = ((failure.namespace, failure.class), failure.message);
        Some(Thrown::about(class, message, failure.subject))
    }

    /// The image of the method's own module comes first; instances may stand in the image of whoever uses them.
    fn find(
        &self,
        rt: &Runtime,
        method: MethodId,
    ) -> Result<(&'static LoadedImage, MethodEntry), NotFromImage> {
        let module = rt.types.method_module(method);
        if rt.types.module(module).growth().is_some() {
            return Err(NotFromImage::Emitted);
        }
        let own = self.of_module(rt, module);
        let mut key = Vec::with_capacity(64);
        rt.types.encode_method(method, &mut key);
        let mut hash = Fnv::new();
        hash.write(&key);
        let hash = hash.finish();
        let others = self
            .loaded()
            .filter(|i| own.is_none_or(|own| !core::ptr::eq(own, *i)));
        for image in own.into_iter().chain(others) {
            if let Ok(Some(m)) = image.image.find_method(hash, &key) {
                return Ok((image, m));
            }
        }
        let Some(own) = own else {
            return Err(NotFromImage::NoImage(rt.types.module_name(module).into()));
        };
        let why = self.left_out(rt, own, &key);
        let owner = rt.types.method_owner(method);
        let args = [rt.types.type_args(owner), rt.types.method_args(method)].concat();
        // Instances over references only belong into the assembly's own image.
        let foreign = args.iter().any(|&a| a != rt.types.canon());
        Err(match why.is_empty() && foreign {
            true => NotFromImage::NoInstance,
            false => NotFromImage::NotInside(why),
        })
    }

    /// What the image says about a method it has no code for. Looked up only if somebody will read it.
    fn left_out(&self, rt: &Runtime, image: &LoadedImage, key: &[u8]) -> String {
        if !rt.options.explain && !rt.options.no_jit {
            return String::new();
        }
        let all = image.image.left_out().unwrap_or_default();
        match all.iter().find(|l| l.method == key) {
            Some(l) => format!("{} {}", l.reason.code(), l.detail),
            None => String::new(),
        }
    }

    /// The image of a module, looked for at the first call.
    fn of_module(&self, rt: &Runtime, module: ModuleId) -> Option<&'static LoadedImage> {
        // Opening runs no managed code, so it cannot come back here.
        let mut by_module = self.by_module.lock();
        *by_module
            .entry(module)
            .or_insert_with(|| self.open_for(rt, module))
    }

    fn open_for(&self, rt: &Runtime, module: ModuleId) -> Option<&'static LoadedImage> {
        let assembly = rt.types.module(module).path();
        for path in probe::candidates(assembly, &self.given, &self.caches) {
            if path.symlink_metadata().is_err() {
                continue;
            }
            match self.open(rt, module, &path) {
                Ok(image) => {
                    self.loaded.push(image);
                    return Some(image);
                }
                Err(reason) => {
                    if rt.options.explain {
                        eprintln!("aotrun: image {} not used: {reason}", path.display());
                    }
                    self.refused.push(Refusal { path, reason });
                }
            }
        }
        None
    }
}
