//! HTTP: one request a connection, few of them, and none for long.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::encode::Format;
use super::lasting::Ended;

/// If more are open, the one that was opened first is closed: whoever holds many keeps nobody out.
const MOST_CONNECTIONS: usize = 64;
/// Until all of the request must be there.
const FOR_REQUEST: Duration = Duration::from_secs(5);
/// Until all of the answer must have been taken.
const FOR_ALL: Duration = Duration::from_secs(30);
/// Bytes of a request: its line and its headers. Hyper takes no less.
const REQUEST_BYTES: usize = 8192;
/// For those who are being answered when the process is told to end.
const GRACE: Duration = Duration::from_secs(1);
/// Before the next try where no connection can be accepted, as too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; charset=utf-8";
const INDEX: &str = "<!doctype html>\n<title>bpfvar</title>\n<h1>bpfvar</h1>\n<p><a href=\"/metrics\">Metrics</a>\n";

/// A connection asks for all metrics in a format, and where to say them: the error is for whoever asked.
struct Question {
    format: Format,
    answer: oneshot::Sender<Result<String, String>>,
}

/// Answers until the process is told to end. `scrape` is called once for each request of metrics, one after the other.
pub(super) async fn serve(
    listener: TcpListener,
    mut ended: Ended,
    mut scrape: impl FnMut(Format) -> Result<String, String>,
) {
    let (sender, mut questions) = mpsc::channel::<Question>(MOST_CONNECTIONS);
    let mut open: VecDeque<JoinHandle<()>> = VecDeque::new();
    // Whoever asked may be gone.
    let mut answer = |Question { format, answer }| drop(answer.send(scrape(format)));
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    open.retain(|connection| !connection.is_finished());
                    if open.len() >= MOST_CONNECTIONS {
                        open.pop_front().inspect(JoinHandle::abort);
                    }
                    open.push_back(tokio::spawn(connection(stream, sender.clone())));
                }
                Err(_) => sleep(PAUSE).await,
            },
            Some(question) = questions.recv() => answer(question),
            () = ended.wait() => break,
        }
    }
    drop((listener, sender));
    // Ends when the last connection has ended, which has the last sender.
    let rest = async {
        while let Some(question) = questions.recv().await {
            answer(question);
        }
    };
    drop(timeout(GRACE, rest).await);
}

async fn connection(stream: TcpStream, questions: mpsc::Sender<Question>) {
    let service = service_fn(|request| respond(request, questions.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(FOR_REQUEST)
        .max_buf_size(REQUEST_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // What goes wrong with one connection is the other side's: it was too slow, or wrote nonsense, or went away.
    drop(timeout(FOR_ALL, connection).await);
}

async fn respond(
    request: Request<Incoming>,
    questions: mpsc::Sender<Question>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "bpfvar only reads: GET or HEAD\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    Ok(match request.uri().path() {
        "/metrics" => {
            let format = accepted(request.headers());
            match ask(format, &questions).await {
                Ok(text) => response(StatusCode::OK, format.content_type(), text),
                Err(line) => response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{line}\n")),
            }
        }
        "/" => response(StatusCode::OK, "text/html; charset=utf-8", INDEX),
        _ => response(StatusCode::NOT_FOUND, TEXT, "not found; metrics are at /metrics\n"),
    })
}

async fn ask(format: Format, questions: &mpsc::Sender<Question>) -> Result<String, String> {
    let (answer, answered) = oneshot::channel();
    let ended = || "bpfvar is ending".to_owned();
    questions.send(Question { format, answer }).await.map_err(|_| ended())?;
    answered.await.map_err(|_| ended())?
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// OpenMetrics for those who name it and like nothing that we have better. Prometheus does; a browser and curl do not.
fn accepted(headers: &HeaderMap) -> Format {
    let (mut open, mut plain) = (0.0, 0.0);
    for range in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','))
    {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut quality = 1.0;
        let mut version = None;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim() {
                "q" => quality = value.trim().parse::<f64>().unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        match kind.as_str() {
            // 0.0.1 is an earlier draft, which has all that we write.
            "application/openmetrics-text" if matches!(version, None | Some("1.0.0" | "0.0.1")) => {
                open = f64::max(open, quality);
            }
            "text/plain" => plain = f64::max(plain, quality),
            _ => {}
        }
    }
    if open > 0.0 && open >= plain { Format::OpenMetrics } else { Format::Prometheus }
}

/// That only this machine can reach an address.
pub(super) fn is_local(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(accept: &'static str) -> Format {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        accepted(&headers)
    }

    #[test]
    fn prometheus_gets_openmetrics_and_all_others_the_older_format() {
        for accept in [
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.5",
            "application/openmetrics-text",
        ] {
            assert_eq!(format(accept), Format::OpenMetrics, "{accept}");
        }
        for accept in [
            "*/*",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "text/plain",
            "application/openmetrics-text;q=0.5,text/plain",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;version=2.0.0",
            ";;q==,",
        ] {
            assert_eq!(format(accept), Format::Prometheus, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), Format::Prometheus);
    }

    #[test]
    fn local_addresses_are_those_of_the_loopback() {
        for address in ["127.0.0.1:9435", "127.9.9.9:1", "[::1]:9435", "[::ffff:127.0.0.1]:1"] {
            assert!(is_local(&address.parse().unwrap()), "{address}");
        }
        for address in ["0.0.0.0:9435", "[::]:9435", "10.0.0.1:1", "192.168.1.1:9435"] {
            assert!(!is_local(&address.parse().unwrap()), "{address}");
        }
    }
}
