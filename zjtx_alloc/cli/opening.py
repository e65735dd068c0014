"""What a command is given as SCENARIO: a shipped name, a scenario file, or a programme's workbook and one of its batches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.files import write_whole
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import seen
from zjtx_alloc.budget.plan import BudgetRequest, request_of
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.report.report_xlsx.hand_back import is_report, read_report
from zjtx_alloc.report.runs.records import FACTS, facts_csv, keep_workbook
from zjtx_alloc.rules.programme.forms import forms
from zjtx_alloc.rules.programme.notes import doubts_text, money_notes
from zjtx_alloc.rules.programme.programme import Programme, load_programme
from zjtx_alloc.rules.scenario import Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, save_bundle

# Options of a budget, and the sheet and column of a workbook that each takes the place of.
_OPTIONS = {
    "outcomes": ("--outcomes", "budget", "outcomes"), "ceilings": ("--ceilings", "budget", "ceiling"),
    "confidence": ("--confidence", "budget", "confidence"), "before": ("--before", "budget", "before"),
    "tail_payment": ("--tails", "budget", "tails"), "as_of": ("--as-of", "budget", "as_of"),
    "transfers": ("--actuals", "transfers", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """A scenario with the facts that are the user's own (None: the shipped ones), and the workbook that both come from."""

    scenario: Scenario
    own: Panel | None
    workbook: Path | None = None
    programme: Programme | None = None

    @property
    def panel(self) -> Panel:
        """The facts to compute with."""
        return load_panel() if self.own is None else self.own

    def keep(self, folder: Path) -> None:
        """Keep the workbook with the run that was made of it."""
        if self.workbook is not None:
            keep_workbook(folder, self.workbook)


def is_workbook(named: str) -> bool:
    """Whether what stands for a scenario is a workbook."""
    return named.lower().endswith(".xlsx")


def opened(named: str, data: Path | None, batch: int | None, *, with_money: bool = False) -> Opened:
    """Open what a command is given, and say what is used of a workbook and what is not; ``with_money``: its 预算 too."""
    if not is_workbook(named):
        if batch is not None:
            raise click.UsageError(say("programme.batch_alone"))
        return Opened(load_scenario(named), None if data is None else load_panel(data))
    if data is not None:
        raise click.UsageError(say("programme.data_too"))
    if is_report(Path(named)):
        return _handed_back(Path(named), batch)
    programme = load_programme(named)
    chosen = programme.batch(batch)
    panel = programme.panel
    click.echo(say("programme.using", file=programme.file, batch=chosen.number, title=chosen.scenario.title))
    for note in (*programme.notes_on(chosen), *(() if with_money else money_notes(programme))):
        click.echo(seen(note))
    if programme.doubts:
        click.echo(seen(doubts_text(programme.doubts)))
    return Opened(chosen.scenario, panel if panel.has_own else None, Path(named), programme)


def _handed_back(path: Path, batch: int | None) -> Opened:
    """A report's workbook, and what was changed in it."""
    if batch is not None:
        raise click.UsageError(say("programme.batch_alone"))
    found = read_report(path)
    said = {"file": path.name, "title": found.scenario.title, "count": len(found.changes)}
    click.echo(say("calculation.handed_back" if found.changes else "calculation.handed_back_same", **said))
    for line in (*found.changes, *found.notes):
        click.echo(seen(line))
    return Opened(found.scenario, found.own, path)


def all_opened(named: Sequence[str], data: Path | None, batch: int | None) -> tuple[list[Opened], Panel | None]:
    """Open several, and the facts that are the user's own; they must be the same for all."""
    books = [one for one in named if is_workbook(one)]
    if batch is not None and not books:
        raise click.UsageError(say("programme.batch_alone"))
    found = [
        opened(one, None if is_workbook(one) and len(books) < len(named) else data, batch if one in books else None)
        for one in named
    ]
    panels = {facts_csv(one.own): one.own for one in found if one.own is not None}
    if len(panels) > 1:
        raise DataError(say("programme.two_facts", files="、".join(books)))
    return found, next(iter(panels.values()), None)


def budget_request(found: Sequence[Opened], asked: dict[str, Any]) -> BudgetRequest:
    """What a budget is asked for: by the options, else by the workbook's sheets; an option in a sheet's place is said."""
    given = {name: value for name, value in asked.items() if value not in (None, "", {})}
    programme = found[0].programme
    if programme is None:
        return BudgetRequest([one.scenario for one in found], **given)
    written = request_of(programme, found[0].scenario.batch)
    for name, value in given.items():
        if name in _OPTIONS and _is_other(getattr(written, name), value):
            option, sheet, column = _OPTIONS[name]
            place = forms()[sheet].title + (f" {forms()[sheet].fields[column].words[0]}" if column else "")
            click.echo(say("programme.overridden", option=option, place=place))
    return replace(written, **given)


def _is_other(written: Any, given: Any) -> bool:
    """Whether an option takes the place of something else that the workbook has."""
    if isinstance(written, pd.DataFrame):
        return True
    return written not in (None, "", {}, ()) and written != given


@contextmanager
def files_of(found: Opened, named: str, data: Path | None) -> Iterator[tuple[str, str]]:
    """A scenario and its facts as paths for another process, for as long as it needs them."""
    if found.workbook is None:
        yield (
            str(Path(named).resolve()) if named.endswith(".toml") else named,
            "" if data is None else str(data.resolve()),
        )
        return
    with TemporaryDirectory() as folder:
        facts = "" if found.own is None else str(write_whole(Path(folder) / FACTS, facts_csv(found.own)))
        yield str(save_bundle(found.scenario, Path(folder))), facts
