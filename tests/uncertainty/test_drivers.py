"""What drives the quotas: Sobol indices and Shapley effects against the textbook, weights drawn anew in their law."""

from math import pi

import numpy as np
import pytest
import scipy
from support.sweep_toys import WEIGHTS

import zjtx_alloc as za
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
    found = drivers.block_indices(ishigami, tuple(pair), tuple(map(ishigami, pair)))
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
    found = drivers.block_indices(model, tuple(pair), tuple(map(model, pair)))
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
    found = drivers.weight_effects(taken, lambda d: d.weights[1], draws, seed=1).to_numpy()
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
