"""A composite as a factor: the same as the plain factor where it must be, marks carried over, files, tables."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import zjtx_alloc as za
from zjtx_alloc.allocation import composite
from zjtx_alloc.report.notes.marks import marks_note
from zjtx_alloc.report.notes.user_data import supply_record
from zjtx_alloc.report.report_xlsx.model import Model
from zjtx_alloc.report.tables import allocation as allocation_tables
from zjtx_alloc.report.tables.sweep import uncertain_table

EXAMPLE = Path(__file__).parents[2] / "docs" / "composite.toml"
SHARE = {"kind": "share"}


def line(weight=None, period="2020", **lines):
    given = {"weight": weight} if weight else {}
    return {"period": period, "direction": 1, "normalisation": SHARE} | given | lines


def index(**parts):
    return {"title": "指数", "aggregation": "arithmetic", "parts": parts}


def scenario(recipes=None, **changes):
    plain = {"name": "toy", "title": "toy", "batch": 1, "total": 100}
    composed = {"factors": {"index": {"weight": 1.0}}, "composites": {"index": recipes}} if recipes else {}
    return za.Scenario(**plain | composed | changes)


@pytest.fixture(scope="module")
def example():
    return za.load_scenario(EXAMPLE)


@pytest.fixture(scope="module")
def toy(toy_panel):
    """Three units; gdp 60, 30, 10 and population 10, 30, 10; the second unit's gdp is estimated."""
    panel = toy_panel(gdp=[60, 30, 10], population=[10, 30, 10])
    cells = panel.cells.copy()
    cells.loc[("gdp", "2020", panel.units.index[1]), "estimated"] = True
    return replace(panel, cells=cells)


def test_a_composite_of_two_shares_is_the_two_factors(toy):
    # gdp shares .6 .3 .1, population shares .2 .6 .2, half each: .40 .45 .15
    found = za.entitlement(toy, scenario(index(gdp=line(0.5), population=line(0.5))))
    assert found.places.tolist() == pytest.approx([40, 45, 15], abs=1e-12)
    assert found.contributions["index"].tolist() == pytest.approx([40, 45, 15], abs=1e-12)
    # The second unit's whole score is marked, since one of its cells is estimated.
    assert found.estimated.tolist() == [0, 1, 0]
    assert found.estimated_share == pytest.approx(0.45)


SHIPPED = za.load_panel()
FULL = [(c, p) for c in ("little_giants", "sme_count", "rd_active_firms", "gdp", "population", "hightech_firms", "local_tax_revenue")
        for p in SHIPPED.periods(c) if len(SHIPPED.known(c, p)) == 37]  # fmt: skip


@pytest.mark.parametrize(("code", "period"), FULL)
def test_one_indicator_by_shares_is_the_plain_factor_to_the_last_digit(panel, baseline, code, period):
    """Scores are floats, facts are not: a rounding or two lie between."""
    made = baseline.model_dump() | {"name": "toy", "factors": {"index": {"weight": 1.0}}, "uncertainty": {}}
    composed = za.Scenario(**made | {"composites": {"index": index(**{code: line(1.0, period)})}})
    plain = za.Scenario(**made | {"factors": {code: {"weight": 1.0, "period": period}}})
    found, due = za.entitlement(panel, composed), za.entitlement(panel, plain)
    for field in ("places", "share", "estimated"):
        np.testing.assert_allclose(getattr(found, field), getattr(due, field), 2**-51, 0)
    np.testing.assert_allclose(found.contributions["index"], due.contributions[code], 2**-51, 0)


@pytest.mark.thorough
@given(values=st.lists(st.integers(0, 10**9), min_size=5, max_size=5).filter(any))
def test_law_one_indicator_by_shares_is_the_plain_factor_to_the_last_digit(toy_panel, values):
    panel = toy_panel(gdp=values)
    plain = scenario(factors={"gdp": {"period": "2020", "weight": 1.0}})
    found, due = za.entitlement(panel, scenario(index(gdp=line(1.0)))), za.entitlement(panel, plain)
    np.testing.assert_allclose(found.places, due.places, 2**-51, 0)


def test_stand_ins_at_any_depth_are_marked(toy):
    node = index(gdp=line(1.0, stand_in_for="sme_count")) | {"title": "节点"}
    recipes = {"index": index(node={"weight": 1.0, "direction": 1}), "node": node}
    found = za.entitlement(toy, scenario(factors={"index": {"weight": 1.0}}, composites=recipes))
    assert found.stand_in.tolist() == [1, 1, 1]
    assert za.compose(toy, scenario(factors={"index": {"weight": 1.0}}, composites=recipes), "index").stand_ins == (
        "gdp",
    )
    strange = index(gdp=line(1.0, stand_in_for="smes"))
    with pytest.raises(za.ScenarioError, match=r"gdp 的 stand_in_for“smes”"):
        za.entitlement(toy, scenario(strange))


def test_forbidden_estimates_are_named(toy):
    with pytest.raises(za.DataError, match=r"但 指数 的下列单位为估算：天津"):
        za.entitlement(toy, scenario(index(gdp=line(1.0)), allow_estimates=False))
    assert za.entitlement(toy, scenario(index(population=line(1.0)), allow_estimates=False)).estimated_share == 0


def test_scores_that_cannot_be_shared_out_are_refused(toy):
    z = index(gdp=line(1.0, normalisation={"kind": "z"}))
    with pytest.raises(
        za.DataError, match=r"综合指数“指数”的得分 的下列单位为负数，无法计算占比：天津、河北；.*mean、sd"
    ):
        za.entitlement(toy, scenario(z))
    declared = index(gdp=line(1.0, normalisation={"kind": "z", "mean": 50.0, "sd": 10.0}))
    assert za.entitlement(toy, scenario(declared)).places.sum() == pytest.approx(100)
    nothing = index(gdp=line(1.0, normalisation={"kind": "target", "base": 100.0, "target": 200.0}))
    with pytest.raises(za.DataError, match=r"综合指数“指数”的得分 各单位合计为0"):
        za.entitlement(toy, scenario(nothing))


@pytest.fixture(scope="module")
def found(panel, example):
    return za.allocate(panel, example)


def test_the_example_is_allocated_to_the_last_place(found, panel, example):
    table = found.table()
    assert found.quota.sum() == 1039
    assert found.entitlement.places.sum() == pytest.approx(1039)
    # By hand for 北京: each part's share, the two shares' mean and the geometric mean with its offset.
    spend, firms, kept = (panel.values(c, p) for c, p in (
        ("industrial_rd_spend", "2023"), ("hightech_firms", "2020"), ("first_round_continued_r1_sum", "2024-04")))  # fmt: skip
    spend = spend.clip(upper=sorted(spend)[-3])
    node = (spend / spend.sum() + firms / firms.sum()) / 2
    score = ((kept / kept.sum() + 0.001) * (node + 0.001)) ** 0.5 - 0.001
    assert za.compose(panel, example, "performance_index").score["110000"] == pytest.approx(score["110000"])
    assert found.entitlement.contributions["performance_index"].tolist() == pytest.approx((0.2 * 1039 * score / score.sum()).tolist())  # fmt: skip
    assert set(table.loc[table["estimated"] != "", "short_name"]) >= {"大连", "宁波", "厦门", "青岛", "深圳", "兵团"}
    assert "培育绩效" in za.explain(found, "广东").text


def test_the_example_bears_ranges_of_its_weights(panel, example):
    table = za.weight_range(panel, example).table
    places = za.entitlement(panel, example).places
    assert (table["entitlement_min"] <= places + 1e-9).all()
    assert (places <= table["entitlement_max"] + 1e-9).all()


@pytest.mark.thorough
def test_a_sweep_draws_errors_of_the_score_itself(panel, example):
    """As a cell of the panel: whoever takes a draw out of the sweep must not have the score computed again."""
    swept = za.sweep(panel, example, draws=60)
    drawn = [swept.at(draw) for draw in range(0, 60, 19)]
    for draw, (facts, scenario) in zip(range(0, 60, 19), drawn, strict=True):
        assert (za.allocate(facts, scenario).quota.to_numpy() == swept.quotas[draw]).all()
    scores = swept.allocation.panel.values("performance_index", "")
    moved = drawn[0][0].values("performance_index", "抽样") / scores
    assert 0.01 < (moved - 1).abs().max() <= 0.2 + 1e-7
    assert "综合指数的误差直接加在得分上" in "".join(uncertain_table(swept).notes)


def test_tables_of_the_example(found, panel):
    tables = allocation_tables.composite_tables(found)
    assert [table.title for table in tables] == [
        f"{kind}：{name}"
        for name in ("培育绩效", "研发基础")
        for kind in ("综合指数的组成", "综合指数", "综合指数相关系数")
    ]
    parts, scores, correlations = (table.frame for table in tables[3:])
    assert parts["处理"].tolist() == ["缩尾（低0、高2）", "—"]
    assert parts["归一化"].tolist() == ["占比", "占比"]
    assert parts["实际影响"].sum() == pytest.approx(1)
    assert scores.iloc[:, 1:3].sum(axis=1).tolist() == pytest.approx(scores["得分"].tolist())
    assert correlations.shape == (3, 4)
    assert (
        "上一轮绩效评价后继续支持企业数 0.500、规模以上工业企业R&D经费 0.250、规模以上高技术制造业企业数 0.250"
        in tables[0].notes[1]
    )
    assert all(len(table.title) <= 31 for table in tables)
    assert allocation_tables.composite_tables(za.allocate(panel, za.load_scenario("2024-baseline"))) == []


def test_composites_are_computed_once(panel, example, monkeypatch):
    weighed, known = [], composite.steps.weights_of
    monkeypatch.setattr(
        composite.steps, "weights_of", lambda recipe, *rest: weighed.append(recipe.title) or known(recipe, *rest)
    )
    tables = allocation_tables.composite_tables(za.allocate(panel, example))
    assert sorted(weighed) == ["培育绩效", "研发基础"]
    assert len(tables) == 6


def test_the_report_names_what_a_composite_rests_on(found):
    factors = allocation_tables.factor_table(found).frame
    assert factors["因素"].tolist()[-1] == "培育绩效"
    used = {source for code, line in found.scenario.grounds("performance_index", found.scenario.factors["performance_index"])
            for source in found.panel.column(code, line.period)["source"]}  # fmt: skip
    assert len(used) == 3
    assert set(factors["发布单位"].iloc[-1].split("、")) == set(found.panel.sources.loc[list(used), "publisher"])
    assert used <= set(allocation_tables.source_table(found).frame["来源"])
    assert "规模以上工业企业R&D经费" in set(allocation_tables.estimate_table(found).frame["因素"])
    record = supply_record(found.panel, found.scenario)["shipped"]
    assert record["industrial_rd_spend"] == "2023"
    assert "performance_index" not in record


def test_filled_cells_are_told(toy):
    gone = replace(toy, cells=toy.cells.drop(("population", "2020", toy.units.index[0])))
    made = scenario(index(gdp=line(0.5), population=line(0.5, missing="median")))
    assert marks_note(za.allocate(gone, made))[-1] == "补缺：年末常住人口 2020缺北京，按情景写明的规则补足，作估算计。"


def test_a_scenario_with_composites_is_saved_and_read_back(example, tmp_path):
    saved = za.load_scenario(za.save_scenario(example, tmp_path / "composite.toml"))
    assert saved.model_dump() == example.model_dump()
    assert "period" not in tomllib.loads((tmp_path / "composite.toml").read_text(encoding="utf-8"))["factors"]["performance_index"]  # fmt: skip


def test_the_example_rests_on_published_counts_no_more_than_the_baseline_does(example):
    # It called itself 培育绩效 without saying that it stands in for it: 34.7 % then seemed to rest on published counts.
    plain, composed = (
        za.allocate(za.load_panel(), one).entitlement for one in (za.load_scenario("2024-baseline"), example)
    )
    assert composed.rests_on_share["known"] == pytest.approx(plain.rests_on_share["known"], abs=0.005)
    assert composed.stand_in_share == pytest.approx(0.2, abs=0.005)


def test_a_score_in_the_workbook_says_what_it_rests_on(example):
    model = Model(za.Results(za.load_panel(), example))
    (line,) = [one for one in model.lines if one.code == "performance_index"]
    texts = list(model.basis[line.number].values())
    assert (texts.count("代用，公布"), texts.count("代用，估算")) == (25, 12)


def test_a_stand_in_beneath_a_composite_is_ended(example, write_scenario):
    first = write_scenario(f'extends = "{EXAMPLE}"\n[composites.innovation.parts.hightech_firms]\nstand_in_for = "above_scale_firms"')  # fmt: skip
    second = write_scenario(f'extends = "{first.name}"\nend_stand_in = ["above_scale_firms"]', "second.toml")
    parts = za.load_scenario(second).composites["innovation"].parts
    assert list(parts) == ["industrial_rd_spend", "above_scale_firms"]
    assert parts["above_scale_firms"].stand_in_for is None


TOP = "composites.performance_index"
SPEND = "[composites.innovation.parts.industrial_rd_spend]"
WRONG = {
    "unknown mean": (f'[{TOP}]\naggregation = "sum"', f"{TOP}.aggregation = sum：可用：arithmetic、geometric、harmonic、median"),
    "unknown line": (f'[{TOP}]\nmethod = "x"', "没有这一项；可用：title、aggregation、weights、offset、parts"),
    "unknown line of a part": (f"{SPEND}\nscale = 1", "可用：period、weight、direction、stand_in_for、missing、treatment、normalisation"),
    "unknown line of a normalisation": (f'{SPEND}\nnormalisation = {{ kind = "z", std = 1 }}', "可用：kind、mean、sd、base、target、bands"),
    "unknown line of a treatment": (f"{SPEND}\ntreatment = {{ trim = 1 }}", "可用：winsorise_low、winsorise_high、log_offset"),
    "direction": (f"{SPEND}\ndirection = 2", "direction = 2：可用：1、-1"),
    "no direction": ("[composites.innovation.parts.gdp]\nperiod = '2020'\nnormalisation = { kind = 'share' }", "parts.gdp.direction：缺少此项"),
    "title": (f'[{TOP}]\ntitle = "{"长" * 17}"', "不能超过16个字"),
    "title of a sheet": (f'[{TOP}]\ntitle = "甲/乙"', "不能含 [ ] : * ? / \\ ' { }：甲/乙"),
    "title twice": (f'[{TOP}]\ntitle = "研发基础"', "title 重复：研发基础"),
    "half a rescaling": (f'{SPEND}\nnormalisation = {{ kind = "z", mean = 1.0 }}', "归一化 z 除 kind 外应写：无，或 mean、sd"),
    "no target": (f'{SPEND}\nnormalisation = {{ kind = "target" }}', "归一化 target 除 kind 外应写：base、target"),
    "target the wrong way": (f'{SPEND}\nnormalisation = {{ kind = "target", base = 9, target = 1 }}', "base（9，计0分）与 target（1，计1分）"),
    "bands out of order": (f'{SPEND}\nnormalisation = {{ kind = "bands", bands = [[1, 50], [2, 100]] }}', "bands 的界限须按 direction 由优到劣"),
    "bands too fine": (f'{SPEND}\nnormalisation = {{ kind = "bands", bands = [[1, 0.12345]] }}', "至多4位小数"),
    "less is better by share": (f"{SPEND}\ndirection = -1", "“越小越好”（direction = -1）的部分不能按占比"),
    "offset without use": ("[composites.innovation]\noffset = 1", "offset 只用于 geometric 与 harmonic，现为 arithmetic"),
    "weight beside equal": (f"{SPEND}\nweight = 0.5", 'weights = "equal" 时各部分不能再写 weight'),
    "weights that do not sum": (f"[{TOP}.parts.innovation]\nweight = 0.6", "各部分须写 weight 且合计为1，现为 1.1"),
    "no normalisation": ('[composites.innovation.parts.gdp]\nperiod = "2020"\ndirection = 1', "指标须写 normalisation"),
    "treatment of a nested one": (f"[{TOP}.parts.innovation]\ntreatment = {{ winsorise_high = 1 }}", "引用其他综合指数的部分不能写"),
    "indicator without a period": ("[composites.innovation.parts.gdp]\ndirection = 1", "“gdp”：指标须写 period，综合指数不写"),
    "composite with a period": ('[factors.performance_index]\nperiod = "2020"', "“performance_index”：指标须写 period，综合指数不写；已有综合指数：performance_index、innovation"),
    "title of an indicator": ('[composites.innovation]\ntitle = "地区生产总值"', "综合指数的 title 与指标名称或表头相同：地区生产总值；请改名"),
    "title of a column": ('[composites.innovation]\ntitle = "得分"', "综合指数的 title 与指标名称或表头相同：得分；请改名"),
    "idle": ('[composites.other]\ntitle = "甲"\naggregation = "median"\nweights = "equal"\n[composites.other.parts.gdp]\nperiod = "2020"\ndirection = 1\nnormalisation = { kind = "rank" }', "没有被任何因素或其他综合指数使用：other"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "told"), [w for w in WRONG.values() if w[1]], ids=[k for k, w in WRONG.items() if w[1]]
)
def test_a_mistake_in_a_scenario_is_named(write_scenario, lines, told):
    path = write_scenario(f'extends = "{EXAMPLE}"\n{lines}')
    with pytest.raises(za.ScenarioError) as caught:
        za.load_scenario(path)
    assert told in str(caught.value)


def test_circles_and_taken_names_are_refused():
    circle = {name: index(**{other: {"weight": 1.0, "direction": 1}}) | {"title": name} for name, other in ("ab", "ba")}
    with pytest.raises(ValueError, match=r"综合指数首尾相接：(a → b → a|b → a → b)；"):
        scenario(factors={"a": {"weight": 1.0}}, composites=circle)
    for name in ("gdp", "adjustment"):
        with pytest.raises(ValueError, match=f"名称与指标代码或保留名相同：{name}；"):
            scenario(factors={name: {"weight": 1.0}}, composites={name: index(population=line(1.0))})


def test_the_panel_of_an_allocation_holds_the_composite_and_its_own_is_untouched(found, panel):
    assert isinstance(found.panel.values("performance_index", ""), pd.Series)
    assert "performance_index" not in panel.indicators.index
