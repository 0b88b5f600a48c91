//! What `clean` removes: files that were made and recorded here, and folders that are empty then.
//!
//! A file goes if its bytes are those that the lock beside it or the action cache recorded, at a path
//! that a stage has or had. What was edited, what somebody put there, and whatever a link leads to
//! stays, and is named. Records go after the files that they tell of, and what marks the cache goes
//! last: a removal that was cut short is finished by the next.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::base::files::{self, is_link, is_temporary};
use crate::base::location::{is_plain_file, is_plain_folder, link_on_the_way};
use crate::lock::file::Lock;
use crate::run::plan::Context;
use crate::stage::stage::OUTPUT_FOLDERS;
use crate::store::cache_folder::{FILES, OWNER};
use crate::store::content::list;
use crate::store::history;
use crate::store::variation;
use crate::store::workspace::{KEYS_FILE, LOCK_FILE, Outputs, Workspace};
use crate::upkeep::confirm;
use crate::upkeep::scratch::abandoned;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Intermediate artifacts go below this folder.
const INTERMEDIATE: &str = OUTPUT_FOLDERS[1];

/// What goes of one folder.
#[derive(Debug, Default)]
pub struct Removal {
    pub folder: PathBuf,
    /// In the order in which they go; a folder among them is scratch space.
    pub files: Vec<PathBuf>,
    /// Those that go where they are empty then, the inner ones first.
    folders: Vec<PathBuf>,
    /// What marks the folder, and goes when all else is gone; then the folder itself goes.
    marks: Vec<PathBuf>,
    /// What is there and was not made here.
    pub left: Vec<PathBuf>,
}

/// What `clean` removes: of the default the intermediate artifacts and the cache; of a profile or `--set`
/// its own outputs alone. Looks, and removes nothing.
///
/// # Errors
///
/// A link on the way to an output; a folder that cannot be listed.
pub fn plan(context: &Context) -> Result<Vec<Removal>> {
    let workspace = context.workspace;
    let out = &workspace.out;
    let outputs = match workspace.outputs() {
        Outputs::Variant => Of::new(context, out, true)?.everything()?,
        _ => Of::new(context, out, false)?.of(&[INTERMEDIATE])?,
    };
    let mut plan = vec![outputs];
    if matches!(
        workspace.outputs(),
        Outputs::Committed | Outputs::Named { modified: false }
    ) {
        plan.push(cache(context)?);
    }
    plan.retain(|removal| is_plain_folder(&removal.folder));
    Ok(plan)
}

/// What goes with a folder of outputs below the cache, whatever profile or `--set` made it: all that was made
/// there. Looks, and removes nothing.
///
/// # Errors
///
/// A link on the way to an output; a folder that cannot be listed.
pub fn of_variation(context: &Context, folder: &Path) -> Result<Removal> {
    Of::new(context, folder, true)?.everything()
}

/// Whether none of the folders is there of which something could go.
pub fn is_nothing_there(workspace: &Workspace) -> bool {
    let (cache, out) = (&workspace.cache, &workspace.out);
    let intermediate = out.join(INTERMEDIATE);
    let folders: &[&PathBuf] = match workspace.outputs() {
        Outputs::Variant => &[out],
        Outputs::Named { modified: true } => &[&intermediate],
        _ => &[&intermediate, cache],
    };
    !folders.iter().any(|folder| folder.exists())
}

impl Removal {
    /// Whether nothing of the folder stays.
    pub fn is_whole(&self) -> bool {
        self.left.is_empty()
    }

    /// Removes.
    ///
    /// # Errors
    ///
    /// A file that cannot be removed.
    pub fn execute(&self) -> Result<()> {
        self.files.iter().try_for_each(|path| remove_file(path))?;
        let folders = self.folders.iter();
        folders
            .clone()
            .try_for_each(|path| self.remove_folder(path))?;
        self.marks.iter().try_for_each(|path| remove_file(path))?;
        match self.marks.is_empty() {
            true => Ok(()),
            false => self.remove_folder(&self.folder),
        }
    }

    fn remove_folder(&self, folder: &Path) -> Result<()> {
        match fs::remove_dir(folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            // Something stays in it.
            Err(_) if !self.is_whole() => Ok(()),
            Err(e) => Err(Error::io("remove", folder, &e)),
            Ok(()) => Ok(()),
        }
    }
}

/// Removes what was looked at a moment ago, and is no link now either.
fn remove_file(path: &Path) -> Result<()> {
    match path.is_symlink() {
        true => Ok(()),
        false => files::remove(path),
    }
}

/// The outputs in one folder, and what is known of them.
struct Of<'a> {
    context: &'a Context<'a>,
    out: &'a Path,
    /// What a lock records: paths with the digests of the files there.
    recorded: BTreeMap<PathBuf, BTreeSet<Digest>>,
    /// Paths that the pipeline has now.
    declared: BTreeSet<&'a Path>,
    /// Whether the folder is the cache's, so that every result in it is ours.
    is_inside: bool,
    /// Whether it goes with the whole cache: then a link in it is one more thing that stays.
    is_part: bool,
}

impl<'a> Of<'a> {
    fn new(context: &'a Context<'a>, out: &'a Path, is_inside: bool) -> Result<Self> {
        let mut recorded: BTreeMap<PathBuf, BTreeSet<Digest>> = BTreeMap::new();
        // One that cannot be read tells nothing, and forbids nothing.
        let lock = Lock::read(&out.join(LOCK_FILE)).unwrap_or_default();
        for record in lock
            .stages
            .values()
            .flat_map(|block| block.outputs.values())
        {
            let digests = recorded.entry(PathBuf::from(&record.path)).or_default();
            digests.extend([record.digest, record.file_digest()]);
        }
        let stages = context.pipeline.stages.iter();
        let outputs = stages.flat_map(|stage| &stage.outputs);
        Ok(Of {
            context,
            out,
            recorded,
            declared: outputs.map(|(_, path)| path.as_path()).collect(),
            is_inside,
            is_part: false,
        })
    }

    /// Everything that a run writes there, the lock included.
    fn everything(&self) -> Result<Removal> {
        let mut removal = self.of(&OUTPUT_FOLDERS)?;
        removal.folder = self.out.to_owned();
        removal.files.extend(files::temporaries(self.out, false));
        for name in [KEYS_FILE, LOCK_FILE, variation::FILE] {
            let path = self.out.join(name);
            if is_plain_file(&path) {
                removal.files.push(path);
            }
        }
        removal.folders.push(self.out.to_owned());
        if is_plain_folder(self.out) {
            for path in list(self.out)? {
                let is_known = removal.files.contains(&path) || removal.folders.contains(&path);
                if !is_known && !removal.left.contains(&path) {
                    removal.left.push(path);
                }
            }
        }
        Ok(removal)
    }

    /// What of these folders was made here.
    fn of(&self, folders: &[&str]) -> Result<Removal> {
        let paths = self.declared.iter().copied();
        for path in paths.chain(self.recorded.keys().map(PathBuf::as_path)) {
            let is_meant = !self.is_part && folders.iter().any(|folder| path.starts_with(folder));
            if is_meant && let Some(link) = link_on_the_way(self.out, path) {
                return Err(is_link(&self.out.join(link), "removed"));
            }
        }
        let mut removal = Removal::default();
        for folder in folders {
            let at = self.out.join(folder);
            match at.is_symlink() {
                true if self.is_part => removal.left.push(at.clone()),
                true => return Err(is_link(&at, "removed")),
                false => {}
            }
            self.walk(Path::new(folder), &mut removal)?;
            removal.folder = at;
        }
        Ok(removal)
    }

    fn walk(&self, folder: &Path, removal: &mut Removal) -> Result<()> {
        let at = self.out.join(folder);
        if !is_plain_folder(&at) {
            return Ok(());
        }
        for path in list(&at)? {
            let relative = folder.join(path.file_name().unwrap_or_default());
            if is_plain_folder(&path) {
                self.walk(&relative, removal)?;
            } else if self.is_ours(&relative, &path) {
                removal.files.push(path);
            } else {
                removal.left.push(path);
            }
        }
        removal.folders.push(at);
        Ok(())
    }

    fn is_ours(&self, relative: &Path, path: &Path) -> bool {
        if !is_plain_file(path) {
            return false;
        }
        if is_temporary(path.file_name().unwrap_or_default()) {
            return true;
        }
        let Ok((digest, _)) = Digest::of_file(path) else {
            return false;
        };
        let recorded = self.recorded.get(relative);
        recorded.is_some_and(|digests| digests.contains(&digest))
            || ((self.is_inside || self.declared.contains(relative))
                && self.context.store.has_made(digest))
    }
}

/// What of the cache folder was made here.
fn cache(context: &Context) -> Result<Removal> {
    let workspace = context.workspace;
    let cache = &workspace.cache;
    let mut removal = Removal {
        folder: cache.clone(),
        ..Removal::default()
    };
    if !is_plain_folder(cache) {
        return Ok(removal);
    }
    // Outputs before what tells that they were made here.
    let variants = workspace.variants();
    let mut locks = vec![workspace.root.join(LOCK_FILE)];
    for variant in list(&variants)? {
        if !is_plain_folder(&variant) {
            removal.left.push(variant);
            continue;
        }
        let outputs = Of {
            is_part: true,
            ..Of::new(context, &variant, true)?
        };
        let outputs = outputs.everything()?;
        removal.files.extend(outputs.files);
        removal.folders.extend(outputs.folders);
        removal.left.extend(outputs.left);
        locks.push(variant.join(LOCK_FILE));
    }
    for (path, digest) in context.store.objects()? {
        match digest.filter(|&digest| context.store.is_ours(&path, digest)) {
            Some(_) => removal.files.push(path),
            None => removal.left.push(path),
        }
    }
    let shards = list(&cache.join("objects"))?;
    let shards = shards.into_iter().filter(|shard| is_plain_folder(shard));
    removal.folders.extend(shards);
    removal.sort_out(&cache.join("scratch"), &workspace.scratch())?;
    removal.sort_out(&cache.join("logs"), &logs(context, &locks))?;
    removal.sort_out(&cache.join("confirmed"), &confirm::answers(cache)?)?;
    for name in ["objects", "scratch", "logs", "confirmed", "profiles"] {
        removal.folders.push(cache.join(name));
    }
    removal.files.extend(abandoned(cache));
    // With everything in it: a plan, and what its tasks have said.
    let cluster = workspace.cluster();
    if is_plain_folder(&cluster) {
        removal.files.push(cluster);
    }
    removal.files.extend(files::temporaries(cache, false));
    let known: Vec<PathBuf> = removal
        .folders
        .iter()
        .chain(&removal.files)
        .cloned()
        .collect();
    let own = FILES.map(|name| cache.join(name));
    for path in list(cache)? {
        let is_known = known.contains(&path) && !path.is_symlink();
        if !is_known && !own.contains(&path) {
            removal.left.push(path);
        }
    }
    let own = own.into_iter().filter(|path| path.is_file());
    let (marks, others): (Vec<PathBuf>, Vec<PathBuf>) = own.partition(|path| is_mark(path));
    removal.files.extend(others);
    // A folder in which something stays is a cache still: else no run could use it again.
    if removal.left.is_empty() {
        removal.marks = marks;
    }
    Ok(removal)
}

/// Whether a file says that the folder is a cache.
fn is_mark(path: &Path) -> bool {
    let marks = FILES.iter().skip_while(|name| **name != OWNER);
    marks.into_iter().any(|name| path.ends_with(name))
}

/// The logs of stages that there are or were.
fn logs(context: &Context, locks: &[PathBuf]) -> Vec<PathBuf> {
    let workspace = context.workspace;
    let mut ids: BTreeSet<String> = BTreeSet::new();
    ids.extend(context.pipeline.stages.iter().map(|stage| stage.id.clone()));
    ids.extend(
        context
            .store
            .results()
            .into_iter()
            .map(|(_, action)| action.stage),
    );
    for lock in locks {
        ids.extend(Lock::read(lock).unwrap_or_default().stages.into_keys());
    }
    let past = history::read(&workspace.history_path()).unwrap_or_default();
    let stages = past.into_iter().flat_map(|run| run.stages);
    ids.extend(stages.map(|stage| stage.stage));
    let paths = ids.iter().map(|id| workspace.log_path(id));
    let mut paths: Vec<PathBuf> = paths.filter(|path| is_plain_file(path)).collect();
    paths.extend(files::temporaries(&workspace.cache.join("logs"), true));
    paths
}

impl Removal {
    /// Takes what is ours of a folder, and leaves the rest.
    fn sort_out(&mut self, folder: &Path, ours: &[PathBuf]) -> Result<()> {
        let ours: BTreeSet<&PathBuf> = ours.iter().collect();
        for path in list(folder)? {
            match ours.contains(&path) {
                true => self.files.push(path),
                false => self.left.push(path),
            }
        }
        Ok(())
    }
}
