"""Assumed outcomes (期末结果): how many firms complete, as ranges, and how alike firms fare. Never official.

The notice gives no rate and the new round has no result yet, so an assumption is a file in
``data/outcomes``, named in every output, beside what the first round's lists show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.base.toml_files import Strict, load_form, shipped_files
from zjtx_alloc.rules.scenario_uncertainty import ExactShare

_TRIES = 100  # Newton's method settles in about ten, at the ends of what is admitted in thirty
_NOISE = 1e-12  # of a dual in floats
COMPLETED = "completed"


class Completion(Strict):
    """Share of firms that complete: a national mean, and the range the nation may move in."""

    low: ExactShare
    mean: ExactShare
    high: ExactShare


class Otherwise(Strict):
    """How the firms that do not complete divide; the shares sum to one."""

    missed: ExactShare
    discontinued: ExactShare
    under_invested: ExactShare


class OutcomeAssumption(Strict):
    """An assumption on outcomes, complete and checked."""

    name: str  #: name, title: file name; Chinese title.
    title: str  #: See ``name``.
    #: Low, mean and high share of firms that complete (完成), decimal strings so that they are exact.
    completed: Completion
    otherwise: Otherwise  #: How the firms that do not complete divide, in every state of the nation alike.
    #: Intra-class correlation of two firms of one unit in a given state of the nation (Dirichlet-multinomial).
    rho_unit: ExactShare
    #: Correlation of any two firms through the state of the nation; 0 switches the national shock off.
    rho_nation: ExactShare
    nodes: int = Field(ge=3, le=200)  #: States of the nation, evenly spaced from low to high.
    #: How far what is known of some batches tells of the others: their state of the nation is theirs with this
    #: probability, and else drawn anew. No evidence says how much; 0 learns nothing for other batches, 1 all.
    common_experience: ExactShare = "0.5"
    basis: Mapping[str, str]  #: What each number rests on.

    @model_validator(mode="after")
    def _possible(self) -> "OutcomeAssumption":
        low, mean, high = self._completion
        if not low <= mean <= high:
            raise ValueError(
                say("outcomes.order", low=self.completed.low, mean=self.completed.mean, high=self.completed.high)
            )
        if sum(self._otherwise.values()) != 1:
            raise ValueError(say("outcomes.otherwise", sum=float(sum(self._otherwise.values()))))
        if Fraction(self.rho_unit) == 1:
            raise ValueError(say("outcomes.rho_unit"))
        spread = Fraction(self.rho_nation) * mean * (1 - mean)
        # Beyond a uniform spread the extremes would be likelier than the middle.
        if 12 * spread > (high - low) ** 2 or (spread and 2 * spread >= (mean - low) * (high - mean)):
            raise ValueError(say("outcomes.too_spread", rho=self.rho_nation, low=float(low), high=float(high)))
        # Between two states half a step apart from the mean, no smaller spread can be had.
        if spread and 4 * spread < ((high - low) / (self.nodes - 1)) ** 2:
            raise ValueError(say("outcomes.too_few", rho=self.rho_nation, nodes=self.nodes))
        return self

    @property
    def _completion(self) -> tuple[Fraction, Fraction, Fraction]:
        return Fraction(self.completed.low), Fraction(self.completed.mean), Fraction(self.completed.high)

    @property
    def _otherwise(self) -> dict[str, Fraction]:
        return {outcome: Fraction(share) for outcome, share in self.otherwise.model_dump().items()}

    def ranges(self) -> pd.DataFrame:
        """Share of firms by outcome (index): columns low, mean, high, floats."""
        low, mean, high = self._completion
        rows = {COMPLETED: (low, mean, high)}
        rows |= {name: ((1 - high) * s, (1 - mean) * s, (1 - low) * s) for name, s in self._otherwise.items()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "mean", "high"])
        return table.astype(float).rename_axis("outcome")

    @property
    def states(self) -> "States":
        """The states of the nation, their weights and rates."""
        low, mean, high = map(float, self._completion)
        variance = float(Fraction(self.rho_nation)) * mean * (1 - mean)
        if variance == 0:  # no national shock, or all firms fare alike for sure
            completed, weights = np.array([mean]), np.array([1.0])
        else:
            completed = np.linspace(low, high, self.nodes)
            weights = _flattest(completed, mean, variance)
        rates = {COMPLETED: completed} | {n: (1 - completed) * float(s) for n, s in self._otherwise.items()}
        return States(weights, pd.DataFrame(rates))

    def note(self) -> str:
        """The assumption in one sentence, for the foot of every table and figure."""
        low, mean, high = map(float, self._completion)
        return say(
            "outcomes.note",
            title=self.title,
            low=low,
            mean=mean,
            high=high,
            under=float(self._otherwise["under_invested"]),
            rho_unit=self.rho_unit,
            rho_nation=self.rho_nation,
            nodes=len(self.states.weights),
            common=self.common_experience,
        )


@dataclass(frozen=True)
class States:
    """The declared mixture: states of the nation, common to all units and batches."""

    weights: np.ndarray  #: Probability of each state (array of float).
    rates: pd.DataFrame  #: A row a state, a column an outcome: share of firms.


def load_outcomes(name_or_path: str | Path) -> OutcomeAssumption:
    """Load an assumption by shipped name (``optimistic``, ``central``, ``stress``) or from a ``.toml`` file.

    Raises
    ------
    ScenarioError
        If there is no such file, or it is wrong, naming the key and the remedy.
    """
    return load_form("outcomes", name_or_path, OutcomeAssumption, named=True, unknown="outcomes.unknown")


def outcome_names() -> tuple[str, ...]:
    """Names of the shipped assumptions."""
    return tuple(shipped_files("outcomes"))


def outcome_evidence() -> pd.DataFrame:
    """What the first round's lists show: firms kept after one or two evaluations. Why firms left is unknown.

    Returns
    -------
    DataFrame
        Columns round, batch, evaluations, kept, selected (firms), share, period, source, note.
    """
    table = pd.read_csv(shipped("data", "outcomes", "evidence.csv"), dtype={"period": str}, encoding="utf-8")
    table.insert(5, "share", table["kept"] / table["selected"])
    return table


def _flattest(values: np.ndarray, mean: float, variance: float) -> np.ndarray:
    """Weights of greatest entropy on given values with exactly this mean and variance (Jaynes 1957).

    Newton's steps down the dual, which is convex; shortened where the whole step would lead up, as near an end of the
    range it may.
    """
    z = (values - mean) / np.sqrt(variance)
    powers = np.stack([z, z * z])
    aim, tilt = np.array([0.0, 1.0]), np.array([0.0, -0.5])
    for _ in range(_TRIES):
        weights, dual = _tilted(tilt, powers, aim)
        moments = powers @ weights
        if np.abs(moments - aim).max() < 1e-13:
            break
        centred = powers - moments[:, None]
        step = np.linalg.solve((centred * weights) @ centred.T, aim - moments)
        step = step * min(1.0, 2.0 / np.abs(step).max())
        while _tilted(tilt + step, powers, aim)[1] > dual + _NOISE * (1 + abs(dual)):
            step = step / 2
        tilt = tilt + step
    return weights


def _tilted(tilt: np.ndarray, powers: np.ndarray, aim: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights in proportion to e^(tilt · powers), and the dual: the logarithm of their sum less tilt · aim."""
    weights = np.exp((logs := tilt @ powers) - logs.max())
    whole = weights.sum()
    return weights / whole, float(logs.max() + np.log(whole) - tilt @ aim)
