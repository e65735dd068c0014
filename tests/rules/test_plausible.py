"""Values that do not fit what is known of their unit: doubts that name their rows, at the head of ``check`` and on the first page."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.programme_edits import cell_of, edited
from support.tables import text

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.facts.reading import OF_PERIOD
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.report.notes.user_data import doubtful_notes
from zjtx_alloc.rules.plausible import doubts_of

JIANGSU, ZHEJIANG, NINGBO, HUBEI, GUANGDONG, SHENZHEN = "320000", "330000", "330200", "420000", "440000", "440300"
COLUMNS = (
    ("sme_count", "2023-12"), ("sme_count", "2024-12"), ("little_giants", "2024-06"), ("little_giants", "2024-12"),
    ("little_giants", "2025-12"), ("first_round_continued_r1_sum", "2024-04"),
)  # fmt: skip
SME, GIANTS = COLUMNS[0], COLUMNS[2]


@pytest.fixture
def own(panel):
    """The panel with a column of its own: what a change makes of the shipped one."""

    def make(column, change, period=None):
        mine = panel.facts[(panel.facts["indicator"] == column[0]) & (panel.facts["period"] == column[1])]
        mine = mine[mine["scope"] == "unit"].assign(status=OF_PERIOD, period=period or column[1])
        values = change(mine.set_index("unit")["value"].copy())
        mine = mine.assign(value=values.to_numpy())
        facts = panel.facts[panel.facts["scope"] != "nation"]
        kept = facts[(facts["indicator"] != column[0]) | (facts["period"] != (period or column[1]))]
        cells = panel.cells.drop(index=[(column[0], period or column[1])], errors="ignore")
        added = mine.rename(columns={"unit": "code"}).assign(estimated=False)
        added = added.set_index(["indicator", "period", "code"])[list(cells.columns)]
        return replace(panel, facts=pd.concat([kept, mine]), cells=pd.concat([cells, added]).sort_index())

    return make


def exchanged(values):
    values[[JIANGSU, NINGBO]] = values[[NINGBO, JIANGSU]].to_numpy()
    return values


def included(province, city):
    def change(values):
        values[province] += values[city]
        return values

    return change


def times(unit, factor):
    def change(values):
        values[unit] *= factor
        return values

    return change


def found(panel):
    return [(doubt.kind, doubt.unit, doubt.other) for doubt in doubts_of(panel)]


@pytest.mark.parametrize("column", [SME, GIANTS], ids="-".join)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (exchanged, ("seems_exchanged", JIANGSU, NINGBO)),
        (included(GUANGDONG, SHENZHEN), ("seems_to_include", GUANGDONG, SHENZHEN)),
        (included(ZHEJIANG, NINGBO), ("seems_to_include", ZHEJIANG, NINGBO)),
        (times(HUBEI, 10), ("outside_known", HUBEI, "")),
        (times(HUBEI, 0.1), ("outside_known", HUBEI, "")),
    ],
    ids=["exchanged", "with Shenzhen", "with Ningbo", "a digit more", "a digit less"],
)
def test_a_planted_mistake_is_the_one_doubt(column, change, expected, own):
    assert found(own(column, change)) == [expected]


@pytest.mark.parametrize("column", COLUMNS, ids="-".join)
def test_what_is_shipped_is_not_doubted(column, own):
    assert found(own(column, lambda values: values)) == []


def test_a_column_of_a_later_year_is_compared_at_its_own_level(own):
    """All a third more: nothing to doubt, and exchanged rows are seen as well."""
    grown = own(("sme_count", "2024-12"), lambda values: values * 1.33, "2026-12")
    assert found(grown) == []
    both = own(("sme_count", "2024-12"), lambda values: exchanged(values * 1.33), "2026-12")
    assert found(both) == [("seems_exchanged", JIANGSU, NINGBO)]


def test_a_column_that_fits_nowhere_is_one_doubt(own):
    """Each unit has the value of the row above."""
    (kind, *_), *rest = found(own(SME, lambda values: values * 0 + np.roll(values, 1)))
    assert (kind, rest) == ("many_outside", [])


def sound_edits(count, seed=20260705):
    """Edits within 15 %: of one cell, of a few, of a whole column."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        column, several = COLUMNS[draw.integers(len(COLUMNS))], (1, 5, 37)[number % 3]
        units, changes = draw.permutation(37)[:several], draw.uniform(0.85, 1.15, several)

        def change(values, units=units, changes=changes):
            values.iloc[units] = (values.iloc[units] * changes).round()
            return values

        yield column, change


@pytest.mark.parametrize("count", [4, pytest.param(200, marks=pytest.mark.thorough)])
def test_sound_edits_are_hardly_ever_doubted(count, own):
    doubted = [(column, found(made)) for column, change in sound_edits(count) if found(made := own(column, change))]
    assert len(doubted) <= 0.02 * count, doubted


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_programme(tmp_path_factory.mktemp("plausible") / "测算.xlsx", za.load_scenario("2024-baseline"))


@pytest.mark.thorough
def test_a_workbook_says_so_first_and_goes_on(plain, tmp_path, capsys):
    def plant(book):
        cells = [cell_of(book["因素"], {"代码": code}, "规模以上工业中小企业数") for code in (JIANGSU, NINGBO)]
        cells[0].value, cells[1].value = cells[1].value, cells[0].value
        cell_of(book["批次"], {"批次": 1}, "名额总量").value = 10390

    path = edited(plain, plant, tmp_path / "测算.xlsx")
    with pytest.raises(SystemExit, match="0"):
        main(["check", str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("请核对以下各处")
    assert lines[2].split("｜")[:2] == ["因素", "14"]
    assert "江苏与宁波（第16行）的62,079像是互换了" in lines[2]
    assert lines[3].startswith("批次｜4｜C 名额总量(家)｜10390｜是随附情景同一批名额总量1,039的10倍")
    programme = za.load_programme(path)
    notes = doubtful_notes(za.allocate(programme.panel, programme.current.scenario))
    assert [note[:4] for note in notes] == ["请核对：", "请核对："]
    assert "江苏与宁波的62,079像是互换了" in notes[0]
    assert "第1批名额总量10,390，是随附情景同一批1,039的10倍" in notes[1]
    shipped = za.load_programme(plain)
    assert shipped.doubts == ()
    assert doubtful_notes(za.allocate(shipped.panel, shipped.current.scenario)) == ()


@pytest.mark.thorough
def test_a_plain_table_says_so_first_too(panel, tmp_path, capsys):
    column = panel.values(*SME).astype(int)
    column[GUANGDONG] += column[SHENZHEN]
    rows = [["单位", "规模以上工业中小企业数（家，2023-12）"], *([code, value] for code, value in column.items())]
    (path := tmp_path / "因素表.csv").write_bytes(text(rows))
    (doubt,) = za.check_table(path).doubts
    assert (doubt.row, doubt.value) == (24, "70,556")
    assert doubt.what == "广东像是含深圳（第25行）（13,904）在内：不含的约56,652（2023-12）"
    with pytest.raises(SystemExit, match="0"):
        main(["check", str(path)])
    assert capsys.readouterr().out.splitlines()[2].startswith("请核对以下各处")


@pytest.mark.thorough
def test_a_provinces_whole_is_compared_as_one(panel, tmp_path):
    """广东 with 深圳 is right where the row says 省级合计, and a digit more is not."""
    column = panel.values(*SME).astype(int)
    whole = int(column[GUANGDONG] + column[SHENZHEN])
    for factor, expected in ((1, []), (10, ["outside_known"])):
        rows = [["单位", "口径", "规模以上工业中小企业数（家，2023-12）"]]
        rows += [[code, "", value] for code, value in column.items() if code not in (GUANGDONG, SHENZHEN)]
        rows.append(["广东", "省级合计", whole * factor])
        (path := tmp_path / "因素表.csv").write_bytes(text(rows))
        assert [doubt.kind for doubt in doubts_of(za.load_panel(path))] == expected
