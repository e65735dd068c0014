"""What stands around a page: links, contents, notes each once; and what the page of a notebook leaves out."""

import re

import nbformat
import pandas as pd
import pytest
from support.made_pages import BRIEF

import zjtx_alloc as za
from zjtx_alloc.report.runs.notebooks import page
from zjtx_alloc.report.table import titled
from zjtx_alloc.report.writers.html import Heading, framed, linked

UNITS = pd.DataFrame({"code": ["110000", "120000"], "short_name": ["北京", "天津"], "stand_in": ["代用", "[1]"]})
MARKS = r'<a href="#note-(\d)">\d</a>'


def test_a_note_stands_once_and_each_table_leads_to_its_own():
    tables = [titled("plan", UNITS, *notes) for notes in (("甲。", "代用：以乙代用丙。"), (), ("甲。", "[1] 丁。"))]
    shown = framed("题", "".join(table._repr_html_() for table in tables), "注").decode()
    assert [shown.count(note) for note in ("甲。", "代用：以乙代用丙。", "[1] 丁。")] == [1, 1, 1]
    assert re.findall(r'<li id="note-(\d)">([^<]+)</li>', shown) == [
        ("1", "甲。"),
        ("2", "代用：以乙代用丙。"),
        ("3", "[1] 丁。"),
    ]
    captions = re.findall("<caption>(.*?)</caption>", shown)
    assert [re.findall(MARKS, caption) for caption in captions] == [["1", "2"], [], ["1", "3"]]
    assert shown.count('><a href="#note-2">代用</a></td>') == 3  # the cells that the note explains
    assert shown.count('><a href="#note-3">[1]</a></td>') == 3
    assert "<summary>注（3条）</summary>" in shown


def test_notes_after_a_figure_become_marks_where_they_stood():
    shown = framed("题", '<svg></svg><p class="note">甲</p><p class="note">乙</p><p>后</p>', "注").decode()
    assert re.search(f'<svg></svg><p class=marks><span class="marks">［注{MARKS}、{MARKS}］</span></p><p>后</p>', shown)
    assert "<details" not in framed("题", "<p>无注</p>", "注").decode().partition("<script>")[0]


def test_a_table_of_more_rows_than_the_units_is_folded_up_and_keeps_its_marks():
    tables = [
        titled("plan", pd.DataFrame({"short_name": [str(number) for number in range(rows)]}), "甲。")
        for rows in (49, 50)
    ]
    shown = framed("题", "".join(table._repr_html_() for table in tables), "注").decode()
    (folded,) = re.findall('<details class="rows">(.*?)</details>', shown, re.DOTALL)
    assert folded.startswith("<summary>统筹名额表（50行）</summary>")
    assert re.findall(MARKS, folded) == ["1"]
    assert folded.count("<tr") == 51
    sanitised = re.sub('(class="scroll") (.*?) (aria-label="[^"]*")', r"\3 \1 \2", tables[1]._repr_html_())
    assert "<summary>统筹名额表（50行）</summary>" in framed("题", sanitised, "注").decode()


def test_sections_are_listed_where_there_are_several():
    body = "".join(f'<h2 id="x">{name}<b>！</b></h2><p>文</p>' for name in "甲乙丙")
    shown = framed("题", body, "注").decode()
    assert re.findall(r'<li><a href="#(s\d)">([^<]+)</a>', shown) == [("s1", "甲！"), ("s2", "乙！"), ("s3", "丙！")]
    assert re.findall(r'<h2 id="([^"]+)">', shown) == ["s1", "s2", "s3"]
    assert "目录" not in framed("题", "<h2>甲</h2><h2>乙</h2>", "注").decode()


def test_a_page_leads_to_the_pages_that_there_are_and_numbers_the_appendices():
    heading = Heading("情景", ("index.html", "allocation.html", "uncertainty.html", "plan.html"))
    assert heading.links() == {
        "index.html": "首页", "allocation.html": "名额分配", "uncertainty.html": "附录1 权重未知的影响",
        "plan.html": "附录2 三批统筹", "../index.html": "全部报告",
    }  # fmt: skip
    assert Heading("情景").links() == {}
    shown = framed("题", "", "注", heading.links(), "plan.html").decode()
    assert '<a href="plan.html" aria-current=page>附录2 三批统筹</a>' in shown
    assert shown.count("aria-current=page") == 1


def test_a_table_says_what_its_rows_and_columns_are_and_can_be_reached():
    shown = titled("plan", UNITS)._repr_html_()
    assert re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', shown) == ["北京", "天津"]
    assert re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', shown) == ["代码", "单位", "代用"]
    assert shown.startswith(
        '<div class="scroll" tabindex="0" role="region" aria-label="统筹名额表" style="overflow-x:auto"><table'
    )
    led = linked(shown, {"天津": "units/120000-天津.html"})
    assert '><a href="units/120000-%E5%A4%A9%E6%B4%A5.html">天津</a></th>' in led
    assert ">北京</th>" in led


def test_a_table_can_be_read_where_no_style_sheet_of_ours_is():
    """Notebooks take their looks from elsewhere: text is not broken after each character, a header stands over its text."""
    texts = pd.DataFrame(
        {"code": ["北京市", "一句较长的话，须在若干字后才换行"], "short_name": ["甲", "2023-12"], "quota": [1, 2]}
    )
    shown = titled("plan", texts)._repr_html_()
    sides = re.findall(r'<th scope="col" style="text-align:(\w+)', shown)
    assert sides == ["left", "left", "right"]
    assert all(re.search(rf"white-space:nowrap[^>]*>{text}<", shown) for text in ("北京市", "2023-12"))
    longer = titled("plan", texts.assign(code=texts["code"] * 2))._repr_html_()
    assert ";min-width:12em" in longer


def test_a_long_table_is_folded_under_its_title_in_a_notebook_too():
    frame = pd.DataFrame({"code": [f"{n:06d}" for n in range(50)]})
    assert (
        titled("plan", frame)
        ._repr_html_()
        .startswith('<details class="rows"><summary>统筹名额表（50行）</summary><div')
    )
    assert "<details" not in titled("plan", frame.head(49))._repr_html_()


def test_a_page_leaves_out_what_shows_nothing(tmp_path):
    """A section whose only table has no rows goes, and those after it move up a number; words alone are something."""
    empty = titled("plan", UNITS.head(0), "没有")._repr_html_()
    new, code = nbformat.v4, []
    for shown in ({"text/html": titled("plan", UNITS)._repr_html_()}, {"text/html": empty}, {"text/markdown": ""}):
        output = new.new_output("display_data", shown | {"text/plain": "x"})
        code.append(new.new_code_cell("", outputs=[output]))
    titles = ("# 题", "## 一、空", "## 二、有", "## 三、也空", "## 四、只有话\n\n话", "## 附录：空")
    words = [new.new_markdown_cell(text) for text in titles]
    cells = [
        words[0],
        words[1],
        code[1],
        words[2],
        code[0],
        words[3],
        new.new_code_cell("x = 1"),
        words[4],
        words[5],
        code[2],
    ]
    nbformat.write(new.new_notebook(cells=cells), tmp_path / "x.ipynb")
    shown = page(tmp_path / "x.ipynb", tmp_path / "allocation.html", Heading("情景")).read_text(encoding="utf-8")
    assert re.findall("<h2[^>]*>([^<]+)</h2>", shown) == ["一、有", "二、只有话"]
    assert shown.count("<table") == 1
    assert "没有" not in shown


@pytest.mark.thorough
@pytest.mark.parametrize("make", ["report", "budget", "compare"])
def test_the_folder_of_a_run_takes_no_other_run(make, tmp_path):
    """The list of runs would take the place of its front page."""
    (folder := tmp_path / "2024-baseline").mkdir()
    (folder / "run.json").write_text("{}", encoding="utf-8")
    started = {
        "report": lambda: za.run("2025-baseline", folder, pages=BRIEF),
        "budget": lambda: za.run_budget(za.BudgetRequest(["2025-baseline"]), folder),
        "compare": lambda: za.run_comparison(["2024-baseline", "2025-baseline"], folder),
    }
    with pytest.raises(za.ReportError) as refused:
        started[make]()
    assert str(refused.value) == (
        f"{folder} 是一次运行的文件夹（内有 run.json），不能再作报告的上级文件夹：报告目录会覆盖它的首页；请改用它的上级 {tmp_path}，或另一个文件夹"
    )
    assert [path.name for path in folder.iterdir()] == ["run.json"]


@pytest.mark.slow
def test_the_front_page_leads_to_the_pages_of_units_that_there_are(tmp_path, plain_pages):
    """Added later or at once: the same page, which belongs to the run."""
    for name, batches in (("later", ("北京", "天津")), ("at-once", ("北京,天津",))):
        for units in batches:
            folder = za.run("2024-baseline", tmp_path / name, units=units, pages=BRIEF).folder
    pages = [(tmp_path / name / "2024-baseline" / "index.html").read_bytes() for name in ("later", "at-once")]
    assert pages[0] == pages[1]
    found = re.findall(r'<th scope="row"[^>]*><a href="([^"]+)">([^<]+)</a>', pages[0].decode())
    assert found == [("units/110000-%E5%8C%97%E4%BA%AC.html", "北京"), ("units/120000-%E5%A4%A9%E6%B4%A5.html", "天津")]
    kept = za.run("2024-baseline", tmp_path / "later", pages=BRIEF).folder  # the report again: finished pages stay
    assert (kept / "index.html").read_bytes() == pages[0]
    assert za.verify_run(folder) == ()
