"""The ledger: every outcome by hand, carried recoveries, identities, the first round's tails."""

from dataclasses import replace
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.cohorts_by_hand import AWARD, UNITS, batches, by_unit, clawback, cohort

import zjtx_alloc as za
from zjtx_alloc.budget.ledger.ledger import FLOWS
from zjtx_alloc.report.figures.budget import budget_figure
from zjtx_alloc.report.tables.budget import year_table
from zjtx_alloc.rules.scenario import Approval


def test_tianjin_2024_to_the_unit():
    # 财建〔2024〕359号 (天津市工业和信息化局, 2024-12): 19 firms; 5700 opening, 285 kept for 培育赋能, 5415 to
    # firms; budget 5627 after 73 recovered from another scheme.
    books = za.ledger((cohort([19]),), AWARD, clawback(("120000", 2024, "财建〔2024〕359号", 73)))
    assert books.accounts.loc[("120000", 2024)].to_dict() == {
        "due": 5700, "recovered": 73, "netted": 73, "net": 5627, "receivable": 0,
    }  # fmt: skip
    row = books.table.query("cohort == '1' and fiscal_year == 2024").iloc[0]
    assert row[["commitment", "due", "netted", "net", "direct", "empowerment"]].tolist() == [
        11400, 5700, 73, 5627, 5415, 285,
    ]  # fmt: skip


def test_every_outcome_in_one_cohort_by_hand():
    # 天津 10 firms: 4 completed, 2 missed, 1 under-invested, 2 told to leave in 2025 and 1 in 2026.
    gone = by_unit([[2, 1]], [2025, 2026])
    mixed = cohort([10], [(4, 2, 1)], discontinued=gone, quota=by_unit([12]))
    columns = ["fiscal_year", *FLOWS, "unused"]
    kept = za.ledger((mixed,), AWARD).table[columns]
    assert kept.astype(object).where(kept.notna(), None).to_numpy().tolist() == [
        # year, commitment, forgone, due, recovered, netted, net, direct, empowerment, unused
        [2024, 6000, 0, 3000, 0, 0, 3000, 2850, 150, 2],
        [2025, 0, 600, 0, 0, 0, 0, 0, 0, None],
        [2026, 0, 300, 0, 0, 0, 0, 0, 0, None],
        [2027, 0, 900, 1200, 300, 300, 900, 1140, 60, None],
    ]
    # Where the discontinued give their opening back, the 900 wait for the closing payment: 1200 nets 1200.
    books = za.ledger((mixed,), replace(AWARD, discontinued_recovered=True))
    assert books.accounts["recovered"].tolist() == [0, 600, 300, 300]
    assert books.accounts["receivable"].tolist() == [0, 600, 900, 0]
    assert books.accounts["net"].tolist() == [3000, 0, 0, 0]


def test_a_recovery_larger_than_the_years_due_is_carried():
    # 3 firms of batch 1 owe 900 in 2027, when nothing is due; batch 4's 600 of 2028 and 300 of its 600 in 2031 net it.
    pair = (cohort([3], [(0, 0, 3)]), cohort([2], name="4", years=(2028, 2031)))
    accounts = za.ledger(pair, AWARD).accounts.loc["120000"]
    assert accounts.loc[2027:2031, "receivable"].tolist() == [900, 300, 300, 300, 0]
    assert accounts.loc[2027:2031, "netted"].tolist() == [0, 600, 0, 0, 300]
    assert accounts.loc[2027:2031, "net"].tolist() == [0, 0, 0, 0, 300]


def test_netted_money_is_taken_off_the_cohorts_in_their_order():
    # 2027: batch 1 is due 300 and batch 4 600; 700 of another scheme take 300 of the first and 400 of the second.
    pair = (cohort([1]), cohort([2], name="4", years=(2027, 2030)))
    table = za.ledger(pair, AWARD, clawback(("120000", 2027, "甲", 500), ("120000", 2027, "乙", 200))).table
    found = table[table["fiscal_year"] == 2027].set_index("cohort")
    assert found["netted"].to_dict() == {"1": 300, "4": 400, "其他清算": 0}
    assert found["recovered"].to_dict() == {"1": 0, "4": 0, "其他清算": 700}


def test_no_more_is_recovered_than_was_paid_to_firms():
    # 3.3 % of 600 is 19.8: 19 for empowerment, 581 direct. Two single recoveries of 290.1 each make 580, not 581.
    split = cohort([2], [(0, 0, 1)], discontinued=by_unit([[1]], [2025]))
    changes = {"empowerment_cap": Fraction("0.033"), "empowerment_recovered": False, "discontinued_recovered": True}
    table = za.ledger((split,), replace(AWARD, **changes)).table
    assert table["recovered"].sum() == 580 <= table["direct"].sum() == 581


def settled_by_hand(made, award, others):
    """Each unit's transfers by plain arithmetic: {(code, year): [due, recovered, net, receivable]}."""
    found = {}
    years = [y for c in made for y in (c.opening_year, c.closing_year)] + [year for _, year, _, _ in others]
    for code in UNITS:
        owed = 0
        for year in range(min(years), max(years) + 1):
            due = sum(int(c.approved[code]) * award.opening for c in made if c.opening_year == year)
            due += sum(int(c.outcomes.at[code, "completed"]) * award.closing for c in made if c.closing_year == year)
            each = award.opening if award.empowerment_recovered else award.opening * 19 // 20
            back = sum(int(c.outcomes.at[code, "under_invested"]) * each for c in made if c.closing_year == year)
            if award.discontinued_recovered:
                back += sum(int(c.discontinued.at[code, year]) * each for c in made if year in c.discontinued)
            back += sum(money for unit, at, _, money in others if (unit, at) == (code, year))
            net, owed = max(due - owed - back, 0), max(owed + back - due, 0)
            found[code, year] = [due, back, net, owed]
    return found


@pytest.mark.thorough
@given(
    made=batches(), whole=st.booleans(), leaving=st.booleans(),
    others=st.lists(st.tuples(st.sampled_from(UNITS), st.integers(2024, 2033), st.integers(1, 9000)), max_size=4),
)  # fmt: skip
def test_law_the_books_are_those_of_plain_arithmetic_and_balance(made, whole, leaving, others):
    others = [(code, year, f"号{number}", money) for number, (code, year, money) in enumerate(others)]
    award = replace(AWARD, empowerment_recovered=whole, discontinued_recovered=leaving)
    books = za.ledger(made, award, clawback(*others) if others else None)
    found = books.accounts[["due", "recovered", "net", "receivable"]]
    assert dict(zip(found.index, found.to_numpy().tolist(), strict=True)) == settled_by_hand(made, award, others)
    table, last = books.table, books.accounts.groupby("code")["receivable"].last().sum()
    assert table["due"].eq(table["direct"] + table["empowerment"]).all()
    assert table["net"].eq(table["due"] - table["netted"]).all()
    assert table["net"].ge(0).all()
    kept = table["commitment"].sum() - table["forgone"].sum()
    assert table["due"].sum() == kept
    assert table["net"].sum() == kept - table["recovered"].sum() + last
    assert books.by_year().drop(columns="receivable").sum().to_dict() == table[list(FLOWS)].sum().to_dict()
    assert not table.duplicated(["cohort", "code", "fiscal_year"]).any()


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("net", "实际下达 = 应下达 − 本年扣回"), ("direct", "应下达 = 直接拨付企业"),
        ("forgone", "应安排总额 − 不再安排"), ("recovered", "分单位、分年度合计"),
    ],
)  # fmt: skip
def test_books_that_do_not_balance_do_not_exist(column, said):
    books = za.ledger((cohort([4, 2], [(2, 1, 1), (1, 1, 0)]),), AWARD)
    table = books.table.copy()
    table.loc[0, column] += 1
    with pytest.raises(za.DataError, match=f"台账不平.*{said}"):
        replace(books, table=table)
    accounts = books.accounts.assign(receivable=books.accounts["receivable"] + 1)
    with pytest.raises(za.DataError, match="待扣回"):
        replace(books, accounts=accounts)


def test_the_least_adjustment_counts_and_only_wrong_rows_are_named():
    odd = clawback(("120000", 2024, "甲", 1), ("310000", 2024, "乙", 2)).set_axis([7, 7])
    books = za.ledger((cohort([1, 1]),), AWARD, odd)
    assert books.adjustments["recovered"].tolist() == [1, 2]
    assert books.adjustments.columns.tolist() == ["code", "fiscal_year", "document", "recovered"]
    assert books.by_cohort_and_year().loc[("其他清算", 2024), "recovered"] == 3
    with pytest.raises(za.DataError, match=r"下列各行有误[^甲]*乙") as error:
        za.ledger((cohort([1, 1]),), AWARD, odd.assign(recovered=[1, -2]))
    assert "甲" not in str(error.value)


def test_two_documents_make_up_one_due():
    # 70 % of 5627 is 3938.9: 3938 提前下达, the rest in the later release; 2027 comes in one document.
    books = za.ledger((cohort([19]),), AWARD, clawback(("120000", 2024, "文", 73)))
    assert books.documents({2024: Fraction(7, 10)})["amount"].to_dict() == {
        ("120000", 2024, "early"): 3938, ("120000", 2024, "release"): 1689, ("120000", 2027, "release"): 5700,
    }  # fmt: skip
    # A float is the decimal that it prints as: 5700 × 0.7 is 3990, not the 3989.999… of floats.
    assert za.ledger((cohort([19]),), AWARD).documents({2024: 0.7})["amount"].iloc[0] == 3990
    with pytest.raises(za.DataError, match=r"提前下达比例须在0与1之间，现为 1.5"):
        books.documents({2024: Fraction(3, 2)})


def test_the_first_rounds_tails_complete_a_years_total(panel):
    # 409 + 398 firms in 2024, 381 in 2025 (facts.csv), 200 a firm; batch 3's third year was not seen.
    seen = za.tails(panel)
    assert [(t.opening_year, int(t.approved.sum())) for t in seen] == [(2024, 409), (2024, 398), (2025, 381)]
    books = za.ledger(seen, AWARD)
    assert books.by_year()["net"].to_dict() == {2024: 807 * 200, 2025: 381 * 200}
    assert books.table["empowerment"].eq(0).all()
    assert books.gaps() == {2024: ("第1批",), 2025: ("上一轮第三批第三年（未见名单）", "第2批")}
    # 398 × 0.67 = 266.66
    whole = za.tails(panel, payment=143, unseen_rate=Fraction("0.67"))
    assert int(whole[-1].approved.sum()) == 267
    assert za.tails(panel, 143, 0.67)[-1].approved.equals(whole[-1].approved)
    with pytest.raises(za.DataError, match=r"继续支持比例须为0到1之间的小数，现为 1.5"):
        za.tails(panel, unseen_rate=Fraction(3, 2))
    assert "上一轮第三批第三年（未见名单）的企业数按上年企业数的67.0%推算，为假设" in whole[-1].assumption
    assert "每家每年143万元测算，为假设（每年每家200万元" in whole[0].assumption
    # 河南 2024: 15 + 13 firms; 4000 published makes 142.857 a firm.
    henan = za.ledger(whole, AWARD).accounts.at[("410000", 2024), "due"]
    assert henan == 28 * 143 == 4004
    batch = cohort([19], years=(2024, 2027))
    assert za.ledger((batch, *whole), AWARD).gaps() == {2025: ("第2批",), 2026: ("第3批",)}
    assert za.ledger((batch, *whole), AWARD).assumed_completed == ("1",)


def test_tails_are_never_parts_of_firms(panel):
    cells = panel.cells.copy()
    cells.loc[("first_round_continued_r1b1y3", "2024-04", "440300"), "value"] += 0.5
    with pytest.raises(za.DataError, match=r"上一轮第一批第三年.*非负整数：440300$"):
        za.tails(replace(panel, cells=cells))


def test_a_report_shows_the_tails_beside_the_batches_and_says_what_is_left_out(panel, allocation):
    budget = za.forecast_budget((*za.cohorts(allocation), *za.tails(panel)), AWARD)
    table = year_table(budget, (allocation,))
    paid = table.frame.set_index(["年度", "批次"])["实际下达（万元）"]
    assert paid["2024", "上一轮第三批第二年"] == 398 * 200
    assert paid["2024", "各批合计"] == 1039 * 300 + (409 + 398) * 200
    assert paid["2025*", "上一轮第二批第三年"] == 381 * 200
    notes = "".join(table.notes)
    assert (
        "下列年度（以*标记）的合计不完整，不是整个政策的合计：2025年未含上一轮第三批第三年（未见名单）、第2批；2026年未含第3批（"
        in notes
    )
    assert "每家每年200万元测算（每年每家200万元为合计600万元的三分之一" in notes
    drawn = budget_figure(budget, (allocation,))
    assert [text.get_text() for text in drawn.axes[0].texts][:2] == ["47.31", "7.62"]


def test_unused_places_lapse_unless_they_are_carried(panel, allocation):
    halved, carrying = (
        replace(allocation, scenario=allocation.scenario.model_copy(update={"approval": approval}))
        for approval in (Approval(rate="0.5"), Approval(rate="0.5", unused="unit"))
    )
    second = za.allocate(panel, za.load_scenario("2025-baseline"))
    lapsed = za.cohorts(halved, second)
    assert [(int(c.quota.sum()), int(c.approved.sum())) for c in lapsed] == [(1039, 520), (1241, 1241)]
    carried = za.cohorts(carrying, second)
    assert [(int(c.quota.sum()), int(c.approved.sum())) for c in carried] == [(1039, 520), (1241 + 519, 1760)]
    assert carried[1].assumption == "第2批名额含上批结余519个（通知未明确，为情景假设）。"
    unused = allocation.quota - carried[0].approved
    assert (carried[1].quota - second.quota).to_dict() == unused.to_dict()
    assert za.ledger(carried, AWARD).table["unused"].sum() == 519


BAD = {
    "no cohort": (lambda: za.ledger((), AWARD), "至少有一个批次"),
    "one name twice": (lambda: za.ledger((cohort([1]), cohort([2])), AWARD), "批次名称不重复.*1、1"),
    "more firms than places": (lambda: cohort([5], quota=by_unit([4])), "第1批的审核通过企业数超过名额：120000"),
    "quota of other units": (lambda: cohort([5], quota=by_unit([6, 1])), "单位一致；不一致的单位：310000"),
    "leaves before it starts": (lambda: cohort([5], discontinued=by_unit([[1]], [2023])), "2024 至 2027 之间.*2023"),
    "more leave than are": (lambda: cohort([5], discontinued=by_unit([[3, 3]], [2025, 2026])), "超过审核通过企业数：120000"),
    "ends count leavers": (lambda: cohort([5], [(5, 0, 0)], discontinued=by_unit([[1]], [2025])), "连同不再继续支持的企业"),
    "a tail of two years": (lambda: cohort([5], payment=200), "第1批是一次下达的尾款（每家 200 万元）"),
    "adjustment without document": (
        lambda: za.ledger((cohort([1]),), AWARD, clawback(("120000", 2024, " ", 73))), "其他清算的下列各行有误.*120000，2024， ，73"
    ),
    "adjustment of an unknown unit": (
        lambda: za.ledger((cohort([1]),), AWARD, clawback(("999999", 2024, "甲", 73))), "下列各行有误.*999999"
    ),
    "adjustment twice": (
        lambda: za.ledger((cohort([1]),), AWARD, clawback(("120000", 2024, "甲", 7), ("120000", 2024, "甲", 8))), "甲，8"
    ),
    "adjustment of half": (lambda: za.ledger((cohort([1]),), AWARD, clawback(("120000", 2024, "甲", 0.5))), "正整数万元"),
    "adjustment in words": (lambda: za.ledger((cohort([1]),), AWARD, clawback(("120000", 2024, "甲", "七十三"))), "甲，七十三"),
    "adjustment column missing": (
        lambda: za.ledger((cohort([1]),), AWARD, clawback()[["code"]]), "缺少列：fiscal_year、document、recovered"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named(case):
    make, message = BAD[case]
    with pytest.raises(za.DataError, match=message):
        make()


@pytest.mark.parametrize("blank", [pd.NA, None, float("nan")])
def test_outcomes_of_which_none_is_known_are_no_outcomes(blank):
    approved = pd.Series([3, 4], ["110000", "120000"])
    unknown = pd.DataFrame(blank, approved.index, ["completed", "missed", "under_invested"], dtype=object)
    cohort = za.Cohort("1", approved, 2024, 2027, outcomes=unknown)
    assert cohort.outcomes is None
    assert not cohort.ended.any()
    plain = za.ledger((za.Cohort("1", approved, 2024, 2027),), za.load_award("caijian-2024-148"))
    pd.testing.assert_frame_equal(za.ledger((cohort,), plain.award).table, plain.table)
