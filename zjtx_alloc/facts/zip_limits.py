"""The package of an ``.xlsx`` file, weighed before anything unfolds it: a small file may swell a thousandfold."""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say

_MOST_BYTES = 256 * 2**20  # unfolded: 50,000 firms take some 100 MB
_MOST_PARTS = 2000
_MOST_TAGS = 10**7  # of a part that is no sheet; a sheet is read only as far as it goes on
_WIDEST = 16_384  # cells of a row: Excel has no more
_CHUNK = 2**20
_OVERLAP = 64  # bytes, so that what is looked for is not cut in two
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")  # no workbook has any
_ROW, _CELL = re.compile(rb"<(?:\w+:)?row[ >/]"), re.compile(rb"<(?:\w+:)?c[ >/]")


class NoWorkbookError(Exception):
    """What is in the package is no workbook."""


def has_formulas(file: str, content: bytes, most_rows: int) -> bool:
    """Whether any sheet of a package that may be read holds a formula.

    Parameters
    ----------
    file : str
        Its name, for messages.
    content : bytes
    most_rows : int
        Of a sheet that does not state its size, and so would be parsed whole to find it.

    Raises
    ------
    DataError
        If it would unfold to too much, or a sheet has far too many rows.
    NoWorkbookError
        If it defines entities, or is no package.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            size = sum(part.file_size for part in parts)  # no part can be read beyond the size it states
            if size > _MOST_BYTES or len(parts) > _MOST_PARTS:
                raise DataError(say("intake.swells", file=file, size=size / 2**20, parts=len(parts)))
            found = [_looked_through(file, package, part, most_rows) for part in parts]
            return any(found)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError) as error:
        raise NoWorkbookError from error


def _looked_through(file: str, package: zipfile.ZipFile, part: zipfile.ZipInfo, most_rows: int) -> bool:
    is_sheet = part.filename.startswith("xl/worksheets/")
    if not part.filename.endswith((".xml", ".rels")):
        return False
    formulas, tags, rows, cells, sized = False, 0, 0, 0, None
    for chunk, fresh in _chunks(package, part):
        if _ENTITIES.search(chunk):
            raise NoWorkbookError
        sized = b"<dimension" in chunk if sized is None else sized
        tags += fresh.count(b"<")
        if not is_sheet:
            if tags > _MOST_TAGS:
                raise DataError(say("intake.swells", file=file, size=part.file_size / 2**20, parts=1))
            continue
        formulas = formulas or _FORMULA.search(chunk) is not None
        widths = [len(_CELL.findall(row)) for row in _ROW.split(fresh)]
        widths[0] += cells  # of a row that the piece before began
        rows, cells = rows + len(widths) - 1, widths[-1]
        if max(widths) > _WIDEST:
            raise DataError(say("intake.too_wide", file=file, sheet="", most=_WIDEST))
        if rows > most_rows and not sized:
            raise DataError(say("intake.too_long", file=file, sheet="", most=most_rows))
    return formulas


def _chunks(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[tuple[bytes, bytes]]:
    """A part piece by piece: each with the end of the one before, and by itself."""
    with package.open(part) as stream:
        end = b""
        while fresh := stream.read(_CHUNK):
            yield end + fresh, fresh
            end = fresh[-_OVERLAP:]
