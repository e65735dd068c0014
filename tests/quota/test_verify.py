"""A run held against its inputs: nothing to say of an untouched one, and each kind of change named."""

import json
import os
import shutil

import openpyxl
import pandas as pd
import pytest
from support.made_pages import BRIEF

import zjtx_alloc as za
from zjtx_alloc.base.resources import shipped
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.runs import index, verify_run as verifying
from zjtx_alloc.report.runs.index import write_index
from zjtx_alloc.report.table import shown

pytestmark = pytest.mark.thorough

OWN = 'extends = "2024-baseline"\ntitle = "提高<小巨人>权重"\n[factors.little_giants]\nweight = 0.8\n[factors.sme_count]\nweight = 0.0\n'


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison on the user's own facts and scenario; their files are gone by the time it is verified."""
    home = tmp_path_factory.mktemp("compared")
    (home / "own.toml").write_text(OWN, encoding="utf-8")
    facts = za.load_panel().facts.copy()
    facts.loc[(facts["indicator"] == "little_giants") & (facts["unit"] == "540000"), "value"] = 30
    facts.to_csv(home / "facts.csv", index=False, encoding="utf-8")
    panel = za.load_panel(home / "facts.csv")
    found = za.run_comparison(["2024-baseline", home / "own.toml"], home / "reports", panel)
    (home / "own.toml").unlink()
    (home / "facts.csv").unlink()
    return found


@pytest.fixture
def touched(compared, tmp_path, monkeypatch):
    """A copy of the run to lay hands on; computing again gives the untouched one."""
    monkeypatch.setitem(verifying._AGAIN, "compare", lambda *_: compared.folder)
    return shutil.copytree(compared.folder, tmp_path / "compare")


def edit(path, **lines):
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(record | lines, ensure_ascii=False), encoding="utf-8")
    return record


@pytest.mark.slow
def test_an_untouched_run_comes_out_the_same(compared, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["verify-run", str(compared.folder)])
    number = json.loads((compared.folder / "run.json").read_text(encoding="utf-8"))["id"]
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"相符：重新计算后，4 个文件与记录逐字节相同（运行编号 {number}）\n"


def test_files_changed_or_missing_are_named(touched, capsys):
    (touched / "compare.html").write_bytes((touched / "compare.html").read_bytes().replace(b"</h1>", b".</h1>", 1))
    (touched / "compare.xlsx").unlink()
    with pytest.raises(SystemExit) as stop:
        main(["verify-run", str(touched)])
    assert stop.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        "文件缺失：compare.xlsx", "文件在运行后被改动：compare.html", "共 2 处不符",
    ]  # fmt: skip


def test_a_record_an_input_and_a_version_that_differ_are_named(touched):
    record = edit(touched / "run.json")
    inputs = record["inputs"] | {"data/units.csv": "0"}
    other = record["scenarios"]["own"] | {"total": 1040}
    edit(touched / "run.json", inputs=inputs, scenarios=record["scenarios"] | {"own": other})
    versions = edit(touched / "environment.json")["packages"]
    edit(touched / "environment.json", packages=versions | {"pandas": "1.0"})
    found = za.verify_run(touched)
    assert found[0] == f"run.json 的内容与其运行编号 {record['id']} 不符：记录被改动过"
    assert found[1].startswith("版本不同：pandas 当时为 1.0，现为 ")
    assert found[2:] == ("输入已变：data/units.csv", "情景已变：own")


def test_another_result_is_named(touched):
    digests = edit(touched / "run.json")["outputs"]
    (touched / "compare.csv").write_text("other", encoding="utf-8")
    edit(
        touched / "run.json",
        outputs=digests | {"compare.csv": "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"},
    )
    assert za.verify_run(touched) == ("重新计算的结果不同：compare.csv",)
    edit(touched / "environment.json", source="0")
    assert za.verify_run(touched) == (
        "重新计算的结果不同：compare.csv（本工具的程序或版式在运行后有改动，可能因此不同）",
    )


def test_facts_that_are_gone_cannot_be_computed_with(touched):
    (touched / "facts.csv").unlink()
    assert za.verify_run(touched) == ("文件缺失：facts.csv", "缺少当时的因素数据 facts.csv，无法重新计算")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(za.ReportError, match="不是一次运行的文件夹"):
        za.verify_run(tmp_path)


def test_the_index_lists_runs_with_scenario_inputs_and_checks(compared, tmp_path):
    out = shutil.copytree(compared.folder.parent, tmp_path / "out")
    page = write_index(out).read_text(encoding="utf-8")
    assert (out / "index.html").read_bytes() == (compared.folder.parent / "index.html").read_bytes()
    for told in (
        'href="compare/compare.html"',
        "own　提高&lt;小巨人&gt;权重",
        "自有数据表（与随附的 facts.csv 同一格式）",
        "✓ 各文件与记录相符",
        "✓ own 名额合计 1,039 等于总量",
    ):
        assert told in page
    table = pd.read_csv(out / "compare" / "compare.csv", dtype=str, encoding="utf-8-sig")
    table.loc[40, "quota"] = "999"
    table.to_csv(out / "compare" / "compare.csv", index=False, encoding="utf-8-sig")
    (out / "broken").mkdir()
    (out / "broken" / "run.json").write_text("{", encoding="utf-8")
    page = write_index(out).read_text(encoding="utf-8")
    for told in ("✗ 与记录不符：compare.csv", "不等于总量 1,039", "✗ run.json 无法读取"):
        assert told in page
    assert "http" not in page
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []


def test_the_index_reads_a_run_again_only_once_its_files_have_changed(compared, tmp_path, monkeypatch):
    read, real = [], index.altered
    monkeypatch.setattr(index, "altered", lambda folder: read.append(folder.name) or real(folder))
    for name in ("a", "b"):
        shutil.copytree(compared.folder, tmp_path / name)
    assert "✗" not in write_index(tmp_path).read_text(encoding="utf-8")
    shutil.copytree(compared.folder, tmp_path / "c")
    (tmp_path / "b" / "compare.html").write_bytes((tmp_path / "b" / "compare.html").read_bytes().replace(b"1", b"2", 1))
    assert "✗ 与记录不符：compare.html" in write_index(tmp_path).read_text(encoding="utf-8")
    assert read == ["a", "b", "b", "c"]


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_the_index_takes_names_in_another_encoding(tmp_path):
    folder = tmp_path / os.fsdecode("报告".encode("gbk"))
    folder.mkdir()
    for name in ("run.json", os.fsdecode("建议稿.pdf".encode("gbk"))):
        (folder / name).write_text("{}", encoding="utf-8")
    assert r"\udcb1\udca8\udcb8\udce6" in write_index(tmp_path).read_text(encoding="utf-8")


def test_the_comparison_shows_the_numbers_of_the_library(compared):
    found, folder = compared.comparison, compared.folder
    table = pd.read_csv(folder / "compare.csv", dtype={"code": str}, encoding="utf-8-sig")
    assert table["quota"].tolist() == [*found.quota["2024-baseline"], *found.quota["own"]]
    assert table["gain"].iloc[37:].tolist() == pytest.approx(found.gains["own"].tolist())
    assert table["gain"].iloc[:37].isna().all()
    page = (folder / "compare.html").read_text(encoding="utf-8")
    for gain in found.gains["own"]:
        assert f">{shown('step', gain)}</td>" in page
    for told in (
        "623,400",
        f"{found.distance.iloc[0, 1]:.1%}",
        "因素·有效期内“小巨人”企业数·权重",
        "提高&lt;小巨人&gt;权重",
    ):
        assert told in page
    assert page.count("<img ") == 4  # regions, gains, the map, money
    sheet = openpyxl.load_workbook(folder / "compare.xlsx")["各单位名额"]
    rows = list(sheet.iter_rows(min_row=4, max_row=40, values_only=True))
    assert [row[:3] for row in rows] == list(
        zip(found.allocations[0].panel.units["short_name"], *(found.quota[name] for name in found.quota), strict=True)
    )


@pytest.mark.slow
def test_a_report_and_a_budget_with_all_that_was_asked_come_out_the_same(tmp_path):
    run = za.run("2025-baseline", out=tmp_path, pages=BRIEF)
    assert za.verify_run(run.folder) == ()
    own = tmp_path / "pessimistic.toml"
    text = shipped("data", "outcomes", "stress.toml").read_text(encoding="utf-8")
    own.write_text(text, encoding="utf-8")
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    request = za.BudgetRequest(
        ["2024-baseline", "2025-baseline"],
        ["central", own],
        {2027: 250_000},
        "0.8",
        [tmp_path / "own.toml"],
        200,
        "0.9",
    )
    actuals = tmp_path / "transfers.csv"
    actuals.write_text("单位,年度,批次,文号,金额（万元）\n天津,2024,1,财建〔2024〕359号,5700\n", encoding="utf-8")
    budget = za.run_budget(request, tmp_path, actuals=actuals)
    own.unlink()
    actuals.unlink()
    (tmp_path / "own.toml").unlink()
    assert za.verify_run(budget.folder) == ()
