"""Cohorts of three units, written as rows of numbers or drawn."""

import pandas as pd
from hypothesis import strategies as st

import zjtx_alloc as za

UNITS = ["120000", "310000", "440300"]
AWARD = za.load_award("caijian-2024-148")


def by_unit(rows, columns=None):
    index = pd.Index(UNITS[: len(rows)], name="code")
    return pd.Series(rows, index=index) if columns is None else pd.DataFrame(rows, index, columns)


def cohort(firms, ends=None, name="1", years=(2024, 2027), **more):
    """A batch of these firms by unit; ends: (completed, missed, under_invested) a unit."""
    ends = ends and by_unit(ends, ["completed", "missed", "under_invested"])
    return za.Cohort(name, by_unit(firms), *years, outcomes=ends, **more)


def clawback(*rows):
    return pd.DataFrame(rows, columns=["code", "fiscal_year", "document", "recovered"])


counts = st.integers(0, 25)
ends = st.lists(st.tuples(counts, counts, counts, counts), min_size=3, max_size=3)


@st.composite
def batches(draw):
    made = []
    for number in range(draw(st.integers(1, 4))):
        rows, start, length = draw(ends), draw(st.integers(2024, 2028)), draw(st.integers(0, 4))
        leaving = by_unit([row[3:] for row in rows], [draw(st.integers(start, start + length))])
        spare = draw(st.integers(0, 3))
        made.append(
            cohort([sum(row) for row in rows], [row[:3] for row in rows], str(number), (start, start + length),
                   discontinued=leaving, quota=by_unit([sum(row) + spare for row in rows]))
        )  # fmt: skip
    return tuple(made)
