"""A trace as one file: scripts put together, and what a browser makes of the file without a server."""

from __future__ import annotations

import re

import pytest
from fake_api import TRACE_ID

from spanglass_server.pages.trace_views import file
from spanglass_server.pages.trace_views.bundle import bundle

pytestmark = pytest.mark.browser


def opened(browser, tmp_path, served, path=f"/traces/{TRACE_ID}/file", **context):
    """Download the file of a trace and open it from disk, with no network; its troubles are noted."""
    answer = served.fetch(path)
    assert answer.headers["content-disposition"] == f'attachment; filename="trace-{TRACE_ID}.html"'
    (tmp_path / "trace.html").write_bytes(answer.content)
    page = browser.new_context(offline=True, **context).new_page()
    page.set_default_timeout(60_000)
    page.troubles = []
    page.on("console", lambda message: page.troubles.append(message.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("request", lambda request: page.troubles.append(request.url) if "trace.html" not in request.url else None)
    page.goto((tmp_path / "trace.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    return page


def test_a_file_works_without_a_server(browser, serve, tmp_path):
    """Spans are chosen, folded and found, details, statement and log records are in it; nothing is asked of anybody.

    A call of a model costs what the server's own prices say.
    """
    page = opened(browser, tmp_path, serve("talk"))
    assert '"cost":{"amount":0.003176,"currency":"USD"}' in (tmp_path / "trace.html").read_text()
    page.keyboard.press("j")
    page.locator("#detail h2", has_text="Statement").wait_for()
    assert "LEFT JOIN order_line" in page.locator("#detail pre").inner_text()
    page.keyboard.press("f")
    page.keyboard.type("answers")
    page.keyboard.press("Enter")
    page.locator("#detail h2.title", has_text="send answers").wait_for()
    page.locator(".main .log-r summary").first.click()
    page.locator(".main .log-r[open] dl").first.wait_for()
    assert page.locator(".only:visible").count() == 0
    assert page.troubles == []
    page.context.close()


def test_hostile_telemetry_stays_text_in_a_file(browser, serve, tmp_path):
    """Markup in names, attributes and logs is shown, never run, and the file's policy would not let it."""
    page = opened(browser, tmp_path, serve("hostile"), viewport={"width": 390, "height": 800}, color_scheme="dark")
    assert page.locator("#detail").inner_text().count("onerror=") > 1
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    html = (tmp_path / "trace.html").read_text()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1].replace("&#39;", "'")
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; base-uri 'none'", policy
    )
    assert page.troubles == []
    page.context.close()


def test_a_large_trace_has_no_details_in_its_file(browser, serve, tmp_path, monkeypatch):
    """Of too many spans the waterfall is there, and the page says what is not."""
    monkeypatch.setattr(file, "MOST_SPANS", 3)
    page = opened(browser, tmp_path, serve("talk"))
    assert "too many spans for a file" in page.locator("section.flow").inner_text()
    page.keyboard.press("j")
    page.locator("#detail .err", has_text="this file does not hold them").wait_for()
    assert page.locator(".wf-r").count() == 4
    page.context.close()


def test_modules_become_one_script():
    """Imports of names, of all and under other names become variables, each module once, after those that it needs."""
    files = {
        "main.js": b'import { a, b as c } from "./x/a.js";\nimport * as all from "./api.js";\nall.ask();\n',
        "x/a.js": b'import { ask } from "../api.js";\nexport const a = ask();\nexport function b() {}\n',
        "api.js": b"export const ask = () => 1;\n",
        "file/api.js": b"export async function ask() {}\nexport class Two {}\n",
    }
    script = bundle(files, "main.js", {"api.js": "file/api.js"})
    assert script.count("const m_file_api_js = ") == 1
    assert "m_api_js" not in script
    assert "const { a, b: c } = m_x_a_js;" in script
    assert "const all = m_file_api_js;" in script
    assert "return { ask, Two };" in script
    assert not re.search(r"^(?:import|export)", script, re.MULTILINE)


@pytest.mark.parametrize("odd", ['import "./b.js";', "export default 1;", 'export { a } from "./b.js";'])
def test_other_forms_are_refused(odd):
    """A form of import or export that would be lost names its module."""
    with pytest.raises(ValueError, match=r"main\.js.*cannot be put into one script"):
        bundle({"main.js": odd.encode()}, "main.js", {})


def test_circles_are_refused():
    """Modules that import each other cannot be functions called one after the other."""
    files = {"a.js": b'import { b } from "./b.js";\n', "b.js": b'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match="imports itself"):
        bundle(files, "a.js", {})
