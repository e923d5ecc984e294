"""Links in messages: signed, for a time, once, and nothing happens by looking at them."""

from __future__ import annotations

import asyncio
import html
import re
import stat
from dataclasses import replace

import httpx
import pytest
from made_for_messages import MINUTE_NS, NOW_NS, alert, notification, resolved
from starlette.applications import Starlette

from spanglass_core.alerting.severity import Severity
from spanglass_core.settings_types import WEB_ADDRESS, Secret
from spanglass_server.access.auth import ReadersOnly, TokenCheck
from spanglass_server.access.browsers import BrowserGuard
from spanglass_server.alerting.desk import Desk
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.notifications.links.address import ServerAddress
from spanglass_server.notifications.links.desk import Around, LinkError, Links
from spanglass_server.notifications.links.key import link_key
from spanglass_server.notifications.links.tokens import LinkAction, read, sign
from spanglass_server.notifications.model import Reason, Silence
from spanglass_server.notifications.store.in_memory import MemoryNotificationStore
from spanglass_server.notifications.subjects import subject_of
from spanglass_server.pages.rendering.links import link_routes
from spanglass_server.store.disk import DISK

KEY = bytes(range(32))
DAY_NS = 24 * 60 * MINUTE_NS


class Here:
    """A server with two alerts of which one message was sent, and its pages as browsers reach them."""

    def __init__(self, *alerts):
        self.now_ns = NOW_NS
        self.alerts, self.store, self.silences = MemoryAlertStore(), MemoryNotificationStore(), []
        for one in alerts:
            self.alerts.create(one, Entry(one.created_ns, "fired", "rule"))
        self.sent = notification(*alerts)
        self.store.enqueue([self.sent])
        desk = Desk(None, self.alerts, None, None, lambda: self.now_ns, lambda: "")
        self.links = Links(
            Around(
                key=KEY, store=self.store, alerts=desk, silence=self._silence,
                labels=lambda one: subject_of(one).labels, base_url=lambda: "https://spanglass.example",
                clock_ns=lambda: self.now_ns, lifetime_ns=3 * DAY_NS,
            )
        )  # fmt: skip

    def _silence(self, new, by):
        made = Silence(id="s-1", matchers=new.matchers, starts_ns=self.now_ns, ends_ns=new.ends_ns, created_by=by,
                       comment=new.comment, updated_ns=self.now_ns)  # fmt: skip
        self.silences.append(made)
        return made

    @property
    def urls(self):
        """The addresses of the message's links by their labels, without the server's name."""
        made = self.links.actions(self.sent, self.sent.alerts)
        return {one.label: one.url.removeprefix("https://spanglass.example") for one in made}

    def ask(self, method, url, **form):
        """Ask as a browser on another site's page does that opens a link, or as our own page sends its form."""
        app = Starlette(routes=link_routes(self.links, "1", lambda: self.now_ns))
        guarded = BrowserGuard(ReadersOnly(app, TokenCheck(Secret("secret"))), None)
        site = "cross-site" if method == "GET" else "same-origin"
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}

        async def run():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="https://here") as client:
                return await client.request(method, url, headers=headers, data=form or None)

        return asyncio.run(run())


@pytest.fixture
def here():
    """A message about two alerts that fire."""
    return Here(alert(1, severity=Severity.WARNING), alert(2, severity=Severity.INFO, fingerprint="f-2"))


def text_of(answer):
    """The text of a page."""
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub("<[^>]*>", " ", main).split()))


def test_a_link_acknowledges_once_and_only_by_its_button(here):
    """Opening the page, as scanners of mail do, changes nothing; its button does, by name; then the link is used."""
    url = here.urls["Acknowledge"]
    for _ in range(2):
        page = here.ask("GET", url)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert page.headers["referrer-policy"] == "no-referrer"
    assert text_of(page).startswith("Acknowledge these alerts? Warning High error rate: checkout active")
    assert {str(here.alerts.alert(f"a-{n}").status) for n in (1, 2)} == {"active"}
    large = here.ask("POST", url, name="x" * 5_000)
    assert (large.status_code, "Go back, write a shorter name" in text_of(large)) == (413, True)
    assert {str(here.alerts.alert(f"a-{n}").status) for n in (1, 2)} == {"active"}
    done = here.ask("POST", url, name=" Ines \n B\x1b\0 ")
    assert done.status_code == 200
    assert "Acknowledged Warning High error rate: checkout acknowledged by Ines B" in text_of(done)
    entry = here.alerts.history("a-2")[-1]
    assert (entry.kind, entry.by, entry.text) == (
        "acknowledged", "Ines B", "by a link in a message over the channel ops",
    )  # fmt: skip
    assert here.alerts.alert("a-1").acknowledged_by == "Ines B"
    again = here.ask("POST", url)
    assert (again.status_code, text_of(again)[:18]) == (410, "This link was used")


def test_a_link_is_not_spent_where_nothing_could_be_kept(here, monkeypatch):
    """Where an acknowledgement can't be written, the same link acknowledges once the disk can be used again."""
    token = here.urls["Acknowledge"].removeprefix("/n/")
    change = here.alerts.change_status

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(here.alerts, "change_status", full)
    with pytest.raises(OSError, match="No space left"):
        here.links.use(token, "Ines", 0)
    monkeypatch.setattr(here.alerts, "change_status", change)
    assert here.links.use(token, "Ines", 0).changed == 2
    with pytest.raises(LinkError, match="used"):
        here.links.use(token, "Ines", 0)


def test_nothing_is_offered_where_nothing_is_left_to_acknowledge():
    """Once the alert is over the page says so and leads to it, without a button that would do nothing."""
    here = Here(resolved())
    token = sign(KEY, LinkAction.ACKNOWLEDGE, here.sent.id, here.now_ns // 1_000_000_000 + 60)
    page = here.ask("GET", f"/n/{token}")
    assert text_of(page).startswith("Nothing is left to acknowledge")
    assert "Open the alert" in text_of(page)
    assert "<form" not in page.text


def test_a_link_silences_what_the_message_was_about(here):
    """For the chosen time, by the labels that the alerts share, up to their severity: worse ones are told."""
    url = here.urls["Silence"]
    assert 'service_name="checkout" severity=~"info|warning"' in text_of(here.ask("GET", url))
    more = {f"field{number}": "x" for number in range(20)}  # whoever sends them: it does what our page would
    here.ask("POST", here.urls["Acknowledge"], **more)
    assert here.alerts.alert("a-1").acknowledged_by == "somebody"
    here.ask("POST", url, duration="4h", name="Kim")
    (made,) = here.silences
    assert made.ends_ns - NOW_NS == 240 * MINUTE_NS
    assert [f"{one.name}{one.operator}{one.value}" for one in made.matchers] == [
        "alertname=High error rate", "rule=high-error-rate", "service=checkout", "service_name=checkout",
        "severity=~info|warning",
    ]  # fmt: skip
    assert made.created_by == "Kim"


@pytest.mark.parametrize("what", ["expired", "gone", "cut", "altered", "longer", "purged"])
def test_a_link_that_does_nothing_says_why(here, what):
    """It has ended, its alerts or its message are gone, or it was not made by this server; nothing is changed."""
    url = here.urls["Acknowledge"]
    if what == "expired":
        here.now_ns += 3 * DAY_NS
    elif what == "gone":
        for number in (1, 2):
            here.alerts.delete(f"a-{number}")
    elif what == "purged":
        here.store = here.links._around.store.__class__()
        here.links = Links(replace(here.links._around, store=here.store))
    else:
        url = {"cut": url[:-3], "altered": url.replace("/n/A", "/n/B"), "longer": f"{url}/more"}[what]
    status, title = (404, "This link is not complete") if what in {"cut", "altered", "longer"} else (410, "")
    for method in ("GET", "POST"):
        page = here.ask(method, url)
        assert page.status_code == status
        assert text_of(page).startswith(title)
        assert "Open the alerts" in text_of(page)
    kept = [] if what == "gone" else [here.alerts.alert("a-1"), here.alerts.alert("a-2")]
    assert {str(one.status) for one in kept} <= {"active"}


def test_no_byte_of_a_token_can_be_changed():
    """Only what the key has signed is read, byte for byte; another key reads nothing."""
    token = sign(KEY, LinkAction.SILENCE, "5e0f", 1_763_811_240)
    found = read(KEY, token)
    assert (found.action, found.notification_id, found.expires_s) == ("silence", "5e0f", 1_763_811_240)
    assert read(KEY[::-1], token) is None
    for place in range(len(token)):
        for letter in "A_.=\u00e9":
            changed = token[:place] + letter + token[place + 1 :]
            assert read(KEY, changed) is None or changed == token
    assert [read(KEY, text) for text in ("", ".", "x", "." * 500, token + "A", token + "=")] == [None] * 6


def test_only_messages_about_open_alerts_have_links(here):
    """Nothing can be done about what is over, a test, or nothing; what shares no label can't be silenced at once."""
    labels = {"Acknowledge", "Silence"}
    acknowledged = replace(alert(), status="acknowledged")
    one = replace(alert(1), rule_uid="", rule_name="", key=(), labels={"a": "1"}, title="one")
    other = replace(alert(2), rule_uid="", rule_name="", key=(), labels={"a": "2"}, title="two")
    cases = [
        (notification(alert()), labels), (notification(resolved()), set()), (notification(), set()),
        (notification(alert(), reason=Reason.TEST), set()), (notification(acknowledged), {"Silence"}),
        (notification(one, other), {"Acknowledge"}),
    ]  # fmt: skip
    assert [{made.label for made in here.links.actions(sent, sent.alerts)} for sent, _ in cases] == [
        wanted for _, wanted in cases
    ]


def test_the_key_is_made_once_for_this_user_only(tmp_path):
    """It stays the same over restarts, nobody else can read it, and a damaged one is named."""
    key = link_key(tmp_path, DISK)
    assert (len(key), link_key(tmp_path, DISK)) == (32, key)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"short")
    with pytest.raises(OSError, match=r"link\.key is damaged: delete it"):
        link_key(tmp_path, DISK)


def test_links_begin_with_the_address_that_people_open():
    """It is the setting, or else the host and the port that is listened on; a setting that is no address is refused."""
    address = ServerAddress("", "127.0.0.1", 0)
    address.listens(4318)
    assert address.url() == "http://127.0.0.1:4318"
    assert re.fullmatch(r"http://[^:/]+:4318", ServerAddress("", "0.0.0.0", 4318).url())  # noqa: S104 - any address
    assert ServerAddress("", "::1", 4318).url() == "http://[::1]:4318"
    assert ServerAddress(WEB_ADDRESS.parse("https://spanglass.example/"), "x", 1).url() == "https://spanglass.example"
    for wrong in ("spanglass.example", "ftp://x", "https://x/path", "https://", "https://x:port", "https://u:p@x"):
        with pytest.raises(ValueError, match="expected an address such as"):
            WEB_ADDRESS.parse(wrong)
