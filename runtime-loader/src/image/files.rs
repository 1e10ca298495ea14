//! Whether a file can be trusted, and what is known of its content.
//!
//! Hashing megabytes at each start would cost more than images save. So the hash of a file is remembered together with
//! the file's identity (device, inode, size, times of last change) in a file that only its user can write. A changed
//! file has another identity, and then the content decides again. Identities of files that changed moments ago are not
//! remembered: a second change within the clock's resolution would not show.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// A blake3 hash of a whole file.
pub type ContentHash = [u8; 32];

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileIdentity {
    words: [u64; 7],
}

impl FileIdentity {
    /// The identity in a file's metadata.
    pub fn of(m: &Metadata) -> FileIdentity {
        FileIdentity {
            words: [
                m.dev(),
                m.ino(),
                m.size(),
                m.mtime() as u64,
                m.mtime_nsec() as u64,
                m.ctime() as u64,
                m.ctime_nsec() as u64,
            ],
        }
    }

    fn to_bytes(self) -> [u8; IDENTITY] {
        let mut bytes = [0; IDENTITY];
        for (to, w) in bytes.chunks_exact_mut(8).zip(self.words) {
            to.copy_from_slice(&w.to_le_bytes());
        }
        bytes
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.words[2]
    }

    /// Last change long enough ago that a later one would get another time.
    fn is_settled(&self) -> bool {
        let changed = Duration::from_secs(self.words[3].max(self.words[5]));
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .is_ok_and(|now| now > changed + SETTLED)
    }
}

/// Age at which a file counts as settled.
const SETTLED: Duration = Duration::from_secs(2);

/// One record of the file of hashes: identity, hash, checksum of both.
const RECORD: usize = IDENTITY + 32 + 8;
const IDENTITY: usize = 7 * 8;
/// Records at which the file is begun anew. A start reads all of them.
const MAX_RECORDS: usize = 2048;
/// Name of the file of hashes in the cache folder. The number is the version of its format.
const FILE_NAME: &str = "hashes-1";

/// Hashes of files by identity.
#[derive(Debug, Default)]
pub struct HashCache {
    folder: Option<PathBuf>,
    known: OnceLock<Mutex<Known>>,
}

/// The records of the file as they stand there, of which a start needs a few, and what was learned since.
#[derive(Debug, Default)]
struct Known {
    records: Vec<u8>,
    fresh: FxHashMap<FileIdentity, ContentHash>,
}

impl Known {
    fn get(&self, identity: &FileIdentity) -> Option<ContentHash> {
        let fresh = self.fresh.get(identity).copied();
        fresh.or_else(|| {
            let key = identity.to_bytes();
            // The latest is right if there are several.
            let mut records = self.records.chunks_exact(RECORD).rev();
            records.find_map(|r| r.starts_with(&key).then(|| decode(r)).flatten())
        })
    }
}

impl HashCache {
    /// A cache kept in this folder; with `None`, or where the folder cannot be trusted, nothing is remembered.
    pub fn new(folder: Option<PathBuf>) -> HashCache {
        HashCache {
            folder,
            known: OnceLock::new(),
        }
    }

    /// The hash of the file with this identity and content.
    pub fn hash(&self, identity: Option<FileIdentity>, content: &[u8]) -> ContentHash {
        let compute = || *blake3::hash(content).as_bytes();
        self.hash_by(identity, content.len() as u64, compute)
    }

    /// The hash of the file with this identity; `compute` must always give the same for the same file.
    pub fn hash_by(
        &self,
        identity: Option<FileIdentity>,
        len: u64,
        compute: impl FnOnce() -> ContentHash,
    ) -> ContentHash {
        let Some(identity) = identity.filter(|i| i.size() == len) else {
            return compute();
        };
        if let Some(hash) = self.known().lock().get(&identity) {
            return hash;
        }
        let hash = compute();
        self.known().lock().fresh.insert(identity, hash);
        if identity.is_settled() {
            // A cache that cannot be written costs time, not correctness.
            let _ = self.append(identity, hash);
        }
        hash
    }

    fn known(&self) -> &Mutex<Known> {
        self.known.get_or_init(|| {
            Mutex::new(Known {
                records: self.read().unwrap_or_default(),
                fresh: FxHashMap::default(),
            })
        })
    }

    fn path(&self) -> io::Result<PathBuf> {
        let folder = self.folder.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok(folder.join(FILE_NAME))
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = open_private(&self.path()?, OpenOptions::new().read(true))?;
        file.read_to_end(&mut bytes)?;
        bytes.truncate(bytes.len() / RECORD * RECORD);
        Ok(bytes)
    }

    fn append(&self, identity: FileIdentity, hash: ContentHash) -> io::Result<()> {
        let path = self.path()?;
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let mut file = open_private(&path, &mut options)?;
        if file.metadata()?.len() >= (MAX_RECORDS * RECORD) as u64 {
            file.set_len(0)?;
        }
        file.write_all(&encode(identity, hash))
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    sum
}

fn encode(identity: FileIdentity, hash: ContentHash) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD);
    bytes.extend_from_slice(&identity.to_bytes());
    bytes.extend_from_slice(&hash);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The hash in a record that is as it was written.
fn decode(record: &[u8]) -> Option<ContentHash> {
    let (data, sum) = record.split_at_checked(RECORD - 8)?;
    let is_whole = checksum(data) == sum;
    is_whole.then(|| data[IDENTITY..].try_into().ok()).flatten()
}

/// Opens a file that only this user may have written.
fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        check_owner(folder, &std::fs::metadata(folder)?, Sticky::Refuse).map_err(denied)?;
    }
    let file = options.custom_flags(libc::O_NOFOLLOW).open(path)?;
    check_owner(path, &file.metadata()?, Sticky::Refuse).map_err(denied)?;
    Ok(file)
}

fn denied(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}

/// What to think of folders that everybody may write to but where only owners may rename and delete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sticky {
    Accept,
    Refuse,
}

fn check_owner(path: &Path, m: &Metadata, sticky: Sticky) -> Result<(), String> {
    let user = rustix::process::geteuid().as_raw();
    if m.uid() != user && m.uid() != 0 {
        return Err(format!("{} belongs to user {}", path.display(), m.uid()));
    }
    let is_sticky = m.is_dir() && m.mode() & 0o1000 != 0;
    let others = m.mode() & 0o002 != 0 || (m.mode() & 0o020 != 0 && m.gid() != 0);
    if others && !(is_sticky && sticky == Sticky::Accept) {
        return Err(format!("{} can be written by others", path.display()));
    }
    Ok(())
}

/// Opens a file for execution of its content: neither the file nor a folder on the way to it may be writable by others than
/// root and the user. The reason for a refusal is for people.
pub fn open_trusted(path: &Path) -> Result<(File, Metadata), String> {
    let shown = |e: io::Error| format!("{}: {e}", path.display());
    let real = path.canonicalize().map_err(shown)?;
    for folder in real.ancestors().skip(1) {
        let m = std::fs::metadata(folder).map_err(shown)?;
        check_owner(folder, &m, Sticky::Accept)?;
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&real)
        .map_err(shown)?;
    let m = file.metadata().map_err(shown)?;
    if !m.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    check_owner(&real, &m, Sticky::Refuse)?;
    Ok((file, m))
}

/// Identities of mapped assembly files, taken from the open file so that they belong to the bytes that are mapped.
#[derive(Debug, Default)]
pub struct MappedFiles {
    identities: Mutex<FxHashMap<usize, FileIdentity>>,
}

impl MappedFiles {
    /// Maps a file for the life of the process.
    pub fn map(&self, path: &Path) -> io::Result<&'static [u8]> {
        let file = File::open(path)?;
        let identity = FileIdentity::of(&file.metadata()?);
        let bytes = crate::sys::file::map_open_file(&file)?;
        self.identities
            .lock()
            .insert(bytes.as_ptr() as usize, identity);
        Ok(bytes)
    }

    /// Identity of the file these bytes were mapped from.
    pub fn identity(&self, bytes: &'static [u8]) -> Option<FileIdentity> {
        self.identities
            .lock()
            .get(&(bytes.as_ptr() as usize))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn aged(dir: &Path, content: &[u8]) -> (PathBuf, FileIdentity) {
        let path = dir.join("f");
        std::fs::write(&path, content).unwrap();
        let m = std::fs::metadata(&path).unwrap();
        let mut identity = FileIdentity::of(&m);
        identity.words[3] -= 10;
        identity.words[5] -= 10;
        (path, identity)
    }

    #[test]
    fn hashes_are_remembered_across_processes() {
        let dir = tempfile::tempdir().unwrap();
        let (_, identity) = aged(dir.path(), b"abc");
        let folder = dir.path().join("cache");
        let first = HashCache::new(Some(folder.clone()));
        let hash = first.hash(Some(identity), b"abc");
        assert_eq!(hash, *blake3::hash(b"abc").as_bytes());
        // The second cache believes the record: other content of the same size is not looked at.
        let second = HashCache::new(Some(folder.clone()));
        assert_eq!(second.hash(Some(identity), b"xyz"), hash);
        // Damage is noticed.
        let file = folder.join(FILE_NAME);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[60] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let third = HashCache::new(Some(folder));
        assert_eq!(
            third.hash(Some(identity), b"xyz"),
            *blake3::hash(b"xyz").as_bytes()
        );
    }

    #[test]
    fn a_cache_others_can_write_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let (_, identity) = aged(dir.path(), b"abc");
        let folder = dir.path().join("cache");
        HashCache::new(Some(folder.clone())).hash(Some(identity), b"abc");
        let open = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(folder.join(FILE_NAME), open).unwrap();
        let second = HashCache::new(Some(folder));
        assert_ne!(
            second.hash(Some(identity), b"xyz"),
            *blake3::hash(b"abc").as_bytes()
        );
    }

    #[test]
    fn fresh_files_are_hashed_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, b"abc").unwrap();
        let identity = FileIdentity::of(&std::fs::metadata(&path).unwrap());
        let folder = dir.path().join("cache");
        HashCache::new(Some(folder.clone())).hash(Some(identity), b"abc");
        assert!(!folder.join(FILE_NAME).exists());
    }

    #[test]
    fn files_and_folders_others_can_write_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("d");
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("f");
        std::fs::write(&path, b"abc").unwrap();
        let mode = |p: &Path, m| std::fs::set_permissions(p, std::fs::Permissions::from_mode(m));
        mode(&folder, 0o755).unwrap();
        mode(&path, 0o644).unwrap();
        assert!(open_trusted(&path).is_ok());
        mode(&path, 0o646).unwrap();
        assert!(open_trusted(&path).is_err());
        mode(&path, 0o644).unwrap();
        mode(&folder, 0o757).unwrap();
        assert!(open_trusted(&path).is_err());
        mode(&folder, 0o755).unwrap();
        assert!(open_trusted(&folder).is_err());
    }
}
