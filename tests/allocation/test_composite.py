"""Composite indicators: every normalisation, mean and weighting worked by hand; what is refused, and how."""

import math
from dataclasses import replace

import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.allocation.composite_steps import aggregated, contributions, imputed, normalised, treated, weights_of
from zjtx_alloc.rules.composite_form import Normalisation, Part, Recipe, Treatment

SHARE = {"kind": "share"}


def series(*values):
    return pd.Series([float(v) for v in values], [f"u{i}" for i in range(len(values))])


def part(kind, direction=1, **lines):
    return Part(period="2020", direction=direction, normalisation=Normalisation(kind=kind, **lines))


def recipe(parts, aggregation="arithmetic", **lines):
    parts = {f"p{i}": Part(period="2020", weight=w, direction=1, normalisation=SHARE) for i, w in enumerate(parts)}
    return Recipe(title="t", aggregation=aggregation, parts=parts, **lines)


SCORES = {
    "share": (part("share"), (10, 20, 40, 30), (0.1, 0.2, 0.4, 0.3)),
    "min-max": (part("min-max"), (10, 20, 40, 30), (0, 1 / 3, 1, 2 / 3)),
    "min-max down": (part("min-max", -1), (10, 20, 40, 30), (1, 2 / 3, 0, 1 / 3)),
    # mean 4, standard deviation (n - 1) 2
    "z": (part("z"), (2, 4, 6), (-1, 0, 1)),
    "z down": (part("z", -1), (2, 4, 6), (1, 0, -1)),
    "z rescaled": (part("z", mean=50.0, sd=10.0), (2, 4, 6), (40, 50, 60)),
    "z rescaled down": (part("z", -1, mean=50.0, sd=10.0), (2, 4, 6), (60, 50, 40)),
    "rank": (part("rank"), (10, 20, 20, 40), (1, 2.5, 2.5, 4)),
    "rank down": (part("rank", -1), (10, 20, 20, 40), (4, 2.5, 2.5, 1)),
    "percentile": (part("percentile"), (10, 20, 20, 40), (0, 0.5, 0.5, 1)),
    "percentile down": (part("percentile", -1), (10, 20, 20, 40), (1, 0.5, 0.5, 0)),
    "target": (part("target", base=10.0, target=30.0), (5, 10, 20, 30, 40), (0, 0, 0.5, 1, 1)),
    "target down": (part("target", -1, base=40.0, target=20.0), (50, 40, 30, 20, 10), (0, 0, 0.5, 1, 1)),
    "bands": (part("bands", bands=[[30.0, 100.0], [20.0, 60.5]]), (10, 20, 40, 30), (0, 60.5, 100, 100)),
    "bands down": (part("bands", -1, bands=[[15.0, 100.0], [25.0, 40.0]]), (10, 20, 25, 30), (100, 40, 40, 0)),
}


@pytest.mark.parametrize(("line", "values", "worked"), SCORES.values(), ids=SCORES)
def test_normalised(line, values, worked):
    found = normalised(series(*values), line, "")
    assert found.tolist() == pytest.approx(worked, abs=1e-14)
    assert list(found.index) == list(series(*values).index)


TREATED = {
    "winsorise high": ({"winsorise_high": 1}, (10, 20, 40, 30), (10, 20, 30, 30)),
    "winsorise low": ({"winsorise_low": 2}, (10, 20, 40, 30), (30, 30, 40, 30)),
    "winsorise ties": ({"winsorise_high": 1}, (10, 40, 40, 30), (10, 40, 40, 30)),
    "log": ({"log_offset": 0.0}, (1, math.e, math.e**2), (0, 1, 2)),
    "log with an offset": ({"log_offset": 1.0}, (0, math.e - 1), (0, 1)),
    # 100 becomes 9, then ln(9 + 1)
    "both": ({"winsorise_high": 1, "log_offset": 1.0}, (0, 9, 100), (0, math.log(10), math.log(10))),
    "none": ({}, (10, 20), (10, 20)),
}


@pytest.mark.parametrize(("lines", "values", "worked"), TREATED.values(), ids=TREATED)
def test_treated(lines, values, worked):
    assert treated(series(*values), Treatment(**lines), "").tolist() == pytest.approx(worked, abs=1e-14)


MEANS = {
    # one unit's parts, their weights, the mean, what each part adds
    "arithmetic": (recipe([0.25, 0.75]), (1, 4), 3.25, (0.25, 3)),
    "geometric": (recipe([0.5, 0.5], "geometric"), (1, 4), 2, (1, 1)),
    "geometric with an offset": (recipe([0.5, 0.5], "geometric", offset=1.0), (0, 3), 1, (0.5, 0.5)),
    "harmonic": (recipe([0.5, 0.5], "harmonic"), (1, 4), 1.6, (1.28, 0.32)),
    "harmonic with an offset": (recipe([0.5, 0.5], "harmonic", offset=1.0), (0, 3), 0.6, (0.78, -0.18)),
    "harmonic, weights differ": (recipe([0.25, 0.75], "harmonic"), (1, 4), 16 / 7, (64 / 49, 48 / 49)),
    "median": (recipe([0.2, 0.3, 0.5], "median"), (9, 1, 4), 4, (0, 0, 4)),
    # Half the weight is reached exactly at 1: midway to 2.
    "median between": (recipe([0.2, 0.5, 0.3], "median"), (9, 1, 2), 1.5, (0, 0.5, 1)),
    "median of tenths": (recipe([0.1, 0.2, 0.2, 0.5], "median"), (1, 2, 3, 8), 5.5, (0, 0, 1.5, 4)),
}


@pytest.mark.parametrize(("made", "values", "mean", "adds"), MEANS.values(), ids=MEANS)
def test_aggregated(made, values, mean, adds):
    frame = pd.DataFrame([[float(v) for v in values]], ["u0"], list(made.parts))
    weights = weights_of(made, frame, "")
    assert aggregated(frame, weights, made, "")["u0"] == pytest.approx(mean, abs=1e-14)
    assert contributions(frame, weights, made, "").loc["u0"].tolist() == pytest.approx(adds, abs=1e-14)


U1, U2, U3 = series(1, 1, -1, -1), series(1, -1, 1, -1), series(1, -1, -1, 1)  # of mean zero, orthogonal


def test_weights_by_principal_components():
    # Correlations .6 (p0, p1), .6 (p0, p2), .36 (p1, p2): the first eigenvector is (1, t, t) with 1.2 t² - .36 t - .6 = 0.
    frame = pd.DataFrame({"p0": U1, "p1": 3 * U1 + 4 * U2 + 7, "p2": 3 * U1 + 4 * U3})
    t = (0.36 + math.sqrt(0.36**2 + 8 * 0.6**2)) / 2.4
    found = weights_of(recipe([None] * 3, weights="principal"), frame, "")
    assert found.tolist() == pytest.approx([1 / (1 + 2 * t**2), t**2 / (1 + 2 * t**2), t**2 / (1 + 2 * t**2)])
    assert weights_of(recipe([None] * 3, weights="equal"), frame, "").tolist() == [1 / 3] * 3


def test_principal_components_that_give_no_weights_are_refused():
    two, three = (recipe([None] * count, weights="principal") for count in (2, 3))
    with pytest.raises(za.DataError, match=r"第一主成分方向相反或无关：p1；请检查 direction"):
        weights_of(three, pd.DataFrame({"p0": U1, "p1": -U1, "p2": U1}), "")
    with pytest.raises(za.DataError, match="第一主成分不唯一"):
        weights_of(two, pd.DataFrame({"p0": U1, "p1": U2}), "")
    with pytest.raises(za.DataError, match="各单位都是 1"):
        weights_of(two, pd.DataFrame({"p0": U1, "p1": U1 * 0 + 1}), "")


REFUSED = {
    "negative share": (lambda: normalised(series(1, -1, 3), part("share"), "甲"), "甲 的下列单位为负数，无法计算占比：u1；"),
    "zero share": (lambda: normalised(series(0, 0), part("share"), "甲"), "甲 各单位合计为0"),
    "constant min-max": (lambda: normalised(series(2, 2), part("min-max"), "甲"), "甲 各单位都是 2"),
    "constant z": (lambda: normalised(series(2, 2), part("z"), "甲"), "甲 各单位都是 2"),
    "constant rank": (lambda: normalised(series(2, 2), part("rank"), "甲"), "甲 各单位都是 2"),
    "log of zero": (lambda: treated(series(1, 0), Treatment(log_offset=0.0), "甲"), "取对数前不是正数：u1；"),
    "too many": (lambda: treated(series(1, 0), Treatment(winsorise_low=1, winsorise_high=1), "甲"), "甲 要缩尾2个值，但只有2个"),
    "missing": (lambda: imputed(series(1, math.nan), "refuse", "甲"), "甲 缺少1个单位的数据：u1；"),
    "all missing": (lambda: imputed(series(math.nan), "mean", "甲"), "甲 缺少1个单位的数据：u0；"),
}  # fmt: skip


@pytest.mark.parametrize(("step", "told"), REFUSED.values(), ids=REFUSED)
def test_a_step_that_cannot_be_taken_is_refused(step, told):
    with pytest.raises(za.DataError) as caught:
        step()
    assert told in str(caught.value)


@pytest.mark.parametrize("aggregation", ["geometric", "harmonic"])
def test_means_that_need_positive_parts_refuse_zeros(aggregation):
    frame = pd.DataFrame({"p0": series(1, 0, -1), "p1": series(1, 1, 1)})
    made = recipe([0.5, 0.5], aggregation)
    with pytest.raises(za.DataError, match=r"但下列单位有不是正数的部分：u1、u2；请写 offset"):
        aggregated(frame, weights_of(made, frame, ""), made, "甲")


def test_cells_filled_by_a_named_rule():
    assert imputed(series(1, 2, 9, math.nan), "mean", "").tolist() == [1, 2, 9, 4]
    assert imputed(series(1, 2, 9, math.nan), "median", "").tolist() == [1, 2, 9, 2]


def line(weight=None, **lines):
    return {"period": "2020", "direction": 1, "normalisation": SHARE} | ({"weight": weight} if weight else {}) | lines


def scenario(composites, **changes):
    factors = {"index": {"weight": 1.0}}
    plain = {"name": "toy", "title": "toy", "batch": 1, "total": 100, "factors": factors, "composites": composites}
    return za.Scenario(**plain | changes)


def one(parts, aggregation="arithmetic", **lines):
    return {"index": {"title": "指数", "aggregation": aggregation, "parts": parts} | lines}


@pytest.fixture(scope="module")
def toy(toy_panel):
    """Three units; gdp 60, 30, 10 and population 10, 30, 10; the second unit's gdp is estimated."""
    panel = toy_panel(gdp=[60, 30, 10], population=[10, 30, 10])
    cells = panel.cells.copy()
    cells.loc[("gdp", "2020", panel.units.index[1]), "estimated"] = True
    return replace(panel, cells=cells)


def test_a_composite_with_its_parts(toy):
    # gdp min-max 1, .4, 0; population min-max 0, 1, 0; half each
    made = scenario(one({c: line(0.5, normalisation={"kind": "min-max"}) for c in ("gdp", "population")}))
    found = za.compose(toy, made, "index")
    assert found.raw["gdp"].tolist() == found.treated["gdp"].tolist() == [60, 30, 10]
    assert found.normalised["gdp"].tolist() == pytest.approx([1, 0.4, 0])
    assert found.contributions["population"].tolist() == pytest.approx([0, 0.5, 0])
    assert found.score.tolist() == pytest.approx([0.5, 0.7, 0])
    assert found.estimated.tolist() == [False, True, False]
    assert found.labels.tolist() == ["地区生产总值", "年末常住人口"]
    assert not found.imputed.any(axis=None)


def test_influence_is_worked_by_hand(toy_panel):
    # Contributions .5 1 1.5 and 0 0 1.5, score .5 1 3: variance 1.75, covariances .625 and 1.125.
    panel = toy_panel(gdp=[1, 2, 3], population=[0, 0, 3])
    bands = {"kind": "bands", "bands": [[3, 3], [2, 2], [1, 1]]}
    made = scenario(one({c: line(0.5, normalisation=bands) for c in ("gdp", "population")}))
    found = za.compose(panel, made, "index")
    table = found.influence()
    assert table["effective"].tolist() == pytest.approx([5 / 14, 9 / 14])
    assert table["sd"].tolist() == pytest.approx([1, math.sqrt(3)])
    # Of an arithmetic mean it is weight × sd × correlation over the score's sd.
    shares = table["weight"] * table["sd"] * table["correlation"] / math.sqrt(1.75)
    assert table["effective"].tolist() == pytest.approx(shares.tolist())
    # gdp -1 0 1 against population -1 -1 2: covariance 3/2, deviations 1 and √3
    assert found.correlations().at["gdp", "population"] == pytest.approx(1.5 / math.sqrt(3))


def test_what_does_not_vary_has_no_correlation(toy_panel):
    panel = toy_panel(gdp=[1, 2, 3], population=[5, 5, 5])
    target = {"kind": "target", "base": 0.0, "target": 10.0}
    found = za.compose(
        panel, scenario(one({c: line(0.5, normalisation=target) for c in ("gdp", "population")})), "index"
    )
    assert math.isnan(found.correlations().at["gdp", "population"])
    assert found.influence()["effective"].tolist() == pytest.approx([1, 0])


def test_a_nested_composite_and_the_weights_of_its_leaves(toy):
    # The node: .25 gdp + .75 population = .3 .525 .175; the index .6 gdp + .4 node.
    node = {"title": "节点", "aggregation": "arithmetic", "parts": {"gdp": line(0.25), "population": line(0.75)}}
    made = scenario(one({"gdp": line(0.6), "node": {"weight": 0.4, "direction": 1}}) | {"node": node})
    found = za.compose(toy, made, "index")
    assert found.nested["node"].score.tolist() == pytest.approx([0.3, 0.525, 0.175])
    assert found.score.tolist() == pytest.approx([0.48, 0.39, 0.13])
    assert found.leaf_weights().to_dict() == pytest.approx({"gdp": 0.7, "population": 0.3})
    assert found.estimated.tolist() == [False, True, False]
    again = scenario(one({"gdp": line(0.6), "node": {"weight": 0.4, "direction": -1, "normalisation": {"kind": "rank"}}}) | {"node": node})  # fmt: skip
    assert za.compose(toy, again, "index").normalised["node"].tolist() == [2, 1, 3]


def test_missing_cells_are_refused_or_filled_and_marked(toy):
    gone = replace(toy, cells=toy.cells.drop(("population", "2020", toy.units.index[0])))
    parts = {"gdp": line(0.5), "population": line(0.5)}
    with pytest.raises(za.DataError, match=r"综合指数“指数”的 年末常住人口 2020 缺少1个单位的数据：北京；"):
        za.compose(gone, scenario(one(parts)), "index")
    filled = za.compose(gone, scenario(one(parts | {"population": line(0.5, missing="mean")})), "index")
    assert filled.raw["population"].tolist() == [20, 30, 10]
    assert filled.imputed["population"].tolist() == [True, False, False]
    assert filled.estimated.tolist() == [True, True, False]


def test_an_unknown_composite_is_refused(toy):
    with pytest.raises(za.ScenarioError, match=r"没有名为“other”的综合指数；已有：index"):
        za.compose(toy, scenario(one({"gdp": line(1.0)})), "other")
