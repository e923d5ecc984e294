#!/usr/bin/env bash
# OpenTelemetry Python's Prometheus exporter: two scopes, one metric name, and label values move to other labels.
#
# Guess:    two libraries may use one instrument name; their series differ in otel_scope_name, and each keeps its
#           labels.
# Instead:  the label names of the first scope are printed with the values of the second, by position. A counter with
#           http.route="/a" in one scope and code="500" in another is exported as http_route="500", or, the other way
#           round, code="/a". A scope without attributes gets its own name as the route, and otel_scope_name="". Names
#           that sort behind "otel_" (route, zone) hide it, and within one scope all is right.
# Versions: opentelemetry-exporter-prometheus 0.66b1, opentelemetry-sdk 1.45.1, prometheus-client 0.26.0.
# Matters:  http.server.* and rpc.* instruments come from several libraries in one process. The page is valid and
#           scraped without an error; routes called "500" are then looked for in the backend. OTLP from the same process
#           is right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-exporter-prometheus==0.66b1 opentelemetry-sdk==1.45.1 prometheus-client==0.26.0

cat > try.py <<'EOF'
from importlib.metadata import version

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY


def exposed(*measurements):
    """Labels by value of one counter that several scopes count with."""
    provider = MeterProvider([PrometheusMetricReader()], shutdown_on_exit=False)
    for number, (scope, attributes) in enumerate(measurements, 1):
        provider.get_meter(scope).create_counter("requests").add(number, attributes)
    family = next(family for family in REGISTRY.collect() if family.name == "requests")
    labels = {int(sample.value): {k: v for k, v in sample.labels.items() if v} for sample in family.samples}
    provider.shutdown()
    for number, (scope, attributes) in enumerate(measurements, 1):
        print(f"  scope {scope!r}, {attributes!s:25} is exposed with {labels[number]}")
    print()
    return labels


print("opentelemetry-exporter-prometheus", version("opentelemetry-exporter-prometheus"))
route, code = ("app", {"http.route": "/a"}), ("lib", {"code": "500"})
assert exposed(route, code)[2] == {"http_route": "500", "otel_scope_name": "lib"}, "labels are right now"
assert exposed(code, route)[2] == {"code": "/a", "otel_scope_name": "app"}, "labels are right now"
assert exposed(route, ("lib", {}))[2] == {"http_route": "lib"}, "labels are right now"
assert exposed(("app", {"route": "/a"}), ("lib", {}))[2] == {"otel_scope_name": "lib"}
same_scope = exposed(route, ("app", {"code": "500"}))
assert same_scope[2] == {"code": "500", "otel_scope_name": "app"}
EOF
venv/bin/python try.py
echo "As described."
