//! The four widths of an access.

/// Runs `$use` with the unsigned integer of `$width` bytes, which is 1, 2, 4 or 8, as the type `$word`.
macro_rules! with_word {
    ($width:expr, $word:ident => $use:expr) => {
        match $width {
            1 => {
                type $word = u8;
                $use
            }
            2 => {
                type $word = u16;
                $use
            }
            4 => {
                type $word = u32;
                $use
            }
            _ => {
                type $word = u64;
                $use
            }
        }
    };
}

pub(crate) use with_word;
