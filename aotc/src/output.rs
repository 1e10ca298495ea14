//! Writing files so that nobody ever sees half of one.

use anyhow::Context;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder a file stands in.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Writes a file: a temporary one in the same folder, synced, renamed, the folder synced.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let write = || -> std::io::Result<()> {
        let folder = folder_of(path);
        let mut file = tempfile::Builder::new()
            .prefix(".aotc-")
            .permissions(std::fs::Permissions::from_mode(0o644))
            .tempfile_in(&folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        File::open(&folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
