"""What stands in a programme's workbook is read, or refused or named by name: hidden, renamed, missing, named otherwise."""

import subprocess

import openpyxl
import pytest
from support.programme_edits import add, cell_of, column_of, edited, header_of

import zjtx_alloc as za
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.report.runs.records import run_id, run_record
from zjtx_alloc.rules.programme.notes import programme_text


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_programme(tmp_path_factory.mktemp("read") / "测算.xlsx", za.load_scenario("2024-baseline"))


@pytest.fixture
def change(plain, tmp_path):
    def changed(*edits):
        def all_of_them(book):
            for edit in edits:
                edit(book)

        return edited(plain, all_of_them, tmp_path / "测算.xlsx")

    return changed


def lines(path):
    return list(programme_text(za.load_programme(path)))


def problems(path):
    with pytest.raises(za.TableError) as caught:
        za.load_programme(path)
    return [tuple(map(str, row)) for row in caught.value.problems.itertuples(index=False, name=None)]


def cap_of_70(book):
    cell_of(book["单位规则"], {"代码": "440000"}, "上限").value = 70


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_read_and_listed(change, state):
    path = change(cap_of_70, lambda book: setattr(book["单位规则"], "sheet_state", state))
    assert za.load_programme(path).batch(1).scenario.cap == {"440000": 70}
    assert "单位规则（已隐藏）已读入。" in lines(path)[:6]


def test_hidden_rows_and_columns_are_named(change):
    def hide(book):
        book["单位规则"].row_dimensions[5].hidden = True
        book["单位规则"].column_dimensions["F"].hidden = True

    assert "单位规则 隐藏的第5行、F列也已读入，请核对。" in lines(change(hide))[:6]


def titled(sheet, title):
    return lambda book: setattr(book[sheet], "title", title)


def headed(sheet, word, text):
    def edit(book):
        book[sheet].cell(header_of(book[sheet])[0], column_of(book[sheet], word)).value = text

    return edit


@pytest.mark.parametrize(
    ("sheet", "title"),
    [("单位规则", "各单位规则"), ("审核结果", "审核"), ("审核结果", "2024年审核结果"), ("预算", "资金预算")],
)  # fmt: skip
def test_a_sheet_known_by_likeness_is_refused_and_named(change, sheet, title):
    found = problems(change(titled(sheet, title)))
    assert (
        title,
        "—",
        "",
        title,
        f"与工作表“{sheet}”相近但不相同，不会读取",
        "若是该表，请改用此名；若不是，请删去或改名",
    ) in found


@pytest.mark.parametrize(("word", "text", "known"), [("上限", "名额上限（家）", "上限（家）"), ("可推荐企业数", "可推荐数（家）", "可推荐企业数（家）"), ("人工调整", "调整名额（家）", "人工调整名额（家）")])  # fmt: skip
def test_a_column_known_by_likeness_is_refused_and_named(change, word, text, known):
    found = problems(change(headed("单位规则", word, text)))
    assert any(row[0] == "单位规则" and f"与“{known}”相近" in row[4] for row in found), found


def test_what_resembles_nothing_is_listed_at_the_end_of_the_first_lines(change):
    path = change(lambda book: book.create_sheet("附件"), lambda book: book["单位规则"].cell(3, 12, "联系电话"))
    said = lines(path)
    assert said[0] == "测算.xlsx：已知的表均可读取，另有内容未读取，见下。"
    assert said[4:6] == [
        "未读取的工作表（不是测算工作簿的工作表）：附件。",
        "未读取的列（不是已知的列）：单位规则 L 联系电话。",
    ]


def without(*sheets):
    def edit(book):
        for sheet in sheets:
            del book[sheet]

    return edit


def test_a_missing_sheet_is_said_with_what_that_means(change):
    said = lines(change(without("单位规则", "审核结果", "权重")))[4:7]
    assert (
        "无“单位规则”表：本次测算无基数、上限、可推荐企业数、人工调整名额；下限沿用情景 2024-baseline、2025-baseline、2026-baseline。"
        in said
    )
    assert "无“审核结果”表：各批均按尚未审核测算。" in said
    assert "无“权重”表：因素和权重沿用情景 2024-baseline、2025-baseline、2026-baseline。" in said


def unit_cells(sheet, code, name):
    def edit(book):
        row = cell_of(book[sheet], {"代码": "440000"}, "代码")
        row.value = code
        cell_of_row = book[sheet].cell(row.row, column_of(book[sheet], "单位"))
        cell_of_row.value = name

    return edit


@pytest.mark.parametrize(
    ("code", "name"),
    [(None, "广东"), (None, "广东省"), ("广东", None), (440000, None), (None, "440000"), ("广东省", "440000")],
)
def test_a_unit_may_be_named_by_code_or_name_in_either_column(change, code, name):
    path = change(cap_of_70, unit_cells("单位规则", code, name))
    assert za.load_programme(path).batch(1).scenario.cap == {"440000": 70}


def test_a_transfer_may_name_its_unit_without_a_code(change):
    path = change(lambda book: add(book["实际下达"], {"单位": "北京", "年度": 2024, "文号": "甲", "金额": 5400}))
    assert list(za.load_programme(path).transfers["code"]) == ["110000"]


def test_the_column_of_codes_may_be_left_out(change):
    def edit(book):
        sheet = book["实际下达"]
        add(sheet, {"单位": "北京", "年度": 2024, "文号": "甲", "金额": 5400})
        sheet.delete_cols(column_of(sheet, "代码"))

    assert list(za.load_programme(change(edit)).transfers["code"]) == ["110000"]


def test_a_code_and_a_name_that_contradict_are_an_error(change):
    found = problems(change(cap_of_70, unit_cells("单位规则", "440000", "江苏")))
    assert any(row[:5:4] == ("单位规则", "代码与名称不是同一单位") for row in found)
    found = problems(change(cap_of_70, unit_cells("单位规则", None, "广州")))
    assert any(row[0] == "单位规则" and row[3:5] == ("广州", "不是37个单位之一") for row in found)


@pytest.mark.slow
@pytest.mark.needs_office
def test_a_sheet_hidden_in_an_office_program_gives_the_same_run_id(change, tmp_path):
    """The run id is bound to what is read: hiding a sheet, and saving the workbook in LibreOffice, changes nothing."""
    shown = change(cap_of_70)
    hidden = edited(shown, lambda book: setattr(book["单位规则"], "sheet_state", "hidden"), tmp_path / "隐藏.xlsx")
    office = ["soffice", f"-env:UserInstallation={(tmp_path / 'home').as_uri()}", "--headless", "--convert-to", "xlsx"]
    ids = []
    for number, path in enumerate((shown, hidden)):
        saved = tmp_path / str(number) / "测算.xlsx"
        subprocess.run(
            [*office, "--outdir", str(saved.parent), str(path)], check=True, capture_output=True, timeout=300
        )
        (saved.parent / path.name).rename(saved)
        assert (openpyxl.load_workbook(saved)["单位规则"].sheet_state == "hidden") == (path == hidden)
        programme = za.load_programme(saved)
        allocation = za.allocate(programme.panel, programme.batch(1).scenario)
        assert allocation.quota["440000"] == 70
        ids.append(run_id(run_record("report", (allocation,), None)))
    assert ids[0] == ids[1]
