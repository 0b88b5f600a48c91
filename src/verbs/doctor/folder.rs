//! What a folder can do: its file system, free space, and whether writing works, found out by writing.
//!
//! Leaves nothing behind: what it makes are temporary files. Does not know what the folder is for.

use rustix::fs::{ioctl_ficlone, statfs};
use schemars::JsonSchema;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder, or the nearest above it that exists.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Folder {
    pub role: &'static str,
    pub path: PathBuf,
    pub exists: bool,
    /// `ext`, `btrfs`, ...; a number where there is no name for it.
    pub file_system: String,
    pub free_bytes: u64,
    /// Why a file cannot be written, synced and renamed there; `None` when it can.
    pub cannot_write: Option<String>,
}

/// Magic numbers of statfs(2).
const FILE_SYSTEMS: [(u64, &str); 12] = [
    (0xEF53, "ext"),
    (0x9123_683E, "btrfs"),
    (0x5846_5342, "xfs"),
    (0x0102_1994, "tmpfs"),
    (0x794C_7630, "overlay"),
    (0x6969, "nfs"),
    (0x2FC1_2FC1, "zfs"),
    (0xF2F5_2010, "f2fs"),
    (0x6573_5546, "fuse"),
    (0xFF53_4D42, "cifs"),
    (0x0102_1997, "9p"),
    (0xCA45_1A4E, "bcachefs"),
];

/// Looks at a folder and tries it.
pub fn look(role: &'static str, path: &Path) -> Folder {
    let there = existing(path);
    let about = statfs(there);
    let (file_system, free_bytes) = about.map_or_else(
        |e| (format!("unknown: {e}"), 0),
        // The widths of these fields differ between architectures.
        #[allow(clippy::unnecessary_cast, reason = "not everywhere")]
        |about| {
            let magic = about.f_type as u64 & 0xFFFF_FFFF;
            let name = FILE_SYSTEMS.iter().find(|(number, _)| *number == magic);
            let name = name.map_or_else(|| format!("{magic:#x}"), |(_, name)| (*name).to_owned());
            (name, about.f_bavail as u64 * about.f_bsize as u64)
        },
    );
    Folder {
        role,
        path: path.to_owned(),
        exists: path.is_dir(),
        file_system,
        free_bytes,
        cannot_write: write(there).err().map(|e| e.to_string()),
    }
}

/// The nearest folder that exists.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("/"))
}

/// As the store writes: a temporary file, a sync, a rename, and away again.
fn write(folder: &Path) -> std::io::Result<()> {
    let scratch = tempfile::Builder::new()
        .prefix(".icl-repro-doctor")
        .tempdir_in(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(scratch.path())?;
    file.write_all(b"icl-repro")?;
    file.as_file().sync_all()?;
    file.persist(scratch.path().join("renamed"))?;
    scratch.close()
}

/// Whether files of one folder reach the other without their bytes being copied. Where not, they are
/// copied, which is slower and no less safe.
pub fn shares_blocks(from: &Path, to: &Path) -> bool {
    let share = || -> std::io::Result<()> {
        let mut source = tempfile::tempfile_in(existing(from))?;
        source.write_all(b"icl-repro")?;
        let target = tempfile::tempfile_in(existing(to))?;
        Ok(ioctl_ficlone(&target, &source)?)
    };
    share().is_ok()
}
