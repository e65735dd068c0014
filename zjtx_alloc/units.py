"""The 37 province-level units (省级单位): 31 provinces, 5 cities under separate planning, the Corps.

A unit is a row of ``data/units.csv``, keyed by its six-digit code as text. The units are disjoint:
a province does not contain its separately planned city, nor 新疆 the Corps (兵团).
"""

from functools import cache

import pandas as pd

from zjtx_alloc.resources import shipped_table


def load_units() -> pd.DataFrame:
    """Return the units in their official order.

    Returns
    -------
    DataFrame
        37 rows, index ``code``; columns name, short_name, name_en, kind (province, city, corps),
        parent (code of the province a city or the Corps lies in), region (东部, 中部, 西部, 东北),
        fiscal_band (1-5 of 国办发〔2018〕6号, blank for the Corps). All text.
    """
    return shipped_table("units.csv", "code").copy()


@cache
def _names() -> dict[str, str]:
    units = shipped_table("units.csv", "code")
    return {spelling: str(code) for column in ("short_name", "name") for code, spelling in units[column].items()} | {
        str(code): str(code) for code in units.index
    }


def find_unit(name: str) -> str | None:
    """Code of the unit with this code, short name (江苏) or full name (江苏省); None if unknown."""
    return _names().get(name.strip())


@cache
def members_of(province: str) -> tuple[str, ...]:
    """Codes of the units that make up a province: itself, its city under separate planning, the Corps."""
    units = shipped_table("units.csv", "code")
    return tuple(units.index[(units.index == province) | (units["parent"] == province)])
