"""A workbook beside its cells: its sheets, its texts, and how its formats show numbers."""

import datetime
import posixpath
import re
from dataclasses import dataclass

from zjtx_alloc.facts.xlsx.formats import Shower, shower_of
from zjtx_alloc.facts.xlsx.package import BoundError, NoWorkbookError, Package, Target, local

MOST_TEXT = 131_072  # characters of a cell, as in CSV; Excel allows a fourth of it
_MOST_FORMATS = 65_536  # of cells: Excel has no more
_MOST_STRINGS = 2_500_000  # different texts
_MOST_SHEETS = 2000
_MAIN = re.compile(r"application/[\w.-]*(?:spreadsheetml\.(?:sheet|template)|ms-excel\.\w+\.macroEnabled)\.main\+xml")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # a character that XML cannot hold
_EPOCH, _EPOCH_1904 = datetime.datetime(1899, 12, 30), datetime.datetime(1904, 1, 1)


@dataclass(frozen=True)
class SheetPart:
    """A sheet of cells: its title, whether it is to be seen, and its part of the package."""

    title: str
    is_visible: bool
    part: str


@dataclass(frozen=True)
class Book:
    """What the cells of all sheets refer to: texts by number, and by style what shows a number that is not shown as it is.

    Of a ``raw`` book percentages stay numbers, and formulas are kept beside their values.
    """

    sheets: tuple[SheetPart, ...]
    texts: list[str]
    showers: dict[str, Shower]
    raw: bool


def read_book(package: Package, *, raw: bool = False) -> Book:
    """Read what a package holds beside the cells."""
    workbook = _main_part(package)
    named, epoch = _listed_sheets(package, workbook)
    kinds = _related(package, workbook, {rid for _, _, rid in named})
    sheets = tuple(SheetPart(title, seen, kinds[rid]) for title, seen, rid in named if rid in kinds)
    if not sheets:
        raise NoWorkbookError
    texts, styles = kinds.get("sharedStrings"), kinds.get("styles")
    return Book(
        sheets,
        [] if texts is None else _texts(package, texts),
        {} if styles is None else _showers(package, styles, epoch, raw=raw),
        raw,
    )


def titles(package: Package) -> list[str]:
    """Titles of all sheets, in their order."""
    return [title for title, _, _ in _listed_sheets(package, _main_part(package))[0]]


def _main_part(package: Package) -> str:
    for _, attributes in package.tags("[Content_Types].xml"):
        if _MAIN.fullmatch(attributes.get("ContentType", "")):
            return attributes.get("PartName", "/xl/workbook.xml").removeprefix("/")
    raise NoWorkbookError


def _listed_sheets(package: Package, workbook: str) -> tuple[list[tuple[str, bool, str]], datetime.datetime]:
    """Title, visibility and relation of each sheet; day 0 of the workbook."""
    named, epoch = list[tuple[str, bool, str]](), _EPOCH
    for name, attributes in package.tags(workbook):
        if name == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            named.append((attributes["name"], attributes.get("state", "visible") == "visible", relation))
        elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epoch = _EPOCH_1904
        if len(named) > _MOST_SHEETS:
            raise NoWorkbookError
    return named, epoch


def _related(package: Package, workbook: str, wanted: set[str]) -> dict[str, str]:
    """Parts of the sheets of cells by relation; of the texts and the styles by those words."""
    folder, name = posixpath.split(workbook)
    found: dict[str, str] = {}
    for tag, attributes in package.tags(f"{folder}/_rels/{name}.rels".removeprefix("/")):
        kind = attributes.get("Type", "").rpartition("/")[2]
        key = attributes.get("Id", "") if kind == "worksheet" else kind
        if tag == "Relationship" and key in (wanted if kind == "worksheet" else ("sharedStrings", "styles")):
            target = posixpath.normpath(posixpath.join("/" + folder, attributes["Target"])).lstrip("/")
            if found.setdefault(key, target) != target:
                raise NoWorkbookError
    return found


def _showers(package: Package, part: str, epoch: datetime.datetime, *, raw: bool) -> dict[str, Shower]:
    codes, numbers, inside = dict[int, str](), list[int](), ""
    for name, attributes in package.tags(part):
        if name == "numFmt" and inside == "numFmts":
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "xf" and inside == "cellXfs":
            numbers.append(int(attributes.get("numFmtId", 0)))
        elif name in ("numFmts", "cellXfs", "cellStyleXfs", "dxfs"):
            inside = name
        if len(numbers) > _MOST_FORMATS or len(codes) > _MOST_FORMATS:
            raise NoWorkbookError
    known = {number: shower_of(number, codes.get(number), epoch, raw=raw) for number in set(numbers)}
    return {str(style): shower for style, number in enumerate(numbers) if (shower := known[number]) is not None}


class _Texts(Target):
    """Collects the shared texts; how they are pronounced is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.run = ""
        self.is_sound = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if local(name) == "rPh":
            self.is_sound = True

    def end(self, name: str) -> None:
        name = local(name)
        if name == "t" and not self.is_sound:
            self.run += self.text()
            if len(self.run) > MOST_TEXT:
                raise BoundError("intake.long_cell")
        elif name == "rPh":
            self.is_sound = False
        elif name == "si":
            self.found.append(unescaped(self.run))
            self.run = ""
            if len(self.found) > _MOST_STRINGS:
                raise BoundError("intake.too_many_cells", most=_MOST_STRINGS)
        super().end(name)


def _texts(package: Package, part: str) -> list[str]:
    package.read(part, target := _Texts())
    return target.found


def unescaped(text: str) -> str:
    """A text with the characters that XML cannot hold, which Excel writes as ``_x000D_``."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda m: m[0] if m[1][0] in "dD" and m[1][1] in "89abcdefABCDEF" else chr(int(m[1], 16)), text)
