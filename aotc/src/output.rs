//! Writing files so that nobody ever sees half of one.

use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The folder a file stands in.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes a folder and those it stands in.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// Finds out before any work is done whether a file can be written, and whether it would replace another result.
pub fn prepare(path: &Path, taken: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    if !taken.insert(path.to_owned()) {
        bail!("{}: would be the image of two assemblies", path.display());
    }
    check_replaceable(path)?;
    temporary_in(&folder_of(path))
        .map(drop)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Only regular files are replaced, no devices or folders.
fn check_replaceable(path: &Path) -> anyhow::Result<()> {
    match path.metadata() {
        Ok(m) if !m.is_file() => bail!("cannot write {}: not a regular file", path.display()),
        _ => Ok(()),
    }
}

fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let made = tempfile::Builder::new()
        .prefix(".aotc-")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder);
    made.map_err(bare)
}

/// An error without the name of the temporary file, which says nothing to anybody.
fn bare(e: std::io::Error) -> std::io::Error {
    let inner = e.get_ref().and_then(|i| i.source());
    let inner = inner.and_then(|i| i.downcast_ref::<std::io::Error>());
    let code = inner.and_then(std::io::Error::raw_os_error);
    code.map_or(e, std::io::Error::from_raw_os_error)
}

/// Writes a file: a temporary one in the same folder, synced, renamed, the folder synced.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    check_replaceable(path)?;
    let write = || -> std::io::Result<()> {
        let file = written(&folder_of(path), bytes)?;
        file.persist(path).map_err(|e| e.error)?;
        File::open(folder_of(path))?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A temporary file with this content, on the disk.
fn written(folder: &Path, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut file = temporary_in(folder)?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Copies all files of a folder into another one under names made by `rename`: all or, as far as can be foreseen, none.
pub fn copy_all(from: &Path, to: &Path, rename: impl Fn(&str) -> String) -> anyhow::Result<()> {
    let shown = || from.display().to_string();
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(from).with_context(shown)? {
        let entry = entry.with_context(shown)?;
        let target = to.join(rename(&entry.file_name().to_string_lossy()));
        let bytes = std::fs::read(entry.path()).with_context(shown)?;
        check_replaceable(&target)?;
        let copy = written(to, &bytes);
        let copy = copy.with_context(|| format!("cannot write {}", target.display()))?;
        copies.push((copy, target));
    }
    for (copy, target) in copies {
        let persisted = copy.persist(&target).map_err(|e| e.error);
        persisted.with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}
