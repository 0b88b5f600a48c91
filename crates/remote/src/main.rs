//! `retrace-remote URL`: moves the objects of a shared store between files and S3, GCS, Azure or HTTP.
//!
//! The second program of the store. The first one has no network client and speaks to this one over pipes
//! ([`protocol`]): a request a line on standard input, an answer a line on standard output. It ends when
//! standard input ends. The URL is its only argument; credentials come from the environment, as
//! `object_store` reads it, and are in no answer.
//!
//! In the order of dependence: [`place`] (what a URL means), [`failure`] (what goes wrong, in words),
//! [`exchange`] (what one request has moved and was answered), [`trust`] (why a server is not believed to be
//! itself), [`connection`] (HTTP), [`client`] (the store that a place names), [`patience`], [`transfer`] (the
//! verbs), [`protocol`], [`serve`].
//! Knows neither digests nor stages: names and bytes.

mod client;
mod connection;
mod exchange;
mod failure;
mod patience;
mod place;
mod protocol;
mod serve;
mod transfer;
mod trust;

use std::process::ExitCode;

const USAGE: &str = "\
usage: retrace-remote URL
  URL: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, https://HOST/PATH
  It is started by `push`, `pull` and `run` with --store URL: requests are JSON lines on standard input.
  Credentials are read from the environment: AWS_*, GOOGLE_*, AZURE_*, RETRACE_HTTP_AUTHORIZATION.";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let url = match arguments.as_slice() {
        [url] => url.to_str().filter(|url| !url.starts_with('-')),
        _ => None,
    };
    let Some(url) = url else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    serve::serve(url)
}
