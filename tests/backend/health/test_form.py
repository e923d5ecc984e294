"""How checks are written: what is read, what is refused with which words, and where they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from spanglass_server.forms.errors import ConflictError, ElsewhereError
from spanglass_server.forms.files import MAX_FILES
from spanglass_server.health.book import Book
from spanglass_server.health.check import Check, Command, Dns, Heartbeat, Http, Redis, Sql, Tcp, Tls
from spanglass_server.health.cron import CronError, parse_cron
from spanglass_server.health.form.refusing import refused
from spanglass_server.health.form.spec import CHECKS
from spanglass_server.store.disk import DISK

SHORT = """
checks:
  - {name: Shop, http: https://shop.example.com/health}
  - {name: Queue, tcp: "queue.example.com:5672"}
  - {name: Certificate, tls: shop.example.com}
  - {name: Name, dns: shop.example.com}
  - {name: Nightly backup, heartbeat: 1d}
  - {name: Orders, sql: "postgresql://shop@db.example.com/orders"}
  - {name: Sessions, redis: "[2001:db8::1]"}
  - {name: Disks, command: [/usr/local/bin/disks, --all]}
"""
MINUTE, DAY = 60 * 10**9, 86_400 * 10**9


def test_each_kind_has_a_short_form():
    """The value by itself is the most important one; uids follow from names, ports from kinds."""
    read = CHECKS.read_yaml(SHORT)
    assert read.problems == ()
    checks = {check.uid: check.options for check, _ in read.found}
    assert checks == {
        "shop": Http(url="https://shop.example.com/health"),
        "queue": Tcp(address="queue.example.com:5672"),
        "certificate": Tls(address="shop.example.com:443"),
        "name": Dns(name="shop.example.com"),
        "nightly-backup": Heartbeat(every_ns=DAY),
        "orders": Sql(url="postgresql://shop@db.example.com/orders"),
        "sessions": Redis(address="[2001:db8::1]:6379"),
        "disks": Command(command=("/usr/local/bin/disks", "--all")),
    }
    assert [check.of_area for check, _ in read.found] == [
        *("api", "dependency", "dependency", "dependency", "task", "database", "cache", "component")
    ]


def test_what_is_written_is_read_again():
    """YAML and JSON of checks give the same checks; a secret that is a text is not shown."""
    long = """
name: Shop
uid: shop-2
http:
  url: https://shop.example.com/
  method: POST
  headers: {Accept: application/json, X-Key: {env: SHOP_KEY}}
  body: '{}'
  user: monitor
  password: {file: /run/secrets/shop}
  status: [2xx, 301-302, "404"]
  json: {data.items[0].state: up}
  slower_than: 500ms
interval: 10s
timeout: 2s
critical: false
area: service
component: Web shop
"""
    checks = [check for check, _ in (*CHECKS.read_yaml(SHORT).found, *CHECKS.read_yaml(long).found)]
    assert [check for check, _ in CHECKS.read_yaml(CHECKS.to_yaml(checks)).found] == checks
    assert [CHECKS.read_json(CHECKS.to_json(check)).found[0][0] for check in checks] == checks
    secret = CHECKS.read_yaml("{name: a, redis: {address: r:1, password: hunter2}}").found[0][0]
    assert "hunter2" not in repr(secret) + CHECKS.to_yaml([secret]) + str(CHECKS.to_json(secret))
    assert secret.redis.password.reveal() == "hunter2"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{name: a}", "1:1: it does not say what to look at; give one of http, tcp"),
        ("{name: a, http: 'https://h', tcp: 'h:1'}", "tcp: it has http and tcp; give one of http"),
        ("{http: 'https://h'}", "name is missing"),
        ("{name: a, http: 'ftp://h/'}", "http.url: 'ftp://h/' is no URL of https or http; write it like https://"),
        ("{name: a, http: 'https://u:secret@h/'}", "http.url: the URL holds a password; give it as password: {env"),
        ("{name: a, http: {url: 'https://h', statsu: 200}}", "unknown key 'statsu'; did you mean 'status'?"),
        ("{name: a, http: {url: 'https://h', status: 600}}", "http.status: '600' is not possible here; write 200"),
        ("{name: a, http: {url: 'https://h', body: x}}", "http.body: GET sends no body; say method: POST"),
        ("{name: a, http: {url: 'https://h', user: x}}", "http.user: password is missing; give both or none"),
        ("{name: a, tcp: h}", "tcp.address: 'h' is no address with a port; write host:port"),
        ("{name: a, tcp: 'h:70000'}", "tcp.address: 'h:70000' is no address with a port"),
        ("{name: a, tls: {address: h, warning: 1d}}", "tls.warning: critical is reached before warning"),
        ("{name: a, dns: {name: h, record: AAA}}", "dns.record: 'AAA' is not one of the choices; did you mean 'AAAA'?"),
        ("{name: a, heartbeat: {grace: 1m}}", "heartbeat: it does not say when a call is due; say every: 1h"),
        (
            "{name: a, tls: {address: h, ca_file: ca.pem}}",
            "tls.ca_file: 'ca.pem' is not possible here; give the absolute",
        ),
        ("{name: a, heartbeat: {cron: '61 * * * *'}}", "heartbeat.cron: minute: '61' is none from 0 to 59; such as"),
        ("{name: a, heartbeat: {cron: '0 0 31 2 *'}}", "heartbeat.cron: '0 0 31 2 *' never comes"),
        ("{name: a, http: 'https://ann@h/'}", "http.url: the URL holds a user; give it as user, with password"),
        ("{name: a, heartbeat: {cron: '@daily', time_zone: Mars}}", "there is no time zone 'Mars'; such as Europe"),
        ("{name: a, heartbeat: 1h, interval: 5s}", "interval: a heartbeat has no interval; say every or cron"),
        ("{name: a, command: ls -l}", "command.command: 'ls -l' is no path of a program; write its whole path"),
        ("{name: a, tcp: 'h:1', interval: 5s, timeout: 6s}", "timeout: timeout is longer than interval"),
        ("{name: a, redis: {address: r, password: {vault: x}}}", "redis.password: expected a secret; write {env"),
        ("checks: [{name: a, tcp: 'h:1'}, {name: A, tcp: 'h:2'}]", "two checks have the uid 'a', the first in line 1"),
        ("chekcs: []", "unknown key 'chekcs'"),
        ("- x", "expected checks; begin the file with `checks:`"),
        ("{name: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(text, problem):
    """Each mistake has its place, its key, and what to do."""
    read = CHECKS.read_yaml(text)
    assert problem in "\n".join(map(str, read.problems))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{name: a, command: /bin/true}", "of the kind command stand in the settings file alone"),
        ("{name: a, sql: 'mysql://h/d'}", "of the kind sql stand in the settings file alone"),
        ("{name: a, redis: {address: r, password: x}}", "with secrets stand in the settings file alone"),
        ("{name: a, http: {url: 'https://h', headers: {X-Key: {env: HOME}}}}", "with secrets stand"),
        ("{name: a, tls: {address: h, ca_file: /etc/shadow}}", "files of the server are named in the settings file"),
        ("{name: a, http: {url: 'https://h', headers: {X-Key: plain}}}", None),
    ],
)
def test_what_pages_may_not_keep(text, why):
    """Programs, logins, secrets and files of the server are the operator's to name."""
    problem = refused(CHECKS.read_yaml(text).found[0][0])
    assert (problem is None) if why is None else why in str(problem)


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        ("30 3 * * *", "UTC", "2026-01-31 03:30", "2026-02-01 03:30"),
        ("*/20 9-10 * * mon-fri", "UTC", "2026-11-27 10:40", "2026-11-30 09:00"),
        ("0 0 13 * fri", "UTC", "2026-02-01 00:00", "2026-02-06 00:00"),
        ("0 12 29 feb *", "UTC", "2026-01-01 00:00", "2028-02-29 12:00"),
        ("0 0 * * 7", "UTC", "2026-11-28 00:00", "2026-11-29 00:00"),
        ("5/25 * * * *", "UTC", "2026-01-01 00:00", "2026-01-01 00:05"),
        ("@monthly", "Europe/Berlin", "2026-06-15 00:00", "2026-06-30 22:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", "2026-03-29 01:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30"),
        ("0 0 31 2 *", "UTC", "2026-01-01 00:00", None),
    ],
)
def test_times_of_crontab(text, zone, after, expected):
    """Next and last time are those which cron means, in its zone, over months, leap years and changes of the clock."""

    def ns(moment):
        return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) * 10**9

    cron, found = parse_cron(text), ZoneInfo(zone)
    next_ns = 0 if expected is None else ns(expected)
    assert cron.next_ns(ns(after), found) == next_ns
    assert cron.last_ns(next_ns + 59 * 10**9, found) == next_ns
    assert cron.last_ns(next_ns - 1, found) <= ns(after)


@pytest.mark.parametrize(
    "text",
    [
        *("* * * *", "60 * * * *", "* * 0 * *", "*/0 * * * *", "5-1 * * * *", "x * * * *", ""),
        *(f"{'9' * 5000} * * * *", f"*/{'9' * 5000} * * * *"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_crontab(text):
    """Times that can't be are refused."""
    with pytest.raises(CronError):
        parse_cron(text)


def test_the_book_joins_both_sources(tmp_path):
    """The settings file counts first; what is kept has versions; a file that is broken or gone keeps what it held."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("monitoring:\n  checks:\n    - {name: Shop, tcp: 'shop:1'}\n")
    book = Book(settings, tmp_path / "checks", DISK, iter(range(1, 99)).__next__)
    first = Check(uid="mail", name="Mail", tcp=Tcp(address="mail:25"))
    kept = book.put(first, "")
    second = Check(uid="mail", name="Mail", tcp=Tcp(address="mail:587"))
    book.put(second, kept.version)
    assert [(found.uid, found.origin) for found in book.found().values()] == [("shop", "settings"), ("mail", "kept")]
    assert book.found() is book.found()
    assert [old.value for _, old in book.versions("mail")] == [first]
    with pytest.raises(ConflictError):
        book.put(first, kept.version)
    with pytest.raises(ElsewhereError):
        book.put(Check(uid="shop", name="Shop", tcp=Tcp(address="shop:2")), "")
    with pytest.raises(KeyError):
        book.delete("none", "")

    settings.write_text("monitoring:\n  checks:\n    - {name: Shop, tcp: 'shop'}\n")
    told = "'shop' is no address with a port; write host:port, or [2001:db8::1]:443"
    assert [str(problem) for problem in book.problems()] == [
        f"{settings}:3:25: monitoring.checks[0].tcp.address: {told}"
    ]
    assert book.found()["shop"].value.tcp == Tcp(address="shop:1")
    settings.write_text("monitoring:\n  checks:\n    - {name: Mail, tcp: 'm:1'}\n")
    assert [(found.uid, found.origin) for found in book.found().values()] == [("mail", "settings")]
    assert "the check 'mail' is hidden by the one in" in str(book.problems()[0])
    settings.rename(tmp_path / "moved.yaml")
    assert [(found.uid, found.origin) for found in book.found().values()] == [("mail", "settings")]
    assert "the file is gone; what it held stays" in str(book.problems()[0])

    (tmp_path / "checks" / "by-hand.yaml").write_text("{name: By hand, command: /bin/true}")
    assert "by-hand" not in book.found()
    assert any("settings file alone" in str(problem) for problem in book.problems())
    assert CHECKS.version_of(first) != CHECKS.version_of(second)


def test_all_that_is_kept_counts(tmp_path):
    """What is kept counts, however many files there are: more than a directory of somebody's files may hold."""
    kept = tmp_path / "checks"
    kept.mkdir()
    for number in range(MAX_FILES):
        (kept / f"a{number}.yaml").touch()
    book = Book(None, kept, DISK, iter(range(1, 99)).__next__)
    assert book.put(Check(uid="b", name="B", tcp=Tcp(address="mail:25")), "").uid == "b"
    assert (set(book.found()), list(book.problems())) == ({"b"}, [])
