//! What the kernel enforces whatever a program tries: files by Landlock, limits, privileges.
//!
//! Each step binds the process that takes it and all that descend from it, for good.

use crate::linux::watch::places::{Places, SHARED};
use crate::types::plan::Bounds;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use std::path::Path;

/// The newest rules known; an older kernel keeps those that it knows.
const NEWEST: ABI = ABI::V9;

/// Whether the kernel has Landlock at all: of version 1 (Linux 5.13) at least.
///
/// # Errors
/// It has not, or it is switched off.
pub fn available() -> Result<(), String> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    rules.map(drop).map_err(|error| error.to_string())
}

/// Leaves to this process the files of `places` only, and no socket but those within the machine without
/// `network`.
///
/// # Errors
/// The kernel enforces nothing of it.
pub fn files_and_network(places: &Places, bounds: &Bounds) -> Result<(), String> {
    // Device files are made by administrators only.
    let everything = AccessFs::from_all(NEWEST) & !make_bitflags!(AccessFs::{MakeChar | MakeBlock});
    let reading = AccessFs::from_read(NEWEST);
    let device: BitFlags<AccessFs> =
        make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | Truncate | IoctlDev});
    let shared: BitFlags<AccessFs> =
        make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | MakeReg | RemoveFile | Refer});
    let own = || -> Result<RulesetStatus, landlock::RulesetError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?;
        if !bounds.network {
            rules = rules.handle_access(AccessNet::from_all(NEWEST))?;
        }
        let rules = rules
            .create()?
            .add_rules(path_beneath_rules(places.readable(), reading))?
            .add_rules(path_beneath_rules(places.writable(), everything))?
            .add_rules(path_beneath_rules(places.devices(), device))?
            .add_rules(path_beneath_rules([Path::new(SHARED)], shared))?;
        Ok(rules.restrict_self()?.ruleset)
    };
    match own() {
        Ok(RulesetStatus::NotEnforced) => Err("the kernel does not enforce Landlock".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("Landlock: {error}")),
    }
}

/// Leaves to an administrator's process what concerns files only.
///
/// # Errors
/// The kernel refuses it.
pub fn privileges() -> Result<(), String> {
    let files =
        CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH | CapabilitySet::FOWNER;
    let has = capabilities(None).map_err(|error| format!("privileges: {error}"))?;
    let left = CapabilitySets {
        effective: has.effective & files,
        permitted: has.permitted & files,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, left).map_err(|error| format!("privileges: {error}"))
}

/// Sets what the kernel counts for each process; the limit of its data last, since it binds at once.
///
/// # Errors
/// The kernel refuses a limit.
pub fn limits(bounds: &Bounds) -> Result<(), String> {
    for (name, resource, limit) in [
        ("core files", Resource::Core, Some(0)),
        ("file size", Resource::Fsize, bounds.file_size),
        ("memory", Resource::Data, bounds.memory),
    ] {
        let Some(limit) = limit else {
            continue;
        };
        // Nobody may raise what is set above already.
        let most = getrlimit(resource)
            .maximum
            .map_or(limit, |most| most.min(limit));
        let both = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, both).map_err(|error| format!("limit of {name}: {error}"))?;
    }
    Ok(())
}
