"""Running a notebook with parameters and turning it into a page of its own.

Importing this module costs a second (papermill, nbconvert), so a run imports it only when it makes a page.
"""

import html
import re
import sys
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

# nbformat's jsonschema would build a grammar of addresses beyond ASCII, for a second; no notebook has one to be checked.
if "rfc3987_syntax" not in sys.modules:
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    import_module("nbformat")
    del sys.modules["rfc3987_syntax"]
import nbformat
import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from papermill.exceptions import PapermillExecutionError

from zjtx_alloc.base.errors import DataError, InfeasibleError, ReportError, ScenarioError, SolverError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.report.run_id import current_run_id
from zjtx_alloc.report.runs.kernel import lent_kernel
from zjtx_alloc.report.writers.html import Heading, framed

_MARKDOWN = "text/markdown"
_ONE_AT_A_TIME = threading.Lock()  # pages are made in threads
_NO_ROWS = "<tbody></tbody>"  # a table as Table shows it
_SECTION = re.compile(r"## [^\n]+")
_NUMBER = re.compile(r"## ([一二三四五六七八九十]+)、")
# What may leave the question of a study without an answer, as the kernel names it.
_OPEN = {kind.__name__ for kind in (DataError, InfeasibleError, ScenarioError, SolverError)}


def run_notebook(name: str, parameters: dict[str, Any], executed: Path) -> Path:
    """Execute a shipped notebook with parameters into the file ``executed``, its tables and figures bearing the run's id.

    Raises
    ------
    ReportError
        If a cell fails; the first one does where the notebook has no such parameter.
    """
    source = shipped("notebooks", f"{name}.ipynb")
    try:
        with lent_kernel() as kernel:
            papermill.execute_notebook(
                _bearing_run_id(source),
                str(executed),
                parameters=parameters,
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                km=kernel,
            )
    except PapermillExecutionError as error:
        raise ReportError(say("notebook.failed", notebook=source.name, reason=error.evalue)) from error
    except DeadKernelError:
        raise ReportError(say("notebook.killed", notebook=source.name)) from None
    return executed


def _bearing_run_id(source: Path) -> nbformat.NotebookNode:
    """The notebook with a first cell that clears its kernel, another process, of what was before and hands it the run's id."""
    notebook, run = nbformat.read(source, as_version=4), current_run_id()
    cell = nbformat.v4.new_code_cell(
        f"%reset -f\nfrom zjtx_alloc.report.run_id import set_run_id\n\nset_run_id({run!r})", id="run"
    )
    notebook.cells.insert(0, cell)
    return notebook


def page(executed: Path, path: Path, heading: Heading) -> Path:
    """Write an executed notebook as one HTML file: code hidden, nothing loaded from anywhere."""
    notebook = nbformat.read(executed, as_version=4)
    notebook.cells = _with_content(notebook.cells)
    for shown in (output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output):
        if _MARKDOWN in shown:
            shown[_MARKDOWN] = as_words(shown[_MARKDOWN])
    with _ONE_AT_A_TIME:
        body, _ = _exporter().from_notebook_node(notebook)
    foot = say("page.foot", run=current_run_id())
    title = say(f"page.{path.stem}", scenario=heading.label)
    return write_whole(path, framed(title, body, foot, heading.links(), path.name))


@cache
def _exporter() -> HTMLExporter:
    """What turns notebooks into HTML, with its templates compiled once; it keeps what it has of the notebook before it."""
    return HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_output_prompt=True,
        exclude_input_prompt=True,
        exclude_anchor_links=True,
        extra_template_basedirs=[],  # else templates in the working folder come first
    )


def _with_content(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The cells that show something: no code alone, no table without rows, no heading with nothing under it.

    Code is hidden, so a cell without output would only leave its (random) id behind. Sections that follow one that is
    left out move up a number.
    """
    kept: list[nbformat.NotebookNode] = []
    for cell in reversed(cells):
        if cell.cell_type == "markdown":
            is_bare = _SECTION.fullmatch(cell.source.strip()) is not None
            if not is_bare or (kept and not _SECTION.match(kept[0].source)):
                kept.insert(0, cell)
        elif any(map(_shows_something, cell.outputs)):
            kept.insert(0, cell)
    heads = [cell for cell in kept if cell.cell_type == "markdown" and _NUMBER.match(cell.source)]
    numbers = [found[1] for cell in cells if cell.cell_type == "markdown" and (found := _NUMBER.match(cell.source))]
    for number, cell in zip(numbers, heads, strict=False):  # there may be fewer left
        cell.source = _NUMBER.sub(f"## {number}、", cell.source, count=1)
    return kept


def _shows_something(output: nbformat.NotebookNode) -> bool:
    shown = output.get("data", {})
    return _NO_ROWS not in shown.get("text/html", "") and shown.get(_MARKDOWN) != ""


def as_words(markdown: str) -> str:
    """Markdown whose names from users are words: no HTML, no link, no picture from elsewhere; lists and emphasis stay."""
    words = html.escape(markdown, quote=False).replace("://", "&#58;//")
    return re.sub(r"([\\\[\]])", r"\\\1", words)


def write_page(path: Path, parameters: dict[str, Any], heading: Heading, work: Path, study: bool = False) -> Path:
    """Run a shipped notebook in the folder ``work`` and write its page; fit for a thread of its own.

    Parameters
    ----------
    path : Path
        Where the page goes; its stem names the notebook and the title (``page.<stem>`` of the messages).
    parameters : dict
        Those that differ from the notebook's own.
    heading : Heading
        The scenarios, for the title, and the pages that it stands among.
    work : Path
    study : bool
        Whether the question may have no answer (no plan under rules that cross, nothing said to be uncertain):
        then the page says why.
    """
    executed = work / f"{path.stem}.ipynb"
    try:
        try:
            run_notebook(path.stem, parameters, executed)
        except ReportError as error:
            failure = error.__cause__
            if not (study and isinstance(failure, PapermillExecutionError) and failure.ename in _OPEN):
                raise
            _without_answer(path.stem, failure.evalue, executed)
        return page(executed, path, heading)
    finally:
        ensure_event_loop().close()  # papermill leaves a thread's loop open


def _without_answer(name: str, reason: str, executed: Path) -> None:
    """A notebook's title, and why there is nothing under it."""
    notebook = nbformat.read(shipped("notebooks", f"{name}.ipynb"), as_version=4)
    described = nbformat.v4.new_markdown_cell(say("notebook.no_answer", reason=html.escape(reason)))
    notebook.cells = [notebook.cells[0], described]
    nbformat.write(notebook, executed)
