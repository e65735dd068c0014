"""One page a unit (单位分册): HTML and PDF, and all of them bound, made one by one and never twice.

``units/units.json`` is the record of what is finished: it is written whole after each unit, and a page counts as
finished only if that record is of this run and of this very program, and holds the page's digest. Whatever a killed
run leaves besides is made again.
"""

import html
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zjtx_alloc.base.files import check_free, write_whole
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.base.units import load_units
from zjtx_alloc.report.documents.unit_page import unit_sheet
from zjtx_alloc.report.notes.marks import marks_note
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.run_id import bearing_run_id
from zjtx_alloc.report.runs.record_form import read_pages
from zjtx_alloc.report.runs.records import bytes_digest, environment_here, file_digest
from zjtx_alloc.report.table import notes_html, sliding
from zjtx_alloc.report.writers.html import FRONT, framed
from zjtx_alloc.report.writers.pdf import bound_pdf, unit_pdf

FOLDER = "units"
_RECORD = "units.json"
_INDEX, _BOUND = "index.html", "units.pdf"
_RULES = ("deadlines.csv", "approvals.csv", "duties.csv")  # what the pages read besides the inputs of the run


@dataclass
class Finished:
    """The pages of a run that are finished."""

    run: str  #: The id of the run.
    #: By code: ``files`` (sha256 by name), ``sheet`` (what the page says, as the bound PDF takes it) and its digest
    #: (dict).
    units: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)  #: The sha256 of the files that are of no one unit.

    def files(self) -> dict[str, str]:
        """The sha256 of every page, of the bound PDF and of the list, by name within the report's folder."""
        found = {name: digest for unit in self.units.values() for name, digest in unit["files"].items()}
        found |= self.outputs
        return {f"{FOLDER}/{name}": found[name] for name in sorted(found)}

    def content(self) -> bytes:
        """The record as it stands in the folder: the same bytes for the same pages, in whatever order they were made."""
        described = {"run": self.run, "made_by": _made_by(), "units": dict(sorted(self.units.items()))}
        return (json.dumps(described | {"outputs": self.outputs}, ensure_ascii=False, indent=1) + "\n").encode()


def finished_pages(folder: Path, run: str) -> Finished:
    """What is finished of a run in a report's folder; what does not bear its own digest is not."""
    record = read_pages(folder / FOLDER / _RECORD)
    if record.get("run") != run or record.get("made_by") != _made_by():
        return Finished(run)
    units = {
        code: unit
        for code, unit in record["units"].items()
        if _holds(folder, unit["files"]) and _sheet_digest(unit["sheet"]) == unit["sheet_sha256"]
    }
    whole = units == record["units"] and _holds(folder, record["outputs"])
    return Finished(run, units, record["outputs"] if whole else {})


def pages_there(folder: Path) -> list[str]:
    """The names of all that is of units' pages in a report's folder, their record first, whichever run made it."""
    names = (_RECORD, _INDEX, _BOUND, *(f"{'[0-9]' * 6}-*.{end}" for end in ("html", "pdf")))
    return [path.relative_to(folder).as_posix() for name in names for path in sorted((folder / FOLDER).glob(name))]


def addresses(codes: Iterable[str]) -> dict[str, str]:
    """Where the pages of units stand as seen from the report's folder, by short name."""
    names = load_units()["short_name"]
    return {str(names[code]): f"{FOLDER}/{_stem(code)}.html" for code in names.index if code in set(codes)}


def write_unit_pages(
    folder: Path, results: Results, codes: Sequence[str], run: str, notify: Callable[[str, bool], None]
) -> Finished:
    """Make what is missing of the pages of some units, the bound PDF and the list of all that are there.

    Parameters
    ----------
    folder : Path
        The report's folder, held by this process.
    results : Results
    codes : sequence of str
    run : str
        The id of the run.
    notify : function
        Called with the name of each page that is now there, and whether it was there before.
    """
    done = finished_pages(folder, run)
    missing = [code for code in codes if code not in done.units]
    if missing or not done.outputs:
        done.outputs = {}
        others = [folder / name for name in set(pages_there(folder)) - {f"{FOLDER}/{_RECORD}", *done.files()}]
        check_free(others)
        _write(folder, _RECORD, done.content())  # from here on nothing of another run counts
        for path in others:
            path.unlink()
    with bearing_run_id(run):
        for code in codes:
            if code in missing:
                done.units[code] = _unit(folder, results, code, done)
                _write(folder, _RECORD, done.content())
            notify(_stem(code), code not in missing)
        if not (bound := bool(done.outputs)):
            sheets = [done.units[code]["sheet"] for code in load_units().index if code in done.units]
            done.outputs = {
                _BOUND: _write(folder, _BOUND, bound_pdf(sheets)),
                _INDEX: _write(folder, _INDEX, _index(sheets, results, run)),
            }
            _write(folder, _RECORD, done.content())
        notify(_BOUND, bound)
    return done


def _unit(folder: Path, results: Results, code: str, done: Finished) -> dict[str, Any]:
    """One unit's page in both forms, and what the record keeps of it."""
    sheet = unit_sheet(results, code)
    sized, pdf = unit_pdf(sheet.plain(), *[unit["sheet"]["size"] for unit in done.units.values()][-1:])
    title = say("unit.page", name=sheet.name, scenario=results.allocation.scenario.title)
    page = framed(title, sheet._repr_html_(), say("unit.foot", run=done.run), _links())
    names = {f"{_stem(code)}.html": page, f"{_stem(code)}.pdf": pdf}
    files = {name: _write(folder, name, content) for name, content in names.items()}
    return {"files": files, "sheet": sized, "sheet_sha256": _sheet_digest(sized)}


def _sheet_digest(sheet: dict[str, Any]) -> str:
    return bytes_digest(json.dumps(sheet, ensure_ascii=False).encode())


def _index(sheets: list[dict[str, Any]], results: Results, run: str) -> bytes:
    """The list of the pages that are there, each unit with the numbers from the top of its page."""
    labels = [label for label, _, _ in sheets[0]["keys"]]
    head = "".join(
        f'<th scope="col">{html.escape(label)}</th>' for label in (header("code"), header("short_name"), *labels)
    )
    rows = "".join(f"<tr>{''.join(_cells(sheet))}</tr>" for sheet in sheets)
    title = say("unit.index", scenario=results.allocation.scenario.title)
    targets = {_BOUND: "unit.bound", "../allocation.html": "unit.report", "../budget.html": "unit.budget"}
    links = "　".join(f'<a href="{target}">{say(key)}</a>' for target, key in targets.items())
    under = notes_html(*marks_note(results.allocation), say("note.weights"))
    table = f"<table class=zjtx><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    body = f"<h1>{html.escape(title)}</h1><p>{say('unit.index_intro')}</p><p>{links}</p>{sliding(title, table)}{under}"
    return framed(title, body, say("unit.foot", run=run), _links(), _INDEX)


def _links() -> dict[str, str]:
    """From a unit's page to the list of them, to the report's pages that are always there, and to all reports."""
    report = {f"../{name}.html": say(f"nav.{name}") for name in ("index", "allocation", "budget")}
    return report | {_INDEX: say("nav.units"), f"../../{FRONT}": say("nav.all")}


def _cells(sheet: dict[str, Any]) -> Iterator[str]:
    stem = quote(_stem(sheet["code"]))
    yield f"<td>{html.escape(sheet['code'])}</td>"
    name = html.escape(sheet["name"])
    yield f'<th scope="row"><a href="{stem}.html">{name}</a>　<a href="{stem}.pdf">PDF</a></th>'
    yield from (f"<td>{html.escape(value)}</td>" for _, value, _ in sheet["keys"])


def _stem(code: str) -> str:
    return f"{code}-{load_units().at[code, 'short_name']}"


def _write(folder: Path, name: str, content: bytes) -> str:
    """A file of the folder of units, written whole; its sha256."""
    write_whole(folder / FOLDER / name, content)
    return bytes_digest(content)


def _holds(folder: Path, files: dict[str, str]) -> bool:
    """Whether files are there and as they were written; never so for none."""
    paths = {folder / FOLDER / name: digest for name, digest in files.items()}
    return bool(paths) and all(path.is_file() and file_digest(path) == digest for path, digest in paths.items())


def _made_by() -> dict[str, Any]:
    """The program and the rules that a page depends on besides the inputs of its run."""
    rules = {f"data/policy/{name}": file_digest(shipped("data", "policy", name)) for name in _RULES}
    return environment_here() | {"rules": rules}
