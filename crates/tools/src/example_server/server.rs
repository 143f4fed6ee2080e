//! The server: takes calls, answers from the book. When its client has closed stdin, calls under way end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler, ServiceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::book::{Book, Refusal};
use super::chart;
use super::input::Watched;
use super::requests::{
    CustomerList, Fail, GetOrder, ListOrders, MAX_DELAY_MS, Nothing, ProductImage, ProductList, Report,
    SlowReport, UpdateOrder,
};
use super::tools;

/// How often a slow report says how far it is.
const PROGRESS_STEPS: u32 = 10;
/// How long a report takes unless asked otherwise.
const DEFAULT_DELAY_MS: u64 = 1000;

/// Why the server stopped otherwise than by its client leaving.
#[derive(Debug, thiserror::Error)]
#[error("serve the example order book: {source}")]
pub struct ServeError {
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Serves the example over this process's standard streams until its client closes stdin.
///
/// # Errors
/// [`ServeError`] when the client does not shake hands or the server's task panics. Dropping the future ends
/// the connection.
pub async fn serve_stdio() -> Result<(), ServeError> {
    let (input, output) = rmcp::transport::stdio_pipes();
    serve(input, output).await
}

async fn serve(
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), ServeError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ServeError { source };
    let ended = CancellationToken::new();
    let server = ExampleServer { book: Mutex::new(Book::new()), tools: tools::all(), left: ended.clone() };
    let serving = Box::pin(server.serve((Watched { input, ended }, output)));
    let service = serving.await.map_err(|error| failed(Box::new(error)))?;
    service.waiting().await.map_err(|error| failed(Box::new(error)))?;
    Ok(())
}

struct ExampleServer {
    book: Mutex<Book>,
    tools: Vec<Tool>,
    /// Fires when the client has left.
    left: CancellationToken,
}

impl ExampleServer {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Refusal> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        match request.name.as_ref() {
            "list_customers" => {
                let Nothing {} = read(arguments)?;
                structured(&CustomerList { customers: self.book().customers().to_vec() })
            }
            "list_products" => {
                let Nothing {} = read(arguments)?;
                structured(&ProductList { products: self.book().products().to_vec() })
            }
            "list_orders" => {
                let request: ListOrders = read(arguments)?;
                structured(&self.book().orders(&request)?)
            }
            "get_order" => {
                let GetOrder { id } = read(arguments)?;
                structured(self.book().order(&id)?)
            }
            "update_order" => {
                let request: UpdateOrder = read(arguments)?;
                structured(&self.book().update(request)?)
            }
            "slow_report" => self.slow_report(read(arguments)?, context).await,
            "fail" => Ok(fail(read(arguments)?)),
            "product_image" => self.product_image(&read(arguments)?),
            other => Err(format!("there is no tool {other:?}")),
        }
    }

    async fn slow_report(
        &self,
        request: SlowReport,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Refusal> {
        let delay_ms = request.delay_ms.unwrap_or(DEFAULT_DELAY_MS);
        if delay_ms > MAX_DELAY_MS {
            return Err(format!("delay_ms is {delay_ms}; accepted are 0 to {MAX_DELAY_MS}"));
        }
        let begun = Instant::now();
        let token = context.meta.get_progress_token();
        for step in 1..=PROGRESS_STEPS {
            let due = begun + Duration::from_millis(delay_ms) * step / PROGRESS_STEPS;
            tokio::select! {
                () = context.ct.cancelled() => return Err("the report was cancelled".to_owned()),
                () = self.left.cancelled() => return Err("the client has left".to_owned()),
                () = tokio::time::sleep_until(due) => {}
            }
            if let Some(token) = &token {
                let progress = ProgressNotificationParam::new(token.clone(), f64::from(step))
                    .with_total(f64::from(PROGRESS_STEPS))
                    .with_message(format!("summed up {step} of {PROGRESS_STEPS} parts"));
                // A client that is gone needs no progress; its leaving ends the server by another way.
                let _gone = context.peer.notify_progress(progress).await;
            }
        }
        let months = self.book().months();
        let revenue_cents = months.iter().map(|month| month.revenue_cents).sum();
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        structured(&Report { months, revenue_cents, took_ms })
    }

    fn product_image(&self, request: &ProductImage) -> Result<CallToolResult, Refusal> {
        let book = self.book();
        let product = book.product(&request.product_id)?;
        let sold = book.sold_by_month(&product.id);
        let caption = format!(
            "{} ({}): {} sold in 2026, by month {sold:?}",
            product.name,
            product.id,
            sold.iter().sum::<u32>()
        );
        let image = ContentBlock::image(BASE64_STANDARD.encode(chart::draw(&sold)), "image/png");
        Ok(CallToolResult::success(vec![ContentBlock::text(caption), image]))
    }
}

impl ServerHandler for ExampleServer {
    fn get_info(&self) -> ServerConfig {
        let implementation = Implementation::new("carrel-example-orders", env!("CARGO_PKG_VERSION"))
            .with_title("Carrel's example order book");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(implementation)
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.clone()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // A refusal is the tool's answer, not a fault of the protocol: that way the model gets to read it.
        let result = self
            .call(request, &context)
            .await
            .unwrap_or_else(|refusal| CallToolResult::error(vec![ContentBlock::text(refusal)]));
        Ok(result.into())
    }
}

fn fail(request: Fail) -> CallToolResult {
    let mut result = CallToolResult::error(vec![ContentBlock::text(request.message)]);
    result.structured_content = request.data;
    result
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Refusal> {
    serde_json::from_value(arguments).map_err(|error| format!("the input is not accepted: {error}"))
}

fn structured(value: &impl Serialize) -> Result<CallToolResult, Refusal> {
    let value = serde_json::to_value(value).map_err(|error| format!("the answer is not JSON: {error}"))?;
    Ok(CallToolResult::structured(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_leaves_is_not_served_on() {
        let (mut requests, input) = tokio::io::duplex(1 << 16);
        let (output, answers) = tokio::io::duplex(1 << 16);
        let mut answers = BufReader::new(answers).lines();
        let client = async {
            let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
            requests.write_all(format!("{initialize}\n").as_bytes()).await.unwrap();
            answers.next_line().await.unwrap().unwrap();
            let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
                "name": "slow_report", "arguments": { "delay_ms": MAX_DELAY_MS } } });
            requests.write_all(format!("{initialized}\n{call}\n").as_bytes()).await.unwrap();
            drop(requests);
            Instant::now()
        };
        let (served, left) = tokio::join!(serve(input, output), client);
        served.unwrap();
        assert!(left.elapsed() < Duration::from_secs(1), "it took {:?}", left.elapsed());
    }
}
