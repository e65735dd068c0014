"""What drives the quotas: Sobol indices and Shapley effects against the textbook, weights drawn anew in their law."""

from math import pi
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy
from support.sweep_toys import WEIGHTS

import zjtx_alloc as za
from zjtx_alloc.report.tables.sweep import driver_summary
from zjtx_alloc.uncertainty import drivers
from zjtx_alloc.uncertainty.admissible import with_uncertainty
from zjtx_alloc.uncertainty.draws import Draws, drawn, drawn_block, sampling


def test_dirichlet_weights_keep_their_law_when_drawn_anew(panel, baseline):
    taken = sampling(panel, with_uncertainty(baseline, {"concentration": 50.0}))
    before = drawn_block(taken, 1, 0).weights[1][:50_000]
    after = drivers._paired(taken, 1, before.copy(), [0, 2], np.random.default_rng(5))
    w = np.array([0.4, 0.4, 0.2])
    assert (after[:, 1] == before[:, 1]).all()
    assert after.mean(axis=0) == pytest.approx(w, abs=2e-3)
    assert after.var(axis=0) == pytest.approx(w * (1 - w) / 51, rel=0.03)


def uniforms(count, rng):
    return [
        Draws((rng.random((count, 1)),), rng.random((count, 1)), (rng.random((count, 1)),), np.array([1])) for _ in "ab"
    ]


def ishigami(draws):
    """Ishigami & Homma 1990, a = 7, b = 0.1; and a constant beside it."""
    x, y, z = (2 * pi * column[:, 0] - pi for column in (draws.weights[0], draws.coefficients, draws.facts[0]))
    value = np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)
    return np.column_stack([value, np.full_like(value, 3.0)])


def test_sobol_indices_of_the_ishigami_function():
    pair = uniforms(2**13, np.random.default_rng(1))
    found, _ = drivers.block_indices(ishigami, tuple(pair), tuple(map(ishigami, pair)))
    # Saltelli et al. 2008, Global Sensitivity Analysis: The Primer, section 4.5
    assert found["first"].loc[0].tolist() == pytest.approx([0.3139, 0.4424, 0.0], abs=0.04)
    assert found["total"].loc[0].tolist() == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.04)
    assert found.loc[1].isna().all()
    assert found.loc[2].tolist() == pytest.approx(found.loc[0].tolist())  # overall: all variance is the first's


def test_sobol_indices_are_scipys_to_the_digit():
    rng = np.random.default_rng(3)
    f_a, f_b = rng.integers(0, 40, (2, 5, 64)).astype(float)
    mixed = rng.integers(0, 40, (3, 5, 64)).astype(float)
    told = scipy.stats.sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": mixed}, n=64)
    first, total = drivers.sobol_indices(f_a, f_b, mixed)
    assert (first == told.first_order).all()
    assert (total == told.total_order).all()


def test_overall_indices_weigh_units_by_their_variance():
    def model(draws):
        return np.column_stack([3 * draws.weights[0][:, 0], draws.coefficients[:, 0]])

    pair = uniforms(2**13, np.random.default_rng(2))
    found, _ = drivers.block_indices(model, tuple(pair), tuple(map(model, pair)))
    assert found["first"].loc[2].tolist() == pytest.approx([0.9, 0.1, 0.0], abs=0.03)


def on_the_simplex(panel, baseline, table):
    scenario = baseline.model_copy(
        update={"factors": {c: f.model_copy(update={"weight": 1 / 3}) for c, f in baseline.factors.items()}}
    )
    taken = sampling(panel, scenario.model_copy(update={"uncertainty": with_uncertainty(baseline, table).uncertainty}))
    return taken, next(drawn(taken, 4, 2**14))


@pytest.mark.parametrize("table", [{"weights": {c: {"min": 0.0, "max": 1.0} for c in WEIGHTS}}, {"concentration": 3.0}])
def test_shapley_effects_of_a_weight_on_the_whole_simplex(panel, baseline, table):
    # Uniform on the triangle: E Var(w1 | w3) = E (1 − w3)² / 12 = 1/24, E Var(w1 | w1, ·) = 0, Var(w1) = 1/18;
    # so w1 has (1/24 + 1/18) / 3 = 7/12 of its variance, w2 and w3 (1/48 + 1/72) / 3 = 5/24 each.
    taken, draws = on_the_simplex(panel, baseline, table)
    found = drivers.weight_effects(taken, lambda d: d.weights[1], draws, seed=1)[0].to_numpy()
    assert found[:3] == pytest.approx(np.full((3, 3), 5 / 24) + np.eye(3) * (7 / 12 - 5 / 24), abs=0.02)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found[3] == pytest.approx(1 / 3, abs=0.02)


def test_shapley_values_sum_to_the_variance_and_match_a_game_by_hand():
    # The airport game of Littlechild & Owen 1973: runways of length 1, 2, 4; 1/3, 1/3 + 1/2, 1/3 + 1/2 + 2.
    players = ["a", "b", "c"]
    costs = {
        frozenset(s): np.array([max(({"a": 1.0, "b": 2.0, "c": 4.0}[p] for p in s), default=0.0)])
        for s in [(), "a", "b", "c", "ab", "ac", "bc", "abc"]
    }
    assert drivers.shapley_values(players, costs)[:, 0] == pytest.approx([1 / 3, 5 / 6, 17 / 6])


def test_weights_drawn_anew_in_pairs_forget_where_they_began(panel, baseline, toy_panel):
    names = ("gdp", "population", "little_giants", "rd_active_firms")
    trial = toy_panel(**{name: [1, 2, 3] for name in names})
    factors = {name: {"period": "2020", "weight": 0.25} for name in names}
    scenario = za.Scenario(name="t", title="t", batch=1, total=9, factors=factors)
    scenario = with_uncertainty(scenario, {"weights": {name: {"min": 0.0, "max": 1.0} for name in names}})
    taken = sampling(trial, scenario)
    before = next(drawn(taken, 1, 2**14)).weights[1]
    after = drivers._paired(taken, 1, before.copy(), [0, 1, 2], np.random.default_rng(5))
    assert (after[:, 3] == before[:, 3]).all()
    assert after.sum(axis=1) == pytest.approx(1)
    room = 1 - before[:, 3]
    assert abs(np.corrcoef(before[:, 0] / room, after[:, 0] / room)[0, 1]) < 0.03
    assert (after[:, 0] / room).mean() == pytest.approx(1 / 3, abs=0.01)  # Beta(1, 2)
    assert (after[:, 0] / room).var() == pytest.approx(1 / 18, abs=0.003)


def test_error_bars_are_scipys_bootstrap():
    rng = np.random.default_rng(6)
    f_a, f_b = rng.normal(size=(2, 1, 512))
    mixed = np.stack([0.6 * f_a + 0.8 * f_b, 0.9 * f_a + 0.3 * rng.normal(size=(1, 512))])
    told = scipy.stats.sobol_indices(func={"f_A": f_a, "f_B": f_b, "f_AB": mixed}, n=512)
    told = told.bootstrap(confidence_level=0.95, n_resamples=4000)
    found = np.quantile(drivers._resampled_indices(f_a, f_b, mixed, rng)[:, 0], [0.025, 0.975], axis=0)
    for order, said in enumerate((told.first_order, told.total_order)):
        ends = np.array([said.confidence_interval.low, said.confidence_interval.high])
        assert found[:, order] == pytest.approx(ends, abs=0.03)


def test_the_resamples_mean_are_those_of_drawing_rows_again():
    terms = np.random.default_rng(0).normal(size=(5, 2, 3))
    means = drivers._resampled_means(terms, np.random.default_rng(9))
    picked = np.random.default_rng(9).integers(5, size=(len(means), 5))
    assert means == pytest.approx(terms[picked].mean(axis=1))


@pytest.mark.thorough
def test_error_bars_cover_the_textbook_values_as_often_as_they_say():
    truth = {"first": [0.3139, 0.4424, 0.0], "total": [0.5576, 0.4424, 0.2437]}
    covered = []
    for seed in range(200):
        pair = uniforms(2**9, np.random.default_rng(seed))
        _, bars = drivers.block_indices(ishigami, tuple(pair), tuple(map(ishigami, pair)), seed)
        for order, values in truth.items():
            low, high = (bars[end][order].loc[0].to_numpy() for end in ("low", "high"))
            covered.append((low <= values) & (values <= high))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)


def test_error_bars_of_shapley_effects_cover_the_triangles(panel, baseline):
    taken, draws = on_the_simplex(panel, baseline, {"weights": {c: {"min": 0.0, "max": 1.0} for c in WEIGHTS}})
    truth = np.full((3, 3), 5 / 24) + np.eye(3) * (7 / 12 - 5 / 24)
    covered = []
    for i in range(40):
        part = draws.part(slice(400 * i, 400 * (i + 1)))
        _, bars = drivers.weight_effects(taken, lambda d: d.weights[1], part, seed=i)
        low, high = (bars[end].to_numpy()[:3] for end in ("low", "high"))
        covered.append((low <= truth) & (truth <= high))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.04)


def test_drivers_whose_bars_overlap_are_not_ranked_among_themselves():
    values = pd.Series({"a": 0.1, "b": 0.5, "c": 0.45, "d": 0.3, "e": 0.0})
    bars = pd.DataFrame({"low": values - 0.04, "high": values + 0.04})
    assert drivers.ranked(values, bars) == [["b", "c"], ["d"], ["a"], ["e"]]
    assert drivers.ranked(values, bars.assign(low=values - 0.2)) == [["b", "c", "d", "a", "e"]]
    wide = bars.assign(high=values + pd.Series({"a": 0.5, "b": 0.04, "c": 0.04, "d": 0.04, "e": 0.0}))
    assert drivers.ranked(values, wide) == [["b", "c", "d", "a"], ["e"]]  # a reaches beyond d, to b


def test_the_sentence_of_drivers_has_its_error_ranges_and_says_where_there_is_no_order():
    blocks, overall = ["weights", "facts", "totals"], [drivers.OVERALL]
    sobol = pd.DataFrame([[0.44, 0.42, 0.08]], overall, pd.MultiIndex.from_product([["first"], blocks]))
    ends = pd.MultiIndex.from_product([["low", "high"], ["first"], blocks])
    bars = pd.DataFrame([[0.41, 0.4, 0.07, 0.47, 0.44, 0.09]], overall, ends)
    found = SimpleNamespace(sobol=sobol, sobol_bars=bars, shapley=pd.DataFrame(), base=512)
    assert driver_summary(found) == [
        "全部单位名额的方差，单独来自：权重44%（41%—47%）、数据误差42%（40%—44%），误差范围重叠，不分先后；"
        "名额总量8%（7%—9%）。估计值，两组各512次抽样；括号内为95%误差范围。"
    ]
