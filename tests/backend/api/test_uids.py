"""Uids beside words in addresses: no page and no route is hidden by a thing that has its name."""

from __future__ import annotations

import pytest
from test_all_routes import ROUTES

from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.forms.kept import Form, KeptFiles
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
    """Each word that stands where a uid or a name does, in pages and API, is one that can't be chosen."""
    paths = [path.split("/") for path in (*(route.path for route in ROUTES), *(path for path, _ in PAGES))]
    stems = {tuple(path[: path.index(part)]) for path in paths for part in PLACES.intersection(path)}
    named = [stem for stem in stems if stem[-1] in {*KINDS, "channels"}]
    words = {path[len(stem)] for stem in named for path in paths if tuple(path[: len(stem)]) == stem != tuple(path)}

    assert {word for word in words if not word.startswith("{")} == TAKEN


@pytest.mark.parametrize("kind", KINDS)
def test_such_a_uid_is_refused_and_does_not_follow_from_a_name(kind):
    """It is refused by its field, with another one; a name that is such a word makes a uid that is none."""
    listed, word, written = KINDS[kind]
    for taken in TAKEN:
        (problem,) = listed.read_json({"name": "A", "uid": taken, **written}).problems
        assert problem.path == "uid"
        assert problem.message.startswith(f"{taken!r} can't be a uid")
        assert f"such as {taken}-{word}" in problem.hint
    (named,) = listed.read_json({"name": "New", **written}).values
    assert named.uid == f"new-{word}"
    assert "uid" not in listed.to_json(named, full=False)
    assert listed.read_yaml(listed.to_yaml([named])).values == (named,)


def test_what_is_kept_in_files_has_no_such_name(tmp_path):
    """Channels and their like, whose names are files' names, are refused as well."""
    with pytest.raises(ValueError, match="'new' can't be a uid: pages and API have that word"):
        KeptFiles(tmp_path, Disk(), lambda: 0, Form("channel", None, None)).put("new", "", None)
