//! The HTTP face: bytes to a [`Call`] and a [`Reply`] to bytes, on connections that can be cut for real.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use chrono::Utc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::call::{Call, Reply};
use super::core::Core;
use super::faults::Rule;
use super::routes::{control, pattern};

/// Largest request body, in bytes: a whole seed fits.
const BODY_LIMIT: usize = 1 << 30;

/// Serves until `shutdown` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    core: Arc<Core>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().fallback(face).with_state(core);
    let service = router.into_make_service_with_connect_info::<Line>();
    axum::serve(CuttableListener(listener), service)
        .with_graceful_shutdown(shutdown)
        .await
}

async fn face(State(core): State<Arc<Core>>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let call = match read(request).await {
        Ok(call) => call,
        Err(status) => return respond(Reply::empty(status)),
    };
    if call.path == "/sandbox" || call.path.starts_with("/sandbox/") {
        return respond(control::answer(&core, &call));
    }
    if !call.path.starts_with("/tas/api/") {
        return respond(Reply::typed(
            404,
            "text/html",
            b"<html><body><h1>404</h1></body></html>".to_vec(),
        ));
    }
    let route = pattern(&call.segments());
    core.stats().arrived(&call.method, &route);
    let latency = core.world().settings.latency_ms;
    pause(latency).await;
    match core.strike(&call, &route) {
        None => {
            let mut answer = core.answer(&call);
            core.stats().answered(&call, &route, &answer, true);
            let ahead = i64::from(core.world().settings.clock_minutes);
            if ahead != 0 {
                let date = call.at + chrono::Duration::minutes(ahead);
                let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                answer.reply.headers.push(("date".to_owned(), date));
            }
            respond(answer.reply)
        }
        Some(fault) => play(&core, &line, call, &route, &fault).await,
    }
}

async fn pause(millis: u64) {
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

/// Plays a fault on a request.
async fn play(core: &Arc<Core>, line: &Line, mut call: Call, route: &str, fault: &Rule) -> Response {
    core.stats().fault();
    pause(fault.delay_ms.unwrap_or_default()).await;
    let edited = fault
        .edit
        .as_ref()
        .map_or(Ok(None), |edit| core.edit(edit, call.at).map(Some));
    if let Err(problem) = edited {
        return respond(control::refuse(500, &format!("the fault's edit: {problem}")));
    }
    if let Some(dropped) = &fault.drop_parameter {
        call.query = without(&call.query, dropped);
    }
    if let Some(millis) = fault.effect_after_ms {
        let (core, call, route) = (Arc::clone(core), call.clone(), route.to_owned());
        tokio::spawn(async move {
            pause(millis).await;
            let call = Call { at: Utc::now(), ..call };
            let answer = core.answer(&call);
            core.stats().answered(&call, &route, &answer, false);
        });
    }
    let mut reply = None;
    if fault.takes_effect() {
        let answer = core.answer(&call);
        let delivered = fault.reset.is_none() && fault.answer.is_none() && !fault.cut_body;
        core.stats().answered(&call, route, &answer, delivered);
        reply = Some(answer.reply);
    }
    pause(fault.answer_delay_ms.unwrap_or_default()).await;
    if fault.reset.is_some() {
        line.cut();
        return respond(Reply::empty(500));
    }
    let reply = match (&fault.answer, reply) {
        (Some(scripted), _) => scripted.reply(),
        (None, Some(reply)) => reply,
        (None, None) => Reply::empty(500),
    };
    if fault.cut_body {
        respond_half(reply, line.clone())
    } else {
        respond(reply)
    }
}

/// A query without one of its parameters.
fn without(query: &str, dropped: &str) -> String {
    let kept = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != dropped);
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .finish()
}

/// An answer that announces its whole length, sends half of it and cuts the connection.
fn respond_half(mut reply: Reply, line: Line) -> Response {
    let whole = std::mem::take(&mut reply.body);
    let half = whole[..whole.len() / 2].to_vec();
    let mut response = respond(reply);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let parts = futures::stream::unfold(Some(half), move |part| {
        let line = line.clone();
        async move {
            if let Some(part) = part {
                return Some((Ok(part), None));
            }
            // The first half must be on the wire before the line goes.
            pause(20).await;
            line.cut();
            Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None))
        }
    });
    *response.body_mut() = Body::from_stream(parts);
    response
}

async fn read(request: Request) -> Result<Call, u16> {
    let (parts, body) = request.into_parts();
    let text = |name: HeaderName| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let path = percent_decode(parts.uri.path());
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| 400u16)?;
    Ok(Call {
        method: parts.method.to_string(),
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        accept: text(header::ACCEPT),
        authorization: text(header::AUTHORIZATION),
        host: text(header::HOST),
        body: body.to_vec(),
        at: Utc::now(),
    })
}

/// A path without its percent signs; a slash that was escaped stays inside its part.
fn percent_decode(path: &str) -> String {
    let escaped = path
        .replace("%2F", "%252F")
        .replace("%2f", "%252f")
        .replace('+', "%2B")
        .replace('&', "%26");
    let escaped = escaped.replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(path, _)| path.into_owned())
        .unwrap_or_default()
}

/// An answer on the wire.
fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    if !reply.media_type.is_empty() {
        set(header::CONTENT_TYPE, &reply.media_type);
    }
    if reply.status == 401 {
        set(header::WWW_AUTHENTICATE, "Basic realm=\"TOPdesk\"");
    }
    for (name, value) in &reply.headers {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            set(name, value);
        }
    }
    response
}

/// The handle with which a request can cut the connection it came on.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<AtomicBool>);

impl Line {
    /// Cuts: the next byte in either direction fails and the peer sees a reset.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A listener whose connections can be cut.
struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CuttableStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers must not wait for the peer's acknowledgement; without this the sandbox is slow, not wrong.
        let _ = stream.set_nodelay(true);
        (
            CuttableStream {
                stream,
                line: Line::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

struct CuttableStream {
    stream: TcpStream,
    line: Line,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        if self.line.is_cut() {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl Drop for CuttableStream {
    fn drop(&mut self) {
        if self.line.is_cut() {
            // With zero linger the close sends a reset instead of an orderly end. Should setting it fail, the peer still
            // loses the connection, only more politely.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
