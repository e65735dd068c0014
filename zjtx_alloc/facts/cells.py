"""What a cell says: a count, a unit, a header; or what is wrong with it."""

import datetime
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from zjtx_alloc.base.messages import words
from zjtx_alloc.base.units import find_unit, plain
from zjtx_alloc.facts.xlsx.cells import Uncalculated

COUNTS = ("家", "个")
_NOISE = 1e-12  # of a number: what a formula leaves of a whole number, and Excel does not show
MOST = 10**15  # no count and no money is beyond it, and whole numbers are exact up to it
_LEAST = 1e-9
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
# Characters that are no digit in ASCII or full width, though one width makes them one: ², ①, and marks that turn text round.
_LOOK_ALIKE = re.compile("[^\x00-\x7f\uff01-\uff5e\\s\u200b\u200c\u200d\u2060\ufeff]")
# A space between two digits, but for those of groups of three digits: 1 00 may be 100, 1.00 or two numbers.
_APART = re.compile(r"\d\s+\d")
_GROUPS = re.compile(r"\s*[+-]?\d{1,3}(\s\d{3})+(\.\d+)?\s*")
_BRACKETS = str.maketrans("【】〔〕〖〗{}", "()()()()")
_EXCEL_ERROR = re.compile(r"#(REF!|DIV/0!|VALUE!|NAME\?|N/A|NULL!|NUM!|SPILL!|CALC!)")
_LONGEST = 1000  # characters of a header or a title that is understood: brackets without end take time by their square
_MEASURES = "[十百千万亿]*(?:家|个|户|件|元|人)|分|%"
_MEASURE = re.compile(rf"(?:(?<=[(\[,、;/])|单位[:：])({_MEASURES})(?=[)\],、;]|$)")
_STATED = re.compile(r"单位[:：]([^()\[\]]+)")
_PERIOD = re.compile(r"(?:截至|截止)?(20\d\d)(?:年(?:(\d{1,2})月(?:\d{1,2}日)?)?|-(\d{1,2}))?(?:末|底|度)?")
_YEAR = re.compile(r"(20\d\d)(\.0)?(年|年度|年预算)?")
_NUMBERED = re.compile(r"(?:\d{1,2}[.、)]|\(\d{1,2}\))(?=\D)")  # 1.北京, (1)北京
_CODED = re.compile(r"(\d{6})[-_:]?(\D.*)")  # 110000北京市
_PART = re.compile(r"其中的?:?(.+)")
_DAY = re.compile(r"(20\d\d)[年/.-](\d{1,2})[月/.-](\d{1,2})日?|(20\d\d)(\d\d)(\d\d)")  # 2027112 would be two days
_MIDNIGHT = re.compile(r"(?<=\d)(T?00:00(:00)?|\.0)$")
_REMARK = re.compile(r"\([^()]*\)")
_TIMES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}


@dataclass(frozen=True)
class Wrong:
    """The kind of a cell's problem (a key of ``[wrong]`` or of ``[programme_wrong]``), and what its sentence is filled with."""

    kind: str
    details: Mapping[str, object] = field(default_factory=dict)


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
    is_other = isinstance(value, bool | datetime.date | datetime.time) or _LOOK_ALIKE.search(str(value))
    if is_other or not re.search(r"\d", text) or not _NUMBER.fullmatch(text):
        return "text"
    is_spaced = isinstance(value, str) and _APART.search(value) and not _GROUPS.fullmatch(value)
    is_nothing = re.search("[1-9]", text.lower().partition("e")[0]) is None
    return "spaced" if is_spaced else _checked(float(text.replace(",", "")) + 0.0, measure, is_nothing)  # -0 is 0


def _checked(number: float, measure: str, is_nothing: bool) -> float | str:
    if not math.isfinite(number):
        return "text"
    if number < 0:
        return "negative"
    if number > MOST or (number < _LEAST and not is_nothing):
        return "too_large" if number > MOST else "too_small"
    if measure not in COUNTS or number == int(number):
        return number
    return float(round(number)) if abs(number - round(number)) <= _NOISE * number else "fraction"


def unreadable(value: Any) -> Wrong | None:
    """What keeps any cell from being read: a formula that nobody calculated, or one that ended in an error; else None."""
    if isinstance(value, Uncalculated):
        return Wrong("formula")
    return Wrong("error_value") if _EXCEL_ERROR.fullmatch(plain(value)) else None


def day_of(value: Any) -> datetime.date | Wrong:
    """The day that a cell is, as a date of Excel or in words: 2024-07-31, 2024年7月31日, 20240731."""
    if isinstance(value, datetime.date):
        return datetime.date(value.year, value.month, value.day)
    found = _DAY.fullmatch(_MIDNIGHT.sub("", plain(value)))
    try:
        return Wrong("date") if found is None else datetime.date(*map(int, filter(None, found.groups())))
    except ValueError:
        return Wrong("no_such_date")


def text_of(value: Any) -> str:
    """A cell as text: a day without its hour, a whole number without a fraction."""
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d}"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def yuan_in(measure: str) -> int | None:
    """How many yuan a measure of money is: 10,000 of 万元; None if it is no money."""
    return math.prod(_TIMES[part] for part in measure[:-1]) if re.fullmatch("[十百千万亿]*元", measure) else None


def in_measure(number: float, measure: str, wanted: str) -> Decimal:
    """An amount of money in another measure of money, exactly."""
    return Decimal(repr(number)) * (yuan_in(measure) or 0) / (yuan_in(wanted) or 1)


def without_remarks(text: str) -> str:
    """A header without what stands in parentheses, unless that makes it another thing (其中研发, 不含基建, 2023年)."""
    text = plain(text).translate(_BRACKETS)
    remarks = "".join(_REMARK.findall(_MEASURE.sub("", text)[:_LONGEST]))
    if len(text) > _LONGEST or _PERIOD.search(remarks) or any(word in remarks for word in words("telling_remarks")):
        return text
    return _REMARK.sub("", text)


def unit_of(value: Any) -> str | None:
    """Code of the unit that a cell names by code, full, short or press name; None if it names none.

    A running number before the name is passed over; a code before the name must be the same unit's.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = plain(value)
    if both := _CODED.fullmatch(text):
        codes = {find_unit(part) for part in both.groups()}
        return codes.pop() if len(codes) == 1 else None
    return find_unit(text) or find_unit(_NUMBERED.sub("", text, count=1))


def part_of(value: Any) -> str | None:
    """Code of the unit in 其中：深圳, which says that the province's own row contains it; else None."""
    part = _PART.fullmatch(plain(value))
    return None if part is None else unit_of(part.group(1))


def stated_measures(rows: Iterable[list[Any]]) -> dict[str, str]:
    """What the titles above a header say of measures (单位：元), by what is measured: 元, 家, 人, 件, 分 or %."""
    found = [_STATED.search(plain(cell)[:_LONGEST].translate(_BRACKETS)) for row in rows for cell in row]
    said = [word for match in found if match for word in re.split("[、,，;/]", match.group(1))]
    return {_measured(word): word for word in said if re.fullmatch(_MEASURES, word)}


def stated_otherwise(stated: dict[str, str], measure: str) -> str:
    """The measure that titles state in the place of this one; blank if they state none or the same."""
    other = stated.get(_measured(measure), "") if measure else ""
    return "" if other == measure or {other, measure} <= {*COUNTS, "户"} else other


def _measured(measure: str) -> str:
    """What a measure counts: 元 of 万元; firms go by three names."""
    return "家" if measure[-1] in "家个户" else measure[-1]


def year_of(cell: Any) -> int | None:
    """The year that a cell is, as a number or in words (2026年, 2026年度); None if it is none."""
    found = _YEAR.fullmatch(plain(cell))
    return int(found.group(1)) if found else None


def header_of(text: str) -> tuple[str, str, str]:
    """A header without measure and period; the measure (家, 万元 …) and the period (2024, 2024-06) it names."""
    text = plain(text).translate(_BRACKETS)
    if len(text) > _LONGEST:
        return text, "", ""
    measure = _MEASURE.search(text)
    period = _PERIOD.search(text)
    name = _MEASURE.sub("", text)
    if period is not None:
        name = name.replace(period.group(0), "", 1)
    month = period and (period.group(2) or period.group(3))
    when = "" if period is None else period.group(1) + (f"-{int(month):02d}" if month else "")
    return re.sub(r"[()\[\]“”\"'‘’:：·,，、;/]", "", name), measure.group(1) if measure else "", when
