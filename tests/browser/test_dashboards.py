"""The pages of dashboards in Chromium: reading, live refresh, editing by keyboard, files that change."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fake_api import FakeApi
from made_up import NOW_NS
from made_up_dashboards import Boards
from test_accessibility import AXE, IMPACTS, RUN

from conftest import Served

pytestmark = pytest.mark.browser

SHOP = """
dashboards:
  - name: Shop
    description: What customers notice
    tags: [shop]
    refresh_interval: off
    variables:
      - {name: service, multi: true, all: true, query: "label_values(service_name)"}
      - {name: env, values: [prod, staging], default: prod}
      - {name: pod, query: "label_values(up{env='$env'}, pod)", default: prod-1}
    panels:
      - {title: Errors, type: stat, query: error_rate, unit: ratio, thresholds: [{value: 0.001, level: error}]}
      - {title: Memory, type: gauge, query: sum(memory), unit: bytes}
      - {title: Slowest, type: top, query: slow, unit: s}
      - {title: Requests, type: line, query: requests, unit: /s}
      - {title: Durations, type: heatmap, query: x_bucket, unit: s}
      - {title: By service, type: table, query: requests}
      - {title: Nothing, type: line, query: nothing}
      - {type: text, options: {text: "See [payments](/services/payments), not [this](javascript:x).\\n\\n- `one`"}}
"""


@pytest.fixture(scope="module")
def boards(tmp_path_factory):
    """Serve the pages over a directory of dashboards; yields them with the address as ``url``."""
    found = Boards(tmp_path_factory.mktemp("boards"), NOW_NS)
    (found.files / "shop.yaml").write_text(SHOP)
    served = Served("shop", found.over(FakeApi("shop")), found.routes).start()
    found.url, found.served = served.url, served
    found.client = httpx.Client(base_url=served.url, trust_env=False, timeout=60)
    yield found
    found.client.close()
    served.stop()


@pytest.fixture
def open_board(open_page, boards):
    """Open a path of the dashboards' server, and return when its script has run."""

    def open_(path, **options):
        page = open_page(boards.served, path, **options)
        page.wait_for_selector("html[data-board]")
        return page

    return open_


def copy(boards, name):
    """Keep a copy of the shop under a name, and return its path for editing."""
    answer = boards.client.post("/api/v1/dashboards/shop/duplicate", json={"name": name}).raise_for_status().json()
    return f"/dashboards/{answer['dashboard']['uid']}?edit=1"


def drawn(page, count):
    """Return when so many panels show something."""
    page.wait_for_function(
        "(count) => document.querySelectorAll('#board .p-body > *').length >= count",
        arg=count,
    )


def test_every_type_of_panel_shows_its_answer(open_board):
    """Figures, meters, lists, charts, tables and text; nothing to show is said; links of texts are harmless."""
    page = open_board("/dashboards/shop")
    drawn(page, 8)
    assert page.locator("#p-errors .stat dd").get_attribute("class") == "err"
    assert page.locator("#p-memory .meter").get_attribute("aria-label").endswith("MiB")
    assert page.locator("#p-slowest li").count() == page.locator("#p-by-service tbody tr").count() == 5
    assert page.locator("#p-requests .c-legend button").count() == 5
    assert page.locator("#p-durations canvas").count() == 1
    assert page.locator("#p-nothing .p-empty").inner_text() == "No data in this time range."
    assert page.locator("#p-panel a").evaluate_all("all => all.map((it) => it.getAttribute('href'))") == [
        "/services/payments"
    ]
    page.locator("#p-requests .c-face").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    links = page.locator(".p-links a")
    assert links.first.inner_text().startswith("Traces of ")
    assert page.evaluate("document.activeElement.closest('.p-links') !== null")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "c-face"


def test_panels_are_copied(open_board):
    """From its menu: as a link to the panel alone, with times that stay, and as Markdown with the values it shows."""
    page = open_board("/dashboards/shop?last=1h")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    drawn(page, 8)

    def copied(panel, what):
        page.evaluate("navigator.clipboard.writeText('')")
        page.locator(f"#{panel} .menu summary").click()
        page.locator(f"#{panel} .p-menu button", has_text=what).click()
        page.wait_for_function("navigator.clipboard.readText().then((text) => text !== '')")
        return page.evaluate("navigator.clipboard.readText()")

    link = urlsplit(copied("p-requests", "Copy link"))
    asked = parse_qs(link.query)
    assert (link.path, asked["panel"], "last" in asked) == ("/dashboards/shop", ["requests"], False)
    assert asked["start"] < asked["end"]
    chart = copied("p-requests", "Copy as Markdown")
    assert chart.startswith("## ")
    assert re.search(r"\n\| time .*payments.* \|\n\| --- .*\n\| .+\d", chart, re.IGNORECASE), chart
    assert "panel=requests" in chart.splitlines()[-1]
    table = copied("p-by-service", "Copy as Markdown")
    assert len(re.findall(r"^\| ", table, re.MULTILINE)) == 2 + 5, table
    assert "Full screen" not in chart + table


def test_the_server_draws_without_script(open_page, boards):
    """A reader without script gets lines, figures, tables and texts from the server, one link away."""
    page = open_page(boards.served, "/dashboards/shop", script=False)
    page.locator("noscript a").click()
    page.wait_for_url("**/dashboards/shop?plain=1")
    assert page.locator(".chart .c-l").count() == 5
    assert page.locator("section", has_text="By service").locator("tbody tr").count() == 5
    assert "payments" in page.locator(".says").inner_text()


def test_a_refresh_leaves_focus_menus_and_scroll_alone(open_board, boards):
    """New data comes every second: the crosshair, an open menu, a place in a table and a chosen button stay."""
    page = open_board("/dashboards/shop?refresh=1", height=700)
    drawn(page, 8)
    page.locator("#p-by-service .menu summary").click()
    page.locator("#p-requests .c-legend button").nth(1).focus()
    page.evaluate("scrollTo(0, 120)")
    page.evaluate("window.kept = document.activeElement")
    before = len(boards.asked)
    while len(boards.asked) < before + 8:
        page.wait_for_timeout(50)
    assert page.evaluate("window.kept === document.activeElement && window.kept.isConnected && scrollY === 120")
    assert page.locator("#p-by-service .p-menu button").first.is_visible()
    page.locator("#refreshing").click()
    assert page.locator("#refreshing").inner_text() == "Paused"
    assert "live=0" in page.url


def test_a_failure_keeps_the_old_answer_and_says_what_to_do(open_board, boards):
    """The chart stays, the reason stands above it, and the next answer takes it away."""
    page = open_board("/dashboards/shop", allow=("Failed to load resource",))
    drawn(page, 8)
    boards.problem = {"code": "bad_query", "message": "unexpected )", "hint": "close the bracket"}
    try:
        page.locator("#p-requests .menu summary").click()
        page.locator("#p-requests .p-menu button", has_text="Load again").click()
        page.locator("#p-requests .hint.err").wait_for()
    finally:
        boards.problem = None
    assert "Unexpected ). Close the bracket." in page.locator("#p-requests .hint.err").inner_text()
    assert page.locator("#p-requests canvas").count() == 1
    page.locator("#p-requests .hint button").click()
    page.locator("#p-requests .hint.err").wait_for(state="hidden")


def test_variables_stand_in_the_url_and_reach_the_queries(open_board, boards):
    """What is chosen is asked with and linked, several in a list that can be searched; what depends on it follows."""
    page = open_board("/dashboards/shop")
    drawn(page, 8)
    page.locator("#variables select").first.select_option("staging")
    page.wait_for_function("() => location.search.includes('var.env=staging')")
    page.locator("#variables summary").click()
    page.keyboard.type("che")
    page.locator(".p-choices label", has_text="checkout").click()
    assert "var.service=checkout" in page.url
    chosen = {"service": ["checkout"], "env": ["staging"], "pod": ["staging-1"]}
    while not any(body["variables"] == chosen for body in boards.asked):
        page.wait_for_timeout(20)


def test_a_dashboard_is_built_with_the_keyboard(open_board, boards):
    """Made, filled with a panel, arranged, undone, saved: what is stored is what was typed."""
    page = open_board("/dashboards")
    page.locator("#new").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Built by keys")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboards/built-by-keys?edit=1")
    page.wait_for_selector("html[data-board]")
    for title, query in (("First", "sum(a)"), ("Second", "sum(b)")):
        page.locator("#edit-acts summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.type(title)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type(query)
        page.keyboard.press("Control+Enter")
        page.locator(f"h2:text-is('{title}')").wait_for()
    assert page.evaluate("document.activeElement.className") == "p-grip"
    assert not [body for body in boards.asked if body["panel"]["title"] == body["panel"]["queries"][0]["query"] == ""]
    for key in ("ArrowUp", "ArrowRight", "Shift+ArrowLeft", "Shift+ArrowDown", "d", "z"):
        page.keyboard.press(key)
    page.locator("#save").press("Enter")
    page.locator("#edit-board").wait_for()
    stored = boards.client.get("/api/v1/dashboards/built-by-keys").json()
    assert [(panel["title"], panel["queries"][0]["query"]) for panel in stored["dashboard"]["panels"]] == [
        ("First", "sum(a)"),
        ("Second", "sum(b)"),
    ]
    assert "id:" not in boards.client.get("/api/v1/dashboards/built-by-keys/yaml").json()["yaml"]
    assert stored["layout"] == [
        {"panel": "first", "x": 0, "y": 5, "w": 6, "h": 4},
        {"panel": "second", "x": 1, "y": 0, "w": 5, "h": 5},
    ]


def test_queries_are_completed(open_board, boards):
    """Metrics, labels and values are offered where they can stand, and taken with the tab key."""
    page = open_board(copy(boards, "Completed"))
    drawn(page, 8)
    page.locator("#p-requests .p-grip").press("Enter")
    field = page.locator("#editor textarea").first
    field.fill("")
    for typed, offered in (("http_r", "http_requests_total"), ("{http", "http_route"), ('="/c', "/cart")):
        page.keyboard.type(typed)
        page.locator(".q-list [aria-selected=true]", has_text=offered).wait_for()
        page.keyboard.press("Tab")
    assert field.input_value() == 'http_requests_total{http_route="/cart'
    page.keyboard.press("Escape")
    page.on("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("Escape")
    page.locator("#editor").wait_for(state="detached")


def test_yaml_is_imported(open_board):
    """What a text holds is said before it is kept, and what is wrong with its line; then the dashboard opens."""
    page = open_board("/dashboards")
    page.locator("button#import").click()
    field = page.locator("dialog textarea")
    field.fill("name: Came in\npanels:\n  - {title: One, type: stat, query: error_rate, unitt: s}\n")
    page.locator("dialog .err").wait_for()
    assert "line 3:" in page.locator("dialog .err").inner_text()
    field.fill("name: Came in\npanels:\n  - {title: One, type: stat, query: error_rate}\n")
    page.locator("dialog .btn.main:not([disabled])").click()
    page.wait_for_url("**/dashboards/came-in")
    page.locator("h2:text-is('One')").wait_for()


def test_a_dashboard_is_exported_and_deleted(open_board, boards):
    """The export is the YAML that import takes; what is deleted is gone after a question."""
    page = open_board(copy(boards, "Short lived").removesuffix("?edit=1"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#edit-acts summary").click()
    with page.expect_download() as download:
        page.locator("[data-do=export]").click()
    assert "name: Short lived" in download.value.path().read_text()
    page.locator("#edit-acts summary").click()
    page.locator("[data-do=delete]").click()
    page.wait_for_url("**/dashboards")
    assert boards.client.get("/api/v1/dashboards/short-lived").status_code == 404


def test_a_conflict_is_said_with_the_ways_on(open_board, boards):
    """What somebody else saved meanwhile is not lost: it can be replaced, shown, or left beside a copy."""
    path = copy(boards, "Contested")
    page = open_board(path, allow=("Failed to load resource",))
    drawn(page, 8)
    page.locator("#p-requests .p-grip").press("Shift+ArrowLeft")
    theirs = boards.client.get("/api/v1/dashboards/contested").json()
    theirs["dashboard"]["description"] = "Theirs"
    boards.client.put(
        "/api/v1/dashboards/contested", json={"dashboard": theirs["dashboard"]}, headers={"If-Match": theirs["version"]}
    ).raise_for_status()
    page.locator("#save").click()
    page.locator("#said.err").wait_for()
    assert "changed by somebody else" in page.locator("#said").inner_text()
    page.locator("#said button", has_text="Replace theirs").click()
    page.locator("#edit-board").wait_for()
    now = boards.client.get("/api/v1/dashboards/contested").json()
    assert now["dashboard"]["description"] == "What customers notice"
    assert {"panel": "requests", "x": 0, "y": 4, "w": 5, "h": 4} in now["layout"]
    page.locator("#edit-board").click()
    page.locator("#p-requests .p-grip").press("Shift+ArrowRight")
    boards.client.delete("/api/v1/dashboards/contested", headers={"If-Match": now["version"]}).raise_for_status()
    page.locator("#save").click()
    page.locator("#said.err button", has_text="Save as a copy").wait_for()


def test_a_changed_file_is_shown_without_a_reload(open_board, boards):
    """An open dashboard's file changes, breaks, is right again and goes: the page follows, and says what is wrong."""
    file = boards.files / "other.yaml"
    text = "name: Other\nrefresh_interval: 1s\npanels:\n  - {title: One, type: stat, query: error_rate}\n"
    file.write_text(text)
    page = open_board("/dashboards/other", allow=("Failed to load resource",))
    page.locator("h2:text-is('One')").wait_for()
    page.evaluate("window.same = document.getElementById('p-one')")
    faster = text.replace("1s", "2s\ndescription: All of it\nvariables: [{name: env, values: [prod, test]}]")
    file.write_text(faster + "  - {title: Two, type: stat, query: error_rate}\n")
    page.locator("h2:text-is('Two')").wait_for()
    page.locator("#variables select").wait_for()
    assert page.evaluate("window.same.isConnected")
    assert page.locator("#about").inner_text() == "All of it"
    assert page.locator("#refresh-every").input_value() == "2"
    assert page.locator("#edit-board").inner_text() == "Duplicate to change"
    file.write_text(text + "  - {title: Two, typ: stat}\n")
    page.locator(".hint.err", has_text="did you mean 'type'?").wait_for()
    page.reload()
    page.wait_for_selector("html[data-board]")
    assert "did you mean 'type'?" in page.locator(".hint.err").inner_text()
    assert page.locator("h2:text-is('Two')").count() == 1, "what was right before is shown"
    file.write_text(text)
    page.locator("h2:text-is('Two')").wait_for(state="detached")
    assert page.locator("#problems").is_hidden(), "it takes no room"
    file.unlink()
    page.locator(".hint.err", has_text="no longer there").wait_for()


def test_what_is_refused_is_said_where_a_table_would_be_empty(open_board, boards):
    """A table without a row whose query failed says why, with what to do; it is no table without data."""
    panel = "{title: Gone, type: table, query: refused}"
    (boards.files / "refused.yaml").write_text(f"name: Refused\npanels: [{panel}]\n")
    page = open_board("/dashboards/refused")
    page.locator("#p-gone .hint.err").wait_for()
    assert "Only SELECT can be run here; Query the views." in page.locator("#p-gone .hint.err").inner_text()


def test_undo_and_cancel_bring_variables_back(open_board, boards):
    """A draft's variables go from the bar with the draft."""
    page = open_board(copy(boards, "Varied"))
    bar = page.locator("#variables")
    page.locator("#edit-acts button", has_text="Settings").click()
    page.locator("[aria-label='Take variable pod away']").click()
    page.locator("dialog button", has_text="Take over").click()
    bar.get_by_text("pod", exact=True).wait_for(state="detached")
    page.locator("#undo-change").click()
    bar.get_by_text("pod", exact=True).wait_for()


def test_panels_are_dragged_and_yaml_is_taken_over(open_board, boards):
    """A drag moves a panel; YAML that is wrong says where, what is right becomes the draft and can be undone."""
    page = open_board(copy(boards, "Dragged"))
    drawn(page, 8)
    corner = page.locator("#p-errors .p-corner").bounding_box()
    page.mouse.move(corner["x"] + 8, corner["y"] + 8)
    page.mouse.down()
    page.mouse.move(corner["x"] + 8 + 118, corner["y"] + 8 + 68, steps=4)
    page.mouse.up()
    assert page.evaluate("document.getElementById('p-errors').style.cssText") == "--x: 0; --y: 0; --w: 4; --h: 3;"
    page.locator("#edit-acts button", has_text="YAML").click()
    field = page.locator("textarea.yaml")
    page.wait_for_function("() => document.querySelector('textarea.yaml').value.includes('name: Dragged')")
    field.fill("name: Dragged\npanels:\n  - {title: Only, type: lines, query: a}\n")
    page.locator("#yaml-said .err").wait_for()
    assert "line 3:" in page.locator("#yaml-said").inner_text()
    field.fill("name: Dragged\npanels:\n  - {title: Only, type: line, query: a}\n")
    page.locator("dialog .btn.main:not([disabled])").click()
    page.locator("h2:text-is('Only')").wait_for()
    assert page.locator("#board .panel").count() == 1
    page.locator("#undo-change").click()
    page.locator("#p-errors").wait_for()


#: By theme and width: paths, and what is done before a page is looked at. 720 px are a desk at 200 % zoom.
STATES = {
    ("light", 720): (("/dashboards", ""), ("/dashboards/shop", ""), ("edit", "form"), ("edit", "settings")),
    ("dark", 390): (("/dashboards/shop", ""), ("edit", "")),
}


@pytest.mark.parametrize(("scheme", "width"), STATES)
def test_axe_finds_nothing_zoomed_and_narrow(open_board, boards, scheme, width):
    """At 200 % zoom (half the width) and on a phone no page has a violation, and none scrolls sideways."""
    edit = copy(boards, f"Axe {width}")
    for path, then in STATES[scheme, width]:
        page = open_board(edit if path == "edit" else path, scheme=scheme, width=width)
        if path != "/dashboards":
            drawn(page, 8)
        if then == "form":
            page.locator("#p-requests .p-grip").press("Enter")
            page.locator("#editor canvas").wait_for()
        if then == "settings":
            page.locator("#edit-acts button", has_text="Settings").click()
        page.evaluate(AXE)
        assert (path, then, page.evaluate(RUN, IMPACTS)) == (path, then, [])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, then)


def test_panels_give_way_on_the_grid(open_board):
    """What is moved down changes places, what is made larger pushes, and nothing overlaps or leaves a gap above."""
    page = open_board("/dashboards")
    module = page.locator("script[type=module]").first.get_attribute("src").replace("list.js", "grid.js")
    assert "grid.js" in module
    run = """async ([module, places, id, to]) => {
      const { put } = await import(module);
      return [...put(new Map(places.map(([id, x, y, w, h]) => [id, { x, y, w, h }])), id, to)]
        .map(([id, { x, y, w, h }]) => [id, x, y, w, h]).sort();
    }"""
    two = [["a", 0, 0, 6, 4], ["b", 0, 4, 6, 4], ["c", 6, 0, 6, 8]]
    cases = (
        ("a", {"x": 0, "y": 4, "w": 6, "h": 4}, [["a", 0, 4, 6, 4], ["b", 0, 0, 6, 4], ["c", 6, 0, 6, 8]]),
        ("a", {"x": 0, "y": 0, "w": 8, "h": 4}, [["a", 0, 0, 8, 4], ["b", 0, 4, 6, 4], ["c", 6, 4, 6, 8]]),
        ("b", {"x": 0, "y": 0, "w": 6, "h": 4}, [["a", 0, 4, 6, 4], ["b", 0, 0, 6, 4], ["c", 6, 0, 6, 8]]),
        ("c", {"x": 9, "y": 99, "w": 20, "h": 1}, [["a", 0, 0, 6, 4], ["b", 0, 4, 6, 4], ["c", 0, 8, 12, 1]]),
    )
    for id_, to, expected in cases:
        assert page.evaluate(run, [module, two, id_, to]) == expected
