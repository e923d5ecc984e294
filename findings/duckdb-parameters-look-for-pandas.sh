#!/usr/bin/env bash
# DuckDB's Python client: every bound parameter searches sys.path for pandas, again and again where there is none.
#
# Guess:    binding a parameter costs next to nothing, so a list of ids for IN is best bound: IN (?, ?, ...).
# Instead:  of each value but None the client wants to know whether it is pandas' NaT or NA, and imports pandas for
#           that, twice. Python remembers imports that succeed, not those that fail: each goes through all of sys.path,
#           calls of stat included. Each element of a list that is bound counts too. The search costs more than the
#           query.
# Versions: duckdb 1.5.6 without pandas, Python 3.11.
# Matters:  a backend that looks up 20 traces with 20 spans binds 40 ids for a query of a few milliseconds. Ids are safe
#           to write as hexadecimal constants; and the more folders there are in sys.path, the more that saves.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.6

cat > try.py <<'END'
import sys
import time

import duckdb

IDS = [bytes([number]) * 8 for number in range(40)]
BOUND = f"SELECT '\\x00'::BLOB IN ({', '.join('?' * len(IDS))})"
CONSTANTS = ["".join(f"\\x{byte:02X}" for byte in one) for one in IDS]
CONSTANT = "SELECT '\\x00'::BLOB IN (" + ", ".join(f"'{text}'::BLOB" for text in CONSTANTS) + ")"


class Searches:
    """Counts what is imported and was not imported before."""

    count = 0

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        cls.count += name == "pandas"


def best_ms(sql, parameters):
    """Return the shortest of 200 runs."""
    found = []
    for _ in range(200):
        begun = time.perf_counter()
        connection.execute(sql, parameters).fetchall()
        found.append(time.perf_counter() - begun)
    return min(found) * 1e3


connection = duckdb.connect()
print(f"duckdb {duckdb.__version__}, {len(sys.path)} entries in sys.path")
sys.meta_path.insert(0, Searches)
for parameters, right in (([1], 2), ([None], 0), ([b"a", b"b", b"c"], 6), ([[b"a", b"b", b"c"]], 8)):
    Searches.count = 0
    connection.execute(f"SELECT {', '.join('?' * len(parameters))}", parameters).fetchall()
    print(f"  {parameters!s:28} searches for pandas: {Searches.count}")
    assert Searches.count == right, "behaves differently now"
sys.meta_path.remove(Searches)

bound, constant = best_ms(BOUND, IDS), best_ms(CONSTANT, [])
print(f"  40 ids: {bound:.2f} ms bound, {constant:.2f} ms as constants")
assert bound > 2 * constant
END
venv/bin/python try.py
echo "As described."
