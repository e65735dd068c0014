"""One page a unit (单位分册): what the pages say, and that no half-made page is ever taken for a finished one."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import pandas as pd
import pytest
from support.made_pages import RUN, Rows, written

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.calendar import duties
from zjtx_alloc.quota.whatif import best_quota
from zjtx_alloc.report.documents.unit_page import unit_sheet
from zjtx_alloc.report.runs import unit_pages
from zjtx_alloc.report.runs.records import environment_here
from zjtx_alloc.report.runs.unit_pages import finished_pages

pytestmark = pytest.mark.thorough

SHOWN = {"440000": "广东", "440300": "深圳", "540000": "西藏", "660000": "兵团"}


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "units").iterdir())}


@pytest.fixture(scope="module")
def made(results, tmp_path_factory):
    """The pages of four units, made at one go; for tests that only look."""
    folder = tmp_path_factory.mktemp("report")
    written(folder, results, list(SHOWN))
    return folder


def page_of(made, code, end="html"):
    return made / "units" / f"{code}-{SHOWN[code]}.{end}"


def test_each_unit_has_a_page_in_both_forms_and_all_are_bound(made):
    pages = {f"{code}-{name}.{end}" for code, name in SHOWN.items() for end in ("html", "pdf")}
    assert contents(made).keys() == pages | {"units.json", "units.pdf", "index.html"}


@pytest.mark.parametrize("code", SHOWN)
def test_a_page_shows_the_numbers_of_the_library(made, results, code):
    allocation, ranges, budget = results.allocation, results.ranges.table.loc[code], results.budget
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
        assert [label, f"第{line.batch}批", str(results.programme[int(line.batch) - 1].quota[code]), *money] in rows
    for sentence in str(za.explain(allocation, code)).splitlines()[2:]:
        assert f"<li>{sentence}</li>" in page


def test_the_numbers_of_guangdong_are_those_worked_out_before(made):
    page = page_of(made, "440000").read_text(encoding="utf-8")
    for text in (
        "<b>80家</b>",
        "<b>79.54家</b>",
        "<b>63—96家</b>",
        "<b>第10位</b>",
        "<b>48,000万元</b>",
        "占总量1,039家的7.70%",
    ):
        assert text in page
    assert "<small>公布数60.8%、估算29.8%（按全国增长推到该日）、代用9.4%</small>" in page
    assert "公布：规模以上工业中小企业数，全省：" in page
    assert "553—871</td>" in page  # an estimate with its range
    assert "广东省的各项数字不含深圳市（单列）。" in page
    assert page.count(RUN) == page.count(f"<footer>运行编号：{RUN}") == 1


def test_units_counted_apart_say_so(made):
    assert "深圳市为计划单列市，单列，不计入广东省。" in page_of(made, "440300").read_text(encoding="utf-8")
    assert "新疆生产建设兵团单列，不计入新疆维吾尔自治区。" in page_of(made, "660000").read_text(encoding="utf-8")
    assert "西藏自治区的各项数字不含" not in page_of(made, "540000").read_text(encoding="utf-8")


@pytest.mark.needs_poppler
@pytest.mark.parametrize("code", SHOWN)
def test_the_pdf_says_what_the_page_says(made, results, code):
    text = subprocess.run(
        ["pdftotext", "-raw", str(page_of(made, code, "pdf")), "-"], check=True, capture_output=True, timeout=60
    ).stdout.decode()
    flat = re.sub(r"\s", "", text)
    sheet = unit_sheet(results, code)
    for key in sheet.keys:
        assert re.sub(r"\s", "", key.label + key.value + key.remark) in flat
    for _, blocks in sheet.sections:
        for block in blocks:
            lines = block if isinstance(block, tuple) else block.notes
            for line in lines:
                assert re.sub(r"\s", "", line) in flat
    for line in results.budget.table[results.budget.table["code"] == code].itertuples():
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
        assert re.findall("<script[^>]*>", page) == ["<script>"]
        assert {link[0] for link in links} >= {
            "../index.html",
            "../allocation.html",
            "../budget.html",
            "../../index.html",
        }
    index = (made / "units" / "index.html").read_text(encoding="utf-8")
    for code in SHOWN:
        assert re.search(rf'href="{code}-[%\w]+\.html"', index)
        assert re.search(rf'href="{code}-[%\w]+\.pdf"', index)
    assert 'href="units.pdf"' in index
    assert "理论名额的依据：公布数" in index


def test_what_is_finished_is_not_made_again(made, results, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "units").iterdir()}
    assert written(tmp_path, results, list(SHOWN)) == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "units").iterdir()} == before
    assert written(tmp_path, results, ["460000"]) == ["460000-海南", "units.pdf"]
    assert len(finished_pages(tmp_path, RUN).units) == 5


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "unrecorded", "told otherwise"])
def test_a_page_that_is_not_whole_is_made_again_and_nothing_else(made, results, tmp_path, damage):
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
    made_again = written(tmp_path, results, list(SHOWN))
    assert made_again[0] == "440300-深圳"
    assert set(made_again) <= {"440300-深圳", "units.pdf"}
    assert page_of(tmp_path, "440000", "pdf").stat().st_mtime_ns == kept
    assert contents(tmp_path) == contents(made)


@pytest.mark.parametrize("record", ["", "{", "[]", '{"run": "0123456789ab"}', None])
def test_without_a_record_that_can_be_read_nothing_counts(made, results, tmp_path, record):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "units" / "units.json"
    if record is None:  # of this run and program, but of another shape
        told = json.loads(path.read_text(encoding="utf-8")) | {"units": ["440000"]}
        record = json.dumps(told)
    path.write_text(record, encoding="utf-8")
    assert written(tmp_path, results, ["540000"]) == ["540000-西藏", "units.pdf"]
    assert contents(tmp_path).keys() == {"540000-西藏.html", "540000-西藏.pdf", "units.json", "units.pdf", "index.html"}


def test_pages_of_another_run_are_never_mixed_in(made, results, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    (tmp_path / "units" / "我的笔记.pdf").write_text("of no run")
    assert finished_pages(tmp_path, "ffffffffffff").units == {}
    written(tmp_path, results, ["440000"], run="ffffffffffff")
    names = {"440000-广东.html", "440000-广东.pdf", "units.json", "units.pdf", "index.html", "我的笔记.pdf"}
    assert contents(tmp_path).keys() == names
    assert RUN not in page_of(tmp_path, "440000").read_text(encoding="utf-8")


def test_pages_of_another_program_are_made_again(made, results, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(unit_pages, "environment_here", lambda: environment_here() | {"python": "2.7"})
    assert finished_pages(tmp_path, RUN).units == {}


def test_the_same_inputs_give_the_same_bytes_in_whatever_order(made, results, tmp_path):
    for code in reversed(SHOWN):
        written(tmp_path, results, [code])
    assert contents(tmp_path) == contents(made)


def test_what_the_notice_asks_has_the_days_of_the_calendar(results):
    award, (first, second, _) = results.budget.award, results.budget.cohorts
    asked = duties(award, first)
    days = {key: [date.isoformat() for date in dates["date"]] for key, dates in asked["dates"].items()}
    assert days["submit"] == days["apply"] == ["2024-07-31"]
    assert days["evaluate"] == ["2025-04-30", "2026-04-30", "2027-04-30"]
    assert days["distribute"] == ["2027-07-09"]  # 11 March + 90 + 30 days; the opening's day was before the notice
    assert days["revise"] == days["carry"] == days["manage"] == []
    later = duties(award, second)["dates"]
    assert later["submit"]["basis"].tolist() == ["analogy"]
    assert [date.isoformat() for date in later["distribute"]["date"]] == ["2025-07-09", "2028-07-09"]


def test_an_answer_that_is_kept_is_the_one_that_solving_gives(results):
    problem = results.allocation.problem
    first = best_quota(problem)
    assert first.equals(za.solve(problem).quota)
    first.iloc[0] = 0
    assert best_quota(problem).equals(za.solve(problem).quota)
    for changed in (
        replace(problem, total=1040),
        replace(problem, criterion="adams"),
        replace(problem, floor=problem.floor + 1),
    ):
        assert best_quota(changed).equals(za.solve(changed).quota)
    # a = b and c = d: 1100 and 0011 are equals, and neither the solver nor a single move tells which is first
    pairs = [
        za.Rule(pair, {pair[0]: Fraction(1), pair[1]: Fraction(-1)}, Fraction(0), Fraction(0)) for pair in ("AB", "CD")
    ]
    for labels in permutations("ABCD"):
        tied = za.QuotaProblem(2, pd.Series(1.0, index=list(labels)), rules=tuple(pairs))
        assert best_quota(tied).sort_index().tolist() == [1, 1, 0, 0]
    clash = replace(problem, floor=problem.floor * 0 + 40)
    told = []
    for _ in range(2):
        with pytest.raises(za.InfeasibleError) as error:
            best_quota(clash)
        told.append((str(error.value), error.value.diagnosis is not None))
    assert told[0] == told[1]
    assert told[0][1]
