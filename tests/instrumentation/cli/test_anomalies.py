"""``spanglass anomalies``: lists, one anomaly, and what people say is fine."""

from __future__ import annotations

import json

TIME = "2026-11-29T10:00:00.000000000Z"
ANOMALY = {
    "id": 17, "kind": "failures", "kind_title": "Failed requests", "title": "shop GET /cart", "unit": "ratio",
    "start_time": TIME, "end_time": None, "state": "open", "value": 0.31, "low": 0.0, "high": 0.02, "surprise": 24.1,
    "impact": 0.08,
}  # fmt: skip
VALUE = {"filter": 'tenant = "acme"', "selected_share": 1.0, "baseline_share": 0.1}
ONE = {
    **ANOMALY, "compared": "failed requests of its time beside the others",
    "differences": [{"key": "tenant", "values": [VALUE]}], "traces": [{"trace_id": "0a" * 16}],
}  # fmt: skip
FINE = {
    "id": 4, "kind": "failures", "title": "shop GET /cart", "reason": "a test", "actor": "mina", "made_time": TIME,
    "until_time": None, "holds": True,
}  # fmt: skip


def test_anomalies_are_listed_shown_and_called_fine(canned, run):
    """What was and what is usual; what requests have in common; who says what is fine, and takes it back."""
    ready = [{"is_ready": True}]
    canned.answer("/api/v1/anomalies", {"anomalies": [ANOMALY], "enabled": True, "watching": ready})
    canned.answer("/api/v1/anomalies", {"anomalies": [], "enabled": True, "watching": ready})
    canned.answer("/api/v1/anomalies", {"anomalies": [], "enabled": True, "watching": []})
    canned.answer("/api/v1/anomalies/17", ONE)
    canned.answer("/api/v1/anomalies/17/fine", FINE)
    canned.answer("/api/v1/anomaly-feedback", {"feedback": [FINE]})
    canned.answer("/api/v1/anomaly-feedback/4", {"feedback": []})
    first = run("anomalies", "cart", "--kind", "failures")
    assert first.returncode == 0, first.stderr.decode()
    listed = first.stdout.decode()
    assert "31%" in listed
    assert "0% to 2%" in listed
    asked = {"text": "cart", "state": "lately", "kind": "failures", "limit": "50"}
    assert canned.received[-1].parameters == asked
    assert b"nothing is unusual" in run("anomalies").stderr
    assert b"not known yet" in run("anomalies").stderr
    shown = run("anomalies", "show", "17").stdout.decode()
    assert 'tenant = "acme"' in shown
    assert "0a" * 16 in shown
    said = run(
        "anomalies", "fine", "17", "--reason", "a test", "--until", "now+7d", "--as", "mina", "--format", "ndjson"
    )
    assert json.loads(said.stdout)["id"] == 4
    assert json.loads(canned.received[-1].body) == {"reason": "a test", "actor": "mina", "until": "now+7d"}
    assert b"a test" in run("anomalies", "feedback").stdout
    assert b"nobody said" in run("anomalies", "feedback", "--undo", "4", "--as", "jo").stderr
    sent = canned.received[-1]
    assert (sent.method, sent.parameters) == ("DELETE", {"actor": "jo"})
