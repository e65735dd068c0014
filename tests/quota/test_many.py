"""solve_many: each row is what solve answers, ties included, however the rows are cut, ordered or labelled."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.many import moves as many_moves, solve_many as many
from zjtx_alloc.quota.many.block import block_of, sums
from zjtx_alloc.quota.many.costs import costs_of

SEPARABLE = ["webster", "hamilton", "huntington-hill", "dean", "adams", "jefferson"]


def one_by_one(problem, entitlements):
    """The reference: ``solve`` for each row, −1 where it finds no answer."""
    rows = []
    for row in entitlements:
        try:
            rows.append(za.solve(replace(problem, entitlement=pd.Series(row, problem.entitlement.index))).quota)
        except za.InfeasibleError:
            rows.append(np.full(len(row), -1))
    return np.array(rows)


def nested(rng, labels, depth, average):
    """Groups of groups with random floors and caps, some of them out of reach."""
    for part in np.array_split(rng.permutation(labels), rng.integers(1, 4)):
        if len(part) and rng.random() < 0.7:
            floor = None if rng.random() < 0.5 else int(average * len(part) * rng.random())
            cap = None if rng.random() < 0.5 else (floor or 0) + int(average * len(part) * rng.random())
            yield za.Group("/".join(part), tuple(part), floor, cap)
            if depth > 1:
                yield from nested(rng, part, depth - 1, average)


def numbers(rng, shape):
    """Entitlements: whole and half ones tie, shares of a total tie nearly, zeros close a unit."""
    shares = rng.integers(1, 30, shape)
    return [
        rng.integers(0, 6, shape).astype(float),
        rng.integers(0, 9, shape) / 2,
        rng.lognormal(1, 1, shape),
        rng.choice([0, 1e-9, 1e-6, 0.3, 1, 7, 1e3], shape),
        shares / shares.sum(axis=1, keepdims=True) * 17,
    ][rng.integers(5)]


def case(rng, criterion):
    """A random problem of up to eight units and five rows of entitlements for it."""
    n = rng.integers(1, 9)
    entitlements = numbers(rng, (5, n))
    total = min(max(round(entitlements[0].sum() + 3 * rng.normal()), 0), 120)
    labels = [f"u{i}" for i in rng.permutation(n)]
    floor = rng.integers(0, 3, n) * rng.integers(2)
    cap = floor + rng.integers(0, 12, n) if rng.random() < 0.5 else floor + total
    groups = tuple(nested(rng, labels, 3, total / n)) if rng.random() < 0.7 else ()
    bounds = pd.Series(floor, labels), pd.Series(cap, labels)
    return za.QuotaProblem(total, pd.Series(1.0, labels), *bounds, groups, criterion=criterion), entitlements


@pytest.fixture
def nation():
    """37 units in five groups that bind now and then, and 3,000 scenarios around one entitlement."""
    rng = np.random.default_rng(37)
    labels = [f"u{i:02}" for i in range(37)]
    centre = rng.lognormal(0, 1, 37)
    centre *= 1039 / centre.sum()
    groups = []
    for k in range(5):
        share = centre[7 * k : 7 * k + 7].sum()
        groups.append(za.Group(f"g{k}", tuple(labels[7 * k : 7 * k + 7]), int(0.95 * share), int(1.08 * share)))
    bounds = pd.Series(np.floor(0.7 * centre), labels), pd.Series(np.ceil(1.3 * centre), labels)
    problem = za.QuotaProblem(1039, pd.Series(centre, labels), *bounds, tuple(groups))
    return problem, centre * rng.lognormal(0, 0.15, (3000, 37))


def test_a_table_worked_by_hand():
    """Webster, five places, A and B together at most three: ties go to the larger entitlement, then by label."""
    problem = za.QuotaProblem(5, pd.Series(1.0, ["C", "B", "A"]), 0, 4, (za.Group("AB", ("A", "B"), None, 3),))
    entitlements = np.array(
        [
            [1.0, 2.0, 2.0],  # A and B would have two each; of their three the third, at 3/4 for both, is A's
            [3.0, 1.0, 1.0],  # fair as it is
            [2.5, 1.5, 1.0],  # third of C and second of B cost 2 a place each: C is larger
            [0.0, 3.0, 2.0],  # C takes only its floor, so A and B cannot hold five
            [9.0, 0.0, 1.0],  # C at its cap
        ]
    )
    expected = [[2, 1, 2], [3, 1, 1], [3, 1, 1], [-1, -1, -1], [4, 0, 1]]
    quotas = za.solve_many(problem, entitlements)
    assert quotas.dtype == np.int64
    assert quotas.tolist() == expected


@pytest.mark.parametrize(
    "criterion", [SEPARABLE[0], *(pytest.param(c, marks=pytest.mark.thorough) for c in SEPARABLE[1:])]
)
def test_rows_are_what_solve_answers(criterion):
    rng = np.random.default_rng(1000)
    feasible = 0
    for _ in range(50):
        problem, entitlements = case(rng, criterion)
        expected = one_by_one(problem, entitlements)
        assert za.solve_many(problem, entitlements).tolist() == expected.tolist(), problem
        feasible += (expected >= 0).all(axis=1).sum()
    assert 50 < feasible < 240  # both kinds of rows were met


def exchanged(problem, entitlements, best):
    """Each row settled by exchanges alone, from the answer to the row before."""
    alike = replace(problem, entitlement=pd.Series(1.0, index=problem.entitlement.index))
    order = alike.tree.order
    places = np.roll(best, 1, axis=0).T[order].astype(float)
    block = block_of(alike, costs_of(problem.criterion), entitlements.T[order])
    many_moves._exchange(block, places, sums(alike.tree, places)[1])
    return places[np.argsort(order)].T


@pytest.mark.parametrize("criterion", SEPARABLE)
def test_exchanges_reach_the_best_from_any_feasible_start(criterion, nation):
    """The prices only make it fast."""
    rng = np.random.default_rng(3000)
    problem, entitlements = nation
    cases = [(replace(problem, criterion=criterion), entitlements[:100])]
    cases += [(problem, np.maximum(rows, 0.5)) for problem, rows in (case(rng, criterion) for _ in range(40))]
    for problem, entitlements in cases:
        best = za.solve_many(problem, entitlements)
        if (best >= 0).all():
            assert (exchanged(problem, entitlements, best) == best).all(), problem


def close_call(small, b, step):
    """With 3·small − 1 against small billionths the (3b − 1)-th and the b-th place are nearly one price.

    The b-th is cheaper; at 3·small they are one price, and the larger unit has the place; with one billionth more
    it is the cheaper, too. ``step`` −1 turns the units round.
    """
    problem = za.QuotaProblem(4 * b - 2, pd.Series(1.0, ["A", "B"][::step]))
    entitlements = np.array([[3 * small - 1e-9, small], [3 * small, small], [3 * small + 1e-9, small]])
    return problem, entitlements[:, ::step]


CLOSE_CALLS = [(b, close_call(small, b, step)) for small in (1e5, 5e5) for b in (2, 7, 15) for step in (1, -1)]


@pytest.mark.parametrize(("b", "call"), CLOSE_CALLS)
def test_fractions_decide_where_floats_cannot(b, call):
    assert math.isclose((44 - 0.5) / (1.5e15 - 1), (15 - 0.5) / 5e14, rel_tol=1e-15)
    quotas = pd.DataFrame(za.solve_many(*call), columns=call[0].labels)
    assert quotas[["A", "B"]].to_numpy().tolist() == [[3 * b - 2, b], [3 * b - 1, b - 1], [3 * b - 1, b - 1]]


def test_what_floats_do_not_hold_is_solved_alone():
    """Of millions of places floats no longer say which of two prices may be equal."""
    problem = za.QuotaProblem(9, pd.Series(1.0, ["A", "B"]))
    entitlements = np.array([[1e8, 1e8 / 2], [1e12, 1e11], [2.0, 7.0]])
    assert za.solve_many(problem, entitlements).tolist() == one_by_one(problem, entitlements).tolist()


@pytest.mark.parametrize("criterion", ["minimax", "leximin"])
def test_criteria_without_prices_in_floats_are_solved_one_by_one(criterion):
    problem, entitlements = case(np.random.default_rng(8), criterion)
    assert za.solve_many(problem, entitlements).tolist() == one_by_one(problem, entitlements).tolist()


def test_crossing_rules_are_solved_one_by_one():
    groups = za.Group("AB", ("A", "B"), 3), za.Group("BC", ("B", "C"), None, 3)
    problem = za.QuotaProblem(6, pd.Series(1.0, list("ABC")), groups=groups)
    entitlements = np.array([[1.0, 2.0, 3.0], [0.0, 3.0, 3.0]])
    assert za.solve_many(problem, entitlements).tolist() == [[3, 1, 2], [-1, -1, -1]]


def test_a_bound_that_nobody_gave_is_none_whatever_the_problem_s_own_entitlement():
    """A rule with only a lower bound; where the problem's own e = 0 it would leave the units no room."""
    rule = za.Rule("AB", {"A": 1, "B": 1}, lower=1)
    problem = za.QuotaProblem(6, pd.Series([0.0, 0.0, 6.0], list("ABC")), rules=(rule,))
    assert za.solve_many(problem, np.array([[3.0, 2.0, 1.0]])).tolist() == [[3, 2, 1]]


def test_bounds_that_clash_leave_no_row():
    problem = za.QuotaProblem(6, pd.Series(1.0, list("ABC")), groups=(za.Group("空", (), 1),))
    assert za.solve_many(problem, np.ones((2, 3))).tolist() == [[-1, -1, -1]] * 2


def test_no_units_at_all():
    problem = za.QuotaProblem(0, pd.Series([], dtype=float))
    assert za.solve_many(problem, np.ones((2, 0))).shape == (2, 0)


def test_where_the_rows_are_cut_makes_no_difference(nation, monkeypatch):
    problem, entitlements = nation
    whole = za.solve_many(problem, entitlements)
    assert (whole.sum(axis=1) == 1039).all()
    for cells in (1, 37 * 999, 37 * 1000):
        monkeypatch.setattr(many, "_CELLS", cells)
        rows = entitlements[: 50 if cells == 1 else None]
        assert (za.solve_many(problem, rows) == whole[: len(rows)]).all()
    assert za.solve_many(problem, entitlements[:0]).shape == (0, 37)


@pytest.mark.thorough
@pytest.mark.parametrize("criterion", SEPARABLE)
def test_one_row_at_a_time_is_the_same(criterion, monkeypatch):
    """Infeasible ones, too, alone in their chunk."""
    rng = np.random.default_rng(4000)
    cases = [case(rng, criterion) for _ in range(60)]
    together = [za.solve_many(*pair) for pair in cases]
    monkeypatch.setattr(many, "_CELLS", 1)
    for pair, quotas in zip(cases, together, strict=True):
        assert (za.solve_many(*pair) == quotas).all()


def test_a_group_that_asks_for_far_more_than_its_cap_is_not_brought_there_place_by_place(monkeypatch):
    """At the price first found the group asks for millions of places; its cap leaves it 500, the total 498."""
    problem = za.QuotaProblem(
        698, pd.Series(1.0, list("ABCDEF")), pd.Series([0] * 4 + [100] * 2, list("ABCDEF")),
        groups=(za.Group("ABCD", tuple("ABCD"), None, 500),), criterion="hamilton",
    )  # fmt: skip
    pick, picked = many_moves._pick, []
    monkeypatch.setattr(many_moves, "_pick", lambda *given: picked.append(1) or (len(picked) < 50 and pick(*given)))
    entitlements = np.array([[3e6] * 4 + [1e-9] * 2])
    assert za.solve_many(problem, entitlements).tolist() == [[125, 125, 124, 124, 100, 100]]


def test_permuted_scenarios_permute_the_rows(nation):
    problem, entitlements = nation
    order = np.random.default_rng(2).permutation(len(entitlements))
    assert (za.solve_many(problem, entitlements[order]) == za.solve_many(problem, entitlements)[order]).all()


def test_a_frame_is_aligned_by_its_labels(nation):
    problem, entitlements = nation
    frame = pd.DataFrame(entitlements, columns=problem.labels)
    assert (za.solve_many(problem, frame[problem.labels[::-1]]) == za.solve_many(problem, entitlements)).all()


@pytest.mark.slow
def test_memory_stays_flat(nation):
    """A million scenarios take at most 200 MB beside what is given and returned."""
    problem, entitlements = nation
    peaks = []
    for size in (50_000, 1_000_000):
        table = np.resize(entitlements, (size, 37))
        tracemalloc.start()
        quotas = za.solve_many(problem, table)
        peaks.append(tracemalloc.get_traced_memory()[1] - quotas.nbytes)
        tracemalloc.stop()
    assert peaks[1] < min(200e6, 2 * peaks[0])
