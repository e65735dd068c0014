"""The conditions of support (支持条件) as dated, cited rules in ``data/policy/eligibility/*.toml``."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field, field_validator, model_validator

from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.toml_files import Day, Exact, Strict, load_form
from zjtx_alloc.firms.table.columns import choices_of, firm_columns
from zjtx_alloc.rules.award import Award, award_in_force, load_award

_CHOICES = {"choice", "choices"}
# The kinds of columns that a test can be asked of; unique: any.
_KINDS = {
    "since": {"date"},
    "until": {"date"},
    "above": {"amount", "percent"},
    "least": {"amount", "percent"},
    "any_of": _CHOICES,
    "none_of": _CHOICES,
}


class Condition(Strict):
    """One rule: what it asks of a column, whence it comes, and what a firm that fails it reads."""

    column: str
    test: Literal["since", "until", "above", "least", "any_of", "none_of", "targets", "unique"]
    values: list[str] = []
    parameter: str = ""
    least: Exact | None = None
    effective: Day
    clause: str
    quote: str
    reason: str
    note: str = ""
    assumed: bool = False
    enabled: bool = True

    @field_validator("reason")
    @classmethod
    def _fillable(cls, text: str) -> str:
        try:
            text.format(value="", other="", limit="", as_of="")
        except (KeyError, IndexError, ValueError, AttributeError):
            raise ValueError(say("conditions.reason")) from None
        return text

    @model_validator(mode="after")
    def _complete(self) -> "Condition":
        if self.column not in firm_columns():
            raise ValueError(say("conditions.column", column=self.column))
        if bool(self.values) != (self.test in ("any_of", "none_of")) or bool(self.parameter) != (self.test == "above"):
            raise ValueError(say("conditions.form", test=self.test))
        if (self.least is not None) != (self.test == "least"):
            raise ValueError(say("conditions.least", test=self.test))
        kind = firm_columns()[self.column].kind
        if kind not in _KINDS.get(self.test, {kind}) or (self.test == "targets" and self.column != "directions"):
            raise ValueError(say("conditions.kind", test=self.test, column=self.column))
        known = choices_of(self.column) if self.values else {}
        if strangers := [value for value in self.values if value not in known]:
            choices = "、".join(f"{code}（{name}）" for code, name in known.items())
            raise ValueError(say("conditions.values", values="、".join(strangers), known=choices))
        return self


class _Document(Strict):
    title: str
    number: str
    award: str
    rules: dict[str, Condition] = Field(min_length=1)


@dataclass(frozen=True)
class Conditions:
    """The conditions of one notice, and its award standard."""

    title: str  #: title, number: of the notice.
    number: str  #: See ``title``.
    award: Award
    rules: dict[str, Condition]  #: All rules by name, those in force and those switched off.

    @property
    def in_force(self) -> dict[str, Condition]:
        """The rules that are switched on."""
        return {name: rule for name, rule in self.rules.items() if rule.enabled}

    def switched(self, name: str, on: bool) -> "Conditions":
        """The same conditions with one rule switched on or off, e.g. ``earlier_batch``.

        Raises
        ------
        ScenarioError
            If there is no such rule; names those that there are.
        """
        if name not in self.rules:
            raise ScenarioError(say("conditions.unknown_rule", name=name, known="、".join(self.rules)))
        rule = self.rules[name].model_copy(update={"enabled": on})
        return replace(self, rules=self.rules | {name: rule})

    def table(self) -> pd.DataFrame:
        """The rules, index rule; column (Chinese), enabled, assumed, clause, quote, effective, note."""
        rows = {
            name: {"column": firm_columns()[rule.column].name}
            | rule.model_dump(include={"enabled", "assumed", "clause", "quote", "effective", "note"})
            for name, rule in self.rules.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def load_conditions(name: str | Path | None = None, on: date | None = None) -> Conditions:
    """Load conditions by the name of a shipped file, or a user's ``.toml`` file.

    Parameters
    ----------
    name : str or path, optional
        Those of the award in force if not given.
    on : date, optional
        The day on which it is; the last award of all if not given.

    Raises
    ------
    ScenarioError
        If there is no such file, or a rule is malformed; names file, rule and key.
    """
    document = load_form("policy/eligibility", name or award_in_force(on=on).name, _Document)
    award = load_award(document.award)
    for rule, condition in document.rules.items():
        if condition.parameter and condition.parameter not in award.parameters.index:
            raise ScenarioError(say("conditions.parameter", rule=rule, name=condition.parameter, award=award.name))
    return Conditions(document.title, document.number, award, dict(document.rules))
