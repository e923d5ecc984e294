"""The sections about what runs out, trends, and alerts, over answers written by hand."""

from __future__ import annotations

import asyncio

from spanglass_server.reports.asking import Questions
from spanglass_server.reports.errors import AskError
from spanglass_server.reports.model import Scope
from spanglass_server.reports.sections import alerts, outlook

TIMES = {
    name: f"2026-12-{day}T00:00:00.000000000Z" for name, day in (("earliest", 10), ("expected", 12), ("latest", 19))
}
DISK = {
    "quantity": "disk", "title": "Disk usage", "unit": "ratio", "labels": {"host": "db-1", "mount": "/data"},
    "service": None, "host": "db-1", "now": 0.82, "bound": 0.95, "change": 0.31, "direction": "rising",
    "met": {f"{name}_time": time for name, time in TIMES.items()}, "slope": {"confidence": 0.99}, "shifts": [],
}  # fmt: skip


def built(build, answer, service="", asked=None):
    """Build a section; all questions have this answer."""

    async def ask(path, params):
        if asked is not None:
            asked.append((path, params.get("service")))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run():
        return await build(Questions(ask, Scope("week", service, 1000, 2000)))

    return asyncio.run(run())


def test_what_runs_out_says_when():
    """Between when and when, in the answer's own numbers; what meets no bound is left out."""
    steady = DISK | {"met": {f"{name}_time": None for name in TIMES}}
    told, table = built(outlook.build_capacity, {"capacity": [DISK, steady, DISK | {"met": None}]})
    assert "8 times out of 10" in told["text"]
    assert [row["cells"] for row in table["rows"]] == [
        ["Disk usage", "db-1 /data", "82 %", "95 %", TIMES["expected"], TIMES["earliest"], TIMES["latest"]]
    ]


def test_trends_and_servers_without_them():
    """The most important first with how many are left out; a server that has none leaves the section out."""
    _, table = built(outlook.build_trends, {"trends": [DISK], "total": 4})
    assert table["left_out"] == 3
    assert table["rows"][0]["cells"] == ["Disk usage", "db-1 /data", "rising", "82 %", 0.31, 0.99, None]
    (nothing,) = built(outlook.build_trends, {"trends": [], "total": 0})
    assert nothing["text"] == "Nothing rises, falls or jumped."
    (nothing,) = built(outlook.build_capacity, {"capacity": []})
    assert nothing["text"].startswith("Nothing is seen to run out")
    for build in (outlook.build_capacity, outlook.build_trends):
        assert built(build, AskError("not_found", "nothing there")) == []


def test_alerts_and_incidents_of_a_service():
    """They are asked for by the service's name; what recovered in time may be not resolved yet, and is called so."""
    spread = {"count": 1, "mean": 60.0, "median": 60.0, "p90": 60.0}
    figures = {
        "total": 2, "open": 2, "dismissed": 0, "late": 0, "within": 1.0, "acknowledge": None, "recover": spread,
        "resolve": None,
    }  # fmt: skip
    part = {"all": figures, "by": {"rule": [{"name": "slow", **figures}]}, "days": []}
    asked = []
    of_alerts, of_incidents, table = built(
        alerts.build, {"target_s": 900.0, "alerts": part, "incidents": part}, "pay", asked
    )
    assert set(asked) == {("/api/monitoring/incident-report/", "pay")}
    names = {name: figure["value"] for figure in of_incidents["figures"] for name in [figure["name"]]}
    assert (names["Not resolved"], names["Incidents recovered within 15 min"]) == (2, 1.0)
    assert names["Recovery, since it began"] == 60.0
    assert "Alerts resolved within 15 min" in [figure["name"] for figure in of_alerts["figures"]]
    assert table["rows"][0]["cells"] == ["slow", 2, 1.0, None, None]
