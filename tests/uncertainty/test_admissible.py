"""Admissible weights: vertices and draws of their polytope, lines of a scenario that say them, what is wrong with them."""

from fractions import Fraction

import numpy as np
import pytest

import zjtx_alloc as za
from zjtx_alloc.report.tables.ranges import range_notes
from zjtx_alloc.uncertainty.polytope import simplices, uniform_draws, vertices

POOLS = """drop = ["factors", "uncertainty"]
[pools.a]
share = 0.7
[pools.a.factors.little_giants]
period = "2024-06"
weight = 1.0
[pools.b]
share = 0.3
[pools.b.factors.sme_count]
period = "2023-12"
weight = 1.0
"""
MOVED = "有效期内“小巨人”企业数的权重由0.4改为0.7，其变动范围随之由0.2—0.6移至0.5—0.9"


def lines_of(**weights):
    return "".join(f"[factors.{code}]\nweight = {weight}\n" for code, weight in weights.items())


def test_inherited_ranges_move_with_their_weights_and_it_is_said(panel, baseline, write_scenario):
    text = lines_of(little_giants=0.7, sme_count=0.1)
    trial = za.load_scenario(write_scenario('extends = "2024-baseline"\n' + text))
    ends = {code: (span.min, span.max) for code, span in trial.uncertainty.weights.items()}
    assert ends == {  # 0.4 − 0.2 … and 0.4 + 0.2, each moved by what its weight did, not beyond 0
        "sme_count": (0.0, 0.3), "little_giants": (0.5, 0.9), "first_round_continued_r1_sum": (0.0, 0.4),
    }  # fmt: skip
    assert trial.assumptions["uncertainty.weights.little_giants"] == MOVED
    ranges = za.weight_range(panel, trial)
    assert f"{MOVED}。" in range_notes(ranges)
    quota = ranges.table[["quota_min", "quota", "quota_max"]].loc[["140000", "330000"]]
    assert (quota["quota_min"] <= quota["quota"]).all()
    assert (quota["quota"] <= quota["quota_max"]).all()
    again = za.load_scenario(za.save_scenario(trial, write_scenario("", "again.toml")))
    assert (again.uncertainty, again.assumptions) == (trial.uncertainty, trial.assumptions)
    assert not any(name.startswith("uncertainty.") for name in baseline.assumptions)


def test_what_is_said_of_a_moved_range_follows_it_and_ends_with_it(write_scenario):
    write_scenario('extends = "2024-baseline"\n' + lines_of(little_giants=0.7, sme_count=0.1), "one.toml")
    key = "uncertainty.weights.little_giants"

    def said(lines):
        return za.load_scenario(write_scenario('extends = "one.toml"\n' + lines, "two.toml")).assumptions

    assert said("")[key] == MOVED
    back = said(lines_of(little_giants=0.4, sme_count=0.4))[key]
    assert back == "有效期内“小巨人”企业数的权重由0.7改为0.4，其变动范围随之由0.5—0.9移至0.2—0.6"
    assert key not in said("[uncertainty.weights.little_giants]\nmin = 0.6\nmax = 0.8\n")
    assert key not in said('drop = ["uncertainty"]\n')
    write_scenario(
        'extends = "2024-baseline"\n' + lines_of(little_giants=0.3, first_round_continued_r1_sum=0.3), "one.toml"
    )
    renamed = said('end_stand_in = ["performance"]\n')
    assert renamed["uncertainty.weights.performance"].startswith("中小企业培育绩效的权重由0.2改为0.3")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (lines_of(little_giants=0.7, sme_count=0.1) + "[uncertainty.weights.little_giants]\nmin = 0.2\nmax = 0.6\n",
         "factors.little_giants.weight 为 0.7，不在 [uncertainty] 所写的 0.2 至 0.6 之内；请改正其一"),
        ("[uncertainty.total]\nmin = 1100\nmax = 1200\n", "total 为 1039，不在 [uncertainty] 所写的 1100 至 1200 之内；请改正其一"),
        ("[uncertainty.region_coefficient]\n\"西部\" = {min = 1.2, max = 1.3}\n", "region_coefficient.西部 为 1.1，不在"),
        ('drop = ["uncertainty"]\n[uncertainty.weights]\nlittle_giants = {min = 0.2, max = 0.6}\n',
         "（因素权重）：little_giants 写了范围，但各部分合计须为1，其余各部分没有变动的余地"),
        ('drop = ["uncertainty"]\n[uncertainty.weights]\nlittle_giants = {min = 0.4, max = 0.6}\nsme_count = {min = 0.4, max = 0.5}\n',
         "（因素权重）：little_giants、sme_count 写了范围"),
        (POOLS + "[uncertainty.pools.a.share]\nmin = 0.6\nmax = 0.8\n", "（各名额池占比（share））：a 写了范围"),
    ],
)  # fmt: skip
def test_a_range_without_its_number_or_that_leaves_no_choice_is_an_error(write_scenario, lines, said):
    with pytest.raises(za.ScenarioError) as caught:
        za.load_scenario(write_scenario('extends = "2024-baseline"\n' + lines))
    assert said in str(caught.value)


def test_a_copy_changed_in_code_is_refused_where_its_ranges_are_asked_for(panel, baseline):
    moved = baseline.model_copy(update={"total": 1241})
    with pytest.raises(za.ScenarioError, match=r"情景 2024-baseline：total 为 1241，不在 \[uncertainty\]"):
        za.sweep(panel, moved, draws=4)
    with pytest.raises(za.ScenarioError, match="total 为 1241"):
        za.weight_range(panel, moved)


def test_ranges_cut_off_until_one_choice_is_left_end_and_it_is_said(write_scenario):
    one_sided = {"little_giants": (0.4, 0.6), "sme_count": (0.2, 0.6), "first_round_continued_r1_sum": (0.0, 0.4)}
    ranges = "".join(f"{code} = {{min = {least}, max = {most}}}\n" for code, (least, most) in one_sided.items())
    write_scenario('extends = "2024-baseline"\n[uncertainty.weights]\n' + ranges, "one.toml")
    all_on_one = lines_of(little_giants=1.0, sme_count=0.0, first_round_continued_r1_sum=0.0)
    found = za.load_scenario(write_scenario('extends = "one.toml"\n' + all_on_one, "two.toml"))
    assert found.uncertainty.weights == {}
    assert found.assumptions["uncertainty.weights"].startswith("因素权重已改变，沿用的范围")


def test_vertices_are_exact_and_simplices_fill_the_polytope():
    low, high = [Fraction(1, 5), Fraction(1, 5), Fraction(0)], [Fraction(3, 5), Fraction(3, 5), Fraction(2, 5)]
    corners = vertices(low, high)
    fifths = {(1, 2, 2), (1, 3, 1), (2, 1, 2), (2, 3, 0), (3, 1, 1), (3, 2, 0)}
    assert {tuple(5 * x for x in v) for v in corners} == fifths
    pieces = simplices(low, high)
    area = sum(abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2 for a, b, c in pieces)
    assert area == Fraction(3, 25)  # a hexagon with sides of a fifth: 6 triangles of (1/5)²/2
    assert vertices([Fraction(1, 2)] * 2, [Fraction(1, 2)] * 2) == [(Fraction(1, 2), Fraction(1, 2))]


def test_ranges_as_narrow_as_decimals_go_are_filled():
    near = Fraction("0.5000000000001")
    (piece,) = simplices([Fraction(1, 2), 1 - near], [near, Fraction(1, 2)])
    assert set(piece) == {(Fraction(1, 2), Fraction(1, 2)), (near, 1 - near)}


def test_draws_are_uniform_over_the_polytope():
    low, high = [Fraction(0)] * 3, [Fraction(1, 2), Fraction(1), Fraction(1)]
    drawn = uniform_draws(simplices(low, high), 20_000, np.random.default_rng(3))
    assert np.allclose(drawn.sum(axis=1), 1)
    assert ((drawn >= -1e-12) & (drawn <= [0.5 + 1e-12, 1, 1])).all()
    # w1 ≤ 1/4 has 7/16 of the triangle's area, the whole polytope 12/16
    assert (drawn[:, 0] <= 0.25).mean() == pytest.approx(7 / 12, abs=0.015)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[uncertainty]\nweight = 1\n", "没有这一项；可用：weights、pools"),
        ("[uncertainty.weights.little_giants]\nmin = 0.2\nmost = 0.3\n", "没有这一项；可用：min、max"),
        ("[uncertainty.weights.little_giants]\nmin = 0.7\nmax = 0.3\n", "min（0.7）大于 max（0.3）"),
        ("[uncertainty.weights.little_giants]\nmin = 0.2\nmax = 1.3\n", "应不大于 1"),
        ("[uncertainty.weights.gdp]\nmin = 0.2\nmax = 0.3\n", "“gdp”不是本情景的因素"),
        ("[uncertainty.weights]\nlittle_giants = {min = 0.0, max = 0.1}\nsme_count = {min = 0.0, max = 0.1}\n", "只能在 0.2 至 0.4 之间"),
        ("[uncertainty.pools.task]\nshare = {min = 0.1, max = 0.2}\n", "“task”不是本情景的名额池"),
    ],
)  # fmt: skip
def test_a_wrong_line_of_uncertainty_is_explained(write_scenario, lines, said):
    with pytest.raises(za.ScenarioError) as caught:
        za.load_scenario(write_scenario('extends = "2024-baseline"\ndrop = ["uncertainty"]\n' + lines))
    assert said in str(caught.value)
    assert "uncertainty" in str(caught.value)


def toy(names, **changes):
    """A scenario of equal weights to the last, which has the rest."""
    weights = [0.1] * (len(names) - 1) + [round(1 - 0.1 * (len(names) - 1), 1)]
    factors = {name: {"period": "2020", "weight": w} for name, w in zip(names, weights, strict=True)}
    return za.Scenario(**{"name": "toy", "title": "toy", "batch": 1, "total": 8, "factors": factors} | changes)


def test_more_weights_than_can_be_searched_are_refused_at_once(toy_panel):
    names = ["gdp", "population", "little_giants", "hightech_firms", "rd_active_firms", "local_tax_revenue",
             "industrial_rd_spend", "rd_institution_firms", "local_budget_spend"]  # fmt: skip
    panel = toy_panel(**{name: [1 + n, 9 - n] for n, name in enumerate(names)})
    with pytest.raises(za.ScenarioError, match="有9个权重（或名额池占比）可变动，至多8个"):
        za.weight_range(panel, toy(names), dict.fromkeys(names, (0.0, 1.0)))
    five = {name: {"period": "2020", "weight": 0.2} for name in names[:5]}
    doubt = {"weights": {name: {"min": 0.1, "max": 0.3} for name in names[:5]}}
    pools = {name: {"share": share, "factors": five} for name, share in zip("abc", (0.4, 0.3, 0.3), strict=True)}
    three = toy(names, factors={}, pools=pools, uncertainty={"pools": dict.fromkeys("abc", doubt)})
    with pytest.raises(za.ScenarioError, match=r"组合达\d+种，至多16384种"):
        za.weight_range(panel, three)


def test_a_scenario_without_uncertain_weights_is_refused(panel, write_scenario):
    trial = za.load_scenario(write_scenario('extends = "2024-baseline"\ndrop = ["uncertainty"]\n'))
    with pytest.raises(za.ScenarioError, match="没有写权重的可能范围"):
        za.weight_range(panel, trial)


@pytest.mark.parametrize(
    ("lines", "ranged"),
    [
        ("total = 500\n", ("sme_count", "little_giants", "first_round_continued_r1_sum")),
        ('end_stand_in = ["performance"]\n', ("sme_count", "little_giants", "performance")),
        ('drop = ["factors"]\n[factors.gdp]\nperiod = "2020"\nweight = 1.0\n', ()),
    ],
)
def test_inherited_ranges_follow_the_factors_they_were_written_for(write_scenario, lines, ranged):
    trial = za.load_scenario(write_scenario('extends = "2024-baseline"\n' + lines))
    assert tuple(trial.uncertainty.weights) == ranged
    assert trial.uncertainty.facts.estimated == 0.2  # how far cells may be off is not the factors' affair
    assert za.load_scenario(za.save_scenario(trial, write_scenario("", "again.toml"))).uncertainty == trial.uncertainty


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"gdp": (0.1, 0.2)}, "“gdp”不是本情景的因素"),
        ({"little_giants": (0.6, 0.1)}, "min（0.6）大于 max（0.1）"),
        ({"little_giants": (-0.1, 0.6)}, "应不小于 0"),
        ({"little_giants": (0.5, 0.6)}, "不能为1"),
        ({"sme_count": (0.2, 0.6)}, "sme_count 写了范围，但各部分合计须为1"),
        (
            {"little_giants": (0.5, 0.7), "sme_count": (0.2, 0.4)},
            "weight 为 0.4，不在 [uncertainty] 所写的 0.5 至 0.7 之内",
        ),
    ],
)
def test_weights_given_in_code_are_checked_as_those_of_a_file(panel, baseline, weights, said):
    with pytest.raises(za.ScenarioError) as caught:
        za.weight_range(panel, baseline, weights)
    assert said in str(caught.value)
    assert "2024-baseline" in str(caught.value)
