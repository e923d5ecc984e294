//! A warehouse service: spans and logs of `tracing` through tracing-opentelemetry and opentelemetry-appender-tracing.
use std::{error::Error, fmt, thread::sleep, time::Duration};

use anyhow::Context;
use opentelemetry::{trace::TracerProvider as _, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{logs::SdkLoggerProvider, metrics::{PeriodicReader, SdkMeterProvider}, trace::SdkTracerProvider, Resource};
use tracing::{error, info, instrument, warn};
use tracing_subscriber::prelude::*;

#[derive(Debug)]
enum StockError { Unknown(String), Storage(std::io::Error) }
impl fmt::Display for StockError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self { Self::Unknown(sku) => write!(f, "sku {sku} is unknown"), Self::Storage(_) => write!(f, "storage failed") }
    }
}
impl Error for StockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> { if let Self::Storage(e) = self { Some(e) } else { None } }
}

#[instrument(err)]
fn load(sku: &str) -> Result<u32, StockError> {
    sleep(Duration::from_millis(4));
    match sku {
        "tea" => Ok(2),
        "disk" => {
            let failed = StockError::Storage(std::io::Error::new(std::io::ErrorKind::NotFound, "stock.db is gone"));
            error!(error = &failed as &(dyn Error + 'static), "storage is tried again");
            Err(failed)
        }
        other => Err(StockError::Unknown(other.to_string())),
    }
}

#[instrument(fields(otel.kind = "server", order.id = 17, order.total = 3.5, otel.status_code = tracing::field::Empty), err(Debug))]
fn reserve(sku: &str, amount: u32) -> anyhow::Result<u32> {
    info!(sku, amount, "reserving");
    let left = load(sku).with_context(|| format!("could not reserve {amount} of {sku}"))?;
    warn!(name: "stock.low", left, "only few are left");
    tracing::Span::current().record("otel.status_code", "OK");
    Ok(left)
}

fn main() {
    let url = std::env::args().nth(1).expect("usage: stock URL");
    let resource = Resource::builder().with_service_name("warehouse").with_attribute(KeyValue::new("service.version", "0.7.0")).build();
    macro_rules! exporter { ($kind:ident, $path:literal) => { $kind::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(format!("{url}{}", $path)).build().unwrap() } }
    let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter!(SpanExporter, "/v1/traces")).build();
    let logs = SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter!(LogExporter, "/v1/logs")).build();
    let reader = PeriodicReader::builder(exporter!(MetricExporter, "/v1/metrics")).with_interval(Duration::from_secs(2)).build();
    let metrics = SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
    let quiet = || tracing_subscriber::EnvFilter::new("off,stock=trace");
    tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(traces.tracer("stock")).with_filter(quiet()))
        .with(OpenTelemetryTracingBridge::new(&logs).with_filter(quiet()))
        .init();
    let meter = opentelemetry::metrics::MeterProvider::meter(&metrics, "stock");
    let reserved = meter.u64_counter("stock.reserved").with_unit("{item}").build();
    let took = meter.f64_histogram("stock.reserve.duration").with_unit("s").with_boundaries(vec![0.001, 0.005, 0.01, 0.1]).build();
    for sku in ["tea", "none", "tea", "disk"] {
        let begun = std::time::Instant::now();
        match reserve(sku, 2) {
            Ok(_) => reserved.add(2, &[KeyValue::new("sku", sku)]),
            Err(e) => error!(exception.message = %e, exception.r#type = "anyhow::Error", "not reserved: {e:#}"),
        }
        took.record(begun.elapsed().as_secs_f64(), &[]);
        sleep(Duration::from_millis(1200));
    }
    let _ = std::panic::catch_unwind(|| { let _span = tracing::info_span!("sweep").entered(); let none: Vec<u8> = vec![]; none[3] });
    traces.shutdown().unwrap(); logs.shutdown().unwrap(); metrics.shutdown().unwrap();
}
