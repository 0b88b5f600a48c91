//! No command reaches a network, by any family of sockets, unless it may.

use super::place::Place;
use sandbox::Refused;
use std::os::unix::net::UnixListener;

const SOCKETS: &str = "
import socket
for family, kind in [
    (socket.AF_INET, socket.SOCK_DGRAM),
    (socket.AF_INET, socket.SOCK_STREAM),
    (socket.AF_INET6, socket.SOCK_DGRAM),
    (socket.AF_NETLINK, socket.SOCK_RAW),
]:
    try:
        socket.socket(family, kind)
        print('made')
    except OSError as error:
        print(type(error).__name__)
";

#[test]
fn sockets_of_all_families_but_one_are_refused_and_named() {
    let place = Place::new();
    let ran = place.python(SOCKETS).succeeded();
    assert_eq!(ran.log, "PermissionError\n".repeat(4));
    let families: Vec<String> = ran
        .seen()
        .refused
        .iter()
        .map(|refused| format!("{refused:?}"))
        .collect();
    let families = families.join(" ");
    for name in ["AF_INET)", "AF_INET6)", "AF_NETLINK)"] {
        assert!(families.contains(name), "{families}");
    }
    assert_eq!(ran.seen().refused.len(), 3);
}

/// UDP too: Landlock alone would let it pass.
#[test]
fn datagrams_do_not_leave() {
    let place = Place::new();
    let listener = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    listener.set_nonblocking(true).expect("it is ours");
    let port = listener.local_addr().expect("it is bound").port();
    let send = format!(
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))"
    );
    let ran = place.python(&send);
    assert!(ran.log.contains("PermissionError"), "{}", ran.log);
    assert!(listener.recv(&mut [0; 9]).is_err());
    let mut place = place;
    place.bounds.network = true;
    place.python(&send).succeeded().refused_nothing();
    assert_eq!(listener.recv(&mut [0; 9]).expect("it has come"), 1);
}

#[test]
fn sockets_within_the_machine_work() {
    let place = Place::new();
    let script = "
import os, socket
a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))
path = os.environ['SCRATCH'] + '/socket'
server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen()
client = socket.socket(socket.AF_UNIX); client.connect(path); client.send(b'y')
print(server.accept()[0].recv(1))
";
    let ran = place.python(script).succeeded().refused_nothing();
    assert_eq!(ran.log, "b'x'\nb'y'\n");
}

/// Whoever listens there could fetch anything.
#[test]
fn somebody_elses_socket_is_refused_and_named() {
    let place = Place::new();
    let path = place.repo.join("daemon");
    let _daemon = UnixListener::bind(&path).expect("a socket");
    let ran = place.python("import socket; socket.socket(socket.AF_UNIX).connect('daemon')");
    assert!(ran.log.contains("PermissionError"), "{}", ran.log);
    let what = Refused::Other(format!("to connect to the socket {}", path.display()));
    assert!(
        ran.seen().refused.contains(&what),
        "{:?}",
        ran.seen().refused
    );
}

#[test]
fn side_doors_are_shut() {
    let place = Place::new();
    let script = "
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *rest):
    result = libc.syscall(number, *rest)
    print(name, result, os.strerror(ctypes.get_errno()))
call('io_uring_setup', 425, 8, ctypes.create_string_buffer(120))
call('clone3', 435, None, 0)
libc.mount(b'none', os.environb[b'SCRATCH'], b'tmpfs', 0, None)
print('mount', os.strerror(ctypes.get_errno()))
try: os.chroot('/')
except OSError as error: print('chroot', error.strerror)
try: os.kill(-1, 0)
except OSError as error: print('kill', error.strerror)
";
    let ran = place.python(script).succeeded();
    let said = "io_uring_setup -1 Function not implemented\nclone3 -1 Function not implemented\n\
                mount Operation not permitted\nchroot Operation not permitted\n\
                kill Operation not permitted\n";
    assert_eq!(ran.log, said);
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    let others = [
        "to change the root folder",
        "to mount",
        "to signal every process",
    ];
    assert_eq!(refused, others.map(|what| Refused::Other(what.into())));
}

/// The calls of 32-bit programs have other numbers.
#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_another_architecture_end_the_program() {
    let place = Place::new();
    let source = "
int main(void) {
    int result;
    __asm__ volatile (\"int $0x80\" : \"=a\"(result) : \"a\"(20));
    return 0;
}";
    place.compile("old", source, &[]);
    let ran = place.run(&place.repo.join("old").display().to_string(), &[]);
    // 31: by the filter; 11: this kernel knows none of those calls.
    let by_signal = matches!(ran.ended.end, sandbox::End::Killed(31 | 11));
    assert!(by_signal, "{:?}", ran.ended.end);
}
