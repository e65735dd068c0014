"""A report in a real Chromium: two clicks to a unit's quota, tables that sort and filter, and what axe-core finds."""

import pytest
from support.explorer_page import browser, violations

import zjtx_alloc as za

pytestmark = [pytest.mark.needs_browser, pytest.mark.slow]
WIDTHS = (1280, 390)  # a desk, a telephone


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report with all its pages and a unit's."""
    return za.run("2025-baseline", tmp_path_factory.mktemp("out"), units="广东")


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(params=WIDTHS)
def page(request, chromium):
    with chromium.new_page(viewport={"width": request.param, "height": 844}) as opened:
        yield opened


def column(page, number):
    return page.locator("table.zjtx").first.locator(f"tbody tr:not(.total) > :nth-child({number})").all_inner_texts()


def test_two_clicks_lead_from_the_list_of_runs_to_a_unit(page, made):
    page.goto((made.folder.parent / "index.html").as_uri())
    page.get_by_role("link", name="2025-baseline").click()
    quota, names = made.allocation.quota, made.allocation.panel.units["short_name"]
    assert column(page, 1) == list(names)
    assert column(page, 2) == [str(number) for number in quota]
    cell = page.locator("table.zjtx").first.locator("tr", has_text="广东").locator("td").first
    assert cell.is_visible()
    assert cell.inner_text() == str(quota["440000"])
    page.get_by_role("rowheader", name="广东").get_by_role("link").click()
    assert page.locator(".keys b").first.inner_text() == f"{quota['440000']}家"
    page.get_by_role("link", name="首页").click()
    assert page.locator("h1").inner_text() == made.allocation.scenario.title


def test_a_table_sorts_by_mouse_and_by_keyboard_and_goes_back_to_the_official_order(page, made):
    page.goto((made.folder / "index.html").as_uri())
    official, quota = column(page, 2), sorted(made.allocation.quota, reverse=True)
    head = page.get_by_role("columnheader", name="名额").first
    head.get_by_role("button").click()
    assert (head.get_attribute("aria-sort"), column(page, 2)) == ("descending", [str(one) for one in quota])
    head.get_by_role("button").press("Enter")
    assert (head.get_attribute("aria-sort"), column(page, 2)) == ("ascending", [str(one) for one in quota[::-1]])
    assert page.locator("table.zjtx").first.locator("tbody tr").last.inner_text().startswith("合计")
    head.get_by_role("button").press("Enter")
    assert (head.get_attribute("aria-sort"), column(page, 2)) == (None, official)
    page.get_by_role("columnheader", name="较上批增减").get_by_role("button").click()
    steps = [int(step) for step in column(page, 4)]
    assert steps == sorted(steps, reverse=True)
    assert min(steps) < 0


def test_a_filter_leaves_the_rows_that_hold_the_words_and_no_total(page, made):
    page.goto((made.folder / "index.html").as_uri())
    page.get_by_label("筛选：名额分配表").fill("江")
    shown = [row for row in page.locator("table.zjtx").first.locator("tbody tr").all() if row.is_visible()]
    assert [row.locator("th").inner_text() for row in shown] == ["黑龙江", "江苏", "浙江", "江西"]
    assert page.locator("output").first.inner_text() == "4行"
    page.get_by_label("筛选：名额分配表").fill("")
    assert page.locator("table.zjtx tr.total").first.is_visible()


def test_a_mark_opens_the_notes_that_it_leads_to(page, made):
    page.goto((made.folder / "index.html").as_uri())
    page.locator("caption .marks a").first.click()
    number = page.locator("caption .marks a").first.inner_text()
    page.locator(f"#note-{number}").wait_for()
    assert page.locator("details.notes").get_attribute("open") is not None


def test_only_tables_and_figures_slide_and_the_map_is_whole(page, made):
    width = page.viewport_size["width"]
    for path in [made.folder.parent / "index.html", *made.folder.rglob("*.html")]:
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name
    page.goto((made.folder / "index.html").as_uri())
    box = page.locator("svg").bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= width
    name, quota = (
        page.locator(f"table.zjtx >> nth=0 >> tbody tr >> nth=0 >> {cell}") for cell in ("th", "td >> nth=0")
    )
    for cell in (name, quota):
        assert cell.bounding_box()["x"] + cell.bounding_box()["width"] <= width


def test_all_of_it_is_there_without_scripts(chromium, made):
    with chromium.new_context(java_script_enabled=False) as context, context.new_page() as page:
        page.goto((made.folder / "index.html").as_uri())
        assert column(page, 2) == [str(number) for number in made.allocation.quota]
        assert page.get_by_role("link", name="资金预算").first.is_visible()


def test_nothing_on_any_page_keeps_out_who_uses_a_keyboard_or_a_screen_reader(chromium, made):
    """Nothing that axe-core finds; on a telephone of each kind of page, since each takes seconds."""
    found, pages = {}, [made.folder.parent / "index.html", *made.folder.rglob("*.html")]
    small = [path for path in pages if path.stem in ("index", "allocation") or path.parent.name == "units"]
    for path, width in [*((path, WIDTHS[0]) for path in pages), *((path, WIDTHS[1]) for path in small)]:
        with chromium.new_page(viewport={"width": width, "height": 844}) as page:
            page.goto(path.as_uri())
            found |= {(path.name, width, rule): places for rule, places in violations(page).items()}
    assert len(pages) == 10
    assert found == {}
