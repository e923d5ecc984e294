"""Saved views over the API: shared and one's own, pinned, opened first, within limits."""

from __future__ import annotations

import pytest

from spanglass_server.pages.rendering.templates import JUMPS
from spanglass_server.pages.routes import PAGES
from spanglass_server.saved.answers import seen_views
from spanglass_server.saved.model import EXPLORERS, MOST_IN_NAVIGATION, MOST_VIEWS, SavedError, TakenError, View
from spanglass_server.saved.store.store import SavedStore

SLOW = {"name": "Slow checkouts", "url": "/traces?filter=duration%20%3E%201s", "owner": "Ada"}

#: What can't be saved, and the field that is at fault.
WRONG = [
    ({"name": " "}, "name"),
    ({"name": "x" * 81}, "name"),
    ({"name": "two\nlines"}, "name"),
    ({"owner": ""}, "owner"),
    ({"url": "https://elsewhere.example/traces"}, "url"),
    ({"url": "//elsewhere.example/traces"}, "url"),
    ({"url": "/%2Felsewhere.example"}, "url"),
    ({"url": "/\\elsewhere.example"}, "url"),
    ({"url": '/traces?filter="<script>'}, "url"),
    ({"url": "/api/v1/traces"}, "url"),
    ({"url": "/traces?filter=" + "x" * 8000}, "url"),
    ({"shared": "yes"}, "shared"),
    ({"colour": "red"}, "colour"),
]


@pytest.fixture
def client(api, saved_store):
    """Serve the API without a view."""
    assert saved_store.views.all() == ()
    return api()


def save(client, **fields):
    """Save a view."""
    answer = client.post("/api/v1/views", json=SLOW | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_views_are_shared_or_ones_own(client):
    """A reader sees the shared views and their own; a change can give one away, and what is deleted is gone."""
    mine = save(client)
    save(client, name="Failing", owner="Ines", shared=True, url="/issues?last=24h", pinned=True)
    save(client, name="Hers", owner="Ines")

    seen = client.get("/api/v1/views?owner=Ada").json()["views"]
    assert [(one["name"], one["page"], one["shared"], one["pinned"]) for one in seen] == [
        ("Failing", "/issues", True, True),
        ("Slow checkouts", "/traces", False, False),
    ]
    assert [one["name"] for one in client.get("/api/v1/views").json()["views"]] == ["Failing"]
    assert [one["name"] for one in client.get("/api/v1/views?owner=Ines&page=/traces").json()["views"]] == ["Hers"]

    changed = client.patch(f"/api/v1/views/{mine['id']}", json={"shared": True, "name": "Slow"}).json()
    assert changed == mine | {"shared": True, "name": "Slow", "changed_time": changed["changed_time"]}
    assert client.delete(f"/api/v1/views/{mine['id']}").json() == {"deleted": mine["id"]}
    assert client.delete(f"/api/v1/views/{mine['id']}").status_code == 404


def test_a_page_has_one_default(client):
    """Among the shared views, and among those of each owner, one at most is what the navigation opens of a page."""
    first = save(client, default=True)
    others = [
        save(client, name="Everybody's", shared=True, default=True),
        save(client, name="Hers", owner="Ines", default=True),
        save(client, name="Logs", url="/logs", default=True),
    ]
    save(client, name="Another", default=True)

    seen = {
        one["id"]: one["default"]
        for owner in ("Ada", "Ines")
        for one in client.get(f"/api/v1/views?owner={owner}").json()["views"]
    }
    assert not seen[first["id"]]
    assert all(seen[one["id"]] for one in others)


def test_what_is_wrong_is_named(client):
    """What can't be saved is refused with the field and what to do, and nothing is kept."""
    for fields, field in WRONG:
        answer = client.post("/api/v1/views", json=SLOW | fields)

        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), fields
        assert answer.json()["error"]["hint"]
    assert client.get("/api/v1/views?owner=Ada").json()["views"] == []


def test_a_name_is_there_once(client):
    """A second view of a name is a conflict, on saving and on changing, but not another owner's."""
    save(client)
    other = save(client, name="Other")
    save(client, owner="Ines")

    for answer in (
        client.post("/api/v1/views", json=SLOW),
        client.patch(f"/api/v1/views/{other['id']}", json={"name": SLOW["name"]}),
    ):
        assert (answer.status_code, answer.json()["error"]["field"]) == (409, "name")


def test_views_are_bounded_and_outlive_a_restart(tmp_path):
    """So many are kept, so many stand in the navigation; they are there when the file is opened again."""
    store = SavedStore(tmp_path / "saved.sqlite")
    with store.views._file.write() as connection:  # one transaction: hundreds of synced ones would take seconds
        connection.executemany(
            "INSERT INTO views (name, url, page, owner, shared, pinned, is_default, created_ns, changed_ns) "
            "VALUES (?, '/logs', '/logs', 'Ada', 0, ?, 0, 1, 1)",
            [(str(number), number < MOST_IN_NAVIGATION) for number in range(MOST_VIEWS - 1)],
        )
    with pytest.raises(SavedError, match="in the navigation"):
        store.views.save(View("more", "/logs", "Ada", pinned=True), 1)
    store.views.save(View("last", "/logs", "Ada"), 1)
    with pytest.raises(SavedError, match="are kept already"):
        store.views.save(View("too many", "/logs", "Ada"), 1)
    with pytest.raises(TakenError):
        store.views.change(1, {"name": "last"}, 1)
    store.close()

    again = SavedStore(tmp_path / "saved.sqlite")
    assert len(again.views.seen_by("Ada")) == MOST_VIEWS
    again.close()


def test_nobodys_navigation_gets_too_full(tmp_path):
    """A shared view counts for every reader: with those of the one who has most; what stays where it is may change."""
    store = SavedStore(tmp_path / "saved.sqlite")
    with store.views._file.write() as connection:
        connection.executemany(
            "INSERT INTO views (name, url, page, owner, shared, pinned, is_default, created_ns, changed_ns) "
            "VALUES (?, '/logs', '/logs', ?, ?, 1, 0, 1, 1)",
            [("all", "Ada", 1), *((str(number), "Ines", 0) for number in range(MOST_IN_NAVIGATION - 1))],
        )
    mine = store.views.save(View("mine", "/logs", "Ada", pinned=True), 1)
    for refused in ({"shared": True}, {"owner": "Ines"}):
        with pytest.raises(SavedError, match="in the navigation of"):
            store.views.change(mine, refused, 1)
    with pytest.raises(SavedError, match="in the navigation of a reader"):
        store.views.save(View("more", "/logs", "Ada", shared=True, pinned=True), 1)
    with store.views._file.write() as connection:  # as an earlier version could leave it
        connection.execute("UPDATE views SET shared = 1 WHERE id = ?", (mine,))
    store.views.change(mine, {"name": "ours"}, 1)
    assert store.views.one(mine).view.name == "ours"
    store.close()


def test_views_are_taken_apart_once(tmp_path):
    """Every page asks for them: what they are as JSON is made again only after a change."""
    store = SavedStore(tmp_path / "saved.sqlite")
    store.views.save(View("mine", "/logs", "Ada"), 1)
    seen = seen_views(store.views)
    assert seen("Ada")[0] is seen("Ada")[0]
    assert seen("Ines") == []
    store.views.change(1, {"name": "ours", "shared": True}, 1)
    assert [one["name"] for one in seen("Ines")] == ["ours"]
    store.close()


def test_what_can_be_saved_are_pages():
    """Each of the explorers is a page, and so is each that g and a letter go to, by a letter of its own."""
    pages = {path for path, _ in PAGES}

    assert set(EXPLORERS) <= pages
    assert {path for _, path, _ in JUMPS} <= pages
    assert len({letter for letter, _, _ in JUMPS}) == len(JUMPS)
