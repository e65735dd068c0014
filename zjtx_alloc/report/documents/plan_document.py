"""A province's implementation plan (实施方案) from its firm table; sections and tables in ``data/plan_document.toml``."""

import math
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_toml
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.table.columns import SEVERAL, choices_of
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.report.writers.document import NUMERALS, Annex, Grid, Manuscript, Section, rows_of
from zjtx_alloc.report.writers.docx import docx_file
from zjtx_alloc.rules.award import Award

_NUMBER_WIDTH = 12  # mm


def write_plan(firms: Firms, unit: str, batch: int, award: Award, path: str | Path) -> Path:
    """Write 《XX省份第X批支持专精特新“小巨人”企业工作实施方案》 as ``.docx``.

    Parameters
    ----------
    firms : Firms
        The firms that the unit recommends.
    unit : str
        Its code.
    batch : int
    award : Award
    path : path

    Raises
    ------
    DataError
        If there is no firm, or one of another unit.
    ReportError
        If the file cannot be written.
    """
    if not len(firms) or set(firms.table["unit"]) != {unit}:
        raise DataError(say("plan.firms", unit=load_units().at[unit, "name"]))
    form, facts = shipped_toml("plan_document.toml"), _facts(firms, unit, batch, award)
    sections = (
        Section(part["heading"], tuple(paragraph.format(**facts) for paragraph in part["paragraphs"]))
        for part in form["sections"]
    )
    manuscript = Manuscript(
        title=tuple(line.format(**facts) for line in form["title"]),
        header=firms.mark,
        about=form["about"],
        sections=tuple(sections),
        annexes=tuple(Annex(_grid(firms, table), landscape=True) for table in form["tables"]),
    )
    return write_whole(path, docx_file(manuscript))


def _grid(firms: Firms, form: dict[str, Any]) -> Grid:
    table = firms.displayed(form["columns"]).astype(str)
    table.insert(0, header("number"), [str(number) for number in range(1, len(table) + 1)])
    right = [name for name in table if table[name].str.fullmatch(r"[\d,.]*").all()]
    return Grid(form["title"], rows_of(table, right), (_NUMBER_WIDTH, *form["widths"]))


def _facts(firms: Firms, unit: str, batch: int, award: Award) -> dict[str, Any]:
    """What the sentences of the plan are filled with."""
    table = firms.need("planned_investment", "directions", "field", "listing", "first_round")
    research = table.get("research_money", pd.Series(dtype=float))
    partner = table.get("research_partner", pd.Series(dtype=str))
    city = table.get("city", pd.Series("", table.index)).replace("", say("plan.no_city"))
    investment = math.fsum(table["planned_investment"])
    return {
        "unit": load_units().at[unit, "name"],
        "batch": NUMERALS[batch - 1],
        "notice": award.title,
        "number": award.number,
        "firms": len(table),
        "cities": _counts(city.value_counts().to_dict()),
        **{column: _chosen(table, column) for column in ("field", "directions", "listing", "first_round")},
        "investment": f"{investment:,.10g}",
        "average": f"{investment / len(table):,.0f}",
        "least": f"{table['planned_investment'].min():,.10g}",
        "partners": int((~partner.isin(["", say("plan.none")])).sum()),
        "research": f"{math.fsum(research.dropna()):,.10g}",
        "amount": award.amount,
        "commitment": f"{award.amount * len(table):,}",
        "opening": f"{award.opening * len(table):,}",
        "direct": float(1 - award.empowerment_cap),
        "empowerment": float(award.empowerment_cap),
    }


def _chosen(table: pd.DataFrame, column: str) -> str:
    """Firms by choice; one with several counts at each."""
    counts = table[column].str.get_dummies(SEVERAL).sum()
    return _counts({name: int(counts[code]) for code, name in choices_of(column).items() if code in counts})


def _counts(counts: dict[str, int]) -> str:
    return "、".join(say("plan.count", name=name, count=count) for name, count in counts.items())
