"""Routing beside a real Alertmanager: the same alerts, the same configuration, the same messages at the same times."""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import routing_cases
import their_alertmanager
import yaml

from spanglass_server.forms.kinds import Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.config.channels import ChannelKind, channel_section
from spanglass_server.notifications.config.composing import composed
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import read_settings
from spanglass_server.notifications.importing.reading import imported

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spanglass_server.notifications.model import Silence
    from spanglass_server.notifications.ports import Configuration

_TOLERANCE_S = 0.35
#: How much slower all is made, for machines that cannot keep time: what is wrong is so at any speed.
_SCALES = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook of a test."""

    url: str
    format: str = ""


SECTIONS = Sections(
    [channel_section([ChannelKind("webhook", Shape(Hook, {"url": Text(), "format": Text()}))]), *route_sections()]
)


@pytest.fixture(autouse=True)
def _there() -> None:
    if shutil.which(their_alertmanager.NAME) is None:
        missing = pytest.fail if os.environ.get("SPANGLASS_REQUIRE_ALL") == "1" else pytest.skip
        missing("prometheus-alertmanager is not installed: apt install prometheus-alertmanager")


@pytest.mark.slow
def test_the_table_of_cases_is_answered_as_alertmanager_answers(tmp_path: Path) -> None:
    """All cases at once, within four seconds; where answers differ, once more and slower."""
    for scale in _SCALES:
        directory = tmp_path / str(scale)
        directory.mkdir()
        different = _compared(directory, scale)
        if not different:
            break
    assert not different, "\n".join(different)


@pytest.mark.parametrize("minute", [0, 59, 60, 61, 719, 1379, 1380, 1381, 1439])
def test_the_hours_around_any_minute_are_ranges(minute: int) -> None:
    """Around midnight too no range is empty, which Alertmanager refuses, and one of them holds the minute."""
    now = datetime(2026, 11, 30, *divmod(minute, 60), tzinfo=UTC)
    ranges = [(each["start_time"], each["end_time"]) for each in routing_cases.hours_around(now)]
    assert all(start < end for start, end in ranges)
    assert any(start <= f"{now:%H:%M}" < end for start, end in ranges)


def _compared(directory: Path, scale: int) -> list[str]:
    """Where answers differ."""
    sink = their_alertmanager.Sink()
    text = yaml.safe_dump(routing_cases.configuration(sink.url, datetime.now(UTC), scale))
    configured = _imported(text)
    try:
        with their_alertmanager.running(text, directory) as alertmanager:
            begin_s = time.time() + 0.3 * scale
            _post_silences(alertmanager, routing_cases.silences(begin_s, scale))
            _post_alerts(alertmanager, begin_s, routing_cases.events(scale))
            _wait_until(begin_s + routing_cases.END_S * scale)
            got = list(sink.got)
    finally:
        sink.close()
    paths = {name: channel.options.url.rpartition("/")[2] for name, channel in configured.channels.items()}
    answers = routing_cases.ours(configured, begin_s, paths.__getitem__, scale)
    assert len(answers) > 100
    told = routing_cases.theirs(got, begin_s)
    return routing_cases.differences(answers, told, _TOLERANCE_S * scale)


def _wait_until(moment_s: float) -> None:
    """Wait for a moment of the clock that Alertmanager has too."""
    while (left_s := moment_s - time.time()) > 0:
        threading.Event().wait(left_s)


def _post_silences(alertmanager: their_alertmanager.Alertmanager, silences: Sequence[Silence]) -> None:
    for silence in silences:
        alertmanager.post(
            "silences",
            {
                "matchers": [
                    {
                        "name": matcher.name,
                        "value": matcher.value,
                        "isRegex": "~" in matcher.operator,
                        "isEqual": matcher.operator in ("=", "=~"),
                    }
                    for matcher in silence.matchers
                ],
                "startsAt": their_alertmanager.rfc3339(silence.starts_ns / 1e9),
                "endsAt": their_alertmanager.rfc3339(silence.ends_ns / 1e9),
                "createdBy": silence.created_by,
                "comment": silence.comment,
            },
        )


def _post_alerts(
    alertmanager: their_alertmanager.Alertmanager, begin_s: float, events: Sequence[routing_cases.Event]
) -> None:
    for at in sorted({event.at for event in events}):
        _wait_until(begin_s + at)
        alerts = [
            {
                "labels": dict(event.labels),
                "startsAt": their_alertmanager.rfc3339(begin_s + event.begun),
                **({"endsAt": their_alertmanager.rfc3339(begin_s + at)} if event.is_end else {}),
            }
            for event in events
            if event.at == at
        ]
        alertmanager.post("alerts", alerts)


def _imported(text: str) -> Configuration:
    taken = imported(text, "alertmanager.yml", SECTIONS)
    assert (taken.problems, taken.notes) == ((), ())
    contents = read_settings(taken.yaml, "settings.yaml", SECTIONS)
    assert contents.problems == ()
    things: dict[str, dict[str, object]] = {}
    for found in contents.found:
        things.setdefault(found.section, {})[found.name] = found.value
    return composed(things)


ROUTES = [
    "{receiver: a}",
    "{receiver: b}",
    "{}",
    "{receiver: a, matchers: [x=1]}",
    "{receiver: a, match: {x: y}}",
    "{receiver: a, continue: true}",
    "{receiver: a, mute_time_intervals: [t]}",
    "{receiver: a, active_time_intervals: [t]}",
    "{receiver: a, routes: [{receiver: a, mute_time_intervals: [t], active_time_intervals: [t]}]}",
    "{receiver: a, routes: [{mute_time_intervals: [u]}]}",
    "{receiver: a, routes: [{receiver: b}]}",
    "{receiver: a, routes: [{}]}",
    "{receiver: a, group_by: [x, x]}",
    "{receiver: a, group_by: ['...', x]}",
    "{receiver: a, group_by: ['...']}",
    "{receiver: a, group_wait: 0s}",
    "{receiver: a, group_interval: 0s}",
    "{receiver: a, repeat_interval: 0s}",
    "{receiver: a, repeat_interval: 1d12h}",
    "{receiver: a, repeat_interval: 1y}",
    "{receiver: a, repeat_interval: soon}",
    "{receiver: a, routes: [{match_re: {x: '('}}]}",
    "{receiver: a, routes: [{match: {'x-y': a}}]}",
    "{receiver: a, routs: []}",
]
MATCHERS = [
    "x=y", "x", "=y", "x=", "x==y", 'x="y', 'x="y"z', 'x=y"', "x=y=z", "x=~(", "x=~a|b", "x!y", "x!~y",
    "x=y,z=w", "x=y,,z=w", "x=y,", "{x=y}", "{x=y", "x=y}", "x = y", " x=y ", 'x="\\n"', 'x="a,b",z=w',
    "x:y=z", "x=~[a-", "x=\\",
]  # fmt: skip
INTERVALS = [
    "{times: [{start_time: '09:00', end_time: '24:00'}]}",
    "{times: [{start_time: '09:00', end_time: '24:01'}]}",
    "{times: [{start_time: '09:00', end_time: '09:00'}]}",
    "{times: [{start_time: '22:00', end_time: '06:00'}]}",
    "{times: [{start_time: '9:00', end_time: '10:00'}]}",
    "{weekdays: ['monday:friday', 'Sunday']}",
    "{weekdays: ['friday:monday']}",
    "{weekdays: [mon]}",
    "{weekdays: ['1']}",
    "{days_of_month: ['1:5', '-3:-1', '31']}",
    "{days_of_month: ['0']}",
    "{days_of_month: ['32']}",
    "{days_of_month: ['-1:1']}",
    "{days_of_month: ['1:-1']}",
    "{days_of_month: ['20:-10']}",
    "{days_of_month: ['-1:-3']}",
    "{months: ['january:march', '5:8', december]}",
    "{months: ['march:january']}",
    "{years: ['2020:2022', '2026']}",
    "{years: ['2022:2020']}",
    "{location: Europe/Berlin}",
    "{location: Europe/Nowhere}",
    "{location: Local}",
    "{hours: ['1']}",
]


def test_what_alertmanager_refuses_is_refused(tmp_path: Path) -> None:
    """Configurations, matchers and time intervals are right or wrong here as they are for Alertmanager's own check."""
    right = _file("{receiver: a}")
    quoted = [yaml.safe_dump(each, default_style='"').strip() for each in MATCHERS]
    texts = [
        *(_file(route) for route in ROUTES),
        *(_file(f"{{receiver: a, routes: [{{matchers: [{each}]}}]}}") for each in quoted),
        *(_file("{receiver: a}", interval) for interval in INTERVALS),
        right.replace("[{name: a", "[{name: a}, {name: a"),
        right.replace("{name: t,", "{name: t, time_intervals: []}, {name: t,"),
        "receivers: [{name: a}]\n",
        "route: [",
    ]
    files = [tmp_path / f"{number}.yml" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    taken = {text: imported(text, "a.yml", SECTIONS).problems for text in texts}
    different = [
        (text, [str(problem) for problem in taken[text]])
        for text, is_right in zip(texts, their_alertmanager.accepts(files), strict=True)
        if is_right == bool(taken[text])
    ]
    assert not different, "\n".join(map(str, different))
    assert len(texts) // 4 < sum(map(bool, taken.values())) < len(texts)


def _file(route: str, interval: str = "{years: ['2026']}") -> str:
    return (
        f"route: {route}\nreceivers: [{{name: a, webhook_configs: [{{url: 'http://h/'}}]}}]\n"
        f"time_intervals: [{{name: t, time_intervals: [{interval}]}}]\n"
    )
