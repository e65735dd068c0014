"""How far the estimates of factors are from what is known, each province left out in turn; a line an indicator and set.

The misplaced share is Σ|share estimated − share known| over the provinces whose count is known, in points of the
nation. “dated”: counts that stand at the date as they are; “mixed”: every province's nearest count as it was printed.
"""

import sys

import numpy as np
import pandas as pd

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.nowcast import nearest_counts

PERIODS = {"little_giants": "2024-12", "sme_count": "2023-12"}
STAND_INS = {"little_giants": ("little_giants", "2021-06"), "sme_count": ("rd_active_firms", "2020")}


def by_province(values: pd.Series) -> pd.Series:
    """Sums of the units of each province."""
    parent = load_units()["parent"]
    return values.groupby(parent.where(parent.ne(""), parent.index)).sum()


def misplaced(shares: pd.Series, known: pd.Series) -> float:
    """Points of share in the wrong place."""
    return float((shares[known.index] - known).abs().sum() * 100)


def main() -> None:
    """Print the table."""
    panel = za.load_panel()
    for indicator, period in PERIODS.items():
        full = za.nowcast(indicator, period)
        mixed = nearest_counts(indicator, period)
        dated = full.provinces.loc[full.provinces["status"] == "known", "value"]
        old = by_province(panel.values(*STAND_INS[indicator]))
        tech = by_province(sum(panel.values("hightech_certified", year) for year in ("2022", "2023", "2024")))
        alone = {p: za.nowcast(indicator, period, without=[p]) for p in mixed.index}
        raked = pd.Series({p: now.provinces.at[p, "value"] for p, now in alone.items()}) / full.total
        plain = pd.Series({p: now.unraked[p] for p, now in alone.items()}) / full.total
        for name, counts in (("dated", dated), ("mixed", mixed)):
            known = counts / full.total
            inside = [
                alone[p].provinces.at[p, "low"] <= counts[p] <= alone[p].provinces.at[p, "high"] for p in counts.index
            ]
            error = np.median(np.abs(np.log(raked[counts.index] / known)))
            figures = {
                "stand-in": misplaced(old / old.sum(), known),
                "high-tech alone": misplaced(tech / tech.sum(), known),
                "left out, not raked": misplaced(plain, known),
                "left out, raked": misplaced(raked, known),
            }
            text = "; ".join(f"{what} {points:.1f}" for what, points in figures.items())
            print(
                f"{indicator} {period} {name} ({len(counts)} provinces, {known.sum():.0%}): misplaced points: {text}; "
                f"median error {error:.0%}; coverage of 90 % ranges {np.mean(inside):.0%}"
            )


if __name__ == "__main__":
    sys.exit(main())
