"""Signposts: the literature's values, and the mean of k − 1 and k that each is."""

from fractions import Fraction

import numpy as np
import pytest

import zjtx_alloc as za
from zjtx_alloc.quota.problem.signposts import SIGNPOSTS

MEANS = {
    "adams": min,
    "dean": lambda a, b: 2 * Fraction(a * b, a + b),
    "huntington-hill": lambda a, b: a * b,  # the square of the geometric mean
    "webster": lambda a, b: Fraction(a + b, 2),
    "jefferson": max,
}


@pytest.mark.parametrize("name", MEANS)
def test_a_signpost_is_the_methods_mean_of_its_neighbours(name):
    method = SIGNPOSTS[name]
    assert [method.exact(k) for k in range(1, 9)] == [MEANS[name](k - 1, k) for k in range(1, 9)]
    assert method.floats(np.arange(1, 9)) ** method.power == pytest.approx(
        [float(method.exact(k)) for k in range(1, 9)]
    )
    assert method.first_is_free == (name in ("adams", "dean", "huntington-hill"))


@pytest.mark.parametrize("p", [-3, 0, 3])
def test_a_power_mean_says_which_it_is(p):
    assert za.power_mean(p).name == f"power-mean({p})"
