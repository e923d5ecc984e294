#!/usr/bin/env bash
# pyarrow: to_pylist() of nanosecond timestamps works until one value needs the nanoseconds, and never raises with pandas.
#
# Guess:    values become datetime, cut off or rounded to microseconds, or a type of their own; always the same.
# Instead:  it goes by value and by what else is installed. A time that ends in 000 becomes a datetime; one that does
#           not raises ValueError for the whole column. Where pandas is installed, nothing raises and each value is a
#           pandas.Timestamp, also those that end in 000; orjson writes datetime and refuses Timestamp.
# Versions: pyarrow 26.0.1 without and with pandas 3.1.1, orjson 3.13.0.
# Matters:  OTLP's times are nanoseconds, but many clocks give microseconds or less. An endpoint answers until the first
#           sender with a better clock, and behaves differently where pandas comes along with something else.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
pip=(venv/bin/pip install --quiet --disable-pip-version-check)
"${pip[@]}" pyarrow==26.0.1 orjson==3.13.0

cat > try.py <<'EOF'
import importlib.util

import orjson
import pyarrow as pa

has_pandas = importlib.util.find_spec("pandas") is not None


def values(*times):
    """Types of what to_pylist returns and what orjson makes of it, or the error."""
    try:
        values = pa.array(times, pa.timestamp("ns")).to_pylist()
        kinds = {type(value).__name__ for value in values}
    except ValueError as error:
        return type(error).__name__, str(error).partition(" to convert")[0]
    try:
        return ", ".join(kinds), orjson.dumps(values[0]).decode()
    except TypeError as error:
        return ", ".join(kinds), str(error)


print(f"pyarrow {pa.__version__}, pandas {'' if has_pandas else 'not '}installed")
for times, right in (
    ((1795000000123456000,), "Timestamp" if has_pandas else "datetime"),
    ((1795000000123456000, 1795000000123456789), "Timestamp" if has_pandas else "ValueError"),
):
    kind, written = values(*times)
    print(f"  {str(times):46} {kind}; orjson: {written}" if "Error" not in kind else f"  {str(times):46} {kind}: {written}")
    assert kind == right, "behaves differently now"
    assert ("not JSON serializable" in written) == has_pandas
EOF
venv/bin/python try.py
"${pip[@]}" pandas==3.1.1
venv/bin/python try.py
echo "As described."
