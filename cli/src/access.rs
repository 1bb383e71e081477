//! How a section can be reached, and why what is in it cannot be changed at run time: a word for lists, a line for `show` and errors.

use bpfvar::{AccessMode, MapType, TypedMap};

use crate::error::Result;

/// How a section can be read and written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    mode: AccessMode,
    fixed: Option<Fixed>,
}

/// Why nobody in user space changes what a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fixed {
    /// `.rodata`: declared const, and frozen by the loader.
    Const,
    /// `.kconfig`: what the loader found out of the kernel.
    Kconfig,
    /// Somebody froze it.
    Frozen,
    /// The kernel maps and updates none for single CPUs.
    PerCpu,
    /// The mode of a pin allows no more.
    Descriptor,
}

impl Access {
    pub(crate) fn of(section: &TypedMap) -> Result<Access> {
        let mode = section.access()?;
        let is_section = |start: &str| section.section().is_some_and(|name| name.starts_with(start));
        let fixed = match mode {
            AccessMode::Mapped => None,
            _ if section.as_map().is_frozen()? => Some(match () {
                () if is_section(".rodata") => Fixed::Const,
                () if is_section(".kconfig") => Fixed::Kconfig,
                () => Fixed::Frozen,
            }),
            _ if section.info().map_type == MapType::PERCPU_ARRAY => Some(Fixed::PerCpu),
            AccessMode::SystemCallReadOnly => Some(Fixed::Descriptor),
            _ => None,
        };
        Ok(Access { mode, fixed })
    }

    /// How it is reached, in a word or two.
    pub(crate) fn mode(self) -> &'static str {
        match self.mode {
            AccessMode::Mapped => "read-write",
            AccessMode::MappedReadOnly => "read-only",
            AccessMode::SystemCall => "system call",
            AccessMode::SystemCallReadOnly => "system call, read-only",
            _ => "unknown",
        }
    }

    /// Why it cannot be changed, in a word. None if it can.
    pub(crate) fn fixed(self) -> Option<&'static str> {
        Some(match self.fixed? {
            Fixed::Const => "const",
            Fixed::Kconfig => "kconfig",
            Fixed::Frozen => "frozen",
            Fixed::PerCpu => "per-CPU map",
            Fixed::Descriptor => "read-only descriptor",
        })
    }

    /// The same in a clause that follows the name of the section.
    pub(crate) fn why_fixed(self) -> Option<&'static str> {
        Some(match self.fixed? {
            Fixed::Const => {
                "is frozen, for good: what is declared const (const volatile) is set when the program is loaded, and only then"
            }
            Fixed::Kconfig => "is frozen, for good: it is what the loader found out about the kernel",
            Fixed::Frozen => "is frozen, for good: it can be read, and only loading the program anew sets it",
            Fixed::PerCpu => "is a per-CPU array: the kernel copies it for each CPU, and bpfvar only reads it",
            Fixed::Descriptor => "was opened to read only; check owner and mode of the pin",
        })
    }

    /// What the author of the program does to make it changeable, where there is something.
    pub(crate) fn remedy(self) -> Option<&'static str> {
        match self.fixed? {
            Fixed::Const => Some(
                "to make it changeable, its author declares it without const (a static one volatile), so that it lies in .data or .bss",
            ),
            _ => None,
        }
    }
}

/// Why variables cannot be written through memory.
#[derive(Clone, Debug)]
pub(crate) struct Unwritable {
    /// A clause that follows the name of the section, with what to do about it.
    pub(crate) why: String,
    /// Whether `--rewrite` would do.
    pub(crate) rewritable: bool,
}

/// Why nothing in a section can be written through memory. None if it can.
pub(crate) fn unwritable(section: &TypedMap) -> Result<Option<Unwritable>> {
    let access = Access::of(section)?;
    if let AccessMode::Mapped = access.mode {
        return Ok(None);
    }
    if let Some(why) = access.why_fixed() {
        let remedy = access.remedy().map_or_else(String::new, |remedy| format!("; {remedy}"));
        return Ok(Some(Unwritable { why: format!("{why}{remedy}"), rewritable: false }));
    }
    let what = if section.section().is_some() { "the whole section" } else { "each whole entry that is concerned" };
    let why = format!(
        "cannot be mapped for writing; `set --rewrite` and `apply --rewrite` write it by reading and writing back {what}, which loses what \
         programs store to it meanwhile"
    );
    Ok(Some(Unwritable { why, rewritable: true }))
}
