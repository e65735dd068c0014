"""An oracle for the engine on small problems: every integer vector, in fractions."""

from dataclasses import dataclass, field
from fractions import Fraction

import pandas as pd
from hypothesis import strategies as st

import zjtx_alloc as za

PAIRS = ("huntington-hill", "dean", "adams")  # whose first place is free


BILLION = 10**9


@dataclass(frozen=True)
class Case:
    """A small problem; entitlements in billionths, rows as (coefficients by label, lower, upper)."""

    total: int
    due: dict[str, int]
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    groups: tuple = ()
    rules: tuple = ()

    def box(self):
        """Floor and cap of each unit."""
        return [self.bounds.get(label, (0, self.total)) for label in self.due]

    def problem(self):
        """The case as the package takes it."""
        low, high = zip(*self.box(), strict=True)
        return za.QuotaProblem(
            self.total,
            pd.Series({label: e / BILLION for label, e in self.due.items()}),
            pd.Series(low, index=list(self.due)),
            pd.Series(high, index=list(self.due)),
            tuple(za.Group(f"g{i}", *group) for i, group in enumerate(self.groups)),
            tuple(za.Rule(f"r{i}", *rule) for i, rule in enumerate(self.rules)),
        )


def best(case):
    """All optimal vectors by enumeration, the official one first; none if no vector is feasible."""
    labels, due = list(case.due), list(case.due.values())
    order = sorted(range(len(due)), key=lambda i: (-due[i], labels[i]))
    found, least = [], None
    for x in feasible(case):
        cost = sum(Fraction((places * BILLION - e) ** 2, e) for places, e in zip(x, due, strict=True) if e)
        if least is None or cost < least:
            found, least = [], cost
        if cost == least:
            found.append(x)
    return sorted(found, key=lambda x: [-x[i] for i in order])


def feasible(case):
    """Every vector that keeps the rules."""
    rows = [(dict.fromkeys(members, 1), low, high) for members, low, high in case.groups] + list(case.rules)
    # A unit with e = 0 takes only its floor.
    box = [(low, high if e else min(low, high)) for (low, high), e in zip(case.box(), case.due.values(), strict=True)]
    return [x for x in vectors(case.total, box) if all(holds(dict(zip(case.due, x, strict=True)), row) for row in rows)]


def vectors(total, box):
    """Every integer vector of the box with this sum."""
    if not box:
        return [()] if total == 0 else []
    low, high = box[0]
    return [(x, *rest) for x in range(low, min(high, total) + 1) for rest in vectors(total - x, box[1:])]


def holds(places, row):
    coefficients, low, high = row
    value = sum(weight * places[label] for label, weight in coefficients.items())
    return (low is None or low <= value) and (high is None or value <= high)


def check(case):
    """The engine's whole answer, or its word that there is none, against the enumeration."""
    optimal, problem = best(case), case.problem()
    try:
        solution = za.solve(problem)
    except za.InfeasibleError:
        assert optimal == []
        return
    assert tuple(solution.quota) == (optimal[0] if optimal else None)
    if problem.nested:
        # A unit could move at no cost exactly if its number differs among the optimal vectors.
        numbers = zip(case.due, zip(*optimal, strict=True), strict=True)
        assert {label for tied in solution.ties for label in tied} == {u for u, x in numbers if len(set(x)) > 1}


def check_extreme(case):
    """As ``check``, but where rules cross the proof reaches a millionth, and what stays unproven is refused."""
    if case.problem().nested:
        check(case)
        return
    optimal, problem = best(case), case.problem()
    try:
        solution = za.solve(problem)
    except za.InfeasibleError:
        assert optimal == []
    except za.SolverError:
        return
    else:
        assert problem.violations(solution.quota.tolist()) == []
        gap = problem.cost(solution.quota.tolist()) - problem.cost(list(optimal[0]))
        assert tuple(solution.quota) == optimal[0] or 0 < gap <= Fraction(1, 10**6)


LABELS = list("ABCDE")


ORDINARY = st.just(0) | st.integers(BILLION // 100, 5 * BILLION)


TIED = st.sampled_from([0, BILLION // 2, BILLION, BILLION, 3 * BILLION // 2, 2 * BILLION])


EXTREME = st.sampled_from([0, 1, 1000, 10**6, BILLION, 2 * BILLION, 10**15])


THIRDS = st.builds(Fraction, st.integers(-12, 18), st.integers(1, 3))


@st.composite
def cases(draw, due, rows):
    """A case whose entitlements come from ``due``; ``rows``: none, nested, crossing or linear.

    Bounds are drawn around a vector, so that most cases have an answer; now and then they exclude it.
    """
    labels = draw(st.permutations(LABELS))[: draw(st.integers(1, 5))]
    due = {label: draw(due) for label in labels}
    x = draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)).filter(lambda x: sum(x) <= 8))
    x = dict(zip(labels, x, strict=True))
    room = st.sampled_from([0, 1, 2, 8, 8, 8, 8, 8, -1])

    def around(value, *, may_lack=True):
        low, high = value - draw(room), value + draw(room)
        return (
            low if not may_lack or draw(st.booleans()) else None,
            high if not may_lack or draw(st.booleans()) else None,
        )

    bounds = {}
    for label, places in x.items():
        low, high = around(places, may_lack=False)
        bounds[label] = (max(low if due[label] else places, 0), max(high, 0))
    cut = draw(st.integers(1, len(labels)))
    members = {
        "nested": [labels[:cut], labels[: draw(st.integers(1, cut))], labels[cut:] or labels],
        "crossing": draw(st.lists(st.lists(st.sampled_from(labels), min_size=1, unique=True), min_size=2, max_size=3)),
    }.get(rows, [])
    groups = []
    for group in members:
        low, high = around(sum(x[label] for label in group))
        groups.append((tuple(group), None if low is None else max(low, 0), None if high is None else max(high, 0)))
    rules = []
    for _ in range(draw(st.integers(1, 2)) if rows == "linear" else 0):
        weights = draw(st.dictionaries(st.sampled_from(labels), THIRDS, min_size=1))
        rules.append((weights, *around(sum(weight * x[label] for label, weight in weights.items()))))
    return Case(sum(x.values()), due, bounds, tuple(groups), tuple(rules))


# A place for 1e-9 costs a thousand million, for 1e6 a millionth: no tolerance may stand between them.
EXTREMES = {
    "plain": Case(3, {"A": 1000, "B": 2 * BILLION, "C": 1}),
    "plain with bounds": Case(7, {"A": 10**6, "B": 1}, {"A": (0, 4), "B": (1, 7)}),
    "crumbs": Case(8, {"A": 1, "B": 2, "C": 1000, "D": 3}),
    "wide": Case(8, {"A": 1, "B": 1000, "C": 10**15, "D": 10**15}, {"C": (0, 3), "D": (0, 3)}),
    "nested": Case(
        8, {"A": 10**15, "B": 10**15, "C": 1, "D": 1000}, {"A": (0, 3), "D": (0, 5)}, ((("A", "B", "C"), 3, 5), (("C",), 3, 5))
    ),
    "nested beside a zero": Case(
        6, {"A": 1, "B": 2 * BILLION, "Z": 0}, {"Z": (1, 3)}, ((("A", "B"), 3, 5), (("B",), 2, 3))
    ),
    "pairs": Case(
        4,
        {"A": 639945158, "B": 639946158, "C": 639945159, "D": 639945158, "E": 1},
        {},
        ((("E",), 2, None), (("A", "E"), 3, None)),
        (({"A": Fraction(1), "B": Fraction(-1)}, 0, 0), ({"C": Fraction(1), "D": Fraction(-1)}, 0, 0)),
    ),
    # answers whose costs of 2.3 and of 400 million differ by a millionth and by less
    "large": Case(
        5,
        {"B": 10**15, "A": 10**15, "C": 3 * 10**14, "D": 2 * BILLION},
        {"A": (1, 4), "D": (0, 4)},
        ((("A", "B", "C", "D"), 2, 5), (("A", "D"), None, None)),
        (({"B": Fraction(5), "C": Fraction(-1)}, None, Fraction(10, 3)),),
    ),
    "costly pairs": Case(
        4,
        {"C": 1890272655, "E": 1890372654, "B": 1890372654, "D": 1890272654, "A": 10},
        {},
        ((("A",), 2, None),),
        (({"C": Fraction(1), "E": Fraction(-1)}, 0, 0), ({"B": Fraction(1), "D": Fraction(-1)}, 0, 0)),
    ),
    "crossing": Case(
        6, {"A": 7, "B": 2 * BILLION, "C": 7, "D": 1000, "E": 2 * BILLION}, {}, ((("A", "B", "C", "D"), 2, 3), (("A", "E"), 1, 5))
    ),
    "linear": Case(
        6, {"A": 1, "B": BILLION, "C": 10**6}, {}, ((("C",), 2, 5), (("A",), 1, 3)),
        (({"B": Fraction(-4), "A": Fraction(1), "C": Fraction(-1, 2)}, Fraction(-3), None),),
    ),
}  # fmt: skip


PRICES = st.lists(st.floats(-1, 1) | st.sampled_from([-0.5, 0.0, 0.0, 0.5]), min_size=1, max_size=7)
