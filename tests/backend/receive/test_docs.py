from __future__ import annotations

from pathlib import Path

from spanglass_server.receive.http import PATHS, PROFILES_PATH
from spanglass_server.receive.status import Reason

DOCS = (Path(__file__).parents[3] / "docs" / "otlp.md").read_text()


def test_every_reason_is_documented_with_its_http_status():
    """The table of answers in docs/otlp.md and the table in the code say the same."""
    rows = [line.split("|") for line in DOCS.splitlines() if line.startswith("| `")]
    documented = {row[1].split("`")[1]: (row[2].strip(), row[4].strip().startswith("yes")) for row in rows}
    expected = {
        reason.value: (str(reason.codes.http), reason.codes.retryable)
        for reason in Reason
        if reason is not Reason.DISCONNECTED  # nobody is left to answer
    }
    assert documented == expected
    assert f"`{Reason.DISCONNECTED.value}`" in DOCS


def test_every_path_is_documented():
    """No path of the receiver is missing from docs/otlp.md."""
    assert [path for path in (*PATHS.values(), PROFILES_PATH) if path not in DOCS] == []
