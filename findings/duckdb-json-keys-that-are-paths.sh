#!/usr/bin/env bash
# DuckDB's `->` takes a key of an object, unless the key begins with `/` or `$`: then it is a path, and the value is gone.
#
# Guess:    `document -> key` gives the value under that key, as in PostgreSQL and as the same operator does for a.b.
# Instead:  a text that begins with / is a JSON pointer: {"/var": 91} -> '/var' is NULL and json_exists says false. With $
#           it is a JSONPath: '$browser' is an error, '$.a' gives the value of another key, a. The empty key gives
#           the whole document, and `*` in 1.5.6 a list of all values (2.0.1: a key). A bound parameter is read in the same way. `->` with the pointer /~1var, or '$."$browser"',
#           finds them.
# Versions: DuckDB 1.5.6 and 2.0.1.
# Matters:  mount points, routes and file names are keys in logs (disk use by mount), and product analytics begins its
#           fields with $. The first look like missing data, without an error. Every key needs to be made into a path.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
for version in 1.5.6 2.0.1; do
    venv/bin/pip install --quiet --disable-pip-version-check --target "duckdb-$version" "duckdb==$version"
done

cat > try.py <<'EOF'
import duckdb

connection = duckdb.connect()
DOCUMENT = '{"/var": 91, "$browser": "Firefox", "$.a": "dollar", "a": "plain", "a.b": "dot", "*": "star", "": "empty"}'
print("DuckDB", duckdb.__version__)


def value(key):
    """What `->>` and json_exists give of a key that is a bound parameter."""
    try:
        found = connection.execute("SELECT ?::JSON ->> ?, json_exists(?::JSON, ?)", [DOCUMENT, key] * 2).fetchone()
    except duckdb.BinderException as refused:
        found = str(refused).splitlines()[0]
    print(f"  {key!r:16} {str(found)[:76]}")
    return found


assert value("a.b") == ("dot", True)
assert value("*")[0] == ("star" if duckdb.__version__ == "2.0.1" else ["91", "Firefox", *"dollar plain dot star empty".split()])
assert value("/var") == (None, False), "a key with a slash is found now"
assert value("/~1var") == ("91", True)
assert "JSON path error" in value("$browser"), "a key with a dollar is found now"
assert value('$."$browser"') == ("Firefox", True)
assert value("$.a") == ("plain", True), "another key is taken now"
assert "star" in value("")[0], "the empty key is a key now"
EOF
for version in 1.5.6 2.0.1; do
    PYTHONPATH="duckdb-$version" venv/bin/python try.py
done
echo "As described."
