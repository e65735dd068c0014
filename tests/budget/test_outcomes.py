"""Assumed outcomes: their evidence, the states of the nation, a user's own and wrong ones."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.budget.expected import share_of_the_left
from zjtx_alloc.budget.outcomes import outcome_names


@pytest.mark.parametrize(
    ("low", "mean", "high", "rho", "nodes"),
    [
        ("0.22", "0.3586", "0.36", "0.000042181501", 50),  # the mean near an end of the range
        ("0.7", "0.939227533", "0.939467", "0.000250910688", 50),
        ("0.35", "0.5", "0.65", "0.01", 4),  # the least spread: two states, half a step either side of the mean
        ("0.5", "0.95", "1", "0.01", 21),
    ],
)
def test_the_states_of_the_nation_have_the_declared_mean_and_variance(low, mean, high, rho, nodes):
    declared = za.OutcomeAssumption(
        name="trial", title="试算", completed={"low": low, "mean": mean, "high": high},
        otherwise={"missed": "1", "discontinued": "0", "under_invested": "0"},
        rho_unit="0", rho_nation=rho, nodes=nodes, basis={},
    )  # fmt: skip
    rate, weights, centre = declared.states.rates["completed"], declared.states.weights, float(mean)
    assert weights.sum() == pytest.approx(1)
    assert rate @ weights == pytest.approx(centre, abs=1e-12)
    assert (rate - centre) ** 2 @ weights == pytest.approx(float(rho) * centre * (1 - centre), rel=1e-9)


# --- assumptions ------------------------------------------------------------------------------------------------------


def test_the_evidence_is_that_of_the_lists(panel):
    evidence = za.outcome_evidence()
    assert evidence.columns[5] == "share", "beside the counts it is made of"
    evidence = evidence.set_index(["batch", "evaluations"])
    assert (evidence["share"] * 100).round(1).to_dict() == {(1, 2): 52.3, (2, 1): 86.6, (2, 2): 58.1, (3, 1): 72.9}
    for (batch, evaluations), indicator in {(1, 2): "r1b1y3", (2, 2): "r1b2y3", (3, 1): "r1b3y2"}.items():
        counted = panel.values(f"first_round_continued_{indicator}", "2024-04").sum()
        assert evidence.at[(batch, evaluations), "kept"] == counted
    facts = pd.read_csv(shipped("data", "facts.csv"), dtype=str).set_index("indicator")["value"]
    for batch, selected in evidence.groupby("batch")["selected"].first().items():
        assert float(facts[f"first_round_selected_b{batch}"]) == selected
    sources = pd.read_csv(shipped("data", "sources.csv"), dtype=str)["id"]
    assert set(evidence["source"]) <= set(sources)


def test_stress_reaches_below_what_was_seen():
    ranges = {name: za.load_outcomes(name).ranges().loc["completed"] for name in outcome_names()}
    assert set(ranges) == {"optimistic", "central", "stress"}
    assert ranges["stress"]["low"] <= ranges["stress"]["mean"] <= 790 / 1438
    assert ranges["stress"]["mean"] < ranges["central"]["mean"] < ranges["optimistic"]["mean"]


@pytest.mark.parametrize("name", ["optimistic", "central", "stress"])
def test_the_states_have_the_mean_and_correlation_that_is_declared(name):
    declared = za.load_outcomes(name)
    rates, weights = declared.states.rates, declared.states.weights
    assert float(declared.rho_nation) > 0
    mean = weights @ rates["completed"]
    assert mean == pytest.approx(float(declared.completed.mean), abs=1e-12)
    assert weights @ (rates["completed"] - mean) ** 2 == pytest.approx(
        float(declared.rho_nation) * mean * (1 - mean), rel=1e-10
    )
    assert rates.sum(axis=1).tolist() == pytest.approx([1] * len(weights))
    assert (np.diff(np.sign(np.diff(weights))) != 0).sum() <= 1, "one peak"
    assert "假设" in declared.note()
    assert "非官方" in declared.note()
    assert f"省内{declared.rho_unit}，全国{declared.rho_nation}" in declared.note()
    ranges = declared.ranges()
    assert ranges.columns.tolist() == ["low", "mean", "high"]
    assert ranges["mean"].sum() == pytest.approx(1)
    assert (ranges["low"] <= ranges["mean"]).all()
    assert (ranges["mean"] <= ranges["high"]).all()


def test_those_who_miss_and_those_who_leave_share_what_is_left():
    central = za.load_outcomes("central")
    even = central.otherwise.model_copy(update={"missed": "0.4", "discontinued": "0.4", "under_invested": "0.2"})
    assert share_of_the_left(central.model_copy(update={"otherwise": even})) == Fraction(1, 2)


HEAD = """title = "甲"
rho_unit = "0.05"
rho_nation = "0.05"
nodes = 9
completed = {low = "0.2", mean = "0.5", high = "0.8"}
otherwise = {missed = "0.5", discontinued = "0.3", under_invested = "0.2"}
basis = {}
"""
BAD = {
    "order": ('mean = "0.5"', 'mean = "0.9"', r"low ≤ mean ≤ high，现为 0.2、0.9、0.8"),
    "shares": ('"0.3"', '"0.4"', r"合计须为1，现为 1.1"),
    "one outcome left out": (' discontinued = "0.3",', "", r"otherwise.discontinued：缺少此项"),
    "number for text": ('low = "0.2"', "low = 0.2", r"completed.low：应为文字"),
    "all firms one": ('rho_unit = "0.05"', 'rho_unit = "1"', r"rho_unit 须小于1"),
    "wider than its range": ('rho_nation = "0.05"', 'rho_nation = "0.2"', r"0.2 的离散程度超出完成率范围 0.2—0.8"),
    "too few states": ('rho_nation = "0.05"', 'rho_nation = "0.001"', r"0.001 过小，9 个状态过疏"),
    "not TOML": ("nodes = 9", "nodes =", r"trial.toml"),
}


def test_a_users_own_assumption(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(HEAD, encoding="utf-8")
    assert za.load_outcomes(path).states.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_assumption_is_refused(case, tmp_path):
    old, new, message = BAD[case]
    path = tmp_path / "trial.toml"
    assert old in HEAD
    path.write_text(HEAD.replace(old, new), encoding="utf-8")
    with pytest.raises(za.ScenarioError, match=message):
        za.load_outcomes(path)
