#!/usr/bin/env bash
# OpenTelemetry metrics: Node.js folds what exceeds 2000 attribute sets into one series, Python never does.
#
# Guess:    the SDKs share the limit that the specification names, 2000 attribute sets of an instrument and then
#           otel.metric.overflow, so that one careless attribute is bounded.
# Instead:  Node.js keeps 1999 series and one overflow series with the sum of the rest. Python has no limit: 5000 sets
#           are 5000 points, in memory and in every export from then on, since a cumulative reader never forgets one.
# Versions: opentelemetry-sdk 1.45.1 (Python), @opentelemetry/sdk-metrics 2.12.1.
# Needs:    Node.js 20.
# Matters:  a user id as an attribute grows a Python process and each of its requests without end; the backend must
#           bound it. In Node.js the breakdown by attribute is wrong from the 2000th set on while the total is right: a
#           backend that leaves overflow points out, or shows their sum as one more series, answers differently for the
#           two.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1
npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 > npm.log

cat > count.py <<'EOF'
import json

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
counter = MeterProvider([reader], shutdown_on_exit=False).get_meter("finding").create_counter("requests")
for user in range(5000):
    counter.add(1, {"user": user})
reader.collect()
points = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
overflow = [point.value for point in points if "otel.metric.overflow" in point.attributes]
print(json.dumps([len(points), sum(point.value for point in points), overflow]))
EOF
cat > count.js <<'EOF'
const sdk = require("@opentelemetry/sdk-metrics");
const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 });
const provider = new sdk.MeterProvider({ readers: [reader] });
const counter = provider.getMeter("finding").createCounter("requests");
for (let user = 0; user < 5000; user++) counter.add(1, { user });
provider.forceFlush().then(() => {
  const points = exporter.getMetrics()[0].scopeMetrics[0].metrics[0].dataPoints;
  const overflow = points.filter((point) => point.attributes["otel.metric.overflow"]).map((point) => point.value);
  console.log(JSON.stringify([points.length, points.reduce((sum, point) => sum + point.value, 0), overflow]));
  return provider.shutdown();
});
EOF
python=$(venv/bin/python count.py)
javascript=$(node count.js)
echo "5000 attribute sets; points, their sum, values of overflow points:"
echo "  Python 1.45.1   $python"
echo "  Node.js 2.12.1  $javascript"
[ "$python" = "[5000, 5000, []]" ] || { echo "Python limits them differently now"; exit 1; }
[ "$javascript" = "[2000,5000,[3001]]" ] || { echo "Node.js limits them differently now"; exit 1; }
echo "As described."
