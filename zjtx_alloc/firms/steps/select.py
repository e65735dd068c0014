"""Selection (遴选): firms ranked by a uniform rubric within their unit's quota, ties ruled and shown."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.units import load_units
from zjtx_alloc.firms.steps.rubric import Rubric, Scores, decimal, indicator_name, scored, values_of, weighted
from zjtx_alloc.firms.table.roll import Firms, marked, whole_places
from zjtx_alloc.quota.problem.numbers import are_whole, is_count
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve

_LAST = "credit_code"


@dataclass(frozen=True)
class Selection:
    """Firms ranked and chosen."""

    firms: Firms  #: All firms ranked.
    scores: Scores
    places: pd.Series  #: Places by pool: (unit, city), city blank where a unit has no sub-quotas (Series of int64).
    #: Index ``firm``, in the order of pools and ranks: unit, city (of the pool), exact (score in integers), rank
    #: (from 1, within the pool), selected (bool).
    table: pd.DataFrame
    #: Equal scores at a cut line, where the tie rule decided: unit, city, score, tied (firms), selected (of them),
    #: decided_by (Chinese name of the first tie column that separates the last chosen from the first not chosen).
    ties: pd.DataFrame

    @property
    def chosen(self) -> Firms:
        """The firms selected, in the order of units and ranks."""
        return self.firms.only(self.table.index[self.table["selected"]])

    def only(self, firms: Firms) -> "Selection":
        """The same selection, of these firms alone: those approved of the ones recommended."""
        return replace(self, firms=firms, table=self.table.loc[self.table.index.isin(firms.table.index)])

    def displayed(self) -> pd.DataFrame:
        """Every firm with its parts, score, rank and whether selected, as people read it."""
        rows = self.table
        frame = self.firms.only(rows.index).displayed(["unit", "city", "credit_code", "name"])
        verdict = rows["selected"].map({True: say("selection.yes"), False: say("selection.no")})
        added = {header("score"): self.scores.score.round(4), header("rank"): rows["rank"], header("verdict"): verdict}
        return marked(frame.join(self.scores.parts().round(4)).assign(**added), self.firms)


def select(firms: Firms, rubric: Rubric, quota: pd.Series, cities: Mapping[str, pd.Series] | None = None) -> Selection:
    """Choose the best firms of each unit, as many as its quota.

    Parameters
    ----------
    firms : Firms
        Those that passed the review.
    rubric : Rubric
    quota : Series of int
        Places by unit, index ``code``.
    cities : mapping, optional
        Sub-quotas: places by city (index), by unit, as ``city_quotas`` gives them; they sum to
        no more than the unit's quota.

    Returns
    -------
    Selection
        A pool with fewer firms than places has them all. Equal scores are ordered by ``rubric.ties``, then
        by credit code.

    Raises
    ------
    DataError
        If a credit code stands twice, a column of the rubric is blank, a unit has no quota, places are not whole,
        or sub-quotas sum to more than the quota or miss a firm's city.
    """
    firms.each_once(say("firms.frame"))
    scores = scored(firms, rubric)
    places = _places(firms, quota, cities or {})
    ranked = _ranked(firms, scores, cities or {})
    selected = _within(ranked, places)
    table = ranked[["unit", "city", "exact", "rank"]].assign(selected=selected)
    return Selection(firms, scores, places, table, _ties(ranked.assign(selected=selected), rubric, scores.scale))


def city_quotas(firms: Firms, quota: pd.Series, floor: int = 0) -> dict[str, pd.Series]:
    """Sub-quotas by city: a unit's places in proportion to its cities' firms, through the quota engine.

    Parameters
    ----------
    firms : Firms
        Those that passed the review: no city gets more places than it has firms.
    quota : Series of int
        Places by unit.
    floor : int
        Least places a city, as far as it has firms.

    Raises
    ------
    DataError
        If a firm's city is blank, a unit has no quota or places are not whole.
    InfeasibleError
        If the floors need more places than the unit has.
    """
    _check_quota(firms, quota)
    if not is_count(floor):
        raise DataError(say("firms.city_floor", floor=shown(floor)))
    table, found = firms.need("city"), {}
    for unit, group in table.groupby("unit"):
        held = group["city"].value_counts().sort_index().rename_axis("city")
        total = min(int(quota[unit]), int(held.sum()))
        entitlement = held * (total / held.sum())
        problem = QuotaProblem(total=total, entitlement=entitlement, floor=held.clip(upper=floor), cap=held)
        found[str(unit)] = solve(problem).quota
    return found


def cut_lines(selection: Selection, step: str = "0.1") -> pd.DataFrame:
    """Sensitivity of the cut line: each weight raised and lowered by a share of itself, the others in proportion.

    Parameters
    ----------
    step : str
        The share, a decimal up to 1.

    Returns
    -------
    DataFrame
        A row a unit, indicator and step: unit, indicator (Chinese), step (text), cut (score of the last
        firm chosen), changed (firms that come in for as many that go out), leaving, entering (their names).
    """
    rows: list[dict[str, object]] = []
    share = decimal(step, say("selection.step"), 1)
    for name in selection.scores.rubric.weights:
        for change in (share, -share):
            for row in _varied(selection, name, change):
                rows.append({"indicator": indicator_name(name), "step": f"{float(100 * change):+.4g}%"} | row)
    return pd.DataFrame(rows, columns=["unit", "indicator", "step", "cut", "changed", "leaving", "entering"])


def _varied(selection: Selection, name: str, change: Fraction) -> Iterator[dict[str, object]]:
    """Who comes in and who goes out, unit by unit, when one weight changes."""
    firms, scores = selection.firms, selection.scores
    exact, scale = weighted(scores.points, _shifted(scores.rubric.weights, name, change))
    ranked = _ranked(
        firms, replace(scores, exact=exact, scale=scale), {unit for unit, city in selection.places.index if city}
    )
    before = selection.table["selected"].reindex(firms.table.index)
    after = _within(ranked, selection.places).reindex(firms.table.index)
    for unit, members in firms.table.groupby("unit").groups.items():
        was, now = before[members], after[members]
        kept = exact[members[now]]
        yield {
            "unit": unit,
            "cut": kept.min() / scale if len(kept) else float("nan"),
            "changed": int((was & ~now).sum()),
            "leaving": "、".join(firms.table.loc[members[was & ~now], "name"]),
            "entering": "、".join(firms.table.loc[members[now & ~was], "name"]),
        }


def _within(ranked: pd.DataFrame, places: pd.Series) -> pd.Series:
    """Whether each firm's rank is within the places of its pool."""
    return ranked["rank"] <= places.reindex(pd.MultiIndex.from_frame(ranked[["unit", "city"]])).to_numpy()


def _shifted(weights: dict[str, Fraction], name: str, change: Fraction) -> dict[str, Fraction]:
    """One weight changed by a share of itself, never above one; the others keep their proportions."""
    if len(weights) == 1:
        return weights
    raised = min(weights[name] * (1 + change), Fraction(1))
    rest = (1 - raised) / (1 - weights[name]) if weights[name] != 1 else Fraction(0)
    return {other: raised if other == name else weight * rest for other, weight in weights.items()}


def _places(firms: Firms, quota: pd.Series, cities: Mapping[str, pd.Series]) -> pd.Series:
    _check_quota(firms, quota)
    places = {}
    for unit, group in firms.table.groupby("unit", sort=False).groups.items():
        if unit not in cities:
            places[unit, ""] = int(quota[unit])
            continue
        _check_cities(firms.only(group).need("city"), str(unit), int(quota[unit]), cities[unit])
        places |= {(unit, city): int(n) for city, n in cities[unit].items()}
    index = pd.MultiIndex.from_tuples(list(places), names=["unit", "city"])
    return pd.Series(list(places.values()), index=index, dtype="int64")


def _check_quota(firms: Firms, quota: pd.Series) -> None:
    names = load_units()["short_name"]
    if missing := [names[unit] for unit in firms.table["unit"].unique() if unit not in quota.index]:
        raise DataError(say("selection.no_quota", units="、".join(missing)))
    whole_places(quota)


def _check_cities(table: pd.DataFrame, unit: str, quota: int, places: pd.Series) -> None:
    """Raise DataError unless sub-quotas are whole, within the quota and for every city of the unit's firms."""
    name = load_units().at[unit, "short_name"]
    if wrong := [f"{city} {n}" for city, n in places[~are_whole(places)].items()]:
        raise DataError(say("firms.whole_places", units="、".join(wrong)))
    if strangers := sorted(set(table["city"]) - set(places.index)):
        raise DataError(say("selection.no_city", unit=name, cities="、".join(strangers)))
    if (sums := int(places.sum())) > quota:
        raise DataError(say("selection.city_sum", unit=name, sum=sums, quota=quota))


def _ranked(firms: Firms, scores: Scores, divided: Collection[str]) -> pd.DataFrame:
    """Firms in the order of pool (a city's in the ``divided`` units), score and tie columns, with their rank in the pool."""
    table, ties = firms.table, scores.rubric.ties
    city = table["city"].where(table["unit"].isin(divided), "") if "city" in table else ""
    frame = pd.DataFrame({"unit": table["unit"], "city": city, "exact": scores.exact})
    for tie in ties:
        frame[tie] = values_of(firms, tie.removeprefix("-"))
    frame[_LAST] = table[_LAST]
    order = ["unit", "city", "exact", *ties, _LAST]
    rising = [True, True, False, *(not tie.startswith("-") for tie in ties), True]
    frame = frame.sort_values(order, ascending=rising, kind="stable")
    return frame.assign(rank=frame.groupby(["unit", "city"], sort=False).cumcount() + 1)


def _ties(ranked: pd.DataFrame, rubric: Rubric, scale: int) -> pd.DataFrame:
    """Scores that some chosen and some not chosen firms share."""
    key = ["unit", "city", "exact"]
    selected = ranked.groupby(key, sort=False)["selected"]
    divided = ranked[selected.transform("any") & ~selected.transform("all")]
    rows = []
    for (unit, city, exact), held in divided.groupby(key, sort=False):
        last, first = held[held["selected"]].iloc[-1], held[~held["selected"]].iloc[0]
        decided = next(name for name in [*rubric.ties, _LAST] if last[name] != first[name])
        name = indicator_name(decided.removeprefix("-"))
        rows.append((unit, city, exact / scale, len(held), int(held["selected"].sum()), name))
    return pd.DataFrame(rows, columns=["unit", "city", "score", "tied", "selected", "decided_by"])
