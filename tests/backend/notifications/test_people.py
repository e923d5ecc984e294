"""Quiet hours and rotas over wall clocks, with the hours that come twice and not at all."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.alerting.severity import Severity
from spanglass_server.forms.nodes import json_tree, yaml_tree
from spanglass_server.forms.problems import Report
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import read_settings
from spanglass_server.notifications.people.model import Override, Person, QuietHours, Reach, Rota, Shift
from spanglass_server.notifications.people.quiet import quiet_until
from spanglass_server.notifications.people.rota import on_call, schedule
from spanglass_server.notifications.people.sections import people_sections
from spanglass_server.notifications.people.shapes import ESCALATION, PERSON, ROTA

BERLIN = ZoneInfo("Europe/Berlin")
_DAY_NS = 86_400 * 10**9


def at(text: str) -> int:
    """A time by Berlin's clock, in nanoseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * 10**9


def said(time_ns: int) -> str:
    """The same back; "" for 0."""
    return datetime.fromtimestamp(time_ns // 10**9, BERLIN).strftime("%Y-%m-%dT%H:%M%z") if time_ns else ""


NIGHT = QuietHours(from_=22 * 60, to=7 * 60)
WEEKEND = QuietHours(from_=0, to=24 * 60, weekdays=(5, 6), severity=Severity.ERROR)
ANN = Person(channels={"email": Reach()}, time_zone="Europe/Berlin", quiet_hours=(NIGHT, WEEKEND))


@pytest.mark.parametrize(
    ("when", "severity", "until"),
    [
        ("2026-11-25T21:59", "error", ""),
        ("2026-11-25T22:00", "error", "2026-11-26T07:00+0100"),
        ("2026-11-26T06:59", "warning", "2026-11-26T07:00+0100"),
        ("2026-11-26T07:00", "warning", ""),
        ("2026-11-25T23:00", "critical", ""),  # told at any time
        ("2026-11-27T23:00", "warning", "2026-11-30T07:00+0100"),  # Friday night, weekend, Sunday night are one
        ("2026-11-28T12:00", "error", ""),  # the weekend is quiet for warnings only
        ("2026-10-25T02:30", "error", "2026-10-25T07:00+0100"),  # the hour that comes twice
        ("2026-03-28T23:00", "error", "2026-03-29T07:00+0200"),  # a night that is an hour shorter
    ],
)
def test_quiet_hours_end_when_the_clock_says(when: str, severity: str, until: str) -> None:
    """Until when somebody is not told: by their clock, hours in a row as one, and never of what is severe enough."""
    assert said(quiet_until(ANN, Severity(severity), at(when))) == until


def test_all_week_quiet_holds_for_a_week_only() -> None:
    """Somebody who is always quiet is told after days, not never."""
    always = QuietHours(from_=0, to=24 * 60)
    person = Person(channels={}, quiet_hours=(always,))
    until_ns = quiet_until(person, Severity.ERROR, at("2026-11-25T12:00"))
    assert 7 * _DAY_NS < until_ns - at("2026-11-25T12:00") < 20 * _DAY_NS


DB = Rota(
    people=("ann", "bob", "cem"),
    time_zone="Europe/Berlin",
    starts="2026-01-05",
    weekly=(Shift(people=("dan", "eve"), from_=18 * 60, to=2 * 60, weekdays=(4,)),),
    overrides=(Override(person="bob", from_="2026-12-24T09:00", to="2026-12-27T09:00", reason="Christmas"),),
)


@pytest.mark.parametrize(
    ("when", "person", "why", "start", "end"),
    [
        ("2026-01-05T08:59", "", "nobody", "", "2026-01-05T09:00+0100"),
        ("2026-01-05T09:00", "ann", "turn", "2026-01-05T09:00+0100", "2026-01-09T18:00+0100"),
        ("2026-01-09T18:00", "dan", "shift", "2026-01-09T18:00+0100", "2026-01-10T02:00+0100"),
        ("2026-01-10T02:00", "ann", "turn", "2026-01-10T02:00+0100", "2026-01-12T09:00+0100"),
        ("2026-01-16T23:00", "eve", "shift", "2026-01-16T18:00+0100", "2026-01-17T02:00+0100"),
        ("2026-01-12T09:00", "bob", "turn", "2026-01-12T09:00+0100", "2026-01-16T18:00+0100"),
        ("2026-01-26T09:00", "ann", "turn", "2026-01-26T09:00+0100", "2026-01-30T18:00+0100"),
        ("2026-03-29T12:00", "cem", "turn", "2026-03-28T02:00+0100", "2026-03-30T09:00+0200"),  # a day of 23 hours
        ("2026-12-25T20:00", "bob", "override", "2026-12-24T09:00+0100", "2026-12-27T09:00+0100"),  # over the shift
    ],
)
def test_on_call(when: str, person: str, why: str, start: str, end: str) -> None:
    """Who is on call, why, and from when to when: overrides over shifts over turns."""
    duty = on_call(DB, at(when))
    assert (duty.person, duty.why, said(duty.start_ns), said(duty.end_ns)) == (person, why, start, end)


def test_the_last_minute_of_a_week_is_the_first_of_the_next() -> None:
    """A handover on sunday at 24:00 is one on monday at midnight, and is written as that."""
    node = yaml_tree("{people: [a], handover: sunday 24:00}")
    assert node is not None
    rota = ROTA.read(node, Report())
    assert ROTA.write(rota, full=True)["handover"] == "monday 00:00"


def test_a_rota_may_start_on_the_last_day_that_there_is() -> None:
    """Its first handover would be after the end of all calendars: nobody is on call, and nothing fails."""
    assert on_call(Rota(people=("ann",), starts="9999-12-31"), at("2026-11-25T12:00")).why == "nobody"


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 700 * 24 * 60),
    st.integers(1, 60 * 24 * 60),
    st.integers(1, 3),
    st.integers(0, 7 * 24 * 60 - 1),
    st.integers(1, 3),
)
def test_a_schedule_has_no_gaps_and_agrees_with_on_call(
    start: int, length: int, people: int, handover: int, weeks: int
) -> None:
    """Duties follow each other from the begin to the end of a range, and each is who is on call all through it."""
    rota = Rota(
        people=("ann", "bob", "cem")[:people],
        time_zone="Europe/Berlin",
        handover=handover,
        weeks=weeks,
        starts="2026-01-01",
        weekly=DB.weekly,
        overrides=DB.overrides,
    )
    start_ns = at("2025-12-20T00:00") + start * 60 * 10**9
    end_ns = start_ns + length * 60 * 10**9
    duties = schedule(rota, start_ns, end_ns)
    assert [duty.start_ns for duty in duties] == [start_ns, *(duty.end_ns for duty in duties[:-1])]
    assert duties[-1].end_ns == end_ns
    for duty in duties:
        for time_ns in (duty.start_ns, (duty.start_ns + duty.end_ns) // 2, duty.end_ns - 1):
            assert on_call(rota, time_ns).person == duty.person


PEOPLE = """
email: ann@example.com
sms: {to: ["+49 1", "+49 2"]}
full_name: Ann
time_zone: Europe/Berlin
quiet_hours: {from: 22:00, to: "07:00", weekdays: [monday:thursday, sun], severity: error}
"""
WRONG = [
    (PERSON, "time_zone: Mars/Olympus\nemail: a@b", "1:12: time_zone: 'Mars/Olympus' is no time zone"),
    (PERSON, "time_zone: UTC", "there is no channel that reaches this person"),
    (PERSON, 'email: a@b\nquiet_hours: {from: "25:00", to: "7:00"}', "'25:00' is no time of the day"),
    (PERSON, "email: a@b\nquiet_hours: {to: 7:00}", "from is missing"),
    (PERSON, 'email: a@b\nquiet_hours: {from: "7:00", to: "7:00"}', "from and to are the same time"),
    (PERSON, "email: a@b\nquiet_hours: {from: 1:00, to: 2:00, weekdays: [mondy]}", "did you mean 'monday'"),
    (ROTA, "people: []", "nobody is in this rota"),
    (ROTA, "people: [a]\nhandover: 9:00", "is no day of the week"),
    (ROTA, "people: [a]\nstarts: tomorrow", "'tomorrow' is no date"),
    (ROTA, "people: [a]\noverrides: [{person: b, from: 2026-01-02, to: 2026-01-01}]", "to is not after from"),
    (ROTA, "people: [a]\nturns: 2", "unknown key 'turns'"),
    (ESCALATION, "[]", "there is no step"),
    (ESCALATION, "[{after: 5m}]", "tell is missing"),
    (ESCALATION, "[{after: 5m, tell: x}, {tell: y}]", "step 2 comes before the step above it"),
    (ESCALATION, "{steps: [{tell: x}], repeat: 2}", "repeat needs repeat_every"),
]


def test_what_is_written_reads_back() -> None:
    """A person, a rota and an escalation are the same when they are written and read again."""
    escalation = "[{tell: slack}, {after: 15m, tell: [person:ann, rota:db], by: [sms]}]"
    rota = """
people: [ann, bob]
handover: tuesday 08:30
weekly: [{people: eve, from: 18:00, to: "02:00", weekdays: fri}]
overrides: [{person: bob, from: 2026-12-24T09:00, to: 2026-12-27T09:00}]
"""
    for shape, text in ((PERSON, PEOPLE), (ROTA, rota), (ESCALATION, escalation)):
        report = Report()
        node = yaml_tree(text)
        assert node is not None
        value = shape.read(node, report)
        assert report.problems == []
        for full in (False, True):
            assert shape.read(json_tree(shape.write(value, full=full)), report) == value
    assert PERSON.read(yaml_tree(PEOPLE), Report()) == Person(  # type: ignore[arg-type] # a tree
        channels={"email": Reach(("ann@example.com",)), "sms": Reach(("+49 1", "+49 2"))},
        full_name="Ann",
        time_zone="Europe/Berlin",
        quiet_hours=(QuietHours(from_=1320, to=420, weekdays=(0, 1, 2, 3, 6), severity=Severity.ERROR),),
    )


def test_the_example_of_the_docs_is_right() -> None:
    """What docs/on-call.md shows is read without a problem, and means what it says."""
    text = (Path(__file__).parents[3] / "docs" / "on-call.md").read_text()
    example = "".join(re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    contents = read_settings(example, "on-call.md", Sections(people_sections()))
    assert contents.problems == ()
    found = {(each.section, each.name): each.value for each in contents.found}
    assert set(found) == {
        ("people", "ann"),
        ("people", "bob"),
        ("rotas", "db"),
        ("escalations", "db"),
        ("escalations", "board"),
    }
    assert on_call(found["rotas", "db"], at("2026-01-05T09:00")).person == "ann"
    assert len(found["people", "ann"].quiet_hours) == 2


@pytest.mark.parametrize(("shape", "text", "problem"), WRONG, ids=[text for _, text, _ in WRONG])
def test_what_is_wrong_is_named(shape: object, text: str, problem: str) -> None:
    """Each mistake is told with what is wrong, and with its place."""
    report = Report()
    shape.read(yaml_tree(text), report)  # type: ignore[attr-defined] # a shape
    assert problem in "\n".join(map(str, report.problems))
