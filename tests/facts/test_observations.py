"""The single published counts as they are shipped: each complete, dated, ranked, used or left out with a reason."""

import re

import pytest

from zjtx_alloc.base.resources import shipped_table
from zjtx_alloc.base.units import NATION, load_units
from zjtx_alloc.facts.evidence.observations import month_of, observations

ROWS = shipped_table("observations.csv", "unit").reset_index().to_dict("records")
OTHER = {"little_giants_named", "first_round_selected_b1_2", "first_round_selected_b1_3"}  # of several lists, or one


def faults(row):
    """What is wrong with a row of the file."""
    units = load_units()
    names, kinds = units["name"].to_dict() | {NATION: "全国"}, units["kind"].to_dict() | {NATION: "nation"}
    low, value, high = (float(row[name] or row["value"]) for name in ("low", "value", "high"))
    wrong = {
        "unit": row["unit_name"] != names.get(row["unit"]),
        "scope": {"unit": "city"}.get(row["scope"], row["scope"]) != kinds.get(row["unit"]),
        "indicator": row["indicator"] not in {*shipped_table("indicators.csv", "code").index, *OTHER},
        "range": not 0 <= low <= value <= high,
        "date": not re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", row["ref_date"]),
        "list": (row["batch"] in set("1234567")) != row["indicator"].startswith("little_giants"),
        "basis": row["basis"] not in {"", "cumulative", "in_force", "named"},
        "source": row["source"] == "",
        "rank": row["rank"] not in {"1", "2", "3"},
        "use": row["use"] not in {"yes", "no"},
        "reason": (row["use"] == "no") != (row["reason"] != ""),
    }
    return {name for name, is_wrong in wrong.items() if is_wrong}


def test_every_row_is_complete_and_possible():
    wrong = {tuple(row.values())[:8]: found for row in ROWS if (found := faults(row))}
    assert wrong == {}
    assert len(ROWS) > 200


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [("unit", "999999", {"unit", "scope"}), ("unit_name", "京", {"unit"}), ("scope", "nation", {"scope"}),
     ("indicator", "giants", {"indicator", "list"}), ("low", "9e9", {"range"}), ("ref_date", "May 2024", {"date"}),
     ("batch", "", {"list"}), ("basis", "all", {"basis"}), ("source", "", {"source"}), ("rank", "4", {"rank"}),
     ("use", "no", {"reason"}), ("use", "maybe", {"use"}), ("reason", "none", {"reason"})],
)  # fmt: skip
def test_a_wrong_field_would_be_found(field, value, found):
    row = next(row for row in ROWS if (row["use"], row["scope"], row["batch"]) == ("yes", "province", "6"))
    assert faults(row | {field: value}) == found


def test_contradictory_counts_stand_side_by_side_and_one_alone_is_used():
    """上海 after list 7: 1026 and 1032, both kept; the choice is data, with its reason."""
    both = [row for row in ROWS if (row["unit"], row["indicator"], row["batch"]) == ("310000", "little_giants", "7")]
    assert {row["value"]: row["use"] for row in both} == {"1026": "no", "1032": "yes"}
    assert "取同日报道的有效数" in next(row["reason"] for row in both if row["use"] == "no")
    used = [o.value for o in observations("little_giants") if o.place == "310000" and o.batch == 7]
    assert used == [1032]


def test_only_dates_up_to_a_month_are_given():
    assert all(o.month <= month_of("2024-06") for o in observations("little_giants", "2024-06"))
    assert len(observations("little_giants", "2024-06")) < len(observations("little_giants"))
    assert [month_of(date) - 24 * 1000 for date in ("2000", "2000-06", "2000-06-21")] == [12, 6, 6]
