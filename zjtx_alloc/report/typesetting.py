"""Official documents (公文) as PDF through typst; the only room that imports it. The layout is ``data/manuscript.typ``."""

import json
from dataclasses import asdict
from typing import Any

import pylopdf_fonts_zh_cn as fonts
import typst

from zjtx_alloc.messages import say
from zjtx_alloc.report.manuscript import CREATED, Grid, Manuscript, lead
from zjtx_alloc.resources import shipped


def pdf_file(manuscript: Manuscript) -> bytes:
    """The document as PDF: fonts embedded, the same bytes for the same manuscript, whatever clock and machine.

    Only the fonts of ``pylopdf-fonts-zh-cn`` are used: Noto Serif SC for 仿宋, 楷体 and 小标宋, Noto Sans SC for 黑体.
    """
    return bytes(
        typst.compile(
            shipped("data", "manuscript.typ"),
            sys_inputs={"manuscript": json.dumps(_plain(manuscript), ensure_ascii=False)},
            font_paths=[fonts.serif_path().parent],
            ignore_system_fonts=True,
            timestamp=CREATED,
        )
    )


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
    run = say("note.run", run=manuscript.run) if manuscript.run else ""
    return asdict(manuscript) | {
        "sections": sections,
        "annexes": annexes,
        "annex_list": say("plan.annexes"),
        "run": run,
    }


def _block(block: str | Grid) -> dict[str, Any]:
    if isinstance(block, Grid):
        return asdict(block)
    start, rest = lead(block)
    return {"lead": start, "text": rest}
