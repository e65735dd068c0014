"""Rules of the award (奖补政策): every number dated, measured and cited in ``data/policy/*.toml``."""

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zjtx_alloc.errors import ScenarioError
from zjtx_alloc.messages import say
from zjtx_alloc.resources import shipped


class _Parameter(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    value: str = Field(pattern=r"^\d+(\.\d+)?$")
    measure: str
    effective: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    clause: str
    quote: str
    note: str = ""
    assumed: bool = False


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    title: str
    number: str
    issued: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    parameters: dict[str, _Parameter]


@dataclass(frozen=True)
class Award:
    """The award standard (奖补标准) of one notice.

    Attributes
    ----------
    name, title, number : str
        File name, title and document number (发文字号) of the notice.
    issued : date
    amount : int
        万元 a firm over the whole support.
    opening : int
        万元 a firm paid at the start (期初); the rest is due at the end (期末).
    empowerment_cap : Fraction
        Largest share of a payment that may go to 培育赋能.
    implementation_years : int
        Years from the opening to the closing payment.
    first_year, batches : int
        Fiscal year of batch 1, and how many batches there are, one a year.
    parameters : DataFrame
        Index parameter; value, measure, effective, clause, quote, note, assumed: for the report.
    """

    name: str
    title: str
    number: str
    issued: date
    amount: int
    opening: int
    empowerment_cap: Fraction
    implementation_years: int
    first_year: int
    batches: int
    parameters: pd.DataFrame

    @property
    def closing(self) -> int:
        """万元 a firm paid at the end (期末)."""
        return self.amount - self.opening

    def opening_year(self, batch: int) -> int:
        """Fiscal year in which a batch's opening payment is made."""
        if not 1 <= batch <= self.batches:
            raise ScenarioError(say("policy.batch", batch=batch, batches=self.batches, number=self.number))
        return self.first_year + batch - 1

    def closing_year(self, batch: int) -> int:
        """Fiscal year in which a batch's closing payment is due."""
        return self.opening_year(batch) + self.implementation_years


def load_award(name: str) -> Award:
    """Load an award by the name of its file in ``data/policy``, e.g. ``caijian-2024-148``.

    Raises
    ------
    ScenarioError
        If there is no such file, a parameter is missing or malformed, or money would not be whole 万元.
    """
    known = sorted(path.stem for path in shipped("data", "policy").glob("*.toml"))
    if name not in known:
        raise ScenarioError(say("policy.unknown", name=name, known="、".join(known)))
    raw = tomllib.loads(shipped("data", "policy", f"{name}.toml").read_text(encoding="utf-8"))
    try:
        document = _Document.model_validate(raw)
        value = {key: Fraction(parameter.value) for key, parameter in document.parameters.items()}
        return Award(
            name=name,
            title=document.title,
            number=document.number,
            issued=date.fromisoformat(document.issued),
            amount=_whole(name, "amount", value["amount"]),
            opening=_whole(name, "opening_share", value["amount"] * value["opening_share"]),
            empowerment_cap=value["empowerment_cap"],
            implementation_years=_whole(name, "implementation_years", value["implementation_years"]),
            first_year=_whole(name, "first_year", value["first_year"]),
            batches=_whole(name, "batches", value["batches"]),
            parameters=_table(document),
        )
    except ValidationError as error:
        keys = "、".join(".".join(map(str, found["loc"])) for found in error.errors())
        raise ScenarioError(say("policy.malformed", file=f"{name}.toml", keys=keys)) from None
    except KeyError as error:
        raise ScenarioError(say("policy.malformed", file=f"{name}.toml", keys=error.args[0])) from None


def _whole(name: str, key: str, value: Fraction) -> int:
    if value.denominator != 1:
        raise ScenarioError(say("policy.not_whole", file=f"{name}.toml", key=key, value=float(value)))
    return int(value)


def _table(document: _Document) -> pd.DataFrame:
    rows = {key: parameter.model_dump() for key, parameter in document.parameters.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")
