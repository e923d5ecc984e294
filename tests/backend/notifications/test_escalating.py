"""Escalations step by step: who is told when nobody acknowledges, and what stops it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.config.book import Book
from spanglass_server.notifications.config.channels import channel_section
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import KeptThings, SettingsFile
from spanglass_server.notifications.model import Channel, Route
from spanglass_server.notifications.people.escalating import NOWHERE, Elsewhere, Page, escalate
from spanglass_server.notifications.people.model import (
    Case,
    Escalation,
    Person,
    QuietHours,
    Reach,
    Rota,
    Step,
    Target,
)
from spanglass_server.notifications.people.running import Running, next_ns
from spanglass_server.notifications.people.sections import people_sections
from spanglass_server.notifications.people.telling import unreached
from spanglass_server.notifications.ports import Configuration
from spanglass_server.store.disk import DISK

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_NS = 60 * 10**9
DAY_NS = 24 * 60 * MINUTE_NS
START_NS = 20_000 * DAY_NS  # midnight in UTC: ann is in her quiet hours until six
CHANNELS = {name: Channel(name=name, kind=name, options=None) for name in ("slack", "email", "sms")}
CONFIGURED = Configuration(
    channels=CHANNELS | {"sms": Channel(name="sms", kind="sms", options=None, send_resolved=False)},
    route=Route(key="", group_wait_ns=0, group_interval_ns=0, repeat_interval_ns=0),
    people={
        "ann": Person(
            channels={"email": Reach(("ann@x",)), "sms": Reach(("+1",))},
            quiet_hours=(QuietHours(from_=22 * 60, to=6 * 60),),
        ),
        "bob": Person(channels={"email": Reach(("bob@x",))}),
    },
    rotas={"db": Rota(people=("ann",)), "empty": Rota(people=("ann",), starts="2999-01-01")},
    escalations={
        "db": Escalation(
            steps=(
                Step(tell=(Target("slack"),)),
                Step(tell=(Target("ann"),), after_ns=15 * MINUTE_NS, by=("email",)),
                Step(tell=(Target("db", "rota"), Target("bob", "person")), after_ns=30 * MINUTE_NS),
            ),
            repeat=1,
            repeat_every_ns=10 * MINUTE_NS,
        ),
        "nobody": Escalation(
            steps=(Step(tell=(Target("empty", "rota"),)), Step(tell=(Target("bob"),), after_ns=60 * MINUTE_NS))
        ),
    },
)


class Clockwork:
    """Takes steps at times, keeping rows as a store does; pages as "channel person reason"."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.pages: list[Page] = []

    def at(self, minutes: float, *cases: Case, elsewhere: Elsewhere = NOWHERE) -> list[str]:
        """Take a step so many minutes after the begin."""
        done = escalate(self.rows, cases, CONFIGURED, START_NS + int(minutes * MINUTE_NS), elsewhere)
        kept = json.loads(json.dumps({**self.rows, **done.rows}))
        self.rows = {key: row for key, row in kept.items() if row is not None}
        self.pages += done.pages
        return [
            f"{page.recipient.channel} {page.recipient.person} {page.reason}".replace("  ", " ") for page in done.pages
        ]

    @property
    def running(self) -> Running:
        """The only one that runs."""
        (row,) = self.rows.values()
        return Running.of(row)


def case(*alert_ids: str, escalation: str = "db", **more: Any) -> Case:
    """A group with these alerts that nobody has acknowledged."""
    return Case(
        **{
            "key": "g",
            "escalation": escalation,
            "severity": Severity.ERROR,
            "alert_ids": alert_ids,
            **more,
        }
    )


def test_steps_come_in_time_wait_for_quiet_hours_and_begin_again() -> None:
    """Each step tells at its time and once; who is quiet is told when they no longer are, who is on call at once."""
    clock, open_ = Clockwork(), case("a")
    assert clock.at(0, open_) == ["slack escalation"]
    assert clock.at(0, open_) == []
    assert clock.at(14.9, open_) == []
    assert clock.at(15, open_) == []  # ann sleeps
    assert [each.person for each in clock.running.held] == ["ann"]
    assert next_ns(clock.running, CONFIGURED.escalations["db"]) == START_NS + 30 * MINUTE_NS
    assert clock.at(31, open_) == ["email ann escalation", "sms ann escalation", "email bob escalation"]
    assert [page.recipient.addresses for page in clock.pages] == [(), ("ann@x",), ("+1",), ("bob@x",)]
    assert clock.pages[-2].why == "escalation db, step 3: ann, on call in db: not acknowledged for 31m"
    assert clock.at(40, open_) == ["slack escalation"]  # once more, ten minutes after the last step
    assert clock.at(75, open_) == ["email ann escalation", "sms ann escalation", "email bob escalation"]
    assert clock.at(359, open_) == []
    assert clock.at(360, open_) == ["email ann escalation"]  # what was held
    assert next_ns(clock.running, CONFIGURED.escalations["db"]) == 0
    assert clock.at(9999, open_) == []
    assert len({page.id for page in clock.pages}) == len(clock.pages)
    assert clock.at(10_000) == ["slack resolved", "email ann resolved", "email bob resolved"]  # not by SMS
    assert clock.rows == {}


def test_acknowledgement_stops_it_and_another_alert_begins_it_anew() -> None:
    """While all is acknowledged nobody is told; a new alert starts from the first step; resolution is told."""
    clock = Clockwork()
    assert clock.at(0, case("a")) == ["slack escalation"]
    assert clock.at(15, case("a")) == []
    assert clock.at(16, case()) == []
    assert (clock.running.acknowledged, clock.running.held) == (True, ())
    assert clock.at(500, case()) == []
    assert clock.at(501, case("b")) == ["slack escalation"]
    assert clock.at(515, case("b")) == []
    assert clock.at(516, case("b")) == ["email ann escalation"]  # it is past six
    assert clock.pages[-1].alert_ids == ("b",)
    assert clock.at(517) == ["slack resolved", "email ann resolved"]
    assert clock.pages[-1].why == "escalation db has ended: its alerts are over"


def test_muted_time_does_not_count() -> None:
    """A silence stops the clock of the steps, and nothing is begun while one holds."""
    clock = Clockwork()
    assert clock.at(0, case(muted=True)) == []
    assert clock.rows == {}
    assert clock.at(1, case("a")) == ["slack escalation"]  # it counts from here, also where it is new for old alerts
    for minutes in (10, 70):
        assert clock.at(minutes, case(muted=True)) == []
    for minutes in (80, 85):
        assert clock.at(minutes, case("a", severity=Severity.CRITICAL)) == []
    assert clock.at(86, case("a", severity=Severity.CRITICAL)) == ["email ann escalation"]  # critical wakes her


def test_time_on_another_route_does_not_count() -> None:
    """While the alerts are open elsewhere its steps stand still; if they come back, it goes on where it was."""
    clock = Clockwork()
    assert clock.at(360, case("a")) == ["slack escalation"]
    for minutes in (370, 430):
        assert clock.at(minutes, elsewhere=Elsewhere(frozenset("a"))) == []
    assert clock.running.paused_ns == START_NS + 370 * MINUTE_NS
    assert clock.at(440, case("a")) == []
    assert clock.at(445, case("a")) == ["email ann escalation"]
    assert clock.at(446, elsewhere=Elsewhere(muted=frozenset("a"))) == []
    assert clock.rows == {}


@pytest.mark.parametrize("worse", [False, True])
def test_worse_alerts_wake_who_was_left_asleep(worse: bool) -> None:  # noqa: FBT001 - two cases
    """Who was not told for their quiet hours is told at once when an alert becomes severe enough."""
    clock = Clockwork()
    clock.at(0, case("a"))
    clock.at(15, case("a"))
    severity = Severity.CRITICAL if worse else Severity.WARNING
    assert clock.at(16, case("a", severity=severity)) == ["email ann escalation"] * worse


def test_a_step_that_reaches_nobody_is_not_waited_for() -> None:
    """A rota with nobody on call hands over to the next step at once, and a policy that is gone ends it quietly."""
    clock = Clockwork()
    assert clock.at(0, case("a", escalation="nobody")) == ["email bob escalation"]
    assert clock.at(60, case("a", escalation="nobody")) == []
    assert clock.at(61, case("a", escalation="deleted")) == []
    assert clock.rows == {}


def test_an_escalation_that_reaches_nobody_is_a_problem() -> None:
    """Where no step of an escalation that a route names would reach anybody now, this is told before it matters."""
    lonely = Escalation(steps=(Step(tell=(Target("empty", "rota"),)), Step(tell=(Target("gone"),))))
    route = replace(CONFIGURED.route, escalation="db", routes=(replace(CONFIGURED.route, escalation="lonely"),))
    configured = replace(CONFIGURED, route=route, escalations={**CONFIGURED.escalations, "lonely": lonely})
    assert unreached(configured, START_NS) == [
        "the escalation 'lonely' reaches nobody now: nobody is on call in, or can be told as, rota:empty, gone"
    ]
    assert unreached(CONFIGURED, START_NS) == []


def test_people_without_the_channel_of_a_step_are_a_problem() -> None:
    """Whoever a step tells, by name or in a rota, by channels that they do not have is told before it matters."""
    tell = (Target("ann"), Target("db", "rota"), Target("slack"))
    steps = (Step(tell=(Target("bob"),)), Step(tell=tell, after_ns=MINUTE_NS, by=("sms",)))
    rotas = {"db": Rota(people=("bob", "ann"))}
    route = replace(CONFIGURED.route, escalation="db")
    configured = replace(CONFIGURED, route=route, rotas=rotas, escalations={"db": Escalation(steps=steps)})
    assert unreached(configured, START_NS) == [
        "step 2 of the escalation 'db' can't tell bob: it tells by sms, which they do not have"
    ]


def test_names_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    """Channels, people and rotas that there are not are problems of the settings file, with their place in it."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(WRITTEN)
    sections = Sections([*people_sections(), channel_section([]), *route_sections()])
    kept = KeptThings(tmp_path / "kept", DISK, lambda: 1, sections)
    problems = Book(sections, SettingsFile(settings, sections), kept).problems()
    assert [problem.partition(": ")[2] for problem in problems] == [
        "person ann.emial: there is no channel 'emial'; there is no channel yet",
        "rota db.people: there is no person 'anne'; did you mean 'ann'?",
        "escalation db.steps[0].tell: there is no rota 'x'; there are: db",
        "escalation db.steps[0].by: there is no channel 'sms'; there is no channel yet",
    ]


WRITTEN = """
monitoring:
  notifications:
    people: {ann: {emial: {to: ann@example.com}}}
    rotas: {db: {people: [anne]}}
    escalations: {db: [{tell: [ann, "rota:x"], by: sms}]}
"""
