"""PDF through typst; the only module that imports it: official documents (公文, laid out by ``data/manuscript.typ``) and
the pages of units (单位分册, ``data/unit.typ``).
"""

import json
from dataclasses import asdict
from functools import cache
from typing import Any

import typst

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.report.run_id import run_line
from zjtx_alloc.report.writers.document import CREATED, Grid, Manuscript, lead
from zjtx_alloc.report.writers.fonts import sans, serif

_SIZES = (7.6, 7.4, 7.3, 7.1, 6.9, 6.6)  # points


def pdf_file(manuscript: Manuscript) -> bytes:
    """The document as PDF: fonts embedded, the same bytes for the same manuscript, whatever clock and machine.

    Only the fonts of ``pylopdf-fonts-zh-cn`` are used: Noto Serif SC for 仿宋, 楷体 and 小标宋, Noto Sans SC for 黑体.
    """
    return _compiled("manuscript.typ", manuscript=_plain(manuscript))


def unit_pdf(sheet: dict[str, Any], near: float = _SIZES[0]) -> tuple[dict[str, Any], bytes]:
    """A unit's sheet (``UnitSheet.plain``) with the ``size`` of its letters, the largest that leaves it on one page, and its PDF.

    What is too long for one page even in the smallest takes more of them. The search begins with the size ``near``, that
    of a unit before: most units need the same. What it finds is the same wherever it begins.
    """

    @cache
    def at(place: int) -> tuple[dict[str, Any], bytes, bool]:
        sized = sheet | {"size": _SIZES[place]}
        made = _compiled("unit.typ", sheets=[sized])
        return sized, made, json.loads(_compiler("unit.typ").query("<pages>", field="value", one=True)) == 1

    place = _SIZES.index(near)
    while place and at(place)[2] and at(place - 1)[2]:
        place -= 1
    while not at(place)[2] and place + 1 < len(_SIZES):
        place += 1
    sized, made, _ = at(place)
    return sized, made


def bound_pdf(sheets: list[dict[str, Any]]) -> bytes:
    """Several sheets, sized as ``unit_pdf`` gave them, as one PDF, each beginning on a page of its own."""
    return _compiled("unit.typ", sheets=sheets)


@cache
def _compiler(layout: str) -> typst.Compiler:
    """What sets a layout; it reads the fonts once."""
    folders = list({font.parent for font in (serif(), sans())})
    return typst.Compiler(shipped("data", layout), font_paths=folders, ignore_system_fonts=True)


def _compiled(layout: str, **given: Any) -> bytes:
    described = {name: json.dumps(value, ensure_ascii=False) for name, value in given.items()}
    made = _compiler(layout).compile(shipped("data", layout), format="pdf", sys_inputs=described, timestamp=CREATED)
    assert isinstance(made, bytes), "only pictures come page by page"
    return made


def _plain(manuscript: Manuscript) -> dict[str, Any]:
    """The manuscript as the layout reads it."""
    sections = [
        {"heading": section.heading, "blocks": [_block(block) for block in section.blocks]}
        for section in manuscript.sections
    ]
    annexes = [
        {"number": say("plan.annex", number=number), "grid": asdict(annex.grid), "landscape": annex.landscape}
        for number, annex in enumerate(manuscript.annexes, start=1)
    ]
    return asdict(manuscript) | {
        "front": [_block(block) for block in manuscript.front],
        "sections": sections,
        "annexes": annexes,
        "annex_list": say("plan.annexes"),
        "run": run_line(),
    }


def _block(block: str | Grid) -> dict[str, Any]:
    if isinstance(block, Grid):
        return asdict(block) | {"together": block.together}
    start, rest = lead(block)
    return {"lead": start, "text": rest}
