//! The verbs: how large and how old an object is, its bytes into a file, a file into it, what there is, and removal.
//!
//! Names and bytes: whether they are the right ones, the first program finds out. An object is put there by
//! one request, or in parts that are nothing until the last was taken, so it is there wholly or not at all.

use crate::exchange::{Exchange, Upload};
use crate::failure::{self, Failure, FailureKind};
use crate::patience::{QUIET, SHORT, patiently};
use crate::place::{Place, Service};
use crate::protocol::{Listed, Outcome, Verb};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// A larger file goes in parts of this size: so much of each of sixteen is in memory. S3 takes 10,000 parts.
const PART: u64 = 8 << 20;
/// How long the end of an upload that failed may take.
const ABORT: Duration = Duration::from_secs(2);

type Found<T> = Result<T, Failure>;

/// A place and its store.
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    place: Place,
    /// The bucket has been seen: what is absent is absent in it.
    is_there: AtomicBool,
    finding_out: Mutex<()>,
    /// The last that was heard of it is that it says nothing.
    is_silent: AtomicBool,
}

/// What stopped a transfer: the store, the file on this side, or a size.
enum Stop {
    Store(object_store::Error),
    File(std::io::Error),
    TooLarge(u64),
}

impl From<object_store::Error> for Stop {
    fn from(error: object_store::Error) -> Self {
        Stop::Store(error)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Stop::File(error)
    }
}

impl Remote {
    pub fn new(store: Arc<dyn ObjectStore>, place: Place) -> Self {
        Remote {
            store,
            place,
            is_there: AtomicBool::new(false),
            finding_out: Mutex::new(()),
            is_silent: AtomicBool::new(false),
        }
    }

    /// The place as messages show it.
    pub fn shown(&self) -> &str {
        &self.place.shown
    }

    /// Does what a request asks for; `tell` hears how many bytes have moved.
    pub async fn answer(&self, verb: Verb, tell: impl Fn(u64)) -> Outcome {
        let found = |size: Option<u64>| size.map_or(Outcome::Absent(true), Outcome::Bytes);
        let outcome = match verb {
            Verb::Look { name } => self.look(&name, tell).await.map(|object| match object {
                Some(object) => Outcome::Listed(vec![object]),
                None => Outcome::Absent(true),
            }),
            Verb::Get { name, file, most } => self.get(&name, file, most, tell).await.map(found),
            Verb::Put { name, file } => self
                .put(&name, file, tell)
                .await
                .map(|()| Outcome::Done(true)),
            Verb::List { prefix } => self.list(&prefix, tell).await.map(Outcome::Listed),
            Verb::Remove { name } => self.remove(&name, tell).await.map(|()| Outcome::Done(true)),
        };
        outcome.unwrap_or_else(Outcome::Failed)
    }

    async fn look(&self, name: &str, tell: impl Fn(u64)) -> Found<Option<Listed>> {
        let object = self.object(name)?;
        let exchange = Arc::new(Exchange::default());
        let work = async { Ok(self.store.head(&object).await?) };
        let found = self.asked(&exchange, &tell, work).await;
        if found.is_err() && failure::is_unexplained(exchange.answer().as_ref()) {
            // Nor does it tell an object that may be absent from credentials that are none.
            let exchange = Arc::new(Exchange::default());
            let work = async { Ok(self.store.get(&object).await?.meta) };
            let found = self.of_one(&exchange, &tell, work).await?;
            let now = now(&exchange);
            return Ok(found.and_then(|object| self.listed(object, now)));
        }
        let mut found = found?;
        if found.is_none() && !self.is_there.load(Ordering::Relaxed) {
            // An answer without a body does not tell a missing object from a missing bucket. One of those who
            // ask at once finds out.
            let _turn = self.finding_out.lock().await;
            if !self.is_there.load(Ordering::Relaxed) {
                let work = async { Ok(self.store.get(&object).await?.meta) };
                found = self.of_one(&exchange, &tell, work).await?;
                self.is_there.store(true, Ordering::Relaxed);
            }
        }
        let now = now(&exchange);
        Ok(found.and_then(|object| self.listed(object, now)))
    }

    async fn get(
        &self,
        name: &str,
        file: PathBuf,
        most: u64,
        tell: impl Fn(u64),
    ) -> Found<Option<u64>> {
        let object = self.object(name)?;
        let work = async {
            let answer = self.store.get(&object).await?;
            if answer.meta.size > most {
                return Err(Stop::TooLarge(answer.meta.size));
            }
            // It is there: who has given up has removed it, and shall not have it again.
            let mut copy = File::options().write(true).truncate(true).open(&file)?;
            let mut size = 0;
            let mut pieces = answer.into_stream();
            while let Some(piece) = pieces.try_next().await? {
                size += piece.len() as u64;
                // Whatever was announced.
                if size > most {
                    return Err(Stop::TooLarge(size));
                }
                copy.write_all(&piece)?;
            }
            Ok(size)
        };
        self.of_one(&Arc::new(Exchange::default()), &tell, work)
            .await
    }

    async fn put(&self, name: &str, file: PathBuf, tell: impl Fn(u64)) -> Found<()> {
        let object = self.object(name)?;
        let of_file = |error| unreadable(&file, &error);
        let size = std::fs::metadata(&file).map_err(of_file)?.len();
        if self.place.service == Service::Http {
            let file = file.clone();
            let exchange = Exchange::uploading(Upload { file, size });
            let work = async {
                self.store.put(&object, Vec::new().into()).await?;
                Ok(())
            };
            return self.done(exchange, &tell, work).await;
        }
        if size <= PART {
            let content = std::fs::read(&file).map_err(of_file)?;
            let work = async {
                self.store.put(&object, content.into()).await?;
                Ok(())
            };
            return self.done(Exchange::default(), &tell, work).await;
        }
        let work = async { Ok(self.store.put_multipart(&object).await?) };
        let mut upload = self.done(Exchange::default(), &tell, work).await?;
        let work = async {
            let mut source = File::open(&file)?;
            loop {
                let mut part = Vec::new();
                if Read::by_ref(&mut source)
                    .take(PART)
                    .read_to_end(&mut part)?
                    == 0
                {
                    break;
                }
                upload.put_part(part.into()).await?;
            }
            upload.complete().await?;
            Ok(())
        };
        let outcome = self.done(Exchange::default(), &tell, work).await;
        if outcome.is_err() {
            // Else its parts would stay there, and be paid for. Who lost the connection cannot.
            let _ = tokio::time::timeout(ABORT, upload.abort()).await;
        }
        outcome
    }

    async fn list(&self, prefix: &str, tell: impl Fn(u64)) -> Found<Vec<Listed>> {
        let below = self.below(prefix)?;
        let exchange = Arc::new(Exchange::default());
        let work = async {
            match self.place.service {
                Service::Http => Ok(self.walk(below).await?),
                // All of a bucket has no prefix, also not an empty one.
                _ => {
                    let prefix = (!below.as_ref().is_empty()).then_some(&below);
                    Ok(self.store.list(prefix).try_collect().await?)
                }
            }
        };
        let objects: Option<Vec<ObjectMeta>> = self.asked(&exchange, &tell, work).await?;
        let now = now(&exchange);
        let listed = |object| self.listed(object, now);
        let mut listed: Vec<Listed> = objects.into_iter().flatten().filter_map(listed).collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// An object as it is listed; `None` where its name is nobody's here.
    fn listed(&self, object: ObjectMeta, now: DateTime<Utc>) -> Option<Listed> {
        let age = now.signed_duration_since(object.last_modified);
        Some(Listed {
            name: self.place.name_of(&object.location)?,
            size: object.size,
            age_s: u64::try_from(age.num_seconds()).unwrap_or(0),
        })
    }

    /// Folder by folder: servers of WebDAV refuse to list all that is below one at once.
    async fn walk(&self, below: Path) -> object_store::Result<Vec<ObjectMeta>> {
        let mut objects = Vec::new();
        let mut folders = vec![below];
        while let Some(folder) = folders.pop() {
            let found = self.store.list_with_delimiter(Some(&folder)).await?;
            objects.extend(found.objects);
            // A server that names a folder as below itself would never end.
            folders.extend(found.common_prefixes.into_iter().filter(|inner| {
                inner.prefix_matches(&folder) && inner.parts_count() > folder.parts_count()
            }));
        }
        Ok(objects)
    }

    async fn remove(&self, name: &str, tell: impl Fn(u64)) -> Found<()> {
        let object = self.object(name)?;
        let work = async { Ok(self.store.delete(&object).await?) };
        self.found(Exchange::default(), &tell, work).await?;
        Ok(())
    }

    fn object(&self, name: &str) -> Found<Path> {
        if name.is_empty() {
            return Err(no_name());
        }
        self.below(name)
    }

    /// As [`Remote::object`]; no name is all of the place.
    fn below(&self, name: &str) -> Found<Path> {
        self.place.object(name).map_err(|_| no_name())
    }

    /// Work on an object that may be absent.
    async fn found<T>(
        &self,
        exchange: Exchange,
        tell: &impl Fn(u64),
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Found<Option<T>> {
        self.asked(&Arc::new(exchange), tell, work).await
    }

    /// Work that reads one object, which may be absent, also where the store does not say so.
    async fn of_one<T>(
        &self,
        exchange: &Arc<Exchange>,
        tell: &impl Fn(u64),
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Found<Option<T>> {
        let found = self.asked(exchange, tell, work).await;
        found.map_err(|failure| match failure.kind {
            FailureKind::Denied if failure::is_forbidden(exchange.answer().as_ref()) => {
                failure::forbidden(&self.place)
            }
            _ => failure,
        })
    }

    /// Work that has no use for an absent object.
    async fn done<T>(
        &self,
        exchange: Exchange,
        tell: &impl Fn(u64),
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Found<T> {
        let exchange = Arc::new(exchange);
        let outcome = self.asked(&exchange, tell, work).await?;
        outcome.ok_or_else(|| {
            let (shown, container) = (&self.place.shown, self.place.service.container());
            let words =
                format!("{shown}: there is no such {container}; make it, or correct the URL");
            Failure::new(FailureKind::Other, words)
        })
    }

    async fn asked<T>(
        &self,
        exchange: &Arc<Exchange>,
        tell: &impl Fn(u64),
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Found<Option<T>> {
        let quiet = match self.is_silent.load(Ordering::Relaxed) {
            true => SHORT,
            false => QUIET,
        };
        let outcome = patiently(exchange, quiet, tell, exchange.during(work)).await;
        self.is_silent.store(outcome.is_none(), Ordering::Relaxed);
        let answer = exchange.answer();
        match outcome {
            None => Err(Failure::silent(&self.place, quiet.as_secs())),
            Some(Ok(outcome)) => {
                self.is_there.store(true, Ordering::Relaxed);
                Ok(Some(outcome))
            }
            Some(Err(Stop::Store(error))) if failure::is_absent(answer.as_ref(), &error) => {
                Ok(None)
            }
            Some(Err(Stop::Store(error))) => {
                Err(failure::told(&self.place, answer.as_ref(), &error))
            }
            Some(Err(Stop::File(error))) => Err(Failure::new(
                FailureKind::Local,
                format!("the file on this side: {error}"),
            )),
            Some(Err(Stop::TooLarge(size))) => Err(Failure::new(
                FailureKind::TooLarge,
                format!(
                    "{} has an object of {size} bytes, more than it should have",
                    self.place.shown
                ),
            )),
        }
    }
}

/// The server's time, as its last answer told it; else this machine's.
fn now(exchange: &Exchange) -> DateTime<Utc> {
    let date = exchange.date();
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    date.map_or_else(
        || DateTime::from(std::time::SystemTime::now()),
        |date| date.with_timezone(&Utc),
    )
}

fn no_name() -> Failure {
    Failure::new(FailureKind::Other, "not a name of the store")
}

fn unreadable(file: &std::path::Path, error: &std::io::Error) -> Failure {
    let words = format!("cannot read {}: {error}", file.display());
    Failure::new(FailureKind::Local, words)
}
