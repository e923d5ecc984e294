"""Reports over the API: asked for, made of the API's own answers, read as files, deleted."""

from __future__ import annotations

import csv
import io
import zlib
from html import unescape
from types import SimpleNamespace

import pytest

S = 10**9
EVIL = "<script>|=1+1|`*x*`</script>"
#: The range of all reports here, and the one before it.
RANGE = {"start": "1000", "end": "2000"}
BEFORE = {"start": "0", "end": "1000"}
NOW, THEN = 1500 * S, 500 * S


def spans(count, base_ns, *, service="shop", name="GET /pay", took_ms=100, failed=0, user=None):
    """Make requests of an operation, a second apart; the first so many of them failed."""
    seed = zlib.crc32(f"{service} {name} {base_ns}".encode()) % 250
    return [
        {
            "trace_id": bytes([seed, number]) * 8,
            "span_id": bytes([seed, number]) * 4,
            "resource.service.name:str": service,
            "name": name,
            "kind": 2,
            "status_code": 2 if number < failed else 0,
            "start_time_ns": base_ns + number * S,
            "duration_ns": took_ms * 10**6,
            **({"span.user.id:str": user} if user else {}),
        }
        for number in range(count)
    ]


@pytest.fixture
def world(api, reports):
    """Serve an API over two ranges: an operation that got slower, one that fails more, a service that is new."""
    rows = [
        *spans(30, THEN, user="ann"),
        *spans(40, NOW, took_ms=250, user="ann"),
        *spans(25, THEN, name="GET /cart"),
        *spans(25, NOW, name="GET /cart", failed=5, user="bea"),
        *spans(3, NOW, service=EVIL, name=EVIL),
        *spans(2, THEN, service="old"),
    ]
    return SimpleNamespace(client=api(spans=rows), reports=reports)


def made(world, **fields):
    """Ask for a report and have it made; the answer."""
    asked = world.client.post("/api/monitoring/reports/", json={"kind": "week", **RANGE, **fields})
    assert asked.status_code == 202, asked.text
    assert asked.json()["state"] == "waiting"
    world.reports.work()
    return world.client.get(f"/api/monitoring/reports/{asked.json()['id']}/").json()


def figures_of(section):
    """All figures of a section by name: their values, and those before."""
    found = [figure for block in section["blocks"] if block["block"] == "figures" for figure in block["figures"]]
    return {figure["name"]: (figure["value"], figure["before"]) for figure in found}


def rows_of(section, name):
    """The cells of a table."""
    return [row["cells"] for block in section["blocks"] if block.get("name") == name for row in block["rows"]]


def test_every_number_is_the_one_of_the_api(world):
    """Figures, tables and charts have what the API answers for the range, and for the one before."""
    slo = {"name": "Cart", "target": "99%", "spans": 'name = "GET /cart"', "good": "status != error"}
    assert world.client.post("/api/v1/slos", json={"slo": slo}).status_code == 201
    answer = made(world)
    assert (answer["state"], answer["error"], world.reports.over) == ("done", "", [answer["id"]])
    report = answer["report"]
    section = {each["id"]: each for each in report["sections"]}

    def ask(path, window=RANGE, **params):
        return world.client.get(f"/api/v1/{path}", params={**window, **params}).json()

    now, before = ask("requests", buckets=60), ask("requests", BEFORE, buckets=60)
    assert now["requests"] == 68
    assert figures_of(section["requests"]) == {
        "Requests": (now["requests"], before["requests"]),
        "Failed": (now["errors"], before["errors"]),
        "Share that failed": (now["error_ratio"], before["error_ratio"]),
        **{f"Duration, {each}": (now[f"{each}_ns"], before[f"{each}_ns"]) for each in ("p50", "p95", "p99")},
    }
    _, bars, durations = section["requests"]["blocks"]
    assert [line["values"] for line in bars["lines"]] == [
        [point["errors"] for point in now["points"]],
        [point["requests"] - point["errors"] for point in now["points"]],
    ]
    assert durations["lines"][1]["values"] == [point["p95_ns"] for point in now["points"]]

    listed = {each["service"]: each for each in ask("services", buckets=0)["services"]}
    known = {each["service"]: each for each in ask("services", BEFORE, buckets=0)["services"]}
    shop, old = listed["shop"], known["shop"]
    assert rows_of(section["services"], "Services")[0] == [
        "shop", shop["requests"], shop["requests"] / old["requests"] - 1, shop["error_ratio"], old["error_ratio"],
        shop["p95_ns"], old["p95_ns"],
    ]  # fmt: skip
    texts = [block["text"] for block in section["services"]["blocks"] if block["block"] == "text"]
    assert texts == [f"New in this time: {EVIL}.", "Silent since the range before: old."]

    operations = {each["operation"]: each for each in ask("services/shop/operations")["operations"]}
    then = {each["operation"]: each for each in ask("services/shop/operations", BEFORE)["operations"]}
    pay, cart = operations["GET /pay"], operations["GET /cart"]
    assert rows_of(section["changed"], "Slower") == [
        ["GET /pay", "shop", 40, pay["p95_ns"], then["GET /pay"]["p95_ns"], pytest.approx(1.5, abs=0.05)]
    ]
    assert rows_of(section["changed"], "Failing more") == [["GET /cart", "shop", 25, 5, cart["error_ratio"], 0.0]]

    counted, earlier = (ask("slos/cart/history", window)["counted"] for window in (RANGE, BEFORE))
    total, bad = counted["total"], counted["bad"]
    assert (total, bad, earlier["total"], earlier["bad"]) == (25, 5, 25, 0)
    budget = world.client.get("/api/v1/slos/cart").json()["budget"]
    assert rows_of(section["objectives"], "Objectives") == [
        ["Cart", 0.99, 1 - bad / total, 1.0, bad, total, budget["left"], "30d"]
    ]

    users = ask("users/summary", buckets=30)
    told = figures_of(section["users"])
    assert (told["Users"], told["Sessions"]) == ((users["users"], 1), (users["sessions"], 1))
    assert users["users"] == 2

    coverage = ask("coverage")
    missing = [each for each in coverage["subjects"] if each["missing"] or each["stale"]]
    assert figures_of(section["coverage"])["Missing"][0] == coverage["missing"]
    assert [cells[0] for cells in rows_of(section["coverage"], "What is not sent")] == [
        each["name"] for each in missing
    ]
    remedies = {each["title"]: each["remedy"] for each in coverage["families"]}
    assert all(remedies[title] == line for title, line in rows_of(section["coverage"], "What would send it"))

    alerts = world.client.get("/api/monitoring/incident-report/", params=RANGE).json()
    assert alerts["alerts"]["all"]["total"] == 0
    assert [block["text"] for block in section["alerts"]["blocks"]] == [
        "Alerts: none in this time.",
        "Incidents: none in this time.",
    ]
    (first, *_) = section["requests"]["asked"]
    assert world.client.get(first).json() == now


def test_many_slow_calls_hide_no_failing_request(api, reports):
    """An operation that takes little time beside more calls than are looked at is compared; the rest is told of."""
    calls = [{**spans(1, NOW + number * S // 50, name=f"call {number}", took_ms=9000)[0], "kind": 3}
             for number in range(1100)]  # fmt: skip
    few = [each for number in range(11) for each in spans(1, NOW, service=f"small {number}")]
    rows = [*spans(25, THEN, name="POST /pay", took_ms=1), *spans(25, NOW, name="POST /pay", took_ms=1, failed=25)]
    client = api(spans=[*calls, *rows, *few])
    section = made(SimpleNamespace(client=client, reports=reports), kind="performance")["report"]["sections"]
    (changed,) = (each for each in section if each["id"] == "changed")
    assert rows_of(changed, "Failing more") == [["POST /pay", "shop", 25, 25, 1.0, 0.0]]
    assert changed["blocks"][-1]["text"] == "Only the 10 services with most requests were looked at, of 12."


def test_nothing_is_known_before_1970(world):
    """A range that has none before it is reported with nothing to compare it with."""
    report = made(world, kind="performance", start="0")["report"]
    assert [section["problem"] for section in report["sections"]] == [None] * len(report["sections"])
    assert figures_of(report["sections"][0])["Requests"] == (125, None)


def test_a_section_that_fails_says_so_in_its_place(world):
    """What can't be read is a sentence where it would stand, and the rest is there; a report of nothing else fails."""
    report = made(world)["report"]
    last = report["sections"][-1]
    assert (last["id"], last["blocks"]) == ("storage", [])
    assert last["problem"].startswith("What is stored could not be read: there is nothing at /api/v1/status")
    failed = made(world, kind="cost")
    assert (failed["state"], failed["report"]) == ("failed", None)
    assert "there is nothing at /api/v1/status" in failed["error"]
    refused = world.client.get(f"/api/v1/reports/{failed['id']}/file")
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "report")


def test_a_report_about_one_service(world):
    """It has the figures of that service alone, and no section that is about all."""
    answer = made(world, kind="performance", service="shop")
    report = answer["report"]
    assert report["title"] == "Performance: shop"
    assert [each["id"] for each in report["sections"]] == ["requests", "changed", "trends", "findings", "errors"]
    assert figures_of(report["sections"][0])["Requests"] == (65, 55)
    nobody = made(world, kind="usage", service="nosuch")["report"]["sections"][0]["blocks"]
    assert nobody[0]["text"].startswith("No span of a service 'nosuch' was seen in this time, nor before it. Services")
    users, active, features = made(world, kind="usage", service="shop")["report"]["sections"]
    assert figures_of(active) == {"Last day": (2, None), "7 days": (2, None), "30 days": (2, None)}
    assert figures_of(users)["Users"] == (2, 1)
    assert sorted(rows_of(features, "Paths, by requests")) == [
        ["GET /cart", "shop", 25, 1, 5, 100_000_000],
        ["GET /pay", "shop", 40, 1, 0, 250_000_000],
    ]


def test_files_of_a_report(world):
    """Each form has the numbers; texts of strangers are no markup in any, and no formula."""
    answer = made(world)
    path = f"/api/v1/reports/{answer['id']}/file"

    def file(form):
        got = world.client.get(path, params={"format": form})
        assert got.headers["content-disposition"] == f'attachment; filename="spanglass-report.{form}"'
        return got

    page = file("html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert EVIL not in page.text
    assert EVIL in unescape(page.text)
    assert "<script" not in page.text
    assert 'href="https://spanglass.example/services/shop?start=' in page.text
    assert page.text.count("<svg") == 3
    assert "<dt>Requests</dt><dd>68<small>before 57, +19 %</small>" in page.text

    pdf = file("pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert (pdf.content[:5], pdf.content.rstrip()[-5:]) == (b"%PDF-", b"%%EOF")
    assert b"/URI (https://spanglass.example/services/shop?start=" in pdf.content
    assert pdf.content == file("pdf").content

    text = file("markdown").text
    assert "- Requests: **68** (before 57, +19 %)" in text
    assert "| GET /cart | shop | 25 | 5 | 20 % | 0 % |" in text
    assert EVIL not in text
    assert r"\<script\>\|=1+1\|\`\*x\*\`\</script\>" in text

    lines = list(csv.DictReader(io.StringIO(file("csv").text)))
    (failed,) = [line for line in lines if (line["section"], line["column"]) == ("requests", "Failed")]
    assert (failed["value"], failed["before"], failed["unit"]) == ("5", "0", "count")
    assert [line["value"] for line in lines if (line["table"], line["row"]) == ("Failing more", "GET /cart")][2:4] == [
        "25",
        "5",
    ]
    assert {f"{line['column']}_time": line["value"] for line in lines[:2]} == answer["report"]["window"]
    assert file("json").json() == answer["report"]


@pytest.mark.parametrize("where", ["/api/v1/reports", "/api/monitoring/reports/"])
def test_reports_are_listed_and_deleted(world, where):
    """A list has the newest first, and by kind, service and state; a report that is deleted is gone."""
    first, second = made(world), made(world, kind="usage", service="shop")
    listed = world.client.get(where).json()
    assert [each["id"] for each in listed["reports"]] == [second["id"], first["id"]]
    assert [each["kind"] for each in listed["kinds"]] == ["week", "performance", "health", "usage", "cost"]
    for params, found in (({"kind": "usage"}, [second["id"]]), ({"service": "x"}, []), ({"state": "failed"}, [])):
        assert [each["id"] for each in world.client.get(where, params=params).json()["reports"]] == found
    one = f"{where.rstrip('/')}/{first['id']}{'/' if where.endswith('/') else ''}"
    assert world.client.delete(one).json() == {"deleted": first["id"]}
    for method in ("GET", "DELETE"):
        assert world.client.request(method, one).status_code == 404


WRONG = [
    ({}, "kind"),
    ({"kind": "yearly"}, "kind"),
    ({"kind": 7}, "kind"),
    ({"kind": "week", "last": "soon"}, "last"),
    ({"kind": "week", "start": "2000", "end": "1000"}, "start"),
    ({"kind": "week", "start": "0", "last": "7d"}, "last"),
    ({"kind": "week", "colour": "red"}, "colour"),
    ({"kind": "week", "service": "x" * 501}, "service"),
]


def test_what_is_wrong_is_named(world):
    """A body that can't be is refused with the field at fault."""
    for body, field in WRONG:
        answer = world.client.post("/api/v1/reports", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_schedules_are_kept_changed_and_deleted(world):
    """A schedule says when it is due next; switched off it never is; deleted it is gone."""
    path = "/api/v1/report-schedules"
    body = {"kind": "week", "cron": "30 0 * * *", "channels": ["ops-mail"], "last": "1d", "actor": "ann"}
    made_one = world.client.post(path, json=body)
    assert made_one.status_code == 201, made_one.text
    schedule = made_one.json()
    assert schedule["next_time"] == "1970-01-02T00:30:00.000000000Z"
    assert (schedule["title"], schedule["format"], schedule["zone"]) == ("The week", "pdf", "UTC")
    one = f"{path}/{schedule['id']}"
    changed = world.client.patch(one, json={"zone": "Europe/Berlin", "format": "html"}).json()
    assert changed["next_time"] == "1970-01-01T23:30:00.000000000Z"
    assert world.client.patch(one, json={"enabled": False}).json()["next_time"] is None
    assert world.client.get(path).json()["schedules"] == [changed | {"enabled": False, "next_time": None}]
    assert world.client.delete(one).json() == {"deleted": schedule["id"]}
    assert [world.client.request(method, one, json={}).status_code for method in ("PATCH", "DELETE")] == [404, 404]


WRONG_SCHEDULES = [
    ({"cron": "0 25 * * *"}, "cron"),
    ({"cron": "0 0 31 2 *"}, "cron"),
    ({"zone": "Mars/Base"}, "zone"),
    ({"last": "soon"}, "last"),
    ({"last": "0s"}, "last"),
    ({"kind": "yearly"}, "kind"),
    ({"format": "docx"}, "format"),
    ({"channels": ["nobody"]}, "channels"),
    ({"channels": "ops-mail"}, "channels"),
    ({"channels": ["ops-mail"] * 21}, "channels"),
    ({"enabled": 1}, "enabled"),
]


def test_what_is_wrong_with_a_schedule_is_named(world):
    """A schedule that can't be is refused with the field at fault."""
    for fields, field in WRONG_SCHEDULES:
        answer = world.client.post("/api/v1/report-schedules", json={"kind": "week", "cron": "@weekly", **fields})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_not_too_many_wait(world):
    """The report past twenty that wait is refused with what to do, and taken once there is room."""
    ids = [world.client.post("/api/v1/reports", json={"kind": "usage"}).json()["id"] for _ in range(20)]
    refused = world.client.post("/api/v1/reports", json={"kind": "usage"})
    assert refused.status_code == 409
    assert refused.json()["error"]["hint"] == "wait until some are done, or delete them"
    assert world.client.delete(f"/api/v1/reports/{ids[0]}").status_code == 200
    asked = world.client.post("/api/v1/reports", json={"kind": "usage"})
    assert asked.status_code == 202
    assert asked.json()["window"]["end_time"] == "1970-01-01T00:33:20.000000000Z"
