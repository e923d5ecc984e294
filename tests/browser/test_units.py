"""The pages' parts that need no browser."""

from __future__ import annotations

import re
import zoneinfo
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from made_up import NOW_NS

from spanglass_server.access.browsers import CONTENT_SECURITY_POLICY
from spanglass_server.pages import overview, window
from spanglass_server.pages.explorer import search
from spanglass_server.pages.performance import heat
from spanglass_server.pages.rendering import charts, exceptions, terms
from spanglass_server.pages.rendering import format as fmt
from spanglass_server.pages.rendering.assets import load_assets
from spanglass_server.pages.rendering.templates import linkable
from spanglass_server.pages.routes import PAGES
from spanglass_server.pages.services import service, services
from spanglass_server.pages.trace_views import waterfall
from spanglass_server.query.language import parse_filter
from spanglass_server.query.traces.time_spent import time_spent
from spanglass_server.signals import Signal
from spanglass_server.times import parse_time

BERLIN = fmt.Clock(ZoneInfo("Europe/Berlin"), NOW_NS)
HOUR_NS = 3600 * 10**9

DURATIONS = {
    0: "0 ns", 7: "7 ns", 999: "999 ns", 1_500: "1.5 µs", 999_600: "1 ms", 5_100_000: "5.1 ms", 88_000_000: "88 ms",
    324_400_000: "324 ms", 1_940_000_000: "1.94 s", 59_990_000_000: "60 s", 65_000_000_000: "1 min 5 s",
    120 * 10**9: "2 min", 36 * 10**11: "1 h",
    5_400_000_000_000: "1 h 30 min", 4_000_000_000_000_000: "1 111 h 6 min",
}  # fmt: skip


@pytest.mark.parametrize(("duration_ns", "text"), DURATIONS.items())
def test_durations_have_three_digits_and_a_fitting_unit(duration_ns, text):
    """A duration is short to read at every size."""
    assert fmt.duration_text(duration_ns).replace(fmt.THIN, " ") == text


def test_numbers_are_written_in_one_way():
    """Thousands, axis numbers, shares and rates."""
    assert [fmt.grouped(999), fmt.grouped(10_412_003)] == ["999", "10\u202f412\u202f003"]
    assert [fmt.compact(n) for n in (0, 950, 3000, 1_250_000)] == ["0", "950", "3\u202fk", "1.25\u202fM"]
    assert [fmt.percent_parts(r)[0] for r in (0, 0.0004, 0.082, 0.99996, 1)] == ["0", "<0.1", "8.2", "99.996", "100"]
    assert fmt.percent_parts(None)[0] == "–"  # noqa: RUF001
    assert [fmt.rate_parts(r) for r in (0, 0.05, 11.83, 4180)] == [
        ("0", "/s"),
        ("3", "/min"),
        ("11.8", "/s"),
        ("4\u202f180", "/s"),
    ]


def test_api_times_keep_their_nanoseconds():
    """The API's strings and nanoseconds turn into one another without loss."""
    text = "2025-11-21T12:00:00.123456789Z"
    assert (fmt.parse_time_ns(text), fmt.rfc3339(NOW_NS)) == (NOW_NS, text)


def test_a_clock_says_the_date_only_when_it_is_not_today():
    """Times stand in the reader's zone."""
    assert [BERLIN.time(NOW_NS), BERLIN.time(NOW_NS - 24 * HOUR_NS)] == ["13:00:00.123", "20 Nov 13:00:00.123"]


#: 12:00 and 12:30 in Berlin on the day of the made-up data.
NOON, HALF_PAST = "2025-11-21T11:00:00Z", "2025-11-21T11:30:00Z"
NOON_NS, HALF_PAST_NS = 1763722800 * 10**9, 1763724600 * 10**9

RANGES = [
    ({}, NOW_NS - HOUR_NS, NOW_NS, {}, "Last 1 hour"),
    ({"last": "15m"}, NOW_NS - HOUR_NS // 4, NOW_NS, {"last": "15m"}, "Last 15 minutes"),
    (
        {"start": "now-7200s", "end": "now"}, NOW_NS - 2 * HOUR_NS, NOW_NS,
        {"start": "now-7200s", "end": "now"}, "Last 2 hours",
    ),
    (
        {"start": "12:00", "end": "12:30"}, NOON_NS, HALF_PAST_NS,
        {"start": NOON, "end": HALF_PAST}, "12:00 to 12:30",
    ),
    (
        {"start": "2025-11-21 12:00:00", "end": "1763724600"}, NOON_NS, HALF_PAST_NS,
        {"start": NOON, "end": HALF_PAST}, "12:00 to 12:30",
    ),
]  # fmt: skip


RANGES += [
    ({"last": "1h30m"}, NOW_NS - HOUR_NS * 3 // 2, NOW_NS, {"last": "1h30m"}, "Last 1 h 30 min"),
    ({"last": "1.5h"}, NOW_NS - HOUR_NS * 3 // 2, NOW_NS, {"last": "1.5h"}, "Last 1 h 30 min"),
    ({"start": "now-1h30m"}, NOW_NS - HOUR_NS * 3 // 2, NOW_NS,
     {"start": "now-1h30m", "end": "now"}, "Last 1 h 30 min"),
    ({"start": "now - 15m", "end": "now+5m"}, NOW_NS - HOUR_NS // 4, NOW_NS + HOUR_NS // 12,
     {"start": "now - 15m", "end": "now+5m"}, "12:45 to 13:05"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["1763724600", "1763724600.5", "17637246000", "1763724600123", "1763724600123456", "1763724600123456789",
     "2025-11-21T12:00:00+01:00", "2025-11-21T11:00Z", "now", "now-1h30m", "now+5m", "now-0.5d"],
)  # fmt: skip
def test_a_time_is_the_same_on_a_page_and_in_the_api(text):
    """What names its moment by itself is read by one parser, eleven digits included."""
    assert window.read_time(text, "start", BERLIN) == parse_time(text, NOW_NS)


@pytest.mark.parametrize(("params", "start_ns", "end_ns", "kept", "label"), RANGES)
def test_a_range_is_read_as_people_write_it(params, start_ns, end_ns, kept, label):
    """Relative, wall-clock and absolute times give a range, and what stays in the URL has no zone to guess."""
    found = window.read_window(params, BERLIN)
    said = found.label.replace(fmt.THIN, " ")
    assert (found.start_ns, found.end_ns, dict(found.params), said) == (start_ns, end_ns, kept, label)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"start": "soon"}, "start"),
        ({"start": "now", "end": "25:99"}, "end"),
        ({"last": "0h"}, "last"),
        ({"start": "13:00", "end": "12:00"}, "start"),
    ],
)
def test_an_unreadable_range_names_its_field(params, field):
    """The reader is told which part cannot be read."""
    with pytest.raises(window.WindowError) as caught:
        window.read_window(params, BERLIN)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("age_s", "last"),
    [
        (None, "1h"),
        (0, "1m"),
        (60, "1m"),
        (61, "5m"),
        (300, "5m"),
        (301, "15m"),
        (901, "1h"),
        (3_600, "1h"),
        (900_000, "1h"),
        (-60, "1m"),
    ],
)
def test_the_range_of_a_young_server_is_as_short_as_its_data(age_s, last):
    """Unless one is asked, the range is the shortest preset that holds all that is stored, and an hour at most."""
    first_ns = None if age_s is None else NOW_NS - age_s * 1_000_000_000
    found = window.read_window({}, BERLIN, first_ns)
    assert (found.last, found.params, found.live) == (last, {}, True)
    assert window.read_window({"last": "6h"}, BERLIN, first_ns).last == "6h"


@pytest.mark.parametrize(
    ("p50", "p95", "p99", "slow"),
    [
        (100, 110, 120, 110),  # all alike: the slowest of twenty
        (14, 14, 514, 28),  # two of a hundred are slow
        (150, 600, 1_200, 300),  # a quarter is slow: between both kinds
        (10, 4_000, 5_000, 200),
        (0, 4_000, 5_000, 4_000),  # a clock too coarse for most
    ],
)
def test_slow_spans_are_told_from_the_others(p50, p95, p99, slow):
    """The bound lies between usual and slow spans, whether few or many are slow."""
    assert service.slow_from(p50, p95, p99) == slow


@pytest.mark.parametrize(("age_s", "per_s"), [(None, 2.0), (3_600, 2.0), (20, 6.0), (0, 120.0), (-5, 120.0)])
def test_what_comes_in_is_counted_from_the_first_record(age_s, per_s):
    """120 spans of the newest minute: a second's share of the minute, or of the time since the first record came."""
    first_ns = None if age_s is None else NOW_NS - age_s * 1_000_000_000
    site, found = SimpleNamespace(first_time=lambda: first_ns), window.read_window({}, BERLIN)
    sender = {"signal": "spans", "newest_minute": 120, "last_time": "2025-11-21T11:00:00Z"}
    incoming = overview.incoming([sender], SimpleNamespace(site=site, window=found, clock=BERLIN))
    assert incoming["rates"] == {"Spans": per_s, "Logs": 0, "Points": 0}


def test_moving_and_widening_a_range():
    """Earlier, and zoom out; a range that ends now keeps ending now."""
    live, fixed = window.read_window({}, BERLIN), window.read_window({"start": "11:00", "end": "12:00"}, BERLIN)
    assert fixed.moved(-1) == {"start": "2025-11-21T09:00:00Z", "end": "2025-11-21T10:00:00Z"}
    assert fixed.wider(NOW_NS) == {"start": "2025-11-21T09:30:00Z", "end": "2025-11-21T11:30:00Z"}
    assert live.wider(NOW_NS) == {"start": "now-7200s", "end": "now"}


def test_terms_are_added_and_taken_away():
    """A facet's term joins what the reader wrote, whatever it contains, and leaves it again."""
    wanted = terms.term("http.route", 'a "b" \\ c')
    assert wanted == 'http.route = "a \\"b\\" \\\\ c"'
    assert terms.both("a = 1 or b = 2", wanted) == f"(a = 1 or b = 2) and {wanted}"
    added = terms.toggled("a = 1 or b = 2", "http.route", 'a "b" \\ c', Signal.SPANS)
    assert added == f"(a = 1 or b = 2) and {wanted}"
    assert terms.toggled(added, "http.route", 'a "b" \\ c', Signal.SPANS) == "(a = 1 or b = 2)"


@pytest.mark.parametrize(
    ("text", "key", "value", "toggled"),
    [
        ("", "service.name", "web", 'service.name = "web"'),
        ('service.name = "web"', "service.name", "cart", 'service.name in ("web", "cart")'),
        ("service:web", "service.name", "cart", 'service in (web, "cart")'),
        ("service:web status:error", "service.name", "web", "status:error"),
        ("a:1 and resource.service.name in (web, cart) and b:2", "service.name", "web",
         "a:1 and resource.service.name = cart and b:2"),
        ("a:1 and service = web and b:2", "service.name", "web", "a:1 and b:2"),
        ("service = web and b:2", "service.name", "web", "b:2"),
        ("status_code = error", "status", "unset", "status_code in (error, unset)"),
        ("http.status_code = 500", "http.response.status_code", 404, "http.status_code in (500, 404)"),
        ("http.status_code in (500, 404)", "http.response.status_code", 404, "http.status_code = 500"),
        ("service:web*", "service.name", "web", 'service:web* and service.name = "web"'),
        ('"status" = odd', "status", "error", '"status" = odd and status = error'),
        ("not service:web", "service.name", "web", 'not service:web and service.name = "web"'),
        ("service:web or b:2", "service.name", "web", '(service:web or b:2) and service.name = "web"'),
        ("(service:web) and b:2", "service.name", "web", "b = 2"),
        ("paid = true", "paid", True, ""),
    ],
)  # fmt: skip
def test_a_value_is_chosen_and_left_again(text, key, value, toggled):
    """One more value joins those of its key by ``in``, the last one takes the condition with it; the rest stays."""
    assert terms.toggled(text, key, value, Signal.SPANS) == toggled
    parse_filter(toggled)


def test_what_is_chosen_is_known_in_any_words():
    """Values are ticked under any name of their key, from ``=``, ``:`` and ``in``; not from patterns or negations."""
    for text in ("service:web", "resource.service.name = web", 'x = 1 service.name in ("web")'):
        assert terms.chosen(text, "service.name", Signal.SPANS) == ["web"]
    for text in ("", "service:web*", "not service:web", "service:web or x = 1", "service ~ web"):
        assert terms.chosen(text, "service.name", Signal.SPANS) == []


def test_a_filter_is_coloured_without_losing_a_letter():
    """The coloured copy is the text itself, whatever the tokens say."""
    tokens = [
        {"start": 0, "end": 1, "kind": "key"},
        {"start": 2, "end": 99, "kind": "bad"},
        {"start": 2, "end": 3, "kind": "operator"},
    ]
    assert search.coloured("a = 1", tokens) == [("t-k", "a"), ("", " "), ("t-o", "="), ("", " 1")]


def test_self_time_is_what_no_child_covers():
    """Overlapping children, and children that outlive their parent, are cut rightly."""
    children = [
        {"offset_ns": 2, "duration_ns": 3, "awaited": True},
        {"offset_ns": 4, "duration_ns": 2, "awaited": True},
        {"offset_ns": 9, "duration_ns": 5, "awaited": True},
        {"offset_ns": 7, "duration_ns": 1, "awaited": False},
    ]
    assert list(waterfall.self_segments({"offset_ns": 0, "duration_ns": 10}, children)) == [(0, 2), (6, 9)]


def test_an_axis_has_round_labels_and_the_end():
    """Labels stand at round times, and none crowds the end's own."""
    labels = [label["text"].replace(fmt.THIN, " ") for label in waterfall.axis(1_940_000_000)]
    assert labels == ["0", "500 ms", "1 s", "1.5 s", "1.94 s"]


def test_stacked_bars_stand_on_each_other():
    """Errors at the floor, the rest upon them, in a box of 100."""
    layers = [charts.Series("errors", "err", [1]), charts.Series("others", "", [3])]
    chart = charts.bars("counts", charts.Buckets([NOW_NS / 1e9], 60), layers, BERLIN)
    assert [(mark["y"], mark["h"]) for mark in chart.marks] == [(75.0, 25.0), (0.0, 75.0)]
    assert chart.y_labels == ["4", "2", "0"]


@pytest.mark.parametrize(("peak", "labels"), [(0.9, ["100%", "50%", "0"]), (0.05, ["5%", "2.5%", "0"])])
def test_labels_of_an_axis_have_no_idle_zeros(peak, labels):
    """Figures have a digit behind the point, so that they stand below each other; an axis needs it only for halves."""
    layers = [charts.Series("errors", "err", [peak, 0])]
    buckets = charts.Buckets([NOW_NS / 1e9, NOW_NS / 1e9 + 60], 60)
    chart = charts.lines("share", buckets, layers, BERLIN, lambda share: "".join(fmt.percent_parts(share)))
    assert chart.y_labels == labels


def test_a_gap_in_a_line_stays_a_gap():
    """A bucket without a value is not drawn as zero."""
    assert charts.path([1, None, 1, 1], 1) == "M4.17,3.00 20.83,3.00M62.50,3.00 87.50,3.00"


@pytest.mark.parametrize("value", [-5, -1e300, 1e300, 5e-324, 0])
def test_a_course_of_one_value_is_drawn_whatever_its_size(value):
    """A series that never changes lies at an end of its sparkline, which reaches from it to zero."""
    assert charts.spark([value, value])["d"] == "M25.00,{0} 75.00,{0}".format("3.00" if value > 0 else "100.00")


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ("https://a.example/x", True),
        ("javascript:alert(1)", False),
        (" https://a", False),
        ("HTTP://a", True),
        (7, False),
        ('https://a"x', False),
    ],
)
def test_only_web_addresses_become_links(value, allowed):
    """A value of telemetry is linked only if it is a whole http or https address."""
    assert linkable(value) is allowed


def timed(name, self_ns, query=""):
    """Return what the answer reads of a span."""
    attributes = {"db.query.text": query} if query else {}
    return {"service": "a", "name": name, "self_time_ns": self_ns, "attributes": attributes}


def test_the_answer_names_what_is_repeated():
    """Many like spans that make up the time are named with their number; one span among others is not accused."""
    some, rest, other = timed("some", 20), timed("rest", 40), timed("x", 40)
    found = time_spent({"spans": [some, some, some, rest]})
    few = {"service": "a", "name": "some", "query": False, "repeated": False, "self_ns": 60, "count": 3, "share": 0.6}
    assert found == few
    alone = {**few, "name": "rest", "self_ns": 40, "count": 1, "share": 40 / 60}
    assert time_spent({"spans": [some, rest]}) == alone
    assert time_spent({"spans": [some, rest, other]}) is None


def test_the_answer_names_a_repeated_query_before_what_takes_longer():
    """Twenty calls of one query are what can be mended, even in a trace that spends most of its time elsewhere."""
    spans = [timed("GET", 80), timed("SELECT", 5, "SELECT id"), *[timed("SELECT", 1, "SELECT *\n  FROM p")] * 20]
    assert time_spent({"spans": spans}) == {
        "service": "a", "name": "SELECT * FROM p", "query": True, "repeated": True, "self_ns": 20, "count": 20,
        "share": 20 / 105,
    }  # fmt: skip


def test_every_page_is_documented():
    """docs/pages.md has all paths of the table of pages, and the policy as it is sent."""
    text = (Path(__file__).parents[2] / "docs/pages.md").read_text()
    paths = [path.replace(":path", "").replace(":int", "") for path, _ in PAGES if path != "/range"]
    assert [path for path in paths if f"`{path}" not in text] == []
    assert CONTENT_SECURITY_POLICY in text


def test_static_files_ask_no_other_host():
    """No style sheet, script or drawing of ours names another host, and no script builds HTML from text."""
    for name, body in load_assets().files.items():
        if name.startswith("vendor/"):  # comments that name sources; what a page loads is watched by its tests
            continue
        text = body.decode()
        hosts = set(re.findall(r"https?://[\w.]+", text)) - {"http://www.w3.org"}
        assert (name, hosts) == (name, set())
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), name


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (None, "\u2013"),
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1KiB"),
        (1_048_575, "1MiB"),
        (5 << 30, "5GiB"),
        (3 << 50, "3072TiB"),
    ],
)
def test_sizes(size_bytes, text):
    """Sizes are powers of 1024, as settings write them, with three digits; what is not known is a dash."""
    assert fmt.size_html(size_bytes).striptags() == text


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [(86_400 * 10**9, "1 day"), (30 * 86_400 * 10**9, "30 days"), (36 * 3600 * 10**9, "36h")],
)
def test_long_spans(duration_ns, text):
    """Whole days are days, anything else is a duration as usual."""
    assert fmt.span_html(duration_ns).striptags().replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("figures", "worth"),
    [
        ((5, 10_000_000, None), True),
        ((4, 10_000_000, None), False),
        ((5, 9_999_999, None), False),
        ((5, 10_000_000, {"key": "a"}), False),
    ],
)
def test_a_page_says_where_time_went_only_if_somebody_asks(figures, worth):
    """A few spans, a moment, or a failure beside it leave no question of where the time went."""
    trace = dict(zip(("span_count", "duration_ns", "failure"), figures, strict=True))
    assert waterfall.is_worth_an_answer(trace) is worth


@pytest.mark.parametrize(
    ("status", "message", "repeated"),
    [
        ("KeyError: 'a'", "'a'", True),
        ("'a'", "'a'", True),
        ("first\nsecond", ["first", "second"], True),
        ("no 'a' here", "'a'", False),
        ("", "", False),
        ("a", "", False),
    ],
)
def test_a_status_that_repeats_its_exception_is_not_shown_twice(status, message, repeated):
    """With or without the type before it; whatever the event's name."""
    events = [{"name": "could not reserve", "attributes": {"exception.message": message}}]
    assert exceptions.repeats({"status_message": status, "events": events}) is repeated
    assert exceptions.is_exception(events[0])


def at(text):
    """Return nanoseconds since 1970 of a time in UTC."""
    return fmt.parse_time_ns(text)


@pytest.mark.parametrize(
    ("zone", "start", "end", "labels"),
    [
        # clocks go back on the 26th: that day has 25 hours
        ("Europe/Berlin", "2025-10-23T06:00:00Z", "2025-10-29T06:00:00Z", "24 Oct,25 Oct,26 Oct,27 Oct,28 Oct,29 Oct"),
        # and forward on the 29th, which has 23
        ("Europe/Berlin", "2026-03-26T06:00:00Z", "2026-04-01T06:00:00Z", "27 Mar,28 Mar,29 Mar,30 Mar,31 Mar,1 Apr"),
        # half an hour only
        ("Australia/Lord_Howe", "2026-04-02T00:00:00Z", "2026-04-08T00:00:00Z", "3 Apr,4 Apr,5 Apr,6 Apr,7 Apr,8 Apr"),
        ("UTC", "2026-04-02T06:00:00Z", "2026-04-08T06:00:00Z", "3 Apr,4 Apr,5 Apr,6 Apr,7 Apr,8 Apr"),
    ],
)  # fmt: skip
def test_day_ticks_stand_at_midnight_on_both_sides_of_a_clock_change(zone, start, end, labels):
    """Each day's label stands where the reader's clock shows midnight, whatever the offset is on that day."""
    zone = zoneinfo.ZoneInfo(zone)
    start_ns, end_ns = at(start), at(end)
    found = charts.ticks(start_ns, end_ns, fmt.Clock(zone, end_ns), 2000)[1:-1]
    moments = [fmt.to_datetime(round(start_ns + tick["x"] / 100 * (end_ns - start_ns)), zone) for tick in found]
    assert [tick["text"] for tick in found] == labels.split(",")[: len(found)]
    assert len(found) >= labels.count(",")
    # positions are rounded to a hundredth of a per cent: of six days, 52 s
    assert all(abs((moment.hour * 60 + moment.minute + 720) % 1440 - 720) <= 1 for moment in moments)


def test_an_hour_that_comes_twice_has_its_ticks_twice_and_a_skipped_one_has_none():
    """Between the two hours of 2 o'clock the axis has no gap, and no label is of a time that never was."""
    clock = fmt.Clock(zoneinfo.ZoneInfo("Europe/Berlin"), at("2026-11-01T00:00:00Z"))
    back = charts.ticks(at("2025-10-25T23:00:00Z"), at("2025-10-26T03:00:00Z"), clock, 4000)
    assert [tick["text"] for tick in back] == ["01:00", "02:00", "02:00", "03:00", "04:00"]
    assert [tick["x"] for tick in back] == [0, 25, 50, 75, 100]
    forth = charts.ticks(at("2026-03-29T00:00:00Z"), at("2026-03-29T03:00:00Z"), clock, 4000)
    assert "02:00" not in [tick["text"] for tick in forth]


@pytest.mark.parametrize("duration_ns", [7, 175_000, 1_940_000_000, 32_300_000, 35_000_000, 6_480_000_000, 240 * 10**9,
                                         95 * 10**9, 3_599 * 10**9, 90_000 * 10**9, 2_000_000 * 10**9])  # fmt: skip
def test_labels_of_a_waterfall_do_not_touch(duration_ns):
    """On the narrowest axis each label ends before the next begins, and steps past half a minute are a clock's."""
    labels = waterfall.axis(duration_ns)
    px = [(label["x"] * 3.6, 6 * len(label["text"])) for label in labels]
    ends = [x + width for x, width in px[:-1]]
    starts = [x for x, _ in px[1:-1]] + [px[-1][0] - px[-1][1]]
    assert all(end <= start for end, start in zip(ends, starts, strict=True))
    assert not any("50" in label["text"].split(fmt.THIN)[-2:] for label in labels if "min" in label["text"])


@pytest.mark.parametrize("minutes", [1, 7, 15, 60, 179, 360, 1440, 10_080, 43_200])
@pytest.mark.parametrize("width", [charts.WIDTH, charts.THIRD, charts.PHONE])
def test_labels_of_a_chart_do_not_touch(minutes, width):
    """Neither the ends' labels nor those between them run into one another, whatever the range begins with."""
    for shift in range(0, 3600, 421):
        start_ns = NOON_NS + shift * 10**9
        on_desk = max(width, charts.THIRD)  # a phone has the labels of a desk but for those that are hidden there
        labels = charts.ticks(start_ns, start_ns + minutes * 60 * 10**9, BERLIN, on_desk)
        labels = [label for label in labels if on_desk == width or not label["hide"]]
        half = [3 * len(label["text"]) for label in labels]
        middles = [label["x"] / 100 * width for label in labels]
        middles[0], middles[-1] = half[0], width - half[-1]
        assert all(
            a + wide <= b - next_wide
            for a, b, wide, next_wide in zip(middles, middles[1:], half, half[1:], strict=False)
        )


def test_buckets_counted_in_part_are_no_fall():
    """The running bucket and one that the range cuts are left out of lines and pale as bars."""
    buckets = charts.Buckets([0, 60, 120, 180], 60, start_s=30, end_s=200)
    assert buckets.whole([1.0, 4.0, 5.0, 0.5]) == [None, 4.0, 5.0, None]
    drawn = charts.bars("b", buckets, [charts.Series("all", "", [1, 4, 5, 1])], BERLIN)
    assert [mark["css"].split() for mark in drawn.marks] == [["c-b", "part"], ["c-b"], ["c-b"], ["c-b", "part"]]
    lines = charts.lines("l", buckets, [charts.Series("all", "", [1.0, 4.0, 5.0, 0.5])], BERLIN)
    assert lines.marks[0]["d"].count(",") == 2
    assert charts.Buckets([0], 60, end_s=20).whole([3.0]) == [3.0], "all there is, is drawn"


def test_a_line_of_failures_is_red_only_above_zero():
    """A healthy service has no red line along the floor."""
    buckets = charts.Buckets([0, 60, 120], 60)
    for values, css in (([0.0, 0.0, 0.0], "c-l calm"), ([0.0, 2.0, 0.0], "c-l err")):
        assert charts.lines("e", buckets, [charts.Series("failing", "err", values)], BERLIN).marks[0]["css"] == css


def test_no_line_before_anything_was_received():
    """A range that begins before the first record has nothing to draw there, for any service."""
    young = [
        {"t": t, "requests": 5 if t > 60 else 0, "errors": 0, "p95_ns": 9 if t > 60 else None}
        for t in (0, 60, 120, 180)
    ]
    assert charts.first_filled(young) == 120
    row = services.with_sparks({"service": "shop", "series": young, "error_ratio": 0.0}, 240.0, 120)
    assert [row[name]["d"].count(",") for name in ("spark_requests", "spark_p95")] == [2, 2]


@pytest.mark.parametrize(
    ("levels", "labels"),
    [
        (range(57, 92), ["1 ms", "10 ms", "100 ms", "1 s"]),
        (range(60, 65), ["1 ms", "2 ms"]),
        (range(30, 121, 5), ["1 µs", "1 ms", "1 s", "1 min"]),
        (range(65, 68), ["0", "5.01 ms"]),
    ],
)
def test_the_scale_of_a_heatmap_has_round_durations_where_they_lie(levels, labels):
    """Rows are tenths of decades, which nobody reads: round durations are written where there is room, or both ends."""
    bounds = [0, *(round(10 ** (level / 10)) for level in levels)]
    found = heat._labels(bounds)
    assert [label["text"].replace(fmt.THIN, " ") for label in found] == labels
    heights = [100 - label["y"] for label in found]
    assert heights[0] >= 0
    assert heights[-1] <= 100
    assert all(after - before >= heat.APART for before, after in pairwise(heights))
