"""The budget as of a day, from one workbook: what is known enters, what lies after the day does not, and all that comes out agrees."""

import datetime
import io
from dataclasses import replace

import docx
import openpyxl
import pandas as pd
import pytest
from support.programme_edits import add, cell_of, edited

import zjtx_alloc as za
from zjtx_alloc.budget.plan import request_of
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.documents.budget_paper import budget_paper
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.report.notes.budget import coming_lines, known_lines, plan_summary
from zjtx_alloc.report.table import plan_csv, plan_csv_shown
from zjtx_alloc.report.tables.budget import known_batch_table, open_gap_table, outlook_year_table, year_table
from zjtx_alloc.report.writers.document import Grid

DAY = datetime.date(2026, 11, 30)


@pytest.fixture(scope="module")
def scenarios():
    """Batch 1 with approvals of all units, departures of 2025 and 2027, and its closing a year later than usual."""
    one, two = (za.load_scenario(name) for name in ("2024-baseline", "2025-baseline"))
    quota = za.allocate(za.load_panel(), one).quota
    approved = {code: int(n) for code, n in quota.items()} | {"120000": 17}
    ends = {
        "110000": {"2025": {"discontinued": 2}},
        "120000": {"2026": {"discontinued": 0}, "2027": {"discontinued": 9}},
    }
    known = {"approved": approved, "outcomes": ends}
    one = za.Scenario.model_validate(one.model_dump() | {"known": known, "closing_year": 2028, "budget_with": []})
    return one, two.model_copy(update={"budget_with": []})


@pytest.fixture(scope="module")
def plan(scenarios, panel):
    due = 300 * za.allocate(panel, scenarios[0]).quota
    rows = [(code, 2024, "甲号", int(money), 0) for code, money in due.items() if code != "120000"]
    rows += [("120000", 2024, "甲号", 5_000, 100), ("120000", 2027, "乙号", 1, 0)]
    transfers = pd.DataFrame(rows, columns=["code", "fiscal_year", "document", "amount", "netted"])
    request = za.BudgetRequest(scenarios, ["central"], transfers=transfers, as_of=DAY)
    return za.plan_budget(request, panel)


def test_known_firms_departures_and_years_enter_the_cohorts(plan):
    one, two = plan.cohorts
    assert (one.opening_year, one.closing_year, two.closing_year) == (2024, 2028, 2028)
    assert one.approved["120000"] == 17
    assert one.discontinued.columns.tolist() == [2025, 2026]  # 2027 lies after the day
    assert int(one.continued["110000"]) == int(one.approved["110000"]) - 2
    assert one.outcomes is None
    assert plan.left_out == {"outcomes": 1, "transfers": 1}
    assert (plan.award.closing_year(1), plan.award.closing_year(2), plan.award.closing_year(3)) == (2028, 2028, 2029)


def test_without_a_day_everything_that_is_entered_is_known(plan, panel):
    whole = za.plan_budget(replace(plan.request, as_of=None), panel)
    assert whole.cohorts[0].discontinued.columns.tolist() == [2025, 2026, 2027]
    assert whole.paid_years == (2024, 2027)
    assert whole.left_out == {"outcomes": 0, "transfers": 0}


def test_outcomes_of_a_unit_must_make_up_its_firms(scenarios, panel):
    one, _ = scenarios
    ends = {"120000": {"2028": {"completed": 10, "discontinued": 2}}}
    with pytest.raises(za.DataError, match=r"天津各栏合计12家、审核通过17家.*按名额测算）先填“审核结果”.*三栏留空"):
        za.plan_budget(za.BudgetRequest([one.model_copy(update={"known": one.known.model_copy(update={
            "outcomes": za.Scenario.model_validate(one.model_dump() | {"known": {"outcomes": ends}}).known.outcomes,
        })})], ["central"]), panel)  # fmt: skip


@pytest.mark.thorough
def test_past_years_stand_beside_what_was_paid_and_later_ones_beside_their_range(plan):
    table = outlook_year_table(plan)
    assert table.frame["年度"].tolist() == ["2024*", "2025*", "2028"]
    assert table.frame["性质"].tolist() == ["已下达", "未填实际下达", "测算"]
    first, last = table.frame.iloc[0], table.frame.iloc[-1]
    # 1,038 firms x 300; documents pay 天津 5,000 for its 17 firms.
    assert first[["应下达（扣回后）（万元）", "文件实际下达（万元）", "差额（万元）"]].tolist() == [
        311_400,
        311_300,
        -100,
    ]
    found = plan.outlooks[0].distribution(2028)
    assert last[["P5（万元）", "P95（万元）"]].tolist() == [found.quantile(0.05), found.quantile(0.95)]
    assert last["应下达（扣回后）（万元）"] == plan.budgets[0].ledger.by_year().at[2028, "net"]
    assert first["以企业数不变为前提"] == "第1批1,038家（已知）"


@pytest.mark.thorough
def test_what_is_known_is_told_in_sentences(plan):
    known = known_lines(plan)
    assert known[0] == "第1批已知：审核通过1,038家，2025年不再继续支持2家、2026年不再继续支持0家（2个单位已报）。"
    assert known[1] == (
        "第1批有2个单位只填了部分年度的不再继续支持企业，未填的年度（2025、2026）按没有计；如有，请在“期末结果”补填。"
    )
    assert known[2].startswith(
        "2024年应下达311,400万元，文件实际下达311,300万元，差额−100万元；36个单位相符，其余：天津−100万元（"
    )
    assert known[3:] == [
        "期末结果中有1行属于基准日（2026年11月30日）以后的年度，不算已知。",
        "实际下达中有1行属于基准日（2026年11月30日）以后的年度，不算已知。",
    ]
    assert "测算）：" not in plan_summary(plan)  # no year that is past is called an estimate
    (line,) = coming_lines(plan)
    found = plan.outlooks[0].distribution(2028)
    assert f"有90%的可能在{found.quantile(0.05):,}至{found.quantile(0.95):,}万元之间" in line


def test_the_batches_say_what_is_known_of_them(plan):
    frame = known_batch_table(plan).frame
    assert frame["审核通过依据"].tolist() == ["已知", "测算（审核通过率100%）"]
    assert frame["期末年度"].tolist() == ["2028", "2028"]
    assert frame["已不再继续支持（家）"].tolist()[0] == 2
    years = year_table(plan.full, plan.allocations).frame
    assert years.loc[years["批次"] == "第1批（已知）", "年度"].tolist() == [
        "2024*",
        "2028",
    ]  # none of 2025, when firms only left
    gaps = open_gap_table(plan).frame
    assert gaps["单位"].tolist() == ["天津"]


def test_the_table_for_people_has_the_rows_of_the_other(plan):
    one, two = (pd.read_csv(io.StringIO(text(plan)), dtype={"code": str}) for text in (plan_csv, plan_csv_shown))
    assert len(one) == len(two)
    assert one["net"].tolist() == two["实际下达（万元）"].tolist()
    assert two.iloc[0, :5].tolist() == ["全部完成", "第1批", 110000, "北京", 2024]


def texts(manuscript):
    """All sentences and cells of a manuscript."""
    blocks = [block for section in manuscript.sections for block in (section.heading, *section.blocks)]
    grids = [block for block in blocks if isinstance(block, Grid)] + [annex.grid for annex in manuscript.annexes]
    cells = [[cell.text for cell in row] for grid in grids for row in grid.rows]
    return [block for block in blocks if isinstance(block, str)], cells


@pytest.mark.thorough
def test_the_paper_says_the_conclusion_first_and_the_numbers_of_page_and_workbook(plan):
    sentences, cells = texts(budget_paper(plan))
    assert sentences[0] == "一、测算结论"
    assert sentences[1] == "（1）" + next(coming_lines(plan))
    assert [s for s in sentences if s[1:2] == "、"] == [
        "一、测算结论", "二、已知情况", "三、测算依据和假设", "四、与实际下达核对", "五、待会商事项",
    ]  # fmt: skip
    for row in outlook_year_table(plan).texts().iloc[:, 2:5].to_numpy().tolist():
        assert any(row == line[2:5] for line in cells), row
    net = plan.budgets[0].by_year()["net"]
    assert ["合计", *(f"{money:,}" for money in (*net, net.sum()))] in cells


def test_a_plan_of_which_nothing_is_known_has_no_section_without_content(panel, scenarios):
    bare = za.plan_budget(za.BudgetRequest([scenarios[1]], ["central"]), panel)
    sentences, _ = texts(budget_paper(bare))
    assert [s for s in sentences if s[1:2] == "、"] == ["一、测算结论", "二、测算依据和假设", "三、待会商事项"]
    assert "文件实际下达（万元）" not in outlook_year_table(bare).frame


@pytest.mark.thorough
def test_a_programme_alone_is_enough(panel, tmp_path):
    path = write_programme(tmp_path / "账.xlsx", za.load_scenario("2024-baseline"))

    def change(book):
        cell_of(book["批次"], {"批次": 2}, "期末年度").value = 2029
        cell_of(book["预算"], {"年度": 2024}, "测算基准日").value = "2026-11-30"
        add(book["期末结果"], {"批次": 1, "代码": "110000", "年度": 2025, "不再继续支持": 3})
        add(book["实际下达"], {"代码": "110000", "年度": 2024, "文号": "甲", "金额": 5400})

    programme = za.load_programme(edited(path, change))
    plan = za.plan_budget(programme)
    assert request_of(programme).as_of == plan.request.as_of == DAY
    assert plan.paid == {2024: 5400}
    assert plan.cohorts[0].discontinued.at["110000", 2025] == 3
    assert [c.closing_year for c in plan.cohorts] == [2027, 2029, 2029]
    # and back: what is known and the years stay in a workbook that is written from the scenario
    again = za.load_programme(write_programme(tmp_path / "又.xlsx", programme.batches[0].scenario))
    assert again.batches[0].scenario.known == programme.batches[0].scenario.known
    assert again.batches[1].closing_year == 2029


@pytest.mark.slow
@pytest.mark.needs_office
def test_a_finance_officers_workbook_gives_page_workbook_and_paper_that_agree(tmp_path, recalculated, monkeypatch):
    """Batches 1 and 2 approved, departures of 2025 and 2026, transfers and ceilings: one command, one set of numbers."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["new", "账.xlsx"])
    edited(tmp_path / "账.xlsx", _fill)
    with pytest.raises(SystemExit) as stop:
        main(["budget", "账.xlsx", "--as-of", "2026-11-30", "--ceilings", "2027=200000", "--out", "出"])
    assert stop.value.code == 0
    folder = tmp_path / "出" / "budget"
    assert {"budget.xlsx", "budget.html", "budget.docx", "budget.csv", "资金分年表.csv"} <= {
        p.name for p in folder.iterdir()
    }
    assert za.verify_run(folder) == ()
    table = pd.read_csv(folder / "budget.csv", encoding="utf-8-sig").query("assumed_outcomes == 'central'")
    net = table.groupby("fiscal_year")["net"].sum()
    page = (folder / "budget.html").read_text(encoding="utf-8")
    paper = "".join(block.text for block in docx.Document(folder / "budget.docx").paragraphs)
    for year in (2027, 2028, 2029):
        assert f"{year}年应下达（扣回后）{net[year]:,}万元" in page
        assert f"{year}年应下达（扣回后）{net[year]:,}万元" in paper
    assert "2024年应下达" in paper
    assert "差额−73万元" in page
    copy = tmp_path / "空.xlsx"
    openpyxl.load_workbook(folder / "budget.xlsx").save(copy)  # forgets the results, keeps the formulas
    book = openpyxl.load_workbook(recalculated(copy)[0], data_only=True)
    head, *body = book["分省分年"].iter_rows(min_row=3, values_only=True)
    (total,) = [dict(zip(head, row, strict=True)) for row in body if row[0] == "合计"]
    assert [total[year] for year in net.index] == net.tolist()
    (check,) = [row[1].value for row in book["假设"].iter_rows() if row[0].value == "核对（应为0）"]
    assert check == 0


def _fill(book):
    """What the officer knows; 天津 has 19 firms, and 73 万元 of its transfer are netted."""
    for batch, name in ((1, "2024-baseline"), (2, "2025-baseline")):
        for code, places in za.allocate(za.load_panel(), za.load_scenario(name)).quota.items():
            firms = 19 if (batch, code) == (1, "120000") else int(places)
            keys = {"批次": batch, "代码": code}
            cell_of(book["审核结果"], keys, "下达名额").value = firms
            cell_of(book["审核结果"], keys, "审核通过").value = firms - firms // 30
            for year in range(2024 + batch, 2027):
                add(book["期末结果"], {**keys, "年度": year, "不再继续支持": firms // 25})
            paid = 300 * (firms - firms // 30)
            if batch == 1:
                netted = {"金额": paid - 73, "其中扣回": 73} if code == "120000" else {"金额": paid}
                add(book["实际下达"], {"代码": code, "年度": 2024, "文号": "甲号", **netted})
    cell_of(book["预算"], {"年度": 2027}, "限额").value = 250000
