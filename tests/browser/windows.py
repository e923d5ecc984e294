"""Windows of a browser, used again: a page in one that is there takes a third of the time of one in a new window."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Error

#: The reader's zone is known after the first page, which a window without this cookie loads twice.
KEPT_COOKIE = "spanglass_zone"
EMPTY = "() => { localStorage.clear(); sessionStorage.clear(); }"
#: What these set stays with the window when its page is gone.
LASTING = ("on", "once", "add_init_script", "expose_function", "expose_binding")


class Windows:
    """Opens pages, each in a window of its own, and watches them: ``page.troubles`` is what must not happen."""

    def __init__(self, browser):
        self._browser = browser
        self._idle = []

    def open(self, served, path, *, width=1440, height=900, scheme="light", script=True, allow=(), own=False):
        """Open a path; ``own`` asks for a new window, as for a first visit."""
        if script and not own and self._idle:
            page = self._idle.pop()
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme, reduced_motion="null", forced_colors="null", media="null")
        else:
            page = self._new(width, height, scheme, script=script)
        page.served, page.allowed, page.troubles = served, allow, []
        page.goto(served.url + path)
        if script:
            page.wait_for_selector("html[data-ready]")
        return page

    def close(self, page):
        """Keep the window of a page for another one, if all that the page has left behind can be taken away."""
        assert page.troubles == []
        if page.is_new_only or not self._emptied(page):
            page.context.close()
        else:
            self._idle.append(page)

    def _new(self, width, height, scheme, *, script):
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=script,
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        page = context.new_page()
        page.set_default_timeout(60_000)  # ms; only a failure waits so long, a busy machine must not fail
        page.is_new_only = not script
        _watch(page)
        for name in LASTING:
            setattr(page, name, _noting(page, getattr(page, name)))
        return page

    def _emptied(self, page):
        with suppress(Error):  # it is closed, or shows something that is no page
            page.allowed = ("",)
            page.unroute_all(behavior="ignoreErrors")
            for other in page.context.pages:
                if other is not page:
                    other.close()
            page.evaluate(EMPTY)
            page.goto("about:blank")
            page.mouse.move(-1, -1)
            page.context.clear_cookies(name=re.compile(f"^(?!{KEPT_COOKIE}$)"))
            page.context.clear_permissions()
            return True
        return False


def _watch(page):
    """Note what goes wrong unseen."""

    def said(message):
        if message.type in {"error", "warning"} and not any(text in message.text for text in page.allowed):
            page.troubles.append(f"console {message.type}: {message.text}")

    def asked(request):
        if not request.url.startswith((page.served.url, "data:", "about:blank")):
            page.troubles.append(f"request to {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: page.troubles.append(f"error: {error}"))
    page.on("request", asked)


def _noting(page, method):
    def noted(*args, **options):
        page.is_new_only = True
        return method(*args, **options)

    return noted
