"""One page a unit (单位分册): what the pages say, and that no half-made page is ever taken for a finished one."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import zjtx_alloc as za
from zjtx_alloc.budget.deadlines import duties
from zjtx_alloc.cli import main
from zjtx_alloc.quota.best import best_quota
from zjtx_alloc.quota.engines import solve
from zjtx_alloc.report import runs, unit_pages
from zjtx_alloc.report.records import environment_here
from zjtx_alloc.report.unit_pages import finished_pages, write_unit_pages
from zjtx_alloc.report.unit_sheets import asked_units, unit_sheet
from zjtx_alloc.report.unit_tables import unit_grounds

RUN = "0123456789ab"
SHOWN = {"440000": "广东", "440300": "深圳", "540000": "西藏", "660000": "兵团"}


def grounds_of(panel, scenario):
    allocations = za.allocate_programme(panel, scenario)
    allocation = next(a for a in allocations if a.scenario is scenario)
    budget = za.forecast_budget(za.cohorts(*allocations), za.load_award(scenario.award))
    return unit_grounds(allocation, budget, allocations)


def written(folder, grounds, codes, run=RUN):
    """Make pages; returns what was made anew."""
    made = []
    write_unit_pages(folder, grounds, codes, run, lambda name, there: None if there else made.append(name))
    return made


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "units").iterdir())}


class Rows(HTMLParser):
    """The rows of all tables of a page, each a list of texts."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.cell = [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None


@pytest.fixture(scope="module")
def grounds(panel, baseline):
    return grounds_of(panel, baseline)


@pytest.fixture(scope="module")
def made(grounds, tmp_path_factory):
    """The pages of four units, made at one go; for tests that only look."""
    folder = tmp_path_factory.mktemp("report")
    written(folder, grounds, list(SHOWN))
    return folder


def page_of(made, code, end="html"):
    return made / "units" / f"{code}-{SHOWN[code]}.{end}"


def test_each_unit_has_a_page_in_both_forms_and_all_are_bound(made):
    pages = {f"{code}-{name}.{end}" for code, name in SHOWN.items() for end in ("html", "pdf")}
    assert contents(made).keys() == pages | {"units.json", "units.pdf", "index.html"}


@pytest.mark.parametrize("code", SHOWN)
def test_a_page_shows_the_numbers_of_the_library(made, grounds, code):
    allocation, ranges, budget = grounds.allocation, grounds.ranges.table.loc[code], grounds.budget
    page = page_of(made, code).read_text(encoding="utf-8")
    rows = Rows(page).rows
    for factor in allocation.scenario.factors:
        name, value = (
            allocation.panel.name(factor),
            allocation.panel.values(factor, allocation.scenario.factors[factor].period)[code],
        )
        assert float(next(row for row in rows if row[0] == name)[2].replace(",", "")) == pytest.approx(value, abs=0.005)
        assert f"{allocation.entitlement.contributions.loc[code, factor]:,.2f}" in [
            row[3] for row in rows if row[0] == name and len(row) == 4
        ]
    assert ["理论名额", "—", "—", f"{allocation.entitlement.places[code]:,.2f}"] in rows
    assert [
        "本情景",
        f"{allocation.entitlement.places[code]:,.2f}",
        str(allocation.quota[code]),
        "0.4 / 0.4 / 0.2",
    ] in rows
    for end, label in (("min", "最少"), ("max", "最多")):
        assert [label, f"{ranges[f'entitlement_{end}']:,.2f}", str(ranges[f"quota_{end}"])] in [row[:3] for row in rows]
    for line in budget.table[budget.table["code"] == code].itertuples():
        money = [f"{x:,}" for x in (line.commitment, line.due, line.recovered, line.net, line.direct, line.empowerment)]
        label = f"{line.fiscal_year}{'*' if line.fiscal_year in (2024, 2025) else ''}"
        assert [label, f"第{line.batch}批", str(grounds.allocations[int(line.batch) - 1].quota[code]), *money] in rows
    for sentence in str(za.explain(allocation, code)).splitlines()[2:]:
        assert f"<li>{sentence}</li>" in page


def test_the_numbers_of_guangdong_are_those_worked_out_before(made):
    page = page_of(made, "440000").read_text(encoding="utf-8")
    for text in (
        "<b>78家</b>",
        "<b>78.60家</b>",
        "<b>62—95家</b>",
        "<b>第2位</b>",
        "<b>46,800万元</b>",
        "占总量1,039家的7.51%",
    ):
        assert text in page
    assert "其中估算60.8%，代用90.5%" in page
    assert "广东省的各项数字不含深圳市（单列）。" in page
    assert page.count(f"运行编号：{RUN}") == 7  # five tables, the page and its foot


def test_units_counted_apart_say_so(made):
    assert "深圳市为计划单列市，单列，不计入广东省。" in page_of(made, "440300").read_text(encoding="utf-8")
    assert "新疆生产建设兵团单列，不计入新疆维吾尔自治区。" in page_of(made, "660000").read_text(encoding="utf-8")
    assert "西藏自治区的各项数字不含" not in page_of(made, "540000").read_text(encoding="utf-8")


@pytest.mark.needs_poppler
@pytest.mark.parametrize("code", SHOWN)
def test_the_pdf_says_what_the_page_says(made, grounds, code):
    text = subprocess.run(
        ["pdftotext", "-raw", str(page_of(made, code, "pdf")), "-"], check=True, capture_output=True, timeout=60
    ).stdout.decode()
    flat = re.sub(r"\s", "", text)
    sheet = unit_sheet(grounds, code)
    for key in sheet.keys:
        assert re.sub(r"\s", "", key.label + key.value + key.remark) in flat
    for _, blocks in sheet.sections:
        for block in blocks:
            lines = block if isinstance(block, tuple) else block.notes
            for line in lines:
                assert re.sub(r"\s", "", line) in flat
    for line in grounds.budget.table[grounds.budget.table["code"] == code].itertuples():
        assert (
            f"{line.commitment:,}{line.due:,}{line.recovered:,}{line.net:,}{line.direct:,}{line.empowerment:,}" in flat
        )
    assert f"运行编号：{RUN}" in flat
    assert text.count("\f") == 1  # one page


@pytest.mark.needs_poppler
def test_the_bound_file_holds_every_unit_once_in_the_official_order(made):
    told = subprocess.run(
        ["pdftotext", str(made / "units" / "units.pdf"), "-"], check=True, capture_output=True, timeout=60
    ).stdout.decode()
    pages = told.split("\f")[:-1]
    assert [page.split("\n")[0] for page in pages] == ["广东省", "深圳市", "西藏自治区", "新疆生产建设兵团"]


def test_a_page_stands_alone_and_the_list_leads_to_every_page(made):
    for path in (made / "units").glob("*.html"):
        page = path.read_text(encoding="utf-8")
        links = re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]+)|url\((?!data:)([^)]+)""", page)
        assert all(not re.match(r"\w+:|//", link[0]) for link in links)
        assert "<script" not in page
        if path.name != "index.html":
            assert links == []
    index = (made / "units" / "index.html").read_text(encoding="utf-8")
    for code in SHOWN:
        assert re.search(rf'href="{code}-[%\w]+\.html"', index)
        assert re.search(rf'href="{code}-[%\w]+\.pdf"', index)
    assert 'href="units.pdf"' in index


def test_a_users_figures_are_marked(panel, baseline, tmp_path):
    table = tmp_path / "表.csv"
    names = panel.units["name"]
    lines = [f"{names[code]},{100 + number}" for number, code in enumerate(names.index)]
    table.write_text("单位,有效期内“小巨人”企业数\n" + "\n".join(lines) + "\n", encoding="utf-8")
    own = grounds_of(za.load_panel(table), baseline.model_copy(update={"budget_with": []}))
    page = unit_sheet(own, "110000")._repr_html_()
    row = next(row for row in Rows(page).rows if row[0] == "有效期内“小巨人”企业数" and len(row) == 7)
    assert row[2] == "100"
    assert row[4] == "用户"
    assert "用户：有效期内“小巨人”企业数取自用户提供的因素表。" in page
    assert "表.csv" in page


def test_a_decided_quota_stands_in_no_queue_and_unknown_ranges_are_said(panel, write_scenario):
    path = write_scenario(
        'extends = "2024-baseline"\nbudget_with = []\ndrop = ["uncertainty"]\n[fixed."西藏"]\nquota = 4\nreason = "会商确定"\n'
    )
    page = unit_sheet(grounds_of(panel, za.load_scenario(path)), "540000")._repr_html_()
    assert "系会商确定的人工调整，理由：会商确定" in page
    assert "人工调整的名额不参加排队" in page
    assert "情景没有写明权重的可能范围" in page


def test_weights_of_pools_are_told_apart(panel, write_scenario):
    path = write_scenario(
        """extends = "2024-baseline"
budget_with = []
drop = ["factors", "uncertainty"]
[pools."任务"]
share = 0.8
[pools."任务".factors.little_giants]
period = "2021-06"
weight = 1.0
[pools."奖励"]
share = 0.2
coefficients = []
[pools."奖励".factors.first_round_continued_r1_sum]
period = "2024-04"
weight = 1.0
[uncertainty.pools."任务"]
share = { min = 0.7, max = 0.9 }
[uncertainty.pools."奖励"]
share = { min = 0.1, max = 0.3 }
"""
    )
    grounds = grounds_of(panel, za.load_scenario(path))
    page = unit_sheet(grounds, "440000")._repr_html_()
    assert "权重依次为：“任务”名额池占比、“奖励”名额池占比、" in page
    rows = Rows(page).rows
    own = next(row for row in rows if row[0] == "本情景")
    assert own[3].startswith("0.8 / 0.2 / ")
    contributions = {row[0]: row for row in rows if len(row) == 4}
    assert contributions["有效期内“小巨人”企业数"][1] == "0.8"
    assert contributions["上一轮绩效评价后继续支持企业数"][1] == "0.2"


@pytest.mark.parametrize(
    ("asked", "codes"),
    [("广东,440300", ("440000", "440300")), ("新疆兵团、西藏自治区", ("540000", "660000")), (["深圳市", "广东", "440000"], ("440000", "440300"))],
)  # fmt: skip
def test_units_are_asked_for_by_any_name(asked, codes):
    assert asked_units(asked) == codes


def test_all_are_the_37(panel):
    assert asked_units("all") == asked_units("全部") == tuple(panel.units.index)


@pytest.mark.parametrize("asked", ["广东,火星", ["火星"], " , ", []])
def test_an_unknown_unit_is_refused_before_anything_is_made(asked, tmp_path):
    with pytest.raises(za.ScenarioError, match=r"没有名为“(火星|—)”的单位；可用：all.*兵团"):
        asked_units(asked)
    if asked:
        with pytest.raises(za.ScenarioError, match="的单位"):
            za.run("2024-baseline", out=tmp_path / "out", units=asked)
        assert not (tmp_path / "out").exists()


def test_the_command_names_the_unit_it_does_not_know(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["report", "2024-baseline", "--out", str(tmp_path / "out"), "--units", "广东，火星"])
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith(
        "错误：没有名为“火星”的单位；可用：all（全部），或以逗号分隔的代码、简称或全称：北京"
    )
    assert not (tmp_path / "out").exists()


def test_what_is_finished_is_not_made_again(made, grounds, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "units").iterdir()}
    assert written(tmp_path, grounds, list(SHOWN)) == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "units").iterdir()} == before
    assert written(tmp_path, grounds, ["460000"]) == ["460000-海南", "units.pdf"]
    assert len(finished_pages(tmp_path, RUN).units) == 5


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "unrecorded", "told otherwise"])
def test_a_page_that_is_not_whole_is_made_again_and_nothing_else(made, grounds, tmp_path, damage):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    page, record = page_of(tmp_path, "440300", "pdf"), tmp_path / "units" / "units.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    if damage == "gone":
        page.unlink()
    elif damage == "told otherwise":
        told["units"]["440300"]["sheet"]["keys"][0][1] = "99家"
        record.write_text(json.dumps(told), encoding="utf-8")
    elif damage == "unrecorded":
        del told["units"]["440300"]
        record.write_text(json.dumps(told), encoding="utf-8")
    else:
        page.write_bytes(page.read_bytes()[: 5000 if damage == "cut" else 0])
    kept = page_of(tmp_path, "440000", "pdf").stat().st_mtime_ns
    assert "440300" not in finished_pages(tmp_path, RUN).units
    made_again = written(tmp_path, grounds, list(SHOWN))
    assert made_again[0] == "440300-深圳"
    assert set(made_again) <= {"440300-深圳", "units.pdf"}
    assert page_of(tmp_path, "440000", "pdf").stat().st_mtime_ns == kept
    assert contents(tmp_path) == contents(made)


@pytest.mark.parametrize("record", ["", "{", "[]", '{"run": "0123456789ab"}', None])
def test_without_a_record_that_can_be_read_nothing_counts(made, grounds, tmp_path, record):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "units" / "units.json"
    if record is None:  # of this run and program, but of another shape
        told = json.loads(path.read_text(encoding="utf-8")) | {"units": ["440000"]}
        record = json.dumps(told)
    path.write_text(record, encoding="utf-8")
    assert written(tmp_path, grounds, ["540000"]) == ["540000-西藏", "units.pdf"]
    assert contents(tmp_path).keys() == {"540000-西藏.html", "540000-西藏.pdf", "units.json", "units.pdf", "index.html"}


def test_pages_of_another_run_are_never_mixed_in(made, grounds, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    (tmp_path / "units" / "我的笔记.pdf").write_text("of no run")
    assert finished_pages(tmp_path, "ffffffffffff").units == {}
    written(tmp_path, grounds, ["440000"], run="ffffffffffff")
    names = {"440000-广东.html", "440000-广东.pdf", "units.json", "units.pdf", "index.html", "我的笔记.pdf"}
    assert contents(tmp_path).keys() == names
    assert RUN not in page_of(tmp_path, "440000").read_text(encoding="utf-8")


def test_pages_of_another_program_are_made_again(made, grounds, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(unit_pages, "environment_here", lambda: environment_here() | {"python": "2.7"})
    assert finished_pages(tmp_path, RUN).units == {}


def test_the_same_inputs_give_the_same_bytes_in_whatever_order(made, grounds, tmp_path):
    for code in reversed(SHOWN):
        written(tmp_path, grounds, [code])
    assert contents(tmp_path) == contents(made)


def test_what_the_notice_asks_has_the_days_of_the_calendar(grounds):
    award, (first, second, _) = grounds.budget.award, grounds.budget.cohorts
    asked = duties(award, first)
    days = {key: [date.isoformat() for date in dates["date"]] for key, dates in asked["dates"].items()}
    assert days["submit"] == days["apply"] == ["2024-07-31"]
    assert days["evaluate"] == ["2025-04-30", "2026-04-30", "2027-04-30"]
    assert days["distribute"] == ["2027-07-09"]  # 11 March + 90 + 30 days; the opening's day was before the notice
    assert days["revise"] == days["carry"] == days["manage"] == []
    later = duties(award, second)["dates"]
    assert later["submit"]["basis"].tolist() == ["analogy"]
    assert [date.isoformat() for date in later["distribute"]["date"]] == ["2025-07-09", "2028-07-09"]


def test_an_answer_that_is_kept_is_the_one_that_solving_gives(grounds):
    problem = grounds.allocation.problem
    first = best_quota(problem)
    assert first.equals(solve(problem).quota)
    first.iloc[0] = 0
    assert best_quota(problem).equals(solve(problem).quota)
    for changed in (
        replace(problem, total=1040),
        replace(problem, criterion="adams"),
        replace(problem, floor=problem.floor + 1),
    ):
        assert best_quota(changed).equals(solve(changed).quota)
    clash = replace(problem, floor=problem.floor * 0 + 40)
    told = []
    for _ in range(2):
        with pytest.raises(za.InfeasibleError) as error:
            best_quota(clash)
        told.append((str(error.value), error.value.diagnosis is not None))
    assert told[0] == told[1]
    assert told[0][1]


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
def test_units_are_bound_to_their_run_and_verified(tmp_path, baseline, monkeypatch):
    monkeypatch.setattr(runs, "PAGES", ("allocation",))  # kernels take seconds, and are not what this is about
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
    written(tmp_path, grounds_of(panel, baseline), asked_units("all"))
    assert time.process_time() - start < 15
