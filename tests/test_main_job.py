"""The main job on the shipped data: values worked separately, sums, files."""

import pandas as pd
import pytest

import zjtx_alloc as za

WORKED = {"北京": 35.04, "江苏": 108.47, "广东": 78.60, "深圳": 28.24, "天津": 17.60, "西藏": 0.04}


def test_the_report_writes_the_allocation(tmp_path):
    run = za.run("2024-baseline", out=tmp_path)
    table = pd.read_csv(run.folder / "allocation.csv", dtype={"code": str}, encoding="utf-8-sig")
    assert table["quota"].sum() == 1039
    entitlement = table.set_index("short_name")["entitlement"]
    for name, places in WORKED.items():
        assert entitlement[name] == pytest.approx(places, abs=0.005)
