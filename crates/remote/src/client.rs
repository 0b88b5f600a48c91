//! The store that a place names, with what the environment says of it.
//!
//! Asks nobody: whether a bucket is there shows at the first request.

use crate::connection::Connector;
use crate::place::{Place, Service};
use http::HeaderValue;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

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
    let url = place.root.as_str();
    let store: object_store::Result<Arc<dyn ObjectStore>> = match service {
        Service::S3 => AmazonS3Builder::from_env()
            .with_url(url)
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
            let mut builder = HttpBuilder::new()
                .with_url(url)
                .with_retry(retry())
                .with_http_connector(connector(authorization()?));
            if let Ok(value) = std::env::var(service.allows_http()) {
                builder = builder.with_config(ClientConfigKey::AllowHttp, value);
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
    };
    store.map_err(|error| {
        let words = error.to_string();
        // Those errors are "Generic SERVICE error: WORDS".
        let words = words
            .split_once(" error: ")
            .map_or(&*words, |(_, rest)| rest);
        let variables = service.credentials();
        let words = without_secrets(words, std::env::vars());
        format!(
            "{} cannot be opened: {words}; check {variables}",
            place.shown
        )
    })
}

/// What says who asks, for a server that has no other way.
fn authorization() -> Result<Option<HeaderValue>, String> {
    let Some(value) = std::env::var_os("RETRACE_HTTP_AUTHORIZATION") else {
        return Ok(None);
    };
    let value = value
        .to_str()
        .and_then(|value| HeaderValue::from_str(value).ok());
    let mut value = value.ok_or("RETRACE_HTTP_AUTHORIZATION is no text for a header of HTTP")?;
    value.set_sensitive(true);
    Ok(Some(value))
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
