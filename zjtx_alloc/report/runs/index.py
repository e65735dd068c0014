"""``index.html`` beside the runs' folders: what was run, on which scenario and inputs, and whether the files still hold."""

import html
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from zjtx_alloc.base.file_sets import is_replaced
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.text import seen
from zjtx_alloc.report.runs.record_form import read_record
from zjtx_alloc.report.runs.records import altered, outputs
from zjtx_alloc.report.table import ALL_COMPLETED, sliding
from zjtx_alloc.report.writers.html import APPENDICES, FRONT, MAIN, framed

_SHOWN = (".html", ".pdf", ".docx", ".xlsx")  # what people open, in this order
_UNITS = ("units/index.html", "units/units.pdf")  # the pages of units, where a run has them
_TRIES = 5
_KEPT = 2048  # rows of the table, some kilobytes each


def write_index(out: Path) -> Path:
    """List the runs in the folders of ``out``, by name; written whole, and again if another run has ended meanwhile."""
    path = out / FRONT
    for _ in range(_TRIES):
        found = _page(out)
        write_whole(path, found)
        if _page(out) == found:
            break
    return path


@contextmanager
def listed(out: Path) -> Iterator[None]:
    """Within it, the list vouches for no run that is being replaced, whatever is killed; at its end it is written again."""
    write_index(out)
    try:
        yield
    finally:
        write_index(out)


def _page(out: Path) -> bytes:
    folders = sorted(path.parent for path in out.glob("[!.]*/run.json"))
    head = "".join(
        f'<th scope="col">{say(f"index.{name}")}</th>' for name in ("run", "kind", "scenario", "inputs", "checks")
    )
    rows = "".join(_row(folder, is_replaced(folder), _state(folder)) for folder in folders)
    table = f"<table class='zjtx index'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    body = f"<h1>{say('index.title')}</h1><p>{say('index.intro')}</p>{sliding(say('index.title'), table)}"
    return framed(say("index.title"), body, say("index.foot"))


_State = tuple[tuple[str, int, int, int, int], ...]


def _state(folder: Path) -> _State:
    """What is another once any file of a folder has been written or taken away."""
    found = []
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):  # taken away meanwhile
            is_now = path.stat()
            times = (is_now.st_mtime_ns, is_now.st_ctime_ns)
            found.append((str(path.relative_to(folder)), is_now.st_ino, is_now.st_size, *times))
    return tuple(found)


@lru_cache(_KEPT)
def _row(folder: Path, replaced: bool, _: _State) -> str:
    """A run in the table: read once as long as its files stay as they are, or many reports would each read all others."""
    first, *others = _cells(folder, replaced)
    return f"""<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>"""


def _cells(folder: Path, replaced: bool) -> Iterator[str]:
    record = read_record(folder)
    if replaced:
        yield from (_name(folder), "", "", "", _check(False, say("index.replaced")))
        return
    if not record:
        yield from (_text(folder.name), "", "", "", _check(False, say("index.unreadable")))
        return
    yield f"{_name(folder)}<br>{html.escape(record['id'])}<br>{_links(folder)}"
    yield say(f"kind.{record['kind']}")
    yield "<br>".join(html.escape(f"{name}　{record['scenarios'][name]['title']}") for name in record["asked"])
    yield f"{html.escape(_facts_text(record))}<br>{say('index.bound', count=len(record['inputs']))}"
    yield "<br>".join(_check(holds, described) for holds, described in _checks(folder, record))


def _facts_text(record: dict[str, Any]) -> str:
    """Whose facts a run rests on: the shipped ones, the user's columns, or a table of facts of the user's own."""
    if "panel" not in record["inputs"]:
        return say("index.shipped")
    own = sorted({code for described in record["indicators"].values() for code in described["supplied"]})
    called = shipped_table("indicators.csv", "code")["name"]
    return say("index.own", names="、".join(called.get(code, code) for code in own)) if own else say("index.own_facts")


def _name(folder: Path) -> str:
    """The folder, leading to the front page where it has one."""
    name = f"<b>{_text(folder.name)}</b>"
    return f'<a href="{_address(folder, FRONT)}">{name}</a>' if (folder / FRONT).is_file() else name


def _links(folder: Path) -> str:
    found = [path for end in _SHOWN for path in sorted(folder.glob(f"*{end}")) if not path.name.startswith((".", "~"))]
    names = [path.name for path in found] + [name for name in _UNITS if name in outputs(folder)]
    return " ".join(f'<a href="{_address(folder, name)}">{_called(name)}</a>' for name in names if name != FRONT)


def _called(name: str) -> str:
    """What a page is called; other files by their names."""
    if name == _UNITS[0]:
        return say("nav.units")
    stem, _, ending = name.rpartition(".")
    return say(f"nav.{stem}") if ending == "html" and stem in (*MAIN, *APPENDICES) else _text(name)


def _address(folder: Path, name: str) -> str:
    return quote(os.fsencode(f"{folder.name}/{name}"))


def _text(name: str) -> str:
    """A name as the page shows it; one unpacked from an archive of another encoding may be no text at all."""
    return html.escape(seen(name))


def _check(holds: bool, described: str) -> str:
    return f'<span class="{"held" if holds else "broken"}">{"✓" if holds else "✗"} {html.escape(described)}</span>'


def _checks(folder: Path, record: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    """What can be read off the files themselves: they are those of the run, and their sums are right."""
    wrong = altered(folder)
    yield not wrong, say("index.altered", names="、".join(wrong)) if wrong else say("index.unaltered")
    try:
        yield from _sums(folder, {name: record["scenarios"][name]["total"] for name in record["asked"]})
    except (KeyError, TypeError, ValueError, OSError):  # a file that is no longer a table of the run
        yield False, say("index.no_sums")


def _sums(folder: Path, totals: dict[str, int]) -> Iterator[tuple[bool, str]]:
    if (path := folder / "allocation.csv").is_file():
        ((name, total),) = totals.items()
        yield from _total(name, int(_read(path)["quota"].sum()), total)
    if (path := folder / "compare.csv").is_file():
        places = _read(path).groupby("scenario")["quota"].sum()
        for name, total in totals.items():
            yield from _total(name, int(places.get(name, 0)), total)
    if (path := folder / "budget.csv").is_file():
        books = _read(path)
        broken = books["due"] != books["direct"] + books["empowerment"]
        if "assumed_outcomes" in books:  # what may fall due at most stands for the other outcomes
            books = books[books["assumed_outcomes"] == ALL_COMPLETED]
        yield not broken.any(), say("index.no_money" if broken.any() else "index.money", due=f"{books['due'].sum():,}")


def _total(name: str, places: int, total: int) -> Iterator[tuple[bool, str]]:
    key = "index.total" if places == total else "index.no_total"
    yield places == total, say(key, name=name, places=f"{places:,}", total=f"{total:,}")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, encoding="utf-8-sig")
