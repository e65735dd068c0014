"""The look back: planted weights found again, a grid as oracle, refusals, known counts."""

from dataclasses import replace

import numpy as np
import pytest

import zjtx_alloc as za
from zjtx_alloc.report.tables.backtest import backtest_summary, fit_table

OBSERVED = "first_round_continued_r1_sum:2024-04"
FACTORS = ("rd_active_firms:2020", "little_giants:2021-06", "hightech_firms:2020")


@pytest.fixture(scope="module")
def fit(panel):
    return za.fit_weights(panel, OBSERVED)


def shares(panel):
    values = [panel.values(*reference.split(":")) for reference in FACTORS]
    return np.array([v / v.sum() for v in values]).T


def planted(panel, weights):
    """The panel with an observed table that these weights give, in millions so that rounding says nothing."""
    cells = panel.cells.copy()
    seen = np.rint(1e6 * shares(panel) @ np.array(weights))
    for code, value in zip(panel.units.index, seen, strict=True):
        cells.loc[("first_round_continued_r1_sum", "2024-04", code), "value"] = value
    return replace(panel, cells=cells)


@pytest.mark.parametrize("weights", [(0.2, 0.5, 0.3), (0.0, 0.4, 0.6), (0.0, 1.0, 0.0)])
def test_planted_weights_are_found_again(panel, weights):
    found = za.fit_weights(planted(panel, weights), OBSERVED)
    assert found.weights["weight"].tolist() == pytest.approx(weights, abs=1e-3)
    assert found.regions[["rd_active_firms", "little_giants", "hightech_firms"]].to_numpy() == pytest.approx(
        np.array([weights] * 4), abs=5e-3
    )
    assert found.errors.at["fitted", "misplaced_left_out"] < 100  # of a million
    assert (found.weights["most"] - found.weights["least"] < 0.01).all()


def simplex_grid(steps):
    return np.array([(a, b, steps - a - b) for a in range(steps + 1) for b in range(steps + 1 - a)]) / steps


def test_no_weights_on_a_grid_fit_better_and_the_identified_set_is_theirs(panel, fit):
    grid = simplex_grid(500)
    misfit = fit.misfit(grid)
    assert misfit.min() >= 1
    assert misfit.min() == pytest.approx(1, abs=1e-3)
    near = grid[misfit <= 1 + fit.slack]
    assert near.min(axis=0) == pytest.approx(fit.weights["least"].to_numpy(), abs=0.005)
    assert near.max(axis=0) == pytest.approx(fit.weights["most"].to_numpy(), abs=0.005)
    assert (near.min(axis=0) >= fit.weights["least"] - 1e-9).all()
    assert (near.max(axis=0) <= fit.weights["most"] + 1e-9).all()


def test_a_left_out_region_plays_no_part_in_its_own_prediction(panel, fit):
    # 东部 follows other weights than the rest, with the same firms in all: without it the rest's own are found.
    east = (panel.units["region"] == "东部").to_numpy()
    rest, own = shares(panel) @ [0.2, 0.5, 0.3], shares(panel) @ [0.0, 0.0, 1.0]
    seen = np.where(east, own * rest[east].sum() / own[east].sum(), rest)
    cells = panel.cells.copy()
    for code, value in zip(panel.units.index, np.rint(1e6 * seen), strict=True):
        cells.loc[("first_round_continued_r1_sum", "2024-04", code), "value"] = value
    found = za.fit_weights(replace(panel, cells=cells), OBSERVED)
    assert found.regions.loc["东部"].iloc[:3].tolist() == pytest.approx([0.2, 0.5, 0.3], abs=1e-3)
    assert found.weights["weight"].tolist() != pytest.approx([0.2, 0.5, 0.3], abs=1e-2)
    by_region = fit.table["left_out"].groupby(fit.table["region"]).sum().to_dict()
    assert by_region == pytest.approx(fit.regions["predicted"].to_dict())


def test_errors_are_worked_from_the_table(fit):
    seen = fit.table["observed"]
    assert seen.sum() == 1188
    assert fit.errors.at["fitted", "misplaced"] == pytest.approx((seen - fit.table["fitted"]).abs().sum() / 2)
    assert fit.errors.at["equal", "misplaced"] == pytest.approx((seen - 1188 / 37).abs().sum() / 2)
    assert set(fit.errors.index) == {"fitted", "little_giants", "equal"}
    assert fit.table["estimated"].sum() == 12


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ("first_round_continued_r1_sum:2024-04", "自己解释自己"),
        ("first_round_continued_r1b1y3:2024-04", "自己解释自己"),
        ("eligible_pool:2024", "自己解释自己"),
        ("gdp:2020", "不是“上一轮绩效评价后继续支持企业数”可用的拟合因素；可用：有R&D活动的规模以上工业企业数、有效期内“小巨人”企业数、规模以上高技术制造业企业数"),
        ("gdp", "指标代码:数据期"),
    ],
)  # fmt: skip
def test_what_may_not_be_fitted_is_refused(panel, factor, said):
    with pytest.raises(za.DataError) as caught:
        za.fit_weights(panel, OBSERVED, [*FACTORS, factor])
    assert said in str(caught.value)


@pytest.mark.parametrize("factors", [[], ["rd_active_firms:2019", "rd_active_firms:2020"]])
def test_no_factor_and_one_at_two_periods_are_refused(panel, factors):
    with pytest.raises(za.DataError, match="同一指标只能用一个数据期"):
        za.fit_weights(panel, OBSERVED, factors)


@pytest.mark.parametrize("slack", [-0.1, float("nan")])
def test_a_negative_slack_is_refused(panel, slack):
    with pytest.raises(za.DataError, match="slack"):
        za.fit_weights(panel, OBSERVED, FACTORS, slack)


@pytest.mark.parametrize("indicator", ["first_round_continued_r1_sum", "hightech_firms"])
def test_a_table_of_zeros_is_refused(panel, indicator):
    cells = panel.cells.copy()
    cells.loc[indicator, "value"] = 0.0
    with pytest.raises(za.DataError, match="各单位合计为0"):
        za.fit_weights(replace(panel, cells=cells), OBSERVED, FACTORS)


def test_a_list_may_not_be_explained_by_the_sum_it_is_part_of(panel):
    with pytest.raises(za.DataError, match="自己解释自己"):
        za.fit_weights(panel, "first_round_continued_r1b1y3:2024-04", ["first_round_continued_r1_sum:2024-04"])


def test_only_registered_tables_can_be_looked_back_on(panel):
    with pytest.raises(za.DataError, match="没有登记可用于拟合的因素"):
        za.fit_weights(panel, "gdp:2020")


def test_every_derivation_names_indicators_that_exist(panel):
    for column in ("derived_from", "fitted_by"):
        for references in panel.indicators[column]:
            assert {r.partition(":")[0] for r in references.split("|") if r} <= set(panel.indicators.index)


def test_the_page_says_what_this_cannot_show(panel, fit):
    told = backtest_summary(fit)
    assert len(told.split("\n")) == 3
    assert "是通过绩效评价的企业，不是当年入选企业" in fit_table(fit).notes[0]
    assert "不宜作为依据" in told  # left out, the fit is worse than 小巨人企业数 alone
    better = za.fit_weights(planted(panel, (0.5, 0.1, 0.4)), OBSERVED)
    assert "优于简单规则" in backtest_summary(better)
