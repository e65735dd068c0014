"""The laws that ``rules/composite_laws.py`` states: each held against examples, and broken where it says nothing."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, strategies as st
from support.examples import examples

from zjtx_alloc.allocation.composite_steps import aggregated, contributions, imputed, normalised, treated, weights_of
from zjtx_alloc.base.ties import settled
from zjtx_alloc.rules.composite_form import Normalisation, Part, Recipe, Treatment
from zjtx_alloc.rules.composite_laws import INVARIANCE, Invariance, Laws, laws

UNITS = [f"u{i}" for i in range(5)]
LINES = {
    "share": {}, "min-max": {}, "z": {"mean": 50.0, "sd": 10.0}, "rank": {}, "percentile": {},
    "target": {"base": 0.0, "target": 60.0}, "bands": {"bands": [[60.0, 90.0], [20.0, 40.0], [3.0, 10.0]]},
}  # fmt: skip
DOWN = {"target": {"base": 60.0, "target": 0.0}, "bands": {"bands": [[20.0, 90.0], [60.0, 40.0]]}}
MEANS = {"arithmetic": None, "geometric": 1.0, "harmonic": 1.0, "median": None}
TREATMENTS = {
    "none": Treatment(), "winsorised": Treatment(winsorise_low=1, winsorise_high=1), "log": Treatment(log_offset=0.0),
    "log with an offset": Treatment(log_offset=1.0),
}  # fmt: skip
CHANGES = {Invariance.SCALE: lambda x: 8 * x, Invariance.AFFINE: lambda x: 8 * x + 5, Invariance.ORDER: lambda x: x**3}

columns = st.lists(st.integers(1, 100), min_size=5, max_size=5, unique=True)
kinds = st.sampled_from(sorted(LINES))
steps_up = st.tuples(st.integers(0, 4), st.integers(1, 60))  # which unit, how much better
means = st.sampled_from(sorted(MEANS))


def part(kind, direction=1, treatment="none", weight=None):
    lines = LINES[kind] if direction == 1 else DOWN.get(kind, LINES[kind])
    rule = Normalisation(kind=kind, **lines)
    treated_so = TREATMENTS[treatment]
    return Part(period="2020", direction=direction, normalisation=rule, treatment=treated_so, weight=weight)


def recipe(mean, **parts):
    return Recipe(title="t", aggregation=mean, weights="equal", offset=MEANS[mean], parts=parts)


def column(values):
    return pd.Series([float(v) for v in values], UNITS)


def step(values, line):
    return normalised(treated(values, line.treatment, ""), line, "")


def score(made, **raw):
    frame = pd.DataFrame({name: step(column(values), made.parts[name]) for name, values in raw.items()})
    return aggregated(frame, weights_of(made, frame, ""), made, "")


@pytest.mark.thorough
@given(line=st.tuples(kinds, st.sampled_from(sorted(TREATMENTS)), st.booleans()), second=kinds, mean=means,
       raw=st.tuples(columns, columns), step_up=steps_up)  # fmt: skip
def test_law_a_better_figure_never_lowers_the_units_own_score(line, second, mean, raw, step_up):
    (first, treatment, down), (a, b), (unit, more) = line, raw, step_up
    assume(not (down and first == "share"))
    made = recipe(mean, a=part(first, -1 if down else 1, treatment), b=part(second))
    assert laws({"made": made}, "made").monotone
    better = [x + (-min(more, x - 1) if down else more) * (i == unit) for i, x in enumerate(a)]
    assume(len(set(sorted(better)[1:-1])) > 1)
    before, after = score(made, a=a, b=b), score(made, a=better, b=b)
    assert after.iloc[unit] >= before.iloc[unit] - 1e-9


@given(child=kinds, kind=kinds, raw=st.tuples(columns, columns), step_up=steps_up)
def test_law_scores_normalised_once_more_stay_monotone_without_z(child, kind, raw, step_up):
    (a, b), (unit, more) = raw, step_up
    inner = recipe("arithmetic", a=part(child), b=part("share"))
    outer = Recipe(title="o", aggregation="arithmetic", weights="equal", parts={
        "inner": Part(direction=1, normalisation=Normalisation(kind=kind, **LINES[kind]))})  # fmt: skip
    stated = laws({"outer": outer, "inner": inner}, "outer").monotone
    assert stated == ("z" not in (child, kind))
    assume(stated)
    better = [x + more * (i == unit) for i, x in enumerate(a)]
    line = outer.parts["inner"]
    scores = score(inner, a=a, b=b), score(inner, a=better, b=b)
    assume(all(one.nunique() > 1 for one in scores))
    before, after = (normalised(one, line, "") for one in scores)
    assert after.iloc[unit] >= before.iloc[unit] - 1e-9


def test_z_once_more_is_rightly_not_called_monotone():
    # Unit 0 is far below the rest in a: as it rises, the spread of a shrinks and unit 1 overtakes it.
    inner, b = recipe("arithmetic", a=part("z"), b=part("z")), (59, 0, 34, 13, 30)
    ranks = [normalised(score(inner, a=(low, 32, 23, 25, 26), b=b), part("rank"), "") for low in (0, 10)]
    assert [rank.iloc[0] for rank in ranks] == [3, 2]


@pytest.mark.parametrize("kind", LINES)
@given(values=columns)
def test_law_what_a_normalisation_does_not_see(kind, values):
    line = part(kind)
    for change, apply in CHANGES.items():
        if change <= INVARIANCE[kind]:
            found = step(apply(column(values)), line)
            assert found.tolist() == pytest.approx(step(column(values), line).tolist(), abs=1e-9)


@pytest.mark.parametrize("kind", [kind for kind in LINES if INVARIANCE[kind] < Invariance.ORDER])
def test_what_a_normalisation_does_see(kind):
    values, line = column((3, 10, 12, 40, 55)), part(kind)
    seen = CHANGES[Invariance(INVARIANCE[kind] + 1)]
    assert max(abs(step(seen(values), line) - step(values, line))) > 0.001


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("kind", LINES)
def test_law_units_of_measure_cancel_where_it_is_said_and_nowhere_else(kind, treatment):
    made = recipe("geometric", a=part(kind, treatment=treatment))
    values = (3, 10, 12, 40, 55)
    same = (score(made, a=[8 * x for x in values]) - score(made, a=values)).abs().max() < 1e-9
    assert same == laws({"made": made}, "made").units_cancel


def test_laws_of_a_tree():
    plain, rough = recipe("median", a=part("z")), recipe("median", a=part("bands"))
    asis = {"child": Part(direction=1)}
    again = {"child": Part(direction=1, normalisation=Normalisation(kind="rank"))}
    assert laws({"top": recipe("median", **asis), "child": plain}, "top") == Laws(units_cancel=True)
    assert laws({"top": recipe("median", **asis), "child": rough}, "top") == Laws(units_cancel=False)
    once_more = laws({"top": recipe("median", **again), "child": plain}, "top")
    assert once_more == Laws(units_cancel=True, may_fall=(("child", "again"),))
    grown = plain.model_copy(update={"weights": "principal"})
    by_data = laws({"top": recipe("median", **asis), "child": grown}, "top")
    assert by_data == Laws(units_cancel=True, may_fall=(("", "principal"),))
    assert [once_more.monotone, by_data.monotone, Laws(units_cancel=True).monotone] == [False, False, True]


def test_a_filled_and_winsorised_part_is_not_called_monotone_since_it_is_not():
    # 10 rises to 14: its own value is held at the second highest, 9, while the filled cell rises from 5.5 to 6.5.
    line = part("share", treatment="winsorised").model_copy(update={"missing": "mean"})
    made = recipe("arithmetic", a=line)
    assert laws({"made": made}, "made").may_fall == (("a", "fill_winsorised"),)
    before, after = (step(imputed(column((1, 2, 9, top, math.nan)), "mean", ""), line) for top in (10, 14))
    assert [before.iloc[3], after.iloc[3]] == pytest.approx([9 / 27.5, 9 / 28.5])


random_parts = st.builds(
    lambda kind, treatment, missing: part(kind, treatment=treatment).model_copy(update={"missing": missing}),
    kinds, st.sampled_from(sorted(TREATMENTS)), st.sampled_from(["refuse", "mean", "median"]),
)  # fmt: skip
holed = st.tuples(columns, st.sets(st.integers(0, 4), max_size=2))


@pytest.mark.thorough
@examples(400)
@given(parts=st.lists(random_parts, min_size=1, max_size=3), raw=st.lists(holed, min_size=3, max_size=3),
       mean=means, step_up=steps_up)  # fmt: skip
def test_law_no_counter_example_to_monotone_among_random_composites(parts, raw, mean, step_up):
    (unit, more) = step_up
    made = recipe(mean, **{f"p{i}": one for i, one in enumerate(parts)})
    assume(laws({"made": made}, "made").monotone)

    def scored(gain):
        frame = {}
        for (name, line), (values, holes) in zip(made.parts.items(), raw, strict=False):
            gaps = holes if line.missing != "refuse" else ()
            cells = column([math.nan if i in gaps else v + gain * (i == unit) for i, v in enumerate(values)])
            filled = imputed(cells, line.missing, "")
            assume(sorted(filled)[1] < sorted(filled)[-2])
            frame[name] = step(filled, line)
        frame = pd.DataFrame(frame)
        return aggregated(frame, weights_of(made, frame, ""), made, "")

    assert scored(more).iloc[unit] >= scored(0).iloc[unit] - 1e-9


def test_equal_loadings_are_equal_weights_whatever_rounding_says():
    # Of two parts each loading is the half in theory; the weighted median then lies midway between them.
    made = recipe("median", a=part("min-max"), b=part("min-max")).model_copy(update={"weights": "principal"})
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(5, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
        frame = pd.DataFrame(x, UNITS, ["a", "b"])
        if frame.corr().iloc[0, 1] <= 0.05:
            continue
        held = weights_of(made, frame, "")
        assert held["a"] == held["b"]
        assert aggregated(frame, held, made, "").tolist() == pytest.approx(frame.mean(axis=1).tolist())


def test_numbers_that_rounding_tells_apart_are_one():
    values = pd.Series([0.3, 0.1 + 0.2, 0.3 - 1e-16, 0.31, -0.3], list("abcde"))
    assert settled(values).tolist() == [0.3 - 1e-16] * 3 + [0.31, -0.3]
    assert settled(values, [0.3]).tolist() == [0.3] * 3 + [0.31, -0.3]
    assert settled(pd.Series([1e9, 1e9 + 1, 0.0])).tolist() == [1e9, 1e9 + 1, 0.0]
    assert settled(pd.Series([], dtype=float)).empty


@given(mean=means, rows=st.lists(st.tuples(*[st.integers(0, 50)] * 3), min_size=5, max_size=5),
       cuts=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)))  # fmt: skip
def test_law_a_score_lies_between_its_parts_and_is_what_they_add(mean, rows, cuts):
    weights = [cut / sum(cuts) for cut in cuts]
    parts = {f"p{i}": part("share", weight=w) for i, w in enumerate(weights)}
    made = Recipe(title="t", aggregation=mean, offset=MEANS[mean], parts=parts)
    frame = pd.DataFrame([[float(x) for x in row] for row in rows], UNITS, list(parts))
    held = weights_of(made, frame, "")
    found = aggregated(frame, held, made, "")
    assert (found >= frame.min(axis=1) - 1e-9).all()
    assert (found <= frame.max(axis=1) + 1e-9).all()
    assert contributions(frame, held, made, "").sum(axis=1).tolist() == pytest.approx(found.tolist(), abs=1e-9)


@given(kind=kinds, mean=means, values=columns, order=st.permutations(UNITS))
def test_law_the_order_of_the_rows_changes_no_bit(kind, mean, values, order):
    line = part(kind)
    assert step(column(values)[order], line)[UNITS].equals(step(column(values), line))


@given(values=st.lists(st.floats(0, 1e12), min_size=2, max_size=40).filter(lambda xs: math.fsum(xs) > 1e-300))
def test_law_shares_of_shares_are_the_shares_to_the_bit(values):
    x = pd.Series(values)
    once = normalised(x, part("share"), "")
    assert normalised(once, part("share"), "").equals(once)
