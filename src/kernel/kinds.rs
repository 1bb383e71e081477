//! Types of programs and links, and where programs attach: enums of the kernel, as numbers with names.

use std::fmt;

/// A number of the kernel that has a name. Prints as the kernel's name.
macro_rules! kernel_enum {
    ($(#[$doc:meta])* $kind:ident, $prefix:literal, $noun:literal, $names:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $kind(
            /// The kernel's number.
            pub u32,
        );

        impl $kind {
            const NAMES: &'static [&'static str] = $names;

            /// Returns the name without what all names start with. `None` for a number that is newer than this crate.
            pub fn name(self) -> Option<&'static str> {
                usize::try_from(self.0).ok().and_then(|index| Self::NAMES.get(index)).copied()
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => write!(f, concat!($prefix, "{}"), name),
                    None => write!(f, concat!($noun, " {}"), self.0),
                }
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// The kernel's name.
        #[cfg(feature = "serde")]
        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

kernel_enum! {
    /// `enum bpf_prog_type`. Prints as the kernel's name: `BPF_PROG_TYPE_KPROBE`.
    ProgramType, "BPF_PROG_TYPE_", "BPF program type", &[
        "UNSPEC",
        "SOCKET_FILTER",
        "KPROBE",
        "SCHED_CLS",
        "SCHED_ACT",
        "TRACEPOINT",
        "XDP",
        "PERF_EVENT",
        "CGROUP_SKB",
        "CGROUP_SOCK",
        "LWT_IN",
        "LWT_OUT",
        "LWT_XMIT",
        "SOCK_OPS",
        "SK_SKB",
        "CGROUP_DEVICE",
        "SK_MSG",
        "RAW_TRACEPOINT",
        "CGROUP_SOCK_ADDR",
        "LWT_SEG6LOCAL",
        "LIRC_MODE2",
        "SK_REUSEPORT",
        "FLOW_DISSECTOR",
        "CGROUP_SYSCTL",
        "RAW_TRACEPOINT_WRITABLE",
        "CGROUP_SOCKOPT",
        "TRACING",
        "STRUCT_OPS",
        "EXT",
        "LSM",
        "SK_LOOKUP",
        "SYSCALL",
        "NETFILTER",
    ]
}

kernel_enum! {
    /// `enum bpf_link_type`. Prints as the kernel's name: `BPF_LINK_TYPE_PERF_EVENT`.
    LinkType, "BPF_LINK_TYPE_", "BPF link type", &[
        "UNSPEC",
        "RAW_TRACEPOINT",
        "TRACING",
        "CGROUP",
        "ITER",
        "NETNS",
        "XDP",
        "PERF_EVENT",
        "KPROBE_MULTI",
        "STRUCT_OPS",
        "NETFILTER",
        "TCX",
        "UPROBE_MULTI",
        "NETKIT",
        "SOCKMAP",
    ]
}

impl LinkType {
    pub(super) const RAW_TRACEPOINT: LinkType = LinkType(1);
    pub(super) const TRACING: LinkType = LinkType(2);
    pub(super) const CGROUP: LinkType = LinkType(3);
    pub(super) const ITER: LinkType = LinkType(4);
    pub(super) const NETNS: LinkType = LinkType(5);
    pub(super) const XDP: LinkType = LinkType(6);
    pub(super) const PERF_EVENT: LinkType = LinkType(7);
    pub(super) const KPROBE_MULTI: LinkType = LinkType(8);
    pub(super) const STRUCT_OPS: LinkType = LinkType(9);
    pub(super) const NETFILTER: LinkType = LinkType(10);
    pub(super) const TCX: LinkType = LinkType(11);
    pub(super) const UPROBE_MULTI: LinkType = LinkType(12);
    pub(super) const NETKIT: LinkType = LinkType(13);
    pub(super) const SOCKMAP: LinkType = LinkType(14);
}

kernel_enum! {
    /// `enum bpf_attach_type`. Prints as the kernel's name: `BPF_TRACE_FENTRY`.
    AttachType, "BPF_", "BPF attach type", &[
        "CGROUP_INET_INGRESS",
        "CGROUP_INET_EGRESS",
        "CGROUP_INET_SOCK_CREATE",
        "CGROUP_SOCK_OPS",
        "SK_SKB_STREAM_PARSER",
        "SK_SKB_STREAM_VERDICT",
        "CGROUP_DEVICE",
        "SK_MSG_VERDICT",
        "CGROUP_INET4_BIND",
        "CGROUP_INET6_BIND",
        "CGROUP_INET4_CONNECT",
        "CGROUP_INET6_CONNECT",
        "CGROUP_INET4_POST_BIND",
        "CGROUP_INET6_POST_BIND",
        "CGROUP_UDP4_SENDMSG",
        "CGROUP_UDP6_SENDMSG",
        "LIRC_MODE2",
        "FLOW_DISSECTOR",
        "CGROUP_SYSCTL",
        "CGROUP_UDP4_RECVMSG",
        "CGROUP_UDP6_RECVMSG",
        "CGROUP_GETSOCKOPT",
        "CGROUP_SETSOCKOPT",
        "TRACE_RAW_TP",
        "TRACE_FENTRY",
        "TRACE_FEXIT",
        "MODIFY_RETURN",
        "LSM_MAC",
        "TRACE_ITER",
        "CGROUP_INET4_GETPEERNAME",
        "CGROUP_INET6_GETPEERNAME",
        "CGROUP_INET4_GETSOCKNAME",
        "CGROUP_INET6_GETSOCKNAME",
        "XDP_DEVMAP",
        "CGROUP_INET_SOCK_RELEASE",
        "XDP_CPUMAP",
        "SK_LOOKUP",
        "XDP",
        "SK_SKB_VERDICT",
        "SK_REUSEPORT_SELECT",
        "SK_REUSEPORT_SELECT_OR_MIGRATE",
        "PERF_EVENT",
        "TRACE_KPROBE_MULTI",
        "LSM_CGROUP",
        "STRUCT_OPS",
        "NETFILTER",
        "TCX_INGRESS",
        "TCX_EGRESS",
        "TRACE_UPROBE_MULTI",
        "CGROUP_UNIX_CONNECT",
        "CGROUP_UNIX_SENDMSG",
        "CGROUP_UNIX_RECVMSG",
        "CGROUP_UNIX_GETPEERNAME",
        "CGROUP_UNIX_GETSOCKNAME",
        "NETKIT_PRIMARY",
        "NETKIT_PEER",
        "TRACE_KPROBE_SESSION",
        "TRACE_UPROBE_SESSION",
    ]
}

impl AttachType {
    pub(super) const XDP: AttachType = AttachType(37);
    pub(super) const STRUCT_OPS: AttachType = AttachType(44);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_kernels_names() {
        assert_eq!((AttachType::XDP.name(), AttachType::STRUCT_OPS.name()), (Some("XDP"), Some("STRUCT_OPS")));
        assert_eq!(ProgramType(2).to_string(), "BPF_PROG_TYPE_KPROBE");
        assert_eq!(ProgramType(32).name(), Some("NETFILTER"));
        assert_eq!(ProgramType(33).to_string(), "BPF program type 33");
        assert_eq!(AttachType(24).to_string(), "BPF_TRACE_FENTRY");
        assert_eq!(AttachType(37).name(), Some("XDP"));
        assert_eq!(AttachType(57).name(), Some("TRACE_UPROBE_SESSION"));
        assert_eq!(AttachType(58).name(), None);
        assert_eq!((LinkType::SOCKMAP.name(), LinkType(15).name()), (Some("SOCKMAP"), None));
        assert_eq!(format!("{:?}", LinkType::PERF_EVENT), "BPF_LINK_TYPE_PERF_EVENT");
    }
}
