"""What a cell of a programme's workbook holds, by the kind of its column; or what is wrong with it."""

import datetime
import re
import tomllib
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import tomli_w

from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import (
    Wrong,
    amount,
    day_of,
    header_of,
    plain,
    text_of,
    unit_of,
    unreadable,
    year_of,
)
from zjtx_alloc.facts.credit_codes import is_entry
from zjtx_alloc.facts.layout import indicator_names
from zjtx_alloc.facts.payments import unsigned
from zjtx_alloc.rules.programme.forms import Field
from zjtx_alloc.rules.scenario import DEFAULT

_BATCH = re.compile(r"第?(\d{1,3}|[一二三四五六七八九])批?")
_NUMERALS = "一二三四五六七八九"
_MOST_PLACES = 10**6


def value_of(cell: Any, form: Field) -> Any:
    """The value of a cell, None if it is blank, or ``Wrong``."""
    text = plain(cell)
    if (wrong := unreadable(cell)) or text == "":
        return wrong
    return _choice(text, form) if form.kind == "choice" else _KINDS[form.kind](cell)


def _choice(text: str, form: Field) -> Any:
    known = {plain(shown): code for shown, code in form.choices.items()}
    found = known.get(text, text if text in known.values() else None)
    return Wrong("choice", {"known": "、".join(form.choices)}) if found is None else found


def _batch(cell: Any) -> int | Wrong:
    text = plain(cell).removesuffix(".0")
    found = _BATCH.fullmatch(text)
    if found is None:
        return Wrong("batch")
    number = found.group(1)
    value = _NUMERALS.index(number) + 1 if number in _NUMERALS else int(number)
    return value if 1 <= value <= 100 else Wrong("batch")


def _unit(cell: Any) -> str | Wrong:
    return unit_of(cell) or Wrong("unknown_unit")


def _unit_or_rest(cell: Any) -> str | Wrong:
    return (
        DEFAULT if plain(cell) in (say("programme.rest"), say("programme.rest_note"), "其他", DEFAULT) else _unit(cell)
    )


def _indicator(cell: Any) -> str:
    """Code of the indicator that a cell names; else its text, as of a composite."""
    return indicator_names().get(header_of(plain(cell))[0], str(cell).strip())


def _number(cell: Any) -> float | Wrong:
    """A number, negative ones too; a percentage is a hundredth."""
    if isinstance(cell, bool | datetime.date | datetime.time):
        return Wrong("text")
    if isinstance(cell, int | float):
        return cell
    text = plain(cell).replace(",", "")
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        return Wrong("text")
    if not number.is_finite():
        return Wrong("text")
    value = float(number / 100 if text.endswith("%") else number)
    return int(value) if value.is_integer() and not text.endswith("%") else value


def _whole(cell: Any) -> int | Wrong:
    number = amount(cell, "家")
    if isinstance(number, str):
        return Wrong(number)
    return int(number) if number <= _MOST_PLACES else Wrong("many_places", {"most": _MOST_PLACES})


def _positive(cell: Any) -> int | Wrong:
    number = _whole(cell)
    return Wrong("no_places") if number == 0 else number


def _share(cell: Any) -> float | Wrong:
    number = _number(cell)
    if isinstance(number, Wrong) or 0 <= number <= 1:
        return number
    return Wrong("negative" if number < 0 else "share", {})


def _factor(cell: Any) -> float | Wrong:
    number = _number(cell)
    return number if isinstance(number, Wrong) or 1e-6 <= number <= _MOST_PLACES else Wrong("coefficient")


def _rate(cell: Any) -> str | Wrong:
    """An exact decimal from 0 to 1, as text: as it is written, or as a number is."""
    text = plain(cell)
    if re.fullmatch(r"0(\.\d{1,12})?|1(\.0{1,12})?", text) and isinstance(cell, str):
        return text
    share = _share(cell)
    return share if isinstance(share, Wrong) else rate_text(share)


def rate_text(share: float) -> str:
    """A share as scenario files have it: 0.95; 1.00 for all."""
    return "1.00" if share == 1 else f"{Decimal(repr(share)):f}" if share else "0"


def _year(cell: Any) -> int | Wrong:
    return year_of(cell) or Wrong("year")


def _money(cell: Any) -> int | Wrong:
    money = amount(cell, "万元")
    if isinstance(money, str):
        return Wrong(money)
    return int(money) if money == int(money) else Wrong("not_whole_money")


def _transfer(cell: Any) -> int | Wrong:
    """Money to a unit; negative where it is taken back."""
    cell, sign = unsigned(cell)
    money = _money(cell)
    return money if isinstance(money, Wrong) else sign * money


def _entry(cell: Any) -> str | Wrong:
    """An entry of a list of firms: a credit code or a name."""
    return text_of(cell) if is_entry(cell) else Wrong("list_entry")


def _period(cell: Any) -> str:
    """A period of data as scenarios have it; Excel makes a date of 2021-06."""
    return f"{cell:%Y-%m}" if isinstance(cell, datetime.datetime) else header_of(text_of(cell))[2] or text_of(cell)


def _units(cell: Any) -> list[tuple[str, float | None]] | Wrong:
    """Units joined by 、, each with its coefficient (×2) where it has one."""
    found: list[tuple[str, float | None]] = []
    for part in re.split("[、，,；;\n]", str(cell)):
        name, times, number = (piece.strip() for piece in part.replace("*", "×").partition("×"))
        if not name:
            continue
        code, factor = unit_of(name), _number(number) if times else None
        if code is None:
            return Wrong("unknown_units", {"name": name})
        if isinstance(factor, Wrong):
            return Wrong("coefficient_of_unit", {"name": name})
        found.append((code, factor))
    doubled = [code for number, (code, _) in enumerate(found) if code in dict(found[:number])]
    if doubled or len({factor is None for _, factor in found}) > 1:
        return Wrong("units_twice" if doubled else "some_coefficients")
    return found


def setting_of(cell: Any) -> Any:
    """A value as TOML has it; a text that is no TOML is itself."""
    if not isinstance(cell, str):
        return cell
    try:
        table = tomllib.loads(f"v = {cell}")
    except tomllib.TOMLDecodeError:
        return cell
    return table["v"] if len(table) == 1 else cell


def setting_text(value: Any) -> Any:
    """What stands in a cell for a value of a scenario: numbers as they are, texts plain where they read back as such."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and value.strip() == value != "" and setting_of(value) == value and "\n" not in value:
        return value
    if value == {}:
        return "{}"
    lines = tomli_w.dumps({"v": value}).removeprefix("v = ").strip().splitlines()
    return " ".join(line.strip() for line in lines)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "batch": _batch, "batch_or_all": _batch, "unit": _unit, "unit_or_rest": _unit_or_rest, "indicator": _indicator,
    "number": _number, "whole": _whole, "positive": _positive, "share": _share, "factor": _factor, "rate": _rate,
    "year": _year, "money": _money, "transfer": _transfer, "date": day_of, "text": text_of, "entry": _entry, "period": _period, "units": _units, "setting": setting_of,
}  # fmt: skip
