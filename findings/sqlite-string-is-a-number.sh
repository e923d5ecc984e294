#!/usr/bin/env bash
# SQLite: in a column declared STRING, one span id of a thousand becomes a number, some of them infinity.
#
# Guess:    SQLite does not care for declared types, or STRING means text as TEXT does: what is stored comes back.
# Instead:  a type name that SQLite does not know has numeric affinity. An id of 16 hex digits that happen to be decimal
#           loses its leading zeros and is an integer; one with a single `e` among digits ("79625435227e3386") is a
#           float, and several of them are the same infinity, so that a UNIQUE column refuses different ids as equal.
#           TEXT, VARCHAR and BLOB keep all. A STRICT table refuses the declaration.
# Versions: SQLite 3.54.1, as in apsw 3.54.1.0.
# Matters:  random ids are fine in any test with a few of them. In production about 1 of 800 can't be read back by the
#           id that was stored.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check apsw==3.54.1.0

cat > try.py <<'EOF'
import random
from collections import Counter

import apsw

rng = random.Random(3)
ids = [rng.randbytes(8).hex() for _ in range(100_000)]
print("SQLite", apsw.sqlite_lib_version(), "with", len(ids), "random span ids of 16 hex digits")
connection = apsw.Connection(":memory:")


def stored(kind):
    """Pairs of what was stored and what comes back, where they differ."""
    connection.execute(f"CREATE TABLE ids_{kind}(sent BLOB, id {kind})")
    with connection:
        connection.executemany(f"INSERT INTO ids_{kind} VALUES (?1, ?1)", [(each,) for each in ids])
    return [pair for pair in connection.execute(f"SELECT sent, id FROM ids_{kind}") if pair[0] != pair[1]]


changed = stored("STRING")
kinds = Counter(type(after).__name__ for _, after in changed)
infinite = sum(after == float("inf") for _, after in changed)
print(f"  STRING: {len(changed)} are changed, {dict(kinds)}, {infinite} of them infinity, for example:")
for before, after in (*changed[:2], next(pair for pair in changed if pair[1] == float("inf"))):
    print(f"    {before} comes back as {after!r}")
assert 50 < len(changed) < 300 and kinds["int"] and kinds["float"] and infinite > 1, "behaves differently now"
for kind in ("TEXT", "VARCHAR", "BLOB"):
    print(f"  {kind}: {len(stored(kind))} are changed")
    assert not connection.execute(f"SELECT count(*) FROM ids_{kind} WHERE sent != id").fetchone()[0]

connection.execute("CREATE TABLE once(id STRING UNIQUE)")
one, other = [before for before, after in changed if after == float("inf")][:2]
connection.execute("INSERT INTO once VALUES (?)", (one,))
try:
    connection.execute("INSERT INTO once VALUES (?)", (other,))
except apsw.ConstraintError as error:
    print(f"  {one} and {other} in a UNIQUE column: {error}")
else:
    raise AssertionError("they are different now")
EOF
venv/bin/python try.py
echo "As described."
