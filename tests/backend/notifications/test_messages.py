"""Messages: what they say of alerts, in the words and the form of each kind of channel, whatever fails."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_for_messages import (
    BASE_URL,
    HOSTILE,
    MINUTE_NS,
    NOW_NS,
    alert,
    channel,
    evidence,
    notification,
    resolved,
)

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.ports import AlertNotFoundError
from spanglass_server.notifications.messages.facts import NAMES
from spanglass_server.notifications.messages.rendering.checking import problem_of
from spanglass_server.notifications.messages.rendering.sandbox import Sandbox
from spanglass_server.notifications.messages.rendering.shipped import Shipped
from spanglass_server.notifications.messages.writer import MessageWriter, Sources
from spanglass_server.notifications.model import Action, Reason

ACTIONS = (Action("Acknowledge", f"{BASE_URL}/n/abc"), Action("Silence", f"{BASE_URL}/n/def"))
DISK_FULL = alert(2, title="Disk full", rule_name="Disk", severity=Severity.WARNING, value=0.931)


def _missing(alert_id):
    raise AlertNotFoundError(alert_id)


@pytest.fixture(scope="module")
def writer():
    """A writer whose templates have a twentieth of a second; it knows no alert but those of the notification."""
    made = MessageWriter(
        Sources(alert=_missing, base_url=lambda: BASE_URL, actions=lambda *_: ACTIONS, clock_ns=lambda: NOW_NS),
        Sandbox(cpu_s=0.05),
    )
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["email", "slack", "webhook", "sms"])
def test_a_message_carries_the_evidence(writer, kind):
    """Value, cause, error, what sets the bad apart, change, trace, runbook and links are in it, in HTML as in text."""
    message = writer.message(notification(alert()), channel(kind), "ref-7")
    assert (message.title, message.status, message.severity, message.link, message.previous, message.problem) == (
        "[CRITICAL] High error rate: checkout (8.2 %)", "firing", "critical", f"{BASE_URL}/alerts/a-1", "ref-7", "",
    )  # fmt: skip
    if kind == "sms":
        assert message.text == f"{message.title} {evidence()['cause']} {BASE_URL}/alerts/a-1"
        return
    told = [
        "8.2 %", "critical 5 %", "391 of 4760 requests of checkout fail since release 2.14.0.", "CurrencyNotPriced",
        f"{BASE_URL}/issues/CHECKOUT-12", "391 times", "98 % of the bad ones, 4 % of the others",
        "checkout 2.14.0 took over from 2.13.2", "2 min before", "1.94 s",
        f"{BASE_URL}/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e?span=00000000000000a1", "https://wiki.example/checkout",
    ]  # fmt: skip
    assert [part for part in told if part not in message.text] == []
    if kind == "email":
        assert [part for part in [*told, *(one.url for one in ACTIONS), "cid:chart"] if part not in message.html] == []
        assert "20 Nov 2025, 02:14:00 UTC, and lasted 10 min: rolled back (Kim)" in message.text
    else:
        assert message.html == ""
    if kind == "webhook":  # which has the evidence as JSON
        assert message.chart_png == b""
        return
    assert message.chart_png[:8] == b"\x89PNG\r\n\x1a\n"
    assert message.chart_alt == "From 0.4 % to 8.4 % in 20 min, against 5 % (critical)"


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (notification(resolved()), "[RESOLVED] High error rate: checkout, after 3 min"),
        (notification(alert(), reason=Reason.REPEAT),
         "[CRITICAL, STILL AFTER 4 min] High error rate: checkout (8.2 %)"),
        (notification(alert(), reason=Reason.ESCALATION),
         "[CRITICAL, NOT ACKNOWLEDGED] High error rate: checkout (8.2 %)"),
        (notification(DISK_FULL), "[WARNING] Disk full (93.1 %)"),
        (notification(alert(title="8.2 % fail")), "[CRITICAL] 8.2 % fail"),
        (notification(alert(1), alert(2)), "[CRITICAL] 2 alerts: High error rate, checkout"),
        (notification(DISK_FULL, alert(1), resolved(3), group_labels={}),
         "[CRITICAL] 2 alerts, 1 resolved: High error rate: checkout and others"),
        (notification(*(alert(n) for n in range(25)), DISK_FULL, reason=Reason.DIGEST),
         "[DIGEST] 26 alerts (25 critical, 1 warning)"),
        (notification(reason=Reason.TEST, about={"title": "Test message", "text": "Nothing happened."}),
         "[TEST] Test message"),
        (notification(alert(), reason=Reason.INCIDENT, about={"title": "Shop is down", "severity": "error",
                                                              "link": "/incidents/7", "status": "firing"}),
         "[INCIDENT, CRITICAL] Shop is down"),
        (notification(reason=Reason.INCIDENT, about={"title": "Incident INC-1: Shop is down", "severity": "error",
                                                     "status": "firing"}), "[ERROR] Incident INC-1: Shop is down"),
    ],
)  # fmt: skip
def test_titles_say_how_bad_what_and_how_many(writer, made, title):
    """The title is right for what the notification is about, the same for every kind of channel."""
    messages = [writer.message(made, channel(kind)) for kind in ("email", "slack")]
    assert [message.title for message in messages] == [title, title]
    assert all(message.problem == "" for message in messages)


def test_what_telemetry_says_stays_text(writer):
    """No title, label, message or runbook breaks out of HTML, calls a channel of Slack, or adds a line to a subject."""
    issue = {**evidence()["issues"][0], "title": HOSTILE, "message": HOSTILE}
    hostile = alert(
        title=HOSTILE, description=HOSTILE, owner=HOSTILE, runbook="javascript:alert(1)", labels={HOSTILE: HOSTILE},
        evidence=evidence(cause=HOSTILE, issues=[issue]),
    )  # fmt: skip
    made = notification(hostile, group_labels={HOSTILE: HOSTILE}, why=HOSTILE)
    mail, slack = writer.message(made, channel("email")), writer.message(made, channel("slack"))
    assert (mail.problem, slack.problem) == ("", "")
    assert "\n" not in mail.title
    assert not {"\r", "\x00", "\u202e"} & set(mail.title + mail.text + slack.text + mail.html)
    assert "<script" not in mail.html
    assert 'href="javascript' not in mail.html
    assert "<!channel>" not in slack.text
    assert "&lt;!channel&gt;" in slack.text


def test_many_alerts_are_counted_and_the_worst_told_first(writer):
    """Of many alerts the first three are told whole, up to twenty by name, the rest as a number."""
    mild = [replace(DISK_FULL, id=f"m-{n}", title=f"Disk {n} full") for n in range(25)]
    made = notification(*mild, alert(1), resolved(99, title="Over"))
    message = writer.message(made, channel("email"))
    assert message.text.startswith("High error rate: checkout\nCritical, for 4 min\n")
    assert message.text.count(" full") == 19
    assert "and 7 more" in message.text
    assert "and 7 more" in message.html
    assert [one.id for one in message.alerts][::26] == ["a-1", "a-99"]
    assert message.link == f"{BASE_URL}/alerts"


def test_a_text_message_about_several_alerts_names_them(writer):
    """Whoever reads a text message learns which alerts are open, each title once; those that are over are a number."""
    made = notification(DISK_FULL, alert(1), alert(2), resolved(3, title="Over"), group_labels={})
    message = writer.message(made, channel("sms"))
    assert message.text == f"{message.title}: High error rate: checkout; Disk full {BASE_URL}/alerts"


def test_evidence_that_came_later_is_in_the_message():
    """Alerts are told as they were at the decision, with the evidence that there is when the message is made."""
    now = alert(severity=Severity.INFO)
    sources = Sources(
        alert={"a-1": now}.__getitem__, base_url=lambda: f"{BASE_URL}/", actions=lambda *_: (), clock_ns=lambda: NOW_NS
    )
    message = MessageWriter(sources).message(
        notification(replace(now, evidence={}, severity=Severity.ERROR)), channel()
    )
    assert message.severity == "error"
    assert evidence()["cause"] in message.text
    assert message.link == f"{BASE_URL}/alerts/a-1"


def test_templates_of_people_make_the_message(writer):
    """They see the facts, write links in the form of the kind, and are escaped as the kind needs it."""
    made = notification(alert(title="A < B & C"))
    own = {"title": "{{ severity }}: {{ alerts[0].title }} {{ alerts[0].labels.nothing.at.all }}",
           "text": "{{ alerts[0].title }} {{ link | link('see') }}"}  # fmt: skip
    mail, slack = writer.message(made, channel("email", **own)), writer.message(made, channel("slack", **own))
    assert (mail.title, mail.text) == ("critical: A < B & C", f"A < B & C see: {BASE_URL}/alerts/a-1")
    assert slack.text == f"A &lt; B &amp; C <{BASE_URL}/alerts/a-1|see>"
    assert writer.message(made, channel("email", html="<p>{{ alerts[0].title }}</p>")).html == "<p>A &lt; B &amp; C</p>"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ 1 / 0 }}", "line 1: division by zero"),
        ("\n{{ nope( }}", "line 2: "),
        ("{{ 'x' * 10**9 }}", "it needs more than 512 MiB of memory"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "it takes too long"),
        ("{% for a in range(99999) %}{{ a }}{% endfor %}", "it makes more than 30000 characters"),
        ("{{ alerts.__class__.__base__.__subclasses__() }}", "line 1: "),
        ("{% if false %}x{% endif %}", "makes an empty text"),
    ],
)
def test_a_template_that_fails_is_never_the_reason_for_silence(writer, template, problem):
    """The usual message is sent in its place, it says which template failed and where, and the next one works."""
    message = writer.message(notification(alert()), channel("email", text=template))
    assert message.problem.startswith("The template 'text' of the channel 'ops' ")
    assert problem in message.problem
    assert message.text.startswith(f"{message.problem}. This is the usual message in its place.\n\nHigh error rate")
    assert message.problem.partition("'text'")[0] in message.html
    assert writer.message(notification(alert()), channel("email", text="{{ severity }}")).text == "critical"


def test_a_template_that_took_too_long_is_left_alone_for_a_while():
    """It costs its time once, not at every message, until it may have been a busy machine's fault."""
    now_s = [0.0]
    sandbox = Sandbox(lambda: now_s[0], cpu_s=0.05)
    slow = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    pids = []
    for now_s[0] in (0.0, 10.0, 301.0):
        with pytest.raises(Exception, match="it takes too long"):
            sandbox.render(slow, "plain", {}, 10)
        sandbox.close()
        pids.append(sandbox._process)
        if now_s[0] == 10.0:
            with pytest.raises(Exception, match="it takes too long"):
                sandbox.render(slow, "plain", {}, 10)
            assert sandbox._process is None  # no process was started for it
    sandbox.close()


@pytest.mark.parametrize("broken", [{"issues": [{"nothing": 1}]}, {"value": {"times_s": "x"}}, {"about": 7}])
def test_a_defect_of_ours_is_no_reason_for_silence_either(writer, broken):
    """Evidence in a shape that is not known gives a plain message which says so, or one without the part."""
    message = writer.message(notification(alert(evidence=evidence(**broken)), resolved(2)), channel("email"))
    assert "High error rate: checkout" in message.text
    assert message.title.startswith("[CRITICAL] ")


@pytest.mark.parametrize("kind", ["email", "slack", "sms", "webhook"])
def test_the_templates_of_the_server_are_right_by_its_own_check(kind):
    """What is shipped is a template that people can begin with."""
    shipped = Shipped()
    assert [problem_of(shipped.source(kind, part)) for part in ("title", "text", "html")] == ["", "", ""]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ alerts[0].title }}{% set x = 1 %}{{ x }}{% for a in alerts %}{{ loop.index }}{{ a }}{% endfor %}", ""),
        ("{{ severty }}", "line 1: there is no 'severty'; did you mean 'severity'?"),
        ("\n{{ title }}", "line 2: there is no 'title'"),
        ("{{ headline | uper }}", "line 1: there is no filter 'uper'; did you mean 'upper'?"),
        ("{{ headline is emty }}", "line 1: there is no test 'emty'"),
        ("{% include '/etc/passwd' %}", "line 1: a template can't take in other files"),
        ("a\n{% for %}", "line 2: "),
        ("{{ " + "(" * 5_000, "it is nested too deeply"),
        ("x" * 20_001, "it has 20001 characters: 20000 are the most"),
    ],
)
def test_a_wrong_template_is_named_when_it_is_saved(template, problem):
    """Syntax, names, filters and tests are checked with their line, and nothing is run."""
    assert problem_of(template).startswith(problem)
    assert bool(problem_of(template)) == bool(problem)


def test_a_test_message_and_a_fallback_say_what_they_are(writer):
    """A test has no status and its own text; a fallback says that it was meant for another channel."""
    about = {"title": "Test message", "text": "Nothing has happened.\nReally.", "severity": "info"}
    message = writer.message(notification(reason=Reason.TEST, about=about), channel("email"))
    assert (message.status, message.severity) == ("info", "info")
    assert message.text.startswith("Nothing has happened.\nReally.\n")
    meant = "This message was meant for another channel: sms could not be told (no credit)."
    fallback = writer.message(
        notification(
            resolved(acknowledged_ns=NOW_NS - MINUTE_NS), fallback_of="n-0", failed="sms could not be told (no credit)"
        ),
        channel(),
    )
    assert fallback.text.startswith(f"{meant}\n")
    assert meant in fallback.html
    assert fallback.status == "resolved"
    told = writer.message(notification(alert(), why="the first route"), channel()).text
    assert told.endswith("Why you are told: the first route, which takes every alert")


def test_the_docs_list_every_fact():
    """docs/messages.md has a row for each name that templates can use."""
    text = (Path(__file__).parents[3] / "docs/messages.md").read_text(encoding="utf-8")
    listed = {
        name for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert set(NAMES) <= listed
