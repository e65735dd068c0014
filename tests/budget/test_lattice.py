"""Sums of random money on a lattice."""

import numpy as np
import pandas as pd
import pytest

from zjtx_alloc.budget.lattice import Lattice, certain, unit_money


def test_parts_of_a_lattice():
    money = Lattice(-2, np.array([[0.1, 0.2, 0.3, 0.4]]))  # -2 … 1
    assert (money.negated().start, money.negated().mass.tolist()) == (-1, [[0.4, 0.3, 0.2, 0.1]])
    assert (money.positive_part().start, money.positive_part().mass[0].tolist()) == (0, pytest.approx([0.6, 0.4]))
    below = money.moved(-5).positive_part()
    assert (below.start, below.mass.tolist()) == (0, [[1.0]])
    assert (certain(4, 1).positive_part().start, certain(4, 1).positive_part().mass.tolist()) == (4, [[1.0]])
    assert money.at_most(-1).tolist() == pytest.approx([0.3])


def test_firms_worth_the_same_whatever_becomes_of_them_are_certain():
    rates = pd.DataFrame({"completed": [0.6, 0.5], "missed": [0.4, 0.5]})
    money = unit_money(3, rates, 0.1, {"completed": 2, "missed": 2})
    assert (money.start, money.mass.tolist()) == (6, [[1.0], [1.0]])
