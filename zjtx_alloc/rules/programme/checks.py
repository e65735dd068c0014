"""What cannot be in the tables of a batch, each with its cell: sums, ranges, bounds that clash, measures mixed up."""

import math
from collections.abc import Iterator, Mapping

from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import load_units
from zjtx_alloc.facts.layout import indicator_names
from zjtx_alloc.facts.problems import Problem
from zjtx_alloc.quota.problem.numbers import exactly
from zjtx_alloc.rules.programme.forms import forms
from zjtx_alloc.rules.programme.records import fault
from zjtx_alloc.rules.programme.scenario_tables import Path, Tables
from zjtx_alloc.rules.scenario import DEFAULT, REGIONS
from zjtx_alloc.rules.scenario_ranges import at

_ENDS = ("min", "max")


def table_problems(found: Tables, pool: Mapping[str, int]) -> Iterator[Problem]:
    """Every problem of a batch's tables that one cell or column shows."""
    yield from _factors(found)
    yield from _weights(found)
    yield from _ranges(found)
    yield from _regions(found)
    yield from _bounds(found, pool)
    yield from _groups(found)


def _problem(found: Tables, path: Path, kind: str, value: object = None, **details: object) -> Problem:
    record, column = found.places[path]
    return record.problem(column, kind, value, **details)


def _factors(found: Tables) -> Iterator[Problem]:
    """Factors that are neither an indicator nor a composite of the scenario, and indicators without a period."""
    known, composites = indicator_names(), found.tables.get("composites", {})
    codes, above = set(known.values()), [path for path in found.places if path[0] == "pools" and "factors" in path]
    if found.tables.get("factors") and above:
        yield _problem(found, above[0], "some_pools")
    if not found.tables.get("factors") and not found.tables.get("pools"):
        yield fault(forms()["weights"].title, None, "", None, "no_weights", batch=found.tables.get("batch"))
    for path in [path for path in found.places if path[-1] == "weight" and "factors" in path]:
        record, code = found.places[path][0], path[-2]
        if code not in codes and code not in composites:
            yield record.problem(
                "factor", "no_factor", known="、".join(shipped_table("indicators.csv", "code")["name"])
            )
        elif code not in composites and at(found.tables, *path[:-1], "period") is None:
            yield record.problem("period", "needed")


def _weights(found: Tables) -> Iterator[Problem]:
    """Weights of each pool that do not sum to one."""
    pools: dict[Path, dict[Path, float]] = {}
    for path in found.places:
        if path[-1] == "weight" and "factors" in path:
            pools.setdefault(path[: path.index("factors")], {})[path] = at(found.tables, *path)
    for weights in pools.values():
        whole = math.fsum(weights.values())
        if abs(whole - 1) > 1e-9:
            rows = "、".join(str(found.places[path][0].row) for path in weights)
            yield _problem(found, next(iter(weights)), "weight_sum", f"{whole:.10g}", rows=rows)


def _ranges(found: Tables) -> Iterator[Problem]:
    """Ranges upside down, and numbers outside the range that is typed for them."""
    for path in [path for path in found.places if path[0] == "uncertainty" and path[-1] == "min"]:
        least, most = (at(found.tables, *path[:-1], end) for end in _ENDS)
        number = _number_of(path[1:-1])
        value = at(found.tables, *number)
        if not all(isinstance(n, int | float) for n in (least, most)):
            continue
        if least > most:
            yield _problem(found, path, "range_order", least=least, most=most)
        elif isinstance(value, int | float) and not least - 1e-9 <= value <= most + 1e-9:
            place = number if number in found.places else path
            yield _problem(found, place, "outside_range", value, least=least, most=most)


def _number_of(path: Path) -> Path:
    """Where the number of a range stands: of weights, pools' shares, coefficients, or the total."""
    match path:
        case ("weights", code):
            return ("factors", code, "weight")
        case ("pools", pool, "weights", code):
            return ("pools", pool, "factors", code, "weight")
        case _:
            return path


def _regions(found: Tables) -> Iterator[Problem]:
    given = [path for path in found.places if path[0] == "region_coefficient"]
    absent = [region for region in REGIONS if region not in found.tables.get("region_coefficient", {})]
    if given and absent:
        yield _problem(found, given[-1], "no_region", regions="、".join(absent))


def _bounds(found: Tables, pool: Mapping[str, int]) -> Iterator[Problem]:
    """Floors above caps, decided quotas above 可推荐企业数, floors above the total, caps below it."""
    names, floor, cap = load_units()["short_name"], found.tables.get("floor", {}), found.tables.get("cap", {})
    total = found.tables.get("total")
    for path in [path for path in found.places if path[0] in ("floor", "cap")]:
        code = path[1]
        least, most = floor.get(code, floor.get(DEFAULT, 0)), cap.get(code, cap.get(DEFAULT, math.inf))
        if least > most and (path[0] == "floor" or code not in floor):
            yield _problem(found, path, "floor_above_cap", floor=least, cap=most)
        if isinstance(total, int) and floor.get(code, 0) > total and path[0] == "floor":
            yield _problem(found, path, "above_total", total=total)
    for path in [path for path in found.places if path[0] == "fixed" and path[-1] == "quota"]:
        quota = at(found.tables, *path)
        if quota > pool.get(path[1], math.inf):
            yield _problem(found, path, "fixed_above_pool", name=names[path[1]], pool=pool[path[1]])
        if isinstance(total, int) and quota > total:
            yield _problem(found, path, "above_total", total=total)
    if not isinstance(total, int) or ("total",) not in found.places:
        return
    fixed = {code: one["quota"] for code, one in found.tables.get("fixed", {}).items() if "quota" in one}
    least, most = (sum(fixed.get(c, table.get(c, table.get(DEFAULT, rest))) for c in names.index)
                   for table, rest in ((floor, 0), (cap, math.inf)))  # fmt: skip
    if least > total:
        yield _problem(found, ("total",), "floors_above_total", sum=least)
    if most < total:
        yield _problem(found, ("total",), "caps_below_total", sum=most)
    base = found.tables.get("base", {})
    if (bases := sum(base.get(code, base.get(DEFAULT, 0)) for code in names.index)) > total:
        yield _problem(found, ("total",), "bases_above_total", sum=bases)


def _groups(found: Tables) -> Iterator[Problem]:
    """Bounds of groups and rules that are upside down, or floors beyond the total."""
    total = found.tables.get("total")
    for table, least, most in (
        ("groups", "floor", "cap"),
        ("rules", "min", "max"),
        ("rules", "min_share", "max_share"),
    ):
        for name, rule in found.tables.get(table, {}).items():
            low, high, path = rule.get(least), rule.get(most), (table, name, least)
            if path not in found.places:
                continue
            if low is not None and high is not None and exactly(low) > exactly(high):
                yield _problem(found, path, "floor_above_cap", floor=low, cap=high)
            if table == "groups" and isinstance(total, int) and low is not None and low > total:
                yield _problem(found, path, "above_total", total=total)
