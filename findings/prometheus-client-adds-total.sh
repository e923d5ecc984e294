#!/usr/bin/env bash
# Reading Prometheus' text format with prometheus_client: a counter whose name has no _total gets one.
#
# Guess:    the parser of the text format gives samples the names that they have in the text; Prometheus stores them so.
# Instead:  samples of a family of type counter are renamed to ..._total, and the family of one that had it loses it, so
#           that afterwards nothing tells `hits` from `hits_total`. A target that gives both gives one series twice.
# Versions: prometheus_client 0.26.0.
# Matters:  exporters older than OpenMetrics have such counters (nginx-vts, HAProxy, many of Java). A collector that
#           reads them with this parser stores series under names that no dashboard made for Prometheus asks for.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check prometheus_client==0.26.0

cat > try.py <<'EOF'
from prometheus_client.parser import text_string_to_metric_families

TEXT = """# TYPE hits counter
hits 3
# TYPE hits_total counter
hits_total 4
"""
found = [(family.name, sample.name, sample.value) for family in text_string_to_metric_families(TEXT) for sample in family.samples]
for row in found:
    print("family %s, sample %s: %s" % row)
assert found == [("hits", "hits_total", 3.0), ("hits", "hits_total", 4.0)], found
EOF
venv/bin/python try.py
