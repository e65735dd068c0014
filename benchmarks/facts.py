"""How far the estimates of factors are from what is known, each province left out in turn; a line an indicator and set.

The misplaced share is Σ|share estimated − share known| over the provinces whose count is known, in points of the
nation. “dated”: counts that stand at the date as they are; “mixed”: every province's nearest count as it was printed.
"""

import sys

import pandas as pd

import zjtx_alloc as za
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.nowcast import nearest_counts

PERIODS = {"little_giants": "2024-12", "sme_count": "2023-12"}
STAND_INS = {"little_giants": ("little_giants", "2021-06"), "sme_count": ("rd_active_firms", "2020")}
ESTIMATES = ("stand-in", "high-tech alone", "left out, not raked", "left out, raked")


def accuracy(indicator: str) -> pd.DataFrame:
    """How near each estimate is to the known provinces of an indicator at its date.

    Returns
    -------
    DataFrame
        Index dated, mixed; provinces (number), known (their share of the nation), a column of ``ESTIMATES`` each
        (misplaced points), error (median relative error of the last), inside (provinces whose count is within the
        90 % range that the others give it).
    """
    panel, period = za.load_panel(), PERIODS[indicator]
    full, mixed = za.nowcast(indicator, period), nearest_counts(indicator, period)
    dated = full.provinces.loc[full.provinces["status"] == "known", "value"]
    alone = {code: za.nowcast(indicator, period, without=[code]) for code in mixed.index}
    left_out = pd.DataFrame({code: now.provinces.loc[code] for code, now in alone.items()}).T
    shares = {
        "stand-in": _shares(panel.values(*STAND_INS[indicator])),
        "high-tech alone": _shares(sum(panel.values("hightech_certified", year) for year in ("2022", "2023", "2024"))),
        "left out, not raked": pd.Series({code: now.unraked[code] for code, now in alone.items()}) / full.total,
        "left out, raked": left_out["value"] / full.total,
    }
    rows = {}
    for name, counts in (("dated", dated), ("mixed", mixed)):
        here, known = left_out.loc[counts.index], counts / full.total
        rows[name] = {
            "provinces": len(counts),
            "known": known.sum(),
            **{what: float((shares[what][counts.index] - known).abs().sum() * 100) for what in ESTIMATES},
            "error": (here["value"] / counts - 1).abs().median(),
            "inside": int((here["low"].le(counts) & here["high"].ge(counts)).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _shares(values: pd.Series) -> pd.Series:
    """Of the nation, by province with its city or the Corps."""
    parent = load_units()["parent"]
    return values.groupby(parent.where(parent.ne(""), parent.index)).sum() / values.sum()


def main() -> None:
    """Print the table."""
    for indicator, period in PERIODS.items():
        for name, row in accuracy(indicator).iterrows():
            misplaced = "; ".join(f"{what} {row[what]:.1f}" for what in ESTIMATES)
            print(
                f"{indicator} {period} {name} ({row['provinces']:.0f} provinces, {row['known']:.0%}): "
                f"misplaced points: {misplaced}; median error {row['error']:.0%}; "
                f"coverage of 90 % ranges {row['inside'] / row['provinces']:.0%}"
            )


if __name__ == "__main__":
    sys.exit(main())
