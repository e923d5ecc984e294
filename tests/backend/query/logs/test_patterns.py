"""Patterns of stored log lines, with counts, course, and what is new."""

from __future__ import annotations

from spanglass_server.query.logs import patterns
from spanglass_server.query.logs.patterns import log_patterns
from spanglass_server.query.logs.search import search_logs
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
WINDOW = Window(1000 * SECOND, 1100 * SECOND)


def line(body, time_s, number=0, *, service="web", severity=9):
    """Make a stored log record."""
    return {
        "time_ns": int(time_s * SECOND),
        "body": body,
        "arrival_order": number,
        "severity_number": severity,
        "resource.service.name:str": service,
    }


def test_patterns_of_a_range(open_tables):
    """Alike lines are counted together, beside those of the time before; the filter of a pattern finds its lines."""
    session = open_tables(
        logs=[
            *[line(f"order {n} placed by user-{n}", 1000 + n, n) for n in range(90)],
            *[line(f"order {n} placed by user-{n}", 999 - n, n) for n in range(10)],
            line("payment 17 failed:\nsecond line", 1001, service="pay", severity=17),
            line("payment 18 failed:", 1099, service="shop", severity=13),
            line("only before", 950),
            {"time_ns": 1001 * SECOND, "body": None},
        ]
    )
    answer = log_patterns(session, WINDOW, buckets=10)
    placed, failed = answer["patterns"]
    assert (placed["pattern"], placed["lines"], placed["before"], placed["is_new"]) == (
        "order <*> placed by user-<*>",
        90,
        10,
        False,
    )
    assert [point["lines"] for point in placed["points"]] == [10] * 9 + [0]
    assert (failed["pattern"], failed["lines"], failed["is_new"]) == ("payment <*> failed:", 2, True)
    assert (failed["severity"], failed["services"]) == ("error", ["pay", "shop"])
    assert (failed["first_time"][11:19], failed["last_time"][11:19]) == ("00:16:41", "00:18:19")
    assert (answer["left_out"], answer["sampled_share"]) == (0, None)
    for pattern in answer["patterns"]:
        assert len(search_logs(session, WINDOW, filter_text=pattern["filter"])["logs"]) == pattern["lines"]


def test_a_part_of_many_lines(open_tables, monkeypatch):
    """Of very many lines a part is read whatever their turn, counts are scaled up, and the answer says so."""
    monkeypatch.setattr(patterns, "_MOST_RECORDS", 500)
    kinds = ("even", "odd")  # in turn, as a program's lines often are
    session = open_tables(logs=[line(f"{kinds[n % 2]} {n}", 1000 + n / 25, n) for n in range(2_000)])
    answer = log_patterns(session, WINDOW)
    assert answer["sampled_share"] == 0.25
    assert {each["pattern"] for each in answer["patterns"]} == {"even <*>", "odd <*>"}
    assert all(900 <= each["lines"] <= 1_100 for each in answer["patterns"])
    assert len(log_patterns(session, WINDOW, limit=1)["patterns"]) == 1
    few = log_patterns(session, WINDOW, filter_text="severity:error")
    assert few["patterns"] == []
