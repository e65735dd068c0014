"""Random problems of 37 to 100 units whose rules cross: several ways to group the same units, weighted rules, four criteria."""

import numpy as np
import pandas as pd

import zjtx_alloc as za

CRITERIA = ("webster", "hamilton", "minimax", "minimax-relative")


def crossing_problem(seed):
    """Bounds around the entitlements, two to four families of groups that cross, up to two weighted rules."""
    rng = np.random.default_rng(seed)
    units = int(rng.integers(37, 101))
    total = int(rng.integers(5 * units, 40 * units))
    labels = [f"u{i:03}" for i in range(units)]
    due = rng.lognormal(0, 1, units)
    due = pd.Series(np.maximum(np.round(due / due.sum() * total, int(rng.integers(1, 7))), 0.01), labels)
    floor = pd.Series(np.floor(due * rng.uniform(0.5, 0.8)).astype(int), labels)
    cap = pd.Series(np.ceil(due * rng.uniform(1.2, 1.8)).astype(int) + 1, labels)
    groups = [group for family in range(int(rng.integers(2, 5))) for group in _partition(rng, family, due)]
    rules = tuple(_weighted(rng, number, due) for number in range(int(rng.integers(0, 3))))
    criterion = CRITERIA[int(rng.choice(4, p=[0.45, 0.3, 0.15, 0.1]))]
    return za.QuotaProblem(total, due, floor, cap, tuple(groups), rules, criterion=criterion)


def _partition(rng, family, due):
    part = rng.integers(0, int(rng.integers(3, 7)), len(due))
    for number in np.unique(part):
        members = due[part == number]
        near, draw = members.sum(), rng.random()
        low = int(np.ceil(near * rng.uniform(1.0, 1.08))) if draw < 0.25 else int(near * 0.9)
        high = int(np.floor(near * rng.uniform(0.93, 1.0))) if draw > 0.75 else None
        yield za.Group(f"f{family}g{number}", tuple(members.index), low if high is None else min(low, high), high)


def _weighted(rng, number, due):
    members = due.iloc[rng.choice(len(due), int(rng.integers(3, len(due))), replace=False)]
    weights = {label: round(float(rng.uniform(0.1, 2)), 1) for label in members.index}
    near = sum(weights[label] * places for label, places in members.items())
    return za.Rule(f"r{number}", weights, lower=round(float(near * rng.uniform(1.0, 1.03)), 1))
