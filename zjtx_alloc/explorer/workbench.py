"""The workbench (试算台): the one thing that changes, and what it shows of itself.

What a page asks for is done here and answered with the HTML of every part; the page changes what differs.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any, ClassVar

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.base.errors import InfeasibleError, ScenarioError, ZjtxError
from zjtx_alloc.base.files import check_absent
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.explorer import state as states, view
from zjtx_alloc.explorer.controls import button, controls, field, member_choices
from zjtx_alloc.explorer.files import (
    LEAVING,
    MOST_BYTES,
    Case,
    called,
    comparison_taken_away,
    listed,
    read_cases,
    read_upload,
    taken_away,
)
from zjtx_alloc.facts.panel import Panel
from zjtx_alloc.report.figures.svg import bars_svg
from zjtx_alloc.report.runs.records import facts_csv
from zjtx_alloc.rules.scenario_files import save_bundle, scenario_names
from zjtx_alloc.uncertainty.weight_range import WeightRange, ranges_of

_SILENT = ("explain", "look")  # what a page asks for by itself, whatever was said last
_MOST_PAST = 200  # moves that can be taken back


class Workbench:
    """A scenario in the hand, and the cases beside it; the first stays what is compared with until another is chosen.

    Parameters
    ----------
    case : Case
    folder : Path
        Where scenarios are saved to and opened from.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        If the case cannot be computed.

    Attributes
    ----------
    state : State
        What the controls say now.
    allocation : Allocation
        The last one that could be computed.
    failure : ZjtxError or None
        Why the state has no allocation of its own.
    cases : dict of Allocation
        What can be compared with, by name: the baseline first, then what was saved or opened here.
    """

    def __init__(self, case: Case, folder: Path) -> None:
        self.folder, self.first_own = folder, case.own
        self.past: list[tuple[states.State, Panel | None, Panel]] = []
        self.reference = case.scenario.name
        self.state, self.own, self.panel = states.start(case.scenario), case.own, case.panel
        self._show(case)
        self.past.clear()
        if self.failure is not None:
            raise self.failure
        self.cases: dict[str, Allocation] = {self.reference: self.allocation}
        self.unit, self.tab, self.order = str(self.panel.units.index[0]), view.TABS[0], view.OFFICIAL
        self.waiting: dict[str, Case] = {}  # further batches of an opened workbook
        self.explained: tuple[Allocation | None, str] = None, ""
        self.picked: set[str] = {self.reference}
        self.notice, self.is_refused = "", False
        self.ranges: tuple[Allocation | None, WeightRange | None] = None, None
        self.drawn: dict[str, tuple[tuple[Any, ...], str, tuple[Any, ...]]] = {}

    def _show(self, case: Case) -> None:
        """Take a scenario in the hand; one whose rules clash too, so that they can be loosened."""
        scenario = case.scenario
        failure: ZjtxError | None = None
        try:
            self.allocation = allocate_batch(case.panel, scenario)
            scenario = self.allocation.scenario  # a user's own columns in the place of what stood in for them
            self.computed = case.panel, scenario
        except InfeasibleError as error:
            failure = error
        self._remember()
        self.own, self.panel = case.own, case.panel
        self.state, self.failure = states.start(scenario), failure
        self.notice = "\n".join([say("explorer.loaded", title=scenario.title), *case.notes])

    def warm_up(self) -> None:
        """Pay now for what a first move pays: modules on first use, tables that are read once."""
        (simplex, weights), *_ = states.simplices(self.state.scenario).items()
        moved = states.with_weight(self.state, simplex, next(iter(weights)), 0.5)
        with suppress(ZjtxError):
            found = allocate_batch(self.panel, states.in_force(moved))
            view.why_html(found, self.unit, found.problem.nested)

    @property
    def baseline(self) -> Allocation:
        """What everything is compared with."""
        return self.cases[self.reference]

    def do(self, name: str, arguments: Sequence[Any]) -> dict[str, Any]:
        """Do what a page asks for, and answer with all parts; what is refused changes nothing and is said.

        Raises
        ------
        KeyError, TypeError, ValueError
            If no page of ours asks for such a thing.
        """
        if name in _SILENT:
            self._ACTS[name](self)
            return self.answer() | {"refused": False}
        self.notice, self.is_refused = "", False
        try:
            if name in states.MOVES:
                self._move(states.act(self.state, name, arguments))
            else:
                self._ACTS[name](self, *arguments)
        except ZjtxError as error:
            self.notice, self.is_refused = str(error), True
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """All parts as they are now; whether they are of an earlier state, whether the last request was refused.

        ``more``: why the unit gets its number takes longer than the rest, and waits for ``explain``.
        """
        parts = self.parts()
        flags = {"stale": self.failure is not None, "refused": self.is_refused, "more": not self._is_explained()}
        return {"parts": parts} | flags

    def parts(self) -> dict[str, str]:
        """The HTML of every part of the page, by the id of its element."""
        shown, baseline = self.allocation, self.baseline
        return controls(self.state, self.panel) | {
            "file": self._file(),
            "leave": self._leaving(),
            "notice": view.notice_html(self.notice, self.is_refused),
            "message": "" if self.failure is None else view.failure_html(self.failure),
            "head": view.head_html(shown, baseline, self.reference, {name: called(name) for name in self.cases}),
            "map": self._kept("map", view.map_html, shown, baseline, self.unit),
            "why": self._kept("why", view.why_html, shown, self.unit, self._is_explained()),
            "tabs": view.tabs_html(self.tab),
            "view": self._view(),
        }

    def page(self) -> str:
        """The whole page, for its first view."""
        frame = Template(shipped("data", "explorer.html").read_text(encoding="utf-8"))
        words = {
            name: say(f"explorer.{name}")
            for name in ("heading", "intro", "working", "lost", "undone", "heavy", *_SECTIONS)
        }
        safe = {name: html.escape(text) for name, text in words.items()}
        flags = {"more": "" if self._is_explained() else "more", "stale": "is-stale" if self.failure else ""}
        return frame.substitute(
            self.parts(),
            **flags,
            most=MOST_BYTES,
            members=member_choices(),
            **{f"say_{k}": v for k, v in safe.items()},
        )

    def leave(self, kind: str) -> tuple[str, bytes]:
        """A file to take away, and its name.

        Raises
        ------
        ScenarioError
            If the controls say what has no allocation.
        """
        if kind == "comparison":
            picked = {name: self.cases[name] for name in self._picked()}
            owns = {facts_csv(own) if own else b"": own for own in map(_own, picked.values())}
            if len(owns) > 1:
                raise ScenarioError(say("explorer.other_facts", names="、".join(map(called, picked))))
            named = [one.scenario.model_copy(update={"name": name}) for name, one in picked.items()]
            return comparison_taken_away(named, *owns.values())
        if self.failure is not None:
            raise ScenarioError(say("explorer.no_leave"))
        return taken_away(kind, Case(states.in_force(self.state), self.own))

    def _move(self, state: states.State) -> None:
        if state != self.state:
            self._remember()
            self.state = state
            self._compute()

    def _remember(self) -> None:
        self.past = [*self.past[-_MOST_PAST:], (self.state, self.own, self.panel)]

    def _compute(self) -> None:
        """Compute what the controls say, if it is not what is shown; if that fails, keep the last result."""
        try:
            scenario = states.in_force(self.state)
            if not (self.computed[0] is self.panel and self.computed[1] == scenario):
                self.allocation, self.computed = allocate_batch(self.panel, scenario), (self.panel, scenario)
            self.failure = None
        except ZjtxError as error:
            self.failure = error

    def _view(self) -> str:
        """The tab that is open; only that is drawn."""
        shown, baseline, (_, found) = self.allocation, self.baseline, self.ranges
        first = sorted(self.cases, key=lambda name: name != self.reference)
        named = tuple((name, called(name)) for name in first)
        draw: dict[str, tuple[Any, ...]] = {
            "changes": (view.changes_html, shown, baseline),
            "bars": (bars_svg, shown, baseline, self.unit),
            "table": (view.table_html, shown, baseline, self.unit, self.order),
            "regions": (view.regions_html, shown, baseline),
            "money": (view.money_html, called(self.reference), baseline, shown),
            "range": (view.range_html, found, not self._is_ranged()),
            "cases": (view.cases_html, self.cases, tuple(self._picked()), named),
        }
        return self._kept("view", *draw[self.tab])

    def _kept(self, part: str, draw: Callable[..., str], *of: Any) -> str:
        """A part as it was drawn, drawn again only where it is of something else."""
        names = tuple(one if isinstance(one, str | bool | tuple) else id(one) for one in (draw, *of))
        key, drawn, _ = self.drawn.get(part, ((), "", ()))
        if key != names:
            try:
                drawn = draw(*of)
            except ZjtxError as error:
                drawn = view.notice_html(str(error), is_error=True)
            self.drawn[part] = names, drawn, of  # what it is of stays, so that nothing else gets its id
        return drawn

    def _picked(self) -> list[str]:
        """The cases picked, what is compared with before the others."""
        return sorted((name for name in self.cases if name in self.picked), key=lambda name: name != self.reference)

    def _file(self) -> str:
        saved = {f"{name}.toml" for name in self.cases}
        names = dict.fromkeys(
            [*(name for name in listed(self.folder) if name not in saved), *self.waiting, *self.cases]
        )
        options = "".join(f'<option value="{html.escape(name)}">{html.escape(called(name))}</option>' for name in names)
        undo = button(say("explorer.undo"), ("undo",)) if self.past else ""
        reset = button(say("explorer.reset"), ("reset",)) if self.past else ""
        names_of = ("title", "open", "open_from", "upload", "save", "save_as")
        said = {name: html.escape(say(f"explorer.{name}")) for name in names_of}
        title = field("text", self.state.scenario.title, ("title",), id="title")
        return (
            f"<div class=row>{undo}{reset}</div><div class=add><label>{said['title']}{title}</label></div>"
            f'<form class=add novalidate data-fields="[&quot;name&quot;]" data-do="[&quot;open&quot;]">'
            f"<label>{said['open_from']}<select name=name>{options}</select></label><button>{said['open']}</button></form>"
            f"<label class=upload><input type=file id=upload accept=.xlsx,.toml>{said['upload']}</label>"
            f'<form class=add novalidate data-fields="[&quot;name&quot;]" data-do="[&quot;save&quot;]">'
            f"<label>{said['save_as']}<input name=name></label><button>{said['save']}</button></form>"
        )

    def _leaving(self) -> str:
        if self.failure is not None:
            return f"<p>{html.escape(say('explorer.no_leave'))}</p>"
        kinds = [*LEAVING, *(["comparison"] if len(self._picked()) > 1 else [])]
        links = (
            f'<a href="leave/{kind}" data-leave>{html.escape(say(f"explorer.leave_{kind}"))}</a>' for kind in kinds
        )
        return f"<p>{''.join(links)}</p><p class=note>{html.escape(say('explorer.leave_note'))}</p>"

    def _open(self, name: str) -> None:
        if name in self.cases:
            self._show(Case(self.cases[name].scenario, _own(self.cases[name])))
        elif name in self.waiting:
            self._show(self.waiting[name])
        else:
            found = read_cases(self.folder / name if Path(name).suffix else Path(name), self.first_own)
            self._opened(found, is_listed=len(found) == 1)

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Open an uploaded file, and answer as ``do``."""
        self.notice, self.is_refused = "", False
        try:
            found = read_upload(name, content, self.first_own)
            self._opened(found)
        except ZjtxError as error:
            self.notice, self.is_refused = str(error), True
        return self.answer()

    def _opened(self, found: Mapping[str, Case], is_listed: bool = False) -> None:
        """Show the first of a file's scenarios, and keep what no list would name otherwise."""
        first, *_ = found.values()
        self._show(first)
        for name, case in () if is_listed else found.items():
            is_taken = name in scenario_names() or name in self.cases
            self.waiting[say("explorer.from_file", name=name) if is_taken else name] = case

    def _save(self, name: str) -> None:
        """Keep what the controls say as a case, and as a file that the commands read."""
        if self.failure is not None:
            raise ScenarioError(say("explorer.no_leave"))
        stem = Path(name.strip()).name.removesuffix(".toml") or self._free_name()
        check_absent(self.folder / f"{stem}.toml")
        others = {*self.cases, *self.waiting, *scenario_names()}
        if stem in {*others, *map(called, others), say("explorer.now")}:
            raise ScenarioError(say("explorer.case_there", name=stem))
        scenario = states.in_force(self.state).model_copy(update={"name": stem})
        saved = save_bundle(scenario, self.folder)
        self.cases[stem] = replace(self.allocation, scenario=scenario)
        self.picked |= {stem}
        without = [] if self.own is None else [say("explorer.saved_without")]
        self.notice = "\n".join([say("explorer.saved", file=saved.resolve()), *without])

    def _free_name(self) -> str:
        names = (say("explorer.case", number=number) for number in range(1, 10**6))
        return next(name for name in names if name not in self.cases and not (self.folder / f"{name}.toml").exists())

    def _undo(self) -> None:
        if self.past:
            self.state, self.own, self.panel = self.past.pop()
            self._compute()

    def _reset(self) -> None:
        self._move(states.start(self.state.loaded))

    def _choose(self, unit: str) -> None:
        """Choose a unit, by its code or its place in the official order."""
        units = list(map(str, self.panel.units.index))
        self.unit = unit if unit in units else units[int(unit)]

    def _tab(self, name: str) -> None:
        self.tab = view.TABS[view.TABS.index(name)]
        if name == "range" and not self._is_ranged():
            doubt = self.allocation.scenario.uncertainty
            self.ranges = self.allocation, ranges_of(self.allocation) if doubt.weights or doubt.pools else None

    def _is_ranged(self) -> bool:
        """Whether the range is of what is shown, whatever that is called."""
        of, shown = self.ranges[0], self.allocation
        if of is None or of.panel is not shown.panel:
            return False
        return of.scenario.model_copy(update={"title": shown.scenario.title}) == shown.scenario

    def _is_explained(self) -> bool:
        """Where rules cross, an explanation is a dozen models and does not keep the numbers waiting."""
        return self.allocation.problem.nested or (
            self.explained[0] is self.allocation and self.explained[1] == self.unit
        )

    def _explain(self) -> None:
        self.explained = self.allocation, self.unit

    def _look(self) -> None:
        """Change nothing: another page may have changed something."""

    def _sort(self, order: str) -> None:
        self.order = order

    def _refer(self, name: str) -> None:
        self.reference = name if name in self.cases else self.reference

    def _pick(self, name: str, on: bool) -> None:
        self.picked = self.picked | {name} if on else self.picked - {name}

    def _relieve(self) -> None:
        """Loosen the rules that clash by the cheapest way out."""
        if isinstance(self.failure, InfeasibleError) and self.failure.diagnosis is not None:
            before = self.state.off
            self._move(states.relieved(self.state, self.failure.diagnosis.relaxation.changes))
            said = ["relieved"] if self.failure is None else []
            said += ["relieved_change"] if "change" in self.state.off - before else []
            self.notice = "\n".join(say(f"explorer.{one}") for one in said)

    _ACTS: ClassVar[Mapping[str, Callable[..., None]]] = {
        "open": _open, "save": _save, "undo": _undo, "reset": _reset, "unit": _choose, "tab": _tab, "sort": _sort,
        "explain": _explain, "look": _look, "reference": _refer, "pick": _pick, "relieve": _relieve,
    }  # fmt: skip


def _own(allocation: Allocation) -> Panel | None:
    """The facts of an allocation where they are the user's own."""
    return allocation.panel if allocation.panel.has_own else None


_SECTIONS = (
    "file", "weights_too", "bounds", "limits", "rules_too", "fixed_too", "batch", "leave", "results", "controls",
)  # fmt: skip
