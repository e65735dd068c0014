"""Number formats: what Excel shows of the number in a cell, where that differs from the number."""

import datetime
import operator
import re
from collections.abc import Callable
from typing import Any

_FORMAT = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]|.', re.DOTALL)  # the parts of a number format
_LONGEST = 1000  # characters of a format; Excel has 255
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+\.?\d*)\]")
_COMPARED = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "<>": operator.ne,
}  # fmt: skip
_PERCENTS = {9: "0%", 10: "0.00%"}
_DATES = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)}  # 27 to 36 and 50 to 58 are Chinese Excel's own
_DURATION = 46
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_SHOWS_DAY = re.compile("[dmhys]", re.IGNORECASE)
_DAY = 86_400_000  # milliseconds
_DAYS_IN_DIGITS = 20_000_101, 20_991_231  # 20240731 typed into a cell of dates, which shows ####

Shower = Callable[[Any], Any]


def shower_of(number: int, code: str | None, epoch: datetime.datetime, *, raw: bool) -> Shower | None:
    """What makes of a cell's number what Excel shows; None where it is the number.

    Parameters
    ----------
    number : int
        Of the format; without a ``code`` it is one that every Excel has.
    code : str or None
    epoch : datetime
        Day 0 of the workbook.
    raw : bool
        Whether percentages stay numbers.

    Raises
    ------
    ValueError
        If the code is longer than any.
    """
    if code is None:
        code = _PERCENTS.get(number, "")
        is_duration, is_date = number == _DURATION, number in _DATES
    else:
        if len(code) > _LONGEST:
            raise ValueError(number)
        parts = _FORMAT.findall(code.partition(";")[0])
        is_duration = any(_ELAPSED.fullmatch(part) for part in parts)
        is_date = any(_SHOWS_DAY.fullmatch(part) for part in parts)
    if is_duration or is_date:
        return lambda value: _moment(value, epoch, is_duration=is_duration)
    return (lambda value: percent_shown(value, code)) if "%" in code and not raw else None


def percent_shown(value: float, code: str) -> Any:
    """A number; one that Excel shows with a percent sign, as it is shown.

    A sign of the format's own makes a hundredth of the number one per cent; one that is only text beside the
    number (``0.00"%"``) changes nothing.
    """
    parts = _section(code, value)
    if "%" in parts:
        return f"{100 * value:.10g}%"
    return f"{value:.10g}%" if any("%" in part for part in parts if part[0] in '"\\') else value


def _section(code: str, value: float) -> list[str]:
    """The parts of that section of a number format which shows this number: by its condition, else by sign."""
    sections: list[list[str]] = [[]]
    for part in _FORMAT.findall(code):
        if part == ";":
            sections.append([])
        else:
            sections[-1].append(part)
    numbers = sections[:3]  # the fourth shows text
    by_sign = (value >= 0 if len(numbers) < 3 else value > 0, value < 0, True)
    for parts, is_shown in zip(numbers, by_sign, strict=False):
        conditions = [_COMPARED[m[1]](value, float(m[2])) for part in parts if (m := _CONDITION.fullmatch(part))]
        if all(conditions) if conditions else is_shown:
            return parts
    return numbers[-1]


def _moment(value: float, epoch: datetime.datetime, *, is_duration: bool) -> Any:
    """The day, the time of day or the duration that a number stands for; an error's text beyond all calendars."""
    try:
        since = datetime.timedelta(milliseconds=round(value * _DAY))
        if is_duration:
            return since
        if 0 <= value < 1 and not since.days:
            return (datetime.datetime.min + since).time()
        leap = 0 < value < 60 and epoch.year < 1904  # the 29 February 1900 that Excel believes in
        return epoch + since + datetime.timedelta(days=leap)
    except (OverflowError, ValueError):
        return value if _DAYS_IN_DIGITS[0] <= value <= _DAYS_IN_DIGITS[1] else "#VALUE!"
