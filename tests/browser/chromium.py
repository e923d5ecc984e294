"""A Chromium without a window, for tests of pages."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

# the first is seven times lighter: 0.2 s of a core for a window, 1.3 s for one of the whole browser
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


@contextmanager
def launched():
    """Yield a browser; without one the test is skipped, unless everything is required."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing = pytest.fail if os.environ.get("SPANGLASS_REQUIRE_ALL") == "1" else pytest.skip
        missing(f"none of {', '.join(NAMES)} is on PATH: on Debian and Ubuntu, apt install {NAMES[0]}")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - starts a driver; only tests that need it pay

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()
