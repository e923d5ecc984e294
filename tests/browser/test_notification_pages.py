"""The pages of notifications in a real browser: silences, routes, channels, deliveries, on call."""

from __future__ import annotations

import pytest
from made_up_alerts import alert
from test_accessibility import AXE, IMPACTS, OPEN_ALL, RUN

pytestmark = pytest.mark.browser

#: Scenario and path of pages in their states, in a wide light window and in a narrow dark one.
WIDE = (("shop", "/silences"), ("shop", "/routes?labels=team%3Dshop"), ("shop", "/channels/email/edit"))
NARROW = (("shop", "/on-call"), ("hostile", "/routes"), ("hostile", "/deliveries"))


@pytest.fixture
def notifications(serve):
    """Return the made-up notifications of the shop, unchanged at first."""
    found = serve("shop").api.notifications
    found.reset()
    yield found
    found.reset()
    found.alerts.reset()


def named(page):
    """Give the reader's name beforehand."""
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")


def test_a_silence_is_made_by_keyboard_and_shows_what_it_hides(open_page, notifications):
    """What is typed is answered at once, a mistake too; saved under the reader's name; ended and made longer later."""
    page = open_page("shop", "/silences/new?for=1h")
    named(page)
    page.locator("[name=matchers]").focus()
    page.keyboard.type("service")
    page.wait_for_selector("#bad.err >> text=is no condition")
    page.keyboard.type('="checkout", severity=~"crit.*|info"')
    page.wait_for_selector("#preview >> text=1 open alert")
    assert page.locator("#preview tbody tr").inner_text().startswith("Critical")
    assert "matchers=service" in page.url, "the address holds what is shown"
    page.locator("[name=comment]").press_sequentially("price list")
    page.keyboard.press("Enter")
    page.wait_for_url("**/silences")
    page.wait_for_selector("html[data-ready]")
    (method, path, body), *_ = notifications.changes
    assert (method, path, body["by"], body["comment"]) == ("POST", "silences", "Kim", "price list")
    assert body["matchers"] == 'service="checkout", severity=~"crit.*|info"'
    row = page.locator("tr[data-silence=s-1]")
    row.locator("[data-extend]").click()
    page.wait_for_selector("#said >> text=one hour more")
    row.locator("[data-expire]").press("Enter")
    page.wait_for_selector("#said >> text=has ended")
    assert [change[:2] for change in notifications.changes[1:]] == [("PUT", "silences/s-1"), ("DELETE", "silences/s-1")]


def test_what_if_shows_which_routes_take_an_alert(open_page, notifications):
    """The tree marks the routes, and beside it stand the channels; choosing an alert takes the place of labels."""
    assert notifications.changes == []
    page = open_page("shop", "/routes")
    page.locator("[name=labels]").press_sequentially("team=shop severity=critical")
    page.wait_for_selector("#who >> text=2 channels are told")
    hits = page.locator(".hit > .route-r").all_inner_texts()
    assert [text.split("\n")[1] for text in hits] == ['severity="critical"', 'team="shop"']
    assert page.locator("#who .who b").all_inner_texts() == ["pager", "slack"]
    assert 'team="db" does not hold: it is shop' in page.locator(".routes").inner_text()
    page.locator("[name=labels]").fill("team")
    page.wait_for_selector("#who .err >> text=name=value")
    page.locator("[name=alert]").select_option(index=1)
    page.wait_for_function("() => document.querySelector('#who').innerText.includes('told.')")
    assert page.locator("[name=labels]").input_value() == ""


def test_a_channel_is_tested_previewed_and_changed(open_page, notifications):
    """A refused test says why; a wrong field is marked; the secret that is kept is not sent as an empty one."""
    page = open_page("shop", "/channels/email", allow=("Failed to load resource",))
    named(page)
    page.locator("#channel-acts [data-test]").press("Enter")
    page.wait_for_selector("#said.err >> text=535 refused")
    page.goto(page.served.url + "/channels/email/edit")
    page.wait_for_selector("html[data-channel-form]")
    page.locator("#preview").click()
    page.wait_for_selector("#message >> text=[Critical]")
    page.locator("[name=smtp_server]").fill("mail.example")
    page.locator("[name=from]").fill("nobody")
    page.locator("#channel .btn.main").click()
    page.wait_for_selector("[name=smtp_server][aria-invalid]")
    assert page.locator("[aria-invalid]").count() == 2, "all that is wrong is marked"
    assert "Write host:port" in page.locator("#said").inner_text()
    assert page.evaluate("document.activeElement.name") == "smtp_server"
    page.locator("[name=from]").fill("alerts@example.com")
    page.locator("[name=smtp_server]").fill("mail.example:25")
    page.locator("[name='limit.messages']").fill("5")
    page.locator("[name=username]").fill("")
    page.keyboard.press("Enter")
    page.wait_for_url("**/channels/email")
    method, path, body = notifications.changes[-1]
    assert (method, path, body["by"], body["version"]) == ("PUT", "notifications/settings/channels/email", "Kim", "v1")
    assert body["value"] == {
        "smtp_server": "mail.example:25", "from": "alerts@example.com", "to": ["ops@example.com"], "type": "email",
        "password": {"kept": True}, "send_resolved": True, "limit": {"messages": 5},
    }  # fmt: skip


def test_what_is_written_as_yaml_is_checked_and_overrides_are_added(open_page, notifications):
    """A problem is told with its line, and stops saving; an override goes into the rota as it stands."""
    page = open_page("shop", "/on-call/rotas/shop/edit", allow=("Failed to load resource",))
    named(page)
    page.locator("[name=yaml]").fill("people: [ann]\n  bad: 1\n")
    page.wait_for_selector("#bad >> text=line 2:3")
    page.locator("#thing .btn.main").click()
    page.wait_for_selector("#said.err")
    page.locator("[name=yaml]").fill("people: [ann]\n")
    page.locator("#thing .btn.main").click()
    page.wait_for_url("**/on-call")
    page.wait_for_selector("html[data-on-call]")
    page.locator("#rota-shop summary").click()
    form = page.locator("[data-override=shop]")
    form.locator("[name=person]").select_option("bob")
    form.locator("[name=from]").fill("2026-12-24T09:00")
    form.locator("[name=to]").fill("2026-12-27T09:00")
    with page.expect_navigation():
        form.locator("button").click()
    override = {"person": "bob", "from": "2026-12-24T09:00", "to": "2026-12-27T09:00"}
    change = {"value": {"overrides": [override]}, "version": "v1", "by": "Kim"}
    assert notifications.changes[-1] == ("PUT", "notifications/settings/rotas/shop", change)


def test_one_that_was_given_up_is_sent_again(open_page, notifications):
    """A delivery tells each attempt, and waits again when somebody says so."""
    page = open_page("shop", "/deliveries?state=failed")
    named(page)
    page.locator(".deliveries td > a").first.click()
    page.wait_for_selector("html[data-deliveries]")
    assert page.locator(".attempts tbody tr").count() == 5
    page.locator("[data-retry]").press("Enter")
    page.wait_for_selector(".sub >> text=Waiting")
    assert [change[:2] for change in notifications.changes] == [("POST", "deliveries/n-000003/retry")]


def test_the_bell_tells_what_is_new_and_notifies_when_asked(open_page, notifications):
    """New alerts are counted until the bell is opened; each is one notification of the browser, once asked for."""
    alerts = notifications.alerts
    page = open_page("shop", "/silences")
    page.evaluate("""() => { window.shown = []; window.Notification = class extends EventTarget {
      static permission = "granted";
      static async requestPermission() { return "granted"; }
      constructor(title, { body }) { super(); window.shown.push(`${body}: ${title}`); }
    }; }""")
    page.locator("#bell summary").press("Enter")
    page.wait_for_selector("#bell-list >> text=Error rate of checkout")
    page.locator("#bell-ask").press("Enter")
    page.wait_for_selector("#bell-ask[aria-pressed=true]")
    page.keyboard.press("Escape")
    soon = alert(9, "Orders stand still", "warning", age_min=-(10**6))
    alerts.alerts[soon["id"]] = soon
    alerts.version += 1
    page.locator("#bell summary").press("Enter")
    page.wait_for_selector("#bell-list li.fresh >> text=Orders stand still")
    assert page.evaluate("shown") == ["Warning: Orders stand still"]
    assert page.locator("#bell summary").get_attribute("aria-label") == "Alerts: 5 open, 1 new"


def test_narrow_lists_wrap(open_page):
    """In a narrow window no inhibition, interval or escalation that runs is cut: its text goes on in the next line."""
    cut = "found => found.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
    for path, sections in (("/routes", ("Inhibitions", "Intervals")), ("/on-call", ("Running now",))):
        page = open_page("shop", path, width=390)
        for name in sections:
            texts = page.locator(f".sec:has(h2:text-is('{name}')) .list > li > *")
            assert texts.count(), name
            assert texts.evaluate_all(cut) == [], name


@pytest.mark.parametrize(("pages", "scheme", "width"), [(WIDE, "light", 1400), (NARROW, "dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, pages, scheme, width):
    """No page of notifications has a violation in any state, and what comes from outside stays text."""
    found = {}
    for scenario, path in pages:
        page = open_page(scenario, path, scheme=scheme, width=width, allow=("Failed to load resource",))
        page.evaluate(OPEN_ALL)
        page.evaluate(AXE)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        violations = page.evaluate(RUN, IMPACTS) + ([f"{wide} px too wide"] if wide > 0 else [])
        if page.evaluate("window.pwned") is not None:
            violations.append("hostile text was run")
        if violations:
            found[f"{scenario} {path}"] = violations
        open_page.close(page)
    assert found == {}
