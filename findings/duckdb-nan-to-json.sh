#!/usr/bin/env bash
# NaN on its way through JSON: DuckDB writes what only DuckDB calls valid, orjson writes null, and OTLP loses the value.
#
# Guess:    what json_valid() accepts, JSON libraries can read; and a number that JSON can't express raises, or comes
#           out as OTLP's text "NaN".
# Instead:  DuckDB's to_json and ::JSON write a bare NaN or Infinity and json_valid says true; orjson refuses the
#           document, json.loads takes it. The other way, orjson.dumps writes NaN as null, and protobuf's JSON reads
#           null as "not set": a data point arrives without any value, with no error on either side. json.dumps writes a
#           bare NaN, which protobuf's parser refuses.
# Versions: DuckDB 1.5.6 and 2.0.0, orjson 3.13.0, protobuf 7.36.2 with opentelemetry-proto 1.45.1.
# Matters:  one NaN makes the JSON of a whole result unreadable, or turns a gauge's point into one without a value, by
#           which of the good libraries stands next to which.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
pip=(venv/bin/pip install --quiet --disable-pip-version-check)
"${pip[@]}" orjson==3.13.0 protobuf==7.36.2 opentelemetry-proto==1.45.1
for version in 1.5.6 2.0.0; do
    "${pip[@]}" --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import json
from importlib.metadata import version

import duckdb
import orjson
from google.protobuf import json_format
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

print("DuckDB", duckdb.__version__)
for value in ("nan", "inf", "-inf"):
    text, valid = duckdb.execute(
        "SELECT to_json({'v': $1::DOUBLE})::VARCHAR, json_valid(to_json({'v': $1::DOUBLE})::VARCHAR)", [value]
    ).fetchone()
    try:
        orjson_reads = orjson.loads(text)
    except orjson.JSONDecodeError:
        orjson_reads = "refuses it"
    print(f"  to_json of {value:5} {text:16} json_valid {valid}, json reads {json.loads(text)}, orjson {orjson_reads}")
    assert valid is True and orjson_reads == "refuses it", "behaves differently now"

print("orjson", orjson.__version__, "and protobuf", version("protobuf"))
point = {"timeUnixNano": "1795000000000000000", "asDouble": float("nan")}
text = orjson.dumps(point).decode()
read = json_format.Parse(text, NumberDataPoint())
print(f"  orjson writes {text}, protobuf reads a point with the value {read.WhichOneof('value')}")
assert '"asDouble":null' in text and read.WhichOneof("value") is None, "behaves differently now"
try:
    json_format.Parse(json.dumps(point), NumberDataPoint())
except json_format.ParseError as error:
    print(f"  json writes {json.dumps(point)}, protobuf: {error}")
else:
    raise AssertionError("a bare NaN is read now")
right = json_format.Parse(json.dumps(point | {"asDouble": "NaN"}), NumberDataPoint())
assert right.as_double != right.as_double
EOF
for version in 1.5.6 2.0.0; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
