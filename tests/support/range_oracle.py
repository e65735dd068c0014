"""Quotas at every breakpoint of the weights, in fractions: what ranges are held against."""

from fractions import Fraction
from itertools import combinations, pairwise


def webster(e, total, floor, cap, group):
    """Places one by one to the largest e/(2x + 1) that may have one more: an oracle in fractions, ties to larger e."""
    x = list(floor)
    members, group_cap = group or ((), total)
    order = sorted(range(len(e)), key=lambda i: (-e[i], i))
    while sum(x) < total:
        held = sum(x[i] for i in members) >= group_cap
        free = [i for i in order if x[i] < cap[i] and not (held and i in members)]
        x[max(free, key=lambda i: Fraction(e[i], 2 * x[i] + 1))] += 1
    return x


def numerators(columns, t):
    """e up to one factor, for weights t; linear in t."""
    return [
        sum(t[k] * Fraction(column[i], sum(column)) for k, column in enumerate(columns)) for i in range(len(columns[0]))
    ]


def breakpoints(columns, total, segment):
    """Where on a segment of weights, as a parameter from 0 to 1, two places cost the same."""
    a, b = (numerators(columns, end) for end in segment)
    found = {Fraction(0), Fraction(1)}
    for i, j in combinations(range(len(a)), 2):
        for p in range(1, 2 * total, 2):
            for q in range(1, 2 * total, 2):
                start, end = p * a[i] - q * a[j], p * b[i] - q * b[j]
                if start != end and 0 < (t := start / (start - end)) < 1:
                    found.add(t)
    return sorted(found)


def with_middles(points):
    return sorted({*points, *((a + b) / 2 for a, b in pairwise(points))})


def between(a, b, t):
    return [u + t * (v - u) for u, v in zip(a, b, strict=True)]


def every_quota_on(columns, total, segment, bounds):
    points = with_middles(breakpoints(columns, total, segment))
    for t in points:
        yield webster(numerators(columns, between(*segment, t)), total, *bounds)


def triangle_rows(columns, total, corners):
    """Segments across a triangle of weights that meet every face of the arrangement of breakpoints."""
    a, b, c = corners
    lines = []
    na, nb, nc = (numerators(columns, v) for v in corners)
    for i, j in combinations(range(len(na)), 2):
        for p in range(1, 2 * total, 2):
            for q in range(1, 2 * total, 2):
                values = [p * n[i] - q * n[j] for n in (na, nb, nc)]
                if min(values) < 0 < max(values):
                    lines.append(values)
    # In coordinates (u, v), weights a + u(b − a) + v(c − a); rows are u = constant.
    heights = {Fraction(0), Fraction(1)}
    for f in lines:
        if f[0] != f[2]:
            heights.add(f[0] / (f[0] - f[1]) if f[0] != f[1] else Fraction(0))  # v = 0
        if f[2] != f[1]:
            heights.add(f[2] / (f[2] - f[1]))  # u + v = 1
    for f, g in combinations(lines, 2):
        f1, f2, g1, g2 = f[1] - f[0], f[2] - f[0], g[1] - g[0], g[2] - g[0]
        if det := f1 * g2 - f2 * g1:
            heights.add((-f[0] * g2 + f2 * g[0]) / det)
    for u in with_middles(sorted(h for h in heights if 0 <= h <= 1)):
        yield between(a, b, u), between(c, b, u)
