//! The engine: content-hashed stages, an action cache, a content store, a committed lock.
//!
//! Constructive traces in the sense of *Build Systems à la Carte* (Mokhov, Mitchell, Peyton Jones
//! 2018): a stage's key is a digest of everything that can affect its outputs, and the cache maps
//! keys to output contents. Knows no science: kinds of stages are registered from outside.
//!
//! Read in this order: [`kind`] and [`stage`] (what a stage is), [`node`], [`spec`], [`settings`],
//! [`expand`], [`bind`], [`resolve`], [`graph`], [`select`] (from pipeline.yaml to stages), [`key`] and
//! [`digest`] (what is hashed), [`trace`] and [`publication`] (provenance), [`location`], [`boundary`],
//! [`cache_folder`] and [`workspace`] (where, and whose it is), [`store`], [`actions`], [`stat`] and [`lock`] (what is kept), [`plan`],
//! [`run`], [`execute`], [`inspection`], [`settle`], [`confirm`], [`verify`], [`orphans`], [`rebuild`] (what happens), [`gc`] and
//! [`removal`] (what goes), [`lock_diff`] (between revisions), [`schema`] (for editors).

pub mod actions;
pub mod bind;
pub mod boundary;
pub mod cache_folder;
pub mod confirm;
pub mod digest;
pub mod error;
pub mod event;
pub mod execute;
pub mod expand;
pub mod files;
pub mod gc;
pub mod graph;
pub mod history;
pub mod inspection;
pub mod key;
pub mod kind;
pub mod location;
pub mod lock;
pub mod lock_diff;
pub mod node;
pub mod orphans;
pub mod plan;
pub mod publication;
pub mod rebuild;
pub mod removal;
pub mod resolve;
pub mod run;
pub mod schema;
pub mod select;
pub mod settings;
pub mod settle;
pub mod spec;
pub mod stage;
pub mod stat;
pub mod store;
pub mod trace;
pub mod typed;
pub mod verify;
pub mod workspace;
