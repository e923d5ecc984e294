"""The section about what runs out, and the one about trends, over answers written by hand."""

from __future__ import annotations

import asyncio

from spanglass_server.reports.asking import Questions
from spanglass_server.reports.errors import AskError
from spanglass_server.reports.model import Scope
from spanglass_server.reports.sections import outlook

TIMES = {
    name: f"2026-12-{day}T00:00:00.000000000Z" for name, day in (("earliest", 10), ("expected", 12), ("latest", 19))
}
DISK = {
    "quantity": "disk", "title": "Disk usage", "unit": "ratio", "labels": {"host": "db-1", "mount": "/data"},
    "service": None, "host": "db-1", "now": 0.82, "bound": 0.95, "change": 0.31, "direction": "rising",
    "met": {f"{name}_time": time for name, time in TIMES.items()}, "slope": {"confidence": 0.99}, "shifts": [],
}  # fmt: skip


def built(build, answer):
    """Build a section; all questions have this answer."""

    async def ask(path, params):
        del path, params
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run():
        return await build(Questions(ask, Scope("week", "", 0, 1000)))

    return asyncio.run(run())


def test_what_runs_out_says_when():
    """Between when and when, in the answer's own numbers; what meets no bound is left out."""
    steady = DISK | {"met": {f"{name}_time": None for name in TIMES}}
    told, table = built(outlook.build_capacity, {"capacity": [DISK, steady, DISK | {"met": None}]})
    assert "8 times out of 10" in told["text"]
    assert [row["cells"] for row in table["rows"]] == [
        ["Disk usage", "db-1, mount=/data", "82 %", "95 %", TIMES["expected"], TIMES["earliest"], TIMES["latest"]]
    ]


def test_trends_and_servers_without_them():
    """The most important first with how many are left out; a server that has none leaves the section out."""
    _, table = built(outlook.build_trends, {"trends": [DISK], "total": 4})
    assert table["left_out"] == 3
    assert table["rows"][0]["cells"] == ["Disk usage", "db-1, mount=/data", "rising", "82 %", 0.31, 0.99, None]
    for build in (outlook.build_capacity, outlook.build_trends):
        assert built(build, AskError("not_found", "nothing there")) == []
