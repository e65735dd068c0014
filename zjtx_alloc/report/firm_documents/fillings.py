"""What fills a document: the facts of its sentences and the rows of its tables, both by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from string import Formatter
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.firms.table.roll import Firms


@dataclass(frozen=True)
class Filling:
    """Facts by the names that the form's sentences use, tables (Chinese headers) by the names that it calls for.

    A table without rows is left out of the document; ``totals`` names those whose last row is the total.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    totals: frozenset[str] = frozenset()


_DAY = re.compile(r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?![\w-])", re.ASCII)
_EITHER = re.compile(r"‹([^|›]*)\|?([^›]*)›")


def spoken(day: date) -> str:
    """A day as official papers write it."""
    return say("firm_document.day", day=day)


def with_spoken_days(text: str) -> str:
    """A text whose days are as official papers write them, whatever step it comes from."""
    return _DAY.sub(lambda found: spoken(date(*map(int, found.groups()))), text)


def sentence(form: str, facts: Mapping[str, Any]) -> str:
    """A sentence of a form; where a count named in ‹with|without› is 0, what stands without it."""

    def chosen(part: re.Match[str]) -> str:
        named = [name for _, name, _, _ in Formatter().parse(part[1]) if name]
        return part[2] if any(f"{facts[name]}" == "0" for name in named) else part[1]

    return with_spoken_days(_EITHER.sub(chosen, form).format(**facts))


def money(value: float | Decimal) -> str:
    """An amount in a sentence."""
    return f"{value:,.10g}"


def percent(share: Fraction | float) -> str:
    """A share in a sentence: 2.5% is not 2%."""
    return f"{float(100 * share):.10g}%"


def counts(found: dict[str, int]) -> str:
    """Firms by name, in a sentence; 无 if there are none."""
    return "、".join(say("plan.count", name=name, count=n) for name, n in found.items() if n) or say("plan.none")


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with their number before them, and without the mark of invented firms, which stands on every page."""
    rows = frame.drop(columns=header("note"), errors="ignore").reset_index(drop=True)
    rows.insert(0, header("number"), range(1, len(rows) + 1))
    return rows


def with_total(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows and, if there are any, their total: sums of columns of whole numbers, the word in the first column, else blank."""
    if not len(rows):
        return rows
    sums = {name: rows[name].sum() for name in rows if pd.api.types.is_integer_dtype(rows[name])}
    last = dict.fromkeys(rows, "") | sums | {rows.columns[0]: say("table.total")}
    return pd.concat([rows.astype(object), pd.DataFrame([last], dtype=object)], ignore_index=True)


def listed(firms: Firms, *columns: str) -> pd.DataFrame:
    """Firms with these columns as people read them, numbered."""
    return numbered(firms.displayed(columns))
