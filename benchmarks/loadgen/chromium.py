"""What a page costs in a headless Chromium: until it is drawn, and how smoothly it scrolls."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
#: Scrolls by a part of the page in each frame, there and back as often as it takes; gives the time of each frame.
_SCROLL = """([frames, step]) => new Promise((done) => {
  const took = []; let [before, way] = [performance.now(), 1];
  const frame = () => {
    const now = performance.now(); took.push(now - before); before = now;
    if (took.length > frames) return done(took.slice(1));
    const last = document.documentElement.scrollHeight - innerHeight;
    if (scrollY + way * step > last || scrollY + way * step < 0) way = -way;
    scrollBy({ top: way * step, behavior: "instant" });
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser without a window."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        raise SystemExit(f"none of {', '.join(_NAMES)} is on PATH: on Debian and Ubuntu, apt install {_NAMES[0]}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


def opened(browser: Browser, url: str, drawn: str) -> tuple[Page, float]:
    """Open a page whose reader's time zone is known; returns it, and the seconds until ``drawn`` was in it."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    context.add_cookies([{"name": "spanglass_zone", "value": "UTC", "url": url}])
    page = context.new_page()
    page.set_default_timeout(120_000)
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("html[data-ready]").wait_for()
    page.locator(drawn).first.wait_for()
    return page, time.perf_counter() - begun


def scrolled(page: Page, *, frames: int = 180, step: int = 200) -> dict[str, Any]:
    """Scroll by ``step`` pixels in each frame; returns frames a second, the slowest one, and elements of the page."""
    took_ms = page.evaluate(_SCROLL, [frames, step])
    return {
        "frames_per_s": 1000 * len(took_ms) / sum(took_ms),
        "slowest_ms": max(took_ms),
        "elements": page.evaluate("document.getElementsByTagName('*').length"),
    }
