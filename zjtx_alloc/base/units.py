"""The 37 province-level units (省级单位): 31 provinces, 5 cities under separate planning, the Corps.

A unit is a row of ``data/units.csv``, keyed by its six-digit code as text. The units are disjoint:
a province does not contain its separately planned city, nor 新疆 the Corps (兵团).
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

import pandas as pd

from zjtx_alloc.base.resources import shipped_table, spellings

NATION = "000000"
_UNSEEN = re.compile("[\\s\u200b-\u200f\u2060\ufeff]+")  # blanks, and marks of no width that web pages leave in a cell
_LONGEST = 100  # characters of a text that may name a unit, with its remark
_PIECE = 1000  # characters brought into one form at once: the time grows with the square of the marks in a row
_NOTE = re.compile(r"\((?:不含|不包括|除)[^)]*\)|\([^)]*除外\)")


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


def plain(value: Any) -> str:
    """Text in one width, without spaces: full-width digits, brackets and spaces become ordinary."""
    text = "" if value is None else str(value)
    if text.isascii():  # most cells are blank or numbers
        return "".join(text.split())
    if len(text) <= _LONGEST:
        return _plain(text)
    pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
    return _UNSEEN.sub("", "".join(unicodedata.normalize("NFKC", piece) for piece in pieces))


@lru_cache(maxsize=10_000)
def _plain(text: str) -> str:
    """A short text, as a sheet has it in many cells."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def find_unit(name: str) -> str | None:
    """Code of the unit that a text names: by code, full, short or press name; None if it names none.

    A remark that leaves the city out, as in 广东省（不含深圳）, is what the unit is anyway.
    """
    text = plain(name)
    return _spellings().get(_NOTE.sub("", text)) if len(text) <= _LONGEST else None


@cache
def _spellings() -> dict[str, str]:
    units = shipped_table("units.csv", "code")
    found: dict[str, str] = {}
    for code, unit in units.iterrows():
        own = [unit["name"], unit["short_name"]]
        parents = units.loc[unit["parent"], ["name", "short_name"]] if unit["parent"] else ()
        names = [*own, *spellings(unit), *(parent + name for parent in parents for name in own)]
        found |= {plain(name): str(code) for name in names}
    return found


UNIT_KINDS = {"省份": "province", "计划单列市": "city"}  # the Corps is a unit by name


@cache
def provinces() -> tuple[str, ...]:
    """Codes of the 31 provinces."""
    kinds = shipped_table("units.csv", "code")["kind"]
    return tuple(kinds.index[kinds == "province"])


@cache
def members_of(province: str) -> tuple[str, ...]:
    """Codes of the units that make up a province: itself, its city under separate planning, the Corps."""
    units = shipped_table("units.csv", "code")
    return tuple(units.index[(units.index == province) | (units["parent"] == province)])
