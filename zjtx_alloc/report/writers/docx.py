"""Official documents (公文) as docx after GB/T 9704-2012; the only module that imports python-docx.

Fonts are named as Word on Windows has them (仿宋_GB2312, 黑体, 方正小标宋简体); elsewhere the reader substitutes.
"""

import io
import zipfile
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt

from zjtx_alloc.base.files import check_clock
from zjtx_alloc.base.messages import say
from zjtx_alloc.report.run_id import run_line
from zjtx_alloc.report.writers.document import CREATED, Annex, Cell, Grid, Manuscript, lead

BODY, HEADING, LEAD, TITLE, SONG = "仿宋_GB2312", "黑体", "楷体_GB2312", "方正小标宋简体", "宋体"
# What Word takes where a font is not installed: newer Windows has 仿宋 and 楷体 without the suffix.
_ALSO = {BODY: "仿宋", LEAD: "楷体", TITLE: "FZXiaoBiaoSong-B05S", HEADING: "SimHei", SONG: "SimSun"}
_TEMPLATE_PARTS = {"thumbnail", "extended-properties", "customXml", "stylesWithEffects"}
_MARGINS = {"top": 37, "bottom": 35, "left": 28, "right": 26}  # mm
_TURNED = {"top": 28, "bottom": 26, "left": 35, "right": 35}
_SIZE, _LINE, _TITLE_SIZE, _TITLE_LINE = 16, 28, 22, 36  # pt: 三号, 28磅, 二号, 36磅
_CELL_SIZE, _CELL_LINE, _CAPTION_SIZE, _FOOT_SIZE, _RUN_SIZE = 10.5, 15, 12, 14, 9  # pt: 五号, 15磅, 小四, 四号, 小五
_SMALL_SIZE, _SMALL_LINE = 9, 12  # pt: 小五, for the 37 units on one page
_LEFT, _CENTER, _RIGHT, _JUSTIFY = (
    WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.JUSTIFY,
)  # fmt: skip
_TWIPS = 1440 / 25.4  # a millimetre


def docx_file(manuscript: Manuscript) -> bytes:
    """The document as a Word file: the same bytes for the same manuscript, whatever the clock.

    A4; title 二号小标宋, 一、三号黑体, （一）三号楷体, text 三号仿宋 on lines of 28 pt, tables 五号; page numbers
    「— 1 —」 outside; annexes on pages of their own, turned where they say so.

    Raises
    ------
    ReportError
        As ``check_clock``: python-docx packs with the time.
    """
    check_clock()
    document = _new_document(manuscript)
    for number, line in enumerate(manuscript.title, start=1):
        _title(document, line, after=_LINE if number == len(manuscript.title) else 0)
    for block in manuscript.front:
        _block(document, block)
    _text(document, manuscript.about, new_page=bool(manuscript.front))
    for section in manuscript.sections:
        _run(_paragraph(document, _JUSTIFY, indented=True, kept=True), section.heading, HEADING, _SIZE)
        for block in section.blocks:
            _block(document, block)
    _annex_list(document, manuscript)
    if manuscript.closing:
        _paragraph(document, _RIGHT, indented=False, kept=True)
    for line in manuscript.closing:
        _run(_paragraph(document, _RIGHT, indented=False, kept=line != manuscript.closing[-1]), line, BODY, _SIZE)
    landscape = False
    for number, annex in manuscript.numbered():
        if annex.landscape != landscape:
            _turn(document, annex.landscape)
        _annex(document, number, annex, new_page=annex.landscape == landscape)
        landscape = annex.landscape
    return _packed(document)


def _new_document(manuscript: Manuscript) -> Any:
    """An empty A4 document with margins, page numbers outside, one character in, the run under them, and a header line."""
    document = Document()
    _leave_the_templates_own(document)
    document.core_properties.title = "".join(manuscript.title)
    document.core_properties.author = document.core_properties.comments = ""
    document.core_properties.created = document.core_properties.modified = CREATED.replace(tzinfo=None)
    document.settings.odd_and_even_pages_header_footer = True
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = BODY, Pt(_SIZE)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), BODY)
    normal.element.rPr.append(OxmlElement("w:lang", {qn("w:eastAsia"): "zh-CN"}))
    for name in ("w:autoSpaceDE", "w:autoSpaceDN"):  # no gap between Chinese and Latin letters or digits
        normal.element.get_or_add_pPr().append(OxmlElement(name, {qn("w:val"): "0"}))
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    _set_margins(section, _MARGINS)
    odd, even = section.footer.paragraphs[0], section.even_page_footer.paragraphs[0]
    odd.alignment, odd.paragraph_format.right_indent = _RIGHT, Pt(_FOOT_SIZE)
    even.alignment, even.paragraph_format.left_indent = _LEFT, Pt(_FOOT_SIZE)
    for footer in (odd, even):
        _page_number(footer)
    if run := run_line():
        for foot in (section.footer, section.even_page_footer):
            below = foot.add_paragraph()
            below.alignment = _CENTER
            _run(below, run, BODY, _RUN_SIZE)
    if manuscript.header:
        for part in (section.header, section.even_page_header):
            _run(part.paragraphs[0], manuscript.header, BODY, _CELL_SIZE)
    return document


def _leave_the_templates_own(document: Any) -> None:
    """Take away what python-docx's template brings and no document of ours has: a picture of its first page, the program that
    made it (Word on a Macintosh), a list of sources, and styles once more for Word 2010.
    """
    for part in (document.part, document.part.package):
        for key, relation in list(part.rels.items()):
            if relation.reltype.rpartition("/")[2] in _TEMPLATE_PARTS:
                part.rels.pop(key)


def _set_margins(section: Any, margins: dict[str, int]) -> None:
    for side, size in margins.items():
        setattr(section, f"{side}_margin", Mm(size))
    section.header_distance, section.footer_distance = Mm(15), Mm(margins["bottom"] - 7 - 5)


def _turn(document: Any, landscape: bool) -> None:
    """Go on upon a new page of the other orientation; the margins turn with it."""
    section = document.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))
    _set_margins(section, _TURNED if landscape else _MARGINS)


def _title(document: Any, text: str, after: float) -> None:
    paragraph = _paragraph(document, _CENTER, indented=False, kept=True)
    paragraph.paragraph_format.space_after, paragraph.paragraph_format.line_spacing = Pt(after), Pt(_TITLE_LINE)
    _run(paragraph, text, TITLE, _TITLE_SIZE)


def _block(document: Any, block: str | Grid) -> None:
    _text(document, block) if isinstance(block, str) else _inline(document, block)


def _text(document: Any, text: str, *, new_page: bool = False) -> None:
    """A paragraph of the body, its lead like （一）遴选程序。 in 楷体; one that announces what follows stays with it."""
    paragraph = _paragraph(document, _JUSTIFY, indented=True, kept=text.endswith("："))
    paragraph.paragraph_format.page_break_before = new_page
    for part, font in zip(lead(text), (LEAD, BODY), strict=True):
        if part:
            _run(paragraph, part, font, _SIZE)


def _annex_list(document: Any, manuscript: Manuscript) -> None:
    """The list of annexes: 附件：1. …, further lines under the first; with the signature on one page."""
    first, annexes = say("plan.annexes"), {number: annex.grid.title for number, annex in manuscript.numbered()}
    _paragraph(document, _LEFT, indented=False)
    for number, title in annexes.items():
        paragraph = _paragraph(document, _LEFT, indented=True, kept=number < len(annexes) or bool(manuscript.closing))
        start = first if number == 1 else "　" * len(first)
        _run(paragraph, f"{start}{number}. {title}", BODY, _SIZE)


def _inline(document: Any, grid: Grid) -> None:
    """A table among paragraphs, its title above it."""
    paragraph = _paragraph(document, _CENTER, indented=False, kept=True)
    paragraph.paragraph_format.space_before = Pt(6)
    _run(paragraph, grid.title, BODY, _CAPTION_SIZE, bold=True)
    _grid(document, grid, after=10)


def _annex(document: Any, number: int, annex: Annex, *, new_page: bool) -> None:
    """An annex: its number, its title, its table."""
    paragraph = _paragraph(document, _LEFT, indented=False, kept=True)
    paragraph.paragraph_format.page_break_before = new_page
    _run(paragraph, say("plan.annex", number=number), HEADING, _SIZE)
    _title(document, annex.grid.title, after=6)
    _grid(document, annex.grid, after=0)


def _grid(document: Any, grid: Grid, after: float) -> None:
    """The table itself and the notes under it."""
    size, line = _cell_lines(grid)
    if grid.measure:
        paragraph = _paragraph(document, _RIGHT, indented=False, kept=True)
        paragraph.paragraph_format.line_spacing = Pt(_CELL_LINE + 3)
        _run(paragraph, grid.measure, BODY, _CELL_SIZE)
    table = parse_xml(_table(grid))
    document.element.body.insert_element_before(table, "w:sectPr")
    for number, note in enumerate(grid.notes or ("",), start=1):
        paragraph = _paragraph(document, _JUSTIFY, indented=False)
        paragraph.paragraph_format.line_spacing = Pt(line if note else 1)
        paragraph.paragraph_format.space_after = Pt(after if number == len(grid.notes) or not note else 0)
        _run(paragraph, note, BODY, size)


def _cell_lines(grid: Grid) -> tuple[float, float]:
    """The size of a grid's letters and the height of its lines, in points."""
    return (_SMALL_SIZE, _SMALL_LINE) if grid.small else (_CELL_SIZE, _CELL_LINE)


def _table(grid: Grid) -> str:
    """The XML of a table, written out: cell by cell, python-docx takes a hundred times as long."""
    widths = [round(width * _TWIPS) for width in grid.widths]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    properties = (
        f'<w:tblStyle w:val="TableGrid"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="68" w:type="dxa"/><w:right w:w="68" w:type="dxa"/></w:tblCellMar>'
    )
    above: dict[int, tuple[int, Cell]] = {}  # rows still to come of the cell that reaches down here, by column
    rows = "".join(_row(grid, number, widths, above) for number in range(len(grid.rows)))
    return f"<w:tbl {nsdecls('w')}><w:tblPr>{properties}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>"


def _row(grid: Grid, number: int, widths: list[int], above: dict[int, tuple[int, Cell]]) -> str:
    bold = number < grid.heads or (grid.has_total and number == len(grid.rows) - 1)
    kept = grid.together and number < len(grid.rows) - 1
    cells, column, written = iter(grid.rows[number]), 0, []
    while column < len(widths):
        left, held = above.pop(column, (0, None))
        cell = next(cells) if held is None else held
        merge = "" if cell.down == 1 else '<w:vMerge w:val="restart"/>' if held is None else "<w:vMerge/>"
        rest = left - 1 if held is not None else cell.down - 1
        if rest:
            above[column] = (rest, cell)
        width = sum(widths[column : column + cell.across])
        shape = (
            f'<w:tcW w:w="{width}" w:type="dxa"/><w:gridSpan w:val="{cell.across}"/>{merge}<w:vAlign w:val="center"/>'
        )
        text = cell.text if held is None else ""
        written.append(
            f"<w:tc><w:tcPr>{shape}</w:tcPr>{_cell_text(text, cell.align, bold, kept, _cell_lines(grid))}</w:tc>"
        )
        column += cell.across
    head = "<w:tblHeader/>" if number < grid.heads else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>{''.join(written)}</w:tr>"


def _cell_text(text: str, align: str, bold: bool, kept: bool, lines: tuple[float, float]) -> str:
    size, line = lines
    spacing = f'<w:spacing w:before="0" w:after="0" w:line="{round(line * 20)}" w:lineRule="exact"/>'
    fonts = f'<w:rFonts w:ascii="{BODY}" w:hAnsi="{BODY}" w:eastAsia="{BODY}"/>'
    letters = f'{"<w:b/>" if bold else ""}<w:sz w:val="{round(size * 2)}"/>'
    run = f'<w:r><w:rPr>{fonts}{letters}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    return f'<w:p><w:pPr>{"<w:keepNext/>" if kept else ""}{spacing}<w:jc w:val="{align}"/></w:pPr>{run}</w:p>'


def _packed(document: Any) -> bytes:
    """The file; a ZipInfo of its own knows no clock."""
    raw, whole = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = _font_table() if name == "word/fontTable.xml" else source.read(name)
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _font_table() -> bytes:
    """The fonts of the document, each with the name it is looked for under where this one is not installed."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{also}"/><w:charset w:val="86"/>'
        f'<w:family w:val="{"modern" if name == HEADING else "roman"}"/><w:pitch w:val="variable"/></w:font>'
        for name, also in _ALSO.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><w:fonts {nsdecls("w")}>{fonts}</w:fonts>'.encode()


def _paragraph(document: Any, align: Any, *, indented: bool, kept: bool = False) -> Any:
    """An empty paragraph on lines of 28 pt; ``kept`` on the page of the next."""
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.alignment, shape.line_spacing_rule, shape.line_spacing = align, WD_LINE_SPACING.EXACTLY, Pt(_LINE)
    shape.space_before = shape.space_after = Pt(0)
    if kept:
        shape.keep_with_next = True
    if indented:
        shape.first_line_indent = Pt(2 * _SIZE)
        paragraph._p.get_or_add_pPr().get_or_add_ind().set(qn("w:firstLineChars"), "200")
    return paragraph


def _run(paragraph: Any, text: str, font: str, size: float, *, bold: bool = False) -> Any:
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.bold = font, Pt(size), bold
    run._element.rPr.rFonts.set(qn("w:eastAsia"), font)
    return run


def _page_number(paragraph: Any) -> None:
    """「— 1 —」 with a field for the number."""
    _run(paragraph, "— ", SONG, _FOOT_SIZE)
    begin, end = (OxmlElement("w:fldChar", {qn("w:fldCharType"): kind}) for kind in ("begin", "end"))
    code = OxmlElement("w:instrText")
    code.text = "PAGE"
    _run(paragraph, "", SONG, _FOOT_SIZE)._element.extend([begin, code, end])
    _run(paragraph, " —", SONG, _FOOT_SIZE)
