"""A workbook with what is known of its first batch: every file of the second batch's report shows one quota."""

import io
import re

import docx
import pandas as pd
import pytest
from support.programme_edits import cell_of, edited

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.documents.proposal import proposal
from zjtx_alloc.report.writers.document import Grid

TIANJIN, JIANGSU = "120000", "320000"


def cli(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 0


@pytest.fixture(scope="module")
def programme(tmp_path_factory):
    """The first batch granted as the model says, but one place more for 天津 and one fewer for 江苏; 江苏 had 12 refused."""
    book_path = tmp_path_factory.mktemp("programme") / "测算.xlsx"
    cli("new", book_path)
    model = za.allocate(za.load_panel(), za.load_scenario("2024-baseline")).quota
    granted = model.to_dict() | {TIANJIN: int(model[TIANJIN]) + 1, JIANGSU: int(model[JIANGSU]) - 1}
    approved = granted | {JIANGSU: granted[JIANGSU] - 12}

    def change(book):
        for code, places in granted.items():
            cell_of(book["审核结果"], {"批次": 1, "代码": code}, "下达名额").value = int(places)
            cell_of(book["审核结果"], {"批次": 1, "代码": code}, "审核通过").value = int(approved[code])
        for batch in (1, 2, 3):
            cell_of(book["批次"], {"批次": batch}, "取整结转").value = "是"
            cell_of(book["批次"], {"批次": batch}, "未用名额").value = "统筹补回"

    return edited(book_path, change, book_path.with_name("填好.xlsx")), granted, approved


@pytest.mark.thorough
def test_the_workbook_is_replanned_from_what_is_known(programme):
    path, granted, approved = programme
    found = za.load_programme(path)
    second = found.batch().scenario
    batches = za.allocate_programme(found.panel, second)
    assert batches[0].quota.to_dict() == granted
    assert batches[0].approved.to_dict() == approved
    scenarios = [za.load_scenario(f"{year}-baseline") for year in (2024, 2025, 2026)]
    again = za.replan(za.plan(scenarios), {1: pd.Series(approved)})
    assert batches[1].quota.to_dict() == again.plan.quota[2].to_dict()
    assert [a.total for a in batches[1:]] == [1241, 1241]
    books = za.forecast_budget(za.cohorts(*batches), za.load_award(second.award))
    assert books.cohorts[0].approved.to_dict() == approved


@pytest.mark.thorough
def test_the_proposal_tells_approvals_changes_and_reasons(programme):
    path, granted, approved = programme
    found = za.load_programme(path)
    results = za.Results(found.panel, found.batch().scenario)
    made = proposal(results)
    grids = [block for part in made.sections for block in part.blocks if isinstance(block, Grid)]
    (replan,) = (grid for grid in grids if grid.title == "名额与单独测算不同的单位及原因")
    heads = [cell.text for cell in replan.rows[0]]
    assert heads == ["单位", "上批名额", "上批审核通过", "本批单独测算", "名额", "增减", "原因"]
    (jiangsu,) = ([cell.text for cell in row] for row in replan.rows if row[0].text == "江苏")
    quota, alone = results.allocation.quota[JIANGSU], results.allocation.solution.quota[JIANGSU]
    assert jiangsu[1:6] == [
        str(granted[JIANGSU]),
        str(approved[JIANGSU]),
        str(alone),
        str(quota),
        f"{quota - alone:+d}",
    ]
    assert re.fullmatch(r"此前累计比应得少1\d\.\d家，补足", jiangsu[6])  # 12 refused, one place fewer than the model's
    text = "\n".join(block for part in made.sections for block in part.blocks if isinstance(block, str))
    assert f"按本批单独计算为{alone}家；{jiangsu[6]}，名额为{quota}家。" in text
    assert f"名额经跨批调整的单位有{len(replan.rows) - 1}个" in text
    (row,) = ([cell.text for cell in row] for row in made.annexes[0].grid.rows if row[0].text == "江苏")
    assert (row[2], row[3], row[4], row[-1]) == (str(quota), jiangsu[1], jiangsu[2], jiangsu[6])


@pytest.mark.slow
@pytest.mark.needs_office
def test_every_file_of_the_report_shows_one_quota(programme, recalculated, tmp_path):
    """As an office program saves the workbook: what the planner entered is read, and batch 2 has one quota everywhere."""
    path, granted, approved = programme
    (path,) = recalculated(path)
    known = za.load_programme(path).batch(1)
    assert (known.granted.to_dict(), known.approved.to_dict()) == (granted, approved)
    cli("allocate", path, "--batch", 2, "--out", tmp_path / "a.csv")
    cli("report", path, "--batch", 2, "--out", tmp_path, "--units", "江苏")
    (folder,) = (one for one in tmp_path.iterdir() if one.is_dir())
    assert (folder / "allocation.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    table = pd.read_csv(tmp_path / "a.csv", dtype={"code": str}).set_index("code")
    quota = int(table.at[JIANGSU, "quota"])
    assert table["quota"].sum() == 1241
    assert table.at[JIANGSU, "previous_approved"] == approved[JIANGSU]
    assert quota != za.allocate(za.load_panel(), za.load_scenario("2025-baseline")).quota[JIANGSU]
    seen = set()
    for file in folder.rglob("*.html"):
        for frame in tables_of(file):
            for name in ("名额", "第2批名额"):
                seen |= check(frame, name, quota, file.name)
    for frame in pd.read_excel(folder / "report.xlsx", sheet_name=None, header=None).values():
        seen |= check(headed(frame), "名额", quota, "report.xlsx")
    for one in docx.Document(folder / "report.docx").tables:
        cells = [[cell.text for cell in row.cells] for row in one.rows]
        seen |= check(pd.DataFrame(cells[1:], columns=cells[0]), "名额", quota, "report.docx")
    assert seen >= {"allocation.html", "plan.html", "report.xlsx", "report.docx"}


def tables_of(file):
    try:
        return pd.read_html(io.StringIO(file.read_text(encoding="utf-8")))
    except ValueError:  # none in it
        return []


def headed(frame):
    rows = frame.index[frame.eq("单位").any(axis=1)]
    if rows.empty:
        return frame
    return frame.loc[rows[0] + 1 :].set_axis([str(x) for x in frame.loc[rows[0]]], axis=1)


def check(frame, name, quota, where):
    columns = [str(column).replace("\n", "") for column in frame.columns]
    if name not in columns or "单位" not in columns:
        return set()
    units = frame.iloc[:, columns.index("单位")].astype(str)
    for value in frame.loc[units.eq("江苏").to_numpy()].iloc[:, columns.index(name)]:
        assert int(float(value)) == quota, (where, name)
    return {where}
