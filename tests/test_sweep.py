"""Sweeps: every draw as ``allocate`` answers it, the same draws always, counts by hand, known indices, error messages."""

import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.cli import main
from zjtx_alloc.report import sweep_tables
from zjtx_alloc.uncertainty import draws as drawing
from zjtx_alloc.uncertainty import drivers, sweeping, workers
from zjtx_alloc.uncertainty.admissible import with_uncertainty
from zjtx_alloc.uncertainty.distributions import quantile, summary_of
from zjtx_alloc.uncertainty.draws import Draws, as_scenario, drawn, drawn_block, entitlements_of, one, recipe

WEIGHTS = {
    "rd_active_firms": {"min": 0.2, "max": 0.6},
    "little_giants": {"min": 0.2, "max": 0.6},
    "first_round_continued_r1_sum": {"min": 0.0, "max": 0.4},
}
EVERYTHING = {
    "weights": WEIGHTS,
    "region_coefficient": {"西部": {"min": 1.0, "max": 1.3}, "东北": {"min": 1.0, "max": 1.2}},
    "facts": {"published": 0.01, "estimated": 0.2},
    "total": {"min": 1030, "max": 1045},
}
GROUPS = '[groups."中部"]\nregion = "中部"\ncap = 200\n[groups."湘鄂"]\nunits = ["湖南", "湖北"]\nfloor = 100\n[cap]\ndefault = 90\n'


def toy(panel, **changes):
    """A scenario of two pools with everything a factor may have."""
    codes = panel.units.index
    factors = {
        "gdp": {"period": "2020", "weight": 0.3, "multiplier": "m"},
        "population": {"period": "2020", "weight": 0.7},
    }
    pool = {"share": 0.4, "factors": factors, "coefficients": ["grade_coefficient"]}
    table = {
        "name": "toy", "title": "toy", "batch": 1, "total": 40,
        "pools": {"a": pool, "b": pool | {"share": 0.6, "coefficients": ["region_coefficient", "grade_coefficient"]}},
        "multipliers": {"m": {codes[0]: 2.0, "default": 1.0}},
        "grade": {codes[1]: "优", "default": "中"}, "grade_coefficient": {"优": 1.2, "中": 1.0},
        "region_coefficient": {"东部": 1.0, "中部": 1.5, "西部": 1.1, "东北": 1.0},
    }  # fmt: skip
    return za.Scenario(**table | changes)


def toy_doubt(**more):
    ranges = {"gdp": {"min": 0.1, "max": 0.6}, "population": {"min": 0.4, "max": 0.9}}
    return {
        "pools": {"a": {"share": {"min": 0.2, "max": 0.5}, "weights": ranges}, "b": {"share": {"min": 0.5, "max": 0.8}}},
        "region_coefficient": {"中部": {"min": 1.0, "max": 2.0}},
        "grade_coefficient": {"优": {"min": 1.0, "max": 1.5}},
        "facts": {"published": 0.1, "estimated": 0.1},
        "total": {"min": 35, "max": 45},
    } | more  # fmt: skip


@pytest.fixture
def small_panel(toy_panel):
    return toy_panel(gdp=[31, 7, 17, 3, 11, 5], population=[4, 19, 6, 23, 2, 12])


@pytest.fixture
def grouped(write_scenario):
    return za.load_scenario(write_scenario('extends = "2024-baseline"\n' + GROUPS))


def test_entitlements_of_many_draws_are_those_of_each(small_panel):
    scenario = with_uncertainty(toy(small_panel), toy_doubt())
    taken = recipe(small_panel, scenario)
    assert entitlements_of(taken, taken.baseline)[0] == pytest.approx(
        za.entitlement(small_panel, scenario).places.to_numpy(), abs=1e-12
    )
    many = next(drawn(taken, 5, 20))
    found = entitlements_of(taken, many)
    for row in range(20):
        due = za.entitlement(*as_scenario(small_panel, taken, many.part(slice(row, row + 1)))).places
        assert found[row] == pytest.approx(due.to_numpy(), abs=1e-10)
    assert np.ptp(found, axis=0).min() > 0.5


@pytest.mark.parametrize("law", ["ranges", "dirichlet"])
def test_every_draw_is_what_allocate_answers(panel, grouped, law):
    table = (
        EVERYTHING
        if law == "ranges"
        else {k: v for k, v in EVERYTHING.items() if k != "weights"} | {"concentration": 40.0}
    )
    found = za.sweep(panel, grouped, table, draws=400, seed=8)
    for draw in range(0, 400, 57):
        allocation = za.allocate(*found.at(draw))
        assert (allocation.quota.to_numpy() == found.quotas[draw]).all()
        own = found.parameters.loc[draw]
        assert own["totals", "", "total"] == allocation.quota.sum()
        assert own["weights", "", "little_giants"] == allocation.scenario.factors["little_giants"].weight
        assert own["coefficients", "region_coefficient", "西部"] == allocation.scenario.region_coefficient["西部"]
    assert len(np.unique(found.quotas, axis=0)) > 300


def test_the_pools_too_and_bounds_that_hang_on_the_total(small_panel):
    rules = {"r": {"units": list(small_panel.units.index[:2]), "max_share": 0.3}}
    found = za.sweep(small_panel, toy(small_panel, rules=rules), toy_doubt(), draws=16)
    for draw in range(16):
        assert (za.allocate(*found.at(draw)).quota.to_numpy() == found.quotas[draw]).all()
    assert (10 * found.quotas[:, :2].sum(axis=1) <= 3 * found.quotas.sum(axis=1)).all()


def test_the_same_draws_whatever_their_number_and_whatever_the_chunks(panel, grouped, monkeypatch):
    monkeypatch.setattr(drawing, "_ROWS", 64)
    long = za.sweep(panel, grouped, EVERYTHING, draws=130, seed=8)
    assert (za.sweep(panel, grouped, EVERYTHING, draws=65, seed=8).quotas == long.quotas[:65]).all()
    assert (long.quotas[:64] != long.quotas[64:128]).any()
    monkeypatch.setattr(sweeping, "_CELLS", 37 * 5)
    again = za.sweep(panel, grouped, EVERYTHING, draws=130, seed=8)
    assert again.quotas.tobytes() == long.quotas.tobytes()
    pd.testing.assert_frame_equal(again.parameters, long.parameters, check_exact=True)
    pd.testing.assert_frame_equal(again.sobol, long.sobol, check_exact=True)
    assert (za.allocate(*long.at(129)).quota.to_numpy() == long.quotas[129]).all()
    assert (za.sweep(panel, grouped, EVERYTHING, draws=65, seed=9).quotas != long.quotas[:65]).any()


def test_one_kind_of_uncertainty_does_not_change_the_draws_of_another(panel, baseline):
    alone = za.sweep(panel, baseline, {"weights": WEIGHTS}, draws=20)
    among = za.sweep(panel, baseline, EVERYTHING, draws=20)
    pd.testing.assert_frame_equal(alone.parameters, among.parameters[["weights"]])


def test_parameters_keep_to_their_laws(panel, baseline):
    scenario = with_uncertainty(baseline, EVERYTHING)
    taken = recipe(panel, scenario)
    block = drawn_block(taken, 1, 0)
    assert block.totals.min() == 1030
    assert block.totals.max() == 1045
    low, _, high = np.array(list(taken.coefficients.values())).T
    assert ((block.coefficients >= low) & (block.coefficients <= high)).all()
    assert block.coefficients.mean(axis=0) == pytest.approx((low + high) / 2, abs=1e-3)
    assert block.weights[1].sum(axis=1) == pytest.approx(1, abs=1e-12)
    for (code, period), multiples in zip(taken.values, block.facts, strict=True):
        estimated = panel.column(code, period)["estimated"].to_numpy()
        for part, reach in ((estimated, 0.2), (~estimated, 0.01)):
            if part.any():
                assert multiples[:, part].max() - 1 == pytest.approx(reach, rel=1e-2)
                assert 1 - multiples[:, part].min() == pytest.approx(reach, rel=1e-2)


def test_dirichlet_weights_have_the_baseline_as_mean_and_the_textbook_variance(panel, baseline):
    taken = recipe(panel, with_uncertainty(baseline, {"concentration": 50.0}))
    weights = drawn_block(taken, 1, 0).weights[1]
    w = np.array([0.4, 0.4, 0.2])
    assert weights.mean(axis=0) == pytest.approx(w, abs=1e-3)
    assert weights.var(axis=0) == pytest.approx(w * (1 - w) / 51, rel=0.02)


def test_dirichlet_weights_keep_their_law_when_drawn_anew(panel, baseline):
    taken = recipe(panel, with_uncertainty(baseline, {"concentration": 50.0}))
    before = drawn_block(taken, 1, 0).weights[1][:50_000]
    after = drivers._paired(taken, 1, before.copy(), [0, 2], np.random.default_rng(5))
    w = np.array([0.4, 0.4, 0.2])
    assert (after[:, 1] == before[:, 1]).all()
    assert after.mean(axis=0) == pytest.approx(w, abs=2e-3)
    assert after.var(axis=0) == pytest.approx(w * (1 - w) / 51, rel=0.03)


def test_counts_quantiles_and_ranks_by_hand():
    quotas = np.array([[5, 5, 2], [6, 4, 2], [7, 1, 4], [5, 5, 2]], dtype=np.int32)
    table = summary_of(quotas, pd.Series([6, 4, 2], index=list("abc")))
    assert table["mean"].tolist() == [5.75, 3.75, 2.5]
    assert table["sd"]["a"] == pytest.approx(np.sqrt(11) / 4)
    assert table[["min", "q05", "q25", "q50", "q75", "q95", "max"]].loc["a"].tolist() == [5, 5, 5, 5, 6, 7, 7]
    assert table["gain"].tolist() == [0.25, 0.5, 0.25]
    assert table["lose"].tolist() == [0.5, 0.25, 0]
    assert table[["rank", "rank_min", "rank_max"]].values.tolist() == [[1, 1, 1], [2, 1, 3], [3, 2, 3]]
    assert quantile(np.array([1, 2]), np.array([1, 19]), 5) == 1


def test_the_table_counts_what_was_drawn(panel, grouped):
    found = za.sweep(panel, grouped, EVERYTHING, draws=500)
    assert found.probability.groupby("code").sum().to_numpy() == pytest.approx(1)
    for i, (code, row) in enumerate(found.table.iterrows()):
        drawn_places = pd.Series(found.quotas[:, i])
        assert row["gain"] == (drawn_places > row["quota"]).mean()
        assert (row["min"], row["max"]) == (drawn_places.min(), drawn_places.max())
        assert row["q50"] == np.quantile(drawn_places, 0.5, method="inverted_cdf")
        assert found.probability[code][row["q50"]] == (drawn_places == row["q50"]).mean()
    ranks = pd.DataFrame(-found.quotas).rank(axis=1, method="min")
    assert found.table["rank_min"].tolist() == ranks.min().tolist()
    assert found.table["rank_max"].tolist() == ranks.max().tolist()


def test_a_constant_quota_has_no_index(panel, write_scenario):
    fixed = '[fixed."北京"]\nquota = 30\nreason = "会商"\n'
    trial = za.load_scenario(write_scenario('extends = "2024-baseline"\n' + fixed))
    found = za.sweep(panel, trial, draws=200)
    assert found.sobol.loc["110000"].isna().all()
    assert found.shapley.loc["110000"].isna().all()
    constant = (found.quotas[: 2 * found.base] == found.quotas[0]).all(axis=0)
    assert found.sobol.iloc[:-1].isna().all(axis=1).tolist() == constant.tolist()
    assert found.sobol.loc["overall"].notna().all()
    assert found.probability["110000"].to_dict() == {30: 1.0}


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
    taken = recipe(panel, scenario.model_copy(update={"uncertainty": with_uncertainty(baseline, table).uncertainty}))
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
    taken = recipe(trial, scenario)
    before = next(drawn(taken, 1, 2**14)).weights[1]
    after = drivers._paired(taken, 1, before.copy(), [0, 1, 2], np.random.default_rng(5))
    assert (after[:, 3] == before[:, 3]).all()
    assert after.sum(axis=1) == pytest.approx(1)
    room = 1 - before[:, 3]
    assert abs(np.corrcoef(before[:, 0] / room, after[:, 0] / room)[0, 1]) < 0.03
    assert (after[:, 0] / room).mean() == pytest.approx(1 / 3, abs=0.01)  # Beta(1, 2)
    assert (after[:, 0] / room).var() == pytest.approx(1 / 18, abs=0.003)


def crossing(panel):
    a, b, c, *_ = panel.units.index
    rules = {"r": {"units": [a, b], "max": 12.0}, "s": {"units": [b, c], "min": 14.0}}
    return toy(panel, rules=rules)


def test_few_draws_are_the_default_where_rules_cross_and_are_said_to_be_few(small_panel, panel, baseline):
    found = za.sweep(small_panel, crossing(small_panel), {"total": {"min": 38, "max": 42}})
    assert found.draws == sweeping.FEW_DRAWS == 64
    assert sum("抽样只有64次" in line for line in sweep_tables.sweep_summary(found)) == 1
    assert any("抽样只有64次" in note for note in sweep_tables.sweep_table(found).notes)
    assert not any("抽样只有" in line for line in sweep_tables.sweep_summary(za.sweep(panel, baseline, draws=1000)))


@pytest.mark.slow
def test_rules_that_cross_are_solved_in_processes_to_the_same_bytes(small_panel, monkeypatch):
    alone = za.sweep(small_panel, crossing(small_panel), toy_doubt(), draws=24)
    monkeypatch.setattr(workers, "_FEW", 0)
    monkeypatch.setattr(workers, "_BATCH", 7)
    spread = za.sweep(small_panel, crossing(small_panel), toy_doubt(), draws=24)
    assert spread.quotas.tobytes() == alone.quotas.tobytes()
    pd.testing.assert_frame_equal(spread.sobol, alone.sobol, check_exact=True)
    for draw in range(0, 24, 5):
        assert (za.allocate(*alone.at(draw)).quota.to_numpy() == alone.quotas[draw]).all()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "没有任何可变动的内容"),
        ({"weights": WEIGHTS, "concentration": 9.0}, "只能写其一"),
        ({"facts": {"published": 0.1, "estimated": 0.05}}, "估算数据的相对误差 estimated（0.05）小于公布数据的 published（0.1）"),
        ({"facts": {"estimated": 1.0}}, "uncertainty.facts.estimated：应小于 1"),
        ({"total": {"min": 1100, "max": 1200}}, "total 为 1039，不在 [uncertainty] 所写的 1100 至 1200 之内"),
        ({"total": {"min": 1100, "max": 1000}}, "min（1100）大于 max（1000）"),
        ({"region_coefficient": {"西部": {"min": 1.2, "max": 1.3}}}, "region_coefficient.西部 为 1.1，不在"),
        ({"grade_coefficient": {"优": {"min": 1.2, "max": 1.3}}}, "“优”在本情景中没有取值；可用：—"),
        ({"wights": WEIGHTS}, "uncertainty.wights：没有这一项"),
        ({1: WEIGHTS}, "uncertainty.1"),
    ],
)  # fmt: skip
def test_wrong_uncertainty_is_explained(panel, baseline, table, said):
    with pytest.raises(za.ScenarioError) as caught:
        za.sweep(panel, baseline, table)
    assert said in str(caught.value)


def test_wrong_lines_of_a_file_name_what_is_allowed(write_scenario):
    lines = "[uncertainty.facts]\npublishd = 0.1\n"
    with pytest.raises(za.ScenarioError, match=r"没有这一项；可用：published、estimated"):
        za.load_scenario(write_scenario('extends = "2024-baseline"\n' + lines))


def test_ranges_end_with_the_numbers_they_were_around(write_scenario):
    lines = 'total = 500\n[region_coefficient]\n"西部" = 1.5\n'
    doubt = za.load_scenario(write_scenario('extends = "2024-baseline"\n' + lines)).uncertainty
    assert (doubt.total, doubt.region_coefficient) == (None, {})
    assert doubt.weights == za.load_scenario("2024-baseline").uncertainty.weights
    own = "total = 500\n[uncertainty.total]\nmin = 400\nmax = 600\n"
    doubt = za.load_scenario(write_scenario('extends = "2024-baseline"\n' + own)).uncertainty
    assert (doubt.total.min, doubt.total.max, len(doubt.region_coefficient)) == (400, 600, 3)


@pytest.mark.parametrize(("draws", "seed"), [(3, 1), (10, -1)])
def test_too_few_draws_and_a_negative_seed_are_refused(panel, baseline, draws, seed):
    with pytest.raises(za.ScenarioError, match=f"现为 {draws}、{seed}"):
        za.sweep(panel, baseline, draws=draws, seed=seed)


def test_a_draw_that_does_not_exist_is_refused(panel, baseline):
    with pytest.raises(za.ScenarioError, match="没有第 4 次抽样"):
        za.sweep(panel, baseline, draws=4).at(4)


def test_a_draw_without_an_answer_is_named(panel, baseline):
    tight = baseline.model_copy(update={"floor": {"default": 28}})
    with pytest.raises(za.InfeasibleError, match=r"总量10[0-3][0-9]") as caught:
        za.sweep(panel, tight, {"total": {"min": 1000, "max": 1039}}, draws=100)
    assert "请放宽规则" in str(caught.value)


def test_the_first_draw_of_a_block_is_one_of_its_own(small_panel):
    taken = recipe(small_panel, with_uncertainty(toy(small_panel), toy_doubt()))
    whole = next(drawn(taken, 3, 10))
    assert entitlements_of(taken, one(taken, 3, 7))[0] == pytest.approx(entitlements_of(taken, whole)[7])
    assert replace(whole, totals=whole.totals[:1]).part(slice(2, 5)).totals == whole.totals[0]


def started(*arguments):
    """A process of the cluster, which says on stderr when it is up; everything stays on loopback."""
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(za.__file__).parents[1],
    )  # fmt: skip


@pytest.fixture
def cluster():
    """Address of a scheduler on loopback, and its two workers."""
    pytest.importorskip("distributed", reason="distributed（extra cluster）未安装")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    processes = [started("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")]
    for _ in range(2):
        processes.append(
            started("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        )
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # other people's
def test_a_cluster_gives_the_same_bytes_though_a_worker_dies_in_mid_run(cluster, small_panel, monkeypatch):
    distributed = pytest.importorskip("distributed")
    address, crew = cluster
    scenario = with_uncertainty(crossing(small_panel), toy_doubt(total=None))
    alone = za.sweep(small_panel, scenario, draws=64)
    with distributed.Client(address, set_as_default=False) as watcher:
        watcher.wait_for_workers(2, timeout=60)
        monkeypatch.setattr(workers, "_BATCH", 2)
        shots = []

        def shoot():
            while not shots:
                stacks = watcher.processing()
                if len(stacks) == 2 and all(stacks.values()):
                    crew[0].kill()
                    shots.append(sum(map(len, stacks.values())))
                time.sleep(0.02)

        gunman = threading.Thread(target=shoot)
        gunman.start()
        spread = za.sweep_on_cluster(address, small_panel, scenario, draws=64)
        shots.append(0)
        gunman.join()
        assert shots[0] > 0, "nobody was killed in mid-run"
        watcher.wait_for_workers(1, timeout=10)
    assert crew[0].poll() is not None
    assert spread.quotas.tobytes() == alone.quotas.tobytes()
    pd.testing.assert_frame_equal(spread.shapley, alone.shapley, check_exact=True)


def test_without_distributed_the_extra_is_named(panel, baseline, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(za.SolverError, match=r"zjtx_alloc\[cluster\]"):
        za.sweep_on_cluster("tcp://127.0.0.1:1", panel, baseline, draws=4)


def zjtx(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code, *capsys.readouterr()


def test_the_command_writes_what_it_drew_and_prints_conclusions(capsys, tmp_path, panel, baseline):
    code, said, _ = zjtx(capsys, "sweep", "2024-baseline", "--draws", "200", "--seed", "3", "--out", str(tmp_path))
    found = za.sweep(panel, baseline, draws=200, seed=3)
    assert code == 0
    assert "2024年第一批基准情景：200次抽样（随机种子3）。" in said
    assert "沙普利" not in said
    assert "权重引起的方差分摊到各权重" in said
    written = pd.read_csv(tmp_path / "sweep-units.csv", dtype={"code": str}, encoding="utf-8-sig").set_index("code")
    assert written["q95"].tolist() == found.table["q95"].tolist()
    quotas = pd.read_csv(tmp_path / "sweep-quotas.csv", encoding="utf-8-sig", index_col="draw")
    assert (quotas.to_numpy() == found.quotas).all()
    assert {path.name for path in tmp_path.iterdir()} == {
        f"sweep-{name}.csv" for name in ("units", "probability", "sobol", "shapley", "parameters", "quotas")
    }


def test_the_tables_show_a_dash_where_a_quota_is_constant(panel, write_scenario):
    fixed = '[fixed."北京"]\nquota = 30\nreason = "会商"\n'
    found = za.sweep(panel, za.load_scenario(write_scenario('extends = "2024-baseline"\n' + fixed)), draws=100)
    table = sweep_tables.driver_table(found)
    assert "北京</td>" + '<td style="text-align:right">—</td>' * 8 in table._repr_html_()
    assert table.frame.iloc[-1, 0] == "合计"
    assert sweep_tables.weight_effect_table(found).frame.iloc[1, 1:].sum() == pytest.approx(1)
