//! Links: which program they attach, and where.

use std::os::fd::AsFd;

use bpfvar::error::{Object, ObjectKind};
use bpfvar::{Attachment, Cause, Error, Link, Map, Program};
use bpfvar_testkit::host;
use bpfvar_testkit::insn::{self, Reg};
use bpfvar_testkit::{Attached, Program as Loaded, ProgramType};

/// A program at a tracepoint that is hit only while a process starts another one.
fn attached() -> (Loaded, Attached) {
    let program = Loaded::load(ProgramType::RawTracepoint, &[insn::mov_imm(Reg::R0, 0), insn::exit()]).unwrap();
    let attached = program.attach(c"sched_process_exec").unwrap();
    (program, attached)
}

#[test]
fn a_link_names_its_program_and_its_tracepoint() {
    if !host::ready((5, 8)) {
        return;
    }
    let (program, attached) = attached();
    let link = Link::from_fd(attached.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let info = link.info();
    assert_eq!(info.program_id, program.id());
    assert_eq!(info.link_type.to_string(), "BPF_LINK_TYPE_RAW_TRACEPOINT");
    assert!(
        matches!(&info.attachment, Attachment::RawTracepoint { name, .. } if name == "sched_process_exec"),
        "{info:?}"
    );
    assert_eq!((info.to_string(), info.object().id()), (format!("link id {}", info.id), Some(info.id)));
    assert_eq!(serde_json::to_value(info).unwrap()["attachment"]["RawTracepoint"]["name"], "sched_process_exec");
    // By its id, and among all.
    assert_eq!(Link::from_id(info.id).unwrap().info(), info);
    assert!(Link::all().unwrap().contains(info));
    let bpffs = host::Bpffs::mount();
    attached.pin(&bpffs.path("link"));
    assert_eq!(Link::from_pin(bpffs.path("link")).unwrap().info(), info);
}

#[test]
fn what_is_no_link_is_named_for_what_it_is() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).create().unwrap();
    let error = Link::from_fd(map.into()).unwrap_err();
    assert!(matches!(&error, Error::WrongObject { expected: ObjectKind::Link, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("not a BPF link but anon_inode:bpf-map") && text.contains("of a link"), "{text}");
    let (_program, attached) = attached();
    let error = Program::from_borrowed_fd(attached.as_fd()).unwrap_err();
    assert!(error.to_string().contains("anon_inode:bpf_link"), "{error}");
}

#[test]
fn ids_of_links_need_cap_sys_admin() {
    if !host::ready((5, 8)) {
        return;
    }
    let (_program, attached) = attached();
    let id = Link::from_fd(attached.as_fd().try_clone_to_owned().unwrap()).unwrap().info().id;
    let error = host::without_capabilities(|| Link::from_id(id).unwrap_err());
    assert_eq!((error.cause(), error.object().id()), (Some(Cause::NeedsCapSysAdmin), Some(id)));
    assert_eq!(host::without_capabilities(Link::all).unwrap_err().cause(), Some(Cause::NeedsCapSysAdmin));
    let error = Link::from_id(u32::MAX - 7).unwrap_err();
    assert_eq!(error.cause(), Some(Cause::NoSuchId));
    assert!(matches!(error.object(), Object::Link { .. }), "{error:?}");
}
