"""Rules of the award (奖补政策): every number dated, measured and cited in ``data/policy/*.toml``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.toml_files import Day, Exact, Strict, load_form, shipped_files
from zjtx_alloc.quota.problem.numbers import is_count

_NUMBER = re.compile(r"(\S+?(〔\d{4}〕)(\d+号))")  # of a document: who issued it, the year, the number
_BRACKETS = str.maketrans("[]()【】", "〔〕〔〕〔〕")
_WHOLE = ("amount", "implementation_years", "first_year", "batches", "entry_investment", "recovery_investment")
# What no notice goes beyond: a slip of the pen there would send sums and calendars anywhere.
_BOUNDS = {
    "amount": (1, 10**6), "opening_share": (0, 1), "empowerment_cap": (0, 1), "recovered_share": (0, 1),
    "implementation_years": (1, 20), "first_year": (2000, 2100), "batches": (1, 50),
}  # fmt: skip


class _Parameter(Strict):
    value: Exact
    measure: str
    effective: Day
    clause: str
    quote: str
    note: str = ""
    assumed: bool = False


class Tail(Strict):
    """Firms of one older batch that are paid once more: where they are counted, and in which fiscal year.

    ``seen`` is False where no list was published: the indicator is then the year before's.
    """

    name: str
    indicator: str
    period: str
    fiscal_year: int
    source: str
    seen: bool = True


class _Document(Strict):
    title: str
    number: str
    issued: Day
    parameters: dict[str, _Parameter]
    tails: list[Tail] = []


class Payment(NamedTuple):
    """One payment (下达): its name, fiscal year, 万元 a firm, and whether it hangs on the firm's outcome."""

    name: str
    year: int
    each: int
    on_outcome: bool


@dataclass(frozen=True)
class Award:
    """The award standard (奖补标准) of one notice."""

    name: str  #: name, title, number: file name, title and document number (发文字号) of the notice.
    title: str  #: See ``name``.
    number: str  #: See ``name``.
    issued: date
    amount: int  #: 万元 a firm over the whole support.
    opening: int  #: 万元 a firm paid at the start (期初); the rest is due at the end (期末).
    empowerment_cap: Fraction  #: Largest share of a payment that may go to 培育赋能.
    implementation_years: int  #: Years from the opening to the closing payment.
    first_year: int  #: first_year, batches: fiscal year of batch 1, and how many batches there are, one a year.
    batches: int  #: See ``first_year``.
    #: entry_investment, recovery_investment: 万元 a plan: one may enter above the first; below the second the money
    #: is taken back.
    entry_investment: int
    recovery_investment: int  #: See ``entry_investment``.
    recovered_share: Fraction  #: Share of a firm's opening payment that is recovered (收回) where the notice says so.
    #: empowerment_recovered, discontinued_recovered: whether recovery reaches the part of the opening that went to
    #: 培育赋能, and whether firms no longer supported (不再继续支持) give their opening back.
    empowerment_recovered: bool
    discontinued_recovered: bool  #: See ``empowerment_recovered``.
    #: Index parameter; value, measure, effective, clause, quote, note, assumed: for the report.
    parameters: pd.DataFrame
    #: Fiscal years of the opening and the closing payment of batches that have others than the notice says.
    years: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def closing(self) -> int:
        """万元 a firm paid at the end (期末)."""
        return self.amount - self.opening

    def payments(self, first: int, last: int) -> tuple[Payment, ...]:
        """The payments to firms that are supported from one fiscal year to another; together the amount."""
        return Payment("opening", first, self.opening, False), Payment("closing", last, self.closing, True)

    @property
    def effective(self) -> date:
        """The day from which the notice holds: the first of its parameters'."""
        return min(map(date.fromisoformat, self.parameters["effective"]))

    def opening_year(self, batch: int) -> int:
        """Fiscal year in which a batch's opening payment is made."""
        if not is_count(batch, 1, self.batches):
            raise ScenarioError(say("policy.batch", batch=shown(batch), batches=self.batches, number=self.number))
        return self.years[batch][0] if batch in self.years else self.first_year + batch - 1

    def closing_year(self, batch: int) -> int:
        """Fiscal year in which a batch's closing payment is due."""
        opening = self.opening_year(batch)
        return self.years[batch][1] if batch in self.years else opening + self.implementation_years

    def payments_of(self, batch: int) -> tuple[Payment, ...]:
        """The payments to a batch's firms."""
        return self.payments(self.opening_year(batch), self.closing_year(batch))


@dataclass(frozen=True)
class Tails:
    """What the first round (财建〔2021〕2号) still pays in the new round's years."""

    number: str  #: Document number of the first round's notice.
    payment: int  #: 万元 a firm and year, nominal.
    payment_note: str  #: What that figure rests on.
    items: tuple[Tail, ...]  #: One a batch and year.

    def names(self, document: str, fiscal_year: int) -> bool:
        """Whether a text names a document of this year, in full or by its end (142号)."""
        text = document.translate(_BRACKETS)
        for tail in self.items:
            number = _NUMBER.match(tail.source)
            if number and tail.fiscal_year == fiscal_year:
                full, year, end = number.groups()
                if full in text or text in (f"{year}{end}", end):
                    return True
        return False


def load_award(name: str) -> Award:
    """Load an award by the name of its file in ``data/policy``, e.g. ``caijian-2024-148``.

    Raises
    ------
    ScenarioError
        If there is no such file, a parameter is missing or malformed, or money would not be whole 万元.
    """
    if name not in (known := shipped_files("policy")):
        raise ScenarioError(say("policy.unknown", name=shown(name), known="、".join(known)))
    kept = _read(known[name])
    return replace(kept, parameters=kept.parameters.copy())


@cache
def _read(path: Path) -> Award:
    """A shipped award, read once: every scenario asks for its own."""
    name = path.stem
    document = load_form("policy", name, _Document)
    value = {key: Fraction(parameter.value) for key, parameter in document.parameters.items()}
    for key, (least, most) in _BOUNDS.items():
        if not least <= value.get(key, least) <= most:
            described = {"key": key, "value": float(value[key]), "least": least, "most": most}
            raise ScenarioError(say("policy.bounds", file=f"{name}.toml", **described))
    try:
        return Award(
            name=name,
            title=document.title,
            number=document.number,
            issued=date.fromisoformat(document.issued),
            opening=_whole(name, "opening_share", value["amount"] * value["opening_share"]),
            empowerment_cap=value["empowerment_cap"],
            recovered_share=value["recovered_share"],
            empowerment_recovered=_yes(name, "empowerment_recovered", value["empowerment_recovered"]),
            discontinued_recovered=_yes(name, "discontinued_recovered", value["discontinued_recovered"]),
            parameters=_table(document),
            years={},
            **{key: _whole(name, key, value[key]) for key in _WHOLE},
        )
    except KeyError as error:
        raise ScenarioError(say("policy.malformed", file=f"{name}.toml", key=error.args[0])) from None


def award_in_force(batch: int | None = None, on: date | None = None) -> Award:
    """The award that a batch, or a day, falls under: of those in effect by then the last; the first where none is yet.

    A batch falls under an award that has it, in effect by the end of the fiscal year of its opening payment. With
    neither given: the last award of all.
    """
    known = sorted(map(load_award, shipped_files("policy")), key=lambda award: award.effective)
    having = [award for award in known if batch is None or batch <= award.batches] or known

    def by(award: Award) -> date:
        return on or (date.max if batch is None else date(award.first_year + batch - 1, 12, 31))

    return [having[0], *(award for award in having if award.effective <= by(award))][-1]


@cache
def load_tails() -> Tails:
    """Load the first round's tails from ``data/policy/tails``."""
    name = "caijian-2021-2"
    document = load_form("policy/tails", name, _Document)
    payment = document.parameters["payment"]
    whole = _whole(name, "payment", Fraction(payment.value))
    return Tails(document.number, whole, payment.note, tuple(document.tails))


def _yes(name: str, key: str, value: Fraction) -> bool:
    if value not in (0, 1):
        raise ScenarioError(say("policy.yes_or_no", file=f"{name}.toml", key=key, value=float(value)))
    return value == 1


def _whole(name: str, key: str, value: Fraction) -> int:
    if value.denominator != 1:
        raise ScenarioError(say("policy.not_whole", file=f"{name}.toml", key=key, value=float(value)))
    return int(value)


def _table(document: _Document) -> pd.DataFrame:
    rows = {key: parameter.model_dump() for key, parameter in document.parameters.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")
