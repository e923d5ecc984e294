"""How often applications are asked to collect metrics: over the API, kept, and told with answers to exports."""

from __future__ import annotations

import pytest

from spanglass_server.api.routes.collection import collection_routes
from spanglass_server.store.collection import FILE_NAME, MOST_ENTRIES, CollectionError, CollectionIntervals
from spanglass_server.store.disk import DISK

PATH = "/api/monitoring/collectors/"


@pytest.fixture
def kept(tmp_path):
    """Open the intervals of an empty directory."""
    return CollectionIntervals(tmp_path, DISK)


@pytest.fixture
def client(kept, serve_api):
    """Serve the routes."""
    return serve_api(None, routes=collection_routes(kept))


def test_an_interval_is_put_listed_and_deleted(client, kept):
    """For all services and for one; the header has both, the file survives a restart."""
    assert client.put(f"{PATH}host/", json={"interval": "60s"}).json() == {
        "collector": "host",
        "service": None,
        "interval": "1m",
    }
    client.put(f"{PATH}process/?service=shop", json={"interval": "90s"})
    assert kept.header == "host=1m, shop:process=90s"
    assert [each["service"] for each in client.get(PATH).json()["intervals"]] == [None, "shop"]
    assert CollectionIntervals(kept._path.parent, DISK).entries() == kept.entries()
    assert client.delete(f"{PATH}host/").json()["intervals"] == [
        {"collector": "process", "service": "shop", "interval": "90s"}
    ]
    assert client.delete(f"{PATH}host/").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("weather/", {"interval": "60s"}, "collector"),
        ("host/", {"interval": "often"}, "interval"),
        ("host/", {"interval": "10ms"}, "interval"),
        ("host/", {"interval": 60}, "interval"),
        ("host/", {}, "interval"),
        ("host/?service=a,b", {"interval": "60s"}, "service"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(client, kept, path, body, field):
    """Nothing is kept, and the error names what is wrong."""
    answer = client.put(PATH + path, json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert kept.entries() == []


def test_the_header_cannot_grow_without_end(kept):
    """There is a most of intervals; one that is there can still be changed."""
    for number in range(MOST_ENTRIES):
        kept.put("host", f"s{number}", "30s")
    with pytest.raises(CollectionError, match="delete some"):
        kept.put("host", "one-more", "30s")
    kept.put("host", "s0", "40s")


def test_a_file_that_cannot_be_read_asks_for_nothing(tmp_path, caplog):
    """The server starts, says so, and tells applications nothing."""
    (tmp_path / FILE_NAME).write_text("{")
    assert CollectionIntervals(tmp_path, DISK).header == ""
    assert "collection.json" in caplog.text
