//! From a request of HTTP to a method, and back.

use std::pin::Pin;

use futures::Stream;
use prost::Message;
use tonic::body::Body;
use tonic::server::{Grpc, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::MAX_MESSAGE_BYTES;

/// What a method streams.
pub(super) type Answers<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;
type Boxed<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

/// A method as tonic wants it.
struct Method<F>(F);

impl<F, Fut, R, M> UnaryService<R> for Method<F>
where
    F: FnMut(R) -> Fut,
    Fut: Future<Output = Result<Response<M>, Status>> + Send + 'static,
{
    type Response = M;
    type Future = Boxed<M>;

    fn call(&mut self, request: Request<R>) -> Self::Future {
        Box::pin((self.0)(request.into_inner()))
    }
}

impl<F, Fut, R, M> ServerStreamingService<R> for Method<F>
where
    F: FnMut(R) -> Fut,
    Fut: Future<Output = Result<Answers<M>, Status>> + Send + 'static,
    M: 'static,
{
    type Response = M;
    type ResponseStream = Answers<M>;
    type Future = Boxed<Answers<M>>;

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let answers = (self.0)(request.into_inner());
        Box::pin(async move { answers.await.map(Response::new) })
    }
}

fn grpc<M, R>() -> Grpc<ProstCodec<M, R>>
where
    M: Message + 'static,
    R: Message + Default + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// Answers a request with one message.
pub(super) async fn unary<B, R, M, F, Fut>(request: http::Request<B>, method: F) -> http::Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    R: Message + Default + 'static,
    M: Message + 'static,
    F: FnMut(R) -> Fut,
    Fut: Future<Output = Result<Response<M>, Status>> + Send + 'static,
{
    grpc::<M, R>().unary(Method(method), request).await
}

/// Answers a request with a stream of messages.
pub(super) async fn streaming<B, R, M, F, Fut>(request: http::Request<B>, method: F) -> http::Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    R: Message + Default + 'static,
    M: Message + 'static,
    F: FnMut(R) -> Fut,
    Fut: Future<Output = Result<Answers<M>, Status>> + Send + 'static,
{
    grpc::<M, R>().server_streaming(Method(method), request).await
}
