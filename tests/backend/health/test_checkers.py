"""What each kind of check says of targets on real sockets."""

from __future__ import annotations

import asyncio
import socket
import time

import psutil
import pytest
from targets import answer_http, certificate, greet, hang, name_server, serving

from spanglass_server.egress.egress import Egress
from spanglass_server.egress.policy import Policy
from spanglass_server.health.checkers.certificates import CertificateError, valid_until
from spanglass_server.health.checkers.running import run_check
from spanglass_server.health.form.spec import CHECKS
from spanglass_server.health.running.trust import way_of

TRUSTED = Egress(Policy.of(["127.0.0.1", "localhost"]))


def check(**given):
    """Make a check of what is written."""
    read = CHECKS.read_json({"name": "a", **given})
    assert not read.problems, read.problems
    return read.found[0][0]


async def said(egress=TRUSTED, timeout_s=60.0, **given):
    """Run a check once: its status and detail. What answers has long enough, also on a busy machine."""
    run = await run_check(check(**given), egress, int(timeout_s * 1e9), 7)
    assert run.started_ns == 7
    return str(run.status), run.detail


HTTP = [
    ({}, "/ok", ("healthy", "status 200")),
    ({}, "/broken", ("unhealthy", "it answers with status 503, not 2xx")),
    ({"status": ["200", "500-599"]}, "/broken", ("healthy", "status 503")),
    ({}, "/moved", ("healthy", "status 200")),
    ({"follow_redirects": False}, "/moved", ("unhealthy", "it answers with status 302, not 2xx")),
    ({"redirects_to": "/ok"}, "/moved", ("healthy", "status 302")),
    ({"redirects_to": "/no"}, "/moved", ("unhealthy", "it redirects to http://127.0.0.1:PORT/ok, not to /no")),
    ({}, "/loop", ("unhealthy", "it answers with status 302, not 2xx")),
    ({"contains": "well"}, "/ok", ("healthy", "status 200")),
    ({"contains": "ill"}, "/ok", ("unhealthy", "the answer does not hold 'ill'")),
    ({"lacks": "well"}, "/ok", ("unhealthy", "the answer holds 'well'")),
    ({"json": {"status": "up", "$.parts[0].load": "0.5", "on": "true"}}, "/json", ("healthy", "status 200")),
    ({"json": {"parts[1].name": "db"}}, "/json", ("unhealthy", "parts[1].name is missing, not db")),
    ({"json": {"status": "up"}}, "/ok", ("unhealthy", "the answer is not JSON")),
    ({"slower_than": "1ns"}, "/ok", ("degraded", "it took ")),
    (
        {"user": "ann", "password": "x", "contains": "Basic YW5uOng="},
        "/login",
        ("healthy", "status 200"),
    ),
]


def test_http():
    """Status, redirects, texts, JSON and latency are looked at; the answer's reason is in words."""

    async def ask():
        async with serving(answer_http) as port:
            found = await asyncio.gather(
                *(said(http={"url": f"http://127.0.0.1:{port}{path}", **more}) for more, path, _ in HTTP)
            )
            return port, found

    port, found = asyncio.run(ask())
    for (more, path, (status, detail)), (got_status, got_detail) in zip(HTTP, found, strict=True):
        assert (got_status, got_detail.startswith(detail.replace("PORT", str(port)))) == (status, True), (more, path)


def test_what_pages_may_not_reach():
    """A check that was made in pages goes to no address of this machine; one of the settings file to those it names."""

    async def ask():
        async with serving(answer_http) as port:
            url = f"http://127.0.0.1:{port}/ok"
            mine = check(http=url)
            trusted = way_of(mine, Egress(), trusted=True)
            return (
                await said(Egress(), http=url),
                await said(trusted, http=url),
                await said(trusted, tcp=f"127.0.0.2:{port}"),
                [(await said(Egress(), **{kind: f"127.0.0.1:{port}"}))[1] for kind in ("tcp", "tls", "redis")],
            )

    refused, trusted, other, kinds = asyncio.run(ask())
    assert refused[0] == "unhealthy"
    assert "127.0.0.1 is a loopback address, to which nothing is sent" in refused[1]
    assert trusted == ("healthy", "status 200")
    assert "127.0.0.2 is a loopback address" in other[1]
    assert all("is a loopback address" in detail for detail in kinds)


def test_tcp_and_names():
    """A connection, a talk, names and what they stand for; what refuses, hangs or says something else is told of."""

    async def ask():
        async with serving(greet) as mail, serving(hang) as silent, name_server() as names:
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                nowhere = closed.getsockname()[1]
                server = f"127.0.0.1:{names}"
                return await asyncio.gather(
                    said(tcp=f"127.0.0.1:{mail}"),
                    said(tcp={"address": f"127.0.0.1:{mail}", "send": "EHLO\r\n", "expect": "you said EHLO"}),
                    said(tcp={"address": f"127.0.0.1:{silent}", "expect": "220"}, timeout_s=0.2),
                    said(tcp=f"127.0.0.1:{nowhere}"),
                    said(dns={"name": "shop.test", "server": server, "expect": ["192.0.2.2"]}),
                    said(dns={"name": "shop.test", "server": server, "expect": ["192.0.2.9"]}),
                    said(dns={"name": "other.test", "server": server}),
                    said(dns={"name": "shop.test", "server": f"127.0.0.1:{nowhere}"}, timeout_s=0.3),
                    said(tcp="a..b:80"),
                )

    found = asyncio.run(ask())
    assert found[:3] == [
        ("healthy", "connected"),
        ("healthy", "connected"),
        ("unhealthy", "no answer within 0.2 s"),
    ]
    assert found[3][0] == "unhealthy"
    assert "connection refused" in found[3][1].lower()
    assert found[4:7] == [
        ("healthy", "192.0.2.1, 192.0.2.2"),
        ("unhealthy", "192.0.2.9 is not among the answers: 192.0.2.1, 192.0.2.2"),
        ("unhealthy", "there is no name other.test"),
    ]
    assert [status for status, _ in found[7:]] == ["unhealthy"] * 2
    assert found[8][1] == "a..b:80 can't be reached: its name is not known"


def test_certificates(tmp_path):
    """A certificate is verified, and told of before it ends, also where nothing is verified."""

    async def ask():
        long, long_server = certificate(tmp_path, "long", 100)
        short, short_server = certificate(tmp_path, "short", 5)
        async with serving(hang, ssl=long_server) as one, serving(hang, ssl=short_server) as two, serving(greet) as no:
            first, second = f"127.0.0.1:{one}", f"127.0.0.1:{two}"
            return await asyncio.gather(
                said(tls={"address": first, "ca_file": str(long)}),
                said(tls={"address": first, "ca_file": str(long), "warning": "200d", "critical": "7d"}),
                said(tls={"address": second, "ca_file": str(short)}),
                said(tls={"address": first, "verify": False}),
                said(tls={"address": first}),
                said(tls={"address": first, "ca_file": str(long), "server_name": "shop.example.com"}),
                said(tls=f"127.0.0.1:{no}"),
                said(http={"url": f"https://127.0.0.1:{one}/"}),
                said(tls={"address": first, "ca_file": str(tmp_path / "none.pem")}),
            )

    found = asyncio.run(ask())
    assert [status for status, _ in found] == ["healthy", "degraded", "unhealthy", "healthy", *["unhealthy"] * 5]
    texts = [detail for _, detail in found]
    assert "in 100.0 days" in texts[0] or "in 99.9 days" in texts[0]
    assert ("in 5.0 days" in texts[2] or "in 4.9 days" in texts[2], texts[3] == texts[0]) == (True, True)
    assert texts[4].startswith("its certificate is not accepted: self")
    assert texts[5].startswith("its certificate is not accepted: Hostname mismatch")
    assert texts[6].startswith("TLS failed")
    assert "certificate" in texts[7]
    assert texts[8] == f"{tmp_path / 'none.pem'}: No such file or directory"


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x00", b"\x30\x84\xff\xff\xff\xff", b"no certificate"])
def test_what_is_no_certificate(der):
    """Bytes that are none are refused, whatever they are."""
    with pytest.raises(CertificateError):
        valid_until(der)


def test_commands(tmp_path):
    """The exit code decides, the first line of output is the detail; nothing outlives the timeout, no child either."""
    child = tmp_path / "child"
    script = f"sleep 600 & echo $! > {child}; echo hangs; sleep 60"

    def shell(text, **more):
        return {"command": ["/bin/sh", "-c", text], **more}

    async def ask():
        began = time.monotonic()
        found = await asyncio.gather(
            said(command=shell("echo; echo fine; echo more")),
            said(command=shell("echo bad >&2; exit 2", degraded=[1])),
            said(command=shell("exit 1", degraded=[1])),
            said(command=shell("echo $SECRET $SPANGLASS_X", environment={"SECRET": {"env": "HOME"}})),
            said(command=shell(script), timeout_s=2),
            said(command="/no/such/program"),
            said(command=shell("yes | head -c 1000000; kill -9 $$")),
            said(command=shell("true", environment={"A": {"env": "NOT_SET_ANYWHERE"}})),
        )
        return found, time.monotonic() - began

    found, took_s = asyncio.run(ask())
    assert found[:3] == [("healthy", "fine"), ("unhealthy", "exit code 2: bad"), ("degraded", "exit code 1")]
    assert found[3][0] == "healthy"
    assert found[4] == ("unhealthy", "no answer within 2 s")
    assert found[5] == ("unhealthy", "/no/such/program: No such file or directory")
    assert found[6] == ("unhealthy", "ended by signal 9: y")
    assert found[7][1].startswith("the variable NOT_SET_ANYWHERE is not set in the server's environment")
    assert took_s < 55
    end = time.monotonic() + 30
    while not has_ended(int(child.read_text())):
        assert time.monotonic() < end
        time.sleep(0.01)


def has_ended(pid):
    """Whether a process is gone, or only its code has not been fetched."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_redis_and_postgresql(shared_redis, postgres):
    """Real servers: a ping, a role, a login that fails, a query with what it has to give."""
    database = f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres"
    cache = f"127.0.0.1:{shared_redis.port}"

    async def ask():
        async with serving(greet) as other:
            return await asyncio.gather(
                said(redis=cache),
                said(redis={"address": cache, "role": "slave"}),
                said(redis={"address": cache, "password": "wrong"}),
                said(redis=f"127.0.0.1:{other}"),
                said(sql=database),
                said(sql={"url": database, "query": "SELECT 2 + 2", "expect": "4", "password": "hunter2"}),
                said(sql={"url": database, "query": "SELECT 1 WHERE false", "expect": "1"}),
                said(sql={"url": database, "query": "SELECT * FROM none"}),
                said(sql={"url": f"{database}_none"}),
                said(sql={"url": database, "query": "SELECT pg_sleep(60)"}, timeout_s=0.3),
                said(sql="mysql://root@127.0.0.1/shop"),
            )

    found = asyncio.run(ask())
    assert found[0] == ("healthy", "PONG")
    assert found[1] == ("unhealthy", "its role is master, not slave")
    assert found[2][1].startswith("it answers: ERR AUTH")
    assert found[3] == ("unhealthy", "it does not answer as Redis does")
    assert found[4:6] == [("healthy", "the query was answered")] * 2
    assert found[6] == ("unhealthy", "the query gives no row, not '1'")
    assert 'relation "none" does not exist' in found[7][1]
    assert 'database "postgres_none" does not exist' in found[8][1]
    assert found[9] == ("unhealthy", "no answer within 0.3 s")
    assert "there is no driver for mysql: pip install aiomysql" in found[10][1]
