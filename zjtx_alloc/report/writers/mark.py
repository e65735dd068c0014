"""A copy of a user's workbook with the wrong cells coloured and commented; everything else stays as it is."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import is_zipfile

import pandas as pd

from zjtx_alloc.base.errors import DataError, ReportError, TableError
from zjtx_alloc.base.files import check_absent, check_clock
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.grid import column_letters
from zjtx_alloc.report.writers.user_copy import RELATION, UserCopy, parsed, relation_id, space_of, write_copy
from zjtx_alloc.report.writers.user_sheet import SheetCells, legal, place_in

_AUTHOR = "zjtx"
_LETTERS = re.compile("[A-Z]{1,3}(?= |$)")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_COMMENTS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml",
    f'<comments xmlns="{_MAIN}"><authors/><commentList/></comments>'.encode(),
)
# Programs show comments in boxes that are drawn in an older language, which need not be well-formed.
_DRAWING = (
    "application/vnd.openxmlformats-officedocument.vmlDrawing",
    b'<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    b'xmlns:x="urn:schemas-microsoft-com:office:excel">'
    b'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout></xml>',
)
_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_BOX = (
    '<v:shape id="_x0000_s{id}" type="#_x0000_t202" fillcolor="#ffffe1" o:insetmode="auto" '
    'style="position:absolute;margin-left:60pt;margin-top:2pt;width:240pt;height:90pt;visibility:hidden">'
    '<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox/>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill>'
    "<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
_AFTER_DRAWING = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip


@contextmanager
def marking(file: Path, copy: Path | None) -> Iterator[None]:
    """Where a table turns out to be wrong, write the marked copy before the error goes on; None: no copy is asked for.

    Raises
    ------
    ReportError
        If the copy exists or is no ``.xlsx``, or the file is none.
    """
    if copy is None:
        yield
        return
    if copy.suffix.lower() != ".xlsx" or (file.is_file() and not is_zipfile(file)):
        raise ReportError(say("programme.mark_xlsx", file=copy))
    check_absent(copy)
    check_clock()
    try:
        yield
    except TableError as error:
        try:
            marked_copy(file, copy, error.problems)
        except DataError as broken:  # what is wrong in its cells is known all the same
            raise TableError(f"{error}\n{broken}", error.problems) from None
        raise TableError(f"{error}\n{say('programme.marked', file=copy)}", error.problems) from None


def marked_copy(file: Path, copy: Path, problems: pd.DataFrame) -> Path:
    """Write the copy: each problem at its cell, or at the first cell of its row or sheet."""
    return write_copy(file, copy, lambda book: _mark(book, problems))


def _mark(book: UserCopy, problems: pd.DataFrame) -> None:
    first, sheet_of = next(iter(book.sheets)), cache(lambda title: SheetCells(book, book.sheets[title]))
    found: dict[str, dict[tuple[int, int], list[str]]] = {}
    for row in problems.to_dict("records"):
        title = plain(str(row.get(say("intake.sheet_name"), "")))
        title = title if title in book.sheets else first
        letters, number = _LETTERS.match(str(row[say("intake.column")])), row[say("intake.row")]
        place, _ = place_in(f"{letters[0] if letters else 'A'}1")
        at = sheet_of(title).shade(place, number if isinstance(number, int) else 1)
        text = f"{row[say('intake.what')]}。{row[say('intake.remedy')]}"
        found.setdefault(title, {}).setdefault(at, []).append(text)
    for title, cells in found.items():
        _comment(book, book.sheets[title], {at: "\n".join(lines) for at, lines in cells.items()})
    if (guide := say("programme.guide")) in book.sheets:
        book.know_texts([book.sheets[guide]])
        told = say("programme.last_checked", day=datetime.date.today(), count=len(problems))
        sheet_of(guide).answer(say("programme.last_check"), told)


def _comment(book: UserCopy, sheet: str, texts: Mapping[tuple[int, int], str]) -> None:
    """Comment on cells of a sheet, by column and row, after what users have said there."""
    part = next(iter(book.links(sheet, "comments").values()), "")
    part = part or book.add(sheet, "comments", "xl/comments{}.xml", _COMMENTS)[1]
    tree, drawn = book.tree(part, changes=True), list[tuple[int, int]]()
    space = space_of(tree)
    bare, authors, comments = space[1:-1], tree.find(f"{space}authors"), tree.find(f"{space}commentList")
    authors.append(parsed(f'<author xmlns="{bare}">{_AUTHOR}</author>'))
    known = {comment.get("ref"): comment.find(f"{space}text") for comment in comments}
    for (column, row), text in texts.items():
        at = f"{column_letters(column)}{row}"
        if (said := known.get(at)) is None:
            about = f'xmlns="{bare}" ref="{at}" authorId="{len(authors) - 1}"'
            comments.append(parsed(f"<comment {about}><text/></comment>"))
            said = comments[-1][0]
            drawn.append((column, row))
        elif (alone := said.find(f"{space}t")) is not None:  # a text is in one piece or in runs
            said.insert(0, parsed(f'<r xmlns="{bare}"/>'))
            said[0].append(alone)
        added = escape(legal(f"\n{text}" if len(said) else text))
        said.append(parsed(f'<r xmlns="{bare}"><t xml:space="preserve">{added}</t></r>'))
    _draw(book, sheet, drawn)


def _draw(book: UserCopy, sheet: str, cells: Sequence[tuple[int, int]]) -> None:
    """Draw the boxes of new comments, beside what is drawn already."""
    tree = book.tree(sheet, changes=True)
    space = space_of(tree)
    link = tree.find(f"{space}legacyDrawing")
    part = "" if link is None else book.links(sheet, "vmlDrawing")[relation_id(link)]
    if not part:
        id_, part = book.add(sheet, "vmlDrawing", "xl/drawings/vmlDrawing{}.vml", _DRAWING)
        link = parsed(f'<legacyDrawing xmlns="{space[1:-1]}" xmlns:r="{RELATION}" r:id="{id_}"/>')
        after = (one for name in _AFTER_DRAWING if (one := tree.find(space + name)) is not None)
        tree.append(link) if (following := next(after, None)) is None else following.addprevious(link)
    drawing = book.read(part)
    ids = [int(number) for number in re.findall(rb"_x0000_s(\d+)", drawing)]
    boxes = "" if b"_x0000_t202" in drawing else _TYPE
    for number, (column, row) in enumerate(cells, start=max(ids, default=1024) + 1):
        boxes += _BOX.format(id=number, row=row - 1, column=column - 1)
    end = drawing.rindex(b"</xml>")
    book.raw[part] = drawing[:end] + boxes.encode() + drawing[end:]
