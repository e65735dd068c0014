"""What a cell of a firm table says, or what is wrong with it; each distinct cell of a column is read once."""

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from zjtx_alloc.base.text import hidden
from zjtx_alloc.facts.cells import Wrong, amount, day_of, in_measure, plain, text_of, unit_of, unreadable
from zjtx_alloc.facts.credit_codes import credit_code_of
from zjtx_alloc.firms.table.columns import SEVERAL, FirmColumn, choice_key, choice_spellings, choices_of

_LONGEST = 1000  # characters of a text
_APART = re.compile(r"[、,，;；|/\n+＋]+")


def read_cells(cells: Sequence[Any], column: FirmColumn, measure: str = "") -> list[Any]:
    """The values of a column's cells; None where blank, ``Wrong`` where wrong. Money in another ``measure`` is converted."""
    known: dict[tuple[type, Any], Any] = {}
    cells = [cell if isinstance(cell, Hashable) else str(cell) for cell in cells]  # a frame's cell may be a list
    for cell in cells:
        if (type(cell), cell) not in known:
            known[type(cell), cell] = _value(cell, column, measure)
    return [known[type(cell), cell] for cell in cells]


def _value(cell: Any, column: FirmColumn, measure: str) -> Any:
    text = plain(cell)
    if text == "":
        return Wrong("firm_blank") if column.needed else None
    if measure:
        number = amount(cell, measure)
        cell = cell if isinstance(number, str) else float(in_measure(number, measure, column.measure))
    return unreadable(cell) or _READERS[column.kind](cell, column)


def _name(cell: Any, column: FirmColumn) -> Any:
    text = re.sub(r"\s+", " ", str(cell)).strip()
    if hidden(text):
        return Wrong("hidden")
    return Wrong("too_long", {"most": str(_LONGEST)}) if len(text) > _LONGEST else text


def _unit(cell: Any, column: FirmColumn) -> Any:
    return unit_of(cell) or Wrong("unknown_unit")


def _credit_code(cell: Any, column: FirmColumn) -> Any:
    return credit_code_of(cell)


def _date(cell: Any, column: FirmColumn) -> Any:
    return day_of(cell)


def _choice(cell: Any, column: FirmColumn) -> Any:
    code = choice_spellings(column.code).get(choice_key(text_of(cell)))
    return Wrong("choice", {"known": "、".join(choices_of(column.code).values())}) if code is None else code


def _choices(cell: Any, column: FirmColumn) -> Any:
    parts = [part for part in _APART.split(str(cell)) if plain(part)]
    codes = [_choice(part, column) for part in parts]
    if wrong := [code for code in codes if isinstance(code, Wrong)]:
        return wrong[0]
    if len(set(codes)) > 1 and {"none", "other"} & set(codes):
        return Wrong("choice_clash")
    return SEVERAL.join(code for code in choices_of(column.code) if code in codes)


def _amount(cell: Any, column: FirmColumn) -> Any:
    number = amount(cell, column.measure)
    if isinstance(number, str):
        return Wrong(number)
    if column.most is not None and number > column.most:
        details = {"most": f"{column.most:,}", "yuan": f"{number:,.15g}", "converted": f"{number / 10_000:,.15g}"}
        return Wrong("in_yuan", details)
    return number


def _percent(cell: Any, column: FirmColumn) -> Any:
    """A percentage from 0; a cell that Excel shows as 95 % holds 0.95, which must not be read as 0.95 %."""
    number = amount(plain(cell).removesuffix("%") if isinstance(cell, str) else cell, column.measure)
    if isinstance(number, str):
        return Wrong(number)
    return Wrong("percent_format") if 0 < number <= 1 and not isinstance(cell, str) else number


_READERS: dict[str, Callable[[Any, FirmColumn], Any]] = {
    "text": _name,
    "unit": _unit,
    "credit_code": _credit_code,
    "date": _date,
    "choice": _choice,
    "choices": _choices,
    "amount": _amount,
    "percent": _percent,
}
