//! The calls of the kernel that no library wraps safely: the only file with `unsafe`.
//!
//! A filter is put over this process and its listener taken; a notification is received and answered;
//! another process's memory is read. Knows no path and no rule.

#![expect(unsafe_code, reason = "each block says why it is sound")]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

pub type Instruction = libc::sock_filter;

/// A call that a watched thread has made and now waits in.
#[derive(Clone, Copy, Debug)]
pub struct Notification {
    pub id: u64,
    /// The thread, as the receiver counts processes.
    pub thread: u32,
    pub call: i64,
    pub arguments: [u64; 6],
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The kernel does it as if nobody had asked.
    Continue,
    /// It fails with this number.
    Fail(i32),
}

/// Wakes who waits on the other end on the processor that is free now: this one (Linux 6.6).
const SYNC_WAKE_UP: u64 = 1;

fn checked(result: libc::c_long) -> Result<libc::c_long> {
    match result {
        -1 => Err(Error::last_os_error()),
        value => Ok(value),
    }
}

/// Whether the kernel has notifications of the layout that this was built for.
///
/// # Errors
/// It has none, or others.
pub fn available() -> Result<()> {
    let action = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the operation reads 4 bytes at the pointer, which the variable has, and keeps none.
    checked(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_ACTION_AVAIL,
            0,
            &raw const action,
        )
    })?;
    let mut sizes = libc::seccomp_notif_sizes {
        seccomp_notif: 0,
        seccomp_notif_resp: 0,
        seccomp_data: 0,
    };
    // SAFETY: the operation writes this very structure at the pointer.
    checked(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_NOTIF_SIZES,
            0,
            &raw mut sizes,
        )
    })?;
    let fits = usize::from(sizes.seccomp_notif) == size_of::<libc::seccomp_notif>()
        && usize::from(sizes.seccomp_notif_resp) == size_of::<libc::seccomp_notif_resp>();
    match fits {
        true => Ok(()),
        false => Err(Error::other("the kernel's notifications have another size")),
    }
}

/// Puts `filter` over this thread, for good, and answers the end at which its notifications arrive. The
/// thread must have renounced new privileges.
///
/// # Errors
/// The kernel refuses it: of the filter, or since a filter above has a listener already.
pub fn install(filter: &[Instruction]) -> Result<OwnedFd> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(Error::other)?,
        filter: filter.as_ptr().cast_mut(),
    };
    let put = |flags: libc::c_ulong| {
        // SAFETY: `program` points to `len` instructions, which live beyond the call; the kernel only
        // reads and checks them.
        checked(unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        })
    };
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Linux 5.19: a signal does not interrupt a call that has been told already.
    let once = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    let fd = match put(listener | once) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => put(listener)?,
        result => result?,
    };
    let fd = i32::try_from(fd).map_err(Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Asks for the quick hand-over between the two ends, where the kernel knows it.
pub fn wake_at_once(listener: &OwnedFd) {
    // SAFETY: the argument is a number, not a pointer; a kernel that does not know the request says so.
    unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
            SYNC_WAKE_UP,
        )
    };
}

/// Waits for the next call.
///
/// # Errors
/// ENOENT: the thread has gone meanwhile, or (newer kernels) all have; EINTR.
pub fn receive(listener: &OwnedFd) -> Result<Notification> {
    let mut notification = libc::seccomp_notif {
        id: 0,
        pid: 0,
        flags: 0,
        data: libc::seccomp_data {
            nr: 0,
            arch: 0,
            instruction_pointer: 0,
            args: [0; 6],
        },
    };
    // SAFETY: the request writes this structure (zeroed, as it demands), whose size is part of the
    // request's number; `available` has compared it with the kernel's.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut notification,
        )
    };
    checked(result.into())?;
    Ok(Notification {
        id: notification.id,
        thread: notification.pid,
        call: notification.data.nr.into(),
        arguments: notification.data.args,
    })
}

/// Lets the thread of notification `id` go on.
///
/// # Errors
/// ENOENT: it is not waiting any more, so that what was read of it may be another's.
pub fn answer(listener: &OwnedFd, id: u64, answer: Answer) -> Result<()> {
    let (error, flags) = match answer {
        Answer::Continue => (0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE),
        Answer::Fail(number) => (-number, 0),
    };
    let response = libc::seccomp_notif_resp {
        id,
        val: 0,
        error,
        flags: flags as u32,
    };
    // SAFETY: the request reads this structure, whose size is part of the request's number.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw const response,
        )
    };
    checked(result.into()).map(drop)
}

/// Reads what `thread` has at `address`: at most `to.len()` bytes, fewer where its memory ends.
///
/// # Errors
/// There is nothing, or it may not be read.
pub fn read_memory(thread: u32, address: u64, to: &mut [u8]) -> Result<usize> {
    let local = libc::iovec {
        iov_base: to.as_mut_ptr().cast(),
        iov_len: to.len(),
    };
    let remote = libc::iovec {
        iov_base: address as *mut libc::c_void,
        iov_len: to.len(),
    };
    let thread = i32::try_from(thread).map_err(Error::other)?;
    // SAFETY: the kernel writes at most `to.len()` bytes into `to`, which is borrowed for writing; the
    // other address belongs to another process and is checked by the kernel.
    let read =
        unsafe { libc::process_vm_readv(thread, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(read).map_err(|_| Error::last_os_error())
}

/// Leaves to the program that this process becomes its three standard descriptors only.
///
/// # Errors
/// A kernel before Linux 5.11.
pub fn close_others_at_exec() -> Result<()> {
    /// `CLOSE_RANGE_CLOEXEC`
    const AT_EXEC: libc::c_uint = 1 << 2;
    // SAFETY: three numbers; descriptors are marked, none is closed while anybody holds it.
    checked(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3 as libc::c_uint,
            libc::c_uint::MAX,
            AT_EXEC,
        )
    })
    .map(drop)
}

/// Resident bytes of the largest of all processes that this one has waited for, and of theirs.
///
/// # Errors
/// The kernel refuses to say.
pub fn largest_child() -> Result<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the call writes the whole structure, or fails, and then it is not looked at.
    let result = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) };
    checked(result.into())?;
    // SAFETY: it has been written, as the call succeeded.
    let kibibytes = unsafe { usage.assume_init() }.ru_maxrss;
    u64::try_from(kibibytes)
        .map(|kibibytes| kibibytes * 1024)
        .map_err(Error::other)
}
