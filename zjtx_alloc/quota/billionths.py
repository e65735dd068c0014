"""Entitlements in billionths of a place: the nearest whole number to the decimal that each float prints as."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from zjtx_alloc.quota.criteria import BILLION

EXACT = 2.0**53  # floats hold every whole number below it


def in_billionths(entitlements: np.ndarray) -> np.ndarray:
    """Round to billionths, half to even; whole floats, exact below ``EXACT``."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond all floats is also beyond EXACT
        product = entitlements * BILLION
        rounded = np.rint(product)
        # The decimal and the product are each within half a unit in the last place.
        close = np.abs(product - rounded) + product * 2.0**-51 >= 0.5
    for at in zip(*np.nonzero(close & (rounded < EXACT)), strict=True):
        rounded[at] = exact_billionths(entitlements[at])
    return rounded


def exact_billionths(entitlement: float) -> int:
    """Round one entitlement, of any size."""
    return int((Decimal(repr(float(entitlement))) * BILLION).to_integral_value(ROUND_HALF_EVEN))
