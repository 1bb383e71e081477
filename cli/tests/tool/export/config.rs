//! The TOML.

use bpfvar_objects::Source;
use bpfvar_testkit::host;

use super::metrics::promtool;
use super::{Folder, value};
use crate::support::{fails, has, load, map, ok, program, run, run_times, text};

#[test]
fn variables_have_names_types_and_labels_of_their_own() {
    let (Some(loaded), Some(maps)) = (load(Source::Count), load(Source::Maps)) else { return };
    run_times(&loaded, 20);
    let (p, stats) = (program(&loaded), format!("map:{}", maps.map("stats").info().id));
    let folder = Folder::new("config");
    let config = folder.file(
        "export.toml",
        &format!(
            r#"
targets = ["{p}"]

[[metric]]
target = "{p}.packets"
name = "app_packets_total"
help = "Packets \"seen\"\nby a \\ filter."
labels = {{ site = "fra1", program = "filter", variable = "" }}

[[metric]]
target = "{p}.hist"
name = "app_latency"
type = "histogram"
unit = "seconds"
scale = 1e-6
sum = "neighbour"

[[metric]]
target = "{p}.config.limits"
name = "app_limit"
index = "class"
names = ["low", "high"]

[[metric]]
target = "{p}.config.mode"
type = "gauge"

[[metric]]
target = "{p}.neighbour"
type = "none"

[[metric]]
target = "{stats}"
name = "app_drops"
type = "gauge"
index = "mode"
names = ["slow", "fast", "off"]
"#
        ),
    );
    let metrics = ok(&["export", "--config", &config]);
    has(
        &metrics,
        &[
            "# HELP app_packets Packets \\\"seen\\\"\\nby a \\\\ filter.\n# TYPE app_packets counter\n",
            "app_packets_total{program=\"filter\",site=\"fra1\"} 20\n",
            "# TYPE app_latency_seconds histogram\n# UNIT app_latency_seconds seconds\n",
            "le=\"0.000001\"} 2\n",
            "le=\"0.000003\"} 4\n",
            "app_latency_seconds_count{program=\"count\",variable=\"hist\"} 20\n",
            "app_latency_seconds_sum{program=\"count\",variable=\"hist\"} 0.0\n",
        ],
    );
    let limit =
        |class: &str| value(&metrics, "app_limit", &[("class", class), ("member", "limits.burst")]).map(str::to_owned);
    assert_eq!([limit("low"), limit("high"), limit("2")], ["10", "20", "30"].map(|value| Some(value.to_owned())));
    assert_eq!(value(&metrics, "bpfvar_value", &[("member", "mode")]), Some("1"), "the number, not the state");
    assert!(!metrics.contains("bpfvar_state"), "{metrics}");
    // What has a name is not exported a second time by the target.
    for variable in ["packets", "neighbour", "hist"] {
        assert_eq!(value(&metrics, "bpfvar_counted_total", &[("variable", variable)]), None);
    }
    assert_eq!(value(&metrics, "bpfvar_value", &[("member", "rate")]), Some("1000"), "and the rest is");
    assert_eq!(value(&metrics, "app_drops", &[("mode", "fast"), ("member", "packets")]), Some("0"));
    if host::has_tool("prometheus") {
        promtool(&ok(&["export", "--config", &config, "--format", "prometheus"]));
    }
}

#[test]
fn bounds_are_the_shortest_decimals() {
    let Some(loaded) = load(Source::Count) else { return };
    let folder = Folder::new("decimals");
    let (p, name) = (program(&loaded), "name = \"x\"\ntype = \"histogram\"\nscale = 1e-9");
    let config = folder.file("export.toml", &format!("[[metric]]\ntarget = \"{p}.hist\"\n{name}\n"));
    for format in ["openmetrics", "prometheus"] {
        let metrics = ok(&["export", "--config", &config, "--format", format]);
        for bound in ["0.000000001", "0.000000003", "0.000000007", "0.000032767", "+Inf"] {
            assert_eq!(value(&metrics, "x_bucket", &[("le", bound)]), Some("0"), "{metrics}");
        }
    }
}

#[test]
fn elements_are_called_as_an_enum_says() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let folder = Folder::new("enum");
    let metric = |more: &str| folder.file("export.toml", &format!("[[metric]]\ntarget = \"{p}.config\"\n{more}\n"));
    let metrics = ok(&["export", "-c", &metric("index = \"mode\"\nenum = \"enum mode\"")]);
    let delta = |mode: &str| value(&metrics, "bpfvar_value", &[("member", "limits.delta"), ("mode", mode)]);
    assert_eq!([delta("SLOW"), delta("FAST"), delta("OFF"), delta("3")], ["-1", "-2", "-3", "-4"].map(Some));
    has(&fails(&["export", "-c", &metric("enum = \"reason\"")]), &["export.toml:1", "no enum reason", "`names`"]);
}

#[test]
fn a_sum_beside_a_histogram_is_found_by_its_name() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let folder = Folder::new("linear");
    ok(&["set", &format!("{p}.neighbour=12")]);
    let config = folder.file(
        "export.toml",
        &format!("[[metric]]\ntarget = \"{p}.hist\"\nname = \"app_size\"\ntype = \"histogram\"\nstep = 10\nsum = \"neighbour\""),
    );
    run_times(&loaded, 2);
    let metrics = ok(&["export", "-c", &config]);
    let bucket = |le: &str| value(&metrics, "app_size_bucket", &[("le", le)]);
    assert_eq!([bucket("9.0"), bucket("19.0"), bucket("149.0"), bucket("+Inf")], ["1", "2", "2", "2"].map(Some));
    assert_eq!(value(&metrics, "app_size_sum", &[]), Some("12"));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let folder = Folder::new("wrong");
    let t = format!("[[metric]]\ntarget = \"{p}.packets\"\n");
    let cases: &[(&str, &[&str])] = &[
        ("", &["names no variables", "targets", "[[metric]]"]),
        ("targets = [", &[":1: "]),
        ("target = [\"count\"]", &[":1: unknown field `target`", "`targets`"]),
        ("\n\ntargets = [\"count.\"]", &[":3: \"count.\" names nothing"]),
        ("[[metric]]\nname = \"x\"", &[":1: missing field `target`"]),
        ("@nme = \"x\"", &[":3: unknown field `nme`"]),
        ("@type = \"summary\"", &[":3: unknown variant `summary`", "`counter`"]),
        ("@name = \"a-b\"", &[":3: \"a-b\" is no name of a metric"]),
        ("@name = \"bpfvar_x\"", &[":3: ", "bpfvar's own"]),
        ("@name = \"x_sum\"", &[":3: ", "_sum"]),
        ("@name = \"x_total\"\ntype = \"gauge\"", &[":3: ", "_total", "counter"]),
        ("@help = \"x\"", &[":3: help needs a `name`"]),
        ("@name = \"x\"\nscale = 0", &[":4: scale is 0"]),
        ("@name = \"x\"\nscale = \"1\"", &[":4: ", "invalid type"]),
        ("@name = \"x\"\nunit = \"s s\"", &[":4: \"s s\" is no unit"]),
        ("@labels = { le = \"x\" }", &[":3: the label \"le\" is reserved"]),
        ("@step = 5", &[":3: step is for histograms"]),
        ("@index = \"9x\"", &[":3: \"9x\" is no name of a label"]),
        ("@index = \"member\"", &[":3: the label \"member\" is there for something else"]),
        (
            "[[metric]]\ntarget = \"#.config.mode\"\nname = \"mode\"\nlabels = { mode = \"x\" }",
            &[":1: config.mode cannot have the label mode"],
        ),
        ("@enum = \"x\"\nnames = []", &[":3: `enum` and `names`"]),
        ("@type = \"histogram\"", &[":1: packets is no histogram"]),
        ("@type = \"state\"", &[":1: packets is no enum"]),
        (
            "[[metric]]\ntarget = \"#.hist\"\ntype = \"histogram\"\nsum = \"label\"",
            &[":1: hist cannot have the sum label"],
        ),
        (
            "@name = \"x\"\n\n[[metric]]\ntarget = \"#.knob\"\nname = \"x\"",
            &[":5: knob ", "the type of x is gauge here and counter elsewhere"],
        ),
        (
            "@name = \"x\"\nhelp = \"a\"\n\n[[metric]]\ntarget = \"#.neighbour\"\nname = \"x\"\nhelp = \"b\"",
            &[":6: neighbour ", "the help of x is \"b\" here and \"a\" elsewhere"],
        ),
    ];
    for (text, parts) in cases {
        let config = folder.file("export.toml", &text.replace('@', &t).replace('#', &p));
        let line = fails(&["export", "--config", &config]);
        has(&line, &[&config]);
        has(&line, parts);
    }
    has(&fails(&["export", "--config", &folder.path("none.toml")]), &["none.toml: cannot be read", "No such file"]);
}

#[test]
fn what_is_reached_by_keys_is_not_silently_left_out() {
    let Some(loaded) = load(Source::Keyed) else { return };
    let (p, hits) = (program(&loaded), map(&loaded, "hits"));
    let reached = "is reached by keys, and is not exported: only variables and array maps are";
    for target in [&hits, &format!("{hits}[*]"), &format!("{p}.hits[5]"), &format!("{p}.counters[*].packets")] {
        for more in [&[][..], &["--wait"]] {
            let line = fails(&[&["export", target], more].concat());
            has(&line, &[&format!("bpfvar: {target}: "), reached, "`bpfvar get` and `bpfvar watch`"]);
        }
    }
    let folder = Folder::new("keyed");
    let config = folder.file("export.toml", &format!("\n[[metric]]\ntarget = \"{hits}[*]\"\nname = \"x\"\n"));
    has(&fails(&["export", "--config", &config]), &["export.toml:2: ", &hits, reached]);
    // A target that is there is no help to one that is none.
    let count = load(Source::Count).unwrap();
    has(&fails(&["export", &program(&count), &hits]), &[&hits, reached]);
}

#[test]
fn what_is_reached_by_keys_in_a_program_is_said() {
    let Some(loaded) = load(Source::Keyed) else { return };
    let p = program(&loaded);
    let output = run(&["export", &p]);
    let (said, metrics) = (text(&output.stderr), text(&output.stdout));
    assert!(output.status.success(), "{said}");
    has(&said, &[&format!("{p}: what is reached by keys is left out: "), "flows", "hits", "`bpfvar get`"]);
    assert_eq!(said.matches("reached by keys").count(), 1, "{said}");
    assert_eq!(value(&metrics, "bpfvar_up", &[("target", &p)]), Some("1"), "{metrics}");
    assert!(!metrics.contains("\"hits\""), "{metrics}");
}
