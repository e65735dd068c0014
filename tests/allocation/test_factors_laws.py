"""Laws of the factor method: order of rows, better facts, units of measure."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from support.examples import examples

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped

FACTORS = {"rd_active_firms": "2020", "little_giants": "2021-06", "first_round_continued_r1_sum": "2024-04"}


@pytest.fixture(scope="module")
def reload_facts(tmp_path_factory):
    """Write lines of facts and load them."""
    path = tmp_path_factory.mktemp("facts") / "facts.csv"

    def reload(lines):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return za.load_panel(path)

    return reload


LINES = shipped("data", "facts.csv").read_text(encoding="utf-8-sig").splitlines()


@pytest.mark.thorough
@examples(12)
@given(seed=st.integers(0, 2**32))
def test_law_the_order_of_the_rows_changes_no_bit(panel, stand_ins, reload_facts, seed):
    shuffled = [LINES[0], *random.Random(seed).sample(LINES[1:], len(LINES) - 1)]
    before, after = (za.entitlement(p, stand_ins) for p in (panel, reload_facts(shuffled)))
    for field in ("places", "share", "estimated", "stand_in", "contributions", "pools"):
        assert getattr(after, field).equals(getattr(before, field)), field


USED = [
    i for i, line in enumerate(LINES) if FACTORS.get(line.split(",")[3]) == line.split(",")[4] and line[0] != "0"
]  # fmt: skip


@pytest.mark.thorough
@examples(40)
@given(row=st.sampled_from(USED), more=st.integers(1, 5000))
def test_law_a_better_fact_never_lowers_the_units_own_entitlement(panel, stand_ins, reload_facts, row, more):
    fields = LINES[row].split(",")
    fields[5] = str(int(fields[5]) + more)
    better = reload_facts([*LINES[:row], ",".join(fields), *LINES[row + 1 :]])
    before, after = (za.entitlement(p, stand_ins).places for p in (panel, better))
    assert after[fields[0]] > before[fields[0]]


@examples(40)
@given(
    factor=st.sampled_from(["sme_count", "little_giants", "first_round_continued_r1_sum"]), scale=st.floats(1e-6, 1e6)
)
def test_law_units_of_measure_cancel(panel, baseline, factor, scale):
    cells = panel.cells.copy()
    cells.loc[cells.index.get_level_values("indicator") == factor, "value"] *= scale
    before, after = (za.entitlement(p, baseline) for p in (panel, replace(panel, cells=cells)))
    assert (after.places - before.places).abs().max() < 1e-9
    assert (after.contributions - before.contributions).abs().max().max() < 1e-9
