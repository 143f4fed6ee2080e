//! Where requests come in.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::Status;
use tonic::body::Body;

use super::call::{streaming, unary};
use super::host::Host;
use super::messages as m;
use crate::Hosting;

const SERVICE: &str = "/codex.code_mode.v1.CodeModeHost/";
/// What a client may send before it hears that it was read: a large message goes in few round trips.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// A client asks for each cell, wait and answer on a stream of its own.
const STREAMS: u32 = 65_536;
/// How long nobody is let in after a connection that could not be taken.
const RESPITE: Duration = Duration::from_millis(100);

/// Serves one connection, which begins as HTTP/2, until its client leaves.
///
/// # Errors
/// When the connection fails, or what comes is not HTTP/2.
pub async fn serve_connection(
    hosting: Arc<Hosting>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    serve(Host::new(hosting), stream).await
}

/// Serves whoever comes to a port.
pub async fn serve_port(hosting: Arc<Hosting>, listener: TcpListener) -> ! {
    let host = Host::new(hosting);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // One that failed, or panicked, harms no other.
            Some(_) = connections.join_next() => continue,
        };
        let (stream, _) = match accepted {
            Ok(accepted) => accepted,
            // That client is gone, or there is no file descriptor left for it: there will be when others have left.
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                sleep(RESPITE).await;
                continue;
            }
        };
        // Answers are small, and each is waited for.
        stream.set_nodelay(true).ok();
        let host = Arc::clone(&host);
        connections.spawn(async move {
            if let Err(error) = serve(host, stream).await {
                tracing::debug!(error, "a connection failed");
            }
        });
    }
}

async fn serve(
    host: Arc<Host>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http2()
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW_BYTES * 4)
        .initial_stream_window_size(WINDOW_BYTES);
    let service = service_fn(move |request| {
        let host = Arc::clone(&host);
        async move { Ok::<_, Infallible>(answer(host, request).await) }
    });
    server.serve_connection(TokioIo::new(stream), service).await
}

fn plain(status: StatusCode) -> http::Response<Body> {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

async fn answer(host: Arc<Host>, request: Request<Incoming>) -> http::Response<Body> {
    let path = request.uri().path();
    if path == "/healthz" {
        return plain(StatusCode::OK);
    }
    if request.version() != Version::HTTP_2 {
        return plain(StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    }
    match path.strip_prefix(SERVICE).unwrap_or_default() {
        "OpenSession" => {
            streaming(request, |it: m::OpenSessionRequest| Arc::clone(&host).open_session(it)).await
        }
        "CloseSession" => {
            unary(request, |it: m::CloseSessionRequest| Arc::clone(&host).close_session(it)).await
        }
        "SubscribeToToolCalls" => {
            streaming(request, |it: m::SubscribeToToolCallsRequest| Arc::clone(&host).subscribe(it)).await
        }
        "CompleteToolCall" => {
            unary(request, |it: m::CompleteToolCallRequest| Arc::clone(&host).complete(it)).await
        }
        "AcknowledgeNotification" => {
            unary(request, |it: m::AcknowledgeNotificationRequest| Arc::clone(&host).acknowledge(it)).await
        }
        "Execute" => streaming(request, |it: m::ExecuteRequest| Arc::clone(&host).execute(it)).await,
        "Wait" => unary(request, |it: m::WaitRequest| Arc::clone(&host).wait(it)).await,
        "YieldObservation" => {
            unary(request, |it: m::YieldObservationRequest| Arc::clone(&host).yield_observation(it)).await
        }
        "CancelWait" => unary(request, |it: m::CancelWaitRequest| Arc::clone(&host).cancel_wait(it)).await,
        "Terminate" => unary(request, |it: m::TerminateRequest| Arc::clone(&host).terminate(it)).await,
        "GetProcessMetrics" => Status::unimplemented("process metrics are unsupported").into_http(),
        _ => Status::unimplemented("").into_http(),
    }
}
