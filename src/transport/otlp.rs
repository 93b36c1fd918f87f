//! Finished spans to a collector of OpenTelemetry, by OTLP over HTTP, in batches, from a thread of their own. The queue is bounded: what
//! does not fit is dropped, and a collector that is away never holds up a message.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, TracerProviderBuilder,
};
use tokio::runtime::Handle;

use crate::client::{self, RootError};
use crate::domain::chain;
use crate::settings::Traces;

/// One batch, with its answer.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a finished span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// Spans that wait at most; more are dropped.
const QUEUE_MAX: usize = 8192;
/// Spans in one batch.
const BATCH_MAX: usize = 512;
/// How long the last spans may take at the end.
const LAST_TIME_MAX: Duration = Duration::from_secs(3);
/// The largest answer of the collector that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where spans go and which.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The whole address, such as `https://collector.example:4318/v1/traces`.
    pub endpoint: String,
    /// Of the traces that begin here the part that is told of, 0 to 1; the others are as their sender says.
    pub ratio: f64,
    /// Certificates of authorities, PEM, trusted beside the system's own.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// The node's name.
    pub node: String,
}

impl ExportOptions {
    /// As the settings have it; `None`: nobody is told anything.
    pub fn of(own: &Traces, node: &str, extra_roots_pem: Vec<Vec<u8>>) -> Option<Self> {
        Some(Self { endpoint: own.endpoint()?, ratio: own.ratio, extra_roots_pem, node: node.to_owned() })
    }
}

/// The collector cannot be used: the options are wrong.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A root certificate is not PEM.
    #[error("traces.ca_file")]
    Root(#[from] RootError),
    /// TLS or the client could not be set up.
    #[error("the HTTP client for traces.otlp could not be set up")]
    Setup(#[from] reqwest::Error),
    /// The address, or a variable `OTEL_…` of the environment.
    #[error("traces.otlp, or a variable OTEL_… of the environment")]
    Exporter(#[from] ExporterBuildError),
}

/// The way of spans to the collector.
#[derive(Debug, Clone)]
pub struct Export {
    provider: SdkTracerProvider,
}

impl Export {
    /// Sets it up; nothing is asked of the collector yet. Needs a runtime, on which the calls are made.
    ///
    /// # Errors
    /// When a certificate or the address is unusable.
    pub fn start(options: ExportOptions) -> Result<Self, ExportError> {
        let client = client::builder(&options.extra_roots_pem)?.timeout(CALL_TIME_MAX).build()?;
        let caller = Caller { client, runtime: Handle::current(), is_away: AtomicBool::new(false) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(caller)
            .with_endpoint(options.endpoint)
            .with_timeout(CALL_TIME_MAX)
            .build()?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_MAX)
            .with_max_export_batch_size(BATCH_MAX)
            .with_scheduled_delay(GATHER)
            .build();
        let own = [
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", options.node),
        ];
        let provider = TracerProviderBuilder::default()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.ratio))))
            .with_resource(Resource::builder().with_service_name("mezhved").with_attributes(own).build())
            .build();
        Ok(Self { provider })
    }

    /// What makes spans that go there.
    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("mezhved")
    }

    /// Hands over what waits, in a bounded time.
    pub async fn stop(self) {
        // It waits for its own thread, which waits for calls on this runtime.
        let stopped = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_TIME_MAX));
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(%error, "some spans were not handed to the collector");
        }
    }
}

/// Makes the exporter's calls with the HTTP client that everything here uses.
#[derive(Debug)]
struct Caller {
    client: reqwest::Client,
    runtime: Handle,
    is_away: AtomicBool,
}

type Called<'c> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'c>>;

impl HttpClient for Caller {
    fn send_bytes<'s, 'c>(&'s self, request: Request<Bytes>) -> Called<'c>
    where
        's: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            // The exporter's thread has no runtime of its own.
            let called = self.runtime.spawn(call(self.client.clone(), request)).await;
            let answer = called.map_err(HttpError::from).and_then(|answer| answer);
            let trouble = match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(format!("HTTP {}", answer.status().as_u16())),
                Err(error) => Some(chain(error.as_ref())),
            };
            let was_away = self.is_away.swap(trouble.is_some(), Ordering::Relaxed);
            match trouble {
                Some(trouble) if !was_away => tracing::warn!(trouble, "traces.otlp takes no spans; they are dropped"),
                None if was_away => tracing::info!("traces.otlp takes spans again"),
                Some(_) | None => {}
            }
            answer
        })
    }
}

async fn call(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let answer = client.execute(request.try_into()?).await;
    let mut answer = answer.map_err(reqwest::Error::without_url)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(format!("an answer of more than {ANSWER_BYTES_MAX} bytes").into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Response::builder().status(answer.status()).body(bytes.into())?)
}
