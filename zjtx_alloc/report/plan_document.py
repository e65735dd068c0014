"""A province's implementation plan (实施方案) from its firm table; sections and tables in ``data/plan_document.toml``."""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from zjtx_alloc.errors import DataError
from zjtx_alloc.files import write_whole
from zjtx_alloc.firms.columns import SEVERAL, choices_of
from zjtx_alloc.firms.roll import Firms
from zjtx_alloc.messages import header, say
from zjtx_alloc.policy import Award
from zjtx_alloc.report import official
from zjtx_alloc.resources import shipped
from zjtx_alloc.units import load_units

_NUMBER_WIDTH = 12  # mm
_NUMERALS = "一二三四五六七八九"


@cache
def _form() -> dict[str, Any]:
    return tomllib.loads(shipped("data", "plan_document.toml").read_text(encoding="utf-8"))


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
    form, facts = _form(), _facts(firms, unit, batch, award)
    title = form["title"].format(**facts)
    document = official.new_document(title, firms.mark)
    official.add_title(document, title)
    official.add_text(document, form["about"])
    for section in form["sections"]:
        official.add_heading(document, section["heading"])
        for paragraph in section["paragraphs"]:
            official.add_text(document, paragraph.format(**facts))
    official.add_list(document, say("plan.annexes"), [table["title"] for table in form["tables"]])
    official.begin_annexes(document)
    for number, table in enumerate(form["tables"], start=1):
        rows = _numbered(firms, table["columns"])
        official.add_annex(document, number, table["title"], rows, [_NUMBER_WIDTH, *table["widths"]])
    return write_whole(path, official.packed(document))


def _numbered(firms: Firms, columns: list[str]) -> pd.DataFrame:
    table = firms.displayed(columns)
    table.insert(0, header("number"), range(1, len(table) + 1))
    return table


def _facts(firms: Firms, unit: str, batch: int, award: Award) -> dict[str, Any]:
    """What the sentences of the plan are filled with."""
    table = firms.need("planned_investment", "directions", "field")
    research = table["research_money"] if "research_money" in table else pd.Series(dtype=float)
    partner = table["research_partner"] if "research_partner" in table else pd.Series(dtype=str)
    investment = math.fsum(table["planned_investment"])
    city = (
        table["city"].replace("", say("plan.no_city"))
        if "city" in table
        else pd.Series([say("plan.no_city")] * len(table))
    )
    return {
        "unit": load_units().at[unit, "name"],
        "batch": _NUMERALS[batch - 1],
        "notice": award.title,
        "number": award.number,
        "firms": len(table),
        "cities": _counts(city.value_counts().to_dict()),
        "fields": _counts(_chosen(table, "field")),
        "directions": _counts(_chosen(table, "directions")),
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


def _chosen(table: pd.DataFrame, column: str) -> dict[str, int]:
    """Firms by choice; one with several counts at each."""
    held = table[column].str.split(SEVERAL, regex=False)
    counts = {
        name: int(held.map(lambda codes, code=code: code in codes).sum()) for code, name in choices_of(column).items()
    }
    return {name: count for name, count in counts.items() if count}


def _counts(counts: dict[str, int]) -> str:
    return "、".join(say("plan.count", name=name, count=count) for name, count in counts.items())
