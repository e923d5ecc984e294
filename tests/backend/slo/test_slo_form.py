"""Objectives as they are written: what may stand in files, what is refused and where, and where they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanglass_server.forms.errors import ConflictError, ElsewhereError, TooManyError
from spanglass_server.slo.book import Book, problems_of
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.rules import ObjectiveRules, rules_of
from spanglass_server.store.disk import DISK

YAML = """
slos:
  - name: Checkout answers
    target: 99.9%
    spans: service:checkout kind:server
    good: status != error
    latency: 300ms
  - {name: Site is up, target: 0.995, window: month, time_zone: Europe/Berlin, check: site, channels: mail}
"""


def test_what_is_written_is_read_and_written_again():
    """YAML and JSON of objectives give the same ones again; shorter forms and defaults mean what the docs say."""
    first, second = (objective for objective, _ in OBJECTIVES.read_yaml(YAML).found)

    assert (first.uid, first.target, first.window, first.latency_ns) == ("checkout-answers", 0.999, "30d", 300_000_000)
    assert first.good_filter == "(status != error) and duration <= 300ms"
    assert first.of_service == "checkout"
    assert (second.target, second.check, second.channels) == (0.995, "site", ("mail",))
    for objective in (first, second):
        assert OBJECTIVES.read_yaml(OBJECTIVES.to_yaml([objective])).found[0][0] == objective
        assert OBJECTIVES.read_json(OBJECTIVES.to_json(objective)).found[0][0] == objective
    assert first.key != second.key
    assert (
        OBJECTIVES.read_yaml("{name: New, target: 99%, check: b}").found[0][0].uid == "new-slo"
    )  # /slos/new is a page


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{name: a, target: 99%}", "", "what is counted"),
        ("{name: a, target: 99%, spans: 'kind:server'}", "spans", "which spans are good"),
        ("{name: a, target: 99%, spans: 'kind:server', check: b, good: 'x:1'}", "check", "both spans and check"),
        ("{name: a, target: 99%, check: b, latency: 1s}", "latency", "about spans"),
        ("{name: a, target: 100%, check: b}", "target", "from 50% to 99.9999%"),
        ("{name: a, target: 3%, check: b}", "target", "from 50% to 99.9999%"),
        ("{name: a, target: much, check: b}", "target", "percentage"),
        *(
            (f"{{name: a, target: {text}, check: b}}", "target", "from 50% to 99.9999%")
            for text in ("NaN", "sNaN", "-Infinity", "-1e999999", "1e999999%")
        ),
        *(
            (f"{{name: a, uid: {uid}, target: 99%, check: b}}", "uid", f"{uid}-slo")
            for uid in ("new", "changes", "check", "try")
        ),
        ("{name: a, target: 99%, spans: 'kind:', good: 'x:1'}", "spans", "character"),
        ("{name: a, target: 99%, check: b, window: 5d}", "window", "choices"),
        ("{name: a, target: 99%, check: b, time_zone: Europe/Berlin}", "time_zone", "rolling"),
        ("{name: a, target: 99%, check: b, windw: 7d}", "windw", "did you mean 'window'"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text, place, words):
    """A value that can't be is refused with the key that it stands at, and what to write instead."""
    problems = OBJECTIVES.read_yaml(text).problems

    assert len(problems) == 1
    assert problems[0].path == place
    assert words in f"{problems[0].message} {problems[0].hint}"


@pytest.mark.parametrize(
    ("spans", "service"),
    [
        ("service:shop kind:server", "shop"),
        ('kind:server and service.name = "my shop"', "my shop"),
        ("service:a or service:b", ""),
        ("-service:shop", ""),
        ("not service:shop", ""),
        ("service:sh*", ""),
        ("peer.service:shop", ""),
    ],
)
def test_the_service_is_that_of_the_filter(spans, service):
    """An objective is of the one service that its filter asks for, and of none where that is not plain."""
    (objective, _) = OBJECTIVES.read_json({"name": "a", "target": "99%", "spans": spans, "good": "status:ok"}).found[0]

    assert objective.of_service == service


def test_rules_of_an_objective_are_those_of_the_workbook():
    """Four burn rates over two windows each; those that a low target can't reach are left out; none where off."""
    text = {"name": "Shop", "target": "99.9%", "spans": "service:shop", "good": "status:ok", "min_events": 50}
    (objective, _) = OBJECTIVES.read_json(text).found[0]

    rules = rules_of(objective)

    assert [rule.uid for rule in rules] == ["slo-shop-fast", "slo-shop-quick", "slo-shop-slow", "slo-shop-lasting"]
    assert rules[0].condition == (
        'slo_burn_rate{slo="shop"} over 1h > 14.4 and slo_burn_rate{slo="shop"} over 5m > 14.4'
        ' and slo_events{slo="shop"} over 1h >= 50'
    )
    assert dict(rules[0].labels) == {"slo": "shop", "service_name": "shop"}
    low = OBJECTIVES.read_json({**text, "target": "90%"}).found[0][0]
    assert [rule.uid for rule in rules_of(low)] == ["slo-shop-quick", "slo-shop-slow", "slo-shop-lasting"]
    assert rules_of(OBJECTIVES.read_json({**text, "alerts": False}).found[0][0]) == []


def test_objectives_of_files_and_pages_stand_together(tmp_path):
    """Files are read again when they change, come before what is kept, and are changed there alone; rules follow.

    A new one that would be one too many is refused, and not kept; one that is there is still changed.
    """
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "shop.yaml").write_text(YAML)
    book = Book(None, tmp_path / "slos", tmp_path / "kept", DISK, lambda: 10**18, most=3)
    rules = ObjectiveRules(book)
    (own, _) = OBJECTIVES.read_json({"name": "Own", "target": "99%", "check": "site"}).found[0]

    kept = book.put(own, "")

    assert set(book.found()) == {"checkout-answers", "site-is-up", "own"}
    assert "slo-own-fast" in {found.uid for found in rules.read().found}
    with pytest.raises(ElsewhereError):
        book.delete("site-is-up", "")
    with pytest.raises(ConflictError):
        book.put(own, "")
    book.delete("own", kept.version)
    assert "slo-own-fast" not in {found.uid for found in rules.read().found}
    assert [old.uid for _, old in book.versions("own")] == ["own"]
    kept = book.put(own, "")
    with pytest.raises(TooManyError, match="3 objectives"):
        book.put(replace(own, uid="other"), "")
    assert set(book.found()) == {"checkout-answers", "site-is-up", "own"}
    assert book.put(replace(own, name="Mine"), kept.version).value.name == "Mine"
    (tmp_path / "slos" / "more.yaml").write_text("name: Broken\n")
    assert "target is missing" in str(book.problems()[0])
    assert problems_of(None, tmp_path / "slos") == [str(problem) for problem in book.problems()]
