//! `derive(MapValue)`
