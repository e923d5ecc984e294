"""A page that goes on takes nothing from its reader: focus, selection, scroll, and what is open."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

#: Reads the page anew as live.js does when its time has come, here at once.
RENEW = """async () => {
  const script = document.querySelector("script[src$='main.js']").src;
  const { renew, isBusy } = await import(new URL("live.js", script));
  if (!isBusy()) await renew();
}"""
FOCUSED = "document.activeElement.href"
TOP = "Math.round(document.activeElement.getBoundingClientRect().top)"


@pytest.fixture
def page(open_page):
    """Open the list of findings in a window that it does not fit into."""
    made = open_page("many", "/findings")
    made.set_viewport_size({"width": 900, "height": 420})
    return made


def test_rows_that_come_and_go_leave_the_focus(page):
    """The row with the focus keeps it at its place; when it goes, the one in its place has it; nothing scrolls."""
    before = page.locator("#main .rows tbody tr").count()
    for _ in range(12):
        page.keyboard.press("j")
    name, top = page.evaluate(FOCUSED), page.evaluate(TOP)
    rows = page.locator("#main .rows tbody tr")
    ids = rows.evaluate_all("(all) => all.map((row) => row.querySelector('a').pathname.split('/').pop())")

    dismiss(page, ids[0])
    page.evaluate(RENEW)
    assert rows.count() == before - 1
    assert (page.evaluate(FOCUSED), page.evaluate(TOP)) == (name, top)

    dismiss(page, ids[11])
    page.evaluate(RENEW)
    assert rows.count() == before - 2
    assert page.evaluate("document.activeElement.pathname") == f"/findings/{ids[12]}"


def dismiss(page, finding):
    """Dismiss a finding, as somebody else would."""
    page.evaluate(
        """async (finding) => {
          const body = JSON.stringify({ state: "dismissed", reason: "known", actor: "Ada" });
          const headers = { "content-type": "application/json" };
          await fetch(`/api/v1/findings/${finding}`, { method: "PATCH", headers, body });
        }""",
        finding,
    )


def test_nothing_changes_under_a_reader(page):
    """While text is selected, a menu is open, or a field is being filled in, the page waits; then it goes on."""
    rows = page.locator("#main .rows tbody tr")
    count = rows.count()
    dismiss(page, rows.last.locator("a").first.evaluate("(link) => link.pathname.split('/').pop()"))
    for begin, end in (
        ("getSelection().selectAllChildren(document.querySelector('h1'))", "getSelection().removeAllRanges()"),
        ("document.getElementById('views').open = true", "document.getElementById('views').open = false"),
        ("{ const f = document.querySelector('.jump input'); f.focus(); f.value = 'che'; }",
         "document.querySelector('.jump input').blur()"),
    ):  # fmt: skip
        page.evaluate(begin)
        page.evaluate(RENEW)
        assert rows.count() == count
        page.evaluate(end)
    page.evaluate(RENEW)
    assert rows.count() == count - 1

    page.keyboard.press(".")
    assert page.evaluate("document.documentElement.hasAttribute('data-paused')")
    page.keyboard.press(".")
    assert not page.evaluate("document.documentElement.hasAttribute('data-paused')")


def test_what_is_begun_while_the_page_is_read_stays(page):
    """An answer that comes when the reader has begun something changes nothing; the next one does."""
    rows = page.locator("#main .rows tbody tr")
    count = rows.count()
    dismiss(page, rows.last.locator("a").first.evaluate("(link) => link.pathname.split('/').pop()"))
    during = RENEW.replace(
        "if (!isBusy()) await renew()",
        """const asked = renew(() => !isBusy());
      document.getElementById('views').open = true;
      await asked""",
    )
    page.evaluate(during)
    assert rows.count() == count
    page.evaluate("document.getElementById('views').open = false")
    page.evaluate(RENEW)
    assert rows.count() == count - 1


def test_times_that_are_copied_are_those_shown(page):
    """A page read anew has the times of what it shows, which the address has that a reader copies."""
    page.evaluate("""() => {
      const ask = window.fetch;
      const later = (text) => text.replace("<main ", "<main data-end='later' ");
      window.fetch = async (...all) => new Response(later(await (await ask(...all)).text()));
      document.getElementById("main").dataset.end = "earlier";
    }""")
    page.evaluate(RENEW)
    assert page.locator("#main").get_attribute("data-end") == "later"


def test_a_page_with_other_parts_is_changed_in_place(page):
    """Where the server's page has other parts than the reader's, it is not loaded anew."""
    page.evaluate("window.here = true")
    page.evaluate("document.querySelector('[data-live]').removeAttribute('data-live')")
    page.keyboard.press("j")
    name = page.evaluate(FOCUSED)
    page.evaluate(RENEW)

    assert page.locator("[data-live]").count() == 1
    assert page.evaluate("window.here")
    assert page.evaluate(FOCUSED) == name
