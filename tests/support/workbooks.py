"""Workbooks as packages: cells changed and results of formulas taken out, so that whoever opens them computes them anew."""

import re
import zipfile
from pathlib import Path

import openpyxl

from zjtx_alloc.report.report_xlsx.annexes import live_sheets
from zjtx_alloc.report.writers.sheet import cell_of

_RESULT = re.compile(rb"(</f>)<v>[^<]*</v>")


def unsolved(path, to, cells=None):
    """Write a copy without the results of formulas, with other cells: sheet and place, or a defined name, to value."""
    book, changed = openpyxl.load_workbook(path, read_only=True), {}
    parts = {sheet.title: sheet._worksheet_path for sheet in book.worksheets}
    for where, value in (cells or {}).items():
        named = book.defined_names.get(where)
        sheet, place = (where if named is None else named.attr_text.replace("'", "").replace("$", "")).split("!")
        changed.setdefault(parts[sheet], []).append((place, value))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                content = _RESULT.sub(rb"\1", content)
                for place, value in changed.get(name, ()):
                    content = _with_cell(content, place, value)
            new.writestr(name, content)
    return Path(to)


def _with_cell(content, place, value):
    """A sheet with another value in a cell that is there, its format kept."""
    found = re.search(rb'<c r="%s"( s="\d+")?[^>]*?(/>|>.*?</c>)' % place.encode(), content)
    style = found[1] or b""
    cell = b'<c r="%s"%s' % (place.encode(), style)
    if isinstance(value, str):
        cell += b' t="inlineStr"><is><t>%s</t></is></c>' % value.encode()
    elif value is None:
        cell += b"/>"
    else:
        cell += b"><v>%s</v></c>" % repr(value).encode()
    return content[: found.start()] + cell + content[found.end() :]


def named_cells(book, name):
    """The values of a defined name of a workbook: a list of a column, or the one of a cell."""
    sheet, place = book.defined_names[name].attr_text.replace("$", "").replace("'", "").split("!")
    found = book[sheet][place]
    return [row[0].value for row in found] if isinstance(found, tuple) else found.value


def places_of_keys(model):
    """Sheet and cell of each input by its key."""
    return {
        cell_of(content).key: f"{sheet.title}!{sheet.cell(name, number).split('!')[1]}"
        for sheet in live_sheets(model)
        for number, row in enumerate(sheet.rows, start=sheet.first)
        for name, content in row.items()
        if cell_of(content).key
    }
