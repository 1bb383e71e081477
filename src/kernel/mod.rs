//! What the kernel holds: maps, programs, links and BTF, their info, how they are made, found and pinned. No memory, no type of a
//! value.

mod btf;
mod builder;
mod cause;
mod element;
mod grace;
mod info;
mod keyed;
mod kinds;
mod link;
mod map;
mod object;
mod program;
mod sleepable;

pub use builder::MapBuilder;
pub(crate) use grace::Grace;
pub use info::{MapFlags, MapInfo, MapType};
pub(crate) use keyed::{Batch, KEYED};
pub use kinds::{AttachType, LinkType, ProgramType};
pub use link::{Attachment, Link, LinkInfo};
pub use map::Map;
pub use object::Ids;
pub(crate) use object::cut;
pub use program::{Program, ProgramInfo};
pub(crate) use sleepable::{defers_work, sleepable_programs};
