"""Reports with all their pages of units: killed and gone on with, bound to their run, in bounded time."""

import json
import signal
import subprocess
import sys
import time

import pytest
from support.made_pages import written

import zjtx_alloc as za
from zjtx_alloc.quota.whatif import best_quota
from zjtx_alloc.report.documents.unit_page import asked_units


@pytest.mark.slow
def test_killed_half_way_it_makes_only_what_is_missing(tmp_path):
    command = [
        sys.executable,
        "-m",
        "zjtx_alloc",
        "report",
        "2024-baseline",
        "--out",
        str(tmp_path / "out"),
        "--units",
        "all",
    ]
    folder = tmp_path / "out" / "2024-baseline"
    record = folder / "units" / "units.json"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 300
        while not record.is_file() or len(json.loads(record.read_text(encoding="utf-8"))["units"]) < 6:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    made = json.loads(record.read_text(encoding="utf-8"))["units"]
    assert 6 <= len(made) < 37
    names = [folder / "allocation.html", *(folder / "units" / name for unit in made.values() for name in unit["files"])]
    (folder / "units" / ".zjtx-torn").write_text("what a killed writer leaves")
    page = folder / "units" / "660000-兵团.html"
    page.write_text("<html>half", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in names}
    again = subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert again.stdout.decode().splitlines()[-1] == str(folder)
    assert "已有 110000-北京" in again.stderr.decode()
    assert {path: path.stat().st_mtime_ns for path in names} == before
    assert page.read_bytes().endswith(b"</html>\n")
    found = {path.name for path in (folder / "units").iterdir()}
    assert len(found) == 2 * 37 + 3
    assert not any(name.startswith(".") for name in found)
    outputs = json.loads((folder / "environment.json").read_text(encoding="utf-8"))["outputs"]
    assert sum(name.startswith("units/") for name in outputs) == 2 * 37 + 2
    assert 'href="2024-baseline/units/units.pdf"' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("plain_pages")  # kernels take seconds, and are not what this is about
def test_units_are_bound_to_their_run_and_verified(tmp_path, baseline):
    folder = za.run("2024-baseline", out=tmp_path, units=["西藏", "深圳"]).folder
    assert za.verify_run(folder) == ()
    za.run("2024-baseline", out=tmp_path)  # the report alone, made again: its pages of units stay bound
    assert "units/540000-西藏.pdf" in json.loads((folder / "environment.json").read_text(encoding="utf-8"))["outputs"]
    page = folder / "units" / "540000-西藏.html"
    page.write_text(page.read_text(encoding="utf-8").replace("1家", "9家"), encoding="utf-8")
    assert za.verify_run(folder) == ("文件在运行后被改动：units/540000-西藏.html",)
    za.run(baseline.model_copy(update={"total": 1000}), out=tmp_path)  # another run: the pages of the first go
    assert not list((folder / "units").glob("*.*"))
    assert za.verify_run(folder) == ()


@pytest.mark.slow
def test_the_37_pages_take_at_most_15_seconds(panel, baseline, tmp_path):
    best_quota.__globals__["_answer"].cache_clear()
    start = time.process_time()  # of all threads: what one core would need, whatever else the machine does
    written(tmp_path, za.Results(panel, baseline), asked_units("all"))
    assert time.process_time() - start < 15
