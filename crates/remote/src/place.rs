//! Where a store is: what the forms of its URL mean.
//!
//! Opens nothing. A URL with credentials in it is refused, as every list of processes would show them.

use object_store::path::Path;
use url::{Host, Url};

/// Who keeps the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    S3,
    Gcs,
    Azure,
    /// WebDAV, or any server that takes GET, HEAD, PUT and DELETE.
    Http,
}

impl Service {
    /// Which variables hold the credentials.
    pub fn credentials(self) -> &'static str {
        match self {
            Service::S3 => {
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN"
            }
            Service::Gcs => "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT, a file",
            Service::Azure => {
                "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY"
            }
            Service::Http => "RETRACE_HTTP_AUTHORIZATION, as `HOST Basic …` or `HOST Bearer …`",
        }
    }

    /// The variable that allows connections without encryption.
    pub fn allows_http(self) -> &'static str {
        match self {
            Service::S3 => "AWS_ALLOW_HTTP",
            Service::Gcs => "GOOGLE_ALLOW_HTTP",
            Service::Azure => "AZURE_ALLOW_HTTP",
            Service::Http => "ALLOW_HTTP",
        }
    }

    /// The variables that may name another server than the service's own.
    pub fn servers(self) -> &'static [&'static str] {
        match self {
            Service::S3 => &["AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"],
            Service::Gcs => &["GOOGLE_BASE_URL"],
            Service::Azure => &["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"],
            Service::Http => &[],
        }
    }

    /// What such a service calls its outermost folder.
    pub fn container(self) -> &'static str {
        match self {
            Service::S3 | Service::Gcs => "bucket",
            Service::Azure => "container",
            Service::Http => "folder",
        }
    }
}

/// A folder of a service.
#[derive(Debug)]
pub struct Place {
    pub service: Service,
    /// Without the folder.
    pub root: Url,
    /// The folder, below the bucket or the host.
    pub folder: Path,
    /// The URL as messages show it.
    pub shown: String,
}

impl Place {
    /// What a URL means.
    ///
    /// # Errors
    /// Words on what is wrong with it, without what may be a secret.
    pub fn parse(text: &str) -> Result<Place, String> {
        let form =
            "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or https://HOST/PATH";
        let mut url = Url::parse(text)
            .map_err(|e| format!("the store's URL cannot be read: {e}; one is {form}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the store's URL has a name or password before an @, where everybody sees it: credentials belong into the environment".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the store's URL has a ? or #: a place is only a host or bucket and a path, and credentials belong into the environment".to_owned());
        }
        let service = match url.scheme() {
            "s3" => Service::S3,
            "gs" => Service::Gcs,
            "az" => Service::Azure,
            "http" | "https" => Service::Http,
            scheme => return Err(format!("{scheme}:// is no store; one is {form}")),
        };
        let host = url.host_str().unwrap_or_default();
        if host.is_empty() {
            let container = service.container();
            return Err(format!(
                "the store's URL names no {container}; one is {form}"
            ));
        }
        if service == Service::Http
            && let Some(better) = better_form(host)
        {
            return Err(format!("{host} does not speak WebDAV: write {better}"));
        }
        let folder = Path::from_url_path(url.path())
            .map_err(|_| "the store's URL has a path with empty parts, `.` or `..`".to_owned())?;
        let shown = url.as_str().trim_end_matches('/').to_owned();
        url.set_path("");
        Ok(Place {
            service,
            root: url,
            folder,
            shown,
        })
    }

    /// Where an object of that name is; no name is the place itself.
    ///
    /// # Errors
    /// Not a plain relative name.
    pub fn object(&self, name: &str) -> Result<Path, object_store::path::Error> {
        Path::parse(format!("{}/{name}", self.folder))
    }

    /// The name of what is there, if it is below this place.
    pub fn name_of(&self, object: &Path) -> Option<String> {
        let parts: Vec<_> = object.prefix_match(&self.folder)?.collect();
        let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

/// How a service is named that has a protocol of its own.
fn better_form(host: &str) -> Option<&'static str> {
    let of = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    if of("amazonaws.com") || of("r2.cloudflarestorage.com") {
        Some("s3://BUCKET/PREFIX, with AWS_ENDPOINT_URL where it is not Amazon's")
    } else if of("storage.googleapis.com") {
        Some("gs://BUCKET/PREFIX")
    } else if of("blob.core.windows.net") || of("dfs.core.windows.net") {
        Some("az://CONTAINER/PREFIX, with AZURE_STORAGE_ACCOUNT_NAME")
    } else {
        None
    }
}

/// Whether a URL leads to this machine and nowhere else.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_url_have_a_service_and_a_folder() {
        for (text, service, folder, shown) in [
            ("s3://cache", Service::S3, "", "s3://cache"),
            ("s3://cache/a/b/", Service::S3, "a/b", "s3://cache/a/b"),
            ("gs://cache/a", Service::Gcs, "a", "gs://cache/a"),
            ("az://cache/a", Service::Azure, "a", "az://cache/a"),
            (
                "https://h.org/dav/a",
                Service::Http,
                "dav/a",
                "https://h.org/dav/a",
            ),
            ("http://[::1]:80/a", Service::Http, "a", "http://[::1]/a"),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!(place.service, service, "{text}");
            assert_eq!(place.folder.as_ref(), folder, "{text}");
            assert_eq!(place.shown, shown, "{text}");
            let object = place.object("objects/ab/cd").unwrap();
            assert_eq!(place.name_of(&object).unwrap(), "objects/ab/cd", "{text}");
            assert_eq!(place.name_of(&place.folder), None, "{text}");
        }
        let place = Place::parse("s3://cache/a").unwrap();
        assert_eq!(place.name_of(&Path::from("ab/c")), None);
        assert!(place.object("../b").is_err());
        assert_eq!(place.object("").unwrap(), place.folder);
    }

    #[test]
    fn a_url_with_a_secret_is_refused_without_repeating_it() {
        for (text, words) in [
            ("https://me:hunter2@h.org/a", "before an @"),
            ("s3://hunter2@cache/a", "before an @"),
            ("https://h.org/a?sig=hunter2", "a ? or #"),
            ("https://h.org/a#hunter2", "a ? or #"),
            ("ftp://h.org/hunter2", "ftp:// is no store"),
            ("hunter2", "cannot be read"),
            ("s3:///hunter2", "names no bucket"),
            ("s3://cache/../hunter2//a", "empty parts"),
            ("https://b.s3.amazonaws.com/hunter2", "write s3://"),
            ("https://storage.googleapis.com/hunter2", "write gs://"),
            ("https://x.blob.core.windows.net/hunter2", "write az://"),
        ] {
            let told = Place::parse(text).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let is = |text: &str| is_loopback(&Url::parse(text).unwrap());
        assert!(is("http://127.0.0.1:9/") && is("http://localhost/") && is("http://[::1]/"));
        assert!(!is("http://127.0.0.1.example.org/") && !is("http://10.0.0.1/"));
    }
}
