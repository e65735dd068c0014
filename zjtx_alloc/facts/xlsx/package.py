"""The package of an ``.xlsx`` file: weighed before anything unfolds it, then each part read in one pass.

Time grows with the bytes of the parts; no part is searched by regular expression or held as a tree.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from xml.parsers import expat

_MOST_BYTES = 256 * 2**20  # unfolded: 50,000 firms take some 100 MB
_MOST_PARTS = 2000
MOST_DEEP = 64  # elements in each other
_MOST_NAMES = 10_000  # different names of elements and attributes in a part
_MOST_TAGS = (
    24_000_000  # of a workbook, ends counted too: 50,000 firms with 40 columns of texts in their cells have half of it
)
_MOST_BESIDE = 1_000_000  # elements of a part that holds neither cells nor texts
_MOST_TEXT = 2**20  # characters without an element: whoever takes them has a bound of its own
_CHUNK = 2**18
_LONGEST_TAG = 2**20  # bytes of a tag, a comment or a declaration
_ENTRY = b"PK\x01\x02"  # begins each entry in the list of parts


class NoWorkbookError(Exception):
    """What is in the package is no workbook, or none that a program wrote."""


class BoundError(Exception):
    """A workbook holds more than any table does: the key of the sentence that says so, and what it is filled with."""

    def __init__(self, key: str, **details: Any) -> None:
        super().__init__(key)
        self.key, self.details = key, details


class Target:
    """What takes the elements of a part, by their names without prefix.

    ``pieces`` are the text since the last element began or ended. Whoever redefines ``start`` and ``end`` keeps
    ``deep`` and empties ``pieces``, or lets no element stand in one of its own name.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.deep = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        self.pieces.clear()
        self.deep += 1
        if self.deep > MOST_DEEP:
            raise NoWorkbookError

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self.pieces.clear()
        self.deep -= 1

    def text(self) -> str:
        """What stands since the last element began."""
        return "".join(self.pieces)


class _Tags(Target):
    """Collects elements as they begin, without their text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        self.found.append((local(name), attributes))


def local(name: str) -> str:
    """A name without its prefix."""
    return name if ":" not in name else name.rpartition(":")[2]


class Package:
    """The parts of a workbook by name, in whatever case, each to be read once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = {name.casefold(): name for name in archive.namelist()}
        self._tags = 0
        self.size = sum(part.file_size for part in archive.infolist())  # no part can be read beyond the size it states

    def swollen(self) -> BoundError:
        """That it unfolds to too much."""
        return BoundError("intake.swells", size=self.size / 2**20, parts=len(self._archive.infolist()))

    def tags(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Name and attributes of each element of a part, as they begin."""
        target, count = _Tags(), 0
        for _ in self._fed(part, target):
            count += len(target.found)
            if count > _MOST_BESIDE:
                raise NoWorkbookError
            yield from target.found
            target.found.clear()

    def read(self, part: str, target: Target) -> None:
        """Give a part to a target."""
        for _ in self._fed(part, target):
            pass

    def cells(self) -> int:
        """About how many cells all parts hold, blank and hidden ones too: for who keeps them all."""
        found = 0
        for part in self._archive.infolist():
            with self._archive.open(part) as stream:
                while chunk := stream.read(_CHUNK):
                    found += sum(map(chunk.count, (b"<c ", b"<c>", b"<c/", b":c ", b":c>", b":c/")))
        return found

    def _fed(self, part: str, target: Target) -> Iterator[None]:
        name = self._left.pop(part.casefold(), None)
        if name is None:  # absent, or read before: no program has two sheets share a part
            raise NoWorkbookError
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = target.start, target.end
        parser.CharacterDataHandler = target.pieces.append
        parser.StartDoctypeDeclHandler = _refuse  # entities swell, and no workbook has any
        fed = 0
        with self._archive.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk)
                fed += len(chunk)
                self._tags += chunk.count(b"<")
                if self._tags > _MOST_TAGS:
                    raise self.swollen()
                if fed - parser.CurrentByteIndex > _LONGEST_TAG or len(parser.intern) > _MOST_NAMES:
                    raise NoWorkbookError
                if sum(map(len, target.pieces)) > _MOST_TEXT:
                    raise BoundError("intake.long_cell")
                yield
        parser.Parse(b"", True)
        yield


def _refuse(*_: Any) -> None:
    raise NoWorkbookError


@contextmanager
def opened(content: bytes) -> Iterator[Package]:
    """The package of a file's content.

    Raises
    ------
    BoundError
        If it would unfold to too much.
    NoWorkbookError
        If it is no package, or what is read of it is broken.
    """
    parts = content.count(_ENTRY)  # counted before the list of them is made
    if parts > _MOST_PARTS:
        raise BoundError("intake.swells", size=len(content) / 2**20, parts=parts)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            package = Package(archive)
            if package.size > _MOST_BYTES:
                raise package.swollen()
            if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in archive.infolist()):
                raise NoWorkbookError
            yield package
    except (
        zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, LookupError, ValueError, ArithmeticError, RuntimeError,
    ) as error:  # fmt: skip
        raise NoWorkbookError from error
