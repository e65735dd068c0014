"""Official documents (公文) as docx after GB/T 9704-2012; the only room that imports python-docx.

Fonts are named as Word on Windows has them (仿宋_GB2312, 黑体, 方正小标宋简体); elsewhere the reader substitutes.
"""

import datetime
import io
import re
import zipfile
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pandas as pd
from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_ALIGN_VERTICAL, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from zjtx_alloc.messages import say

BODY, HEADING, LEAD, TITLE, SONG = "仿宋_GB2312", "黑体", "楷体_GB2312", "方正小标宋简体", "宋体"
_MARGINS = {"top": 37, "bottom": 35, "left": 28, "right": 26}  # mm
_SIZE, _LINE, _TITLE_SIZE, _CELL_SIZE, _CELL_LINE, _FOOT_SIZE = (
    16,
    28,
    22,
    10.5,
    15,
    14,
)  # pt: 三号, 28磅, 二号, 五号, 15磅, 四号
_WORDS, _NUMBERS = WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.RIGHT
_CREATED = datetime.datetime(2024, 6, 14)
_SECOND = re.compile(r"（[一二三四五六七八九十]+）[^。]*。")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def new_document(title: str, header: str) -> Any:
    """An empty A4 document with margins, page numbers 「— 1 —」 outside, and a header line (blank: none)."""
    document = Document()
    document.core_properties.title = title
    document.core_properties.author = ""
    document.core_properties.created = document.core_properties.modified = _CREATED
    document.settings.odd_and_even_pages_header_footer = True
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = BODY, Pt(_SIZE)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), BODY)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for side, size in _MARGINS.items():
        setattr(section, f"{side}_margin", Mm(size))
    section.footer_distance = Mm(_MARGINS["bottom"] - 7 - 5)
    for footer, align in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        _page_number(footer.paragraphs[0], align)
    if header:
        for part in (section.header, section.even_page_header):
            _run(part.paragraphs[0], header, BODY, _CELL_SIZE)
    return document


def add_title(document: Any, text: str) -> None:
    """The title: 二号小标宋, centred."""
    paragraph = _paragraph(document, WD_ALIGN_PARAGRAPH.CENTER, indented=False)
    paragraph.paragraph_format.space_after = Pt(_LINE)
    paragraph.paragraph_format.line_spacing = Pt(36)
    _run(paragraph, text, TITLE, _TITLE_SIZE)


def add_heading(document: Any, text: str) -> None:
    """A heading of the first level (一、): 三号黑体."""
    paragraph = _paragraph(document, WD_ALIGN_PARAGRAPH.JUSTIFY, indented=True)
    paragraph.paragraph_format.keep_with_next = True
    _run(paragraph, text, HEADING, _SIZE)


def add_text(document: Any, text: str) -> None:
    """A paragraph of the body: 三号仿宋, first line two characters in, a lead like （一）遴选程序。 in 楷体."""
    paragraph, lead = _paragraph(document, WD_ALIGN_PARAGRAPH.JUSTIFY, indented=True), _SECOND.match(text)
    if lead is not None:
        _run(paragraph, lead.group(), LEAD, _SIZE)
    _run(paragraph, text[lead.end() if lead else 0 :], BODY, _SIZE)


def add_list(document: Any, lead: str, items: Sequence[str]) -> None:
    """The list of annexes: 附件：1. …, further lines under the first."""
    for number, item in enumerate(items, start=1):
        paragraph = _paragraph(document, WD_ALIGN_PARAGRAPH.LEFT, indented=True)
        start = lead if number == 1 else "　" * len(lead)
        _run(paragraph, f"{start}{number}. {item}", BODY, _SIZE)


def begin_annexes(document: Any) -> None:
    """Go on in landscape: A4 turned, margins turned with it."""
    section = document.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin, section.bottom_margin = Mm(_MARGINS["left"]), Mm(_MARGINS["right"])
    section.left_margin = section.right_margin = Mm(_MARGINS["bottom"])
    section.footer_distance = Mm(14)


def add_annex(document: Any, number: int, title: str, table: pd.DataFrame, widths: Sequence[int]) -> None:
    """An annex with one table, on a page of its own; the header row repeats, rows stay whole.

    Parameters
    ----------
    widths : sequence of int
        Millimetres by column.
    """
    paragraph = _paragraph(document, WD_ALIGN_PARAGRAPH.LEFT, indented=False)
    paragraph.paragraph_format.page_break_before = number > 1
    _run(paragraph, say("plan.annex", number=number), HEADING, _SIZE)
    paragraph = _paragraph(document, WD_ALIGN_PARAGRAPH.CENTER, indented=False)
    paragraph.paragraph_format.space_after = Pt(6)
    _run(paragraph, title, TITLE, _TITLE_SIZE)
    grid = document.add_table(rows=1, cols=len(widths), style="Table Grid")
    grid.alignment, grid.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = Mm(width)
    aligned = [_NUMBERS if _is_number(table[name]) else _WORDS for name in table]
    _fill(grid.rows[0], list(table.columns), [WD_ALIGN_PARAGRAPH.CENTER] * len(widths), bold=True)
    _mark(grid.rows[0]._tr.get_or_add_trPr(), "w:tblHeader")
    pattern = grid.add_row()
    _fill(pattern, ["—"] * len(widths), aligned, bold=False)
    for values in table.itertuples(index=False):
        row = deepcopy(pattern._tr)  # a row made anew takes a hundred times as long
        for text, value in zip(list(row.iter(qn("w:t"))), values, strict=True):
            text.text = str(value)
        pattern._tr.addprevious(row)
    pattern._tr.getparent().remove(pattern._tr)


def packed(document: Any) -> bytes:
    """The file: the same bytes for the same content, whatever the clock."""
    raw, whole = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _paragraph(document: Any, align: Any, *, indented: bool) -> Any:
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.alignment, shape.line_spacing_rule, shape.line_spacing = align, WD_LINE_SPACING.EXACTLY, Pt(_LINE)
    shape.space_before = shape.space_after = Pt(0)
    if indented:
        shape.first_line_indent = Pt(2 * _SIZE)
        paragraph._p.get_or_add_pPr().get_or_add_ind().set(qn("w:firstLineChars"), "200")
    return paragraph


def _run(paragraph: Any, text: str, font: str, size: float, *, bold: bool = False) -> Any:
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.bold = font, Pt(size), bold
    run._element.rPr.rFonts.set(qn("w:eastAsia"), font)
    return run


def _fill(row: Any, texts: list[str], aligned: Sequence[Any], *, bold: bool) -> None:
    _mark(row._tr.get_or_add_trPr(), "w:cantSplit")
    for cell, text, align in zip(row.cells, texts, aligned, strict=True):
        cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
        paragraph = cell.paragraphs[0]
        shape = paragraph.paragraph_format
        shape.alignment, shape.line_spacing_rule, shape.line_spacing = align, WD_LINE_SPACING.EXACTLY, Pt(_CELL_LINE)
        shape.space_before = shape.space_after = Pt(2)
        _run(paragraph, text, BODY, _CELL_SIZE, bold=bold)


def _is_number(column: pd.Series) -> bool:
    return bool(column.astype(str).str.fullmatch(r"[\d,.]*").all())


def _mark(properties: Any, name: str) -> None:
    properties.append(OxmlElement(name))


def _page_number(paragraph: Any, align: Any) -> None:
    """「— 1 —」 with a field for the number."""
    paragraph.alignment = align
    _run(paragraph, "— ", SONG, _FOOT_SIZE)
    run = _run(paragraph, "", SONG, _FOOT_SIZE)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        element.text = text or None
        run._element.append(element)
    _run(paragraph, " —", SONG, _FOOT_SIZE)
