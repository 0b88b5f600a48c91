//! The engine: content-hashed stages, an action cache, a content store, a committed lock.
//!
//! Constructive traces in the sense of *Build Systems à la Carte* (Mokhov, Mitchell, Peyton Jones
//! 2018): a stage's key is a digest of everything that can affect its outputs, and the cache maps
//! keys to output contents. Knows no science: kinds of stages are registered from outside.
//!
//! Read in this order: [`kind`] and [`stage`] (what a stage is), [`node`], [`spec`], [`settings`],
//! [`expand`], [`bind`], [`resolve`], [`graph`], [`select`] (from pipeline.yaml to stages), [`key`] and
//! [`digest`] (what is hashed), [`trace`] and [`publication`] (provenance), [`store`], [`actions`], [`stat`], [`mod@block`], [`lock_text`], [`conflict`] and
//! [`lock`] (what is kept), [`moves`], [`plan`], [`run`], [`execute`], [`leftover`], [`settle`], [`confirm`], [`verify`], [`rebuild`] (what happens), [`lock_diff`]
//! (between revisions), [`schema`] (for editors).

pub mod actions;
pub mod bind;
pub mod block;
pub mod confirm;
pub mod conflict;
pub mod digest;
pub mod error;
pub mod event;
pub mod execute;
pub mod expand;
pub mod files;
pub mod gc;
pub mod graph;
pub mod history;
pub mod key;
pub mod kind;
pub mod leftover;
pub mod line_ends;
pub mod lock;
pub mod lock_diff;
pub mod lock_text;
pub mod moves;
pub mod node;
pub mod plan;
pub mod publication;
pub mod rebuild;
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
