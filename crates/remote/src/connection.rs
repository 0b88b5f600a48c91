//! HTTP for `object_store`: a client that counts what moves and keeps what it was answered.
//!
//! Connects within [`CONNECT`] or not at all, sends nothing unencrypted to another machine unless it was
//! told to, and tries nothing twice that has cost its time already, or that fails on a certificate. What a request is
//! for, it does not know.

use crate::exchange::{Answer, Exchange, Loss, Upload};
use crate::place::{Service, is_loopback};
use crate::trust;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use object_store::ClientConfigKey;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A machine that is there takes a connection in a fraction of this.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes move in pieces of this size, so that a slow line is seen to move.
const PIECE: usize = 64 << 10;
/// More of an answer that is an error is not read.
const MOST_OF_AN_ERROR: usize = 64 << 10;
/// Where clouds give credentials to their own machines; only there HTTP is right without encryption.
const METADATA: [&str; 4] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "metadata.google.internal",
];

/// Whose the errors are that no client can be made for, and that are not of a service's settings.
pub const CLIENT: &str = "client";

/// Makes connections for a service.
#[derive(Debug)]
pub struct Connector {
    pub service: Service,
    pub authorization: Option<HeaderValue>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let is_set = |key| {
            options
                .get_config_value(&key)
                .is_some_and(|value| value == "true")
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("retrace-remote/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .http1_only()
            .danger_accept_invalid_certs(is_set(ClientConfigKey::AllowInvalidCertificates))
            .redirect(reqwest::redirect::Policy::custom(|attempt| {
                let is_plain = attempt.url().scheme() == "http" && !is_loopback(attempt.url());
                if is_plain || attempt.previous().len() > 3 {
                    attempt.stop()
                } else {
                    attempt.follow()
                }
            }));
        let generic = |error: reqwest::Error| {
            let words = trust::without_any(&error);
            let words = words.unwrap_or_else(|| innermost(&error.without_url()));
            object_store::Error::Generic {
                store: CLIENT,
                source: words.into(),
            }
        };
        if let Some(proxy) = options.get_config_value(&ClientConfigKey::ProxyUrl) {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(generic)?);
        }
        Ok(HttpClient::new(Connection {
            client: builder.build().map_err(generic)?,
            is_plain_allowed: is_set(ClientConfigKey::AllowHttp),
            service: self.service,
            authorization: self.authorization.clone(),
        }))
    }
}

#[derive(Debug)]
struct Connection {
    client: reqwest::Client,
    is_plain_allowed: bool,
    service: Service,
    authorization: Option<HeaderValue>,
}

#[async_trait]
impl HttpService for Connection {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let exchange = Exchange::current();
        let (parts, body) = request.into_parts();
        let url: Url = parts
            .uri
            .to_string()
            .parse()
            .map_err(|e| HttpError::new(HttpErrorKind::Unknown, e))?;
        let is_for_credentials = url.host_str().is_some_and(|host| METADATA.contains(&host));
        let lost = move |loss, words: String| Answer::Lost {
            loss,
            words,
            is_for_credentials,
        };
        if url.scheme() == "http"
            && !(self.is_plain_allowed || is_for_credentials || is_loopback(&url))
        {
            let variable = self.service.allows_http();
            let words = format!("http:// is not encrypted: write https://, or set {variable}=true");
            exchange.failed(lost(Loss::Refused, words.clone()));
            return Err(HttpError::new_boxed(HttpErrorKind::Unknown, words.into()));
        }

        let method = parts.method;
        let mut to_send = reqwest::Request::new(method.clone(), url);
        *to_send.headers_mut() = parts.headers;
        if let Some(value) = &self.authorization {
            to_send.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let body = match &exchange.upload {
            Some(upload) if method == Method::PUT => {
                let length = HeaderValue::from(upload.size);
                to_send.headers_mut().insert(CONTENT_LENGTH, length);
                of_file(upload, &exchange).map_err(|e| HttpError::new(HttpErrorKind::Unknown, e))?
            }
            _ => in_pieces(body.collect().await?.to_bytes(), &exchange),
        };
        *to_send.body_mut() = Some(body);

        let response = match self.client.execute(to_send).await {
            Ok(response) => response,
            Err(error) => {
                let (kind, loss, words) = judged(&error);
                exchange.failed(lost(loss, words));
                return Err(HttpError::new(kind, error.without_url()));
            }
        };
        let response: http::Response<reqwest::Body> = response.into();
        let (mut parts, body) = response.into_parts();
        let broken = exchange.clone();
        let body = body.map_err(move |error| {
            broken.failed(lost(Loss::Middle, innermost(&error)));
            HttpError::new(HttpErrorKind::Interrupted, error.without_url())
        });
        // It is the answer for a folder that is there: somebody else has made it since it was missing.
        let is_there = method.as_str() == "MKCOL" && parts.status == StatusCode::METHOD_NOT_ALLOWED;
        if is_there {
            parts.status = StatusCode::OK;
        }
        if parts.status.is_success() {
            let date = parts.headers.get(DATE).and_then(|date| date.to_str().ok());
            exchange.succeeded(date.map(str::to_owned));
            let counted = body.map_frame(move |frame| {
                exchange.has_moved(frame.data_ref().map_or(0, Bytes::len));
                frame
            });
            return Ok(HttpResponse::from_parts(
                parts,
                HttpResponseBody::new(counted),
            ));
        }
        // An answer too long to be one of a store is as good as none.
        let text = Limited::new(body, MOST_OF_AN_ERROR).collect().await;
        let text = text.map(|text| text.to_bytes()).unwrap_or_default();
        exchange.failed(Answer::Status {
            status: parts.status.as_u16(),
            code: code(&parts.headers, &text),
            is_for_credentials,
        });
        Ok(HttpResponse::from_parts(parts, text.into()))
    }
}

/// Whether `object_store` shall try once more, and what happened.
fn judged(error: &reqwest::Error) -> (HttpErrorKind, Loss, String) {
    // It would be the same certificate the next time.
    if error.is_connect()
        && let Some(words) = trust::lacking(error)
    {
        return (HttpErrorKind::Unknown, Loss::Refused, words);
    }
    let (kind, loss) = match (error.is_timeout(), error.is_connect()) {
        // It has cost its time: not again.
        (true, true) => (HttpErrorKind::Unknown, Loss::Slow),
        (false, true) => (HttpErrorKind::Connect, Loss::Connection),
        _ => (HttpErrorKind::Interrupted, Loss::Middle),
    };
    (kind, loss, innermost(error))
}

/// The words of the first cause: those around it name addresses.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// A body of bytes that are there, counted as they go.
fn in_pieces(bytes: Bytes, exchange: &Arc<Exchange>) -> reqwest::Body {
    if bytes.len() <= PIECE {
        exchange.has_moved(bytes.len());
        return bytes.into();
    }
    let exchange = exchange.clone();
    let pieces = (0..bytes.len()).step_by(PIECE).map(move |start| {
        let piece = bytes.slice(start..bytes.len().min(start + PIECE));
        exchange.has_moved(piece.len());
        Ok::<_, std::io::Error>(piece)
    });
    reqwest::Body::wrap_stream(stream::iter(pieces))
}

/// A body that is read from a file as it goes: of a large one, a piece is in memory.
fn of_file(upload: &Upload, exchange: &Arc<Exchange>) -> std::io::Result<reqwest::Body> {
    let file = File::open(&upload.file)?.take(upload.size);
    let exchange = exchange.clone();
    let pieces = std::iter::from_fn({
        let mut file = file;
        move || {
            let mut piece = vec![0; PIECE];
            match file.read(&mut piece) {
                Ok(0) => None,
                Ok(count) => {
                    piece.truncate(count);
                    exchange.has_moved(count);
                    Some(Ok(Bytes::from(piece)))
                }
                Err(error) => Some(Err(error)),
            }
        }
    });
    Ok(reqwest::Body::wrap_stream(stream::iter(pieces)))
}

/// The code of an error: a header of Azure, an element of the others. Nothing that could be more than a word.
fn code(headers: &HeaderMap, text: &[u8]) -> String {
    let header = headers
        .get("x-ms-error-code")
        .and_then(|code| code.to_str().ok());
    let text = String::from_utf8_lossy(text);
    let element = || Some(text.split_once("<Code>")?.1.split_once("</Code>")?.0);
    let code = header.or_else(element).unwrap_or_default().trim();
    let is_word = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
    if is_word {
        code.to_owned()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_word() {
        let of = |text: &str| code(&HeaderMap::new(), text.as_bytes());
        assert_eq!(of("<Error><Code>NoSuchKey</Code><Key>a</Key>"), "NoSuchKey");
        assert_eq!(of("<Code>a secret=x</Code>"), "");
        assert_eq!(of("<html>"), "");
        assert_eq!(of(&format!("<Code>{}</Code>", "a".repeat(65))), "");
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-error-code", HeaderValue::from_static("BlobNotFound"));
        assert_eq!(code(&headers, b""), "BlobNotFound");
    }
}
