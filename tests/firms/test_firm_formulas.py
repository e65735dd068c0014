"""What a firm workbook computes by itself: LibreOffice finds from nothing what the commands found, and what they would find."""

import random
from datetime import date

import openpyxl
import pytest
from openpyxl.formula.translate import Translator

import zjtx_alloc as za
from tests.support.workbooks import unsolved
from zjtx_alloc.firms.book import read_book
from zjtx_alloc.firms.stages import carried
from zjtx_alloc.report.documents.firm_workbook import write_firm_workbook, write_stage

STAGES = ("review", "select", "amounts", "evaluate", "settle")
RESULTS = {
    "企业": ["遴选得分", "名次", "遴选结论", "期初测算额（万元）", "期初已拨（万元）"],
    "年度评价": ["评价得分", "等次", "继续支持"],
    "结算": ["期初已拨（万元）", "期末结果", "期末应拨（万元）", "应收回（万元）", "评价得分", "期末测算额（万元）"],
    "基本情况": ["入选（家）", "遴选核对", "评价核对"],
    "资金分配": ["企业（家）", "应拨付企业（万元）", "已分到企业（万元）", "核对"],
}


def run(stage, source, out):
    write_stage(source, out, carried(stage, read_book(source), date(2024, 7, 31)))
    return out


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """A made-up province of 60 firms after each stage."""
    folder = tmp_path_factory.mktemp("province")
    paths = {"new": write_firm_workbook(folder / "new.xlsx", "320000", made_up=60)}
    for before, stage in zip(("new", *STAGES), STAGES, strict=False):
        paths[stage] = run(stage, paths[before], folder / f"{stage}.xlsx")
    return paths


def changed(path, to, cells):
    """A copy with other values in some cells, saved by a program that drops what formulas came to."""
    book = openpyxl.load_workbook(path)
    for where, value in cells.items():
        title, _, place = where.partition("!")
        book[title][place].value = value
    book.save(to)
    return to


def results(path):
    """Every result by sheet, header and row."""
    book, found = openpyxl.load_workbook(path, data_only=True), {}
    for title, headers in RESULTS.items():
        sheet = book[title]
        places = {cell.value: cell.column for cell in sheet[3]}
        for header in headers:
            for row in range(4, sheet.max_row + 1):
                value = sheet.cell(row, places[header]).value
                if value not in (None, ""):
                    found[title, header, row] = pytest.approx(value, abs=1e-8) if isinstance(value, float) else value
    return found


def formulas(path, title):
    return sum(cell.data_type == "f" for row in openpyxl.load_workbook(path)[title].iter_rows() for cell in row)


@pytest.mark.slow
@pytest.mark.needs_office
def test_an_office_program_finds_what_the_commands_found(books, recalculated, tmp_path):
    """From no values at all; after a change what the command finds with it; and where it cannot follow, it says so."""
    changes = {
        "select": {"遴选标准!B4": 0.05, "遴选标准!B8": 0.4, "基本情况!D4": 30},
        "amounts": {"资金分配!B4": 0.25, "资金分配!C4": 230, "资金分配!D4": 340, "基本情况!E4": 0.03},
        "evaluate": {"评价标准!B4": 0.3, "评价标准!B8": 0.5, "年度评价!C5": 10, "基本情况!F4": 80},
        "settle": {"结算!C4": 100, "结算!D5": 40, "结算!E6": "是", "资金分配!B5": 0.9, "企业!Q4": 9000},
    }
    plain = {stage: unsolved(books[stage], tmp_path / f"{stage}-0.xlsx") for stage in changes}
    edited = {stage: changed(books[stage], tmp_path / f"{stage}-1.xlsx", cells) for stage, cells in changes.items()}
    beyond = {"遴选标准!C4": "越低越好", "企业!Z4": "剔除", "评价标准!B4": 0.7}
    last = changed(books["settle"], tmp_path / "改.xlsx", beyond)
    *found, stuck = [results(path) for path in recalculated(*plain.values(), *edited.values(), last)]
    for stage, same, other in zip(changes, found[:4], found[4:], strict=True):
        assert same == results(books[stage]), stage
        expected = results(run(stage, edited[stage], tmp_path / f"{stage}-2.xlsx"))
        titles = {"select": ["企业", "基本情况"], "amounts": ["企业", "资金分配"], "evaluate": ["年度评价"], "settle": ["结算", "资金分配"]}  # fmt: skip
        mine = {key: value for key, value in expected.items() if key[0] in titles[stage]}
        assert len(mine) > 100, stage
        assert {key: other.get(key) for key in mine} == mine, stage
        assert other != same, stage
    assert stuck["基本情况", "遴选核对", 4] == "须重新运行遴选"
    assert {stuck["企业", header, 4] for header in ("遴选得分", "名次", "遴选结论")} == {"须重新运行遴选"}
    assert stuck["基本情况", "评价核对", 4] == "权重合计不为1"
    paid = ("企业", "期初已拨（万元）", 4)
    assert stuck[paid] == results(books["settle"])[paid]  # since the evaluation what was paid is past


@pytest.mark.thorough
def test_a_program_that_drops_values_changes_nothing(books, tmp_path):
    """The next command computes again what a program saved without values, and writes it into its copy."""
    bare = unsolved(books["evaluate"], tmp_path / "bare.xlsx")
    found = results(run("settle", bare, tmp_path / "settle.xlsx"))
    expected = results(books["settle"])
    read_only = {"基本情况", "资金分配"}  # which nobody but people reads, and the next program computes
    assert {k: v for k, v in found.items() if k[0] not in read_only} == {k: v for k, v in expected.items() if k[0] not in read_only}  # fmt: skip


@pytest.mark.thorough
def test_values_stand_still_where_a_text_is_read_as_a_number(books, tmp_path):
    """Excel ranks "6,588" above every number; the sheet says that the command is to be run again."""
    path = tmp_path / "文字.xlsx"
    book = openpyxl.load_workbook(books["review"])
    sheet = book["企业"]
    place = next(cell.column for cell in sheet[3] if cell.value == "推进计划投资总额（万元）")
    row = next(n for n in range(4, 64) if sheet.cell(n, 26).value == "通过")
    sheet.cell(row, place).value = f"{sheet.cell(row, place).value:,}"
    book.save(path)
    out = run("select", path, tmp_path / "遴选.xlsx")
    assert (formulas(out, "企业"), formulas(books["select"], "企业") > 100) == (0, True)
    found, expected = results(out), results(books["select"])
    assert found.pop(("基本情况", "遴选核对", 4)) == "数值不随改动变，改后须重新运行遴选"
    assert expected.pop(("基本情况", "遴选核对", 4)) == "相符"
    assert found == expected


def shuffled(path, to, title, seed):
    """A copy whose firms stand in another order, as after a sort: each row's formulas go with it."""
    book = openpyxl.load_workbook(path)
    sheet = book[title]
    rows = [number for number in range(4, sheet.max_row + 1) if sheet.cell(number, 2).value]
    held = {number: [cell.value for cell in sheet[number]] for number in rows}
    for number, other in zip(rows, random.Random(seed).sample(rows, len(rows)), strict=True):
        for place, value in enumerate(held[other], start=1):
            cell = sheet.cell(number, place)
            moved = isinstance(value, str) and value.startswith("=")
            cell.value = Translator(value, f"A{other}").translate_formula(f"A{number}") if moved else value
    book.save(to)
    return to


def by_firm(path, title, header):
    rows = [*openpyxl.load_workbook(path, data_only=True)[title].values]
    code, place = rows[2].index("统一社会信用代码"), rows[2].index(header)
    return {row[code]: row[place] for row in rows[3:] if row[code] and row[place] not in (None, "")}


@pytest.mark.slow
@pytest.mark.needs_office
def test_sheets_may_be_sorted_and_who_joins_or_leaves_makes_the_money_wait(books, recalculated, tmp_path):
    """Sorted rows keep their money; where another firm is to be paid, every amount says so, and the command takes over."""
    firms = shuffled(books["amounts"], tmp_path / "sorted.xlsx", "企业", 1)
    ends = shuffled(books["settle"], tmp_path / "ends.xlsx", "结算", 2)
    edits = {
        "more": {"基本情况!D4": 41}, "fewer": {"基本情况!D4": 30}, "note": {"资金分配!C4": "200（暂定）"},
        "approved": {"企业!AF4": "未批准"}, "words": {"基本情况!D4": "四十"},
    }  # fmt: skip
    edited = [changed(books["amounts"], tmp_path / f"{name}.xlsx", cells) for name, cells in edits.items()]
    noted = changed(books["evaluate"], tmp_path / "evaluated.xlsx", {"年度评价!D5": "一百"})
    firms, ends, noted, *edited = recalculated(firms, ends, noted, *edited)
    assert results(noted)["基本情况", "评价核对", 4] == "须重新运行年度评价"
    for path, stage, title, header in (
        (firms, "amounts", "企业", "期初已拨（万元）"),
        (ends, "settle", "结算", "期末应拨（万元）"),
    ):
        expected = by_firm(books[stage], title, header)
        assert by_firm(path, title, header) == expected, stage
        assert by_firm(run(stage, path, tmp_path / f"again-{stage}.xlsx"), title, header) == expected, stage
    for name, path in zip(edits, edited, strict=True):
        held = results(path)
        assert {v for (_, header, _), v in held.items() if header == "期初已拨（万元）"} == {"须重新运行资金分配"}, name
        assert held["资金分配", "核对", 4] == "须重新运行资金分配", name
        assert not [value for value in held.values() if str(value).startswith("#")], name
        if name in ("more", "fewer"):
            with pytest.raises(za.DataError, match=r"“企业”表第.*请先重新运行“资金分配”"):
                carried("evaluate", read_book(path), date(2025, 4, 1))
            paid = by_firm(run("amounts", path, tmp_path / f"paid-{name}.xlsx"), "企业", "期初已拨（万元）")
            assert (len(paid), sum(paid.values())) == ((41, 41 * 285) if name == "more" else (30, 30 * 285))
    with pytest.raises(za.TableError, match=r"note\.xlsx 有1处问题") as refused:
        read_book(edited[2])
    assert "资金分配｜4｜C 每家下限(万元)｜200（暂定）" in str(refused.value)
    assert held["基本情况", "遴选核对", 4] == "须重新运行遴选"
