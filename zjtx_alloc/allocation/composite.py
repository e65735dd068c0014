"""Composite indicators of a scenario: each with every step it went through, and as a column of the panel."""

import math
from dataclasses import dataclass, replace

import pandas as pd
from pandas.api.types import is_numeric_dtype

from zjtx_alloc.allocation import composite_steps as steps
from zjtx_alloc.base.errors import ScenarioError
from zjtx_alloc.base.messages import say
from zjtx_alloc.facts.panel import FILLED, GROUNDS, KNOWN, SUPPLIED, Panel, grounds_of
from zjtx_alloc.rules.composite_form import Part, Recipe, leaves
from zjtx_alloc.rules.composite_laws import Laws, laws
from zjtx_alloc.rules.scenario import Scenario


@dataclass(frozen=True)
class Composite:
    """A composite indicator (综合指数) of the units, step by step. Frames: index ``code``, a column a part."""

    name: str
    recipe: Recipe  #: The scenario's lines.
    labels: pd.Series  #: Index part: Chinese name (Series of str).
    #: raw, treated, normalised: values as known or filled by the named rule (an indicator's measure); after
    #: treatment; on the common scale (DataFrame of float).
    raw: pd.DataFrame
    treated: pd.DataFrame  #: See ``raw``.
    normalised: pd.DataFrame  #: See ``raw``.
    weights: pd.Series  #: Index part; sums to 1 (Series of float).
    #: What each part adds; a row sums to ``score`` (Euler's theorem: see ``steps.contributions``) (DataFrame of
    #: float).
    contributions: pd.DataFrame
    score: pd.Series  #: Index ``code`` (Series of float).
    imputed: pd.DataFrame  #: Cells filled by the part's rule for missing values (DataFrame of bool).
    #: The least sure of what the cells beneath a unit's score rest on, at any depth; one of ``GROUNDS`` of the panel
    #: (Series of str).
    grounds: pd.Series
    stand_ins: tuple[str, ...]  #: Indicators beneath it, at any depth, that stand in for another (代用).
    nested: dict[str, "Composite"]  #: The parts that are composites themselves.
    laws: Laws

    @property
    def estimated(self) -> pd.Series:
        """Whether a unit's score rests on an estimated (估算) or filled cell, at any depth."""
        return ~self.grounds.isin([KNOWN, SUPPLIED])

    def correlations(self) -> pd.DataFrame:
        """Pearson correlations of the parts' normalised values and the score; blank for what does not vary."""
        frame = self.normalised.assign(score=self.score)
        varies = frame.nunique() > 1
        return frame.loc[:, varies].corr().reindex(index=frame.columns, columns=frame.columns)

    def influence(self) -> pd.DataFrame:
        """How much each part sets the score, beside the weight it was given.

        Returns
        -------
        DataFrame
            Index part; weight, sd (of the normalised values), correlation (with the score), effective:
            covariance of the part's contribution with the score over the score's variance, which sums to 1. Of an
            arithmetic mean it is weight × sd × correlation / sd of the score: what a weight comes to once spread
            and correlation are counted (that weights are not it: Paruolo, Saisana & Saltelli 2013). Blank if the
            score does not vary.
        """
        spread = self.score.var()
        share = self.contributions.apply(lambda part: part.cov(self.score)) / (spread if spread > 0 else float("nan"))
        return pd.DataFrame(
            {
                "weight": self.weights,
                "sd": self.normalised.std(),
                "correlation": self.correlations()["score"].drop("score"),
                "effective": share,
            }
        )

    def leaf_weights(self) -> pd.Series:
        """Each indicator's weight in the whole tree: the product of the weights above it; sums to 1.

        This is what COINr calls effective weights (``get_eff_weights``). An indicator in two branches has their sum.
        """
        found: dict[str, float] = {}
        for code, weight in self.weights.items():
            below = self.nested[code].leaf_weights() if code in self.nested else pd.Series({code: 1.0})
            for leaf, part in below.items():
                found[str(leaf)] = found.get(str(leaf), 0.0) + weight * part
        return pd.Series(found, name="weight").rename_axis("indicator")


@dataclass(frozen=True)
class _Column:
    label: str
    raw: pd.Series
    treated: pd.Series
    normalised: pd.Series
    imputed: pd.Series
    grounds: pd.Series


def compose(panel: Panel, scenario: Scenario, name: str) -> Composite:
    """Compute a composite indicator of a scenario, and those beneath it.

    Raises
    ------
    ScenarioError
        If the scenario has no such composite.
    DataError
        If cells are missing without a rule, or a step refuses its values: names the part, the units, the remedy.
    """
    if name not in scenario.composites:
        known = "、".join(scenario.composites) or "—"
        raise ScenarioError(say("composite.unknown", name=name, known=known))
    return _composed(panel, scenario, name, {})


def _composed(panel: Panel, scenario: Scenario, name: str, made: dict[str, Composite]) -> Composite:
    """A composite and those beneath it; what has been made already is taken from ``made``, what is new is added."""
    if name in made:
        return made[name]
    recipe = scenario.composites[name]
    what = say("composite.what", title=recipe.title)
    nested = {code: _composed(panel, scenario, code, made) for code, part in recipe.parts.items() if not part.period}
    columns = {
        code: _nested(nested[code], part, what) if code in nested else _column(panel, code, part, what)
        for code, part in recipe.parts.items()
    }
    scores = pd.DataFrame({code: column.normalised for code, column in columns.items()})
    weights = steps.weights_of(recipe, scores, what)
    made[name] = Composite(
        name=name,
        recipe=recipe,
        labels=pd.Series({code: column.label for code, column in columns.items()}),
        raw=pd.DataFrame({code: column.raw for code, column in columns.items()}),
        treated=pd.DataFrame({code: column.treated for code, column in columns.items()}),
        normalised=scores,
        weights=weights,
        contributions=steps.contributions(scores, weights, recipe, what),
        score=steps.aggregated(scores, weights, recipe, what),
        imputed=pd.DataFrame({code: column.imputed for code, column in columns.items()}),
        grounds=pd.DataFrame({code: column.grounds for code, column in columns.items()}).apply(_least_sure, axis=1),
        stand_ins=_stand_ins(panel, scenario, name),
        nested=nested,
        laws=laws(scenario.composites, name),
    )
    return made[name]


def with_composites(panel: Panel, scenario: Scenario) -> tuple[Panel, tuple[Composite, ...]]:
    """The panel with the scenario's composites as indicators, for whatever reads factors, and the composites themselves.

    A composite has no period (blank) and no source of its own. Without composites the panel is returned as it is.

    Raises
    ------
    DataError
        Also if a score that is to be shared out is negative, or all are zero.
    """
    factors = {code for pool in scenario.all_pools().values() for code in pool.factors}
    made: dict[str, Composite] = {}
    whole = panel
    for name, recipe in scenario.composites.items():
        found = _composed(panel, scenario, name, made)
        if name in factors:
            steps.shares(found.score, say("composite.score", title=recipe.title))
            whole = _with_column(whole, found)
    return whole, tuple(made[name] for name in scenario.composites)


def _with_column(panel: Panel, composite: Composite) -> Panel:
    blank = {name: math.nan if is_numeric_dtype(kind) else "" for name, kind in panel.cells.dtypes.items()}
    own = {"value": composite.score, "estimated": composite.estimated, "status": composite.grounds}
    cells = pd.DataFrame(blank | own)
    keys = [[composite.name], [""], composite.score.index]
    cells.index = pd.MultiIndex.from_product(keys, names=panel.cells.index.names)
    kept = panel.cells[panel.cells.index.get_level_values("indicator") != composite.name]
    described = {"name": composite.recipe.title, "measure": say("composite.measure"), "direction": "1"}
    row = dict.fromkeys(panel.indicators.columns, "") | described
    indicators = panel.indicators.drop(index=composite.name, errors="ignore")
    indicators = pd.concat([indicators, pd.DataFrame(row, index=[composite.name])])
    return replace(
        panel,
        indicators=indicators.rename_axis(panel.indicators.index.name),
        cells=pd.concat([kept, cells.astype(panel.cells.dtypes)]).sort_index(),
    )


def _column(panel: Panel, code: str, part: Part, what: str) -> _Column:
    label = panel.name(code)
    described = say("composite.part", what=what, name=f"{label} {panel.supplied.get(code, part.period)}")
    cells = panel.known(code, part.period).reindex(panel.units.index)
    blank = cells["value"].isna()
    raw = steps.imputed(cells["value"].astype(float), part.missing, described)
    value = steps.treated(raw, part.treatment, described)
    grounds = grounds_of(cells.assign(estimated=cells["estimated"].eq(True))).where(~blank, FILLED)
    return _Column(label, raw, value, steps.normalised(value, part, described), blank, grounds)


def _nested(child: Composite, part: Part, what: str) -> _Column:
    described = say("composite.part", what=what, name=child.recipe.title)
    score = steps.normalised(child.score, part, described)
    return _Column(
        child.recipe.title, child.score, child.score, score, pd.Series(False, child.score.index), child.grounds
    )


def _least_sure(grounds: pd.Series) -> str:
    return max(grounds, key=GROUNDS.index)


def _stand_ins(panel: Panel, scenario: Scenario, name: str) -> tuple[str, ...]:
    """Indicators beneath a composite that stand in for another; refuses a stand-in for nothing known."""
    found: dict[str, None] = {}
    for code, part in leaves(scenario.composites, name):
        if part.stand_in_for is not None and part.stand_in_for not in panel.indicators.index:
            raise ScenarioError(say("factors.stand_in", indicator=code, target=part.stand_in_for))
        if panel.stands_in(code, part.stand_in_for):
            found[code] = None
    return tuple(found)
