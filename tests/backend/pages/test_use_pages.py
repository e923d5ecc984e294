"""The pages of users and of background tasks over stored records: what they say, and where they lead."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, quote, urlsplit

from in_process import read
from metric_tables import SECOND, T0
from task_records import CONSUMER, celery, rq, span
from use_records import MINUTE, NOW_NS, record, request

EVIL = 'a/b?"<i>&'


def shop():
    """Make records of two users and a session without a user."""
    spans = [
        request("ann", 50 * MINUTE, name="POST /pay", failed=True),
        request(EVIL, 20 * MINUTE, session="s/1"),
        request(None, 10 * MINUTE, session="s2"),
    ]
    return {"spans": spans, "logs": [record("ann", 49 * MINUTE, event="paid"), record("ann", 5 * MINUTE, event="paid")]}


def links_of(source, path):
    """All parameters of the links to a page."""
    found = re.findall(rf'href="({path}\?[^"]+)"', source)
    return [pair for href in found for pair in parse_qsl(urlsplit(unescape(href)).query)]


def test_users_and_what_they_use(open_tables):
    """Figures, features, paths, users and sessions, each with a way on that finds the same."""
    session = open_tables(**shop())
    status, text, source = read(session, "/users?last=1h", NOW_NS)
    assert status == 200
    assert text.startswith("Users and use 2 users 4 sessions, 1 of nobody known")
    assert "Active, 1 day 2 7 days 2 30 days 2 In this range 2 Sessions 4" in text
    assert "paid 2 1" in text
    assert "POST /pay shop 1 1 1 10 ms" in text  # its service in words, not in colour alone
    assert "No user's id" not in text
    assert "<i>&" not in source
    hrefs = set(map(unescape, re.findall(r'href="(/(?:users|sessions)/[^"]+)"', source)))
    unnamed = max(href for href in hrefs if href.startswith("/users/ann?start="))
    status, text, _ = read(session, unnamed, NOW_NS)
    assert (status, text.count("event paid")) == (200, 1)
    assert len(hrefs) == 6  # two users, two sessions with an id, two without
    pay = ("filter", 'service.name = "shop" and name = "POST /pay" and kind = server')
    assert pay in links_of(source, "/traces")
    status, text, _ = read(session, "/users?last=1h&text=zed&sort=errors", NOW_NS)
    assert "No user's id has “zed” in it." in text


def test_the_course_of_somebody(open_tables):
    """A user's page says what they did, newest first, and errors alone; a session's page whose it is."""
    session = open_tables(**shop())
    status, text, source = read(session, "/users/ann?last=1h", NOW_NS)
    assert status == 200
    assert text.startswith("Users / ann Traces Logs Issues")
    assert "Sessions 2 Requests 1 Failed 1 Events 2" in text
    assert re.search(r"event paid .*event paid .*failed POST /pay", text)
    assert "event paid" not in read(session, "/users/ann?last=1h&only=errors", NOW_NS)[1]
    own = '(user.id = "ann" or enduser.id = "ann" or user.email = "ann" or user.name = "ann")'
    assert own in [value for name, value in links_of(source, "/logs") if name == "filter"]
    status, text, source = read(session, "/sessions/s%2F1?last=1h", NOW_NS)
    assert (status, text.startswith(f"Users / session s/1 {EVIL} Traces")) == (200, True)
    assert 'href="/users/a%2Fb%3F%22%3Ci%3E%26?last=1h"' in source


def test_users_that_cannot_be_shown(open_tables):
    """An empty range says how users come to be known; a broken filter is told at its field; nobody is nobody."""
    session = open_tables(**shop())
    assert "No user in this time range" in read(open_tables(), "/users", NOW_NS)[1]
    status, text, _ = read(session, "/users?filter=(", NOW_NS)
    assert (status, "the end of the filter" in text) == (400, True)
    assert "Nothing that matches is of a user" in read(session, "/users?filter=name:nothing", NOW_NS)[1]
    assert "Nothing of this user in this time range" in read(session, "/users/nobody", NOW_NS)[1]


TASKS = f"start={T0}&end={T0 + 600}"
TASKS_NOW_NS = (T0 + 600) * SECOND


def test_tasks_and_queues(open_tables):
    """Tasks of spans and of metrics with how they do, queues with what waits, and ways to their traces."""
    mails = [each for place in range(10) for each in celery(60 * place, 2, failed=place > 7)]
    session = open_tables(spans=mails, metrics=rq())
    status, text, source = read(session, f"/tasks?{TASKS}", TASKS_NOW_NS)
    assert status == 200
    assert text.startswith("Background tasks 2 tasks 2 queues")
    assert "Runs 18 Failed 4 22.2 % Running now 3 Waiting in queues 5" in text
    assert re.search(r"shop.mail worker mails celery .* 20.0 % 2 s 100 ms 100 ms . slowest failing", text)
    assert re.search(r"jobs.report rq-worker low rq .* 25.0 % .* 3 metrics only", text)
    assert re.search(r"low rq 5 9 . .* mails celery . . ", text)
    own = 'service.name = "worker" and name = "run/shop.mail"'
    filters = [value for name, value in links_of(source, "/traces") if name == "filter"]
    assert {own, f"{own} and status = error"} < set(filters)
    text = read(session, f"/tasks?{TASKS}&queue=low&sort=failed", TASKS_NOW_NS)[1]
    assert "jobs.report" in text
    assert "shop.mail" not in text


def test_tasks_that_cannot_be_shown(open_tables):
    """An empty range says where tasks come from; hostile names stay text; nothing matches is said."""
    hostile = {"span.messaging.destination.name:str": EVIL, "name": EVIL}
    session = open_tables(spans=[span(CONSUMER, EVIL, 10, **hostile)])
    status, text, source = read(session, f"/tasks?{TASKS}", TASKS_NOW_NS)
    assert (status, f"{EVIL} {EVIL} {EVIL}" in text) == (200, True)
    assert "<i>&" not in source
    assert "No background task in this time range" in read(open_tables(), "/tasks", NOW_NS)[1]
    assert "No task matches" in read(session, f"/tasks?{TASKS}&filter=name:none", TASKS_NOW_NS)[1]
    assert read(session, "/tasks?filter=(", NOW_NS)[0] == 400


def test_a_users_page_leads_back_to_the_same_user(open_tables):
    """A name with what addresses are made of stays itself in links with another range, in its form, and as a view."""
    session = open_tables(**shop())
    for user in ("a%2Fb", EVIL, "50%", "ü"):
        path = f"/users/{quote(user, safe='')}"
        status, text, source = read(session, f"{path}?last=1h", NOW_NS)
        assert status == 200
        assert text.startswith(f"Users / {' '.join(user.split())}"), text[:80]
        links = {unescape(href) for href in re.findall(r'href="(/users/[^"]*last=15m[^"]*)"', source)}
        assert links
        assert {urlsplit(href).path for href in links} == {path}
        assert unescape(source).count(f'name="back" value="{path}"') == 1
