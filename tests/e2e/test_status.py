"""What the server says about itself: what it turned away, and colours that stay."""

from __future__ import annotations

import time

from otlp_bodies import PROTOBUF, post, post_spans, spans

from spanglass_server.store.service_slots import service_slot

PATIENCE_S = 60  # only a failure waits so long
#: Three services whose names' hashes want the same colour.
RIVALS = [name for name in map("service-{}".format, range(100)) if service_slot(name) == 7][:3]


def until(condition):
    """Wait for what the server does by itself."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def status(server):
    return server.request("GET", "/api/v1/status").json()


def figures(server):
    """The lines of the server's own figures."""
    return server.request("GET", "/metrics").body.decode().splitlines()


def test_rejections_are_told(server):
    """A refused request and records left out are in the status, with sender and message, and on the page."""
    assert post(server, b"\xff", {**PROTOBUF, "User-Agent": "<b>old</b>"}).status == 400
    late = spans(range(3))
    late.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    assert post(server, late.SerializeToString()).status == 200

    left_out, refused = status(server)["rejections"]

    facts = ("signal", "transport", "reason", "records", "times", "retryable", "address")
    assert [left_out[fact] for fact in facts] == ["spans", "http", "partial", 1, 1, False, "127.0.0.1"]
    assert left_out["message"] == "1 rejected: trace_id must have 16 bytes"
    assert [refused[fact] for fact in facts] == ["spans", "http", "malformed", 0, 1, False, "127.0.0.1"]
    assert (refused["sender"], refused["time"]) == ("<b>old</b>", refused["first_time"])
    page = server.request("GET", "/server").body.decode()
    assert "&lt;b&gt;old&lt;/b&gt;" in page
    assert "Taking records, but 1 record left out and 1 request refused since the start." in page


def test_banner_on_a_full_disk(new_server):
    """A server whose disk has too little room says so on its pages."""
    server = new_server(storage__min_free_disk_bytes="900TiB")
    server.start(ready=False)
    until(lambda: status(server)["health"])  # it looks at its disk once a second
    for path in ("/services", "/server"):
        assert "No records are taken in: the disk has" in server.request("GET", path).body.decode(), path
    told = status(server)
    assert (told["ready"], told["disk"]["min_free_bytes"], told["retention"]["max_bytes"]) == (False, 900 << 40, 0)


def test_segments_that_cant_be_written_are_told(new_server):
    """Records are still taken in, but health, status, figures and the page say what is wrong, until it is over."""
    server = new_server(storage__flush_interval="1s")
    server.data.mkdir()
    (server.data / "segments").write_text("in the way")
    server.start()
    post_spans(server, range(10))
    until(lambda: server.request("GET", "/healthz").status == 503)
    told, page = status(server), server.request("GET", "/server").body.decode()
    # not in the moment in which it is tried again, and therefore being written
    until(lambda: 'spanglass_generations{state="failed"} 1' in figures(server))
    problems = [line for line in figures(server) if line.startswith("spanglass_problems")]
    browsed = server.request("GET", "/metrics", headers={"Accept": "text/html"}).body.decode()
    ready = server.request("GET", "/readyz").status
    (server.data / "segments").unlink()
    until(lambda: server.request("GET", "/healthz").status == 200)

    reason = "segments can't be written (Not a directory); 1 generation waits in the journal, to be tried again"
    assert (told["ready"], told["health"], ready) == (True, reason, 200)
    assert "Taking records, but something is wrong with the server." in page
    assert reason.replace("'", "&#39;") in page
    assert "<h1>Metrics</h1>" in browsed  # a browser gets the page of stored metrics, not the figures
    assert problems == ["spanglass_problems 1"]
    until(lambda: status(server)["storage"]["rows"]["spans"] == 10)
    assert status(server)["health"] is None


def slots(server):
    return {row["service"]: row["slot"] for row in server.request("GET", "/api/v1/services").json()["services"]}


def test_colours_outlast_a_restart(server):
    """Services whose names want one colour have three, and the same ones after a restart, also in other answers."""
    post_spans(server, range(1))
    for number, name in enumerate(RIVALS[:2]):
        post(server, spans(range(10 * number + 10, 10 * number + 12), name).SerializeToString())
    before = slots(server)
    server.stop()
    server.start()
    post(server, spans(range(50, 60), RIVALS[2]).SerializeToString())
    after = slots(server)
    facet = server.request("GET", "/api/v1/facets?keys=service.name").json()["facets"][0]

    assert before == {name: after[name] for name in before}
    assert len({after[name] for name in RIVALS}) == 3
    assert {value["value"]: value["slot"] for value in facet["values"]} == after
