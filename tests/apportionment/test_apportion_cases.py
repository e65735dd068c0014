"""Single cases of apportion worked by hand, its errors, and the priority list."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import zjtx_alloc as za

W = pd.Series([500, 300, 200], ["广东", "浙江", "西藏"])


def test_a_series_keeps_its_order_and_labels():
    answer = za.apportion(W, 10)
    pd.testing.assert_series_equal(answer, pd.Series([5, 3, 2], W.index, dtype="int64"))
    assert isinstance(za.apportion(W.to_numpy(), 10), np.ndarray)
    assert za.apportion([500, 300, 200], 10).dtype == np.int64


def test_bounds_align_by_label():
    floor = pd.Series([4, 0, 0], ["西藏", "浙江", "广东"])
    assert za.apportion(W, 10, floor=floor, cap=[4, 9, 9]).tolist() == [4, 2, 4]


def test_a_float_means_the_decimal_it_prints_as():
    assert 0.1 + 0.2 != 0.3  # in binary the pair would not tie
    tie = za.apportion_ties([0.1, 0.3], 2, "webster", floor=0, cap=None)
    assert (tie.certain.tolist(), tie.tied, tie.places) == ([0, 1], (0, 1), 1)  # ½/0.1 = 1½/0.3
    assert za.apportion_ties(np.array([0.1, 0.3], dtype=np.float32), 2).tied == (0, 1)
    assert za.apportion_ties([Decimal("0.1"), Fraction(3, 10)], 2).tied == (0, 1)


def test_integers_beyond_floats_decide():
    assert za.apportion([2**62, 2**62 + 1], 1).tolist() == [0, 1]
    assert za.apportion([10**400, 10**400 - 1], 1).tolist() == [1, 0]
    assert za.apportion(np.array([2**63 + 1, 2**63 + 2], dtype=np.uint64), 1).tolist() == [0, 1]
    assert za.apportion([2**53 + 1, float(2**53)], 1).tolist() == [1, 0]


def test_where_imperiali_quotas_give_out_too_much_the_next_larger_quota_counts():
    # 80 and 20 hold 5.6 and 1.4 sevenths, 6 places for 5; of sixths 4.8 and 1.2, 5 places.
    assert za.apportion([80, 20], 5, "imperiali-quota").tolist() == [4, 1]
    assert za.apportion([60, 20, 20], 5, "imperiali-quota").tolist() == [3, 1, 1]
    # Thirds and halves both give out two places for one, so it is Hare's quota, by which the two tie.
    assert za.apportion_ties([1, 1], 1, "imperiali-quota").sets == (((0, 1), 1),)
    # Floors and caps do not change the quota: 4.8 and 1.2 within them, nearest in least squares.
    assert za.apportion([80, 20], 5, "imperiali-quota", cap=[3, 5]).tolist() == [3, 2]


def test_ties_are_reported_and_broken_in_order():
    weights = pd.Series([1, 1, 1], ["甲", "乙", "丙"])
    with pytest.raises(za.TieError, match="只剩 2 个名额：甲、乙、丙") as raised:
        za.apportion(weights, 2)
    assert (raised.value.tied, raised.value.places) == (("甲", "乙", "丙"), 2)
    assert za.apportion(weights, 2, ties=["丙", "甲", "乙"]).tolist() == [1, 0, 1]
    with pytest.raises(za.DataError, match="丙"):
        za.apportion(weights, 2, ties=["甲", "乙"])
    with pytest.raises(za.DataError, match="largest"):
        za.apportion(weights, 2, ties="largest")


@pytest.mark.parametrize("method", ["adams", "dean", "huntington-hill"])
def test_fewer_seats_than_units_go_to_the_larger_weights(method):
    assert za.apportion([3, 9, 0, 7, 1], 2, method).tolist() == [0, 1, 0, 1, 0]
    assert za.apportion_ties([3, 9, 0, 3, 1], 2, method).tied == (0, 3)
    assert za.apportion([3, 9, 0, 7, 1], 4, method).tolist() == [1, 1, 0, 1, 1]
    assert za.apportion([3, 9, 1], 2, method, floor=[0, 0, 1]).tolist() == [0, 1, 1]


def test_the_smallest_houses():
    assert za.apportion([], 0).tolist() == []
    assert za.apportion([3, 4], 0, "hamilton").tolist() == [0, 0]
    assert za.apportion([5], 7).tolist() == [7]
    assert za.apportion([0, 5], 7, floor=2).tolist() == [2, 5]
    assert za.apportion([0, 0], 4, floor=2).tolist() == [2, 2]


def test_hamilton_with_a_floor_is_not_floor_then_remainder():
    # quotas 0.3, 4.6, 5.1; the floor lifts the first by 0.7, and 4.6 loses the place that it had
    assert za.apportion([3, 46, 51], 10, "hamilton").tolist() == [0, 5, 5]
    assert za.apportion([3, 44, 53], 10, "hamilton", floor=1).tolist() == [1, 4, 5]


def test_cambridge_compromise_is_a_base_and_a_rest_rounded_up():
    # bases 2 each, 6 left; at divisor 2.5 the weights 10, 3, 1 take ⌈4⌉, ⌈1.2⌉, ⌈0.4⌉ = 4, 2, 1; at 3.1: 4, 1, 1
    assert za.apportion([10, 3, 1], 12, "cambridge-compromise", floor=2).tolist() == [6, 3, 3]
    assert za.apportion([10, 3, 1], 12, "cambridge-compromise", floor=2, cap=5).tolist() == [5, 4, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": pd.Series([1.0, float("nan")], ["甲", "乙"])}, "单位“乙”的权重须为非负有限数，现为 nan"),
        ({"weights": [1, -2]}, "单位“1”的权重须为非负有限数，现为 -2"),
        ({"weights": [1, float("inf")]}, "现为 inf"),
        ({"weights": ["一", 2]}, "现为 一"),
        ({"weights": [[1, 2]]}, "权重须为一列数"),
        ({"weights": [1e-200, 1e200]}, "10\\^140"),
        ({"seats": -1}, "名额总量须为0至"),
        ({"seats": 2.5}, "现为 2.5"),
        ({"method": "韦伯斯特"}, "没有名为“韦伯斯特”的分配方法；可用：adams"),
        ({"floor": -1}, "floor 须为非负整数"),
        ({"cap": [1.5, 2, 3]}, "cap 须为非负整数.*：0 1.5$"),
        ({"floor": [1, 2]}, "floor 的单位与权重的单位不一致"),
        ({"weights": W, "floor": pd.Series([1, 1, 1])}, "floor 的单位"),
        ({"weights": W, "floor": pd.Series(1, [*W.index, "其他"])}, "floor 的单位"),
        ({"method": "balinski-young", "cap": 9}, "“balinski-young”不能附加上下限"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(za.DataError, match=message):
        za.apportion(**{"weights": [5, 3, 2], "seats": 10} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"floor": 4}, "下限合计 12，大于名额总量 10"),
        ({"cap": 3}, "上限合计 9，小于名额总量 10"),
        ({"weights": [5, 0, 2], "cap": 5, "floor": [0, 1, 0]}, None),
        ({"weights": [5, 0, 2], "cap": 4}, "上限合计 8，小于名额总量 10（权重为0的单位只取下限）"),
        ({"weights": pd.Series([5, 3], ["甲", "乙"]), "floor": [0, 4], "cap": 3}, "乙 的下限 4 大于上限 3"),
        ({"weights": [0, 0]}, "各单位权重均为0"),
    ],
)
def test_bounds_that_admit_no_answer(arguments, message):
    arguments = {"weights": [5, 3, 2], "seats": 10} | arguments
    if message is None:
        assert za.apportion(**arguments).tolist() == [5, 1, 4]
        return
    with pytest.raises(za.InfeasibleError, match=message):
        za.apportion(**arguments)


def test_signposts_out_of_range():
    with pytest.raises(za.DataError, match="r 须在0与1之间"):
        za.stationary(1.5)
    for steeper in (11, -11):
        with pytest.raises(za.DataError, match=f"现为 {steeper}"):
            za.power_mean(steeper)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("p", [-10, 10])
def test_the_steepest_means_at_the_most_places(p):
    """k^20 at 10^12 places; by then every power mean is the middle between k − 1 and k, as webster's."""
    weights = [4, 14, 19, 7, 11, 4, 15]
    bounds = {"floor": [2, 7 * 10**10, 1, 1, 0, 2, 0], "cap": 10**12, "ties": range(7)}
    by_mean, by_webster = (za.apportion(weights, 10**12, way, **bounds) for way in (za.power_mean(p), "webster"))
    assert np.abs(by_mean - by_webster).max() <= 1
    # weights so far apart that the search for a price goes far: of 45 places 16 are floors, 29 are the largest one's
    far = [5e-27, 7e74, 6e-18, 3e29, 8e-23]
    assert za.apportion(far, 45, za.power_mean(p), [1, 0, 5, 5, 5], [2, 10**6, 10, 6, 6]).tolist() == [1, 29, 5, 5, 5]


@pytest.mark.parametrize(
    ("method", "same"),
    [
        (za.stationary(0), "adams"), (za.stationary(0.5), "webster"), (za.stationary(1), "jefferson"),
        (za.power_mean(-1), "dean"), (za.power_mean(0), "huntington-hill"), (za.power_mean(1), "webster"),
    ],
)  # fmt: skip
def test_families_contain_the_historical_methods(method, same):
    weights = [9061, 7179, 5259, 3319, 1182]
    for seats in range(5, 60):
        assert za.apportion(weights, seats, method).tolist() == za.apportion(weights, seats, same).tolist()


# Webster, weights 5, 3, 2, each with one place: the next quotients w/(k − ½) are 10/3, 2 and 4/3.
def test_priority_list():
    listed = za.priority_list(W / 100, 3, 4)
    assert listed.index.tolist() == [4, 5, 6, 7]
    assert listed["unit"].tolist() == ["广东", "广东", "浙江", "广东"]
    assert listed["place"].tolist() == [2, 3, 2, 4]
    assert listed["quotient"].tolist() == pytest.approx([10 / 3, 2, 2, 10 / 7])
    assert listed["tied"].tolist() == [False, True, True, False]


def test_priority_list_is_how_the_house_grows():
    weights = [9061, 7179, 5259, 3319, 1182]
    for method in ("adams", "huntington-hill", "imperiali"):
        listed = za.priority_list(weights, 0, 60, method, cap=15)
        grown = np.bincount(listed["unit"], minlength=5)
        assert grown.tolist() == za.apportion(weights, 60, method, cap=15).tolist()
        assert len(za.priority_list(weights, 70, 60, method, cap=15)) == 5


def test_priority_list_begins_with_the_tie():
    listed = za.priority_list([1, 1, 1], 2, 1)
    assert listed.index.tolist() == [1, 2, 3]
    assert listed["tied"].all()
    first = za.priority_list([3, 2], 0, 2, "adams")
    assert first["quotient"].tolist() == [np.inf, np.inf]
    with pytest.raises(za.DataError, match="hamilton"):
        za.priority_list([1, 2], 2, 1, "hamilton")
