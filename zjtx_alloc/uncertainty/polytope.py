"""Polytopes of weights, low ≤ w ≤ high with Σ w = 1: their vertices, simplices that fill them, uniform draws."""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

Point = tuple[Fraction, ...]
Simplex = tuple[Point, ...]


def vertices(low: Sequence[Fraction], high: Sequence[Fraction]) -> list[Point]:
    """All vertices, exactly, in order: every weight but one is at an end of its range."""
    found: set[Point] = set()
    for free in range(len(low)):
        ends = [sorted({a, b}) for i, (a, b) in enumerate(zip(low, high, strict=True)) if i != free]
        for others in product(*ends):
            rest = 1 - sum(others, Fraction(0))
            if low[free] <= rest <= high[free]:
                found.add((*others[:free], rest, *others[free:]))
    return sorted(found)


def simplices(low: Sequence[Fraction], high: Sequence[Fraction]) -> list[Simplex]:
    """Simplices that fill the polytope and overlap at most on their faces.

    Pulling triangulation: the cones from one vertex over the triangulated facets that do not hold it
    (Lee & Santos 2017, Handbook of Discrete and Computational Geometry, 16.2).
    """
    ends = [(i, end) for i, pair in enumerate(zip(low, high, strict=True)) for end in sorted(set(pair))]

    @cache  # a face lies in many others
    def pulled(corners: Simplex) -> list[Simplex]:
        if len(corners) == 1:
            return [corners]
        faces = dict.fromkeys(tuple(v for v in corners if v[i] == end) for i, end in ends)
        facets = [f for f in faces if f and corners[0] not in f and _dimension(f) == _dimension(corners) - 1]
        return [(corners[0], *simplex) for facet in facets for simplex in pulled(facet)]

    return pulled(tuple(vertices(low, high)))


def _dimension(points: Simplex) -> int:
    if len(points) == 1:
        return 0
    spread = np.array([[float(a - b) for a, b in zip(point, points[0], strict=True)] for point in points[1:]])
    return int(np.linalg.matrix_rank(spread / np.abs(spread).max(), tol=1e-12))  # however narrow the ranges


def uniform_draws(pieces: Sequence[Simplex], draws: int, rng: np.random.Generator) -> np.ndarray:
    """Points (draws, weights) drawn uniformly from the polytope that the simplices fill."""
    corners = np.array([[[float(x) for x in point] for point in piece] for piece in pieces])
    sides = corners[:, 1:] - corners[:, :1]
    volumes = np.sqrt(np.maximum(np.linalg.det(sides @ sides.transpose(0, 2, 1)), 0)) if sides.size else np.ones(1)
    chosen = rng.choice(len(pieces), size=draws, p=volumes / math.fsum(volumes))
    mixed = rng.dirichlet(np.ones(corners.shape[1]), size=draws)
    return np.einsum("dv,dvw->dw", mixed, corners[chosen])
