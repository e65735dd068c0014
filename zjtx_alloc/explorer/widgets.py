"""The explorer's page: controls on one side, pictures on the other. This module alone knows ipywidgets.

A control's change makes a new ``State``; the state is computed and drawn; of the outputs only those whose
text changed travel to the page.
"""

import html
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as ui

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.base.errors import ZjtxError
from zjtx_alloc.base.files import check_absent
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.explorer import state as states
from zjtx_alloc.explorer.view import PARTS, failure_html, notice_html, view, why_html
from zjtx_alloc.facts.panel import Panel, load_panel
from zjtx_alloc.quota.problem.criteria import CRITERIA
from zjtx_alloc.report.notes.marks import criterion_text
from zjtx_alloc.report.writers.html import font_face
from zjtx_alloc.rules.own_columns import stand_ins_ended
from zjtx_alloc.rules.scenario import DEFAULT, Scenario
from zjtx_alloc.rules.scenario_files import load_scenario, save_bundle, scenario_names

_TEXTS = (
    "messages.zh.toml",
    "columns.csv",
    "units.csv",
    "indicators.csv",
    "sources.csv",
    "tiles.csv",
    "sources.csv",
)  # whose characters the page may show
# A click on a drawn unit chooses it in the list of units, which reaches the kernel.
_CHOOSE = (
    "const u=event.target.closest('[data-unit]'),s=document.querySelector('.zjtx-unit select');"
    "if(u&&s){s.selectedIndex=+u.dataset.unit;s.dispatchEvent(new Event('change',{bubbles:true}))}"
)


def explore(scenario: str = "2024-baseline", data: str = "", folder: str = "") -> ui.Widget:
    """The explorer of a scenario, which stays the baseline (对照) of everything tried.

    Parameters
    ----------
    scenario : str
        A shipped name or the path of a ``.toml`` file.
    data : str
        Path of a table of facts; the shipped ones if blank.
    folder : str
        Where scenarios are saved to and loaded from; the working folder if blank.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        If the baseline itself cannot be computed.
    """
    return Explorer(load_panel(data or None), load_scenario(scenario), Path(folder)).page


class Explorer:
    """The widgets, and the one thing that changes: the state that they show.

    Attributes
    ----------
    state : State
        What the controls say now.
    allocation : Allocation
        The last one that could be computed.
    outputs : dict of HTML
        By name: map, bars, changes, table, why, message, notice.
    page : Widget
        All of it.
    """

    def __init__(self, panel: Panel, scenario: Scenario, folder: Path) -> None:
        self.panel, self.folder = panel, folder
        self.baseline: Allocation = allocate_batch(panel, scenario)
        self.allocation = self.baseline
        self.outputs = {part: _html().add_class(f"zjtx-{part}") for part in (*PARTS, "why", "message", "notice")}
        units = [(name, code) for code, name in panel.units["short_name"].items()]
        self.unit = _heard(ui.Dropdown(options=units, description=say("explorer.unit")), lambda _code: self._draw())
        self.unit.add_class("zjtx-unit")
        self.controls = ui.VBox().add_class("zjtx-controls")
        self.page = _page(self.controls, self.unit, self.outputs)
        self._open(self.baseline.scenario)

    def _open(self, scenario: Scenario) -> None:
        """Show a scenario: build the controls that it asks for and compute it."""
        self.state = states.start(scenario)
        self.following = False  # whether the sliders are being set to the state, rather than by a hand
        self.sliders = {
            (simplex, name): _heard(_slider(weight), partial(self._weigh, simplex, name))
            for simplex, weights in states.simplices(scenario).items()
            for name, weight in weights.items()
        }
        self.controls.children = (
            _html(f"<h2>{html.escape(scenario.title)}</h2>"),
            *self._weight_controls(),
            *self._bound_controls(),
            *self._switch_controls(),
            *self._file_controls(),
        )
        self._compute()

    def _weight_controls(self) -> list[ui.Widget]:
        shown: list[ui.Widget] = []
        for simplex, weights in states.simplices(self.state.scenario).items():
            key = "weights" if simplex == "" else "shares" if simplex == states.SHARES else "pool_weights"
            shown.append(_heading(say(f"explorer.{key}", pool=simplex)))
            for name in weights:
                label = name if simplex == states.SHARES else self.panel.name(name)
                shown += [_html(f"<label>{html.escape(label)}</label>"), self.sliders[simplex, name]]
        return shown

    def _bound_controls(self) -> list[ui.Widget]:
        scenario = self.state.scenario
        given = {"total": scenario.total, "floor": scenario.floor[DEFAULT], "cap": scenario.cap[DEFAULT]}
        moves: dict[str, tuple[Any, ...]] = {"total": (states.with_total,)}
        moves |= {bound: (states.with_entry, bound, DEFAULT) for bound in ("floor", "cap")}
        shown: list[ui.Widget] = [_heading(say("explorer.bounds"))]
        for name, places in given.items():
            box = ui.IntText(places, description=say(f"explorer.{name}"))  # what is impossible is refused, not bent
            shown.append(_heard(box, partial(self._move, *moves[name])).add_class(f"zjtx-{name}"))
        shown.append(_heading(say("explorer.regions")))
        for region, value in scenario.region_coefficient.items():
            one = ui.FloatText(value, step=0.05, description=str(region))
            shown.append(_heard(one, partial(self._move, states.with_entry, "region_coefficient", region)))
        names = [(criterion_text(name), name) for name in CRITERIA]
        criterion = ui.Dropdown(options=names, value=scenario.criterion)
        return [*shown, _heading(header("criterion")), _heard(criterion, partial(self._move, states.with_criterion))]

    def _switch_controls(self) -> list[ui.Widget]:
        shown: list[ui.Widget] = [_heading(say("explorer.switches"))]
        for name, label in states.switches(self.state.scenario).items():
            box = ui.Checkbox(name not in self.state.off, description=label, indent=False)
            shown.append(_heard(box, partial(self._move, states.switched, name)).add_class("zjtx-switch"))
        return shown

    def _file_controls(self) -> list[ui.Widget]:
        self.save_as = ui.Text(placeholder=say("explorer.save_as"), layout=_wide()).add_class("zjtx-save-as")
        own = sorted(path.name for path in self.folder.glob("*.toml") if path.name != "pyproject.toml")
        choices = [*scenario_names(), *own]
        self.load_from = ui.Combobox(options=choices, placeholder=say("explorer.load_from"), layout=_wide())
        self.load_from.add_class("zjtx-load-from")
        save, load = (ui.Button(description=say(f"explorer.{name}")) for name in ("save", "load"))
        save.on_click(lambda _button: self._attempt(self._save))
        load.on_click(lambda _button: self._attempt(self._load))
        return [_heading(say("explorer.file")), self.save_as, save, self.load_from, load]

    def _move(self, move: Callable[..., states.State], *to: Any) -> None:
        self.state = move(self.state, *to)
        self._compute()

    def _weigh(self, simplex: str, name: str, weight: float) -> None:
        """One slider moved by hand; the others of its simplex follow."""
        if self.following:
            return
        self.state = states.with_weight(self.state, simplex, name, weight)
        self.following = True
        for other, held in states.simplices(self.state.scenario)[simplex].items():
            self.sliders[simplex, other].value = held
        self.following = False
        self._compute()

    def _compute(self) -> None:
        """Compute what the controls say; if that fails, say why and keep the last result, paled."""
        self.outputs["notice"].value = ""
        try:
            self.allocation = allocate_batch(self.panel, states.in_force(self.state))
        except ZjtxError as error:
            self.outputs["message"].value = failure_html(error)
            self._pale(True)
            return
        self.outputs["message"].value = ""
        self._pale(False)
        self._draw()

    def _draw(self) -> None:
        for part, drawn in view(self.allocation, self.baseline, self.unit.value).items():
            self.outputs[part].value = f'<div onclick="{_CHOOSE}">{drawn}</div>'
        self.outputs["why"].value = why_html(self.allocation, self.unit.value)

    def _pale(self, stale: bool) -> None:
        for part in (*PARTS, "why"):
            output = self.outputs[part]
            (output.add_class if stale else output.remove_class)("zjtx-stale")

    def _attempt(self, act: Callable[[], str]) -> None:
        try:
            described = act()
        except ZjtxError as error:
            described = str(error)
        self.outputs["notice"].value = notice_html(described)

    def _save(self) -> str:
        name = Path(self.save_as.value.strip()).name.removesuffix(".toml")
        if not name:
            return say("explorer.no_name")
        check_absent(self.folder / f"{name}.toml")
        saved = save_bundle(states.in_force(self.state).model_copy(update={"name": name}), self.folder)
        self.load_from.options = (*self.load_from.options, saved.name)
        return say("explorer.saved", file=saved.resolve())

    def _load(self) -> str:
        name = self.load_from.value.strip()
        if not name:
            return say("explorer.no_name")
        scenario = load_scenario(self.folder / name if name.endswith(".toml") else name)
        self._open(stand_ins_ended(self.panel, scenario))
        return say("explorer.loaded", title=scenario.title)


def _heard(widget: Any, act: Callable[[Any], None]) -> Any:
    """The widget, whose new values an action hears."""
    widget.observe(lambda change: act(change["new"]), names="value")
    widget.layout = _wide()
    widget.style.description_width = "8.5em"
    return widget


def _wide() -> ui.Layout:
    return ui.Layout(width="auto")


def _slider(weight: float) -> ui.FloatSlider:
    return ui.FloatSlider(weight, min=0.0, max=1.0, step=0.01, readout_format=".1%", continuous_update=False)


def _html(text: str = "") -> ui.HTML:
    return ui.HTML(text, layout=_wide())


def _heading(text: str) -> ui.HTML:
    return _html(f"<h4>{html.escape(text)}</h4>")


def _page(controls: ui.Widget, unit: ui.Widget, outputs: dict[str, ui.HTML]) -> ui.Widget:
    """Controls beside the pictures; under one another on a narrow screen (``data/explorer.css``)."""
    look, *texts = (shipped("data", name).read_text(encoding="utf-8") for name in ("explorer.css", *_TEXTS))
    head = _html(
        f"<style>{font_face(''.join(texts))}{look}</style><h1>{say('explorer.heading')}</h1><p>{say('explorer.intro')}</p>"
    )
    reasons = ui.VBox([unit, outputs["why"]]).add_class("zjtx-reasons")
    pictures = ui.Box([outputs["map"], reasons, outputs["changes"], outputs["bars"]]).add_class("zjtx-pictures")
    described = [outputs["notice"], outputs["message"], pictures, outputs["table"]]
    body = ui.Box([controls, ui.VBox(described).add_class("zjtx-outputs")]).add_class("zjtx-body")
    return ui.VBox([head, body]).add_class("zjtx-explorer")
