"""A random sample of firms for 抽查 (三（六）) that anyone can draw again."""

import hashlib
import math
from fractions import Fraction

from zjtx_alloc.base.messages import say
from zjtx_alloc.firms.steps.rubric import decimal
from zjtx_alloc.firms.table.roll import Firms


def spot_check(firms: Firms, share: str, seed: int) -> Firms:
    """Draw a share of each unit's firms, rounded up: at least one of every unit that has firms.

    Parameters
    ----------
    firms : Firms
    share : str
        A decimal from 0 to 1.
    seed : int
        Recorded with the sample: the same seed gives the same firms, in whatever order they stand.

    Returns
    -------
    Firms
        In the order of the firms given.

    Raises
    ------
    ScenarioError
        If the share is no decimal from 0 to 1.
    DataError
        If a credit code stands twice.

    Notes
    -----
    The firms of a unit are ordered by the SHA-256 of ``seed:code`` in hexadecimal, and the first are drawn. No
    generator of a library is behind it, so that the sample can be drawn again in other years and with other tools.
    """
    firms.each_once(say("firms.frame"))
    part: Fraction = decimal(share, say("spot_check.share"), 1)
    table = firms.table[["unit"]].assign(lot=[_lot(seed, code) for code in firms.table["credit_code"]])
    place = table.sort_values("lot").groupby("unit").cumcount()
    size = table.groupby("unit")["lot"].transform("size").map(lambda count: math.ceil(part * int(count)))
    return firms.only(firms.table.index[place.reindex(table.index).lt(size)])


def _lot(seed: int, code: str) -> str:
    return hashlib.sha256(f"{seed}:{code}".encode()).hexdigest()
