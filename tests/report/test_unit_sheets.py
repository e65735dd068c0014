"""Pages of units whose numbers are a user's own, decided or in pools; and which units are asked for."""

import pytest
from support.made_pages import Rows

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.documents.unit_page import asked_units, unit_sheet
from zjtx_alloc.report.writers.pdf import unit_pdf


def test_a_users_figures_are_marked(panel, baseline, tmp_path):
    table = tmp_path / "表.csv"
    names = panel.units["name"]
    lines = [f"{names[code]},{100 + number}" for number, code in enumerate(names.index)]
    table.write_text("单位,有效期内“小巨人”企业数\n" + "\n".join(lines) + "\n", encoding="utf-8")
    own = za.Results(za.load_panel(table), baseline.model_copy(update={"budget_with": []}))
    page = unit_sheet(own, "110000")._repr_html_()
    row = next(row for row in Rows(page).rows if row[0] == "有效期内“小巨人”企业数" and len(row) == 8)
    assert row[2] == "100"
    assert row[3] == "—"  # no range of its own
    assert row[5] == "用户"
    assert "用户：有效期内“小巨人”企业数取自用户提供的因素表。" in page
    assert "表.csv" in page


def test_a_decided_quota_stands_in_no_queue_and_unknown_ranges_are_said(panel, write_scenario):
    path = write_scenario(
        'extends = "2024-baseline"\nbudget_with = []\ndrop = ["uncertainty"]\n[fixed."西藏"]\nquota = 4\nreason = "会商确定"\n'
    )
    page = unit_sheet(za.Results(panel, za.load_scenario(path)), "540000")._repr_html_()
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
    results = za.Results(panel, za.load_scenario(path))
    page = unit_sheet(results, "440000")._repr_html_()
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


@pytest.mark.thorough
def test_the_letters_of_a_page_are_as_large_wherever_their_search_begins(results):
    sheet = unit_sheet(results, "440000").plain()
    sizes = (7.6, 7.4, 7.3, 7.1, 6.9, 6.6)
    found = [unit_pdf(sheet, near) for near in sizes]
    assert found[0][0]["size"] in sizes[1:-1]
    assert all(one == found[0] for one in found)
    long = sheet | {"notes": ["字" * 20_000]}
    assert [unit_pdf(long, near)[0]["size"] for near in sizes] == [sizes[-1]] * len(sizes)
    short = sheet | {"sections": []}
    assert [unit_pdf(short, near)[0]["size"] for near in sizes] == [sizes[0]] * len(sizes)
