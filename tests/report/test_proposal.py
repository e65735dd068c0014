"""《名额分配方案（建议稿）》 as its readers get it: Word's eyes, a PDF reader's, LibreOffice's; the library's own numbers."""

import importlib.util
import io
import itertools
import re
import subprocess
from pathlib import Path

import docx
import pandas as pd
import pylopdf_fonts_zh_cn as fonts
import pytest
from fontTools.ttLib import TTFont

import zjtx_alloc as za
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.table import Table
from zjtx_alloc.report.writers.document import (
    LANDSCAPE,
    PORTRAIT,
    Annex,
    Cell,
    Grid,
    Manuscript,
    Section,
    grid_of,
    lead,
)
from zjtx_alloc.report.writers.docx import docx_file
from zjtx_alloc.report.writers.pdf import pdf_file

HEADINGS = ["一、测算依据", "二、测算方法", "三、分配结果", "四、主要变化及原因", "五、资金安排", "六、数据质量",
            "七、敏感性", "八、假设和待会商事项"]  # fmt: skip
ANNEXES = ["名额分配表", "资金分年表", "绩效目标表"]


def proposed(panel, scenario):
    return proposal(za.Results(panel, scenario))


def text_of(manuscript):
    return "\n".join(block for part in manuscript.sections for block in part.blocks if isinstance(block, str))


def rows(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


@pytest.fixture(scope="module")
def word(manuscript):
    return docx.Document(io.BytesIO(docx_file(manuscript)))


@pytest.fixture
def pdf_text(tmp_path):
    """The text of a PDF as poppler reads it, without white space."""

    def read(content):
        (tmp_path / "report.pdf").write_bytes(content)
        done = subprocess.run(
            ["pdftotext", str(tmp_path / "report.pdf"), "-"], check=True, capture_output=True, timeout=60
        )
        return re.sub(r"\s", "", done.stdout.decode())

    return read


def test_word_finds_title_draft_mark_headings_and_annexes(word):
    texts = [paragraph.text for paragraph in word.paragraphs]
    assert texts[:3] == ["2024年第一批支持专精特新“小巨人”企业", "名额分配方案", "（建议稿）"]
    assert [text for text in texts if re.match(r"[一二三四五六七八九]、", text)] == HEADINGS
    listed = texts.index("附件：1. 名额分配表")
    assert [text.strip("　") for text in texts[listed + 1 : listed + 3]] == [
        "2. 资金分年表",
        "3. 绩效目标表",
    ]
    for number, title in enumerate(ANNEXES, start=1):
        assert texts[texts.index(f"附件{number}") + 1] == title
    for section in word.sections:
        for part in (section.header, section.even_page_header):
            assert part.paragraphs[0].text.startswith("建议稿（情景：2024-baseline")


def test_word_finds_the_numbers_of_the_library(word, allocation, panel):
    quotas, money = word.tables[-3], word.tables[-2]
    body = rows(quotas)[1:]
    assert [row[1] for row in body] == [*panel.units["short_name"], "合计"]
    assert [row[3] for row in body[:-1]] == [f"{places:,.2f}" for places in allocation.entitlement.places]
    assert [int(row[4]) for row in body[:-1]] == allocation.quota.tolist()
    assert body[-1][4] == "1,039"
    table = za.weight_range(panel, allocation.scenario).table
    assert [[int(row[5]), int(row[6])] for row in body[:-1]] == table[["quota_min", "quota_max"]].to_numpy().tolist()
    # 300 万元 a firm at the start and at the end; batches of 1,039, 1,241 and 1,241 firms, a year apart.
    assert rows(money)[-1] == [
        "合计",
        "311,700",
        "372,300",
        "372,300",
        "311,700",
        "372,300",
        "372,300",
        "2,112,600",
    ]
    assert [row[1] for row in rows(money)[1:-1]] == [f"{300 * n:,}" for n in allocation.quota]


def test_sentences_say_the_numbers(manuscript):
    text = text_of(manuscript)
    assert "（财建〔2024〕148号，2024年6月14日印发" in text
    assert "向37个省级单位分配名额1,039家" in text
    assert "加权占比＝（0.4×规模以上工业中小企业数占比＋0.4×有效期内“小巨人”企业数占比＋0.2×" in text
    assert (
        "审核通过1039家，应安排623,400万元：2024年下达期初资金311,700万元；期末结果未知，全部企业完成推进计划时，2027年（推定）下达期末资金311,700万元"
        in text
    )
    assert "1. 江苏，110家。江苏的理论名额为110.07家" in text
    assert "1. 西藏，1家。" in text
    assert "各项规则使其增加1家，为1家" in text
    assert "理论名额的依据：公布数22.2%、估算57.7%" in text
    assert "江苏95—125" in text
    assert text.count("假设") >= 8
    assert "{" not in text


def test_the_first_page_gives_the_answer_the_figures_and_three_decisions(word, manuscript):
    answer, figures, decisions = manuscript.front
    assert answer == "建议向37个省级单位分配名额1,039家，本批应安排资金623,400万元，各单位名额见附件1。权重等均为假设。"
    assert 4 <= len(figures.rows) - 1 <= 6
    assert len(decisions.rows) == 1 + 3
    assert rows(word.tables[0]) == [[cell.text for cell in row] for row in figures.rows]
    (about,) = (p for p in word.paragraphs if p.text == manuscript.about)
    assert about.paragraph_format.page_break_before, "what follows begins on the second page"


def unreadable(file, sources):
    """What a reader of a Word file stumbles over: ids of sources, words of the library, headings with nothing under them."""
    body = [paragraph.text for paragraph in file.paragraphs]
    text = "\n".join([*body, *(cell for table in file.tables for row in rows(table) for cell in row)])
    yield from re.findall("准则值|r1b[1-3]y|za\\.|顶点|索博尔|沙普利", text)
    yield from (source for source in sources if re.search(rf"(?<![\w.-]){re.escape(source)}(?![\w.-])", text))
    for heading, following in itertools.pairwise(body):
        if re.match("[一二三四五六七八九]、", heading) and not re.match("（一）.+。.+", following):
            yield heading
        if re.fullmatch("（[一二三四五六七八九]）[^。]*。", heading):
            yield heading


def test_readers_find_no_criterion_value_no_source_id_and_no_heading_without_text(word, panel):
    assert list(unreadable(word, panel.sources.index)) == []


@pytest.mark.thorough
def test_readers_of_a_later_batch_find_none_either(second, panel):
    assert list(unreadable(docx.Document(io.BytesIO(docx_file(proposal(second)))), panel.sources.index)) == []


@pytest.mark.thorough
def test_the_annex_sets_the_last_batch_beside_and_says_why(second, panel):
    annex = proposal(second).annexes[0].grid
    heads = [cell.text for cell in annex.rows[0]]
    assert heads == ["单位", "理论名额", "名额", "上批名额", "较上批增减", "名额最少", "名额最多", "原因"]
    body = {row[0].text: [cell.text for cell in row] for row in annex.rows[1:]}
    before = second.programme[0].quota
    steps = second.allocation.quota - before
    assert body["江苏"][2:5] == ["149", "110", "+39"]
    assert body["江苏"][7] == "有效期内“小巨人”企业数"
    assert body["西藏"][4:] == ["0", "1", "1", ""], "no reason where nothing changed"
    assert body["合计"][2:5] == ["1,241", "1,039", "+202"]
    assert [body[name][4] for name in panel.units["short_name"]] == [f"{n:+d}" if n else "0" for n in steps]
    assert max(len(row[-1].text) for row in annex.rows) <= 18, "a reason stays on one line"


def test_the_page_follows_the_standard(word):
    """GB/T 9704-2012: 天头37 mm, 订口28 mm, 版心156×225 mm; 二号小标宋, 三号仿宋 on 28 pt, 三号黑体, 楷体."""
    orientations = [section.page_width > section.page_height for section in word.sections]
    assert orientations == [False, True, False]
    for section, turned in zip(word.sections, orientations, strict=True):
        mm = [
            round(side.mm)
            for side in (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
        ]
        assert mm == ([28, 26, 35, 35] if turned else [37, 35, 28, 26])
        assert round(section.page_width.mm) - mm[2] - mm[3] == (LANDSCAPE if turned else PORTRAIT)
    by_start = {run.text[:6]: (run.font.name, run.font.size.pt) for p in word.paragraphs for run in p.runs}
    assert by_start["名额分配方案"] == ("方正小标宋简体", 22)
    assert by_start["一、测算依据"] == ("黑体", 16)
    assert by_start["（一）政策依"] == ("楷体_GB2312", 16)
    assert by_start["《财政部 工"] == ("仿宋_GB2312", 16)
    body = next(p for p in word.paragraphs if p.text.startswith("（一）政策依据"))
    assert (body.paragraph_format.line_spacing.pt, body.paragraph_format.first_line_indent.pt) == (28, 32)
    odd, even = word.sections[0].footer.paragraphs[0], word.sections[0].even_page_footer.paragraphs[0]
    assert [p.text for p in (odd, even)] == ["—  —"] * 2
    assert "PAGE" in odd._p.xml
    assert (odd.alignment, even.alignment) == (
        docx.enum.text.WD_ALIGN_PARAGRAPH.RIGHT,
        docx.enum.text.WD_ALIGN_PARAGRAPH.LEFT,
    )
    assert {run.font.size.pt for p in (odd, even) for run in p.runs} == {14}


def test_tables_fit_between_the_margins(manuscript):
    inline = [block for part in manuscript.sections for block in part.blocks if isinstance(block, Grid)]
    assert len(inline) == 8
    for grid, width in [*((grid, PORTRAIT) for grid in inline),
                        *((a.grid, LANDSCAPE if a.landscape else PORTRAIT) for a in manuscript.annexes)]:  # fmt: skip
        assert sum(grid.widths) == pytest.approx(width, abs=0.6)
        assert min(grid.widths) > 8
    (money,) = (grid for grid in inline if grid.title == "资金分年表")
    assert (money.measure, money.rows[0][2].text) == ("单位：万元", "应安排总额")


@pytest.mark.thorough
def test_the_same_inputs_give_the_same_bytes_in_both_forms(manuscript, panel, baseline):
    again = proposed(panel, baseline)
    assert again == manuscript
    assert docx_file(again) == docx_file(manuscript)
    assert pdf_file(again) == pdf_file(manuscript)
    assert b"D:20240614000000" in pdf_file(manuscript), "no clock in it"


@pytest.mark.needs_poppler
def test_a_pdf_reader_finds_every_text_of_the_manuscript(manuscript, pdf_text, tmp_path):
    text = pdf_text(pdf_file(manuscript))
    assert "建议稿" in text
    for part in manuscript.sections:
        assert part.heading in text
    for name, quota in zip(
        *[[row[i].text for row in manuscript.annexes[0].grid.rows[1:]] for i in (1, 4)], strict=True
    ):
        assert name in text
        assert quota in text
    assert "审核通过1039家，应安排623,400万元" in text
    assert "2,112,600" in text
    listed = subprocess.run(["pdffonts", str(tmp_path / "report.pdf")], check=True, capture_output=True, timeout=60)
    lines = listed.stdout.decode().splitlines()[2:]
    assert {line.split()[0].split("+")[1] for line in lines} == {
        "NotoSansSC-Regular-Identity-H",
        "NotoSerifSC-Regular-Identity-H",
    }
    assert all(line.split()[-5] == "yes" for line in lines), "embedded"


def test_the_fonts_have_every_character(manuscript):
    grids = [block for part in manuscript.sections for block in part.blocks if isinstance(block, Grid)]
    grids += [annex.grid for annex in manuscript.annexes]
    texts = [text_of(manuscript), manuscript.about, manuscript.header, *HEADINGS, *manuscript.closing]
    texts += [text for grid in grids for text in (grid.title, *grid.notes, *(c.text for row in grid.rows for c in row))]
    known = TTFont(fonts.serif_path()).getBestCmap().keys()
    assert {c for text in texts for c in text if ord(c) not in known} <= {"\n"}


@pytest.mark.thorough
def test_what_a_decision_or_a_rule_changes_is_told(panel, write_scenario):
    path = write_scenario(
        'extends = "2025-baseline"\n[change]\nprevious = "2024-baseline"\nmax_relative = 0.05\n'
        '[fixed."西藏"]\nquota = 4\nreason = "会商<&>确定"\n'
    )
    manuscript = proposed(panel, za.load_scenario(path))
    text = text_of(manuscript)
    # 4 places against 1 · 1241/1039.
    assert "第一批名额1039家，本批1241家" in text
    assert "西藏+2.81家（主要来自人工调整）" in text
    assert "名额为会商确定，不是计算结果；理由：会商<&>确定" in text
    decided = ["西藏", "1", "4", "+3", "会商<&>确定"]
    assert decided in [[cell.text for cell in row] for row in manuscript.annexes[3].grid.rows]
    assert decided in rows(docx.Document(io.BytesIO(docx_file(manuscript))).tables[-1])
    assert pdf_file(manuscript).startswith(b"%PDF")


def test_crossing_rules_and_pools_are_told_without_long_searches(panel, write_scenario):
    path = write_scenario(
        'extends = "2024-baseline"\nbudget_with = []\n[rules."沿海"]\nunits = ["广东", "深圳", "湖南"]\nmin = 170\n'
        '[rules."中部"]\nregion = "中部"\nmax = 230\n'
    )
    text = text_of(proposed(panel, za.load_scenario(path)))
    assert "规则之间有交叉，逐一求解耗时较长，本稿不列名额的可能范围" in text
    assert "起作用的约束：中部" in text
    assert "规则之间有交叉：没有各单位共用的除数" in text


def test_under_another_criterion_no_range_of_quotas_is_claimed(panel, baseline):
    text = text_of(proposed(panel, baseline.model_copy(update={"criterion": "hamilton", "budget_with": []})))
    assert "取整准则不是韦伯斯特法，名额的可能范围不能精确求得，本稿不列" in text


def test_a_scenario_without_ranges_or_coefficients_says_so(panel, baseline):
    scenario = baseline.model_copy(
        update={"uncertainty": type(baseline.uncertainty)(), "region_coefficient": {}, "budget_with": []}
    )
    manuscript = proposed(panel, scenario)
    text = text_of(manuscript)
    assert "（一）权重的可能范围。情景没有写明权重的可能范围，未作敏感性分析。" in text
    assert "没有设区域调节系数和绩效等次系数" in text
    assert "区域调节系数；" not in text
    assert "名额最少" not in [cell.text for cell in manuscript.annexes[0].grid.rows[0]]


def test_a_cell_that_spans_is_said_once_in_word():
    form = ((Cell("资金", "center", down=2), Cell("合计"), Cell("7", "right")), (Cell("全年", across=2),))
    grid = Grid("表", form, (20, 30, 40), heads=0)
    part = Manuscript(("题",), "", "说明", (Section("一、节", ("（一）先。后。", grid)),), (Annex(grid, True),))
    table = docx.Document(io.BytesIO(docx_file(part))).tables[0]
    assert rows(table) == [["资金", "合计", "7"], ["资金", "全年", "全年"]]
    assert pdf_file(part).startswith(b"%PDF")


def test_short_tables_are_kept_on_one_page_and_numbers_unbroken(manuscript, word):
    inline = {block.title: block for part in manuscript.sections for block in part.blocks if isinstance(block, Grid)}
    assert (inline["规则与约束"].together, inline["数据来源"].together) == (True, False)
    for table, kept in ((word.tables[3], True), (word.tables[-3], False)):
        followed = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next or False for row in table.rows]
        assert followed == [kept] * (len(followed) - 1) + [False]
    dates = [cell.text for cell in (row[2] for row in inline["数据来源"].rows)]
    assert "2018-2026年" in dates
    assert inline["数据来源"].widths[2] > 10 * 0.58 * 3.8, "a date stays on one line"


def test_columns_of_words_give_way_to_numbers():
    frame = pd.DataFrame({"说明": ["很长的说明" * 8, "短"], "应安排总额（万元）": [2_112_600, None]})
    grid = grid_of(Table("表", frame, {"说明": "text", "应安排总额（万元）": "money"}), 40)
    assert [cell.text for cell in grid.rows[1]] == ["很长的说明" * 8, "2,112,600"]
    assert grid.rows[2][1].text == "—"
    assert grid.widths[1] > 20
    assert sum(grid.widths) == pytest.approx(40, abs=0.2)


def test_a_lead_is_the_first_sentence_after_its_number():
    assert lead("（一）总体情况。共1家。") == ("（一）总体情况。", "共1家。")
    assert lead("共（一）家。") == ("", "共（一）家。")


@pytest.mark.slow
@pytest.mark.needs_office
@pytest.mark.needs_poppler
def test_libreoffice_opens_the_word_file_and_finds_the_same_numbers(manuscript, pdf_text, tmp_path):
    (tmp_path / "report.docx").write_bytes(docx_file(manuscript))
    text = pdf_text(printed(tmp_path / "report.docx").read_bytes())
    for fact in ("（建议稿）", *HEADINGS, *ANNEXES, "应安排623,400万元", "2,112,600"):
        assert fact in text


@pytest.mark.slow
@pytest.mark.needs_office
@pytest.mark.needs_poppler
@pytest.mark.parametrize("form", ["docx", "pdf"])
def test_the_first_page_and_the_37_units_are_a_page_each_and_no_heading_is_stranded(form, second, panel, tmp_path):
    made, path = proposal(second), tmp_path / f"report.{form}"
    path.write_bytes(docx_file(made) if form == "docx" else pdf_file(made))
    path = printed(path) if form == "docx" else path
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, timeout=60)
    pages = [re.sub(r"[^\S\n]", "", page) for page in done.stdout.decode().split("\f") if page.strip()]
    assert "须会商决定的三件事" in pages[0]
    assert "取整的零头" in pages[0]
    assert "说明：" not in pages[0]
    (annex,) = (page for page in pages if "附件1\n" in page)
    assert [name for name in (*panel.units["short_name"], "合计") if name not in annex] == []
    assert "占比变化影响最大的一项" in annex, "its notes too"
    for page in pages:
        lines = [line for line in page.split("\n") if line and not re.search("^—|—$|运行编号", line)]
        assert not re.match("[一二三四五六七八九]、|附件[0-9]$|.*：$", lines[-1]), lines[-1]


def printed(path):
    """A document as LibreOffice prints it, with the fonts that the PDF has."""
    spec = importlib.util.spec_from_file_location("gallery", Path(__file__).parents[2] / "docs" / "gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    (work := path.parent / "printed").mkdir()
    return gallery.office_pdf(path, work)


@pytest.mark.thorough
def test_a_change_that_coefficients_bring_is_not_told_as_one_of_shares(panel, write_scenario):
    grades = '[grade]\ndefault = "良"\n"江苏" = "优"\n[grade_coefficient]\n"优" = 1.2\n"良" = 1.0\n'
    path = write_scenario(f'extends = "2025-baseline"\nbudget_with = ["2024-baseline"]\n{grades}')
    text = text_of(proposed(panel, za.load_scenario(path)))
    assert re.search(r"江苏\+\d+\.\d\d家（主要来自系数调节的变化，\+\d+\.\d\d家）", text)
    assert "系数调节占比" not in text
