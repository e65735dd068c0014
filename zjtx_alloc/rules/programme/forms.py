"""The sheets of a programme's workbook, described once in ``data/workbook.csv``: for writing, reading and the guide."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.facts.cells import header_of

FACTORS = "factors"  # its columns are the indicators, so it is not described column by column


@dataclass(frozen=True)
class Field:
    """A column: its name in code, its header, other words for it, and what its cells hold.

    ``choices`` are what may be picked, as shown, with the word of the code; ``role`` is input, decision or result where
    a workbook tells them apart.
    """

    name: str
    header: str
    words: tuple[str, ...]
    kind: str
    needed: bool
    width: float
    choices: Mapping[str, str]
    remark: str
    role: str = ""


@dataclass(frozen=True)
class Form:
    """A sheet: its title and its columns by name, in their order."""

    title: str
    fields: Mapping[str, Field]


@cache
def forms(described: str = "workbook.csv") -> Mapping[str, Form]:
    """The sheets by name, in their order, but for the factors; ``described`` names the table that describes them."""
    table = shipped_table(described, "form")
    return {
        str(name): Form(str(part["sheet"].iloc[0]), {row["name"]: _field(row) for row in part.to_dict("records")})
        for name, part in table.groupby(level=0, sort=False)
    }


def _field(row: dict[Any, str]) -> Field:
    words = [row["header"], *filter(None, row["aliases"].split("|"))]
    pairs = (choice.partition("=") for choice in row["choices"].split("|") if choice)
    choices = {shown: code or shown for shown, _, code in pairs}
    return Field(
        row["name"], row["header"], tuple(header_of(word)[0] for word in words), row["kind"], row["needed"] == "1",
        float(row["width"]), choices, row["remark"], row.get("role", ""),
    )  # fmt: skip
