"""A unit's page (单位分册) as data: what HTML and PDF both say of one unit."""

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from zjtx_alloc.allocation.explanation_text import Explanation, factors_text, rests_text
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.units import find_unit, load_units, members_of
from zjtx_alloc.report.documents.unit_tables import contribution_rows, duty_table, fact_table, money_rows, range_rows
from zjtx_alloc.report.notes.user_data import supply_note
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.run_id import run_line
from zjtx_alloc.report.table import Table, notes_html

_WRAPS = 24  # characters; columns of longer texts share what width is left
Block = Table | tuple[str, ...]  # a table, or sentences one below the other


class KeyFigure(NamedTuple):
    """One of the numbers at the top: its label, the number with its measure, and what must be said of it."""

    label: str
    value: str
    remark: str


@dataclass(frozen=True)
class UnitSheet:
    """What a unit's page says."""

    code: str  #: code, name: the unit's code and full name.
    name: str  #: See ``code``.
    status: str  #: Batch and scenario, and that it is a draft.
    apart: str  #: Which city or Corps is counted apart; blank where none is.
    keys: tuple[KeyFigure, ...]
    sections: tuple[tuple[str, tuple[Block, ...]], ...]  #: tuple of (heading, blocks)
    notes: tuple[str, ...]  #: What the whole page rests on.

    def _repr_html_(self) -> str:
        parts = "".join(f"<h2>{html.escape(head)}</h2>{''.join(map(_html, blocks))}" for head, blocks in self.sections)
        about = notes_html(*self.notes)
        lines = "<br>".join(html.escape(line) for line in (self.status, self.apart) if line)
        return f"<h1>{html.escape(self.name)}</h1><p>{lines}</p>{keys_html(self.keys)}{parts}{about}"

    def plain(self) -> dict[str, Any]:
        """The page as the layout of the PDF reads it, and as the record of finished pages keeps it."""
        return vars(self) | {
            "keys": list(map(list, self.keys)),
            "sections": [{"heading": head, "blocks": [_plain(b) for b in blocks]} for head, blocks in self.sections],
            "notes": list(self.notes),
            "run": run_line(),
        }


def keys_html(keys: Iterable[KeyFigure]) -> str:
    """Key figures, side by side."""
    boxes = "".join(
        f"<div><span>{html.escape(key.label)}</span><b>{html.escape(key.value)}</b>"
        f"<small>{html.escape(key.remark)}</small></div>"
        for key in keys
    )
    return f"<div class=keys>{boxes}</div>"


def asked_units(asked: str | Sequence[str]) -> tuple[str, ...]:
    """Codes of the units asked for, in the official order.

    Parameters
    ----------
    asked : "all" (or 全部), or names, codes or press names, in a list or one text with commas between

    Raises
    ------
    ScenarioError
        If a name is none of a unit, or nothing is asked for.
    """
    units = load_units()
    names = asked.replace("，", ",").replace("、", ",").split(",") if isinstance(asked, str) else list(asked)
    names = [name.strip() for name in names if name.strip()]
    if names in (["all"], [say("table.whole")]):
        return tuple(units.index)
    found = {name: find_unit(name) for name in names}
    strangers = [name for name, code in found.items() if code is None]
    if strangers or not names:
        described = "、".join(strangers) or "—"
        raise ScenarioError(say("unit.unknown", names=described, known="、".join(units["short_name"])))
    return tuple(code for code in units.index if code in found.values())


def unit_sheet(results: Results, code: str) -> UnitSheet:
    """What is known of one unit: facts, contributions, quota and why, queue, range, money, duties.

    Parameters
    ----------
    results : Results
        Of the scenario, one for all units.
    code : str
        The unit's six-digit code.
    """
    allocation = results.allocation
    why = results.explanation(code)
    ranges = (range_rows(results.ranges, code),) if results.doubtful else ((say("unit.no_range"),),)
    sections: tuple[tuple[str, tuple[Block, ...]], ...] = (
        (say("unit.facts"), (fact_table(allocation, code),)),
        (say("unit.entitled"), (contribution_rows(allocation, code),)),
        (say("unit.why"), (_reasons(results, why),)),
        (say("unit.range"), ranges),
        (say("unit.money"), (money_rows(results, code),)),
        (say("unit.asked"), (duty_table(results),)),
    )
    return UnitSheet(
        code=code,
        name=str(allocation.panel.units.at[code, "name"]),
        status=say("unit.status", title=allocation.scenario.title, name=allocation.scenario.name),
        apart=_apart(allocation.panel.units.loc[code].to_dict(), code),
        keys=tuple(_keys(results, why)),
        sections=sections,
        notes=(say("note.weights"), *supply_note(allocation)),
    )


def _reasons(results: Results, why: Explanation) -> tuple[str, ...]:
    """The sentences of ``explain`` but for the one that the table of contributions shows."""
    described = factors_text(results.allocation, why)
    return tuple(line for line in why.text.splitlines() if line != described)


def _apart(unit: dict[str, str], code: str) -> str:
    """That a province is without its city or Corps, and these without their province."""
    names = load_units()["name"]
    if unit["parent"]:
        return say(f"unit.apart_{unit['kind']}", name=unit["name"], parent=names[unit["parent"]])
    others = [names[member] for member in members_of(code) if member != code]
    return say("unit.without", name=unit["name"], others="、".join(others)) if others else ""


def _keys(results: Results, why: Explanation) -> Iterator[KeyFigure]:
    allocation, scenario, budget = results.allocation, results.scenario, results.budget
    total = say("unit.of_total", share=why.quota / allocation.total, total=f"{allocation.total:,}")
    yield KeyFigure(say("unit.quota"), say("unit.places", places=why.quota), total)
    marks = rests_text(why.rests_on)
    yield KeyFigure(say("unit.entitlement"), say("unit.places", places=f"{why.entitlement:.2f}"), marks)
    yield _range_key(results, why.code)
    yield _queue_key(results, why)
    money = budget.table[budget.table["code"] == why.code]
    batch = money[money["batch"] == str(scenario.batch)]
    opening = batch[batch["fiscal_year"] == budget.award.opening_year(scenario.batch)]
    years = say("unit.opening", year=budget.award.opening_year(scenario.batch), money=f"{opening['net'].sum():,}")
    yield KeyFigure(say("unit.committed"), say("unit.wan", money=f"{batch['commitment'].sum():,}"), years)


def _range_key(results: Results, code: str) -> KeyFigure:
    if not results.doubtful:
        return KeyFigure(say("unit.range_key"), "—", say("unit.no_range"))
    row = results.ranges.table.loc[code]
    if row["quota_lower"] == row["quota_upper"]:
        return KeyFigure(say("unit.range_key"), say("unit.places", places=int(row["quota_lower"])), say("unit.unmoved"))
    ends = say("unit.from_to", least=int(row["quota_min"]), most=int(row["quota_max"]))
    return KeyFigure(say("unit.range_key"), ends, say("unit.exact" if row["quota_exact"] else "unit.inexact"))


def _queue_key(results: Results, why: Explanation) -> KeyFigure:
    label = say("unit.queue")
    if why.prospects is None:
        return KeyFigure(label, "—", say("unit.decided"))
    turn = why.prospects.turn
    if turn.after is None:
        return KeyFigure(label, "—", say("unit.no_turn", total=f"{results.allocation.scenario.total + turn.reach:,}"))
    return KeyFigure(label, say("unit.rank", rank=turn.rank), say("unit.turn", after=turn.after))


def _html(block: Block) -> str:
    if isinstance(block, Table):
        return block._repr_html_()
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in block) + "</ul>"


def _plain(block: Block) -> dict[str, Any]:
    if not isinstance(block, Table):
        return {"lines": list(block)}
    texts = block.texts()
    return {
        "title": block.title,
        "heads": list(texts),
        "rows": texts.to_numpy().tolist(),
        "right": [block.kinds[name] != "text" for name in texts],
        "shares": [_share(list(column)) for _, column in texts.items()],
        "has_total": block.has_total,
        "notes": list(block.notes),
    }


def _share(texts: list[str]) -> int:
    """A column's share of the width that is left: none if its texts are short, else more for more text, not in proportion."""
    return math.isqrt(sum(map(len, texts))) if max(map(len, texts)) > _WRAPS else 0
