"""The corpus of users' tables: good ones give exactly their panel, bad ones exactly their problems."""

import io

import openpyxl
import pandas as pd
import pytest
from support.odd_tables import left_blank, odd_bad_tables, odd_good_tables
from support.tables import CITIES, PARENTS, base, good_tables, hidden, text, xlsx
from support.wrong_tables import bad_tables, no_tables

import zjtx_alloc as za
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.problems import Problem, problem_table
from zjtx_alloc.facts.reading import read_table

GOOD = {table.name: table for table in (*good_tables(), *odd_good_tables())}
BAD = {table.name: table for table in (*bad_tables(), *odd_bad_tables())}
NO_TABLES = no_tables()


@pytest.mark.thorough
def test_the_corpus_is_large_enough():
    assert len(GOOD) == len(good_tables()) + len(odd_good_tables()) >= 60
    assert len(BAD) == len(bad_tables()) + len(odd_bad_tables()) >= 90


@pytest.mark.thorough
@pytest.mark.parametrize("name", GOOD)
def test_a_good_table_gives_exactly_its_panel(name, tmp_path, panel):
    table = GOOD[name]
    path = tmp_path / f"我的 因素表.{table.ending}"
    path.write_bytes(table.content)
    mine = za.load_panel(path)
    expected = {"sme_count": [row[1] for row in base()[1:]]} if table.sme else {}
    expected |= {"little_giants": [row[2] for row in base()[1:]]} if table.giants else {}
    assert set(mine.supplied) == set(expected)
    for indicator, values in expected.items():
        column = mine.column(indicator, mine.supplied[indicator])
        assert column["value"].tolist() == values
        assert not column["estimated"].any()
        assert set(column["note"]) == {path.name}
    kept = [
        whole.cells[~whole.cells.index.droplevel("code").isin(list(mine.supplied.items()))] for whole in (mine, panel)
    ]
    pd.testing.assert_frame_equal(*kept)
    reading = read_table(path)
    assert (reading.layout.header_rows, reading.total_row) == (table.header_rows, table.total_row)
    assert tuple(row for row, _ in reading.passed) == table.passed
    assert reading.hidden == table.hidden


@pytest.mark.thorough
@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_gives_exactly_its_problems(name, tmp_path):
    table = BAD[name]
    path = tmp_path / f"坏 表.{table.ending}"
    path.write_bytes(table.content)
    with pytest.raises(za.TableError) as caught:
        za.load_panel(path)
    expected = [
        Problem(row, column, value, *(say(f"{what}.{kind}", **table.details.get(kind, {})) for what in ("wrong", "remedy")))
        for row, column, value, kind in table.problems
    ]  # fmt: skip
    pd.testing.assert_frame_equal(caught.value.problems, problem_table(expected))
    first, header, *lines = str(caught.value).splitlines()
    assert first == f"坏 表.{table.ending}{table.sheet and f'（{table.sheet}）'} 有{len(expected)}处问题："
    assert header == "行｜列｜内容｜问题｜处理办法"
    assert lines[0].startswith(f"{table.problems[0][0] or '—'}｜")


@pytest.mark.parametrize("name", NO_TABLES)
def test_a_file_that_is_no_table_says_so_in_one_sentence(name, tmp_path):
    content, said = NO_TABLES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(za.DataError, match=said) as caught:
        za.load_panel(tmp_path / name)
    assert name in str(caught.value)


def test_a_provincial_total_is_split_by_the_rule_and_marked_if_the_table_says_so(tmp_path):
    rows = [[*row, "省级合计" if row[0] in PARENTS else ""] for row in base() if row[0] not in CITIES]
    rows[0][3] = "口径"
    for content, ending in ((xlsx(rows), "xlsx"), (text(rows, "gbk"), "csv")):
        path = tmp_path / f"合计.{ending}"
        path.write_bytes(content)
        column = za.load_panel(path).column("sme_count", "用户提供")
        assert column["estimated"].sum() == 12
        stated = dict(zip([row[0] for row in rows], [row[1] for row in rows], strict=True))
        assert column["value"][["440000", "440300"]].sum() == pytest.approx(stated["广东"])


def test_a_city_left_blank_in_a_provincial_total_is_inside_it(tmp_path):
    """As in a template whose rows nobody deletes: the same panel as without the rows, and the rows are named."""
    rows = left_blank()
    for row in rows:
        row[3] = "省级合计" if row[0] in PARENTS else row[3]
    blank, deleted = tmp_path / "留空.xlsx", tmp_path / "删去.xlsx"
    blank.write_bytes(xlsx(rows))
    deleted.write_bytes(xlsx([row for row in rows if row[0] not in CITIES]))
    series = ("sme_count", "用户提供")
    pd.testing.assert_frame_equal(
        za.load_panel(blank).column(*series).drop(columns="note"),
        za.load_panel(deleted).column(*series).drop(columns="note"),
    )
    assert {text for _, text in read_table(blank).passed} == CITIES


def test_a_problem_in_a_hidden_row_says_that_it_is_hidden(tmp_path):
    path = tmp_path / "隐藏.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(xlsx([*base(), ["北京", 1, 1]])))
    book.active.row_dimensions[39].hidden = True
    book.save(path)
    with pytest.raises(za.TableError, match=r"39｜单位｜北京｜与第2行重复｜请只保留一行\n隐藏的行：39$"):
        za.load_panel(path)


def test_a_hidden_sheet_is_read_like_one_that_is_seen(tmp_path):
    """Beside another table it is one table too many; alone it is the table."""
    (path := tmp_path / "隐藏.xlsx").write_bytes(hidden(base()))
    with pytest.raises(za.TableError, match="旧表（已隐藏）｜有多个工作表像因素表"):
        za.load_panel(path)
    book = openpyxl.load_workbook(path)
    book.worksheets[0].delete_rows(1, 40)
    book.save(path)
    assert read_table(path).hidden == "隐藏的工作表：旧表"


def test_a_total_counts_a_unit_inside_a_provincial_figure_once(tmp_path):
    """广东省级合计 with 深圳 beside it: the nation is the sum without 深圳."""
    rows = [[*row, "省级合计" if row[0] == "广东" else ""] for row in base()]
    rows[0][3] = "口径"
    rows[23][1:3] = 9000, 5000
    counted = [row for row in rows[1:] if row[0] != "深圳"]
    total = ["合计", sum(row[1] for row in counted), sum(row[2] for row in counted), ""]
    path = tmp_path / "合计.xlsx"
    path.write_bytes(xlsx([*rows, total]))
    assert za.load_panel(path).values("sme_count", "")["440000"] == 9000 - rows[24][1]
