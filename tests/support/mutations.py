"""Valid inputs gone wrong in ways nobody listed: bytes, cells, parts of a package, keys and values. No test of its own."""

import io
import tomllib
import zipfile
from copy import deepcopy
from datetime import date, datetime
from pathlib import Path

import tomli_w
from hypothesis import strategies as st
from openpyxl.utils.exceptions import IllegalCharacterError
from support.tables import text, xlsx

# What people, systems and attackers put where a number, a name or a key belongs.
ODD_TEXTS = [
    "", " ", "　", "0", "-0", "-1", "1.5", "1e308", "1e-308", "1e999999999", "nan", "inf", "-inf", "9" * 20, "9" * 400, "0x10",
    "1_000", "١٢", "１２", "½", "10²", "true", "None", "=1+1", "=HYPERLINK(1)", "+1", "@x", "#REF!", "#DIV/0!", "12%", "2024-02-30",
    "0000-00-00", "45000", "合计", "小计", "其中：深圳", "北亰", "广东（含深圳）", "省级合计", "110000", "单位", "企业名称", "a\u202eb", "\u200f1",
    "\u200b", "\x00", "\x1b[31m", "\x0b", "\ufeff", "\ud7ff", "😀", "名" * 3000, "../../x", "/dev/zero", "x\ny", '"', "'", "<script>", "&l9;", "{x}",
    "%s", "财建〔2024〕359号", "2024-baseline", "trial.toml", "default",
]  # fmt: skip
ODD_NUMBERS = [0, -1, 1, 2, 10**6, 10**15, 10**19, 0.5, 1.0, -0.0, 1e-9, 5e-324, 1e308, float("inf"), float("nan")]
ODD_CELLS = [*ODD_TEXTS, *ODD_NUMBERS, None, True, datetime(1900, 1, 1), date(9999, 12, 31)]
ODD_VALUES = [
    *ODD_TEXTS,
    *ODD_NUMBERS,
    True,
    date(2024, 6, 14),
    [],
    {},
    [[]],
    ["广东"],
    {"default": 1},
    [1, "x"],
    {"units": []},
]
_NUMBERS = st.floats(0, 1) | st.integers(0, 300) | st.floats() | st.integers()
_TIMES = st.sampled_from([1, 1, 1, 2, 4])
_PIECES = [
    b"",
    b"\x00",
    b"\xff",
    b'"',
    b"'",
    b",",
    b"\n",
    b"\r",
    b"=",
    b"[",
    b"]",
    b"{",
    b"<",
    b">",
    b"&",
    b"9" * 40,
    b"e308",
    b"\xe2\x80\xae",
]
_ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-32", "big5"]


def edited(draw, content: bytes) -> bytes:
    """Content with some pieces written over, put in, taken out or doubled."""
    for _ in range(draw(_TIMES)):
        at = draw(st.integers(0, len(content)))
        to = min(len(content), at + draw(st.sampled_from([0, 1, 2, 7, 60, 1000])))
        piece = draw(st.sampled_from([*_PIECES, content[at:to] * 2]) | st.binary(max_size=8))
        content = content[:at] + piece + content[to:]
    return content


def rows_gone_wrong(draw, rows: list[list[object]]) -> list[list[object]]:
    """A table with odd cells, and rows and columns lost, doubled, moved or transposed."""
    rows = [list(row) for row in rows]
    for _ in range(draw(_TIMES)):
        at = draw(st.integers(0, len(rows) - 1)) if len(rows) > 1 else 0
        place = draw(st.integers(0, max(len(rows[at]) - 1, 0))) if rows else 0
        match draw(
            st.sampled_from(["cell", "cell", "cell", "header", "drop", "double", "swap", "column", "blank", "turn"])
        ):
            case "cell" if rows[at]:
                rows[at][place] = draw(st.sampled_from(ODD_CELLS) | _NUMBERS | st.text(max_size=12))
            case "header" if rows[0]:
                rows[0][min(place, len(rows[0]) - 1)] = draw(st.sampled_from(ODD_TEXTS))
            case "drop" if len(rows) > 1:
                rows.pop(at)
            case "double":
                rows.insert(at, list(rows[at]))
            case "swap":
                rows[at], rows[0] = rows[0], rows[at]
            case "column":
                rows = [[*row[:place], draw(st.sampled_from(ODD_CELLS)), *row[place:]] for row in rows]
            case "blank":
                rows.insert(at, [])
            case "turn":
                rows = [list(row) for row in zip(*rows, strict=False)] or [[]]
    return rows


def table_gone_wrong(draw, rows: list[list[object]]) -> bytes:
    """A table as a file: a workbook or text in some encoding, its rows, its parts or its bytes gone wrong."""
    how = draw(st.sampled_from(["workbook", "text", "text", "parts", "bytes of a workbook", "bytes of a text"]))
    match how:
        case "workbook":
            return _workbook(rows_gone_wrong(draw, rows))
        case "text":
            encoding, separator = draw(st.sampled_from(_ENCODINGS)), draw(st.sampled_from(",;\t"))
            return _text(rows_gone_wrong(draw, rows), separator).encode(encoding, "replace")
        case "parts":
            return part_gone_wrong(draw, _book(rows))
        case "bytes of a workbook":
            return edited(draw, _book(rows))
    return edited(draw, text(rows))


def _book(rows: list[list[object]]) -> bytes:
    """The table as a workbook, always the same bytes: openpyxl writes the time into each."""
    return _BOOKS.setdefault(repr(rows), xlsx(rows))


_BOOKS: dict[str, bytes] = {}


def part_gone_wrong(draw, content: bytes) -> bytes:
    """A workbook one part of which is edited, lost or doubled."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        chosen = draw(st.sampled_from(old.namelist()))
        for name in old.namelist():
            part = old.read(name)
            if name != chosen:
                new.writestr(name, part)
            elif draw(st.integers(0, 9)):
                new.writestr(name, edited(draw, part))
    return made.getvalue()


def toml_gone_wrong(draw, content: str) -> bytes:
    """A TOML file with keys and values changed, lost, renamed, nested or doubled; or with its bytes edited."""
    if draw(st.integers(0, 3)) == 0:
        return edited(draw, content.encode())
    table = tomllib.loads(content)
    for _ in range(draw(_TIMES)):
        places = list(_places(table))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["value", "value", "value", "drop", "rename", "nest", "more"])):
            case "value":
                holder[key] = deepcopy(draw(st.sampled_from(ODD_VALUES) | _NUMBERS | st.text(max_size=8)))
            case "drop":
                del holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from([*ODD_TEXTS, "total", "cap", "factors"]))] = holder.pop(key)
            case "nest":
                holder[key] = {"x": holder[key]}
            case "more" if isinstance(holder, dict):
                holder[draw(st.sampled_from([*_SCENARIO_KEYS, *ODD_TEXTS]))] = deepcopy(
                    draw(st.sampled_from(ODD_VALUES))
                )
    return _toml(table)


_SCENARIO_KEYS = [
    "extends", "drop", "end_stand_in", "total", "batch", "criterion", "award", "budget_with", "floor", "cap", "change", "groups", "rules",
    "fixed", "pools", "composites", "multipliers", "grade", "grade_coefficient", "region_coefficient", "uncertainty", "certified", "name",
]  # fmt: skip


def _places(thing: object):
    """Every place of a value, as what holds it and its key."""
    pairs = (
        list(thing.items()) if isinstance(thing, dict) else list(enumerate(thing)) if isinstance(thing, list) else []
    )
    for key, value in pairs:
        yield thing, key
        yield from _places(value)


def _workbook(rows: list[list[object]]) -> bytes:
    try:
        return xlsx(rows)
    except (
        ValueError,
        TypeError,
        IllegalCharacterError,
    ):  # what openpyxl does not write: control signs, numbers that are none
        return xlsx([[ascii(cell) if isinstance(cell, str | float) else cell for cell in row] for row in rows])


def _text(rows: list[list[object]], separator: str) -> str:
    return text(
        [[str(cell).replace("\ud7ff", "") if cell is not None else "" for cell in row] for row in rows],
        separator=separator,
    ).decode()


def _toml(table: dict) -> bytes:
    try:
        return tomli_w.dumps(table).encode("utf-8", "replace")
    except (TypeError, ValueError):
        return repr(table).encode("utf-8", "replace")


def put(folder: Path, name: str, content: bytes) -> Path:
    """The content as a file, the only one there."""
    path = folder / name
    path.write_bytes(content)
    return path
