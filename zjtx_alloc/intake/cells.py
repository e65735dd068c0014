"""What a cell says: a count, a unit, a header; or what is wrong with it."""

import datetime
import math
import re
from typing import Any

from zjtx_alloc.intake.grid import Uncalculated
from zjtx_alloc.units import find_unit, plain

COUNTS = ("家", "个")
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?")
_MEASURE = re.compile(r"(?:(?<=[(\[,、;])|单位[:：])(家|个|户|件|亿元|万元|元|万人|人|%)(?=[)\],、;])")
_PERIOD = re.compile(r"(20\d\d)(?:年(?:(\d{1,2})月)?|-(\d{1,2}))?(?:末|底)?")


def amount(value: Any, measure: str) -> float | str:
    """The number a cell holds, or the kind of its problem (a key of ``[wrong]`` in the messages)."""
    text = plain(value)
    if isinstance(value, Uncalculated):
        return "formula"
    if text == "":
        return "blank"
    if text.startswith("#"):
        return "error_value"
    if text.endswith("%"):
        return "percent"
    is_other = isinstance(value, bool | datetime.date | datetime.time)
    if is_other or not re.search(r"\d", text) or not _NUMBER.fullmatch(text):
        return "text"
    return _checked(float(text.replace(",", "")), measure)


def _checked(number: float, measure: str) -> float | str:
    if not math.isfinite(number):
        return "text"
    if number < 0:
        return "negative"
    return "fraction" if measure in COUNTS and number != int(number) else number


def unit_of(value: Any) -> str | None:
    """Code of the unit that a cell names by code, full, short or press name; None if it names none."""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return find_unit(plain(value))


def header_of(text: str) -> tuple[str, str, str]:
    """A header without measure and period; the measure (家, 万元 …) and the period (2024, 2024-06) it names."""
    text = plain(text)
    measure = _MEASURE.search(text)
    period = _PERIOD.search(text)
    name = _MEASURE.sub("", text)
    if period is not None:
        name = name.replace(period.group(0), "", 1)
    month = period and (period.group(2) or period.group(3))
    when = "" if period is None else period.group(1) + (f"-{int(month):02d}" if month else "")
    return re.sub(r"[()\[\]“”\"'‘’:：·,，、;]", "", name), measure.group(1) if measure else "", when
