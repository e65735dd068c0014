"""Changes of plans (推进计划调整): neither investment nor targets may fall (三（五）)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zjtx_alloc.base.messages import header, say
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.firms.table.columns import SEVERAL, TARGETS, as_read, choices_of, firm_columns
from zjtx_alloc.firms.table.roll import Firms, marked

_PIECES = re.compile(r"[;；。\n]+")
_CEILING = "≤|≦|<=?|↓|不[高大多]于|不超过|[至最]多|[低小少]于|控制在|(?:降|降低|下降|减|减少|缩短|压减|压缩)[至到]"
_FLOOR = "≥|≧|>=?|↑|不[低小少]于|达到|超过|高于|=|:|"
_TARGET = re.compile(rf"(?P<name>[^\d.]*?)((?P<ceiling>{_CEILING})|{_FLOOR})(?P<value>\d+(\.\d+)?)(?P<measure>[^\d.]*)")
_WITHIN = ("以内", "之内", "以下")


@dataclass(frozen=True)
class Target:
    """One target: what is counted and in which measure, how much, and whether less is better."""

    value: float
    is_ceiling: bool


def targets(text: str) -> dict[str, Target] | None:
    """The targets of a cell by what they count; None if a piece of it does not hold exactly one number."""
    found: dict[str, Target] = {}
    for piece in filter(None, map(plain, _PIECES.split(text))):
        match = _TARGET.fullmatch(piece)
        if match is None or not match["name"] or (key := f"{match['name']}（{match['measure']}）") in found:
            return None
        is_ceiling = match["ceiling"] is not None or match["measure"].endswith(_WITHIN)
        found[key] = Target(float(match["value"]), is_ceiling)
    return found


def check_change(before: Firms, after: Firms) -> pd.DataFrame:
    """What a changed plan may not do: lower its investment or its targets.

    Parameters
    ----------
    before, after : Firms
        The plans as approved and as changed, matched by credit code.

    Returns
    -------
    DataFrame
        A row a finding, Chinese headers: unit, code, name, column, before, after, what is wrong. Empty if the
        change is allowed. A target that cannot be compared number by number is a finding for a person.

    Raises
    ------
    DataError
        If a credit code stands twice in a table.
    """
    before.each_once(say("change.before"))
    after.each_once(say("change.after"))
    old = before.need("planned_investment", "directions").reset_index().set_index("credit_code")
    new = after.need("planned_investment", "directions").reset_index().set_index("credit_code")
    gone, strange = old.index.difference(new.index), new.index.difference(old.index)
    findings = [(firm, before, "", "", "", say("change.gone")) for firm in old.loc[gone, "firm"]]
    findings += [(firm, after, "", "", "", say("change.stranger")) for firm in new.loc[strange, "firm"]]
    for code in old.index.intersection(new.index, sort=False):
        found = _findings(old.loc[code].to_dict(), new.loc[code].to_dict())
        findings += [(old.at[code, "firm"], before, *finding) for finding in found]
    return _table(findings, before)


def _findings(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Column, before, after and what is wrong, for one firm."""
    column = "planned_investment"
    if new[column] < old[column]:
        was, now = (as_read(column, plan[column]) for plan in (old, new))
        yield firm_columns()[column].name, was, now, say("change.fewer")
    for code in str(old["directions"]).split(SEVERAL):
        if code not in TARGETS:
            continue
        was, now = str(old.get(TARGETS[code], "")), str(new.get(TARGETS[code], ""))
        if code not in str(new["directions"]).split(SEVERAL):
            yield choices_of("directions")[code], was, now, say("change.dropped")
        elif was != now and (kind := _compared(was, now)):
            yield firm_columns()[TARGETS[code]].name, was, now, say(f"change.{kind}")


def _compared(was: str, now: str) -> str:
    """What is wrong with the targets of one direction; blank if nothing."""
    old, new = targets(was), targets(now)
    if old is None or new is None:
        return "unclear"
    if set(old) - set(new):
        return "lost"
    if any(old[key].is_ceiling != new[key].is_ceiling for key in old):
        return "unclear"
    worse = [new[k].value > t.value if t.is_ceiling else new[k].value < t.value for k, t in old.items()]
    return "lower" if any(worse) else ""


def _table(findings: list[tuple[object, Firms, str, str, str, str]], firms: Firms) -> pd.DataFrame:
    keys = ["unit", "credit_code", "name"]
    rows = [(*roll.only(pd.Index([firm])).displayed(keys).iloc[0], *rest) for firm, roll, *rest in findings]
    headers = [firm_columns()[key].name for key in keys]
    headers += [header("column"), header("before"), header("after"), header("problem")]
    return marked(pd.DataFrame(rows, columns=headers), firms)
