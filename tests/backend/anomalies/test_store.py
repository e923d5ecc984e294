"""The file of anomalies: how many that go on are kept, and who said what of them."""

from __future__ import annotations

from spanglass_server.anomalies.desk import AnomalyDesk
from spanglass_server.anomalies.model import Begun, Course, Key, Kind, Seen
from spanglass_server.anomalies.store import store as module
from spanglass_server.anomalies.store.store import AnomalyStore

COURSE = Course(0, [], [], [], [])
HOUR_NS = 3600 * 10**9


def begun(name, surprise):
    """An anomaly of a metric that begins."""
    seen = Seen(1, 1.0, 0.0, 0.0, 0.0, surprise, 0.5, 0.0)
    return Begun(Key(Kind.METRIC, (("__name__", name),)), name, "", 1, 0, seen), COURSE


def test_the_most_surprising_that_go_on_are_kept(tmp_path, monkeypatch):
    """Where too many go on the least surprising is dropped and counted, until it begins anew, ends, or is unseen."""
    monkeypatch.setattr(module, "_MOST_OPEN", 2)
    store = AnomalyStore(tmp_path / "anomalies.sqlite")

    def kept():
        return {each.title for each in store.known(1)}, store.left_out

    store.keep([begun("a", 5.0), begun("b", 9.0)], {}, {}, 1)
    assert kept() == ({"a", "b"}, 0)
    store.keep([begun("c", 7.0)], {}, {}, 1)
    assert kept() == ({"b", "c"}, 1)
    store.keep([begun("a", 6.0)], {}, {}, 2)  # it is told of with each step, and still the least surprising
    assert kept() == ({"b", "c"}, 1)
    store.keep([begun("a", 20.0)], {}, {}, 3)
    assert kept() == ({"a", "b"}, 1)
    store.keep([], {}, {begun("c", 0.0)[0].key: (4, COURSE)}, 4)
    assert kept() == ({"a", "b"}, 0)
    store.keep([begun("d", 1.0)], {}, {}, 5)
    assert kept() == ({"a", "b"}, 1)
    store.keep([], {}, {}, 6 + HOUR_NS)  # those that are kept have ended by now, too
    assert store.left_out == 0
    store.close()


def test_who_says_that_one_is_fine_is_given_their_own_word(tmp_path):
    """What somebody else says of another series at the same time is not what is given back."""
    store = AnomalyStore(tmp_path / "anomalies.sqlite")
    store.keep([begun("a", 5.0), begun("b", 9.0)], {}, {}, 1)
    ids = {each.title: each.id for each in store.known(1)}
    desk = AnomalyDesk(store, None, lambda: 1)
    call_fine, others = store.call_fine, [lambda: desk.call_fine(ids["b"], "mine too", "jo", None)]

    def both(*args):
        call_fine(*args)
        while others:
            others.pop()()

    store.call_fine = both
    said = desk.call_fine(ids["a"], "mine", "mina", None)
    assert (said["title"], said["reason"], said["actor"]) == ("a", "mine", "mina")
    store.close()
