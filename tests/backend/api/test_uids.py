"""Uids beside words in addresses: no page and no route is hidden by a thing that has its name."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from test_all_routes import ROUTES

from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.sources.kept import KeptDashboards
from spanglass_server.forms.names import TAKEN
from spanglass_server.health.form.spec import CHECKS
from spanglass_server.pages.routes import PAGES
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.store.disk import Disk

#: Where things that people name have their addresses, and one of each.
KINDS = {
    "rules": (RULES, "rule", {"condition": "error_rate > 5%"}),
    "checks": (CHECKS, "check", {"http": "https://example.com/"}),
    "slos": (OBJECTIVES, "slo", {"target": "99%", "spans": "service:a", "good": "status:ok"}),
    "dashboards": (DASHBOARDS, "dashboard", {}),
}
PLACES = {"{uid}", "{channel}", "{dashboard}"}


def test_words_of_addresses_are_taken():
    """Each word that stands where a uid of a kind does, in pages and API, is one that can't be chosen, and no other."""
    paths = [path.split("/") for path in (*(route.path for route in ROUTES), *(path for path, _ in PAGES))]
    stems = {tuple(path[: path.index(part)]) for path in paths for part in PLACES.intersection(path)}
    for many, one in (*((many, one) for many, (_, one, _) in KINDS.items()), ("channels", "channel")):
        named = [stem for stem in stems if stem[-1] == many]
        words = {path[len(stem)] for stem in named for path in paths if tuple(path[: len(stem)]) == stem != tuple(path)}
        assert {word for word in words if not word.startswith("{")} == TAKEN[one]


@pytest.mark.parametrize("kind", KINDS)
def test_such_a_uid_of_a_new_one_is_refused_and_does_not_follow_from_a_name(kind):
    """It is refused by its field, with another one; a name that is such a word makes a uid that is none."""
    listed, word, written = KINDS[kind]
    for taken in TAKEN[word]:
        (problem,) = listed.read_json({"name": "A", "uid": taken, **written}).problems
        assert problem.path == "uid"
        assert problem.message.startswith(f"{taken!r} can't be a uid")
        assert f"such as {taken}-{word}" in problem.hint
    (named,) = listed.read_json({"name": "Check", **written}).values
    assert named.uid == f"check-{word}"
    assert listed.read_yaml(listed.to_yaml([named]), "a.yaml").values == (named,)
    (other,) = listed.read_json({"name": "Hotel", "uid": "hotel", **written}).values
    assert "uid" not in listed.to_json(other, full=False)


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_files_keeps_such_a_uid(kind, caplog):
    """One that follows from the name, or is written, is read with a warning, and written so that it stays."""
    listed, word, written = KINDS[kind]
    for given in ({"name": "Check"}, {"name": "A", "uid": "check"}):
        caplog.clear()
        read = listed.read_yaml(json.dumps(given | written), "/rules/a.yaml")
        assert [one.uid for one in read.values] == ["check"]
        assert read.problems == ()
        assert (
            f"/rules/a.yaml:1: 'check' can't be a uid: pages and API have that word in its place; write another "
            f"one, such as check-{word}" in caplog.text
        )
        assert listed.read_yaml(listed.to_yaml(read.values), "/rules/a.yaml").values == read.values
        assert listed.read_json(listed.to_json(read.values[0]), stands=True).values == read.values


def test_what_is_kept_in_files_has_no_such_name_but_for_what_stands(tmp_path):
    """A new one is refused; one that was kept before is found under its uid and changed."""
    kept = KeptDashboards(tmp_path, Disk(), lambda: 0)
    (made,) = DASHBOARDS.read_json({"name": "Import", "uid": "import"}, stands=True).values
    with pytest.raises(ValueError, match="'import' can't be a uid: pages and API have that word"):
        kept.put(made, "")
    for name in ("import", "preview"):
        (tmp_path / f"{name}.yaml").write_text(f"monitoring: {{dashboards: [{{name: {name.title()}}}]}}\n")
    (first, second) = kept.read().found
    assert (first.uid, second.uid) == ("import", "preview")
    assert kept.put(replace(made, description="new"), first.version).uid == "import"
    assert {path.name for path in tmp_path.glob("*.yaml")} == {"import.yaml", "preview.yaml"}


@pytest.mark.parametrize(
    ("kind", "folder"),
    [("rules", "rules/kept"), ("checks", "health/checks"), ("slos", "slos"), ("dashboards", "dashboards")],
)
def test_what_stands_is_checked_under_the_uid_that_it_has(api, tmp_path, kind, folder):
    """Once one is kept under such a word, forms of it are right, and new ones of another such word still wrong."""
    listed, word, written = KINDS[kind]
    client = api()
    named, other = {"name": "Check", **written}, max(TAKEN[word] - {"check"})

    def check(**body):
        answer = client.post(f"/api/v1/{kind}/check", json=body).json()
        return [one["uid"] for one in answer[kind]], [problem["path"] for problem in answer["problems"]]

    assert check(**{word: named}) == ([f"check-{word}"], [])
    assert check(**{word: named | {"uid": "check"}}) == ([], ["uid"])

    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "check.yaml").write_text(json.dumps({listed.key: [named]}))
    assert check(**{word: named}) == (["check"], [])
    assert check(**{word: named | {"uid": "check"}}) == (["check"], [])
    assert check(yaml=json.dumps({listed.key: [named | {"uid": "check"}]})) == (["check"], [])
    assert check(**{word: named | {"uid": other}}) == ([], ["uid"])
    assert check(**{word: named | {"name": other}}) == ([f"{other}-{word}"], [])
