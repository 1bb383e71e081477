//! Views of values, over process memory: no kernel, no privileges. Also what CI runs under AddressSanitizer,
//! ThreadSanitizer and valgrind.

mod array;
mod bulk;
mod scalar;
mod shared;
mod slice;
mod together;
mod whole;
