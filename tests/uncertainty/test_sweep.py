"""Sweeps: every draw as ``allocate`` answers it, the same draws always, counts by hand, error messages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy
from support.sweep_toys import EVERYTHING, WEIGHTS, toy, toy_doubt

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.tables import sweep as sweep_tables
from zjtx_alloc.uncertainty import draws as drawing, sweep as sweeping
from zjtx_alloc.uncertainty.admissible import with_uncertainty
from zjtx_alloc.uncertainty.distributions import _ranks, summary_of
from zjtx_alloc.uncertainty.draws import as_scenario, drawn, drawn_block, entitlements_of, one, sampling

GROUPS = '[groups."中部"]\nregion = "中部"\ncap = 200\n[groups."湘鄂"]\nunits = ["湖南", "湖北"]\nfloor = 100\n[cap]\ndefault = 90\n'

FACTS_FIXED = {"facts": {"ranges": False}}


@pytest.fixture
def grouped(write_scenario):
    return za.load_scenario(write_scenario('extends = "2024-baseline"\n' + GROUPS))


@pytest.mark.thorough
def test_entitlements_of_many_draws_are_those_of_each(small_panel):
    scenario = with_uncertainty(toy(small_panel), toy_doubt())
    taken = sampling(small_panel, scenario)
    assert entitlements_of(taken, taken.baseline)[0] == pytest.approx(
        za.entitlement(small_panel, scenario).places.to_numpy(), abs=1e-12
    )
    many = next(drawn(taken, 5, 20))
    found = entitlements_of(taken, many)
    for row in range(20):
        due = za.entitlement(*as_scenario(small_panel, taken, many.part(slice(row, row + 1)))).places
        assert found[row] == pytest.approx(due.to_numpy(), abs=1e-10)
    assert np.ptp(found, axis=0).min() > 0.5


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_the_pools_too_and_bounds_that_hang_on_the_total(small_panel):
    rules = {"r": {"units": list(small_panel.units.index[:2]), "max_share": 0.3}}
    found = za.sweep(small_panel, toy(small_panel, rules=rules), toy_doubt(), draws=16)
    for draw in range(16):
        assert (za.allocate(*found.at(draw)).quota.to_numpy() == found.quotas[draw]).all()
    assert (10 * found.quotas[:, :2].sum(axis=1) <= 3 * found.quotas.sum(axis=1)).all()


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_one_kind_of_uncertainty_does_not_change_the_draws_of_another(panel, baseline):
    alone = za.sweep(panel, baseline, {"weights": WEIGHTS}, draws=20)
    among = za.sweep(panel, baseline, EVERYTHING, draws=20)
    pd.testing.assert_frame_equal(alone.parameters, among.parameters[["weights"]])


@pytest.mark.parametrize(
    "doubt", [EVERYTHING, EVERYTHING | {"weights": {}, "concentration": 50.0}], ids=["ranges", "dirichlet"]
)
def test_the_first_rows_of_a_block_are_those_of_the_whole_block(panel, baseline, doubt, monkeypatch):
    monkeypatch.setattr(drawing, "_ROWS", 1000)
    taken = sampling(panel, with_uncertainty(baseline, doubt))
    whole = drawn_block(taken, 3, 1)
    for rows in (2, 7, 500):
        part, first = drawn_block(taken, 3, 1, rows), whole.part(slice(0, rows))
        assert len(part) == rows
        pairs = zip((*part.weights, part.coefficients, *part.facts, part.totals),
                    (*first.weights, first.coefficients, *first.facts, first.totals), strict=True)  # fmt: skip
        assert all((a == b).all() and a.shape == b.shape for a, b in pairs)


def test_ranks_are_scipys():
    quotas = np.random.default_rng(2).integers(0, 6, (200, 9)).astype(np.int32)
    assert (_ranks(quotas) == scipy.stats.rankdata(-quotas, "min", axis=1)).all()


def test_parameters_keep_to_their_laws(panel, stand_ins):
    weights = {code: {"min": 0.2, "max": 0.6} for code in ("rd_active_firms", "little_giants")}
    scenario = with_uncertainty(stand_ins, EVERYTHING | {"weights": weights})
    taken = sampling(panel, scenario)
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


def test_a_cell_with_a_range_is_drawn_within_it_as_often_below_as_above(panel, baseline):
    """Estimates between low and high; what is published is off by 1 % as well; without ``ranges`` by 20 and 1 %."""
    taken = sampling(panel, with_uncertainty(baseline, EVERYTHING))
    for (code, period), multiples in zip(taken.values, drawn_block(taken, 1, 0).facts, strict=True):
        cells = panel.column(code, period)
        is_known = ~cells["estimated"].to_numpy()
        low, high = (cells[end] / cells["value"] for end in ("low", "high"))
        if code.startswith("first_round"):
            assert cells["low"].isna().all()
            continue
        low = np.where(is_known, np.minimum(low, 0.99), low)
        high = np.where(is_known, np.maximum(high, 1.01), high)
        assert multiples.min(axis=0) == pytest.approx(low, abs=2e-2)
        assert multiples.max(axis=0) == pytest.approx(high, abs=2e-2)
        assert (multiples < 1).mean() == pytest.approx(0.5, abs=0.01)
        median = np.median(multiples, axis=0)
        assert median == pytest.approx(np.ones(37), abs=0.1)
    plain = EVERYTHING | {"facts": EVERYTHING["facts"] | {"ranges": False}}
    (ends, *_) = sampling(panel, with_uncertainty(baseline, plain)).spreads.values()
    assert set(np.round(ends[1], 9)) == {1.2, 1.01}


def test_dirichlet_weights_have_the_baseline_as_mean_and_the_textbook_variance(panel, baseline):
    taken = sampling(panel, with_uncertainty(baseline, {"concentration": 50.0}))
    weights = drawn_block(taken, 1, 0).weights[1]
    w = np.array([0.4, 0.4, 0.2])
    assert weights.mean(axis=0) == pytest.approx(w, abs=1e-3)
    assert weights.var(axis=0) == pytest.approx(w * (1 - w) / 51, rel=0.02)


def test_counts_quantiles_and_ranks_by_hand():
    quotas = np.array([[5, 5, 2], [6, 4, 2], [7, 1, 4], [5, 5, 2]], dtype=np.int32)
    table = summary_of(quotas, pd.Series([6, 4, 2], index=list("abc")), np.array([[6, 4, 2]]))
    assert table["mean"].tolist() == [5.75, 3.75, 2.5]
    assert table["sd"]["a"] == pytest.approx(np.sqrt(11) / 4)
    assert table[["min", "q05", "q25", "q50", "q75", "q95", "max"]].loc["a"].tolist() == [5, 5, 5, 5, 6, 7, 7]
    assert table["gain"].tolist() == [0.25, 0.5, 0.25]
    assert table["lose"].tolist() == [0.5, 0.25, 0]
    assert table[["rank", "rank_min", "rank_max"]].values.tolist() == [[1, 1, 1], [2, 1, 3], [3, 2, 3]]
    twenty = np.array([[1]] + [[2]] * 19, dtype=np.int32)  # five percent of twenty is exactly one
    assert summary_of(twenty, pd.Series([2], index=["a"]), np.array([[2], [2]]))["q05"].tolist() == [1]


@pytest.mark.thorough
def test_the_table_counts_what_was_drawn(panel, grouped):
    found = za.sweep(panel, grouped, EVERYTHING, draws=500)
    totals = found.quotas.sum(axis=1)
    same = {t: za.allocate(panel, grouped.model_copy(update={"total": int(t)})).quota for t in np.unique(totals)}
    alike = np.array([same[total] for total in totals])
    assert found.probability.groupby("code").sum().to_numpy() == pytest.approx(1)
    for i, (code, row) in enumerate(found.table.iterrows()):
        drawn_places = pd.Series(found.quotas[:, i])
        assert row["gain"] == (drawn_places > alike[:, i]).mean()
        assert row["lose"] == (drawn_places < alike[:, i]).mean()
        assert (row["min"], row["max"]) == (drawn_places.min(), drawn_places.max())
        assert row["q50"] == np.quantile(drawn_places, 0.5, method="inverted_cdf")
        assert found.probability[code][row["q50"]] == (drawn_places == row["q50"]).mean()
    ranks = pd.DataFrame(-found.quotas).rank(axis=1, method="min")
    assert found.table["rank_min"].tolist() == ranks.min().tolist()
    assert found.table["rank_max"].tolist() == ranks.max().tolist()


@pytest.mark.thorough
def test_a_total_that_alone_varies_makes_nobody_gain_or_lose(panel, baseline):
    """Draws of 1,000 to 1,100 places have 1,050 on average, the baseline 1,039: that is no gain."""
    found = za.sweep(panel, baseline, {"total": {"min": 1000, "max": 1100}} | FACTS_FIXED, draws=300)
    assert found.quotas.sum(axis=1).mean() == pytest.approx(1050, abs=5)
    assert (found.table[["gain", "lose"]] == 0).all(axis=None)
    assert "总量增减引起的名额增减因此不算在内" in "".join(sweep_tables.sweep_notes(found))


@pytest.mark.thorough
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


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (FACTS_FIXED, "没有任何可变动的内容"),
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
    with pytest.raises(za.ScenarioError, match=r"没有这一项；可用：ranges、published、estimated"):
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
    taken = sampling(small_panel, with_uncertainty(toy(small_panel), toy_doubt()))
    whole = next(drawn(taken, 3, 10))
    assert entitlements_of(taken, one(taken, 3, 7))[0] == pytest.approx(entitlements_of(taken, whole)[7])
    assert replace(whole, totals=whole.totals[:1]).part(slice(2, 5)).totals == whole.totals[0]


def zjtx(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code, *capsys.readouterr()


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_the_tables_show_a_dash_where_a_quota_is_constant(panel, write_scenario):
    fixed = '[fixed."北京"]\nquota = 30\nreason = "会商"\n'
    found = za.sweep(panel, za.load_scenario(write_scenario('extends = "2024-baseline"\n' + fixed)), draws=100)
    table = sweep_tables.driver_table(found)
    assert "北京</th>" + '<td style="text-align:right">—</td>' * 8 in table._repr_html_()
    assert table.frame.iloc[-1, 0] == "合计"
    assert sweep_tables.weight_effect_table(found).frame.iloc[1, 1:].sum() == pytest.approx(1)
