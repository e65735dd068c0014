"""Made-up firms (虚构企业) for trying the tool: seeded, marked in every name, never mixed with real ones."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from stdnum.cn import uscc

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.resources import shipped_toml
from zjtx_alloc.base.text import shown
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.panel import load_panel
from zjtx_alloc.firms.table.columns import TARGETS, choices_of, firm_columns
from zjtx_alloc.firms.table.reading import load_firms
from zjtx_alloc.firms.table.roll import Firms
from zjtx_alloc.quota.problem.numbers import is_count
from zjtx_alloc.quota.problem.problem import QuotaProblem
from zjtx_alloc.quota.solve import solve

TOTAL = 14_000  # about as many as are in force nationwide (2024)
_MOST = 10**6  # firms: a minute
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def made_up_firms(seed: int = 1, total: int = TOTAL, as_of: date = date(2024, 7, 31)) -> Firms:
    """Invented firms of all 37 units, in the proportions of the real stock of 2021; some fail the conditions.

    Parameters
    ----------
    seed, total : int
    as_of : date
        Most certificates are in force on this day.
    """
    return load_firms(made_up_table(seed, total, as_of))


def made_up_table(
    seed: int = 1, total: int = TOTAL, as_of: date = date(2024, 7, 31), unit: str | None = None
) -> pd.DataFrame:
    """The table of ``made_up_firms`` as a province would hand it in, with Chinese headers; ``unit``: all of this one (a code)."""
    if not is_count(total, 0, _MOST):
        raise DataError(say("firms.invented_total", total=shown(total), most=_MOST))
    if unit is not None and unit not in load_units().index:
        raise DataError(say("firms.stranger_units", units=shown(unit)))
    random, recipe = _random(seed), shipped_toml("made_up.toml")
    units, falling = (
        _units(total) if unit is None else pd.Index([unit] * total),
        1 / np.arange(1, len(recipe["places"]) + 1),
    )
    entries = {
        "unit": list(load_units()["short_name"].reindex(units)),
        "credit_code": _codes(random, total),
        "name": _names(random, units),
        "city": random.choice(recipe["places"], total, p=falling / falling.sum()).tolist(),
        "certificate_batch": random.choice(["第三批", "第四批", "第五批"], total).tolist(),
        **_certificates(random, total, as_of),
        **{column: _often(random, total, column) for column in recipe["first"]},
        "earlier_batch": ["无"] * total,
        **_plans(random, total),
        **_numbers(random, total),
    }
    entries["research_money"] = [*map(min, entries["research_money"], entries["planned_investment"])]  # a part of it
    return pd.DataFrame({firm_columns()[code].title: pd.Series(cells, dtype=object) for code, cells in entries.items()})


def concealed(firms: Firms, seed: int = 1) -> list[str]:
    """Codes of invented firms that say no, but are on the (invented) list of the first round."""
    random = _random([seed, 1])
    codes = firms.table.loc[firms.table["first_round"].eq("no"), "credit_code"]
    return codes[random.random(len(codes)) < shipped_toml("made_up.toml")["often"]["concealed"] / 1000].tolist()


def made_up_results(firms: Firms, received: pd.Series, seed: int = 1) -> Firms:
    """The same firms with invented results: investment made, targets completed, money received and spent.

    Parameters
    ----------
    received : Series of int
        万元 paid to each firm, index ``firm``.

    Raises
    ------
    DataError
        If the firms are real.
    """
    if not firms.made_up:
        raise DataError(say("firms.real"))
    random, count = _random([seed, 2]), len(firms)
    money = received.loc[firms.table.index].astype(float)
    done = np.round(np.clip(random.normal(1.02, 0.12, count), 0.2, 1.4), 2)
    completion = np.where(random.random(count) < 0.85, 100.0, np.round(random.uniform(40, 99, count)))
    return Firms(
        firms.table.assign(
            actual_investment=np.round(firms.table["planned_investment"] * done),
            target_completion=completion,
            money_received=money,
            money_spent=np.floor(money * np.clip(random.normal(0.9, 0.15, count), 0, 1)),
        ),
        made_up=True,
    )


def _random(seed: Any) -> np.random.Generator:
    for number in seed if isinstance(seed, list) else [seed]:
        if not is_count(number):
            raise DataError(say("firms.invented_seed", seed=shown(number)))
    return np.random.default_rng(seed)


def _units(total: int) -> pd.Index:
    """The unit of each firm, in the proportions of real facts."""
    recipe, panel = shipped_toml("made_up.toml"), load_panel()
    stock = panel.values(recipe["by"], recipe["period"])
    counts = solve(QuotaProblem(total=total, entitlement=stock * (total / stock.sum()))).quota
    return counts.index.repeat(counts)


def _codes(random: np.random.Generator, total: int) -> list[str]:
    """Valid codes of a region that does not exist (000000), all different."""
    bodies: dict[str, None] = {}
    while len(bodies) < total:
        bodies["91000000" + "".join(random.choice(list(_SIGNS), 9))] = None
    return [body + uscc.calc_check_digit(body) for body in bodies]


def _names(random: np.random.Generator, units: pd.Index) -> list[str]:
    recipe, short = shipped_toml("made_up.toml"), load_units()["short_name"]
    signs = list(dict.fromkeys(recipe["signs"]))
    parts = [short.reindex(units), *(random.choice(signs, len(units)) for _ in range(3))]
    parts += [random.choice(recipe["trades"], len(units)), random.choice(recipe["forms"], len(units))]
    return ["".join(words) + say("firms.invented") for words in zip(*parts, strict=True)]


def _certificates(random: np.random.Generator, total: int, as_of: date) -> dict[str, list[date]]:
    """Three years from a day; a few have run out."""
    out = random.random(total) < shipped_toml("made_up.toml")["often"]["expired"] / 1000
    left = np.where(out, random.integers(-300, 0, total), random.integers(0, 1000, total))
    ends = [date.fromordinal(as_of.toordinal() + int(days)) for days in left]
    return {
        "certificate_start": [date.fromordinal(day.toordinal() - 1095) for day in ends],
        "certificate_end": ends,
    }


def _often(random: np.random.Generator, total: int, column: str) -> list[str]:
    often = shipped_toml("made_up.toml")["often"][column]
    share = [count / 1000 for count in often.values()]
    return random.choice(
        [shipped_toml("made_up.toml")["first"][column], *often], total, p=[1 - sum(share), *share]
    ).tolist()


def _plans(random: np.random.Generator, total: int) -> dict[str, list[Any]]:
    """One to four directions with their targets, and an investment mostly well over the line."""
    names = choices_of("directions")
    covered = random.random((total, len(TARGETS))) < 0.45
    covered[np.arange(total), random.integers(0, len(TARGETS), total)] = True
    columns: dict[str, list[Any]] = {
        "directions": ["、".join(names[c] for c, on in zip(TARGETS, row, strict=True) if on) for row in covered]
    }
    n, m = random.integers(2, 30, total), random.integers(2, 10, total)
    for place, column in enumerate(TARGETS.values()):
        text = shipped_toml("made_up.toml")["targets"][firm_columns()[column].name]
        columns[column] = [text.format(n=n[i], m=m[i]) if covered[i, place] else "" for i in range(total)]
    often, draw = shipped_toml("made_up.toml")["often"], random.random(total) * 1000
    investment = np.round(2000 + random.gamma(1.6, 1800, total) + 10)
    investment[draw < often["below_2000"]] = random.integers(800, 2000, int((draw < often["below_2000"]).sum()))
    investment[draw >= 1000 - often["exactly_2000"]] = 2000
    return columns | {"planned_investment": [int(value) for value in investment]}


def _numbers(random: np.random.Generator, total: int) -> dict[str, list[Any]]:
    return {
        "revenue": [int(v) for v in random.lognormal(9.6, 0.8, total)],
        "rd_share": np.round(2 + random.gamma(2.0, 2.2, total), 2).clip(max=60).tolist(),
        "invention_patents": [int(v) for v in random.negative_binomial(2, 0.12, total)],
        "market_share": np.round(2 + random.gamma(2.0, 9.0, total), 1).clip(max=95).tolist(),
        "research_partner": random.choice(["某大学", "某研究院", "无"], total, p=[0.4, 0.25, 0.35]).tolist(),
        "research_money": [int(v) for v in random.gamma(1.2, 150, total)],
    }
