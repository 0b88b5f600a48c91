//! The store that a place names, with what the environment says of it.
//!
//! Asks nobody: whether a bucket is there shows at the first request.

use crate::connection::{CLIENT, Connector};
use crate::place::{Place, Service};
use http::{HeaderValue, Uri};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, Error, ObjectStore, RetryConfig};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;
use url::{Position, Url};

/// What is tried once more: a connection that was refused or broke, a server that could not just then.
fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: 1,
        retry_timeout: Duration::from_secs(30),
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_millis(500),
            base: 2.0,
        },
    }
}

/// Opens a place.
///
/// # Errors
/// Words on what the environment lacks.
pub fn open(place: &Place) -> Result<Arc<dyn ObjectStore>, String> {
    let service = place.service;
    let connector = |authorization| Connector {
        service,
        authorization,
    };
    for variable in service.servers() {
        is_of_a_server(variable, std::env::var_os(variable))?;
    }
    let url = place.root.as_str();
    let store: object_store::Result<Arc<dyn ObjectStore>> = match service {
        // One at a time is removed: in the answer to a batch of one, its status would be hidden.
        Service::S3 => AmazonS3Builder::from_env()
            .with_url(url)
            .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
            .with_retry(retry())
            .with_http_connector(connector(None))
            .build()
            .map(|store| Arc::new(store) as _),
        Service::Gcs => GoogleCloudStorageBuilder::from_env()
            .with_url(url)
            .with_retry(retry())
            .with_http_connector(connector(None))
            .build()
            .map(|store| Arc::new(store) as _),
        Service::Azure => MicrosoftAzureBuilder::from_env()
            .with_url(url)
            .with_retry(retry())
            .with_http_connector(connector(None))
            .build()
            .map(|store| Arc::new(store) as _),
        Service::Http => {
            let variable = std::env::var_os("RETRACE_HTTP_AUTHORIZATION");
            let authorization = authorization(&place.root, variable)?;
            let mut builder = HttpBuilder::new()
                .with_url(url)
                .with_retry(retry())
                .with_http_connector(connector(authorization));
            if let Ok(value) = std::env::var(service.allows_http()) {
                builder = builder.with_config(ClientConfigKey::AllowHttp, value);
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
    };
    store.map_err(|error| {
        let is_for_credentials = !matches!(error, Error::Generic { store: CLIENT, .. });
        let words = error.to_string();
        // Those errors are "Generic SERVICE error: WORDS".
        let words = words
            .split_once(" error: ")
            .map_or(&*words, |(_, rest)| rest);
        let words = without_secrets(words, std::env::vars());
        let words = format!("{} cannot be opened: {words}", place.shown);
        match is_for_credentials {
            true => format!("{words}; check {}", service.credentials()),
            false => words,
        }
    })
}

/// Whether a variable, where it says anything, names a server: the library takes what it says for a URL, and breaks
/// off in the middle of a request where it is none.
fn is_of_a_server(variable: &str, text: Option<OsString>) -> Result<(), String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let text = text.to_str().unwrap_or_default();
    let is_url = text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    match is_url && Url::parse(text).is_ok() {
        true => Ok(()),
        false => Err(format!(
            "{variable} is not the URL of a server, as http://HOST:PORT"
        )),
    }
}

/// What says who asks, for a server that has no other way. The variable names the host it is for: a URL may
/// come from a pipeline that somebody else wrote, and who that is shall not hear it.
fn authorization(root: &Url, text: Option<OsString>) -> Result<Option<HeaderValue>, String> {
    let Some(text) = text else {
        return Ok(None);
    };
    let wrong = "RETRACE_HTTP_AUTHORIZATION is not a host and the value of a header, as `cache.example.org Bearer …`";
    let text = text.to_str().ok_or(wrong)?.trim();
    let (host, value) = text.split_once(' ').ok_or(wrong)?;
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong)?;
    value.set_sensitive(true);
    // Without the port that is meant anyway.
    let authority = &root[Position::BeforeHost..Position::AfterPort];
    Ok((host == authority).then_some(value))
}

/// Words of a library, without the values of variables that may hold secrets.
fn without_secrets(words: &str, variables: impl Iterator<Item = (String, String)>) -> String {
    let mut words = words.to_owned();
    for (name, value) in variables {
        let is_ours = ["AWS_", "GOOGLE_", "AZURE_", "RETRACE_"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_ours && value.len() >= 6 && words.contains(&value) {
            words = words.replace(&value, &format!("(what {name} says)"));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_that_is_named_hears_who_asks() {
        let of = |url: &str, text: &str| {
            let value = authorization(&Url::parse(url).unwrap(), Some(text.into()));
            value.map(|value| value.map(|value| value.to_str().unwrap().to_owned()))
        };
        let value = Ok(Some("Basic a b".to_owned()));
        assert_eq!(of("https://h.org", "h.org Basic a b"), value);
        assert_eq!(of("https://h.org:443", " h.org  Basic a b\n"), value);
        assert_eq!(
            of("http://127.0.0.1:8080", "127.0.0.1:8080 Basic a b"),
            value
        );
        for url in [
            "https://evil.org",
            "https://h.org.evil.org",
            "https://h.org:8080",
            "https://a.h.org",
        ] {
            assert_eq!(of(url, "h.org Basic a b"), Ok(None), "{url}");
        }
        assert!(of("https://h.org", "hunter2").is_err_and(|words| !words.contains("hunter2")));
        assert!(of("https://h.org", "h.org a\nb").is_err());
    }

    #[test]
    fn values_of_the_environment_are_not_repeated() {
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_KEY", "hunter22"),
            ("HOME", "Unable"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let words = without_secrets("Unable to decode hunter22", variables.into_iter());
        assert_eq!(
            words,
            "Unable to decode (what AZURE_STORAGE_ACCOUNT_KEY says)"
        );
    }
}
