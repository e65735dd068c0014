"""``zjtx budget`` from shipped data: a page, a workbook, a table and the record that binds them; and its plan."""

import contextlib
import hashlib
import io
import json
import re
import shutil

import openpyxl
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.budget.frontier import frontiers
from zjtx_alloc.budget.plan import parsed_ceilings
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.figures.budget import frontier_figure
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.tables.budget import (
    affordable_table,
    bridge_table,
    frontier_table,
    reconciliation_table,
    region_table,
)

NAMES = ("2024-baseline", "2025-baseline", "2026-baseline")
FILES = {"budget.csv", "资金分年表.csv", "budget.xlsx", "budget.docx", "budget.html", "run.json", "environment.json"}
WITH_ACTUALS = FILES | {"actuals-as-given.csv"}


@pytest.fixture(scope="module")
def plan(panel):
    return za.plan_budget(za.BudgetRequest(NAMES), panel)


@pytest.fixture(scope="module")
def finished(plan, tmp_path_factory):
    """One run of the command with everything but ceilings, shared by the tests that only look at it."""
    folder = tmp_path_factory.mktemp("out")
    net = plan.budgets[0].ledger.accounts["net"]
    lines = [
        "单位,年度,文号,金额（万元）,扣回（万元）",
        f"北京,2026,12号,{net['110000', 2026]},",
        "天津,2026,12号,5700,",
    ]
    (folder / "实际.csv").write_text("\n".join(lines), encoding="utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as stop:
        main(["budget", *NAMES, "--out", str(folder), "--actuals", str(folder / "实际.csv"), "--before", "2024-baseline",
              "--tails", "200", "--tail-rate", "0.9"])  # fmt: skip
    assert stop.value.code == 0
    assert printed.getvalue().splitlines() == [str(folder / "budget")]
    return folder / "budget"


@pytest.mark.thorough
def test_the_command_writes_its_files_and_nothing_else(finished):
    assert {path.name for path in finished.iterdir()} == WITH_ACTUALS


@pytest.mark.thorough
def test_the_table_holds_every_assumption_in_whole_wan(finished):
    table = pd.read_csv(finished / "budget.csv", dtype={"code": str}, encoding="utf-8-sig")
    assert ",".join(table) == "assumed_outcomes,batch,code,fiscal_year,commitment,due,recovered,net,direct,empowerment"
    assert table["assumed_outcomes"].unique().tolist() == ["all_completed", "central", "optimistic", "stress"]
    sums = table[table["batch"] == "1"].groupby(["assumed_outcomes", "fiscal_year"])["net"].sum()
    assert sums.loc[("all_completed", [2024, 2027])].tolist() == [311_700, 311_700]  # 1,039 x 300
    assert sums.loc[("central", [2024, 2027])].tolist() == [311_700, 162_000]  # 623 x 300 - 83 x 300
    assert table["code"].str.len().eq(6).all()


@pytest.mark.thorough
def test_the_page_shows_the_whole_budget(finished):
    page = (finished / "budget.html").read_text(encoding="utf-8")
    assert "2024-baseline、2025-baseline、2026-baseline" in page
    for title in (
        "资金分年表",
        "各情景分年实际下达",
        "资金分年可能范围",
        "分地区分年资金",
        "资金变动表",
        "各批次期限表",
        "对账表",
    ):
        assert title in page
    for told in (
        "乐观情景，非官方口径",
        "压力情景，非官方口径",
        "上次为第1批",
        "上一轮尾款按每家每年200万元",
        "少于台账",
    ):
        assert told in page
    assert page.count("<img") >= 4
    assert not re.findall(r"""src\s*=\s*["']?(?!data:)[^"'\s>]+|@import|url\((?!data:)""", page)
    assert "za.plan_budget" not in page


@pytest.mark.thorough
def test_the_workbook_reconciles_and_counts_the_tails_in(finished):
    book = openpyxl.load_workbook(finished / "budget.xlsx", data_only=True)
    found = {row[0]: row for row in book["对账"].iter_rows(min_row=4, values_only=True)}
    assert found["北京"][4:7] == (0, "12号", "相符")
    assert (found["天津"][4], found["天津"][6]) == (5700 - 6000, "少于台账")
    assert (found["上海"][4], found["上海"][6]) == (None, "未见文件")
    assert {"上一轮第一批第三年"} <= {row[1] for row in book["台账"].iter_rows(values_only=True)}


@pytest.mark.thorough
def test_the_record_binds_outputs_and_inputs(finished):
    record, environment = (
        json.loads((finished / f"{n}.json").read_text(encoding="utf-8")) for n in ("run", "environment")
    )
    for found in (record["outputs"], environment["outputs"]):
        for name, digest in found.items():
            assert hashlib.sha256((finished / name).read_bytes()).hexdigest() == digest
    assert set(record["outputs"]) | set(environment["outputs"]) == WITH_ACTUALS - {"run.json", "environment.json"}
    assert {"actuals", "data/facts.csv", "data/policy/deadlines.csv"} <= set(record["inputs"])
    assert record["outcomes"]["stress"]["completed"]["mean"] == "0.50"
    assert (set(record["scenarios"]), set(record["before"])) == (set(NAMES), {"2024-baseline"})
    assert record["tails"] == {"payment": 200, "rate": "0.9"}


@pytest.mark.slow
def test_the_same_budget_gives_the_same_bytes_with_ceilings_too(write_scenario, tmp_path):
    write_scenario('extends = "2024-baseline"\ntotal = 60\n[floor]\ndefault = 0\n', "small.toml")
    request = za.BudgetRequest([tmp_path / "small.toml", "2025-baseline"], ["central"], {2027: 12_000}, "0.95")
    one, two = (za.run_budget(request, tmp_path / name).folder for name in ("a", "b"))
    for name in FILES:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    page = (one / "budget.html").read_text(encoding="utf-8")
    assert "限额下可承受的批次规模" in page
    assert "2027年12,000万元" in page


def test_expected_outcomes_by_hand(allocation):
    # 10, 3 and 1 firms at 0.6: 8.4 -> 8 of 14; whole parts 6, 1, 0 and the largest remainder (.8, then .6).
    # Others 4, 1, 1 at 0.2: 1.2 -> 1; the remainders are .8, .2, .2. Left 3, 1, 1 at 3/8: 1.875 -> 2.
    cohort = za.Cohort("1", pd.Series([10, 3, 1], index=pd.Index(["a", "b", "c"], name="code")), 2024, 2027)
    (told,) = za.expected_cohorts((cohort,), za.load_outcomes("central"))
    assert told.outcomes["completed"].tolist() == [6, 2, 0]
    assert told.outcomes["under_invested"].tolist() == [1, 0, 0]
    assert told.discontinued[2027].tolist() == [1, 1, 0]
    assert told.outcomes["missed"].tolist() == [2, 0, 1]
    assert "非官方口径" in told.assumption


def test_firms_known_to_have_left_stay_so(allocation):
    # 10 firms of which 2 left in 2025, by the first of two evaluations; one state. 8 at .6/.94 are 5 (5.1); of 3 others
    # .2/.85 -> 1 under-invested (.7), of 2 others .15/.65 -> none leaves (.46).
    firms = pd.Series([10], index=pd.Index(["120000"], name="code"))
    left = pd.DataFrame({2025: [2]}, index=firms.index)
    declared = za.load_outcomes("central").model_copy(update={"rho_nation": "0"})
    (told,) = za.expected_cohorts((za.Cohort("1", firms, 2024, 2027, discontinued=left),), declared)
    assert told.discontinued.to_dict("list") == {2025: [2], 2027: [0]}
    assert told.outcomes.to_dict("list") == {"completed": [5], "missed": [2], "under_invested": [1]}


def test_known_outcomes_and_tails_stay(panel, allocation):
    (cohort,) = za.cohorts(allocation)
    known = pd.DataFrame({"completed": cohort.approved, "missed": 0, "under_invested": 0})
    cohort = za.Cohort("1", cohort.approved, 2024, 2027, known)
    cohorts = (cohort, *za.tails(panel, 143))
    assert all(a is b for a, b in zip(cohorts, za.expected_cohorts(cohorts, za.load_outcomes("stress")), strict=True))


def test_one_scenario_brings_its_companions_and_several_are_taken_as_they_are(panel):
    assert len(za.plan_budget(za.BudgetRequest(["2024-baseline"]), panel).allocations) == 3
    assert len(za.plan_budget(za.BudgetRequest(["2025-baseline", "2024-baseline"]), panel).allocations) == 2


def test_tails_of_any_amount_are_certain_money_beside_the_batches(panel):
    request = za.BudgetRequest(NAMES, ["central"], tail_payment=143)
    outlook = za.plan_budget(request, panel).outlooks[0]
    found = outlook.distribution(2024)
    assert outlook.step == 300
    assert found.values.tolist() == [311_700 + (409 + 398) * 143]
    assert outlook.distribution(2024, "recovered").values.tolist() == [0]
    region = outlook.table("region").query("fiscal_year == 2024 and measure == 'net'")
    assert region["mean"].sum() == found.mean


def test_the_horizon_ends_tables_and_says_what_lies_beyond(panel):
    plan = za.plan_budget(za.BudgetRequest(NAMES, ["central"], horizon=2027), panel)
    assert plan.full.by_year().index.tolist() == [2024, 2025, 2026, 2027]
    assert plan.full.beyond == 2 * 372_300
    assert plan.outlooks[0].table()["fiscal_year"].max() == 2027
    assert set(region_table(plan).frame["年度"]) == {"2024*", "2025*", "2026", "2027"}


def test_a_horizon_before_all_money_is_refused(panel):
    with pytest.raises(za.DataError, match="截止年度须为不早于首个资金年度 2024 的整数年份，现为 2023"):
        za.plan_budget(za.BudgetRequest(NAMES, ["central"], horizon=2023), panel)


@pytest.mark.thorough
def test_the_bridge_leads_from_what_is_stated_and_sums(panel, plan):
    table = bridge_table(plan)
    assert "没有给出上次测算" in "".join(table.notes)
    sums = table.frame.set_index("变动原因")["合计（万元）"]
    assert sums["全部完成"] == 2_112_600
    assert sums.iloc[:-1].sum() == sums["本次"] == plan.budgets[0].by_year()["net"].sum()
    fewer = za.load_scenario("2026-baseline").model_copy(update={"total": 1000})
    moved = za.plan_budget(za.BudgetRequest(NAMES, ["central"], before=[*NAMES[:2], fewer]), panel)
    sums = bridge_table(moved).frame.set_index("变动原因")["2026年（万元）"]
    assert sums.to_dict() == {"上次": 300_000, "批次规模": 72_300, "本次": 372_300}
    assert "未列出的因素各年金额均无变动：审核通过、奖补标准、下达年度、期末结果、收回与清算。" in "".join(
        bridge_table(moved).notes
    )


def test_affordable_totals_of_the_batches_that_ceilings_concern(panel, baseline):
    small = baseline.model_copy(update={"total": 40, "floor": {"default": 0}, "budget_with": []})
    # 2024: 50 firms open at 300; the closing is unlimited. 2025 is no year of this batch.
    found = za.plan_budget(za.BudgetRequest([small], ["central"], {2024: 15_299}), panel)
    table = affordable_table(found).frame
    assert table[["批次", "名额总量", "可承受规模（家）"]].to_numpy().tolist() == [["第1批", 40, 50]]
    none = za.plan_budget(za.BudgetRequest([small], ["central"], {2024: 100}), panel)
    assert pd.isna(affordable_table(none).frame["可承受规模（家）"].item())


@pytest.mark.thorough
def test_two_years_over_at_once_still_afford_what_each_batch_can_have(panel):
    # 300,000 / 300 = 1,000 firms of batch 1, 350,000 / 300 = 1,166 of batch 2: together they keep both.
    found = za.plan_budget(za.BudgetRequest(NAMES[:2], ["central"], {2024: 300_000, 2025: 350_000}), panel)
    table = affordable_table(found)
    assert table.frame[["批次", "名额总量", "可承受规模（家）", "守住限额的概率"]].to_numpy().tolist() == [
        ["第1批", 1039, 1000, pytest.approx(1)],
        ["第2批", 1241, 1166, pytest.approx(1)],
    ]
    assert "本批有资金的年度" in "".join(table.notes)


def test_tails_take_their_part_of_a_ceiling(panel, baseline):
    # 807 firms of the first round at 200 leave 15,000 of 176,400: 50 firms.
    small = baseline.model_copy(update={"total": 40, "floor": {"default": 0}, "budget_with": []})
    request = za.BudgetRequest([small], ["central"], {2024: 807 * 200 + 15_000}, tail_payment=200)
    assert za.plan_budget(request, panel).affordable()["affordable"].tolist() == [50]


def test_the_reconciliation_table_speaks_chinese(plan):
    ledger = plan.budgets[0].ledger
    row = pd.DataFrame(
        [["北京", 2024, "359号", ledger.accounts.at[("110000", 2024), "net"]]], columns=["单位", "年度", "文号", "金额"]
    )
    frame = reconciliation_table(plan, za.reconcile(ledger, row)).frame.set_index("单位")
    assert frame.loc["北京", ["差额（万元）", "状态", "可能原因"]].tolist() == [0, "相符", ""]
    assert frame.loc["天津", "可能原因"] == "未见该单位该年度的下达文件"


def test_the_frontier_of_two_batches_is_a_table_and_a_figure(panel, baseline):
    one = baseline.model_copy(update={"total": 60, "floor": {"default": 0}, "budget_with": []})
    two = za.load_scenario("2025-baseline").model_copy(update={"total": 50, "floor": {"default": 0}, "budget_with": []})
    plan = za.plan_budget(za.BudgetRequest([one, two], ["central"], {2024: 15_000, 2025: 12_299}), panel)
    ((batches, found),) = frontiers(plan).items()
    table = frontier_table(plan, batches, found)
    assert table.title == "限额下第1批与第2批可同时承受的规模"
    assert table.frame.to_numpy().tolist() == [[50, 40, pytest.approx(1)]]
    assert table.frame.columns.tolist() == ["第1批规模（家）", "第2批规模（家）", "守住限额的概率"]
    assert "2024、2025年的限额均不能以0.9的概率守住时" in table.notes[0]
    assert "现有规模为第1批60家、第2批50家。" in table.notes[0]
    axes = frontier_figure(found, (60, 50), table.notes[0]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["50、40", "现有规模"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2024=311700,2027=20", "2027=20：20 是否为亿元？年度限额以万元计，20亿元应写 200000"),
        ("2027=2000000000", "2027=2000000000：2000000000 是否为元？年度限额以万元计，2000000000元应写 200000"),
    ],
)
def test_a_ceiling_in_another_measure_is_asked_about(typed, said):
    with pytest.raises(za.DataError, match=re.escape(said)):
        parsed_ceilings(typed)


def test_ceilings_are_read_as_they_are_typed():
    assert parsed_ceilings("2027=1000,2028=0,2029=10000000") == {2027: 1000, 2028: 0, 2029: 10**7}
    assert parsed_ceilings(" 2024=311700，2027 = 250000,") == {2024: 311_700, 2027: 250_000}


def test_nothing_is_an_amount_of_money():
    request = za.BudgetRequest(NAMES, ceilings={2024: 0}, tail_payment=0, tail_rate="0.5")
    assert (request.ceilings, request.tail_payment) == ({2024: 0}, 0)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "缺少参数 SCENARIOS"),
        (["2024-baseline", "2024-baseline"], 1, "同为第1批"),
        (["2023-baseline"], 1, "没有名为“2023-baseline”的情景"),
        ([*NAMES, "--outcomes", "中性"], 1, "没有名为“中性”的期末结果假设；可用：central、optimistic、stress"),
        ([*NAMES, "--outcomes", "central,central"], 1, "期末结果假设的文件名或标题重复"),
        ([*NAMES, "--outcomes", ","], 1, "至少给出一个情景和一个期末结果假设"),
        ([*NAMES, "--ceilings", "2024:311700"], 1, "写法如 2024=311700,2027=250000；现为 2024:311700"),
        ([*NAMES, "--ceilings", "2035=100000"], 1, "2035 年没有资金；有资金的年度：2024、2025、2026、2027、2028、2029"),
        ([*NAMES, "--confidence", "九成"], 1, "把握程度（confidence）须为大于0、不大于1的小数，现为 九成"),
        ([*NAMES, "--tails", "二百"], 2, "选项 --tails 的取值不对"),
        ([*NAMES, "--tails", "-1"], 1, "上一轮尾款每家金额须为非负整数"),
        ([*NAMES, "--tail-rate", "0.9"], 1, "继续支持比例 0.9，但没有给出上一轮尾款每家金额"),
        ([*NAMES, "--tails", "200", "--tail-rate", "1.5"], 1, "须为0到1之间的小数，现为 1.5"),
        ([*NAMES, "--actuals", "没有.csv"], 1, "找不到数据文件 没有.csv"),
        ([*NAMES, "--before", "2023-baseline"], 1, "没有名为“2023-baseline”的情景"),
        ([*NAMES, "--actuals", "reports/budget/budget.xlsx"], 1, "将被本次输出覆盖"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_chinese_message_and_writes_nothing(capsys, empty, arguments, code, said):
    with pytest.raises(SystemExit) as stop:
        main(["budget", *arguments])
    output = capsys.readouterr()
    assert (stop.value.code, output.out) == (code, "")
    assert said in output.err
    assert len(output.err.splitlines()) == 1
    assert list(empty.iterdir()) == []


@pytest.mark.thorough
def test_the_index_finds_the_books_of_the_budget_right(finished, tmp_path):
    out = shutil.copytree(finished.parent, tmp_path / "out")
    page = write_index(out).read_text(encoding="utf-8")
    table = pd.read_csv(finished / "budget.csv", encoding="utf-8-sig")
    due = table.loc[table["assumed_outcomes"] == "all_completed", "due"].sum()
    assert f"✓ 应下达 {due:,} 万元（全部完成），逐行等于直接拨付企业与培育赋能之和" in page
    assert "✗" not in page
    table.loc[700, "direct"] += 1
    table.to_csv(out / "budget" / "budget.csv", index=False, encoding="utf-8-sig")
    assert "✗ 应下达" in write_index(out).read_text(encoding="utf-8")
    for column in ("due", "direct"):  # typed over by hand
        typed = table.astype({column: object})
        typed.loc[700, column] = "约一万"
        typed.to_csv(out / "budget" / "budget.csv", index=False, encoding="utf-8-sig")
        assert "无法核对合计" in write_index(out).read_text(encoding="utf-8")
