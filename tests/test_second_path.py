"""Every number of the shipped scenarios again, by another path: the raw files, fractions and a heap; nothing of the package."""

import csv
import heapq
import tomllib
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
BATCHES = {"1": "2024-baseline", "2": "2025-baseline", "3": "2026-baseline"}
SCENARIOS = [*BATCHES.values(), "2024-old-stand-ins"]
# 财建〔2024〕148号: 万元 a firm, and at first; years to the rest; a twentieth of each payment to 培育赋能.
AMOUNT, OPENING, YEARS, EMPOWERMENT = 600, 300, 3, 20


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


UNITS = rows(ROOT / "data" / "units.csv")
FACTS = rows(ROOT / "data" / "facts.csv")
FACTS += [row | {"scope": "unit"} for row in rows(ROOT / "data" / "nowcast.csv")]
SPLIT = {row["code"]: row["split_by"] for row in rows(ROOT / "data" / "indicators.csv")}


def scenario(name: str) -> dict:
    """A shipped scenario over those it extends, without what it drops of them."""
    own = tomllib.loads((ROOT / "data" / "scenarios" / f"{name}.toml").read_text(encoding="utf-8"))
    base = scenario(own["extends"]) if "extends" in own else {}
    for *path, last in (drop.split(".") for drop in own.pop("drop", [])):
        table = base
        for key in path:
            table = table[key]
        del table[last]
    return laid_over(base, own)


def laid_over(base: dict, own: dict) -> dict:
    """Tables merged key by key."""
    both = {key: laid_over(base[key], own[key]) for key in base.keys() & own if isinstance(own[key], dict)}
    return base | own | both


def cells(indicator: str, period: str) -> dict[str, Fraction]:
    """The 37 figures: those of the units, and a province's figure less them, split by the rule of the indicator."""
    mine = [fact for fact in FACTS if (fact["indicator"], fact["period"]) == (indicator, period)]
    found = {fact["unit"]: Fraction(fact["value"]) for fact in mine if fact["scope"] == "unit"}
    for fact in (fact for fact in mine if fact["scope"] == "province"):
        inside = [unit["code"] for unit in UNITS if fact["unit"] in (unit["code"], unit["parent"])]
        open_units = [code for code in inside if code not in found]
        rest = Fraction(fact["value"]) - sum(found.get(code, 0) for code in inside)
        by, _, when = SPLIT[indicator].partition(":")
        weights = cells(by, when) if len(open_units) > 1 else dict.fromkeys(open_units, Fraction(1))
        found |= {code: rest * weights[code] / sum(weights[c] for c in open_units) for code in open_units}
    return found


@cache
def entitlements(name: str) -> dict[str, Fraction]:
    """Shares of every factor by weight, times the coefficient of the region, scaled to the total."""
    told = scenario(name)
    raw = dict.fromkeys((unit["code"] for unit in UNITS), Fraction(0))
    for indicator, factor in told["factors"].items():
        values = cells(indicator, factor["period"])
        for code in raw:
            raw[code] += Fraction(repr(factor["weight"])) * values[code] / sum(values.values())
    for unit in UNITS:
        raw[unit["code"]] *= Fraction(repr(told["region_coefficient"][unit["region"]]))
    return {code: told["total"] * part / sum(raw.values()) for code, part in raw.items()}


def quotas(name: str) -> dict[str, int]:
    """Sainte-Laguë: the floor first, then place by place to the largest claim e / (2 k + 1)."""
    due, told = entitlements(name), scenario(name)
    held = dict.fromkeys(due, told["floor"]["default"])
    claims = [(-claim / (2 * held[code] + 1), code) for code, claim in due.items()]
    heapq.heapify(claims)
    for _ in range(told["total"] - sum(held.values())):
        _, code = heapq.heappop(claims)
        held[code] += 1
        heapq.heappush(claims, (-due[code] / (2 * held[code] + 1), code))
    return held


@pytest.mark.parametrize("name", SCENARIOS)
def test_entitlements_and_quotas_of_the_shipped_scenarios(name):
    golden = rows(GOLDEN / name / "allocation.csv")
    assert {row["code"]: int(row["quota"]) for row in golden} == quotas(name)
    for row in golden:
        assert abs(Fraction(row["entitlement"]) - entitlements(name)[row["code"]]) <= Fraction(1, 10**6), row["code"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_money_of_the_shipped_scenarios(name):
    """All completed: 300 万元 a firm in the first year and three years on, a twentieth of each payment for 培育赋能."""
    expected, batches = {}, BATCHES | {str(scenario(name)["batch"]): name}
    for batch, one in batches.items():
        for code, firms in quotas(one).items():
            first = 2023 + int(batch)
            for year, commitment in ((first, AMOUNT * firms), (first + YEARS, 0)):
                paid = OPENING * firms
                expected[batch, code, year] = (
                    commitment,
                    paid,
                    0,
                    paid,
                    paid - paid // EMPOWERMENT,
                    paid // EMPOWERMENT,
                )
    money = ("commitment", "due", "recovered", "net", "direct", "empowerment")
    golden = {
        (row["batch"], row["code"], int(row["fiscal_year"])): tuple(int(row[m]) for m in money)
        for row in rows(GOLDEN / name / "budget.csv")
    }
    assert golden == expected
    nation = [sum(v[0] for k, v in expected.items() if k[0] == batch) for batch in batches]
    assert nation == [AMOUNT * scenario(one)["total"] for one in batches.values()]
