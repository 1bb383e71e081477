//! Against the running kernel: every row of what it grants and refuses, and programs at the other end of the memory.
//!
//! Needs root. A test that cannot run says so; in CI it fails instead.

mod create;
mod elements;
mod faults;
mod freeze;
mod limits;
mod links;
mod lost_updates;
mod mapping;
mod open;
mod pins;
mod privileges;
mod processes;
mod programs;
mod selftest;
