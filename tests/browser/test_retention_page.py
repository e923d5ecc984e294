"""The page of retention over made-up policies: lines added, a mistake told, previewed, put in force."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_policies_are_changed_on_their_page(open_page):
    """A mistake is told with its line before anything is sent; what is put in force stands there, with who and why."""
    page = open_page("shop", "/retention")
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")
    assert page.locator("#in-force tbody tr").count() == 3
    assert "for ever" in page.locator("#in-force tbody tr").first.inner_text()
    assert "90 d" in page.locator("#in-force").inner_text()
    page.click("[data-key=policies]:has-text('By filter')")
    text = page.input_value("[name=yaml]")
    assert text.index("- name: probes") < text.index("ordinary:")
    page.fill("[name=yaml]", text.replace("2d", "soon"))
    page.click("#preview-it")
    page.wait_for_selector("#bad .err")
    assert "Line 10: policies[1].age" in page.locator("#bad").inner_text()
    page.fill("[name=yaml]", text)
    page.click("#preview-it")
    page.wait_for_selector("#preview table")
    assert "would go at once" in page.locator("#preview").inner_text()
    page.click("[data-key=policies]:has-text('By filter')")
    assert page.input_value("[name=yaml]").count("- name: probes") == 1
    assert "- name: probes" in page.evaluate(
        "(({value, selectionStart, selectionEnd}) => value.slice(selectionStart, selectionEnd))(document.activeElement)"
    )
    page.fill("[name=yaml]", f"{text}\n")
    assert page.is_hidden("#preview")
    page.click("#preview-it")
    page.wait_for_selector("#preview table")
    page.fill("[name=note]", "probes are many")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#keep-it")
    page.wait_for_selector("#policies[data-version='2']")
    assert page.locator("#in-force tbody tr").count() == 4
    assert "Kim" in page.locator("#changes tbody tr").first.inner_text()
    assert "probes are many" in page.locator("#changes").inner_text()
