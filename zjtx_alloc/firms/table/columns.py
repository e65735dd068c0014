"""The one schema of a firm table (企业表), from ``data/firm_columns.csv``: no personal data, none asked for."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from zjtx_alloc.base.resources import shipped_table, spellings
from zjtx_alloc.facts.cells import header_of, plain

TARGETS = {
    "momentum": "target_momentum",
    "technology": "target_technology",
    "product": "target_product",
    "chain": "target_chain",
}
SEVERAL = "|"  # between the choices of one cell


@dataclass(frozen=True)
class FirmColumn:
    """A column: its code, Chinese name, what its cells hold, in which measure, whether every table needs it.

    A number above ``most`` (if there is one) can only be in yuan.
    """

    code: str
    name: str
    kind: str
    measure: str
    most: int | None
    needed: bool

    @property
    def title(self) -> str:
        """Name with its measure, as a header shows it."""
        return f"{self.name}（{self.measure}）" if self.measure else self.name


@cache
def firm_columns() -> dict[str, FirmColumn]:
    """The columns by code, in their order."""
    table = shipped_table("firm_columns.csv", "code")
    return {
        str(code): FirmColumn(
            str(code), row["name"], row["kind"], row["measure"], int(row["most"] or 0) or None, bool(row["needed"])
        )
        for code, row in table.iterrows()
    }


@cache
def column_spellings() -> dict[str, str]:
    """Codes by every spelling of a header, as ``header_of`` leaves it."""
    table = shipped_table("firm_columns.csv", "code")
    return {header_of(text)[0]: str(code) for code, row in table.iterrows() for text in spellings(row)}


@cache
def choices_of(column: str) -> dict[str, str]:
    """Chinese names of a column's choices by code, in their order."""
    table = shipped_table("firm_choices.csv", "column")
    return dict(table.loc[[column], ["code", "name"]].itertuples(index=False))


@cache
def choice_spellings(column: str) -> dict[str, str]:
    """Codes of a column's choices by every spelling."""
    rows = shipped_table("firm_choices.csv", "column").loc[[column]].set_index("code")
    return {choice_key(text): str(code) for code, row in rows.iterrows() for text in spellings(row)}


def choice_key(text: object) -> str:
    """A choice as it is compared: one width, no quotation marks."""
    return plain(text).translate(str.maketrans("", "", "“”\"'‘’")).lower()


def as_read(column: str, value: Any) -> str:
    """A value as people read it: choices by name, dates as 2027-06-30, numbers without a needless fraction."""
    kind = firm_columns()[column].kind
    if pd.isna(value) or value == "":
        return ""
    if kind in ("choice", "choices"):
        return "、".join(choices_of(column)[code] for code in str(value).split(SEVERAL))
    if kind == "date":
        return f"{value:%Y-%m-%d}"
    return f"{value:,.10g}" if kind in ("amount", "percent") else str(value)
