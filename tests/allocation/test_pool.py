"""A user's 可推荐企业数 cap the batch that they are of, in every way to its quota, and no other batch."""

import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.allocate import problem_at, unit_bounds
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.notes.marks import allocation_summary, budget_notes
from zjtx_alloc.report.tables.allocation import rule_table
from zjtx_alloc.report.tables.plan import plan_notes

JIANGSU = "320000"


@pytest.fixture
def counts(tmp_path):
    """A user's table of 可推荐企业数: as many for every unit, but for those that are named."""

    def write(each, **named):
        names = za.load_panel().units["short_name"]
        path = tmp_path / "可推荐.csv"
        path.write_text("单位,可推荐企业数\n" + "".join(f"{n},{named.get(n, each)}\n" for n in names), encoding="utf-8")
        return path

    return write


@pytest.fixture
def capped(counts, baseline):
    return za.allocate(za.load_panel(counts(1000, 江苏=100)), baseline)


def test_a_count_is_a_cap_that_is_named_where_it_binds(capped, panel, baseline):
    assert za.allocate(panel, baseline).quota[JIANGSU] == 110
    assert capped.quota[JIANGSU] == 100
    assert capped.quota.sum() == 1039
    assert capped.table().at[JIANGSU, "binds"] == "可推荐企业数"
    assert "起作用的约束是江苏上限 100（可推荐企业数）" in str(za.explain(capped, "江苏"))
    lines = allocation_summary(capped).split("\n")
    assert lines[1] == "- 第1批各单位名额以用户提供的可推荐企业数（37个单位，合计36,100家）为上限。"
    rules = rule_table(capped)
    assert rules.frame.set_index(rules.frame.columns[0]).loc["可推荐企业数"].tolist()[1:] == ["江苏"]
    assert not any("未设“可推荐企业数”上限" in note for note in rules.notes)


def test_it_equals_the_cap_that_a_scenario_would_set(capped, panel, baseline):
    typed = baseline.model_copy(update={"cap": {JIANGSU: 100}})
    assert capped.quota.equals(za.allocate(panel, typed).quota)
    assert problem_at(capped, 1000).cap[JIANGSU] == 100
    assert za.quota_problem(capped.panel, baseline).cap[JIANGSU] == 100


def test_companions_are_not_capped_and_that_is_said(counts, panel, baseline):
    own = za.load_panel(counts(1000, 江苏=100))
    free = [a.quota[JIANGSU] for a in za.allocate_programme(panel, baseline)]
    programme = za.allocate_programme(own, baseline)
    assert [a.quota[JIANGSU] for a in programme] == [100, *free[1:]]
    budget = za.forecast_budget(za.cohorts(*programme), za.load_award(baseline.award))
    assert "用户提供的可推荐企业数只约束其所属批次，第2批、第3批不受其限。" in budget_notes(budget, programme)


@pytest.mark.thorough
def test_allocation_plan_and_budget_of_a_later_batch_agree_on_whose_counts_they_are(counts):
    own, second = za.load_panel(counts(1000, 江苏=100)), za.load_scenario("2025-baseline")
    programme = za.allocate_programme(own, second)
    assert [a.pooled for a in programme] == [False, True, False]
    assert programme[1].quota[JIANGSU] == 100
    planned = za.plan([a.scenario for a in programme], own, own=2)
    assert planned.quota.at[JIANGSU, 2] == 100
    assert planned.quota.at[JIANGSU, 1] > 100
    assert any(note.startswith("“可推荐企业数”（用户提供）只约束第2批；") for note in plan_notes(planned))
    several = za.plan_budget(za.BudgetRequest(scenarios=["2025-baseline", "2026-baseline"]), own)
    assert [a.quota[JIANGSU] for a in several.allocations] == [100, 157]
    compared = za.compare([second, za.load_scenario("2026-baseline")], own)
    assert compared.quota.loc[JIANGSU].tolist() == [100, 157]


@pytest.mark.thorough
def test_too_few_firms_for_the_total_are_infeasible_and_the_message_says_which_counts(counts, baseline):
    own = za.load_panel(counts(20))
    with pytest.raises(za.InfeasibleError) as stop:
        za.allocate(own, baseline)
    assert "可推荐企业数合计只够安排740家，少于名额总量1039；请核对因素表中的可推荐企业数，或减少总量" in str(
        stop.value
    )
    assert stop.value.diagnosis.conflict.with_total
    assert za.allocate(own, baseline.model_copy(update={"total": 740})).quota.eq(20).all()


def test_a_decided_quota_above_the_count_is_an_error(counts, baseline):
    fixed = za.Scenario.model_validate(
        {"name": "f"} | baseline.resolved() | {"fixed": {JIANGSU: {"quota": 101, "reason": "会商"}}}
    )
    with pytest.raises(za.ScenarioError, match="江苏的人工调整名额 101 大于用户提供的可推荐企业数 100"):
        za.allocate(za.load_panel(counts(1000, 江苏=100)), fixed)
    assert za.allocate(za.load_panel(counts(1000, 江苏=101)), fixed).quota[JIANGSU] == 101


def test_the_floor_for_all_yields_and_a_units_own_does_not(counts, baseline):
    own = za.load_panel(counts(1000, 西藏=0))
    assert za.allocate(own, baseline).quota["540000"] == 0
    with pytest.raises(za.InfeasibleError, match="西藏 的下限 2 大于上限 0"):
        za.allocate(own, baseline.model_copy(update={"floor": {"default": 1, "540000": 2}}))
    bounds = unit_bounds(own, baseline)
    assert bounds.loc["540000", ["floor", "cap", "cap_from"]].tolist() == [0, 0, "可推荐企业数"]


def test_a_count_of_firms_is_whole_and_not_estimated(tmp_path, baseline):
    rows = [*za.load_panel().units["short_name"]]
    whole = "".join(f"{name},1000,\n" for name in rows if name not in ("广东", "深圳")) + "广东,3001,省级合计\n"
    path = tmp_path / "省级.csv"
    path.write_text("单位,可推荐企业数,口径\n" + whole, encoding="utf-8")
    with pytest.raises(
        za.DataError, match=r"可推荐企业数须逐个单位填写整数，下列单位不是，或由省级合计估算：广东.*深圳"
    ):
        za.allocate(za.load_panel(path), baseline)


def test_commands_say_first_what_they_used(counts, capsys):
    path = counts(1000, 江苏=100)
    with pytest.raises(SystemExit):
        main(["explain", "2024-baseline", "江苏", "--data", str(path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "第1批各单位名额以用户提供的可推荐企业数（37个单位，合计36,100家）为上限。"
    assert "2024年第一批基准情景：江苏的名额为100家。" in lines[1:5]
