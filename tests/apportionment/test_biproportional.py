"""Tables with both margins fixed: brute force on small ones, infeasible margins, ties."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS


def rows_of(total, width):
    if width == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in rows_of(total - first, width - 1))


def best_tables(weights, rows, columns, method):
    """All tables of least product of d(k)/w; free first places, each needed, count as 1/w."""
    best, tables = None, []
    for places in itertools.product(*(list(rows_of(r, len(columns))) for r in rows)):
        cells = [(i, j) for i in range(len(rows)) for j in range(len(columns))]
        if [sum(column) for column in zip(*places, strict=True)] != columns or any(
            (places[i][j] and not weights[i][j])
            or (method.first_is_free and weights[i][j] and rows[i] and columns[j] and not places[i][j])
            for i, j in cells
        ):  # fmt: skip
            continue
        cost = Fraction(1)
        for i, j in cells:
            for k in range(1, places[i][j] + 1):
                cost *= (method.exact(k) or 1) / Fraction(weights[i][j]) ** method.power
        if best is None or cost < best:
            best, tables = cost, []
        if cost == best:
            tables.append(places)
    return tables


@st.composite
def instances(draw):
    height, width = draw(st.integers(1, 3)), draw(st.integers(2, 3))
    weight = draw(st.sampled_from([st.integers(0, 2), st.just(1), st.integers(0, 60)]))
    weights = draw(st.lists(st.lists(weight, min_size=width, max_size=width), min_size=height, max_size=height))
    places = draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1)), max_size=6))
    rows = [sum(i == row for i, _ in places) for row in range(height)]
    columns = [sum(j == column for _, j in places) for column in range(width)]
    return weights, rows, columns


NEARLY_ALIKE = [[30000002, 30000000, 30000002], [30000002, 30000001, 29999997], [29999999, 30000002, 30000003]]
NEARLY_ALIKE_TOO = [[100000002, 100000001, 100000002], [100000000, 99999999, 100000000], [99999999, 99999999, 99999998]]


@examples(400)
@given(instances(), st.sampled_from(sorted(SIGNPOSTS)))
# Tables that floats do not tell apart: the better one lies a cycle away from the one that they take, of four cells or of
# six, or one that is found from a cell beside it.
@example(([[30000003, 30000002], [29999999, 29999998]], [1] * 2, [1] * 2), "modified-webster")
@example((NEARLY_ALIKE, [1] * 3, [1] * 3), "jefferson")
@example((NEARLY_ALIKE_TOO, [1, 2, 1], [1, 2, 1]), "jefferson")
@example(([[1] * 3] * 3, [2, 1, 1], [1, 2, 1]), "webster")  # a later cell's move must leave the earlier cells alone
def test_small_tables_agree_with_all_tables(instance, method):
    weights, rows, columns = instance
    tables = best_tables(weights, rows, columns, SIGNPOSTS[method])
    arguments = pd.DataFrame(weights), pd.Series(rows), pd.Series(columns), method
    if not tables:
        with pytest.raises(za.InfeasibleError, match="名额表无解"):
            za.biproportional(*arguments)
        return
    answer = za.biproportional(*arguments)
    assert tuple(map(tuple, answer.places.to_numpy().tolist())) == max(tables)
    cells = itertools.product(range(len(rows)), range(len(columns)))
    assert list(answer.tied) == [(i, j) for i, j in cells if len({table[i][j] for table in tables}) > 1]


FIELDS = ["集成电路", "新材料", "工业母机"]
UNITS = ["浙江", "宁波", "西藏"]


def test_larger_tables_have_rows_and_columns_of_divisors():
    weights = pd.DataFrame([[(7 * i + 11 * j) % 23 + 1 for j in range(10)] for i in range(37)])
    rows, columns = (za.apportion(weights.sum(axis=axis), 1039, ties=range(37)) for axis in (1, 0))
    places = za.biproportional(weights, rows, columns).places
    assert (places.sum(axis=1) == rows).all()
    assert (places.sum(axis=0) == columns).all()
    x, w = places.to_numpy(), weights.to_numpy()
    for j, k in itertools.permutations(range(10), 2):  # no place moved round any rectangle makes it better
        up_j, up_k = (2 * x[:, j] + 1) * w[:, k], (2 * x[:, k] + 1) * w[:, j]  # d(x+1)/w over the other's, crosswise
        down_j, down_k = (2 * x[:, j] - 1) * w[:, k], (2 * x[:, k] - 1) * w[:, j]
        gains, losses = np.outer(down_j, down_k), np.outer(up_k, up_j)
        assert (gains <= losses)[(x[:, j] > 0)[:, None] & (x[:, k] > 0)].all()


def test_a_clash_names_units_and_fields():
    weights = pd.DataFrame([[5, 0, 0], [4, 0, 0], [1, 2, 3]], UNITS, FIELDS)
    with pytest.raises(
        za.InfeasibleError, match="单位 浙江、宁波 的 5 个名额只能落在领域 集成电路，而这些领域合计只有 4 个"
    ):
        za.biproportional(weights, pd.Series([3, 2, 2], UNITS), pd.Series([4, 2, 1], FIELDS))
    with pytest.raises(za.InfeasibleError, match="每个有权重的格子至少1个名额，领域 集成电路 合计 2 个"):
        za.biproportional(weights, pd.Series([1, 1, 3], UNITS), pd.Series([2, 2, 1], FIELDS), "adams")


def test_errors_name_the_argument():
    weights = pd.DataFrame([[5, 1, 2]] * 3, UNITS, FIELDS)
    rows, columns = pd.Series([3, 2, 2], UNITS), pd.Series([4, 2, 1], FIELDS)
    with pytest.raises(za.InfeasibleError, match="各单位名额合计 8 与各领域名额合计 7"):
        za.biproportional(weights, rows.add([1, 0, 0]), columns)
    with pytest.raises(za.DataError, match="rows 的标签"):
        za.biproportional(weights, rows.drop("西藏"), columns)
    with pytest.raises(za.DataError, match=r"columns 须为非负整数.*：新材料 2.5$"):
        za.biproportional(weights, rows, columns.add([0, 0.5, 0]))
    with pytest.raises(za.DataError, match=r"rows 须为非负整数.*：浙江 18446744073709551615$"):
        za.biproportional(weights, pd.Series([2**64 - 1, 2, 2], UNITS, dtype="uint64"), columns)
    with pytest.raises(za.DataError, match=r"rows 须为非负整数.*：西藏 nan$"):
        za.biproportional(weights, rows.where(rows.index != "西藏"), columns)
    with pytest.raises(za.DataError, match="“hamilton”不是除数法"):
        za.biproportional(weights, rows, columns, "hamilton")
    with pytest.raises(za.DataError, match="新材料"):
        za.biproportional(weights.astype(float).replace(1, float("nan")), rows, columns)


def test_margins_align_by_label():
    weights = pd.DataFrame([[5, 1, 2], [1, 1, 9], [3, 3, 3]], UNITS, FIELDS)
    rows, columns = pd.Series([3, 2, 2], UNITS), pd.Series([4, 2, 1], FIELDS)
    expected = za.biproportional(weights, rows, columns).places
    pd.testing.assert_frame_equal(za.biproportional(weights, rows[::-1], columns[::-1]).places, expected)


def by_rules(weights, rows, columns, criterion="webster"):
    """The table whose margins are rules of one problem, cell by cell."""
    total, count = sum(rows), range(len(rows))
    due = pd.Series({f"{i}{j}": weights[i][j] * total / sum(map(sum, weights)) for i in count for j in count})
    groups = [za.Group(f"row {i}", tuple(f"{i}{j}" for j in count), rows[i], rows[i]) for i in count]
    groups += [za.Group(f"column {j}", tuple(f"{i}{j}" for i in count), columns[j], columns[j]) for j in count]
    problem = za.QuotaProblem(total, due, groups=tuple(groups), criterion=criterion)
    return za.solve(problem).quota.to_numpy().reshape(len(rows), -1).tolist()


def test_rules_that_fix_both_margins_add_prices_where_divisors_multiply_them():
    """Of the prices (k − ½)/w: product 1/2160 against 1/800, but sum 0.822 against 0.817."""
    weights, rows, columns = [[9, 2], [5, 3]], [1, 3], [2, 2]
    places = za.biproportional(pd.DataFrame(weights), pd.Series(rows), pd.Series(columns)).places
    assert places.to_numpy().tolist() == [[1, 0], [1, 2]]
    assert by_rules(weights, rows, columns) == [[0, 1], [2, 1]]


def test_across_crossing_rules_the_scale_of_the_prices_counts():
    """Σ (k − ½)/w is 1.844 against 1.872; of the squares, in the same order, it is 0.690 against 0.624."""
    squares = za.Criterion("squares", lambda k, e: (Fraction(2 * k - 1) / e) ** 2)
    weights, rows, columns = [[6, 5], [9, 9]], [6, 2], [5, 3]
    assert by_rules(weights, rows, columns) == [[4, 2], [1, 1]]
    assert by_rules(weights, rows, columns, squares) == [[3, 3], [2, 0]]
    nested = za.QuotaProblem(9, pd.Series([6.0, 5, 9]))
    assert za.solve(nested).quota.equals(za.solve(dataclasses.replace(nested, criterion=squares)).quota)
