"""Alerts of one fault are one problem; those that have nothing to do with each other stay apart."""

from __future__ import annotations

from made_alerts import fired, made

from spanglass_core.alerting.fingerprints import alert_id
from spanglass_core.alerting.fingerprints import fingerprint as fingerprint_of_key
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.problems.joining import WITHIN_NS, Joiner
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.times import NS_PER_SECOND

#: web calls checkout, which calls payment; search works alone.
TOGETHER = {name: frozenset({"web", "checkout", "payment"} - {name}) for name in ("web", "checkout", "payment")}


def world():
    """A store, and what joins its alerts."""
    store = MemoryAlertStore()
    return store, Joiner(store, lambda service, _: TOGETHER.get(service, frozenset()), lambda: 0)


def opened(store, joiner, *alerts):
    """Open alerts in one tick, and have them joined."""
    for alert in alerts:
        store.commit(fired(alert))
    for alert in alerts:
        joiner.offer(alert)
    joiner.step()


def problems(store):
    """The alerts that stand for a problem, each with its parts, by service and rule."""
    told = lambda alert: (alert.labels.get("service_name") or alert.labels["host_name"], alert.rule_uid)  # noqa: E731
    heads = store.alerts(AlertFilter(part_of=""), limit=99)
    return {
        told(head): sorted(told(part) for part in store.alerts(AlertFilter(part_of=head.id), limit=99))
        for head in heads
    }


def test_what_one_fault_opens_is_one_problem():
    """Alerts of a service and of those it works with join the first; of one tick the first that was told stands."""
    store, joiner = world()
    opened(store, joiner, made("payment", 100), made("search", 100))
    later = 100 + 60 * NS_PER_SECOND
    opened(store, joiner, made("web", later), made("payment", later, rule="slow"), made("checkout", later))

    assert problems(store) == {
        ("payment", "errors"): [("checkout", "errors"), ("payment", "slow"), ("web", "errors")],
        ("search", "errors"): [],
    }
    (part,) = store.alerts(AlertFilter(service="checkout"), limit=9)
    assert store.history(part.id)[-1].text == "part of the problem that began with: Errors in payment"


def test_of_one_tick_the_first_stands_for_all():
    """Alerts that open at once are joined to one of them, and to no more."""
    store, joiner = world()
    opened(store, joiner, made("web"), made("checkout"), made("payment"))

    assert problems(store) == {("web", "errors"): [("checkout", "errors"), ("payment", "errors")]}


def test_a_problem_lasts_as_long_as_alerts_come():
    """What opens ten minutes after the last part belongs to it, what opens later is a problem of its own."""
    store, joiner = world()
    for number, rule in enumerate(("errors", "slow", "silent")):
        opened(store, joiner, made("web", 100 + number * WITHIN_NS, rule=rule))
    opened(store, joiner, made("payment", 101 + 3 * WITHIN_NS))

    assert problems(store) == {("web", "errors"): [("web", "silent"), ("web", "slow")], ("payment", "errors"): []}


def test_hosts_are_problems_of_their_own():
    """Alerts of one host belong together, not with those of services or of other hosts."""
    store, joiner = world()

    def of_host(name, rule):
        fingerprint = fingerprint_of_key(rule, (("host_name", name),))
        key = (("host_name", name),)
        labels = {"host_name": name}
        return made(rule=rule, key=key, labels=labels, fingerprint=fingerprint, id=alert_id(fingerprint, 100))

    opened(store, joiner, of_host("a", "disk"), made("web"), of_host("b", "disk"), of_host("a", "memory"))

    assert problems(store) == {("a", "disk"): [("a", "memory")], ("b", "disk"): [], ("web", "errors"): []}


def test_checks_of_the_server_are_problems_of_their_own():
    """What they have in common is the service of the server, so only alerts of one check are joined."""
    store, joiner = world()

    def of_check(uid, rule="health", service="spanglass"):
        labels = {"service_name": service, "spanglass_health_check_uid": uid}
        fingerprint = fingerprint_of_key(rule, tuple(labels.items()))
        return made(
            rule=rule, key=tuple(labels.items()), labels=labels, fingerprint=fingerprint, id=alert_id(fingerprint, 100)
        )

    checks = [of_check("a"), of_check("b"), of_check("a", "lesser"), of_check("c", service="web"), made("web")]
    opened(store, joiner, *checks)
    parts = [[part.id for part in store.alerts(AlertFilter(part_of=head.id), limit=9)] for head in checks]

    assert parts == [[checks[2].id], [], [], [checks[4].id], []]


def test_a_storm_is_read_once():
    """However many alerts open at once, what is open is read once, and once whom a service works with."""
    asked, reads = [], []

    class Counted(MemoryAlertStore):
        """A store that counts how often its list is read."""

        def alerts(self, *given, **named):
            """As it is, counted."""
            reads.append(given)
            return super().alerts(*given, **named)

    store = Counted()
    joiner = Joiner(store, lambda service, _: (asked.append(service), TOGETHER[service])[1], lambda: 0)
    opened(store, joiner, *(made("web", rule=f"rule {number}") for number in range(50)))

    assert (len(reads), asked) == (1, ["web"])
    assert {head[1]: len(parts) for head, parts in problems(store).items()} == {"rule 0": 49}
