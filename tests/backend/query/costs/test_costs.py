"""Costs told of real segments: shares, prices, samples, what to drop; and the page and the report section."""

from __future__ import annotations

import asyncio
import random

import pyarrow as pa
import pytest
from in_process import read
from stored_spans import Bench

from spanglass_server.query.costs.costs import weigh_costs
from spanglass_server.query.costs.pricing import DAY_NS, CostTerms, Received
from spanglass_server.reports.asking import Questions
from spanglass_server.reports.model import Scope
from spanglass_server.reports.sections import costs as section
from spanglass_server.settings.storage_prices import StoragePrices, parse_storage_prices
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

SERVICE = "resource.service.name:str"
START_NS = 1_700_000_000 * 10**9
WINDOW = Window(START_NS, START_NS + 2 * DAY_NS)
SPANS, LOGS, EVIL = 400, 600, "cart.<b>:\\"
TERMS = CostTerms(
    StoragePrices(parse_storage_prices("stored=1024, spans.stored=2048, logs.records=1000"), "Taler"),
    {Signal.SPANS: 10 * DAY_NS},
)


def spans(start_ns):
    """Make a day of spans: three of four are of the shop, and every fourth of these asks for its health."""
    chance = random.Random(7)  # noqa: S311 - the same texts each time
    step_ns = DAY_NS // SPANS
    is_shop = [place % 4 != 3 for place in range(SPANS)]
    return pa.table({
        "trace_id": pa.array([place.to_bytes(16, "big") for place in range(SPANS)], pa.binary()),
        "start_time_ns": pa.array([start_ns + place * step_ns for place in range(SPANS)], pa.int64()),
        "name": ["GET"] * SPANS,
        "kind": pa.array([2] * SPANS, pa.uint8()),
        SERVICE: ["shop" if each else "mail" for each in is_shop],
        "span.url.path:str": ["/healthz" if place % 4 == 0 else "/pay" for place in range(SPANS)],
        f"span.{EVIL}:str": [chance.randbytes(60).hex() if each else None for each in is_shop],
        "span.exception.stacktrace:str": [chance.randbytes(60).hex() for _ in is_shop],
    })  # fmt: skip


def logs(start_ns):
    """Make a day of log records of mail, a third of which are for debugging."""
    chance = random.Random(8)  # noqa: S311 - the same texts each time
    step_ns = DAY_NS // LOGS
    return pa.table({
        "time_ns": pa.array([start_ns + place * step_ns for place in range(LOGS)], pa.int64()),
        "severity_number": pa.array([5 if place % 3 == 0 else 9 for place in range(LOGS)], pa.uint8()),
        "body": [chance.randbytes(20).hex() for _ in range(LOGS)],
        SERVICE: ["mail"] * LOGS,
    })  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Store two days of spans and one of log records, a segment a day; one record more waits in memory."""
    opened = Bench(tmp_path_factory.mktemp("costs"))
    for day in range(2):
        opened.write(spans(START_NS + day * DAY_NS))
    opened.write(logs(START_NS), Signal.LOGS)
    opened.buffer(logs(START_NS)[:1], Signal.LOGS)
    yield opened
    opened.close()


def ask(stored, window=WINDOW, limit=50, terms=TERMS):
    """Ask for the costs of a range."""
    return stored.engine.run_here(lambda session: weigh_costs(session, window, limit, terms))


def test_bytes_are_those_on_disk_and_shared_out_whole(stored):
    """Signals add up to the files; services, and columns with what has none, to their signals; half a range to half."""
    answer = ask(stored)
    of_segments = {each.id: each.bytes for each in stored.catalog.segments()}
    assert answer["stored_bytes"] == sum(of_segments.values())
    assert answer["bytes"] == pytest.approx(sum(of_segments.values()), rel=0.01)
    assert sum(each["share"] for each in answer["signals"]) == pytest.approx(1)
    assert sum(each["bytes"] for each in answer["services"]) == pytest.approx(answer["bytes"])
    by_signal = {each["signal"]: each for each in answer["signals"]}
    assert (round(by_signal["spans"]["records"]), round(by_signal["logs"]["records"])) == (2 * SPANS, LOGS)
    shop, mail = sorted(answer["services"], key=lambda each: -each["spans"])
    assert (shop["service"], round(shop["spans"]), round(mail["spans"]), round(mail["logs"])) == ("shop", 600, 200, 600)
    unique = {each["key"]: each for each in answer["attributes"]}[EVIL]
    assert unique["values"] == "unique"
    assert [each["service"] for each in unique["services"]] == ["shop"]
    assert 2 * 300 * 60 < unique["bytes"] < by_signal["spans"]["attribute_bytes"] < by_signal["spans"]["bytes"]
    of_columns = sum(each["bytes"] for each in answer["attributes"])
    assert 0.3 * answer["bytes"] < of_columns < answer["bytes"]
    half = ask(stored, Window(START_NS, START_NS + DAY_NS // 2))
    spans_half = next(each for each in half["signals"] if each["signal"] == "spans")
    assert spans_half["bytes"] == pytest.approx(by_signal["spans"]["bytes"] / 4, rel=0.02)
    assert len(ask(stored, limit=1)["services"]) == 1


def test_a_month_costs_what_is_kept_and_what_comes(stored):
    """Ten days of spans at their own price; logs for ever and by records; without prices nothing is told of any."""
    answer = ask(stored)
    by_signal = {each["signal"]: each for each in answer["signals"]}
    gib = 1024**3
    spans_, logs_ = by_signal["spans"], by_signal["logs"]
    assert answer["days"] == pytest.approx(2)
    assert spans_["bytes_at_pace"] == pytest.approx(spans_["bytes"] / 2 * 10)
    assert spans_["price"] == pytest.approx(spans_["bytes_at_pace"] / gib * 2048)
    kept = (logs_["stored_bytes"] + logs_["bytes"] / 2 * 30) / gib * 1024
    assert logs_["price"] == pytest.approx(kept + logs_["records"] / 2 * 30 / 1e6 * 1000)
    assert (logs_["kept_days"], logs_["bytes_at_pace"]) == (None, None)
    assert answer["price"] == pytest.approx(spans_["price"] + logs_["price"])
    assert sum(each["price"] for each in answer["services"]) == pytest.approx(answer["price"])
    free = ask(stored, terms=CostTerms())
    assert (free["priced"], free["price"], {each["price"] for each in free["attributes"]}) == (False, None, {None})


def test_what_to_drop_has_what_it_saves_and_a_line_that_drops_it(stored):
    """The attribute that nobody reads, debug logs and health checks; not the stacks that issues are made of."""
    answer = ask(stored)
    savings = {each["key"] or each["kind"]: each for each in answer["savings"]}
    assert set(savings) == {EVIL, "debug_logs", "health_checks"}
    quoted = EVIL.replace("\\", "\\\\")
    assert savings[EVIL]["remedy"] == f'attributes/costs: {{actions: [{{key: "{quoted}", action: delete}}]}}'
    by_signal = {each["signal"]: each for each in answer["signals"]}
    for kind, signal, share, service in (
        ("debug_logs", "logs", 1 / 3, "mail"),
        ("health_checks", "spans", 1 / 4, "shop"),
    ):
        saving = savings[kind]
        assert saving["bytes"] == pytest.approx(by_signal[signal]["bytes"] * share)
        assert saving["price"] == pytest.approx(by_signal[signal]["price"] * share)
        assert [each["service"] for each in saving["services"]] == [service]
        assert saving["bytes_a_month"] == pytest.approx(saving["bytes"] / answer["days"] * 30)
    prices = [each["price"] for each in answer["savings"]]
    assert prices == sorted(prices, reverse=True)


def test_the_page_and_the_report_have_the_same(stored):
    """The page tells all of it, as text; the report's numbers are the answer's, and it has none of an empty server."""
    end_ns = WINDOW.end_ns
    path = f"/costs?start={START_NS // 10**9}&end={end_ns // 10**9}"
    status, text, source = stored.engine.run_here(lambda session: read(session, path, end_ns))
    assert status == 200
    assert all(word in text for word in ("What to drop", "OTEL_PYTHON_EXCLUDED_URLS", "no prices", "By attribute"))
    assert "<b>:" not in source
    answer = ask(stored)

    async def told(path, params):
        assert (path, params["limit"]) == ("/api/v1/costs", "15")
        return answer

    scope = Scope("cost", "", WINDOW.start_ns, WINDOW.end_ns)
    figures, drop, signals, *_ = asyncio.run(section.build(Questions(told, scope)))
    assert [each["value"] for each in figures["figures"]] == [answer["bytes_a_day"], answer["price"]]
    assert [row["cells"][1] for row in drop["rows"]] == [each["bytes_a_month"] for each in answer["savings"]]
    assert [row["cells"][-1] for row in signals["rows"]] == [each["price"] for each in answer["signals"]]
    assert signals["columns"][-1]["name"] == "A month, Taler"
    answer = {**answer, "stored_bytes": 0}
    assert asyncio.run(section.build(Questions(told, scope))) == []


@pytest.mark.parametrize(
    "text", ["0.1", "stored=x", "stored=-1", "traces.stored=1", "stored=nan", "stored=1, stored=2"]
)
def test_prices_that_are_none_are_refused(text):
    """The message says what was expected, and which entry it is not."""
    with pytest.raises(ValueError, match=r"expected .*stored"):
        parse_storage_prices(text)


def test_a_gib_over_the_wire_has_a_price(stored):
    """It is that of 30 days at the pace since it was counted, shared among services; unknown where nothing was."""
    gib = 1024.0**3
    came = Received(START_NS + DAY_NS, {Signal.SPANS: 2 * gib, Signal.LOGS: gib, Signal.METRICS: 0.0})
    prices = StoragePrices(parse_storage_prices("received=0.5, logs.received=1"))
    answer = ask(stored, terms=CostTerms(prices, TERMS.kept_ns, lambda *_: came))

    by_signal = {each["signal"]: each for each in answer["signals"]}
    assert [by_signal[name]["received_a_day"] for name in ("spans", "logs")] == pytest.approx([2 * gib, gib])
    assert [by_signal[name]["price"] for name in ("spans", "logs")] == pytest.approx([30, 30])
    assert sum(each["price"] for each in answer["services"]) == pytest.approx(60)
    assert by_signal["logs"]["prices"] == {"stored": None, "received": 1, "records": None}
    unknown = ask(stored, terms=CostTerms(prices, TERMS.kept_ns))
    assert {(each["received_a_day"], each["price"]) for each in unknown["signals"]} == {(None, None)}
