"""What a cell of a firm table says, or what is wrong with it; each distinct cell of a column is read once."""

import datetime
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from zjtx_alloc.base.text import hidden
from zjtx_alloc.facts.cells import amount, plain, unit_of
from zjtx_alloc.facts.xlsx.cells import Uncalculated
from zjtx_alloc.firms.table.columns import SEVERAL, FirmColumn, choice_key, choice_spellings, choices_of

_DATE = re.compile(r"(20\d\d)[年/.-](\d{1,2})[月/.-](\d{1,2})日?|(20\d\d)(\d\d)(\d\d)")  # 2027112 would be two days
_MIDNIGHT = re.compile(r"(?<=\d)T?00:00(:00)?$")
_LONGEST = 1000  # characters of a text
_APART = re.compile(r"[、,，;；|/\n+＋]+")


@dataclass(frozen=True)
class Wrong:
    """The kind of a cell's problem (a key of ``[wrong]`` and ``[remedy]`` in the messages) and what to fill in."""

    kind: str
    details: dict[str, str] = field(default_factory=dict)


def read_cells(cells: Sequence[Any], column: FirmColumn) -> list[Any]:
    """The values of a column's cells; None where blank, ``Wrong`` where wrong."""
    known: dict[tuple[type, Any], Any] = {}
    cells = [cell if isinstance(cell, Hashable) else str(cell) for cell in cells]  # a frame's cell may be a list
    for cell in cells:
        if (type(cell), cell) not in known:
            known[type(cell), cell] = _value(cell, column)
    return [known[type(cell), cell] for cell in cells]


def _value(cell: Any, column: FirmColumn) -> Any:
    text = plain(cell)
    if text == "":
        return Wrong("firm_blank") if column.needed else None
    if isinstance(cell, Uncalculated):
        return Wrong("formula")
    return Wrong("error_value") if text.startswith("#") else _READERS[column.kind](cell, column)


def _text(cell: Any, column: FirmColumn) -> Any:
    """Text as it was typed; codes that Excel keeps as numbers lose their needless fraction."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _name(cell: Any, column: FirmColumn) -> Any:
    text = re.sub(r"\s+", " ", str(cell)).strip()
    if hidden(text):
        return Wrong("hidden")
    return Wrong("too_long", {"most": str(_LONGEST)}) if len(text) > _LONGEST else text


def _unit(cell: Any, column: FirmColumn) -> Any:
    return unit_of(cell) or Wrong("unknown_unit")


def _credit_code(cell: Any, column: FirmColumn) -> Any:
    if isinstance(cell, int | float):
        return Wrong("code_number")
    try:
        return uscc.validate(plain(cell))
    except InvalidLength:
        return Wrong("code_length", {"length": str(len(uscc.compact(plain(cell))))})
    except InvalidChecksum:
        return Wrong("code_check")
    except ValidationError:
        return Wrong("code_form")


def valid_code(text: str) -> str | None:
    """A 统一社会信用代码 as it is compared; None if the text is none."""
    return uscc.compact(text) if uscc.is_valid(text) else None


def _date(cell: Any, column: FirmColumn) -> Any:
    if isinstance(cell, datetime.date):
        return datetime.date(cell.year, cell.month, cell.day)
    found = _DATE.fullmatch(_MIDNIGHT.sub("", plain(cell)))
    try:
        return Wrong("date") if found is None else datetime.date(*map(int, filter(None, found.groups())))
    except ValueError:
        return Wrong("no_such_date")


def _choice(cell: Any, column: FirmColumn) -> Any:
    code = choice_spellings(column.code).get(choice_key(_text(cell, column)))
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
