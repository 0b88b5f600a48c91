//! The calls of the kernel that are watched: what each does to which path, by the places of its arguments.
//!
//! A table, and nothing of what it leads to: [`super::filter`] makes the filter of it, `watch` the answers.

use std::sync::LazyLock;

/// Which path an argument names, and from which folder a relative one starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Where {
    /// The argument with the descriptor of a folder; without one the process's own folder.
    pub folder: Option<usize>,
    pub path: usize,
}

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    Always,
    Never,
    /// Unless the argument with the flags has this bit.
    Unless(usize, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    Argument(usize),
    /// In the structure that the argument points to.
    Behind(usize),
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "`creat` is a call of its own there only")
    )]
    Fixed(u64),
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Open(Where, Flags),
    /// Asks what is there.
    Look(Where, Follow),
    Execute(Where, Follow),
    /// Makes something that must not be there yet.
    Make(Where),
    Remove(Where),
    Rename(Where, Where),
    /// Gives what the first names a second name.
    Link(Where, Where),
    /// Changes what is there: its length, owner, mode, times, attributes.
    Change(Where, Follow),
    /// The same of the file that a descriptor is.
    ChangeOpen(usize),
    /// Makes a process.
    Fork,
    /// To the process, or the group, of the number in the first argument.
    Signal,
    Socket,
    /// Goes to the address that the argument points to, of the length in the next.
    Connect(usize),
    /// Takes that address.
    Bind(usize),
    /// What nobody needs who computes; in words that read after "to".
    Forbidden(&'static str),
}

/// When the filter tells of a call; otherwise the kernel does it unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// Not when the flags say that the descriptor itself is meant (`AT_EMPTY_PATH`), and it is one.
    UnlessOfDescriptor {
        flags: usize,
    },
    UnlessEqual(usize, u32),
    UnlessSet(usize, u32),
}

#[derive(Clone, Copy, Debug)]
pub struct Watched {
    pub number: i64,
    pub call: Call,
    pub when: When,
}

/// Calls that fail as if the kernel did not have them; programs then do without.
pub const UNKNOWN: [i64; 4] = [
    // Opens files unseen.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Hides from the filter whether a thread or a process is made; `clone` does not.
    libc::SYS_clone3,
];

/// Younger than the list of `libc`; the same on every architecture.
mod young {
    pub const FCHMODAT2: i64 = 452;
    pub const SETXATTRAT: i64 = 463;
    pub const GETXATTRAT: i64 = 464;
    pub const LISTXATTRAT: i64 = 465;
    pub const REMOVEXATTRAT: i64 = 466;
    pub const OPEN_TREE_ATTR: i64 = 467;
    pub const FILE_GETATTR: i64 = 468;
    pub const FILE_SETATTR: i64 = 469;
}

const NOFOLLOW: u64 = libc::AT_SYMLINK_NOFOLLOW as u64;

const fn at(folder: usize, path: usize) -> Where {
    Where {
        folder: Some(folder),
        path,
    }
}

/// All of them, by number.
pub static WATCHED: LazyLock<Vec<Watched>> = LazyLock::new(|| {
    let mut calls: Vec<Watched> = everywhere()
        .into_iter()
        .chain(descriptors_and_processes())
        .chain(old::calls())
        .collect();
    calls.sort_by_key(|watched| watched.number);
    calls
});

pub fn find(number: i64) -> Option<Call> {
    let place = WATCHED.binary_search_by_key(&number, |watched| watched.number);
    place.ok().map(|place| WATCHED[place].call)
}

fn always((number, call): (i64, Call)) -> Watched {
    let when = When::Always;
    Watched { number, call, when }
}

/// Calls with paths that every architecture has.
fn everywhere() -> Vec<Watched> {
    use Call::*;
    use Follow::*;
    let own = |path| Where { folder: None, path };
    let mut calls: Vec<Watched> = [
        (libc::SYS_openat, Open(at(0, 1), Flags::Argument(2))),
        (libc::SYS_openat2, Open(at(0, 1), Flags::Behind(2))),
        (libc::SYS_faccessat, Look(at(0, 1), Always)),
        (libc::SYS_faccessat2, Look(at(0, 1), Unless(3, NOFOLLOW))),
        (libc::SYS_readlinkat, Look(at(0, 1), Never)),
        (libc::SYS_chdir, Look(own(0), Always)),
        (libc::SYS_getxattr, Look(own(0), Always)),
        (libc::SYS_lgetxattr, Look(own(0), Never)),
        (libc::SYS_listxattr, Look(own(0), Always)),
        (libc::SYS_llistxattr, Look(own(0), Never)),
        (young::GETXATTRAT, Look(at(0, 1), Unless(2, NOFOLLOW))),
        (young::LISTXATTRAT, Look(at(0, 1), Unless(2, NOFOLLOW))),
        (young::FILE_GETATTR, Look(at(0, 1), Unless(4, NOFOLLOW))),
        (libc::SYS_execve, Execute(own(0), Always)),
        (libc::SYS_execveat, Execute(at(0, 1), Unless(4, NOFOLLOW))),
        (libc::SYS_mkdirat, Make(at(0, 1))),
        (libc::SYS_mknodat, Make(at(0, 1))),
        (libc::SYS_symlinkat, Make(at(1, 2))),
        (libc::SYS_unlinkat, Remove(at(0, 1))),
        (libc::SYS_renameat2, Rename(at(0, 1), at(2, 3))),
        (libc::SYS_linkat, Link(at(0, 1), at(2, 3))),
        (libc::SYS_truncate, Change(own(0), Always)),
        (libc::SYS_fchmodat, Change(at(0, 1), Always)),
        (young::FCHMODAT2, Change(at(0, 1), Unless(3, NOFOLLOW))),
        (libc::SYS_fchownat, Change(at(0, 1), Unless(4, NOFOLLOW))),
        (libc::SYS_utimensat, Change(at(0, 1), Unless(3, NOFOLLOW))),
        (libc::SYS_setxattr, Change(own(0), Always)),
        (libc::SYS_lsetxattr, Change(own(0), Never)),
        (libc::SYS_removexattr, Change(own(0), Always)),
        (libc::SYS_lremovexattr, Change(own(0), Never)),
        (young::SETXATTRAT, Change(at(0, 1), Unless(2, NOFOLLOW))),
        (young::REMOVEXATTRAT, Change(at(0, 1), Unless(2, NOFOLLOW))),
        (young::FILE_SETATTR, Change(at(0, 1), Unless(4, NOFOLLOW))),
    ]
    .map(always)
    .into();
    for (number, flags) in [(libc::SYS_newfstatat, 3), (libc::SYS_statx, 2)] {
        let call = Look(at(0, 1), Unless(flags, NOFOLLOW));
        let when = When::UnlessOfDescriptor { flags };
        calls.push(Watched { number, call, when });
    }
    calls
}

/// The others that every architecture has.
fn descriptors_and_processes() -> Vec<Watched> {
    use Call::*;
    let word = |number: i32| number.cast_unsigned();
    let mut calls: Vec<Watched> = [
        (libc::SYS_kill, Signal),
        (libc::SYS_fchmod, ChangeOpen(0)),
        (libc::SYS_fchown, ChangeOpen(0)),
        (libc::SYS_fsetxattr, ChangeOpen(0)),
        (libc::SYS_fremovexattr, ChangeOpen(0)),
        (libc::SYS_connect, Connect(1)),
        (libc::SYS_bind, Bind(1)),
        (libc::SYS_open_by_handle_at, Forbidden("open by handle")),
        (libc::SYS_chroot, Forbidden("change the root folder")),
        (libc::SYS_pivot_root, Forbidden("change the root folder")),
        (libc::SYS_mount, Forbidden("mount")),
        (libc::SYS_umount2, Forbidden("unmount")),
        (libc::SYS_move_mount, Forbidden("mount")),
        (libc::SYS_open_tree, Forbidden("mount")),
        (young::OPEN_TREE_ATTR, Forbidden("mount")),
        (libc::SYS_fsopen, Forbidden("mount")),
        (libc::SYS_fspick, Forbidden("mount")),
        (libc::SYS_mount_setattr, Forbidden("mount")),
        (libc::SYS_setns, Forbidden("enter a namespace")),
        (libc::SYS_bpf, Forbidden("load a program into the kernel")),
    ]
    .map(always)
    .into();
    let clone = When::UnlessSet(0, word(libc::CLONE_THREAD));
    let inside = When::UnlessEqual(0, word(libc::AF_UNIX));
    for (number, call, when) in [
        (libc::SYS_clone, Fork, clone),
        (libc::SYS_socket, Socket, inside),
    ] {
        calls.push(Watched { number, call, when });
    }
    calls
}

/// What only the oldest 64-bit architecture has.
#[cfg(target_arch = "x86_64")]
mod old {
    use super::{Call::*, Flags, Follow::*, Watched, Where, always, at};

    const NEW: u64 = (libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC) as u64;

    pub fn calls() -> Vec<Watched> {
        let own = |path| Where { folder: None, path };
        [
            (libc::SYS_open, Open(own(0), Flags::Argument(1))),
            (libc::SYS_creat, Open(own(0), Flags::Fixed(NEW))),
            (libc::SYS_stat, Look(own(0), Always)),
            (libc::SYS_lstat, Look(own(0), Never)),
            (libc::SYS_access, Look(own(0), Always)),
            (libc::SYS_readlink, Look(own(0), Never)),
            (libc::SYS_mkdir, Make(own(0))),
            (libc::SYS_mknod, Make(own(0))),
            (libc::SYS_symlink, Make(own(1))),
            (libc::SYS_rmdir, Remove(own(0))),
            (libc::SYS_unlink, Remove(own(0))),
            (libc::SYS_rename, Rename(own(0), own(1))),
            (libc::SYS_renameat, Rename(at(0, 1), at(2, 3))),
            (libc::SYS_link, Link(own(0), own(1))),
            (libc::SYS_chmod, Change(own(0), Always)),
            (libc::SYS_chown, Change(own(0), Always)),
            (libc::SYS_lchown, Change(own(0), Never)),
            (libc::SYS_utime, Change(own(0), Always)),
            (libc::SYS_utimes, Change(own(0), Always)),
            (libc::SYS_futimesat, Change(at(0, 1), Always)),
            (libc::SYS_fork, Fork),
            (libc::SYS_vfork, Fork),
        ]
        .map(always)
        .into()
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod old {
    use super::{Call::Rename, Watched, always, at};

    pub fn calls() -> Vec<Watched> {
        vec![always((libc::SYS_renameat, Rename(at(0, 1), at(2, 3))))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_in_the_table_once() {
        let twice: Vec<i64> = WATCHED
            .windows(2)
            .filter(|pair| pair[0].number == pair[1].number)
            .map(|pair| pair[0].number)
            .collect();
        assert_eq!(twice, Vec::<i64>::new());
        let unknown = UNKNOWN.iter().filter(|number| find(**number).is_some());
        assert_eq!(unknown.count(), 0);
        assert!(matches!(find(libc::SYS_openat), Some(Call::Open(..))));
        assert_eq!(find(libc::SYS_read), None);
    }
}
