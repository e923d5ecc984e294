"""The whole path of an error in the demo: from the switch to an issue that is resolved, comes back, and is merged."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from running import Shop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from running import Demo

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("demo")]

PATIENCE_MS = 120_000  # only a failure waits so long


class Desk:
    """Somebody before the pages of a running demo."""

    def __init__(self, shop: Shop, url: str, page: Any) -> None:
        self.shop, self._url, self.page = shop, url, page

    def go(self, path: str) -> None:
        """Open a page, and wait until its script has begun."""
        self.page.goto(self._url + path)
        self.page.wait_for_selector("html[data-ready]")

    def ask(self, path: str) -> dict[str, Any]:
        """Ask the API."""
        answer = httpx.get(f"{self._url}/api/v1{path}", timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def issues(self, service: str) -> list[dict[str, Any]]:
        """List all issues of a service in the last hour."""
        return self.ask(f"/issues?last=1h&state=all&service={service}")["issues"]

    def events(self, issue: str) -> int:
        """Count the events of an issue."""
        return self.ask(f"/issues/{issue}?last=1h")["events"]

    def fail_to_pay(self, issue: str = "", times: int = 1) -> None:
        """Order until so many charges more have failed, and are counted in the issue."""
        before = self.events(issue) if issue else 0

        def failed() -> bool:
            self.shop.order()
            counted = self.events(issue) if issue else sum(one["events"] for one in self.issues("payment"))
            return counted >= before + times

        wait_until(failed)

    def state(self, issue: str) -> str:
        """Read the state that the issue's page says."""
        self.go(f"/issues/{issue}")
        return " ".join(self.page.locator(".sub").inner_text().split())

    def press(self, locator: Any) -> None:
        """Press a button that changes something, and wait for the page that shows it."""
        with self.page.expect_navigation(timeout=PATIENCE_MS):
            locator.click()
        self.page.wait_for_selector("html[data-ready]")


@contextmanager
def open_desk(demo: Demo, data: Path, browser: Any, *arguments: str) -> Iterator[Desk]:
    """Run the demo without customers, with somebody before its pages."""
    process, said = demo.start(data, "--port", "0", "--grpc-port", "0", "--rate", "0", *arguments)
    try:
        (url,) = re.findall(r"https?://\S+", said)
        (port,) = re.findall(r"port (\d+) of this machine", said)
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script("localStorage.setItem('spanglass.name', 'Ines')")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            yield Desk(Shop(client, None), url, page)
        context.close()
    finally:
        demo.stop(process)


def test_an_error_from_the_switch_to_the_merge(demo: Demo, browser: Any, tmp_path: Path) -> None:
    """Found in the list, read with its stack and trace, resolved in the next release, and reopened by that alone."""
    with open_desk(demo, tmp_path, browser) as desk:
        desk.shop.turn("payment_failure", on=True)
        desk.fail_to_pay()
        [issue] = [one["id"] for one in desk.issues("payment")]
        desk.go("/issues?last=1h")
        desk.page.locator(f"tr[data-issue={issue}] a").first.click()
        desk.page.wait_for_url(f"**/issues/{issue}**")
        assert "ProviderTimeout" in desk.page.locator("h1").inner_text()
        assert desk.page.locator("#stack .frame.app b").first.inner_text() == "charge"
        desk.page.locator("a[href*='/traces/']").first.click()
        desk.page.wait_for_url("**/traces/**")
        desk.page.locator("a[href*='/issues/']").first.click()
        desk.page.wait_for_url("**/issues/**")

        desk.go(f"/issues/{issue}")
        desk.page.locator("#acts summary[aria-label='Resolve in a release']").click()
        desk.press(desk.page.locator("#acts").get_by_role("button", name="In the next release"))
        desk.fail_to_pay(issue)
        assert "Resolved" in desk.state(issue)

    with open_desk(demo, tmp_path, browser, "--release", "9.0.0") as desk:
        desk.shop.turn("payment_failure", on=True)
        desk.fail_to_pay(issue)
        wait_until(lambda: "Regressed in 9.0.0" in desk.state(issue))
        desk.go("/releases?service=payment&last=1h")
        assert "9.0.0" in desk.page.locator("main").inner_text()

        desk.go(f"/issues/{issue}")
        desk.page.locator("#acts summary", has_text="Ignore").click()
        form = desk.page.locator("#acts form", has_text="more events")
        form.locator("input").fill("2")
        desk.press(form.get_by_role("button"))
        assert "Ignored until 2 more events" in desk.state(issue)
        desk.fail_to_pay(issue, 2)
        wait_until(lambda: "Ignored" not in desk.state(issue))

        desk.shop.turn("product_failure", on=True)
        desk.shop.turn("log_errors", on=True)

        def both() -> bool:
            desk.shop.client.get("/api/products")
            desk.shop.client.get("/api/products/p-13")
            return len(desk.issues("catalog")) == 2

        wait_until(both)
        ids = {one["id"] for one in desk.issues("catalog")}
        desk.go("/issues?last=1h&service=catalog")
        for one in ids:
            desk.page.locator(f"tr[data-issue={one}] input").check()
        desk.press(desk.page.locator("#merge"))
        assert len(desk.issues("catalog")) == 1
        desk.press(desk.page.locator("#said").get_by_role("button", name="Undo"))
        assert {one["id"] for one in desk.issues("catalog")} == ids
