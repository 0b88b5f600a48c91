//! The program as the first one sees it: lines in, lines out, against servers on this machine.

mod azure;
mod http;
mod limits;
mod program;
mod s3;
mod server;
