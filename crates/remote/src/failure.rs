//! What goes wrong with a store, in words for who runs it.
//!
//! Told by what the server answered last ([`Answer`]), as the errors of `object_store` hold whole answers
//! and addresses: nothing of those is passed on but a status and a code.

use crate::exchange::{Answer, Loss};
use crate::place::{Place, Service};
use object_store::Error;
use serde::Serialize;

/// What kind of failure it is; decides what the first program does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    Unreachable,
    Denied,
    /// This object may not be read, or is not there and that is not said; the credentials are known.
    Forbidden,
    Full,
    TooLarge,
    /// The file on this side.
    Local,
    Other,
}

/// A failure: its kind, and words without credentials.
#[derive(Debug, Serialize)]
pub struct Failure {
    pub kind: FailureKind,
    pub words: String,
}

impl Failure {
    pub fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        let words = words.into();
        Failure { kind, words }
    }

    /// Nothing came or went for too long.
    pub fn silent(place: &Place, seconds: u64) -> Self {
        let shown = &place.shown;
        let words = format!("{shown} has not moved a byte for {seconds} s");
        Failure::new(FailureKind::Unreachable, words)
    }
}

/// Codes of services for credentials that are wrong or too old, where the status says less.
const DENIED: [&str; 8] = [
    "AccessDenied",
    "AuthenticationFailed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
];
/// The code of S3 and GCS where known credentials, or none, may not do it: an object that is absent has it too where the
/// bucket may not be listed. It says nothing of the credentials, as do the others of [`DENIED`].
const NOT_ALLOWED: &str = "AccessDenied";
/// Codes for a store that takes no more.
const FULL: [&str; 6] = [
    "EntityTooLarge",
    "InsufficientCapacity",
    "QuotaExceeded",
    "RequestBodyTooLarge",
    "StorageFull",
    "XMinioStorageFull",
];
/// Codes for a bucket that is not there, which is no miss but a wrong URL.
const NO_CONTAINER: [&str; 3] = ["ContainerNotFound", "NoSuchBucket", "InvalidBucketName"];

/// Whether the object, and not all of its bucket, is what is not there.
pub fn is_absent(answer: Option<&Answer>, error: &Error) -> bool {
    match answer {
        Some(Answer::Status { status, code, .. }) => {
            matches!(status, 404 | 410) && !NO_CONTAINER.contains(&code.as_str())
        }
        Some(Answer::Lost { .. }) => false,
        None => matches!(error, Error::NotFound { .. }),
    }
}

/// Whether the answer is that an object may not be had, where who asks is known: it may also be absent. An answer without
/// a body has no code and so does not say it.
pub fn is_forbidden(answer: Option<&Answer>) -> bool {
    matches!(answer, Some(Answer::Status { status: 403, code, is_for_credentials: false }) if code == NOT_ALLOWED)
}

/// Whether the answer is a refusal that does not say why.
pub fn is_unexplained(answer: Option<&Answer>) -> bool {
    matches!(answer, Some(Answer::Status { status: 403, code, is_for_credentials: false }) if code.is_empty())
}

/// What that means for who asked for the object.
pub fn forbidden(place: &Place) -> Failure {
    let (shown, variables) = (&place.shown, place.service.credentials());
    let words = format!(
        "{shown} does not give it (it answers 403 {NOT_ALLOWED}): it is absent, or may not be read with {variables}"
    );
    Failure::new(FailureKind::Forbidden, words)
}

/// The status of what is removed from Azure: one part of an answer that is itself a success.
fn status_of_part(error: &Error) -> Option<u16> {
    let words = error.to_string();
    let (_, code) = words.rsplit_once("(code: ")?;
    code.split_once(')')?.0.parse().ok()
}

/// What the last answer means for who asked.
pub fn told(place: &Place, answer: Option<&Answer>, error: &Error) -> Failure {
    let shown = &place.shown;
    match answer {
        Some(Answer::Status {
            status,
            code,
            is_for_credentials,
        }) => {
            if *is_for_credentials {
                return without_credentials(place);
            }
            let said = match code.as_str() {
                "" => format!("it answers {status}"),
                code => format!("it answers {status} {code}"),
            };
            of_status(place, *status, code, &said)
        }
        Some(Answer::Lost {
            is_for_credentials: true,
            ..
        }) => without_credentials(place),
        Some(Answer::Lost { loss, words, .. }) => match loss {
            Loss::Slow => Failure::new(
                FailureKind::Unreachable,
                format!("{shown} cannot be reached: no connection within 2 s"),
            ),
            Loss::Connection => Failure::new(
                FailureKind::Unreachable,
                format!("{shown} cannot be reached: {words}"),
            ),
            Loss::Middle => Failure::new(
                FailureKind::Unreachable,
                format!("{shown} broke off: {words}"),
            ),
            Loss::Refused => Failure::new(FailureKind::Other, format!("{shown}: {words}")),
        },
        None => {
            let words = match (error, status_of_part(error)) {
                (_, Some(status)) => {
                    return of_status(place, status, "", &format!("it answers {status}"));
                }
                (Error::NotImplemented { .. } | Error::NotSupported { .. }, _) => {
                    format!("{shown} cannot do this")
                }
                (Error::InvalidPath { .. }, _) => "not a name of the store".to_owned(),
                _ => format!("{shown} answers what nobody understands: is it such a store?"),
            };
            Failure::new(FailureKind::Other, words)
        }
    }
}

fn of_status(place: &Place, status: u16, code: &str, said: &str) -> Failure {
    let (shown, service) = (&place.shown, place.service);
    let container = service.container();
    let is_one_of = |codes: &[&str]| codes.contains(&code);
    let (kind, words) = if is_one_of(&NO_CONTAINER) {
        let words =
            format!("{shown}: there is no such {container} ({said}); make it, or correct the URL");
        (FailureKind::Other, words)
    } else if is_one_of(&FULL) || matches!(status, 413 | 507) {
        let words = format!("{shown} takes no more ({said}): free space there, or raise its quota");
        (FailureKind::Full, words)
    } else if is_one_of(&DENIED) || matches!(status, 401 | 403 | 407) {
        let variables = service.credentials();
        let words = format!(
            "{shown} refuses these credentials, or they have expired ({said}): check {variables}, and what they may do there"
        );
        (FailureKind::Denied, words)
    } else if matches!(status, 408 | 429 | 500..=599) && !matches!(status, 501 | 505) {
        let words = format!("{shown} does not work now ({said})");
        (FailureKind::Unreachable, words)
    } else if matches!(status, 300..=399) {
        let words = match service {
            Service::S3 => {
                format!("{shown} is somewhere else ({said}): set AWS_REGION to the bucket's region")
            }
            _ => format!("{shown} is somewhere else ({said}): correct the URL"),
        };
        (FailureKind::Other, words)
    } else if matches!(status, 404 | 409 | 410) {
        let words =
            format!("{shown}: there is no such {container} ({said}); make it, or correct the URL");
        (FailureKind::Other, words)
    } else if matches!(status, 405 | 501) {
        let words = format!("{shown} cannot do this ({said}): is it such a store?");
        (FailureKind::Other, words)
    } else {
        (FailureKind::Other, format!("{shown} refuses ({said})"))
    };
    Failure::new(kind, words)
}

fn without_credentials(place: &Place) -> Failure {
    let (shown, variables) = (&place.shown, place.service.credentials());
    let words = format!("{shown}: there are no credentials: set {variables}");
    Failure::new(FailureKind::Denied, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str) -> (FailureKind, String) {
        let place = Place::parse("s3://cache/a").unwrap();
        let answer = Answer::Status {
            status,
            code: code.to_owned(),
            is_for_credentials: false,
        };
        let error = Error::NotImplemented {
            operation: "secret".to_owned(),
            implementer: "secret".to_owned(),
        };
        let failure = told(&place, Some(&answer), &error);
        assert!(failure.words.contains("s3://cache/a"), "{}", failure.words);
        (failure.kind, failure.words)
    }

    #[test]
    fn every_answer_has_a_kind() {
        for (status, code, kind) in [
            (401, "", FailureKind::Denied),
            (403, "AccessDenied", FailureKind::Denied),
            (400, "ExpiredToken", FailureKind::Denied),
            (507, "", FailureKind::Full),
            (413, "", FailureKind::Full),
            (400, "EntityTooLarge", FailureKind::Full),
            (403, "QuotaExceeded", FailureKind::Full),
            (500, "InternalError", FailureKind::Unreachable),
            (503, "SlowDown", FailureKind::Unreachable),
            (429, "", FailureKind::Unreachable),
            (404, "NoSuchBucket", FailureKind::Other),
            (301, "PermanentRedirect", FailureKind::Other),
            (501, "NotImplemented", FailureKind::Other),
            (400, "BadDigest", FailureKind::Other),
        ] {
            assert_eq!(of(status, code).0, kind, "{status} {code}");
        }
        assert!(of(404, "NoSuchBucket").1.contains("no such bucket"));
        assert!(of(301, "").1.contains("AWS_REGION"));
        assert!(of(403, "").1.contains("AWS_SESSION_TOKEN"));
    }

    #[test]
    fn only_a_plain_refusal_may_be_an_absent_object() {
        let is = |status, code: &str, is_for_credentials| {
            let code = code.to_owned();
            let answer = Answer::Status {
                status,
                code,
                is_for_credentials,
            };
            (is_forbidden(Some(&answer)), is_unexplained(Some(&answer)))
        };
        assert_eq!(is(403, "AccessDenied", false), (true, false));
        assert_eq!(is(403, "", false), (false, true));
        for (status, code, of_machine) in [
            (401, "AccessDenied", false),
            (401, "", false),
            (403, "AccessDenied", true),
            (403, "InvalidAccessKeyId", false),
            (403, "SignatureDoesNotMatch", false),
            (403, "ExpiredToken", false),
            (403, "AuthenticationFailed", false),
            (404, "", false),
        ] {
            let is = is(status, code, of_machine);
            assert_eq!(is, (false, false), "{status} {code}");
        }
        assert_eq!((is_forbidden(None), is_unexplained(None)), (false, false));
    }

    #[test]
    fn a_missing_bucket_is_no_missing_object() {
        let answer = |code: &str| Answer::Status {
            status: 404,
            code: code.to_owned(),
            is_for_credentials: false,
        };
        let other = Error::NotImplemented {
            operation: String::new(),
            implementer: String::new(),
        };
        let is = |code| is_absent(Some(&answer(code)), &other);
        assert!(is("NoSuchKey") && is("") && !is("NoSuchBucket"));
        assert!(!is_absent(None, &other));
    }
}
