"""Who hears of an alert and why, in data and in words."""

from __future__ import annotations

from dataclasses import replace

from spanglass_core.alerting.severity import Severity
from spanglass_server.notifications.model import Channel, Inhibition, Silence, Subject
from spanglass_server.notifications.ports import Configuration
from spanglass_server.notifications.routing.explaining import Situation, explain
from spanglass_server.notifications.routing.intervals import TimeInterval
from spanglass_server.notifications.routing.parsing import parse_matchers
from spanglass_server.notifications.routing.placing import place
from spanglass_server.notifications.routing.resolving import WrittenRoute, resolved
from spanglass_server.notifications.routing.tree import all_routes, called

NOW_NS = 1_790_000_000 * 10**9  # Monday, 21 September 2026, 14:13:20 UTC
TREE = WrittenRoute(
    group_by=("alertname",),
    routes=(
        WrittenRoute(match=parse_matchers("team=web"), channels=("slack",)),
        WrittenRoute(
            match=parse_matchers("team=~'db|cache'".replace("'", '"')),
            channels=("slack", "pager"),
            escalation="db",
            continue_=True,
            routes=(WrittenRoute(match=parse_matchers("zone=a"), channels=("gone",)),),
        ),
        WrittenRoute(match=parse_matchers("severity!=info"), group_by=("...",), mute_during=("mondays",)),
        WrittenRoute(channels=("slack",)),
    ),
)
SUBJECT = Subject(
    alert_id="7",
    fingerprint="f",
    labels={"alertname": "Lag", "team": "db", "severity": "error"},
    severity=Severity.ERROR,
    title="Lag of db",
    starts_ns=NOW_NS,
    channels=("mail",),
)
SITUATION = Situation(
    configured=Configuration(
        channels={name: Channel(name=name, kind="test", options=None) for name in ("slack", "mail")},
        route=resolved(TREE),
        inhibitions=(Inhibition(parse_matchers("alertname=Down"), parse_matchers("alertname!=Down"), ("team",)),),
        intervals={"mondays": (TimeInterval(weekdays=((1, 1),)),)},
    ),
    silences=(),
    firing=(SUBJECT,),
    groups={},
    now_ns=NOW_NS,
)


def test_the_way_through_the_tree_and_what_comes_of_it() -> None:
    """Every route is there with its result; those that take the alert say whom they tell, and when."""
    explanation = explain(SUBJECT, SITUATION)
    assert [(step.depth, step.result, step.failing, step.value) for step in explanation.steps] == [
        (0, "passes", "", ""),
        (1, "fails", 'team="web"', "db"),
        (1, "takes", "", ""),
        (2, "fails", 'zone="a"', ""),
        (1, "takes", "", ""),
        (1, "unasked", "", ""),
    ]
    first, second = explanation.hearings
    assert (first.channels, first.unknown, first.escalation) == (("slack", "pager"), ("pager",), "db")
    assert first.group == '{}/{team=~"db|cache"}:{alertname="Lag"}'
    assert (second.channels, second.group_labels, second.muted and second.muted.interval) == (
        ("mail",),
        SUBJECT.labels,
        "mondays",
    )
    assert explanation.text == (
        (
            'slack: through the route for team=~"db|cache", together with alerts of the same alertname, '
            "30s after it begins."
        ),
        'The route for severity!="info" takes it for mail, and tells nobody now: it is within mondays.',
        'There is no channel pager, which the route for team=~"db|cache" names.',
        "The escalation db begins, unless somebody acknowledges.",
    )


def test_keys_of_routes_in_words() -> None:
    """A route is called by the matchers down to it, whatever their values hold; its number tells it from its like."""
    odd = parse_matchers(r'a="}/{b=\"c\",d"')
    below = WrittenRoute(match=parse_matchers('severity="critical",team="db"'), routes=(WrittenRoute(match=odd),))
    tree = resolved(WrittenRoute(routes=(below, below, WrittenRoute())))
    assert [called(route.key) for route in all_routes(tree)] == [
        "first route",
        'route for severity="critical", team="db"',
        r'route for severity="critical", team="db", a="}/{b=\"c\",d"',
        'route for severity="critical", team="db" (number 2 of these)',
        r'route for severity="critical", team="db" (number 2 of these), a="}/{b=\"c\",d"',
        "route without matchers",
    ]


def test_what_hides_an_alert_comes_first() -> None:
    """A silence is told with its author and end, an inhibition with its alert; a group with its next look."""
    silence = Silence(
        id="s",
        matchers=parse_matchers("team=db"),
        starts_ns=NOW_NS,
        ends_ns=NOW_NS + 3600 * 10**9,
        created_by="ann",
        comment="moving",
        updated_ns=0,
    )
    groups = place({}, [SUBJECT], SITUATION.configured.route, NOW_NS)
    silenced = explain(SUBJECT, replace(SITUATION, silences=(silence,), groups=groups))
    assert silenced.silences == ("s",)
    assert silenced.text[0] == "Nobody is told: ann has silenced it until 2026-09-21 15:13:20 UTC: moving."
    assert silenced.text[1].endswith("when its group is looked at next, 2026-09-21 14:13:50 UTC.")
    down = replace(SUBJECT, alert_id="8", labels={"alertname": "Down", "team": "db"}, title="Database is down")
    assert explain(SUBJECT, replace(SITUATION, firing=(SUBJECT, down))).text[0] == (
        "Nobody is told while another alert fires: Database is down."
    )
    lonely = replace(SUBJECT, labels={"severity": "info"}, channels=())
    bare = replace(SITUATION.configured, route=resolved(WrittenRoute()))
    assert explain(lonely, replace(SITUATION, configured=bare)).text == (
        "The first route takes it and names no channel, nor does the alert: nobody is told.",
    )
    silent = WrittenRoute(channels=("nobody",))  # it takes no escalation from above, but may name one
    paged = resolved(WrittenRoute(escalation="db", routes=(silent, replace(silent, escalation="web"))))
    assert [route.escalation for route in paged.routes] == ["", "web"]
    told = explain(lonely, replace(SITUATION, configured=replace(bare, route=paged.routes[1]))).text
    assert told[0].endswith("takes it for no channel: only its escalation tells people, 30s after it begins.")
