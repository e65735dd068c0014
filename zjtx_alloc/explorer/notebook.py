"""The explorer in a notebook: the same page in a frame, and questions of one control each, answered in words."""

from collections.abc import Callable, Sequence
from typing import Any

from IPython.display import HTML, Markdown

from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.base.errors import ZjtxError
from zjtx_alloc.base.messages import say
from zjtx_alloc.explorer.controls import addable
from zjtx_alloc.explorer.server import opened, started
from zjtx_alloc.explorer.state import act, in_force, start
from zjtx_alloc.facts.panel import load_panel
from zjtx_alloc.report.table import signed
from zjtx_alloc.rules.scenario import DEFAULT
from zjtx_alloc.rules.scenario_files import load_scenario

try:
    import ipywidgets
except ImportError:  # of the extra web: without it each question is answered once
    ipywidgets = None

_HEIGHT = 1100  # of the frame, in pixels
# JupyterLab's own, and the page's font after them: Chinese shows where the system has no font for it.
_FONTS = {"ui": "system-ui, sans-serif", "content": "system-ui, sans-serif", "code": "Menlo, Consolas, monospace"}


def explore(scenario: str = "2024-baseline", data: str = "", folder: str = "") -> HTML:
    """The explorer of a scenario, which stays the baseline (对照) until another case is chosen.

    Parameters
    ----------
    scenario : str
        A shipped name or the path of a ``.toml`` file.
    data : str
        Path of a table of facts; the shipped ones if blank.
    folder : str
        Where scenarios are saved to and opened from; the working folder if blank.

    Raises
    ------
    DataError, ScenarioError, InfeasibleError, SolverError
        If the baseline itself cannot be computed.
    """
    address, _ = started(opened(scenario, data, folder))
    fonts = "".join(f"--jp-{kind}-font-family: {names}, zjtx;" for kind, names in _FONTS.items())
    style = f'@font-face {{ font-family: zjtx; src: url("{address}font.otf"); }} body {{ {fonts} }}'
    frame = f'<iframe src="{address}" title="{say("explorer.heading")}" width="100%" height="{_HEIGHT}"></iframe>'
    return HTML(f"<style>{style}</style>{frame}")


class WhatIf:
    """Questions about a scenario: each changes one thing and says who gains and who loses places by it.

    Parameters
    ----------
    scenario, data : str
        As ``explore`` takes them.
    """

    def __init__(self, scenario: str = "2024-baseline", data: str = "") -> None:
        self.panel = load_panel(data or None)
        self.allocation = allocate_batch(self.panel, load_scenario(scenario))
        self.state = start(self.allocation.scenario)

    def region_floor(self, region: str, places: int) -> Markdown:
        """What if the units of a region get this many places together, at least?"""
        name = say("explorer.region_together", region=region)
        return self._answer(("rule", name, region, [places, ""], ""))

    @property
    def factors(self) -> list[tuple[str, str]]:
        """The indicators that can be a factor: what each is called, and what ``weight`` calls it."""
        return [(label, one) for one, label in addable(self.panel).items()]

    def weight(self, factor: str, weight: float) -> Markdown:
        """What if an indicator, which need not be a factor yet, has this weight in its pool, the first of several?"""
        pool = next(iter(self.state.scenario.all_pools()))
        return self._answer(("factor", pool, factor), ("weight", pool, factor.partition(" ")[0], 100 * weight))

    def cap(self, places: int) -> Markdown:
        """What if no unit gets more than this many places?"""
        return self._answer(("bound_all", "cap", DEFAULT, places))

    def total(self, places: int) -> Markdown:
        """What if there are this many places in all?"""
        return self._answer(("total", places))

    def floor(self, places: int) -> Markdown:
        """What if every unit gets this many places, at least?"""
        return self._answer(("bound_all", "floor", DEFAULT, places))

    def _answer(self, *moves: tuple[Any, ...]) -> Markdown:
        state = self.state
        try:
            for name, *arguments in moves:
                state = act(state, name, arguments)
            tried = allocate_batch(self.panel, in_force(state))
        except ZjtxError as error:
            return Markdown(str(error))
        units, steps = self.panel.units, tried.quota - self.allocation.quota
        regions = steps.groupby(units["region"], sort=False).sum()
        gains, losses = (
            "、".join(f"{units.at[code, 'short_name']}{signed(step)}" for code, step in some.items()) or "—"
            for some in (steps[steps > 0].sort_values(ascending=False), steps[steps < 0].sort_values())
        )
        by_region = "、".join(f"{region}{signed(step)}" for region, step in regions.items())
        return Markdown(say("explorer.answer", total=tried.total, gains=gains, losses=losses, regions=by_region))


def without_sliders() -> Markdown | None:
    """How to get sliders where there are none."""
    return Markdown(say("explorer.without_sliders")) if ipywidgets is None else None


def slider(label: str, value: float, least: float, most: float, step: float) -> Any:
    """A slider for whole numbers or, where ``step`` is none, for others; the value itself where there are no sliders."""
    if ipywidgets is None:
        return value
    kind = ipywidgets.IntSlider if isinstance(step, int) else ipywidgets.FloatSlider
    return kind(value, min=least, max=most, step=step, description=label, continuous_update=False)


def choice(label: str, options: Sequence[Any], value: Any) -> Any:
    """A list to choose from; the value itself where there is none."""
    return value if ipywidgets is None else ipywidgets.Dropdown(options=options, value=value, description=label)


def ask(question: Callable[..., Markdown], **controls: Any) -> Markdown | None:
    """Show controls with the answer under them, anew at every change; where there are none, the answer to their values."""
    if ipywidgets is None:
        return question(**controls)
    ipywidgets.interact(question, **controls)
    return None
