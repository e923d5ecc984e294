"""The commands about notifications, asked of the API itself: what they print, and what they do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from spanglass.cli.main import main
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.notifications.model import Outcome
from spanglass_server.notifications.people.model import Recipient
from spanglass_server.notifications.people.running import Running
from spanglass_server.notifications.ports import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from notified_world import World

    Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(client: httpx.Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command: its exit code, its lines, and what it said on standard error."""
    monkeypatch.setenv("SPANGLASS_URL", str(client.base_url))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words: str) -> tuple[int, list[str], str]:
        code = main(words)
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err

    return run


@pytest.fixture
def slow(world: World) -> Any:
    """Return an open alert."""
    return world.alerts.create(NewAlert(title="Slow", severity=Severity.ERROR, labels={"service": "shop"}), "test")


def test_routes_say_who_hears_and_why(run: Run, slow: Any) -> None:
    """The tree, an alert's way through it with the steps of its escalation, and the same of one that could be."""
    _, tree, _ = run("routes")
    assert [line.split(" (")[0] for line in tree] == ["every alert: mail", '  service="shop": mail']
    code, lines, _ = run("routes", "explain", slow.id)
    assert code == 0
    assert any(line.startswith("mail: through the route") for line in lines)
    assert "  db, after 15m: nobody: the next step is due at once" in lines
    assert '  ✓ service="shop": takes it' in lines
    _, lines, _ = run("routes", "test", "service=cart", "--severity", "error")
    assert '  ✗ service="shop": service="shop" does not hold of \'cart\'' in lines
    code, _, err = run("routes", "explain", "x")
    assert (code, "there is no alert 'x'" in err) == (3, True)
    assert run("routes", "test", "service")[0] == 2


def test_silences_are_previewed_made_and_ended(run: Run, slow: Any, world: World) -> None:
    """A preview names what would be hidden; a silence says who and why; ending it keeps who did."""
    _, lines, _ = run("silences", "preview", "service=shop")
    assert (lines[1].split()[0], lines[-1]) == (slow.id, "1 open alert would be hidden")
    made = ("silences", "add", "service=shop", 'severity=~"err.*"', "--for", "2h", "--comment", "deploy", "--as", "ann")
    assert run(*made, "--dry-run")[1][-1] == "1 open alert would be hidden"
    assert world.store.silences() == []
    _, (line,), _ = run(*made, "--format", "ndjson")
    silence = json.loads(line)
    assert (silence["created_by"], silence["text"]) == ("ann", '{service="shop",severity=~"err.*"}')
    assert silence["id"] in run("silences", "--alert", slow.id)[1][1]
    assert "expired" in run("silences", "end", silence["id"], "--as", "Jörg")[1][1]
    assert world.store.silences()[0].comment == "deploy (ended by Jörg)"
    assert "there is none; --state all" in run("silences")[2]
    code, _, err = run("silences", "add", "team=", "--for", "2h", "--comment", "x")
    assert (code, "matchers" in err) == (2, True)


def test_channels_are_listed_tested_and_previewed(run: Run, slow: Any, world: World) -> None:
    """A test says what came of it, by its exit code too, and is in the log; a preview prints the message."""
    code, lines, _ = run("channels", "test", "mail")
    assert (code, lines) == (0, ["mail: sent (250 ok)"])
    world.outcome = Outcome(sent=False, error="connection refused: is the server running?")
    assert run("channels", "test", "mail")[:2] == (1, ["mail: not sent: connection refused: is the server running?"])
    _, (_, row), _ = run("channels")
    assert row.split()[:5] == ["mail", "mail", "0", "1", "1"]
    assert run("channels", "preview", "mail", slow.id)[1][0] == "Slow"
    assert run("channels", "test", "mial")[0] == 3
    _, (_, failed), _ = run("deliveries", "--state", "failed")
    assert failed.rstrip().endswith(world.outcome.error)
    delivery = failed.split()[0]
    _, lines, _ = run("deliveries", "show", delivery)
    assert (lines[0], lines[1]) == ("Test message", "test over mail: failed")
    assert "waiting" in run("deliveries", "retry", delivery)[1][1]


def test_who_is_on_call_and_what_escalates(run: Run, slow: Any, world: World) -> None:
    """All rotas at a time, one over a range, and escalations with their next step."""
    _, (_, row), _ = run("oncall", "--at", "2026-01-06T12:00:00Z")
    assert (row.split()[:2], row.split()[-1]) == (["db", "Ann"], "bob")
    _, (_, *rows), _ = run("oncall", "db", "--start", "2026-01-05T10:00:00Z", "--end", "2026-01-20T00:00:00Z")
    assert [next(name for name in ("ann", "bob") if f" {name} " in row) for row in rows] == ["ann", "bob", "ann"]
    assert "none runs" in run("oncall", "--escalations")[2]
    running = Running(
        key="g",
        escalation="db",
        begun_ns=world.now_ns,
        since_ns=world.now_ns,
        step=1,
        told=(Recipient(channel="mail"), Recipient(channel="mail")),
        alert_ids=(slow.id,),
    )
    world.store.decide(Decision(cursor=1, escalations={"g": running.row()}))
    _, (_, row), _ = run("oncall", "--escalations")
    assert (row.startswith("db"), "2 of 2" in row, row.rstrip().endswith("Slow")) == (True, True, True)
    assert row.count("mail") == 1
    assert run("oncall", "web")[0] == 3
