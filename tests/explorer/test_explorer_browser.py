"""The explorer in a real Chromium, served as ``zjtx explore`` serves it: a planner's tasks, by pointer and by keyboard."""

import http.client
import json
import re
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from support.explorer_page import opened, served, violations

import zjtx_alloc as za
from zjtx_alloc.explorer.state import act, in_force, start, with_limit, with_weight
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.report.writers.html import framed

pytestmark = [pytest.mark.needs_browser, pytest.mark.thorough]
_SOON = 20_000  # milliseconds, on a busy machine
_MOST_ACTIONS = 10


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


DESK, TELEPHONE = (1280, 900), (390, 844)
on_a_desk = pytest.mark.parametrize("hand", [DESK], ids=["desk"], indirect=True)


@pytest.fixture(params=[DESK, TELEPHONE], ids=["desk", "telephone"])
def hand(request, browser):
    """A page at rest in either width, and a hand that counts what it does."""
    page = browser[0]
    page.set_viewport_size(dict(zip(("width", "height"), request.param, strict=True)))
    hand = Hand(page)
    hand.do("open", "2024-baseline")
    hand.do("unit", "110000")
    hand.do("tab", "changes")
    page.reload()
    page.locator("#why h3").wait_for(timeout=_SOON)
    yield hand
    assert hand.actions <= _MOST_ACTIONS


class Hand:
    def __init__(self, page):
        self.page, self.actions = page, 0

    def do(self, *move):
        """Ask for what is no part of the task, such as where it begins."""
        self.page.evaluate("move => fetch('move', {method: 'POST', body: JSON.stringify(move)})", list(move))

    def click(self, where):
        self.actions += 1
        where.click()

    def unfold(self, head):
        fold = self.page.locator("details", has=self.page.get_by_role("heading", name=head, exact=True))
        if not fold.evaluate("one => one.open"):
            self.click(fold.locator("summary"))
        return fold

    def fill(self, where, text):
        self.actions += 1
        where.fill(text)

    def choose(self, where, label):
        self.actions += 1
        where.select_option(label=label)

    def told(self, part, text):
        self.page.locator(f"#{part}", has_text=text).wait_for(timeout=_SOON)
        return self.page.locator(f"#{part}").inner_text()


def test_a_planner_caps_a_province_and_gives_every_unit_a_base(hand, panel, baseline):
    fold = hand.unfold("个别单位的基数、上下限")
    hand.choose(fold.get_by_label("种类"), "上限")
    hand.choose(fold.get_by_label("单位"), "江苏")
    hand.fill(fold.get_by_label("名额（家）"), "60")
    hand.click(fold.get_by_role("button", name="加上"))
    hand.told("view", "江苏 −50")
    bounds = hand.unfold("总量、基数、上下限、系数")
    hand.fill(bounds.get_by_label("各单位基数（家）", exact=True), "2")
    bounds.get_by_label("各单位基数（家）", exact=True).press("Tab")
    hand.told("why", "基数2家")
    hand.choose(bounds.get_by_label("上限收回的名额"), "平均")
    hand.told("why", "先于准则")
    based = act(with_limit(start(baseline), "cap", "江苏", 60), "bound_all", ["base", "default", "2"])
    expected = za.allocate(panel, in_force(act(based, "redistribution", ["equal"])))
    hand.click(hand.page.get_by_role("button", name="明细表"))
    hand.told("view", "上限")
    cells = hand.page.locator("#view tr[data-unit] td[data-column=quota]").all_inner_texts()
    assert list(map(int, cells)) == list(expected.quota)


def test_a_planner_sets_a_regions_floor(hand):
    fold = hand.unfold("分组和规则")
    hand.fill(fold.get_by_label("名称"), "西部合计")
    hand.fill(fold.get_by_label("成员"), "西部")
    hand.fill(fold.get_by_label("不少于").last, "220")
    hand.click(fold.get_by_role("button", name="加上"))
    fold.locator("p", has_text=re.compile("^西部$")).wait_for(timeout=_SOON)
    hand.click(hand.page.get_by_role("button", name="地区"))
    assert re.search(r"西部\s+220", hand.told("view", "220"))


@on_a_desk
def test_a_weighted_rule_is_added_and_its_reasons_follow_the_numbers(hand):
    fold = hand.unfold("分组和规则")
    hand.fill(fold.get_by_label("名称"), "加权")
    hand.fill(fold.get_by_label("成员"), "广东×1.5、江苏")
    hand.fill(fold.get_by_label("不少于").last, "300")
    hand.click(fold.get_by_role("button", name="加上"))
    hand.told("view", "广东 +")
    hand.told("why", "北京的名额为")


def test_a_planner_compares_three_cases(hand, folder):
    hand.unfold("打开、保存")
    for total in ("1050", "1100"):
        bounds = hand.unfold("总量、基数、上下限、系数")
        hand.fill(bounds.get_by_label("名额总量（家）"), total)
        bounds.get_by_label("名额总量（家）").press("Tab")
        hand.told("head", f"名额总量 {total} 家")
        hand.click(hand.page.get_by_role("button", name="存为方案"))
        hand.told("notice", "已保存")
    hand.click(hand.page.get_by_role("button", name="方案对比"))
    names = [path.stem for path in sorted(folder.glob("方案*.toml"))[-2:]]
    shown = hand.told("view", names[1])
    assert "2024年第一批基准情景" in shown
    assert names[0] in shown


def test_a_planner_finds_why_a_unit_lost(hand):
    fold = hand.unfold("权重")
    fold.get_by_label("有效期内“小巨人”企业数", exact=True).press("End")
    hand.actions += 1
    lost = hand.page.locator("#view g[data-unit]", has_text=re.compile("−")).last
    lost.wait_for(timeout=_SOON)
    name = lost.text_content().split()[0]
    hand.click(lost)
    assert "理论名额为" in hand.told("why", f"{name}的名额为")


def test_a_planner_takes_a_proposal_away(hand, tmp_path):
    hand.page.evaluate("document.querySelector('#leaving').scrollIntoView()")
    with hand.page.expect_download(timeout=60_000) as awaited:
        hand.click(hand.page.get_by_role("link", name="建议稿", exact=True))
    name = awaited.value.suggested_filename
    awaited.value.save_as(tmp_path / name)
    assert re.fullmatch(r"2024-baseline-建议稿-[0-9a-f]{12}\.docx", name)
    assert (tmp_path / name).read_bytes().startswith(b"PK")


def test_a_clash_is_explained_and_loosened_in_place(hand):
    bounds = hand.unfold("总量、基数、上下限、系数")
    hand.fill(bounds.get_by_label("各单位下限（家）", exact=True), "30")
    bounds.get_by_label("各单位下限（家）", exact=True).press("Tab")
    hand.told("message", "没有分配方案")
    way_out = hand.page.get_by_role("button", name="按代价最小的办法放宽")
    way_out.wait_for(timeout=_SOON)
    assert way_out.evaluate(
        "one => { const at = one.getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight }"
    )
    hand.click(hand.page.get_by_role("button", name="按代价最小的办法放宽"))
    hand.told("notice", "已按代价最小的办法放宽")
    assert bounds.get_by_label("各单位下限（家）", exact=True).input_value() == "28"


@on_a_desk
def test_a_workbook_is_uploaded(hand, baseline, tmp_path):
    book = write_programme(tmp_path / "测算.xlsx", baseline)
    hand.unfold("打开、保存")
    hand.page.locator("#upload").set_input_files(book)
    hand.told("notice", "已打开：2024年第一批基准情景")


@on_a_desk
def test_the_page_keeps_focus_and_what_is_half_written(hand):
    fold = hand.unfold("人工调整")
    fold.get_by_label("理由").fill("会议")
    weights = hand.unfold("权重")
    slider = weights.get_by_label("有效期内“小巨人”企业数", exact=True)
    slider.focus()
    for step in ("41", "42"):
        hand.page.keyboard.press("ArrowRight")
        number = weights.get_by_label("有效期内“小巨人”企业数的权重（%）")
        hand.page.wait_for_function(
            "([one, to]) => one.value === to", arg=[number.element_handle(), step], timeout=_SOON
        )
    assert slider.evaluate("one => one === document.activeElement")
    assert fold.get_by_label("理由").input_value() == "会议"


def late(page, *milliseconds):
    """Let the next answers come that late; those after them come at once."""
    page.evaluate(
        """times => { const asked = window.fetch; window.fetch = async (...what) => {
        const time = times.shift() ?? 0, reply = await asked(...what);
        await new Promise(done => setTimeout(done, time)); return reply } }""",
        list(milliseconds),
    )


def has_focus(where):
    return where.evaluate("one => one === document.activeElement")


@on_a_desk
def test_a_key_pressed_before_the_last_answer_is_not_lost(hand):
    slider = hand.unfold("权重").get_by_label("有效期内“小巨人”企业数", exact=True)
    late(hand.page, 400, 400)
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    hand.told("map", "+")
    slider.press("ArrowRight")
    number = hand.page.locator("[id='w..little_giants.n']").element_handle()
    hand.page.wait_for_function("one => one.value === '43'", arg=number, timeout=_SOON)
    late(hand.page, 400, 400)
    for _ in range(2):
        hand.page.locator("#unit").press("ArrowDown")
    hand.told("why", "天津的名额为")
    hand.page.locator("#unit").press("ArrowDown")
    hand.told("why", "山西的名额为")


@on_a_desk
def test_an_answer_does_not_write_over_what_is_being_written(hand):
    hand.unfold("总量、基数、上下限、系数")
    late(hand.page, 400)
    hand.fill(hand.page.locator("#total"), "1050")
    hand.page.locator("#total").press("Tab")
    hand.page.locator("#floor").fill("2")
    hand.told("head", "名额总量 1050 家")
    assert hand.page.locator("#floor").input_value() == "2"
    fold = hand.unfold("个别单位的基数、上下限")
    late(hand.page, 600)
    hand.fill(fold.get_by_label("名额（家）"), "3")
    hand.click(fold.get_by_role("button", name="加上"))
    hand.fill(fold.get_by_label("名额（家）"), "5")
    fold.get_by_role("button", name="去掉").wait_for(timeout=_SOON)
    assert fold.get_by_label("名额（家）").input_value() == "5", "the next one, begun meanwhile"


@on_a_desk
def test_what_is_done_after_an_upload_is_shown_after_it(hand):
    hand.unfold("总量、基数、上下限、系数")
    late(hand.page, 1200)
    content = b'extends = "2024-baseline"\ntotal = 1100\n'
    hand.page.locator("#upload").set_input_files({"name": "甲.toml", "mimeType": "text/plain", "buffer": content})
    hand.fill(hand.page.locator("#total"), "1200")
    hand.page.locator("#total").press("Tab")
    hand.page.wait_for_timeout(2000)
    hand.told("head", "名额总量 1200 家")


@on_a_desk
def test_a_field_shows_what_is_in_force_however_it_was_written(hand):
    hand.unfold("总量、基数、上下限、系数")
    for place, written, shown in (
        ("#total", "1039.0", "1039"),
        ("#title", " ", "2024年第一批基准情景"),
        ("#rate", "100.00", "100"),
    ):
        if place == "#rate":
            hand.unfold("与上批的关系、未用名额")
        hand.fill(hand.page.locator(place), written)
        hand.page.locator(place).press("Tab")
        field = hand.page.locator(place).element_handle()
        hand.page.wait_for_function("([one, to]) => one.value === to", arg=[field, shown], timeout=_SOON)


@on_a_desk
def test_the_focus_goes_on_from_its_place(hand):
    page = hand.page
    hand.do("tab", "table")
    page.reload()
    page.locator("[id='sort.quota']").press("Enter")
    hand.told("view", "▼")
    assert has_focus(page.locator("[id='sort.quota']"))
    form = hand.unfold("个别单位的基数、上下限").locator("form")
    away = page.locator("#limits").get_by_role("button", name="去掉")
    for number, unit in enumerate(("北京", "天津")):
        form.get_by_label("单位").select_option(label=unit)
        form.get_by_label("名额（家）").fill("1")
        form.get_by_role("button", name="加上").press("Enter")
        away.nth(number).wait_for(timeout=_SOON)
        assert has_focus(form.get_by_role("button", name="加上"))
    away.first.press("Enter")
    away.nth(1).wait_for(state="detached", timeout=_SOON)
    assert not has_focus(page.locator("body"))
    assert page.evaluate("document.activeElement.closest('#limits') !== null")
    hand.do("open", "2024-baseline")
    hand.do("bound_all", "floor", "default", "30")
    page.reload()
    page.locator("[id='b.relieve']").press("Enter")
    hand.told("notice", "已按代价最小的办法放宽")
    assert has_focus(page.locator("#notice"))


@on_a_desk
def test_what_is_taken_away_is_of_the_last_move_however_late(hand):
    hand.unfold("总量、基数、上下限、系数")
    late(hand.page, 900)
    for place, number in (("#total", "1100"), ("#floor", "2")):
        hand.fill(hand.page.locator(place), number)
        hand.page.locator(place).press("Tab")
    names = []
    for _ in range(2):
        with hand.page.expect_download(timeout=60_000) as awaited:
            hand.click(hand.page.get_by_role("link", name="一页概览"))
        names.append(awaited.value.suggested_filename)
        hand.told("head", "名额总量 1100 家")
        hand.page.wait_for_timeout(1500)
    assert names[0] == names[1]


@on_a_desk
def test_a_page_come_back_to_shows_what_another_did(hand):
    hand.do("total", 1100)
    hand.page.evaluate("dispatchEvent(new Event('focus'))")
    hand.told("head", "名额总量 1100 家")


@on_a_desk
def test_what_went_wrong_is_told_apart(hand, tmp_path):
    page = hand.page
    heavy = tmp_path / "大.xlsx"
    with heavy.open("wb") as file:
        file.truncate(65 * 2**20)
    page.locator("#upload").set_input_files(heavy)
    hand.told("busy", "超过64兆字节")
    hand.do("tab", "changes")
    page.evaluate("() => { window.fetch = async () => new Response('', {status: 500}) }")
    page.get_by_role("button", name="明细表").click()
    hand.told("busy", "没有做成")
    page.evaluate("() => { window.fetch = async () => { throw new TypeError('gone') } }")
    page.get_by_role("button", name="明细表").click()
    hand.told("busy", "已停止")
    page.reload()


def test_all_of_it_can_be_done_by_keyboard(hand, panel, baseline):
    """Tab reaches every control in the order that is seen; what is reached shows it, and does its work by keys."""
    page = hand.page
    page.locator("body").evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    shown = page.locator(
        "input:visible, select:visible, button:visible, summary:visible, a:visible, [tabindex='0']:visible"
    ).count()
    reached = []
    for _ in range(150):
        page.keyboard.press("Tab")
        one = page.evaluate(
            "(e => [e.tagName, e.id || e.name || e.textContent.trim(), getComputedStyle(e).outlineStyle])(document.activeElement)"
        )
        if one[0] == "BODY":
            break
        reached.append(one)
        if one[1] == "w..little_giants":
            page.keyboard.press("PageUp")
    assert len(reached) >= shown
    assert {look for tag, name, look in reached if name != "upload"} == {"solid"}
    number = page.locator("[id='w..little_giants.n']")
    page.wait_for_function("one => one.value !== '40'", arg=number.element_handle(), timeout=_SOON)
    weight = float(number.input_value()) / 100
    expected = za.allocate(panel, in_force(with_weight(start(baseline), "", "little_giants", weight)))
    hand.told("map", str(expected.quota["330000"]))


def test_axe_finds_nothing(hand):
    hand.do("bound_all", "floor", "default", "30")  # numbers of an earlier state are read too
    hand.page.reload()
    assert hand.page.evaluate("document.body.className") == "is-stale"
    for tab in ("明细表", "方案对比"):
        hand.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        hand.click(hand.page.get_by_role("button", name=tab))
        hand.told("tabs", tab)
        assert violations(hand.page) == {}


def test_all_of_it_fits_without_a_sideways_scroll(hand):
    page = hand.page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for tab in page.locator("#tabs button").all():
        tab.click()
        page.wait_for_function(
            "one => one.getAttribute('aria-pressed') === 'true'", arg=tab.element_handle(), timeout=_SOON
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.inner_text()


def test_names_stay_in_sight_and_cover_no_number_unseen(hand):
    """What lies under the names when a table is moved sideways ends at a line, below a header that stays too."""
    page = hand.page
    hand.click(page.get_by_role("button", name="明细表"))
    page.locator("#view td[data-column=short_name]").first.wait_for(timeout=_SOON)
    page.locator("#view table").evaluate("one => { one.parentElement.scrollLeft = 150 }")
    looks = page.locator("#view th, #view td[data-column=short_name]").evaluate_all(
        "all => all.map(one => getComputedStyle(one)).filter(one => one.position === 'sticky')"
        ".map(one => one.borderCollapse + ' ' + one.borderRightWidth)"
    )
    assert looks == ["separate 2px"] * 39, "a header, 37 units, their total: a collapsed border stays behind"


def test_chinese_shows_where_no_font_is_installed(browser):
    page = browser[0]
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.evaluate('document.fonts.load("16px zjtx", "台").then(fonts => fonts.length)')
    tools = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        tools.send(f"{domain}.enable")
    root = tools.send("DOM.getDocument")["root"]["nodeId"]
    system = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=True).stdout
    for selector in ("h1", "#file button", "#unit", "#map text"):
        node = tools.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
        used = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert system or any(font["isCustomFont"] for font in used), (selector, used)


def test_nothing_is_asked_of_another_host(browser, address):
    _, asked = browser
    own = urlsplit(address).netloc
    assert own.startswith("127.0.0.1:")
    assert len(asked) > 5
    assert {urlsplit(one).netloc for one in asked if urlsplit(one).scheme not in ("data", "blob")} == {own}


def test_the_page_shows_in_a_frame_of_jupyterlab_which_is_another_server_of_this_machine(browser, address, tmp_path):
    (tmp_path / "lab.html").write_text(f'<iframe src="{address}" width=900 height=900></iframe>', encoding="utf-8")
    lab = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=lab.serve_forever, daemon=True).start()
    with browser[0].context.browser.new_page() as page:
        for host in ("127.0.0.1", "localhost"):
            page.goto(f"http://{host}:{lab.server_port}/lab.html")
            frame = page.frame_locator("iframe")
            frame.locator("#why h3").wait_for(timeout=_SOON)
            for label, head in (("条形图", "理论名额与对照"), ("增减", "相比的增减")):
                frame.get_by_role("button", name=label).click()
                frame.locator("#view h3", has_text=head).wait_for(timeout=_SOON)
    lab.shutdown()
    lab.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""


def asked_of(address, path, method="GET", body=None, **headers):
    server = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    server.request(method, path, body, headers)
    answer = server.getresponse()
    answer.read()
    server.close()
    return answer


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/wrong/", "/wrong/move", "/api/kernels", "/explorer.js"])
def test_without_the_token_there_is_no_page(address, path):
    assert asked_of(address, path).status == 404


def test_the_server_answers_only_to_the_name_of_this_machine_and_allows_only_itself(address):
    where = urlsplit(address)
    assert asked_of(address, where.path, Host=f"evil.example:{where.port}").status == 403
    assert asked_of(address, where.path, Host=f"localhost:{where.port}").status == 200
    move = json.dumps(["tab", "changes"])
    assert asked_of(address, where.path + "move", "POST", move, Host="evil.example").status == 403
    rules = asked_of(address, where.path).getheader("Content-Security-Policy")
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in rules
    assert re.findall(r"https?://[^ ;]+", rules) == ["http://127.0.0.1:*", "http://localhost:*"], "who may frame it"


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", "[1]", '["nothing"]', '["weight"]', '["entry", "_folder", "x", "1"]', '["unit", "99"]', "[[]]"],
)
def test_what_no_page_of_ours_asks_is_refused(address, body):
    assert asked_of(address, urlsplit(address).path + "move", "POST", body).status == 400


def test_the_token_is_nowhere_in_what_the_server_prints(tmp_path):
    with served(tmp_path) as address:
        path = urlsplit(address).path
        for one in (path + "nothing", path + "move", path + "leave/nothing"):
            asked_of(address, one, Host="evil.example")
            assert asked_of(address, one, "POST" if one.endswith("move") else "GET", "[").status in (400, 404)
    printed = (tmp_path / "printed.txt").read_text(encoding="utf-8")
    assert path.strip("/") not in printed


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
