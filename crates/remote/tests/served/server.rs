//! A server of HTTP that answers what a test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What a server sends, as it is.
pub type Sent = Vec<u8>;

pub fn answer(status: &str, body: &[u8]) -> Sent {
    let mut sent = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    sent.push_str("ETag: \"e\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nDate: Thu, 01 Jan 2026 00:01:00 GMT\r\n\r\n");
    let mut sent = sent.into_bytes();
    sent.extend(body);
    sent
}

pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves on a free port until the test's process ends; each connection has a thread.
    pub fn start(answers: impl Fn(&Asked) -> Sent + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers) = (Arc::clone(&asked), Arc::new(answers));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
                std::thread::spawn(move || {
                    if let Some(asked) = read(&connection) {
                        seen.lock().expect("no panic").push(asked.clone());
                        let mut connection = &connection;
                        // Who asks may be gone.
                        let _ = connection.write_all(&answers(&asked));
                    }
                });
            }
        });
        Server { url, asked }
    }

    /// A store in memory, such as plain servers are: no listing, no folders.
    pub fn plain() -> Server {
        let kept: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());
        Server::start(move |asked| {
            let mut kept = kept.lock().expect("no panic");
            let found = kept.get(&asked.path);
            match (asked.method.as_str(), found) {
                ("PUT", _) => {
                    kept.insert(asked.path.clone(), asked.body.clone());
                    answer("201 Created", b"")
                }
                ("GET", Some(body)) => answer("200 OK", body),
                ("HEAD", Some(body)) => {
                    let whole = answer("200 OK", body);
                    whole[..whole.len() - body.len()].to_vec()
                }
                ("DELETE", Some(_)) => {
                    kept.remove(&asked.path);
                    answer("204 No Content", b"")
                }
                ("GET" | "HEAD" | "DELETE", None) => answer("404 Not Found", b""),
                _ => answer("501 Not Implemented", b""),
            }
        })
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    pub fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.method).collect()
    }
}

/// A request; `None` where the connection ends before it does.
fn read(connection: &TcpStream) -> Option<Asked> {
    let mut from = BufReader::new(connection);
    let mut line = String::new();
    let mut next = |from: &mut BufReader<_>| {
        line.clear();
        from.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = next(&mut from)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let line = next(&mut from)?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body,
    })
}
