//! A real Prometheus.

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;
use serde_json::Value;

use super::{Folder, Server, eventually, get, signal};
use crate::support::run_times;

/// Prometheus that scrapes one exporter every second, until it is dropped.
struct Prometheus {
    child: Child,
    address: String,
    _folder: Folder,
}

impl Prometheus {
    fn start(exporter: &str) -> Prometheus {
        let folder = Folder::new("prometheus");
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\n\
             scrape_configs: [{{ job_name: bpfvar, static_configs: [{{ targets: [\"{exporter}\"] }}] }}]\n"
        );
        let config = folder.file("prometheus.yml", &config);
        // Free now; nothing else on the machine asks for it by number.
        let address: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.tsdb.path={}", folder.path("data")))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Prometheus { child, address: address.to_string(), _folder: folder };
        eventually("Prometheus is ready", || {
            std::net::TcpStream::connect(address).ok()?;
            (get(&prometheus.address, "/-/ready", "").status == 200).then_some(())
        });
        prometheus
    }

    fn api(&self, path: &str) -> Value {
        let answer = get(&self.address, path, "");
        serde_json::from_str::<Value>(&answer.body).unwrap()["data"].clone()
    }

    /// The only result of a query, if there is one.
    fn query(&self, query: &str) -> Option<String> {
        let mut path = "/api/v1/query?query=".to_owned();
        query.bytes().for_each(|byte| write!(path, "%{byte:02x}").unwrap());
        let result = &self.api(&path)["result"];
        assert!(result.as_array().is_some_and(|all| all.len() < 2), "{query}: {result}");
        result[0]["value"][1].as_str().map(str::to_owned)
    }

    /// Waits until the result of a query is this.
    #[track_caller]
    fn expect(&self, query: &str, expected: &str) {
        eventually(query, || (self.query(query).as_deref() == Some(expected)).then_some(()));
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        signal(&self.child, "-KILL");
        drop(self.child.wait());
    }
}

#[test]
fn prometheus_scrapes_values_and_sees_restarts() {
    if !host::ready(Source::Count.needs()) || !host::has_tool("prometheus") {
        return;
    }
    let load = || load_named(Source::Count, "exp_prom");
    let first = load();
    run_times(&first, 40);
    let server = Server::start(&["exp_prom"]);
    let prometheus = Prometheus::start(&server.address);
    prometheus.expect("up", "1");
    let of = |name: &str| format!("{{program=\"exp_prom\",variable=\"{name}\"}}");
    let packets = format!("bpfvar_counted_total{}", of("packets"));
    prometheus.expect(&packets, "40");
    prometheus.expect("bpfvar_value{variable=\"config\",member=\"limits.delta\",index=\"3\"}", "-4");
    prometheus.expect("bpfvar_state{bpfvar_state=\"FAST\"} == 1", "1");
    prometheus.expect("bpfvar_up{target=\"exp_prom\"}", "1");
    // 40 runs are in the slots 0 to 15 by turns: 24 of 40 in slots up to 7, whose bound is 255.
    prometheus.expect("bpfvar_distribution_bucket{variable=\"hist\",le=~\"255(.0)?\"}", "24");
    prometheus.expect("histogram_quantile(0.6, bpfvar_distribution_bucket)", "255");
    // Only OpenMetrics has it, so that is what was spoken.
    assert!(prometheus.query(&format!("bpfvar_counted_created{}", of("packets"))).is_some());
    let metadata = prometheus.api("/api/v1/targets/metadata");
    let type_of = |name: &str| {
        let found = metadata.as_array().unwrap().iter().find(|entry| entry["metric"] == name);
        found.unwrap_or_else(|| panic!("{name}: {metadata}"))["type"].clone()
    };
    assert_eq!([type_of("bpfvar_counted"), type_of("bpfvar_value")], ["counter", "gauge"]);
    assert_eq!([type_of("bpfvar_distribution"), type_of("bpfvar_state")], ["histogram", "stateset"]);

    drop(first);
    let second = load();
    run_times(&second, 3);
    prometheus.expect(&packets, "3");
    prometheus.expect(&format!("resets({packets}[10m])"), "1");
    prometheus.expect("bpfvar_reloads_total", "1");
    // Nothing is wrong with what was scraped, and no sample was refused.
    eventually("a scrape without an error", || {
        let target = &prometheus.api("/api/v1/targets")["activeTargets"][0];
        (target["health"] == "up" && target["lastError"] == "").then_some(())
    });
    let own = get(&prometheus.address, "/metrics", "");
    for refused in ["sample_duplicate_timestamp", "sample_out_of_order", "sample_out_of_bounds"] {
        let line = format!("prometheus_target_scrapes_{refused}_total 0");
        assert!(own.body.lines().any(|known| known == line), "{line}");
    }
}
