"""Every loader under fire: whatever a file holds, it is read or refused in Chinese; nothing else comes out.

The quick run repeats the same examples. ``ZJTX_FUZZ=long python -m pytest tests/test_fuzz.py -s`` draws new ones for
a minute a loader (``ZJTX_FUZZ_SECONDS``) and prints what it saw; docs/trust.md tells of the last one.
"""

import json
import os
import re
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from support.broken_tables import FACT_COLUMNS
from support.firm_tables import raw
from support.mutations import edited, put, table_gone_wrong, toml_gone_wrong
from support.tables import base

import zjtx_alloc as za
from zjtx_alloc.base import toml_files
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.base.text import seen
from zjtx_alloc.facts.payments import read_transfers
from zjtx_alloc.facts.reading import read_table
from zjtx_alloc.report.runs.record_form import read_record

pytestmark = pytest.mark.thorough

LONG = os.environ.get("ZJTX_FUZZ") == "long"
SECONDS = float(os.environ.get("ZJTX_FUZZ_SECONDS", "60"))
EXAMPLES = 25
_LONGEST = 30_000  # characters of a message


@dataclass
class Seen:
    """What the examples of one loader came to."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    messages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Door:
    """A loader: how its input goes wrong, and how it is asked to read it."""

    make: Callable[[Any], bytes]
    name: str
    enter: Callable[[Path], object]


def shipped_text(*parts: str) -> str:
    return shipped("data", *parts).read_text(encoding="utf-8")


FULL = """
extends = "2024-baseline"
title = "试"
drop = ["factors"]
allow_estimates = true
[pools.task]
share = 0.8
coefficients = ["grade_coefficient"]
[pools.task.factors.little_giants]
period = "2021-06"
weight = 1.0
multiplier = "m"
[pools.reward]
share = 0.2
[pools.reward.factors.first_round_continued_r1_sum]
period = "2024-04"
weight = 1.0
[grade]
default = "A"
[grade_coefficient]
A = 1.1
[multipliers.m]
default = 1.0
"西藏" = 2.5
[floor]
default = 1
[cap]
"江苏" = 90
[change]
previous = "2024-baseline"
max_relative = 0.2
[groups."西部"]
region = "西部"
floor = 200
[rules.r]
min_share = 0.04
[rules.r.coefficients]
"上海" = 0.5
"江苏" = 1.0
[approval]
rate = "0.950"
[fixed."西藏"]
quota = 2
reason = "会商确定"
[uncertainty.pools.task.share]
min = 0.7
max = 0.9
"""
FACTS = [list(FACT_COLUMNS), *(
    [code, "", "unit", "gdp", "2023", f"{n}.5", "亿元", "", "nbs-gdp", ""] for n, code in enumerate(["110000", "120000", "130000"])
)]  # fmt: skip
TRANSFERS = [
    ["单位", "年度", "文号", "金额（万元）", "扣回（万元）"],
    ["天津", "2024", "财建〔2024〕359号", 5700, 0],
    ["河北", 2024, "财建〔2024〕359号", 300, ""],
]
_FIRMS = raw({}, {"上市情况": "新三板"}, {"所在城市": "乙市"})
FIRMS = [list(_FIRMS), *(list(row) for row in _FIRMS.itertuples(index=False))]
RECORD = json.dumps({
    "kind": "report", "id": "0" * 12, "asked": ["a"], "indicators": {"a": {"supplied": {}}}, "inputs": {"panel": "0"}, "outputs": {"a.csv": "0"},
    "scenarios": {"a": {"title": "x", "total": 3}},
})  # fmt: skip


def allocated(path: Path) -> object:
    return za.allocate(_panel(), za.load_scenario(path)).table()


@cache
def _panel():
    return za.load_panel()


def awarded(path: Path) -> object:
    """The award whose file lies at a path, with its calendar."""
    known = toml_files.shipped
    toml_files.shipped = lambda *parts: path.parent.joinpath(*parts[2:]) if parts[1] == "policy" else known(*parts)
    try:
        return za.calendar(za.load_award(path.stem))
    finally:
        toml_files.shipped = known


def reviewed(path: Path) -> object:
    firms = za.firms.load_firms(path, "江苏")
    return za.firms.review(firms, None, za.load_award("caijian-2024-148").issued)


def as_toml(text: str) -> Callable[[Any], bytes]:
    return lambda draw: toml_gone_wrong(draw, text)


def as_table(rows: list[list[object]]) -> Callable[[Any], bytes]:
    return lambda draw: table_gone_wrong(draw, rows)


DOORS = {
    "table of indicators": Door(as_table(base()), "table.xlsx", read_table),
    "tidy facts": Door(as_table(FACTS), "facts.csv", za.load_panel),
    "scenario": Door(as_toml(FULL), "trial.toml", allocated),
    "shipped scenario": Door(as_toml(shipped_text("scenarios", "2024-baseline.toml")), "trial.toml", allocated),
    "composites": Door(as_toml((shipped("data").parent / "docs" / "composite.toml").read_text(encoding="utf-8")), "trial.toml", allocated),
    "policy": Door(as_toml(shipped_text("policy", "caijian-2024-148.toml")), "trial.toml", awarded),
    "outcomes": Door(as_toml(shipped_text("outcomes", "central.toml")), "trial.toml", lambda path: za.load_outcomes(path).states),
    "transfers": Door(as_table(TRANSFERS), "transfers.xlsx", read_transfers),
    "firms": Door(as_table(FIRMS), "firms.xlsx", reviewed),
    "list of firms": Door(as_table([["企业名称", "统一社会信用代码"], *(row[1:3] for row in FIRMS[1:])]), "list.csv", za.firms.load_list),
    "rubric": Door(as_toml(shipped_text("rubrics", "example-selection.toml")), "trial.toml", za.firms.load_rubric),
    "conditions": Door(as_toml(shipped_text("policy", "eligibility", "caijian-2024-148.toml")), "trial.toml", za.firms.load_conditions),
    "record": Door(lambda draw: edited(draw, RECORD.encode()), "run.json", lambda path: read_record(path.parent)),
}  # fmt: skip
FOUND: dict[str, Seen] = {}


@pytest.fixture(scope="module", autouse=True)
def told():
    """What the long run saw, loader by loader."""
    yield
    if LONG:
        print("\n| loader | inputs | read | refused | different messages | slowest, s |\n|---|---|---|---|---|---|")
        for name, one in FOUND.items():
            print(
                f"| {name} | {one.read + one.refused:,} | {one.read:,} | {one.refused:,} | {len(one.messages):,} | {one.slowest:.2f} |"
            )
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


@pytest.mark.parametrize("name", DOORS)
def test_a_loader_reads_or_refuses_and_nothing_else(name, tmp_path):
    door, found, ends = DOORS[name], FOUND.setdefault(name, Seen()), time.monotonic() + SECONDS

    def check(data):
        content = door.make(data.draw)
        path = put(tmp_path, door.name, content)
        begun = time.monotonic()
        try:
            door.enter(path)
            found.read += 1
        except za.ZjtxError as error:
            found.refused += 1
            message = str(error)
            found.messages.add(re.sub(r"[0-9a-zA-Z.“”]+", "", message)[:60])
        else:
            message = "—"
        found.slowest = max(found.slowest, time.monotonic() - begun)
        assert message == "—" or re.search("[\u4e00-\u9fff]", message)
        assert len(seen(message)) < _LONGEST

    many = settings(
        max_examples=500 if LONG else EXAMPLES, derandomize=not LONG, database=None, deadline=None, report_multiple_bugs=LONG,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    many(given(st.data())(check))()
    while LONG and time.monotonic() < ends:
        many(given(st.data())(check))()
