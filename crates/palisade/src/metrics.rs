//! Figures for Prometheus.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Upper bounds of the latency buckets, in seconds.
const LATENCY_SECONDS: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1.0];

/// The figures, each registered once so that counting takes no lookup.
pub struct Metrics {
    allowed: Counter,
    denied: Counter,
    unproven: Counter,
    failed: Counter,
    busy: Counter,
    seconds: Histogram,
    revision: Gauge,
    staleness_seconds: Gauge,
    queued: Gauge,
    handle: PrometheusHandle,
}

/// How a request ended, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Allowed,
    Denied,
    Unproven,
    Failed,
    Busy,
}

static METADATA: Metadata = Metadata::new("palisade", Level::INFO, None);

impl Metrics {
    pub fn new() -> Result<Self, String> {
        let latency = Matcher::Full("palisade_request_seconds".into());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(latency, LATENCY_SECONDS)
            .map_err(|error| error.to_string())?
            .build_recorder();
        let requests = |outcome: &'static str| {
            let labels = vec![Label::new("outcome", outcome)];
            recorder
                .register_counter(&Key::from_parts("palisade_requests_total", labels), &METADATA)
        };
        let gauge = |name: &'static str| recorder.register_gauge(&Key::from_name(name), &METADATA);
        let describe = |name: &'static str, text: &'static str| {
            recorder.describe_gauge(KeyName::from(name), None, text.into());
        };
        recorder.describe_counter(
            KeyName::from("palisade_requests_total"),
            None,
            "Requests, by how they ended".into(),
        );
        describe("palisade_store_revision", "The newest revision that this node shows");
        describe("palisade_store_staleness_seconds", "How old this node's view may be");
        describe("palisade_store_queued", "Transactions waiting to be written");
        Ok(Self {
            allowed: requests("allowed"),
            denied: requests("denied"),
            unproven: requests("unproven"),
            failed: requests("failed"),
            busy: requests("busy"),
            seconds: recorder
                .register_histogram(&Key::from_name("palisade_request_seconds"), &METADATA),
            revision: gauge("palisade_store_revision"),
            staleness_seconds: gauge("palisade_store_staleness_seconds"),
            queued: gauge("palisade_store_queued"),
            handle: recorder.handle(),
        })
    }

    pub fn request(&self, ending: Ending, took: Duration) {
        let counter = match ending {
            Ending::Allowed => &self.allowed,
            Ending::Denied => &self.denied,
            Ending::Unproven => &self.unproven,
            Ending::Failed => &self.failed,
            Ending::Busy => &self.busy,
        };
        counter.increment(1);
        self.seconds.record(took.as_secs_f64());
    }

    /// The figures in Prometheus's text format, with those of the store as they are now.
    pub fn render(&self, status: &palisade_store::Status) -> String {
        self.revision.set(status.revision as f64);
        self.staleness_seconds.set(status.staleness.as_secs_f64());
        self.queued.set(status.queued as f64);
        self.handle.run_upkeep();
        self.handle.render()
    }

    /// Moves the latencies noted into their buckets; without it they would pile up.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}
