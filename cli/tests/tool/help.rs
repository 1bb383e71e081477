//! Help, completions, man pages.

use std::fs;

use bpfvar_objects::Source;

use crate::support::{fails, has, load, map, ok, program, run, text, tool};

pub(crate) const COMMANDS: [&str; 17] = [
    "list",
    "get",
    "set",
    "add",
    "cas",
    "apply",
    "save",
    "dump",
    "diff",
    "watch",
    "top",
    "show",
    "export",
    "freeze",
    "generate",
    "completions",
    "man",
];

#[test]
fn help_explains_targets_and_has_examples() {
    let help = ok(&["--help"]);
    has(&help, &["NAME.PATH", "prog:12.sampling", "pin:/sys/fs/bpf", "2^53", "Exit status", "@16", "read-write"]);
    COMMANDS.iter().for_each(|command| has(&help, &[&format!("\n  {command} ")]));
    for command in COMMANDS {
        for help in ["-h", "--help"] {
            has(&ok(&[command, help]), &["Usage: bpfvar", "Examples:", &format!("bpfvar {command}")]);
        }
    }
    let alone = run::<&str>(&[]);
    has(&text(&alone.stderr), &["Commands:", "Targets:", "bpfvar list"]);
    has(&ok(&["set", "--help"]), &["--rewrite", "IS LOST"]);
    has(&ok(&["freeze", "--help"]), &["for good", "nothing undoes"]);
    assert!(ok(&["--help"]).lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn shells_get_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        has(&ok(&["completions", shell]), &["BPFVAR_COMPLETE", &format!("bpfvar completions {shell}")]);
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn targets_are_completed() {
    let Some(loaded) = load(Source::Count) else { return };
    let candidates = |words: &[&str]| {
        let mut command = tool(&["--", "bpfvar"]);
        command
            .args(words)
            .env("BPFVAR_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
            .env("_CLAP_IFS", "\n");
        let output = command.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(candidates(&["get", "count.samp"]).contains(&"count.sampling".to_owned()));
    assert!(candidates(&["get", "count.bss.p"]).contains(&"count.bss.packets".to_owned()));
    let p = program(&loaded);
    assert_eq!(candidates(&["get", &format!("{p}.config.r")]), [format!("{p}.config.rate")]);
    assert_eq!(candidates(&["show", &format!("{p}.hist[1")]).len(), 7);
    assert_eq!(candidates(&["set", &format!("{p}.sam")]), [format!("{p}.sampling=")]);
    // What is frozen is a map or a section.
    let frozen = candidates(&["freeze", &p]);
    assert!(frozen.contains(&format!("{p}.bss")) && !frozen.contains(&format!("{p}.sampling")), "{frozen:?}");
    let bss = map(&loaded, ".bss");
    assert!(candidates(&["freeze", &bss]).contains(&bss));
    let frozen = candidates(&["freeze", "count."]);
    assert!(frozen.contains(&"count.data".to_owned()) && !frozen.contains(&"count.sampling".to_owned()));
    // Code is generated for programs, maps and files.
    let origins = candidates(&["generate", "rust", "count"]);
    assert!(origins.contains(&"count".to_owned()) && origins.contains(&"count.bss".to_owned()), "{origins:?}");
    assert!(candidates(&["generate", "rust", "/et"]).contains(&"/etc/".to_owned()));
    assert!(candidates(&["wat"]).contains(&"watch".to_owned()));
    // Values that have names, and processes by their numbers.
    assert_eq!(candidates(&["set", &format!("{p}.config.mode=")]).len(), 3);
    assert_eq!(candidates(&["set", &format!("{p}.config.mode=F")]), [format!("{p}.config.mode=FAST")]);
    assert_eq!(candidates(&["set", &format!("{p}.config.enabled=t")]), [format!("{p}.config.enabled=true")]);
    assert_eq!(candidates(&["set", &format!("{p}.sampling=")]), [""; 0]);
    let pid = format!("pid:{}", std::process::id());
    assert!(candidates(&["get", "pid:"]).contains(&pid), "{pid}");
}

#[test]
fn candidates_say_what_they_are() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let described = |words: &[&str]| {
        let output = tool(&["--", "bpfvar"]).args(words).env("BPFVAR_COMPLETE", "fish").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(described(&["get", &format!("{p}.samp")]), [format!("{p}.sampling\t__u32")]);
    assert_eq!(described(&["get", &format!("{p}.config.mo")]), [format!("{p}.config.mode\tenum mode")]);
    assert_eq!(described(&["set", &format!("{p}.config.mode=O")]), [format!("{p}.config.mode=OFF\t2")]);
    assert_eq!(described(&["set", &format!("{p}.samp")]), [format!("{p}.sampling=\t__u32")]);
}

#[test]
fn man_pages_are_for_all_commands() {
    let directory = std::env::temp_dir().join(format!("bpfvar-man-{}", std::process::id()));
    has(&fails(&["man", directory.to_str().unwrap()]), &["neither a command", "nor a directory", "mkdir -p"]);
    assert!(!directory.exists());
    fs::create_dir(&directory).unwrap();
    ok(&["man", directory.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(directory.join("bpfvar-get.1")).unwrap(), ok(&["man", "get"]));
    assert_eq!(ok(&["man", "bpfvar"]), ok(&["man"]));
    for command in COMMANDS {
        let page = fs::read_to_string(directory.join(format!("bpfvar-{command}.1"))).unwrap();
        has(&page, &[".TH bpfvar", ".SH EXAMPLES"]);
    }
    assert_eq!(fs::read_to_string(directory.join("bpfvar.1")).unwrap(), ok(&["man"]));
    assert_eq!(fs::read_to_string(directory.join("bpfvar.d.5")).unwrap(), ok(&["man", "bpfvar.d"]));
    has(&ok(&["man", "bpfvar.d"]), &[".TH bpfvar.d 5", ".SH NAME", ".SH FORMAT", ".SH VALUES", "/etc/bpfvar.d"]);
    has(&ok(&["man"]), &[".SH TARGETS", ".SH EXIT STATUS", "prog:12.sampling"]);
    fs::remove_dir_all(&directory).unwrap();
    assert!(!ok(&["man"]).contains("bpfvar\\-help"));
    // `man` looks for section 5 beside section 1.
    let root = tempfile::tempdir().unwrap();
    let man1 = root.path().join("man1");
    fs::create_dir(&man1).unwrap();
    ok(&["man", man1.to_str().unwrap()]);
    assert!(man1.join("bpfvar-apply.1").exists() && !man1.join("bpfvar.d.5").exists());
    assert!(root.path().join("man5/bpfvar.d.5").exists());
}
