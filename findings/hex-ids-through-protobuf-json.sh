#!/usr/bin/env bash
# OTLP/JSON through protobuf's own JSON parser: hex ids are read as base64, without an error, as other and longer ids.
#
# Guess:    json_format.Parse, made for exactly these messages, reads OTLP/JSON, or fails on its hex ids.
# Instead:  32 hex digits are valid base64: they become 24 bytes, 16 become 12. Nothing fails, parents still match their
#           children, and the way back to JSON gives the same text, so that a round trip looks right. An id with capital
#           letters, which OTLP allows, is another id. Only the bytes are wrong, and so whatever came by protobuf or
#           gRPC is another trace.
# Versions: protobuf 7.36.2, opentelemetry-proto 1.45.1.
# Matters:  a receiver built like this stores JSON senders' spans apart from everybody else's, in traces that no search
#           for the id in a log line finds; tests that only use JSON pass.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check protobuf==7.36.2 opentelemetry-proto==1.45.1

cat > try.py <<'EOF'
from importlib.metadata import version

from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
by_json = json_format.Parse(f'{{"traceId": "{TRACE}", "spanId": "{SPAN}"}}', Span())
capitals = json_format.Parse(f'{{"traceId": "{TRACE.upper()}", "spanId": "{SPAN}"}}', Span())
by_protobuf = Span(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN))
back = json_format.MessageToDict(by_json)

print("protobuf", version("protobuf"))
print(f"  sent      {TRACE}, {SPAN}")
print(f"  read      {by_json.trace_id.hex()}, {by_json.span_id.hex()}")
print(f"            {len(by_json.trace_id)} and {len(by_json.span_id)} bytes instead of 16 and 8")
print(f"  and back  {back['traceId']}, {back['spanId']}")
print(f"  the same in capitals is the same trace: {capitals.trace_id == by_json.trace_id}")
assert (len(by_json.trace_id), len(by_json.span_id)) == (24, 12), "ids are read differently now"
assert by_json.trace_id != by_protobuf.trace_id != capitals.trace_id != by_json.trace_id
assert (back["traceId"], back["spanId"]) == (TRACE, SPAN)
EOF
venv/bin/python try.py
echo "As described."
