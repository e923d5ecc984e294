"""The pictures in the README, taken of a demo that runs: `PYTHONPATH=demo python demo/take_pictures.py`.

A shop is started with its own server, left alone for a while, and broken by one fault after the other. What is shown
is what was measured then. Needs Playwright and a Chromium (`apt install chromium-headless-shell`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from shop.faults import FAULTS
from shop.supervisor import Options, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTHY_S = 100.0
FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")
LARGEST_BYTES = 120_000
PATIENCE_MS = 120_000
WIDTH = 1200
STAIRS = next(fault for fault in FAULTS if fault.name == "sequential_calls")


@dataclass(frozen=True)
class Picture:
    """One picture: its file, what leads to its page, how high it is, in pixels; and which fault is on, for how long."""

    name: str
    go: Callable[[Any, str], None]
    height: int
    fault: str
    broken_s: float


def overview(page: Any, url: str) -> None:
    """What is wrong, and the figures."""
    page.goto(f"{url}/")


def trace(page: Any, url: str) -> None:
    """The newest trace of the demo's own filter."""
    page.goto(f"{url}/traces?{urlencode({'filter': STAIRS.filter_text})}")
    page.locator("main a[href^='/traces/']").first.click()


def differences(page: Any, url: str) -> None:
    """What the slow requests have that others do not, three clicks from the overview."""
    page.goto(f"{url}/?last=5m")
    page.locator("main").get_by_role("link", name="checkout", exact=True).first.click()
    page.get_by_role("link", name="POST /orders", exact=True).first.click()
    page.get_by_role("link", name="What is different about the slow ones").click()
    page.wait_for_selector("#differences")


PICTURES = (
    Picture("overview.png", overview, 680, "payment_failure", 45.0),
    Picture("trace.png", trace, 640, STAIRS.name, 80.0),
    Picture("differences.png", differences, 960, "tenant_release", 200.0),
)


def main() -> int:
    """Start the demo, break it, take the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description="Take the README's pictures of a demo.")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="folder (%(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second (%(default)s)")
    names = [picture.name for picture in PICTURES]
    parser.add_argument("--only", action="append", choices=names, help="this picture; may be repeated")
    asked = parser.parse_args()
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        print("There is no Chromium: apt install chromium-headless-shell", file=sys.stderr)
        return 1
    asked.out.mkdir(parents=True, exist_ok=True)

    def wanted(picture: Picture) -> bool:
        return picture.name in (asked.only or names)

    with tempfile.TemporaryDirectory() as folder:
        options = Options(Path(folder), 0, 0, 0, asked.rate, "", send_to=None, surprise=False)
        supervisor = Supervisor(options, _say)
        try:
            supervisor.start()
            time.sleep(HEALTHY_S)
            return sum(take(path, supervisor, picture, asked.out) for picture in PICTURES if wanted(picture))
        finally:
            supervisor.stop()


def take(path: str, supervisor: Supervisor, picture: Picture, out: Path) -> int:
    """Break the shop and take a picture; returns 1 when it is too large for a README."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # the demo itself does without

    _turn(supervisor.shop_url, picture.fault, on=True)
    time.sleep(picture.broken_s)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        context = browser.new_context(color_scheme="light", locale="en-GB", timezone_id="Europe/Berlin")
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.set_viewport_size({"width": WIDTH, "height": picture.height})
        picture.go(page, supervisor.server_url)
        page.wait_for_selector("html[data-ready]")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=out / picture.name)
        where = page.url.removeprefix(supervisor.server_url)
        browser.close()
    _turn(supervisor.shop_url, picture.fault, on=False)
    size = (out / picture.name).stat().st_size
    _say(f"{out / picture.name}: {size} bytes, {where}")
    return size > LARGEST_BYTES


def _turn(shop_url: str, fault: str, *, on: bool) -> None:
    httpx.put(f"{shop_url}/api/faults/{fault}", json={"on": on}, timeout=60).raise_for_status()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
