"""The pages of anomalies over a store: what they say, where they lead, and what stands there while nothing is known."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace

import pytest
from in_process import read

from spanglass_server.anomalies.desk import AnomalyDesk
from spanglass_server.anomalies.model import Begun, Course, Key, Kind, Seen
from spanglass_server.anomalies.store import store as stored
from spanglass_server.anomalies.store.store import AnomalyStore
from spanglass_server.api.anomalies.routes import anomaly_routes

NOW_NS = 1_700_000_100 * 10**9
STEP_NS = 300 * 10**9
EVIL = '<i>&"'
CART = {"service_name": "shop", "span_name": "GET /cart"}
MADE = (
    (Kind.FAILURES, CART, "ratio", 0.31, 0.02),
    (Kind.METRIC, {"__name__": "queue", "service_name": EVIL, "queue": "mails"}, "By", 8e6, 1e6),
    (Kind.LOGS, {"pattern": f"paid {EVIL}"}, "/s", 4.0, 1.0),
)


@pytest.fixture(scope="module")
def desks(tmp_path_factory):
    """A desk with three anomalies that go on and one too many; empty ones that know nothing, what is usual, are off."""
    folder = tmp_path_factory.mktemp("anomalies")
    store, empty = AnomalyStore(folder / "a.sqlite"), AnomalyStore(folder / "b.sqlite")
    begun = []
    for kind, labels, unit, value, high in MADE:
        seen = Seen(NOW_NS - STEP_NS, value, high / 2, 0.0, high, 12.0, 0.2 if kind is Kind.FAILURES else 0.0, 30.0)
        key = Key(kind, tuple(sorted(labels.items())))
        one = Begun(key, " ".join(labels.values()), unit, 1, NOW_NS - 3 * STEP_NS, seen, kind is Kind.LOGS)
        course = Course(
            (NOW_NS - 4 * STEP_NS) // 10**6, [0.01, value, value, None], [high / 2] * 4, [0.0] * 4, [high] * 4
        )
        begun.append((one, course))
    dull = Seen(NOW_NS - STEP_NS, 1.0, 0.5, 0.0, 0.6, 5.0, 0.0, 0.0)
    begun.append((Begun(Key(Kind.METRIC, (("__name__", "dull"),)), "dull", "", 1, NOW_NS - STEP_NS, dull), course))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "_MOST_OPEN", len(MADE))
        store.keep(begun, {}, {}, NOW_NS)
    first_hour = NOW_NS // (3600 * 10**9)
    learning = SimpleNamespace(watched=[], left_out=0, problems={}, first_hour=first_hour)
    source = SimpleNamespace(name="operations", past_hours=504)
    watched = SimpleNamespace(source=source, hours=30, judged_to=5, memories=[], is_ready=lambda _: True)
    ready = SimpleNamespace(watched=[watched], left_out=2, problems={"operations": "too many samples"}, first_hour=0)
    yield {
        "all": AnomalyDesk(store, ready, lambda: NOW_NS), "learning": AnomalyDesk(empty, learning, lambda: NOW_NS),
        "usual": AnomalyDesk(empty, ready, lambda: NOW_NS), "off": AnomalyDesk(empty, None, lambda: NOW_NS),
    }  # fmt: skip
    store.close()
    empty.close()


def test_the_list_and_one_of_them(open_tables, desks):
    """The most important first, with what is usual; names of telemetry are text; each leads on; fine ones say so."""
    session, routes = open_tables(), anomaly_routes(desks["all"])
    status, text, source = read(session, "/anomalies", NOW_NS, routes)
    text = text.replace("\u2009", " ")
    assert status == 200
    assert text.index("Failed requests now shop GET /cart") < text.index("Metric now")
    assert "31.0 % 0 % to 2.0 %" in text
    assert "new" in text
    assert "<i>&" not in source
    assert "2 metrics are not watched" in text
    assert "1 less surprising that go on are not listed" in text
    assert "operations: too many samples" in text
    number = re.search(r'href="/anomalies/(\d+)"', source)[1]
    status, text, source = read(session, f"/anomalies/{number}", NOW_NS, routes)
    assert status == 200
    assert "it goes on" in text
    assert "failed requests of its time beside the others" in text
    links = unescape(source)
    assert 'href="/services/shop?start=' in links
    assert re.search(r'href="/traces\?start=[^"]*filter=service', links)
    for other in {*range(1, 4)} - {int(number)}:
        status, _, source = read(session, f"/anomalies/{other}", NOW_NS, routes)
        assert status == 200
        assert "<i>&" not in source
    said = desks["all"].call_fine(int(number), "a <b>test</b>", "mina", None)
    assert "a <b>test</b>" in read(session, f"/anomalies/{number}", NOW_NS, routes)[1]
    assert "Tell of it again" in read(session, "/anomalies?state=fine", NOW_NS, routes)[1]
    desks["all"].undo(said["id"], "jo")
    assert "taken back by jo" in read(session, "/anomalies?state=fine", NOW_NS, routes)[1]
    assert read(session, "/anomalies/99", NOW_NS, routes)[0] == 404
    assert "Nothing matches" in read(session, "/anomalies?service=else", NOW_NS, routes)[1]


@pytest.mark.parametrize(
    ("desk", "words"),
    [
        ("learning", "What is usual is not known yet."),
        ("learning", "01:06 on something is told: three whole hours"), ("usual", "Nothing is unusual."),
        ("off", "anomalies.enabled is off in the settings."),
    ],
)  # fmt: skip
def test_an_empty_list_says_why(open_tables, desks, desk, words):
    """Nothing unusual, nothing known yet, and nothing watched are told apart."""
    assert words in read(open_tables(), "/anomalies", NOW_NS, anomaly_routes(desks[desk]))[1]
