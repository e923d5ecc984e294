#!/usr/bin/env bash
# A NaN in a measurement: Node.js ends the counter for the life of the process, Python leaves the measurement out.
#
# Guess:    the SDKs treat a value that is no number alike, and at worst one point is NaN.
# Instead:  Node.js adds it: a counter that once got NaN (0/0, or a missing field times a number) is NaN in every export
#           from then on. Its histograms leave NaN out, and so does Python for both, with a warning.
# Versions: opentelemetry-sdk 1.45.1 (Python), @opentelemetry/sdk-metrics 2.12.1.
# Needs:    Node.js 20.
# Matters:  rate and increase over that series are NaN or nothing until the process restarts, days later, for one bad
#           call. A backend should take such a point for a gap and say so, not for a value of 0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1
npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 > npm.log

cat > count.py <<'EOF'
import json
import logging

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

logging.disable()
reader = InMemoryMetricReader()
meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("finding")
counter, histogram = meter.create_counter("bytes"), meter.create_histogram("seconds")
for value in (1.0, float("nan"), 5.0):
    counter.add(value)
    histogram.record(value)
metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
points = {metric.name: metric.data.data_points[0] for metric in metrics}
print(json.dumps([points["bytes"].value, points["seconds"].count, points["seconds"].sum]))
EOF
cat > count.js <<'EOF'
const sdk = require("@opentelemetry/sdk-metrics");
const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 });
const provider = new sdk.MeterProvider({ readers: [reader] });
const meter = provider.getMeter("finding");
const counter = meter.createCounter("bytes");
const histogram = meter.createHistogram("seconds");
const results = [];
(async () => {
  for (const values of [[1, NaN], [5]]) {
    for (const value of values) {
      counter.add(value);
      histogram.record(value);
    }
    exporter.reset();
    await provider.forceFlush();
    const [bytes, seconds] = exporter.getMetrics()[0].scopeMetrics[0].metrics.map((metric) => metric.dataPoints[0].value);
    results.push(`${bytes} ${seconds.count} ${seconds.sum}`);
  }
  console.log(results.join(" | "));
  await provider.shutdown();
})();
EOF
python=$(venv/bin/python count.py)
javascript=$(node count.js)
echo "1, NaN and 5 into a counter and a histogram: the counter's sum, the histogram's count and sum"
echo "  Python 1.45.1                        $python"
echo "  Node.js 2.12.1, after NaN | after 5  $javascript"
[ "$python" = "[6.0, 2, 6.0]" ] || { echo "Python behaves differently now"; exit 1; }
[ "$javascript" = "NaN 1 1 | NaN 2 6" ] || { echo "Node.js behaves differently now"; exit 1; }
echo "As described."
