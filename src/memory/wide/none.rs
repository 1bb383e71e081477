//! A machine without instructions for wide copies.

/// There is none: whoever has one can do anything.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wide {}

pub(crate) const WIDE: Option<Wide> = None;

#[expect(unsafe_code, reason = "the same functions as where they do something")]
impl Wide {
    /// # Safety
    ///
    /// It is never called.
    pub(crate) unsafe fn load(self, _from: *const u8, _to: *mut u8, _len: usize) {
        match self {}
    }

    /// # Safety
    ///
    /// It is never called.
    pub(crate) unsafe fn load_one(self, _from: *const u8, _to: *mut u8, _len: usize) {
        match self {}
    }

    /// # Safety
    ///
    /// It is never called.
    pub(crate) unsafe fn load_twelves(self, _from: *const u8, _to: *mut u8, _count: usize) {
        match self {}
    }

    /// # Safety
    ///
    /// It is never called.
    pub(crate) unsafe fn store(self, _from: *const u8, _to: *mut u8, _len: usize) {
        match self {}
    }

    /// # Safety
    ///
    /// It is never called.
    pub(crate) unsafe fn store_one(self, _from: *const u8, _to: *mut u8, _len: usize) {
        match self {}
    }
}
