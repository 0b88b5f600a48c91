//! The engine: content-hashed stages, an action cache, a content store, a committed lock.
//!
//! Constructive traces in the sense of *Build Systems à la Carte* (Mokhov, Mitchell, Peyton Jones
//! 2018): a stage's key is a digest of everything that can affect its outputs, and the cache maps
//! keys to output contents. Knows no science: kinds of stages are registered from outside.
//!
//! Read in this order: [`kind`] and [`stage`] (what a stage is), [`yaml`], [`node`], [`decimal`], [`spec`],
//! [`ids`], [`settings`], [`fill`], [`expand`], [`typed`] with [`numbers`] and [`type_error`], [`outputs`], [`bind`],
//! [`resolve`], [`graph`], [`select`] (from pipeline.yaml to stages), [`key`] and [`digest`] (what is
//! hashed), [`trace`] and [`publication`] (provenance), [`location`], [`boundary`], [`cache_folder`] and
//! [`workspace`] (where, and whose it is), [`store`], [`actions`], [`stat`], [`mod@block`], [`lock_text`],
//! [`conflict`] and [`lock`] (what is kept), [`moves`], [`inputs`], [`plan`], [`run`], [`execute`], [`inspection`],
//! [`leftover`], [`settle`], [`confirm`], [`verify`], [`orphans`], [`line_ends`], [`rebuild`] (what
//! happens), [`gc`] and [`removal`] (what goes), [`lock_diff`] (between revisions), [`schema`] (for
//! editors).

pub mod actions;
pub mod bind;
pub mod block;
pub mod boundary;
pub mod cache_folder;
pub mod confirm;
pub mod conflict;
pub mod decimal;
pub mod digest;
pub mod error;
pub mod event;
pub mod execute;
pub mod expand;
pub mod files;
pub mod fill;
pub mod gc;
pub mod graph;
pub mod history;
pub mod ids;
pub mod inputs;
pub mod inspection;
pub mod key;
pub mod kind;
pub mod leftover;
pub mod line_ends;
pub mod location;
pub mod lock;
pub mod lock_diff;
pub mod lock_text;
pub mod moves;
pub mod node;
pub mod numbers;
pub mod orphans;
pub mod outputs;
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
pub mod type_error;
pub mod typed;
pub mod verify;
pub mod workspace;
pub mod yaml;
