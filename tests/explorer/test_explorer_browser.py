"""The explorer in a real Chromium, served as ``zjtx explore`` serves it."""

import http.client
import subprocess
from urllib.parse import urlsplit

import pytest
from support.explorer_page import opened, served

import zjtx_alloc as za
from zjtx_alloc.explorer.state import in_force, start, with_entry, with_weight
from zjtx_alloc.report.writers.html import framed

pytestmark = [pytest.mark.needs_browser, pytest.mark.thorough]
_SOON = 20_000  # milliseconds, on a busy machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("explorer")


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as where:
        yield where


@pytest.fixture(scope="module")
def browser(address):
    with opened(address) as both:
        yield both


@pytest.fixture
def page(browser):
    return browser[0]


def quotas(page):
    return [int(cell) for cell in page.locator(".zjtx-table tr[data-unit] td[data-column=quota]").all_inner_texts()]


def told(page, part, text):
    """Wait until a part of the page says this; returns all that it says."""
    page.locator(f".zjtx-{part}", has_text=text).wait_for(timeout=_SOON)
    return page.locator(f".zjtx-{part}").inner_text()


def fill(page, name, value):
    box = page.locator(f".zjtx-{name} input")
    box.fill(value)
    box.press("Tab")


def test_a_moved_slider_shows_the_numbers_of_the_library(page, panel, baseline, allocation):
    assert quotas(page) == list(allocation.quota)
    page.locator(".noUi-handle").nth(1).press("PageUp")
    page.locator(".widget-hslider", has_text="45.0%").wait_for(timeout=_SOON)
    expected = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", 0.45)))
    told(page, "changes", "广东 −2")
    assert expected.quota["440000"] - allocation.quota["440000"] == -2
    assert quotas(page) == list(expected.quota)


def test_a_click_on_the_map_says_why(page):
    page.locator(".zjtx-map g[data-unit]", has_text="浙江").click()
    assert told(page, "why", "浙江的名额为").startswith("2024年第一批基准情景（试算）：浙江的名额为")


def test_rules_that_clash_are_explained_in_place(page, panel, baseline):
    with pytest.raises(za.InfeasibleError) as clash:
        za.allocate(panel, in_force(with_entry(start(baseline), "floor", "default", 29)))
    fill(page, "floor", "29")
    assert str(clash.value.diagnosis).split("。")[0].split("小于")[0] in told(page, "message", "没有分配方案")
    before = quotas(page)
    fill(page, "floor", "1")
    page.locator(".zjtx-message .failure").wait_for(state="detached", timeout=_SOON)
    assert quotas(page) == before


def test_lists_and_fields_have_their_chinese_where_no_font_is_installed(page):
    for control in (".zjtx-unit select", ".zjtx-save-as input", ".zjtx-controls button"):
        assert "zjtx" in page.locator(control).first.evaluate("one => getComputedStyle(one).fontFamily"), control


def test_a_negative_floor_is_refused_and_stays_to_be_seen(page):
    fill(page, "floor", "-5")
    assert "floor.default = -5：应不小于 0" in told(page, "message", "无法计算")
    assert page.locator(".zjtx-floor input").input_value() == "-5"
    fill(page, "floor", "1")
    page.locator(".zjtx-message .failure").wait_for(state="detached", timeout=_SOON)


def test_a_scenario_is_saved_and_loaded(page, panel, folder):
    tried = quotas(page)
    fill(page, "save-as", "试算")
    page.get_by_role("button", name="保存情景").click()
    assert str(folder / "试算.toml") in told(page, "notice", "已保存")
    assert list(za.allocate(panel, za.load_scenario(folder / "试算.toml")).quota) == tried
    for name, title in (("2025-baseline", "2025年第二批"), ("试算.toml", "2024年第一批")):
        fill(page, "load-from", name)
        page.get_by_role("button", name="载入情景").click()
        told(page, "notice", f"已载入：{title}")
    page.wait_for_function("document.querySelectorAll('.zjtx-table tr.total').length == 1", timeout=_SOON)
    assert quotas(page) == tried


def test_nothing_is_asked_of_another_host(browser, address):
    page, asked = browser
    own = urlsplit(address).netloc
    assert own.startswith("127.0.0.1:")
    assert len(asked) > 5
    assert {urlsplit(one).netloc for one in asked if urlsplit(one).scheme not in ("data", "blob")} == {own}
    outside = "[...document.querySelectorAll('link[rel=stylesheet], script[src], img')].map(e => e.src || e.href)"
    assert [one for one in page.evaluate(outside) if urlsplit(one).netloc not in ("", own)] == []


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/api/kernels"])
def test_without_the_token_there_is_no_page(address, path):
    server = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    server.request("GET", path)
    answer = server.getresponse()
    assert (answer.status, answer.getheader("Location").partition("?")[0]) == (302, "/login")
    server.close()


def test_a_telephone_shows_all_of_it_without_a_sideways_scroll(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("map", "bars", "why"):
        box = page.locator(f".zjtx-{part}").bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390, part


def test_code_on_a_page_has_its_chinese_where_no_font_is_installed(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(framed("题", "<p>用 <code>{1: 各单位审核通过数}</code> 重排</p>", "注"))
    with browser[0].context.browser.new_page() as page:
        page.goto(path.as_uri())
        page.evaluate('document.fonts.load("16px zjtx", "各").then(fonts => fonts.length)')
        tools = page.context.new_cdp_session(page)
        for domain in ("DOM", "CSS"):
            tools.send(f"{domain}.enable")
        root = tools.send("DOM.getDocument")["root"]["nodeId"]
        node = tools.send("DOM.querySelector", {"nodeId": root, "selector": "code"})["nodeId"]
        used = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    system = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=True).stdout
    assert system or any(font["isCustomFont"] and font["glyphCount"] >= 8 for font in used), used
