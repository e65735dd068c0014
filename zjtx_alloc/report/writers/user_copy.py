"""A copy of a user's workbook: the parts of the package that are changed, the others as they are, byte for byte.

Whole workbooks would be read and written anew ten times as slowly, and lose what no library knows, such as pictures and
the values of the user's own formulas. What is written into its sheets: ``user_sheet``, ``mark``.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any

from lxml import etree

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.cells import plain
from zjtx_alloc.facts.grid import refuse_vast
from zjtx_alloc.facts.xlsx.package import NoWorkbookError

_FILL = '<fill xmlns="{}"><patternFill patternType="solid"><fgColor rgb="{}"/></patternFill></fill>'
_RESULT, _WRONG = "FFEEF4F9", "FFFFC7CE"  # colours of results and of cells that are wrong
_SIDE = '<{0} style="thin"><color rgb="FFBFBFBF"/></{0}>'
_BORDER = '<border xmlns="{}">' + "".join(map(_SIDE.format, ("left", "right", "top", "bottom"))) + "</border>"
_THOUSANDS = {int: "3", float: "4"}  # the number formats #,##0 and #,##0.00, built in
_COMPRESSION = 3  # of 1 to 9: a tenth larger than 6, in half the time
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_NO_LINKS = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
_TYPES = "[Content_Types].xml"


def write_copy(file: Path, copy: Path, change: "Callable[[UserCopy], None]") -> Path:
    """Write a workbook that was changed; DataError as above."""
    refuse_vast(file)
    try:
        with zipfile.ZipFile(file) as package:
            book = UserCopy(package)
            change(book)
            content = book.content()
    except (
        etree.LxmlError,
        zipfile.BadZipFile,
        zlib.error,
        AttributeError,
        LookupError,
        NoWorkbookError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(say("intake.not_a_workbook", file=file.name)) from error
    return write_whole(copy, content)


def parsed(data: bytes | str) -> Any:
    """A part, or a piece of one, as a tree."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def space_of(tree: Any) -> str:
    """The namespace of a tree's names, in braces."""
    return "{" + str(etree.QName(tree).namespace) + "}"


class UserCopy:
    """A package whose parts are changed; ``raw`` holds parts that are new or no trees (None: left out)."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package, self._names = package, set(package.namelist())
        self._trees, self._changed, self.raw = dict[str, Any](), set[str](), dict[str, bytes | None]()
        self.texts: dict[str, str] = {}  # shared ones that are known, by number
        (self.name,) = self.links("", "officeDocument").values()
        worksheets, tree = self.links(self.name, "worksheet"), self.tree(self.name)
        ids = {sheet.get("name"): relation_id(sheet) for sheet in tree.find(f"{space_of(tree)}sheets")}
        self.sheets = {plain(name): worksheets[id_] for name, id_ in ids.items() if id_ in worksheets}

    @cached_property
    def styles(self) -> "_Styles":
        """The styles of its cells."""
        return _Styles(self.tree(self._linked("styles"), changes=True))

    def tree(self, part: str, *, changes: bool = False) -> Any:
        """A part, which is written anew if it changes."""
        if part not in self._trees:
            self._trees[part] = parsed(self.read(part))
        if changes:
            self._changed.add(part)
        return self._trees[part]

    def read(self, part: str) -> bytes:
        """A part that need not be well-formed, as it will be written."""
        return self.raw.get(part) or self._package.read(part)

    def links(self, part: str, kind: str) -> dict[str, str]:
        """The parts of a kind that one links to (the package, if it is blank), by the ids of the links."""
        links, folder = _links_of(part), posixpath.dirname(part)
        return {
            link.get("Id"): posixpath.normpath(posixpath.join("/" + folder, link.get("Target")))[1:]
            for link in (self.tree(links) if links in self._names else ())
            if _kind(link) == kind
        }

    def _linked(self, kind: str) -> str:
        """The part of a kind that all sheets share; blank without one."""
        return next(iter(self.links(self.name, kind).values()), "")

    def add(self, part: str, kind: str, name: str, content: tuple[str, bytes]) -> tuple[str, str]:
        """Link from a part to a new one, ``name`` with a number, of a type and content; the id of the link, and its name."""
        name = next(one for n in count(1) if (one := name.format(n)) not in self._names)
        type_, self.raw[name] = content
        links = _links_of(part)
        if links not in self._names:
            self.raw[links] = _NO_LINKS
        self._names |= {name, links}
        tree, types = self.tree(links, changes=True), self.tree(_TYPES, changes=True)
        taken = {link.get("Id") for link in tree}
        id_ = next(one for n in count(1) if (one := f"rId{n}") not in taken)
        etree.SubElement(tree, f"{space_of(tree)}Relationship", Id=id_, Type=f"{RELATION}/{kind}", Target=f"/{name}")
        etree.SubElement(types, f"{space_of(types)}Override", PartName=f"/{name}", ContentType=type_)
        return id_, name

    def know_texts(self, parts: Iterable[str], rows: int | None = None) -> None:
        """Read the shared texts of the first rows of sheets, or of all."""
        spaces = {part: space_of(self.tree(part)) for part in parts}
        wanted = {
            cell.findtext(f"{space}v")
            for part, space in spaces.items()
            for row in list(self.tree(part).iterfind(f"{space}sheetData/{space}row"))[:rows]
            for cell in row
            if cell.get("t") == "s"
        }
        if not wanted:
            return
        numbers = count()
        with self._package.open(self._linked("sharedStrings")) as stream:
            for _, item in etree.iterparse(stream, tag="{*}si", resolve_entities=False, huge_tree=True):
                if (number := str(next(numbers))) in wanted:
                    self.texts[number] = text_of(item)
                item.clear()

    def content(self) -> bytes:
        """The package: every formula is computed when it is opened; no list of them, which might not hold."""
        self._compute_anew()
        made = self.raw | {part: _bytes(self._trees[part]) for part in self._changed}
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as out:
            for part in self._package.infolist():
                data = made.pop(part.filename) if part.filename in made else self._package.read(part)
                if data is not None:
                    out.writestr(part, data)
            for name in sorted(made):
                out.writestr(zipfile.ZipInfo(name), made[name] or b"", zipfile.ZIP_DEFLATED)
        return content.getvalue()

    def _compute_anew(self) -> None:
        tree = self.tree(self.name, changes=True)
        space = space_of(tree)
        computed = tree.find(f"{space}calcPr")
        if computed is None:
            computed = etree.Element(f"{space}calcPr")
            before = [tree.find(space + name) for name in ("definedNames", "externalReferences", "sheets")]
            next(one for one in before if one is not None).addnext(computed)
        computed.set("fullCalcOnLoad", "1")
        if chain := self._linked("calcChain"):
            self.raw[chain] = None
            for part, name in ((_links_of(self.name), "calcChain"), (_TYPES, f"/{chain}")):
                tree = self.tree(part, changes=True)
                for one in [one for one in tree if _kind(one) == name or one.get("PartName") == name]:
                    tree.remove(one)


def _links_of(part: str) -> str:
    """The part that says what a part links to; of the package, if it is blank."""
    folder, base = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def relation_id(element: Any) -> str:
    """The id of the link that an element stands for."""
    return str(element.get(f"{{{RELATION}}}id") or element.get(f"{{{_STRICT}}}id"))


def _bytes(tree: Any) -> bytes:
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True))


def _kind(relation: Any) -> str:
    """What a relation points at."""
    return str(relation.get("Type", "")).rpartition("/")[2]


def text_of(item: Any) -> str:
    """The text of an item, in one piece or in runs; without how it is pronounced."""
    return "".join(t.text or "" for t in item.iterfind("{*}t")) + "".join(
        t.text or "" for t in item.iterfind("{*}r/{*}t")
    )


class _Styles:
    """Styles of cells, and those made from them: of results, and of cells that are wrong."""

    def __init__(self, root: Any) -> None:
        self._root, self._space = root, space_of(root)
        self._added, self.like = cache(self._add), cache(self._like)

    def _like(self, base: str, kind: type | None, *, is_wrong: bool = False) -> str:
        """The number of a style like another, shaded, and framed for a result; ``kind``: str stands off the frame, numbers of money have their format."""
        made = deepcopy(self._root.find(f"{self._space}cellXfs")[int(base)])
        made.attrib.update({"fillId": self._added("fills", _FILL, _WRONG if is_wrong else _RESULT), "applyFill": "1"})
        if not is_wrong:
            made.attrib.update({"borderId": self._added("borders", _BORDER), "applyBorder": "1"})
        if kind in _THOUSANDS:
            made.attrib.update({"numFmtId": _THOUSANDS[kind], "applyNumberFormat": "1"})
        if kind is str:
            aligned = made.find(f"{self._space}alignment")
            if aligned is None:
                made.insert(0, aligned := etree.Element(f"{self._space}alignment"))
            aligned.attrib.update({"horizontal": "left", "indent": "1"})
            made.set("applyAlignment", "1")
        return self._held("cellXfs", made)

    def _add(self, name: str, form: str, *colour: str) -> str:
        """The number of a new filling or frame."""
        return self._held(name, parsed(form.format(self._space[1:-1], *colour)))

    def _held(self, name: str, made: Any) -> str:
        held = self._root.find(self._space + name)
        held.append(made)
        held.set("count", f"{len(held)}")
        return f"{len(held) - 1}"
