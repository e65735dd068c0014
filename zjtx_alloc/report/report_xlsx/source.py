"""The scenario behind a report, and facts of the user's own, as lines of a sheet: what a workbook handed back is compared with."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.results import Results
from zjtx_alloc.report.table import csv_text
from zjtx_alloc.report.writers.sheet import FIRST_ROW, Column, Page, Sheet
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, put_together, save_bundle

FACTS = "facts.csv"


def source_sheet(results: Results) -> Sheet:
    """The scenario's file, those it refers to, and the facts unless they are the shipped ones, line by line."""
    with tempfile.TemporaryDirectory() as folder:
        own = save_bundle(results.scenario, Path(folder))
        others = sorted(path for path in Path(folder).glob("*.toml") if path != own)
        texts = {path.name: path.read_text(encoding="utf-8") for path in (own, *others)}
    if not results.panel.facts.equals(load_panel().facts):
        texts[FACTS] = csv_text(results.panel.facts)
    rows = [{"file": name, "line": line} for name, text in texts.items() for line in text.split("\n")]
    columns = {
        "file": Column(say("calculation.file"), "text", 26), "line": Column(say("calculation.line"), "text", 110),
    }  # fmt: skip
    page = Page(landscape=False)
    return Sheet(say("calculation.source"), columns, rows, note=say("calculation.source_note"), frozen=1, page=page)


def read_source(file: Path, cells: Mapping[int, Sequence[Any]]) -> tuple[Scenario, Panel | None]:
    """The scenario and the facts of the user's own (None: the shipped ones) from the rows of the sheet.

    Raises
    ------
    DataError, ScenarioError
        If lines are missing or changed, so that there is no scenario in them.
    """
    texts: dict[str, list[str]] = {}
    for number, row in cells.items():
        name, line = [*row, None, None][:2]
        if number >= FIRST_ROW and isinstance(name, str) and (name == FACTS or Path(name).name == name.strip()):
            texts.setdefault(name, []).append("" if line is None else str(line))
    names = [name for name in texts if name.endswith(".toml")]
    if not names:
        raise DataError(say("calculation.no_source", file=file.name))
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in texts.items():
            write_whole(Path(folder) / name, "\n".join(lines).encode())
        scenarios = {name: load_scenario(Path(folder) / name) for name in names}
        panel = load_panel(Path(folder) / FACTS) if FACTS in texts else None
    put_together(scenarios, file.parent)
    return scenarios[names[0]], panel
