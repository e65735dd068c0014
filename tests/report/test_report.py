"""The report of 2024-baseline as its readers get it: files opened by other programs' eyes."""

import base64
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from urllib.parse import unquote

import docx
import openpyxl
import pytest
from fontTools.ttLib import TTFont
from support.explorer_page import browser
from support.made_pages import BRIEF, Rows, odd_words
from support.tables import read_csv

import zjtx_alloc as za
from zjtx_alloc.report.figures.allocation import quota_figure
from zjtx_alloc.report.figures.style import picture
from zjtx_alloc.report.notes.marks import rests_note
from zjtx_alloc.report.run_id import bearing_run_id

FILES = {
    "allocation.csv", "名额分配表.csv", "budget.csv", "report.xlsx", "report.docx", "report.pdf", "allocation.html", "budget.html",
    "quota.html", "index.html", "run.json", "environment.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run, shared by the tests that only look at it."""
    return za.run("2024-baseline", out=tmp_path_factory.mktemp("reports"), pages=BRIEF)


def test_the_run_writes_its_files_and_nothing_else(finished):
    assert finished.folder.name == "2024-baseline"
    assert {path.name for path in finished.folder.iterdir()} == FILES


def test_the_csv_files_keep_their_columns(finished):
    allocation, budget = (read_csv(finished.folder / f"{name}.csv") for name in ("allocation", "budget"))
    assert ",".join(allocation) == "code,short_name,region,entitlement,quota,floor,cap,binds,estimated,stand_in"
    assert ",".join(budget) == "batch,code,fiscal_year,commitment,due,recovered,net,direct,empowerment"
    assert len(allocation) == 37
    assert allocation["quota"].sum() == 1039
    assert allocation["cap"].notna().all()
    assert (allocation["estimated"] == "估算").all()  # no unit has all its factors published
    assert (allocation["stand_in"] == "代用").sum() == 34  # 内蒙古、西藏、青海 had no firm in the count that stands in
    assert allocation.loc[allocation["binds"].notna(), "short_name"].tolist() == ["西藏"]
    openings = budget.groupby("fiscal_year")["due"].sum()
    assert openings.loc[[2024, 2025, 2026]].tolist() == [311_700, 372_300, 372_300]


def test_the_twin_for_people_says_the_same_in_chinese_and_has_no_cap_where_none_is_set(finished):
    twin, allocation = (read_csv(finished.folder / name) for name in ("名额分配表.csv", "allocation.csv"))
    assert ",".join(twin) == "代码,单位,地区,理论名额,名额,下限,上限,起作用的约束,估算,代用"
    assert twin["上限"].isna().all()
    columns = {
        "单位": "short_name",
        "理论名额": "entitlement",
        "名额": "quota",
        "起作用的约束": "binds",
    }
    for chinese, name in columns.items():
        assert twin[chinese].equals(allocation[name].rename(chinese)), chinese


def test_the_csv_files_open_in_chinese_excel(finished):
    for name in ("allocation.csv", "名额分配表.csv", "budget.csv"):
        content = (finished.folder / name).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content


def test_a_table_copied_from_a_page_keeps_codes_as_text(finished):
    page = (finished.folder / "budget.html").read_text(encoding="utf-8")
    assert re.search(r"""<td style="text-align:left;mso-number-format:'\\@'">110000</td>""", page)
    assert re.search(r'<td style="text-align:right">\d+</td>', page)


@pytest.mark.parametrize("name", ["index", "allocation", "budget", "quota"])
def test_a_page_carries_every_chinese_sign_that_it_shows(finished, name):
    page = (finished.folder / f"{name}.html").read_text(encoding="utf-8")
    (held,) = re.findall(r"url\(data:font/otf;base64,([^)]+)\)", page)
    signs = {sign for sign in page if not sign.isascii()}
    assert {ord(sign) for sign in signs} - TTFont(io.BytesIO(base64.b64decode(held))).getBestCmap().keys() == set()
    assert len(signs) > 100


def test_the_workbook_has_a_sheet_an_annex_and_charts_on_their_own(finished):
    book = openpyxl.load_workbook(finished.folder / "report.xlsx")
    assert book.sheetnames[:3] == ["参数", "测算", "对比"]
    # Nothing was decided by hand, so there is no 附件4.
    assert book.sheetnames[3:7] == ["附件1 名额分配表", "附件2 资金分年表", "附件3 绩效目标表", "分地区名额"]
    assert [sheet.title for sheet in book.chartsheets] == ["图1 名额与理论名额", "图2 分地区名额", "图3 分年实际下达"]
    assert book.sheetnames[-3:] == [sheet.title for sheet in book.chartsheets]
    with zipfile.ZipFile(finished.folder / "report.xlsx") as package:
        charts = [package.read(name).decode() for name in sorted(package.namelist()) if name.startswith("xl/charts/")]
    batches = za.allocate_programme(finished.allocation.panel, finished.allocation.scenario)
    assert [rests_note(*batches) in chart for chart in charts] == [False, False, True]
    for sheet in book.worksheets:
        assert (sheet.page_setup.paperSize, sheet.print_title_rows) == (9, "$3:$3")
        assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_the_workbook_holds_the_numbers_as_numbers_and_codes_as_text(finished):
    book = openpyxl.load_workbook(finished.folder / "report.xlsx", data_only=True)
    rows = list(book["附件1 名额分配表"].iter_rows(min_row=3, values_only=True))
    places = dict(zip(rows[0], range(len(rows[0])), strict=True))
    units = rows[1:38]
    assert [row[places["代码"]] for row in units] == list(finished.allocation.quota.index)
    assert [row[places["名额"]] for row in units] == finished.allocation.quota.tolist()
    assert [row[places["理论名额"]] for row in units] == finished.allocation.entitlement.places.tolist()
    assert rows[38][places["名额"]] == 1039
    money = list(book["附件2 资金分年表"].iter_rows(min_row=3, values_only=True))
    assert money[0][2].replace("\n", "") == "2024年*（万元）"
    assert money[38][1:4] == ("合计", 311_700, 372_300)
    targets = {row[1]: row[2] for row in book["附件3 绩效目标表"].iter_rows(values_only=True)}
    assert targets["2024年度金额"] == 311_700
    assert all(sheet.freeze_panes for sheet in book.worksheets if sheet.title != "附件3 绩效目标表")


def test_sums_and_differences_of_the_workbook_are_formulas(finished):
    sheet = openpyxl.load_workbook(finished.folder / "report.xlsx")["附件1 名额分配表"]
    of_beijing = "MATCH(B4,unit_name,0))"
    assert [sheet[cell].value for cell in ("D4", "E4", "F4", "E41", "D41", "A42")] == [
        f"=INDEX(entitlement,{of_beijing}", f"=INDEX(quota,{of_beijing}", "=E4-D4", "=SUM(E4:E40)", "=SUM(D4:D40)",
        "核对（应为0）",
    ]  # fmt: skip
    assert sheet["E42"].value.startswith("=SUM(E4:E40)-SUMIF('批次与依据'!")


@pytest.mark.thorough
@pytest.mark.needs_office
def test_libreoffice_recalculates_the_workbook_to_the_same_numbers(finished, recalculated):
    path = finished.folder / "report.xlsx"
    formulas, ours = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    theirs = openpyxl.load_workbook(recalculated(path)[0], data_only=True)
    cells = [
        (sheet.title, cell.coordinate)
        for sheet in formulas.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if str(cell.value).startswith("=")
    ]
    assert len(cells) > 2000
    for title, place in cells:
        assert theirs[title][place].value == pytest.approx(ours[title][place].value, abs=1e-6), (title, place)


@pytest.mark.parametrize("name", ["index", "allocation", "budget", "quota"])
def test_a_page_stands_alone_hides_its_code_and_leads_to_files_that_are_there(finished, name):
    page = (finished.folder / f"{name}.html").read_text(encoding="utf-8")
    assert not re.findall(r"""src\s*=\s*["']?(?!data:)[^"'\s>]+|@import|url\((?!data:)""", page)
    assert re.findall("<script[^>]*>", page) == ["<script>"]  # its own, which sorts tables
    inner, outer = (set(re.findall(rf'href="{start}"', page)) for start in ('#([^"]+)', '([^#"][^"]*)'))
    assert {"allocation.html", "budget.html", "../index.html"} <= outer
    assert all((finished.folder / unquote(address)).is_file() for address in outer)
    assert inner <= set(re.findall(r'id="([^"]+)"', page))
    assert page.count("aria-current=page") == 1
    assert "za.load_scenario" not in page
    assert "2024-baseline" in page
    for mark in ("估算", "代用", "假设"):
        assert mark in page
    assert odd_words(page) == []


def test_the_pages_show_the_numbers_of_the_library(finished):
    allocation, budget = (
        (finished.folder / f"{name}.html").read_text(encoding="utf-8") for name in ("allocation", "budget")
    )
    for places in finished.allocation.entitlement.places:
        assert f">{places:,.2f}</td>" in allocation
    conclusion = allocation[allocation.index("一、结论</h2>") : allocation.index("二、各单位名额</h2>")]
    assert conclusion.count("<li>") == 3
    assert "的22.2%有公布数为据，其余为估算或代用" in conclusion
    assert (
        "新一轮已知数的对照表共4行（有1个数分两种读法各列一行），3行的实际数在测算的可能范围（90%）之内。" in conclusion
    )
    assert "理论名额的依据：公布数22.2%、估算57.7%" in allocation
    assert "六、与已知数对照" in allocation
    for money in finished.budget.by_year()["net"]:
        assert f">{money:,}</td>" in budget
    assert "2024年未含上一轮第一批第三年、上一轮第三批第二年" in budget


def test_the_front_page_gives_the_answer_of_the_library(finished):
    """Every unit's quota, range and money, and the key figures, worked out apart."""
    page = (finished.folder / "index.html").read_text(encoding="utf-8")
    rows = {row[0]: row[1:] for row in reversed(Rows(page).rows)}  # 天津 again among the counts known
    ranges, quota = (
        za.weight_range(finished.allocation.panel, finished.allocation.scenario).table,
        finished.allocation.quota,
    )
    for code, name in finished.allocation.panel.units["short_name"].items():
        ends = dict.fromkeys(str(ranges.at[code, f"quota_{end}"]) for end in ("min", "max"))
        assert rows[name] == [str(quota[code]), "—".join(ends), f"{quota[code] * 600:,}"], name  # 600万元 a firm
    assert rows["合计"] == ["1,039", "—", "623,400"]
    keys = dict(re.findall("<div><span>([^<]+)</span><b>([^<]+)</b>", page))
    money = finished.budget.by_year()["net"].loc[2024:2026].sum()
    assert (keys["名额"], keys["2024—2026年资金"], keys["有公布数可依的份额"]) == ("1,039家", f"{money:,}万元", "22.2%")
    moving = (ranges["quota_lower"] < ranges["quota_upper"]).sum()
    assert keys["权重未知时名额会变的单位"] == f"{moving}个"
    assert "与第" not in "".join(keys)  # the first batch has none before it
    told = page[page.index("须会商决定的三件事</h2>") :]
    assert told.count("<li>", 0, told.index("</ol>")) == 3
    assert "units/" not in page


def test_the_record_binds_outputs_and_inputs_to_the_run(finished):
    record = json.loads((finished.folder / "run.json").read_text(encoding="utf-8"))
    assert set(record["outputs"]) == {"allocation.csv", "名额分配表.csv", "budget.csv"}
    for name, digest in record["outputs"].items():
        assert hashlib.sha256((finished.folder / name).read_bytes()).hexdigest() == digest
    assert record["scenarios"]["2024-baseline"]["factors"]["little_giants"]["weight"] == 0.4
    assert set(record["scenarios"]) == set(za.scenario_names()) - {"2024-old-stand-ins"}
    told = {"data/facts.csv", "data/nowcast.csv", "data/observations.csv", "data/policy/caijian-2024-148.toml"}
    assert told <= set(record["inputs"])


@pytest.mark.thorough
def test_the_same_inputs_give_the_same_bytes(finished, tmp_path, capsys):
    """Whatever pages an earlier run left; with progress on stderr."""
    again = tmp_path / "2024-baseline"
    again.mkdir()
    (again / "plan.html").write_text("<html>of an earlier run", encoding="utf-8")
    za.run("2024-baseline", out=tmp_path, pages=BRIEF)
    assert "allocation.html" in capsys.readouterr().err
    assert {path.name for path in again.iterdir()} == FILES
    for name in FILES:
        assert (again / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_an_estimate_is_marked_only_where_it_is_one(panel, baseline):
    cells = panel.cells.copy()
    for code, factor in baseline.factors.items():
        cells.loc[(code, factor.period), "estimated"] = False
    table = za.allocate(replace(panel, cells=cells), baseline).table()
    assert (table["estimated"] == "").all()


def test_the_quota_page_compares_the_criteria_and_explains_a_unit(finished):
    page = (finished.folder / "quota.html").read_text(encoding="utf-8")
    for told in ("汉密尔顿法", "亚拉巴马悖论", "浙江的名额为91家", "每1000家企业的名额", "泰尔指数"):
        assert told in page


def test_every_file_bears_the_id_of_its_run(finished):
    record = json.loads((finished.folder / "run.json").read_text(encoding="utf-8"))
    line = f"运行编号：{record['id']}"
    assert re.fullmatch(r"[0-9a-f]{12}", record["id"])
    for name in ("index", "allocation", "budget", "quota"):
        page = (finished.folder / f"{name}.html").read_text(encoding="utf-8")
        assert page.count(record["id"]) == page.count(f"<footer>{line}") == 1
    for sheet in openpyxl.load_workbook(finished.folder / "report.xlsx").worksheets:
        assert sheet.oddFooter.left.text == line
        assert any(str(cell.value).endswith(line) for cell in sheet["A"]), sheet.title
    for section in docx.Document(finished.folder / "report.docx").sections:
        for foot in (section.footer, section.even_page_footer):
            assert foot.paragraphs[-1].text == line


def test_a_figure_bears_the_id_of_the_run_that_made_it(allocation):
    assert "运行编号" not in quota_figure(allocation).get_supxlabel()
    with bearing_run_id("abc"):
        assert quota_figure(allocation).get_supxlabel().endswith("\n运行编号：abc")


def test_a_picture_says_what_it_is_to_those_who_cannot_see_it_and_is_the_same_bytes_each_time(allocation):
    drawn = [picture(quota_figure(allocation)) for _ in range(2)]
    alt = "2024年第一批基准情景：名额与理论名额；名额 − 理论名额"
    assert drawn[0].alt == alt
    assert drawn[0] == drawn[1]
    shown = re.fullmatch(
        rf'<div class="figure" tabindex="0" role="region" aria-label="{alt}"><img alt="{alt}" width="900" '
        r'src="data:image/svg\+xml;base64,([^"]+)"></div>',
        drawn[0]._repr_html_(),
    )
    svg = base64.b64decode(shown[1]).decode()
    assert re.search(r'<svg [^>]*width="1800" height="2040" viewBox="0 0 648 734.4"', svg)  # 9 × 10.2 inches
    assert "<text" not in svg  # nor is a font needed


@pytest.mark.thorough
@pytest.mark.needs_browser
@pytest.mark.parametrize(("width", "slides"), [(1100, False), (390, True)])
def test_a_browser_shows_the_numbers_on_a_desk_and_on_a_telephone(finished, width, slides):
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": width, "height": 844})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((finished.folder / "allocation.html").as_uri())
        rows = page.locator("table.zjtx", has_text="名额分配表").locator("tbody tr")
        cells = [row.split("\t") for row in rows.all_inner_texts()]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "only tables and figures slide"
        picture = page.locator("img").first
        assert picture.evaluate("image => image.complete && image.naturalWidth > 1000")
        held = picture.evaluate("image => [image.width, image.parentElement.clientWidth]")
        assert (held[0] > held[1]) == slides
        assert held[0] >= 700, "its text can be read"
    assert [cell[1] for cell in cells[:-1]] == [str(quota) for quota in finished.allocation.quota]
    assert cells[-1][1] == "1,039"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
