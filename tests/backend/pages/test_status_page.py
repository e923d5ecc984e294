"""The status page that anybody may see, its file and its badges: what they tell, and what they must not."""

from __future__ import annotations

import asyncio
import html
import re
import xml.etree.ElementTree as ET

import httpx
import pytest
from starlette.applications import Starlette

from spanglass_core.settings_types import Secret
from spanglass_server.access.auth import ReadersOnly, TokenCheck
from spanglass_server.access.browsers import BrowserGuard
from spanglass_server.health.model import Change, Component, Status, component_subject
from spanglass_server.health.uptime import by_step
from spanglass_server.pages.health import looks
from spanglass_server.pages.health.badge import badge
from spanglass_server.pages.health.public import StatusPage, is_public, public_routes

DAY_NS = 86_400 * 10**9
NOW_NS = 20_413 * DAY_NS + DAY_NS // 2  # noon of 21 November 2025
INSIDE = "postgresql://shop@10.0.0.7/orders refused"
UP, DOWN, SLOW, UNKNOWN = Status.HEALTHY, Status.UNHEALTHY, Status.DEGRADED, Status.UNKNOWN


class Desk:
    """Components with their changes; counts how often it is asked."""

    def __init__(self, *components, changes=()):
        self.asked = 0
        self._components = components
        self._changes = {uid: tuple(mine) for uid, mine in changes}

    def components(self):
        """Give the components."""
        self.asked += 1
        return self._components

    def uptime_by_step(self, subject, start_ns, step_ns, steps):
        """Walk over the changes as the real one does."""
        made = [
            Change(subject=subject, time_ns=time_ns, status=status, previous=UNKNOWN, detail=INSIDE)
            for uid, mine in self._changes.items() if component_subject(uid) == subject for time_ns, status in mine
        ]  # fmt: skip
        return by_step(made, UNKNOWN, start_ns, step_ns, steps, NOW_NS)


def component(uid, name, status, **more):
    """Make a component, public unless it is said."""
    return Component(uid=uid, name=name, area="api", status=status, reason=INSIDE, **{"public": True, **more})


@pytest.fixture
def desk():
    """A shop that was down over a midnight ten days ago and is impaired now, and what nobody outside may see."""
    midnight = NOW_NS // DAY_NS * DAY_NS - 10 * DAY_NS
    return Desk(
        component("shop", "Shop <b>", SLOW), component("search", "Search", UP),
        component("orders", "Orders database", DOWN, public=False),
        changes=[("shop", [(midnight - 19 * DAY_NS, UP), (midnight - 3600 * 10**9, DOWN),
                           (midnight + 1800 * 10**9, UP), (NOW_NS - 60 * 10**9, SLOW)])],
    )  # fmt: skip


def get(desk, path, now_ns=NOW_NS):
    """Ask for a path without a token, from a page of another site, which may show badges."""

    async def ask():
        app = Starlette(routes=public_routes(desk, StatusPage("Shop & Co", "1"), lambda: now_ns))
        guarded = BrowserGuard(ReadersOnly(app, TokenCheck(Secret("token")), is_public), None, is_public)
        elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://here") as client:
            return [await client.get(path, headers=elsewhere) for _ in range(2)][-1]

    return asyncio.run(ask())


def test_the_status_page_tells_of_what_is_public_and_nothing_else(desk):
    """Status, days and outages of public components; one over midnight is one; reasons and addresses stay inside."""
    answer = get(desk, "/status")
    text = html.unescape(" ".join(re.sub("<title>.*?</title>|<[^>]*>", " ", answer.text).split(" ")).strip())
    text = re.sub(r"[ \n]+", " ", text)
    assert "Shop & Co Some of it is impaired" in text
    assert "Shop <b> Impaired 90 days ago 99.78\u202f% today Search Works 90 days ago \u2013 today" in text
    assert text.endswith("Outages Shop <b> 10 Nov 23:00 UTC, for 1\u202fh 30\u202fmin")
    assert not [word for word in ("Orders", "postgresql", "10.0.0.7", "<script") if word in answer.text]
    assert answer.headers["cache-control"] == "public, max-age=30"
    assert answer.text.count('class="none"') == 90 + 90 - 30
    assert desk.asked == 1  # the second question within seconds cost nothing


def test_the_status_page_is_a_file_that_stands_alone(desk):
    """Saved, it needs nothing of the server: no link, no script, its styles are in it."""
    answer = get(desk, "/status.html")
    assert answer.headers["content-disposition"] == 'attachment; filename="status.html"'
    assert not re.search(r"(?:src|href)=\"(?!#)", answer.text)
    assert "--ink:" in answer.text
    assert get(desk, "/status.json").json()["components"][0] == {
        "component": "shop", "name": "Shop <b>", "status": "degraded",
        "uptime_90d": pytest.approx(1 - 1.5 / (29.5 * 24)),
    }  # fmt: skip


def test_badges_are_pictures_of_public_components(desk):
    """They say the status, or the uptime, and are SVG whatever the name; others have none."""
    for path, says in (
        ("/status/badge.svg", "Shop & Co: impaired"),
        ("/status/shop/badge.svg", "Shop <b>: impaired"),
        ("/status/shop/badge.svg?uptime", "Shop <b>: 99.78"),
    ):
        answer = get(desk, path)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert ET.fromstring(answer.text).get("aria-label").startswith(says)  # noqa: S314 - our own
    assert get(desk, "/status/orders/badge.svg").status_code == 404
    assert [get(desk, path).status_code for path in ("/status/x", "/statusx", "/")] == [404, 403, 403]
    wide = [int(ET.fromstring(badge(name, "works", "healthy")).get("width")) for name in ("i", "iiii", "WWWW")]  # noqa: S314
    assert wide == sorted(set(wide))


@pytest.mark.parametrize(
    ("components", "title"),
    [
        ([], "How things are is not known"),
        ([component("a", "A", UP), component("b", "B", UP)], "Everything works"),
        ([component("a", "A", UP), component("b", "B", DOWN, critical=False)], "Some of it is impaired"),
        ([component("a", "A", SLOW), component("b", "B", DOWN)], "Some of it is down"),
        ([component("a", "A", UP), component("b", "B", DOWN, public=False)], "Everything works"),
    ],
)
def test_the_whole_is_as_the_worst_of_its_public_parts(components, title):
    """What is not critical impairs it at most, and what is not public does not count."""
    assert f">{title}</h1>" in get(Desk(*components), "/status").text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "\u2013"),
        (1.0, "100 %"),
        (0.999999, "99.999 %"),
        (0.99951, "99.951 %"),
        (0.98765, "98.76 %"),
        (0.0, "0.00 %"),
    ],
)  # fmt: skip
def test_an_uptime_is_never_rounded_up(share, text):
    """A month with an outage does not read as one without."""
    assert looks.uptime(share) == text.replace(" ", "\u202f")
