"""Yearly evaluation (年度绩效评价): one rubric for all, grades, and who goes on being supported (三（六）)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from zjtx_alloc.base.errors import DataError, ScenarioError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.resources import shipped_table, shipped_toml
from zjtx_alloc.base.text import shown
from zjtx_alloc.budget.ledger.cohorts import YEARS
from zjtx_alloc.firms.steps.rubric import Rubric, Scores, decimal, scored
from zjtx_alloc.firms.steps.select import select
from zjtx_alloc.firms.table.roll import Firms, marked, together
from zjtx_alloc.quota.problem.numbers import is_count

_FULL = 100


@dataclass(frozen=True)
class Evaluation:
    """Scores and grades of firms."""

    firms: Firms
    scores: Scores
    bands: dict[str, str]  #: Least score of each grade, best first.
    grade: pd.Series  #: Index ``firm`` (Series of str).

    @property
    def by_unit(self) -> pd.DataFrame:
        """Firms by unit (index) and grade (columns), int64."""
        counts = pd.crosstab(self.firms.table["unit"], self.grade)
        return counts.reindex(columns=list(self.bands), fill_value=0)

    def displayed(self) -> pd.DataFrame:
        """Every firm with its parts, score and grade, as people read it."""
        frame = self.firms.displayed(["unit", "credit_code", "name"]).join(self.scores.parts().round(4))
        added = {header("score"): self.scores.score.round(4), header("grade"): self.grade}
        return marked(frame.assign(**added), self.firms)


def evaluate(firms: Firms, rubric: Rubric, bands: Mapping[str, str] | None = None) -> Evaluation:
    """Evaluate firms by one rubric and grade them.

    Parameters
    ----------
    bands : mapping, optional
        Least score of each grade, as decimals; if not given 优 90, 良 80, 中 60, 差 0: the Ministry's general bands
        as a consultancy reports them, assumed, since the notice asks for grades and gives no bands (三（六）).

    Raises
    ------
    DataError
        If a column of the rubric is missing or blank for a firm.
    ScenarioError
        If a least score is no decimal from 0 to 100, two grades share one, or none begins at zero.
    """
    given = dict(shipped_toml("policy", "evaluation", "grades.toml")["least"] if bands is None else bands)
    bounds = {name: decimal(bound, say("evaluation.bound", grade=name), _FULL) for name, bound in given.items()}
    ordered = sorted(bounds, key=lambda name: -bounds[name])
    if len(set(bounds.values())) < len(bounds) or not bounds or bounds[ordered[-1]] != 0:
        raise ScenarioError(
            say("evaluation.grades", grades="、".join(f"{name}{bound}" for name, bound in given.items()))
        )
    scores = scored(firms, rubric)
    grade = pd.Series("", scores.exact.index, dtype=object)
    for name in reversed(ordered):
        grade = grade.mask(scores.reaches(bounds[name]), name)
    return Evaluation(firms, scores, {name: str(given[name]) for name in ordered}, grade.astype(str).rename("grade"))


def united(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Evaluations of several units, each by its own rubric, as one: firms numbered anew, scores on one scale."""
    scale = math.lcm(*(one.scores.scale for one in evaluations))
    exact = pd.concat([one.scores.exact * (scale // one.scores.scale) for one in evaluations], ignore_index=True)
    points = pd.concat([one.scores.points for one in evaluations], ignore_index=True)
    grade = pd.concat([one.grade for one in evaluations], ignore_index=True)
    firms, first = together(*(one.firms for one in evaluations)), evaluations[0]
    return Evaluation(firms, Scores(first.scores.rubric, points, exact, scale), first.bands, grade)


def continuing(evaluation: Evaluation, *, least: str | None = None, places: pd.Series | None = None) -> Firms:
    """The firms to go on supporting (继续支持), by threshold or by rank.

    Parameters
    ----------
    least : str, optional
        The least score, a decimal.
    places : Series of int, optional
        How many of each unit, index ``code``; the best by score and the rubric's tie rule.

    Raises
    ------
    DataError
        Unless exactly one of the two is given.
    ScenarioError
        If the least score is no decimal from 0 to 100.
    """
    if (least is None) == (places is None):
        raise DataError(say("evaluation.one"))
    if places is not None:
        return select(evaluation.firms, evaluation.scores.rubric, places).chosen
    reached = evaluation.scores.reaches(decimal(least, say("evaluation.least"), _FULL))
    return evaluation.firms.only(reached.index[reached])


def leaving(evaluation: Evaluation, goes_on: Firms, year: int) -> pd.Series:
    """The evaluated firms that are not to go on (不再继续支持), as ``settle`` needs them.

    Parameters
    ----------
    goes_on : Firms
        As ``continuing`` gives them; recognised by credit code.
    year : int
        The fiscal year in which the others leave.

    Returns
    -------
    Series of int
        The year by firm, numbered as the firms evaluated.

    Raises
    ------
    DataError
        If the year is none that a budget can have.
    """
    if not is_count(year, *YEARS):
        raise DataError(
            say("budget.no_year", name=say("evaluation.left"), year=shown(year), first=YEARS[0], last=YEARS[1])
        )
    codes = evaluation.firms.table["credit_code"]
    gone = codes.index[~codes.isin(goes_on.table["credit_code"])]
    return pd.Series(year, gone, dtype="int64", name="left")


def due_on(day: date) -> date:
    """The next day on which a year's evaluation is to be reported (每年4月30日前), from this day on."""
    month, of_month = map(
        int, str(shipped_table("policy/deadlines.csv", "key").at["evaluation", "month_day"]).split("-")
    )
    this_year = date(day.year, month, of_month)
    return this_year if day <= this_year else this_year.replace(year=day.year + 1)
