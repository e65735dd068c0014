"""Runs: which panel, scenario and companions they take, what they refuse, and the id that binds their inputs."""

import json
from contextlib import nullcontext
from dataclasses import replace

import pytest
from support.made_pages import BRIEF
from support.tables import read_csv

import zjtx_alloc as za
from zjtx_alloc.report.parameters import check_parameters
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.runs.notebooks import run_notebook
from zjtx_alloc.report.runs.record_form import read_record
from zjtx_alloc.report.runs.records import run_id, run_record


@pytest.mark.slow
def test_a_panel_handed_in_reaches_every_file(panel, tmp_path):
    facts = panel.facts.copy()
    row = (facts["indicator"] == "little_giants") & (facts["unit"] == "540000")
    facts.loc[row, "value"] = 300
    facts.to_csv(tmp_path / "facts.csv", index=False, encoding="utf-8")
    changed = za.load_panel(tmp_path / "facts.csv")
    run = za.run("2024-baseline", out=tmp_path, panel=changed, pages=["allocation"])
    quota = run.allocation.quota["540000"]
    assert quota > 1
    assert read_csv(run.folder / "allocation.csv").set_index("code").loc["540000", "quota"] == quota
    places = run.allocation.entitlement.places["540000"]
    assert f">{places:,.2f}</td>" in (run.folder / "allocation.html").read_text(encoding="utf-8")
    assert "panel" in json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["inputs"]


@pytest.mark.slow
def test_a_scenario_changed_in_memory_is_the_one_reported(baseline, tmp_path):
    scenario = baseline.model_copy(update={"name": "trial", "total": 1050, "budget_with": []})
    run = za.run(scenario, out=tmp_path, pages=["allocation"])
    assert run.allocation.quota.sum() == 1050
    assert "分配名额1,050家" in (run.folder / "allocation.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_companions_and_previous_batch_are_found_beside_the_file(write_scenario, tmp_path):
    write_scenario('extends = "2024-baseline"\ntotal = 900\n', "first.toml")
    path = write_scenario(
        'extends = "2025-baseline"\nbudget_with = ["first.toml"]\n[change]\nprevious = "first.toml"\nmax_relative = 0.05\n'
        '[fixed."西藏"]\nquota = 4\nreason = "会商确定"\n',
        "second.toml",
    )
    run = za.run(path, out=tmp_path / "输出 文件夹", pages=BRIEF)
    assert run.budget.by_year()["due"].to_dict() == {2024: 270_000, 2025: 372_300, 2027: 270_000, 2028: 372_300}
    page = (run.folder / "allocation.html").read_text(encoding="utf-8")
    assert "会商确定" in page
    assert "人工调整" in read_csv(run.folder / "allocation.csv").set_index("code").loc["540000", "binds"]


def test_nothing_is_written_when_the_rules_clash(write_scenario, tmp_path):
    path = write_scenario('extends = "2024-baseline"\n[floor]\ndefault = 40\n')
    with pytest.raises(za.InfeasibleError, match="1480"):
        za.run(path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["allocation", "explorer"])
def test_a_misspelt_parameter_is_refused_by_the_notebook(name, tmp_path):
    with pytest.raises(za.ReportError, match=r"没有参数：scenarioo；可用：scenario、data"):
        run_notebook(name, {"scenarioo": "x", "data": ""}, tmp_path / "out.ipynb")


@pytest.mark.parametrize(
    ("given", "refused"), [("scenarioo = {1: 'x'}\ndata = ''", True), ("scenario = 'a = b'", False), ("", False)]
)
def test_only_what_papermill_set_is_compared_with_the_parameters(given, refused):
    namespace = {
        "__annotations__": {"scenario": str, "data": str},
        "other": 1,
        "In": ["", "mine = 1", f"# Parameters\n{given}"],
    }
    with (
        pytest.raises(za.ReportError, match=r"没有参数：scenarioo；可用：scenario、data") if refused else nullcontext()
    ):
        check_parameters(namespace)


def test_parameters_of_a_notebook_that_the_kernel_ran_before_are_not_this_ones():
    earlier, own = "# Parameters\nscenario = 'a'", "# Parameters\nscenarios = ['a']"
    check_parameters({"__annotations__": {"scenarios": list}, "In": ["", earlier, "x = 1", own]})


@pytest.mark.thorough
def test_a_failing_cell_is_told_in_one_sentence(tmp_path):
    with pytest.raises(za.ZjtxError, match=r"allocation.ipynb 运行失败.*2099-baseline"):
        run_notebook("allocation", {"scenario": "2099-baseline"}, tmp_path / "out.ipynb")


def test_a_page_that_is_not_there_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(za.ReportError, match=r"alocation、map.*allocation、budget、quota、uncertainty、plan、backtest"):
        za.run("2024-baseline", tmp_path / "out", pages=["alocation", "plan", "map"])
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough
@pytest.mark.usefixtures("plain_pages")
def test_pages_are_those_asked_for_and_those_that_units_link_to(tmp_path):
    pages = [
        {path.stem for path in za.run("2024-baseline", tmp_path, **asked).folder.glob("*.html")}
        for asked in ({}, {"pages": "plan"}, {"pages": ["plan"], "units": "西藏"}, {"pages": [], "units": "西藏"})
    ]
    allowed = {"allocation", "budget", "quota", "uncertainty", "plan", "backtest"}
    always = {"index"}
    assert pages == [always | allowed, always | {"plan"}, *[always | {"plan", "allocation", "budget"}] * 2]
    folder = tmp_path / "2024-baseline"
    assert (folder / "units" / "540000-西藏.html").is_file()
    assert za.verify_run(folder) == ()
    za.run("2024-baseline", tmp_path, pages=["plan"])  # without what they link to, pages of units do not stay
    assert not list((folder / "units").glob("*.*"))
    assert za.verify_run(folder) == ()


def test_two_scenarios_of_one_batch_are_refused_before_anything_is_written(baseline, tmp_path):
    twice = baseline.model_copy(update={"name": "twice", "budget_with": ["2024-baseline"]})
    with pytest.raises(za.ScenarioError, match="同为第1批"):
        za.run(twice, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_id_is_of_the_inputs_alone(allocation, panel, baseline):
    record = run_record("report", (allocation,), None)
    assert run_id(record) == run_id(run_record("report", (za.allocate(panel, baseline),), None) | {"outputs": {}})
    other = za.allocate(panel, baseline.model_copy(update={"total": 1040}))
    others = [run_record("budget", (allocation,), None), run_record("report", (other,), None)]
    others.append(run_record("report", (allocation,), replace(panel, facts=panel.facts.iloc[1:])))
    assert len({run_id(one) for one in (record, *others)}) == 4


RECORD = {
    "kind": "report", "id": "0" * 12, "asked": ["a"], "indicators": {}, "inputs": {}, "outputs": {},
    "scenarios": {"a": {"title": "x", "total": 3, "floor": {"default": 1}}},
}  # fmt: skip


@pytest.mark.parametrize("hostile", [{"floor": None}, {"floor": {"default": None}}, {"title": "\ud800"}, {"\udc00": 1}])
def test_a_record_that_no_scenario_can_have_been_written_as_is_none(hostile, tmp_path):
    """JSON has null and halves of characters; a scenario's file has neither."""
    (folder := tmp_path / "run").mkdir()
    (folder / "run.json").write_text(json.dumps(RECORD), encoding="utf-8")
    assert read_record(folder) == RECORD
    spoiled = RECORD | {"scenarios": {"a": RECORD["scenarios"]["a"] | hostile}}
    (folder / "run.json").write_text(json.dumps(spoiled), encoding="utf-8")
    with pytest.raises(za.ReportError, match="不是一次运行的文件夹"):
        za.verify_run(folder)
    assert "无法读取" in write_index(tmp_path).read_text(encoding="utf-8")
