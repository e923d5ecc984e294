#!/usr/bin/env bash
# Tests that share something dear, kept on one worker by pytest-xdist's groups: with pytest 9.2 they are spread again.
#
# Guess:    with `--dist loadgroup` all tests marked `xdist_group("name")` run on one worker, so that a service that a
#           session-scoped fixture starts is started once.
# Instead:  pytest-xdist 3.8.0 writes the group into `_nodeid` of a test; pytest 9.2.0 makes node ids of something else,
#           so no group reaches the scheduler. Nothing is said: tests pass, each worker starts the service for itself.
# Versions: pytest 9.2.0 and 9.0.2 (where groups hold), pytest-xdist 3.8.0.
# Matters:  a test suite of services becomes slow, or flaky where the tests of a group must not run side by side, by an
#           update of pytest alone.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > test_group.py <<'EOF'
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("one")


@pytest.mark.parametrize("number", range(6))
def test_it(number, worker_id):
    time.sleep(0.3)
    Path(__file__).with_name(f"ran-on-{worker_id}").touch()
EOF

for version in 9.0.2 9.2.0; do
    rm -rf venv ran-on-*
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check "pytest==$version" pytest-xdist==3.8.0
    venv/bin/python -m pytest -q -n 3 --dist loadgroup -p no:cacheprovider test_group.py >out.txt || { cat out.txt; exit 1; }
    workers=$(find . -name 'ran-on-*' | wc -l)
    echo "pytest $version: the tests of one group ran on $workers workers"
    if [ "$version" = 9.0.2 ]; then [ "$workers" -eq 1 ]; else [ "$workers" -gt 1 ]; fi
done
