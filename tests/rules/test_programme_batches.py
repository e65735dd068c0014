"""Batches of a workbook: rows of past ones may go, what is known of them stays, and `check` says what the run does."""

import pytest
from support.programme_edits import add, cell_of, column_of, edited, header_of

import zjtx_alloc as za
from zjtx_alloc.report.documents.programme_workbook import write_programme

BEIJING, TIANJIN = "110000", "120000"
SHORT = {(1, BEIJING): 5, (2, TIANJIN): 3}  # places that no firm was approved for


@pytest.fixture(scope="module")
def approved(tmp_path_factory):
    """The workbook of the baseline with the quotas of batches 1 and 2 granted, and all but some of them used."""
    path = write_programme(tmp_path_factory.mktemp("batches") / "测算.xlsx", za.load_scenario("2024-baseline"))
    found = za.allocate_programme(za.load_panel(), za.load_scenario("2024-baseline"))

    def fill(book):
        sheet = book["审核结果"]
        (granted, passed), first = (
            (column_of(sheet, word) for word in ("下达名额", "审核通过")),
            header_of(sheet)[0] + 1,
        )
        rows = [(one.scenario.batch, code, int(places)) for one in found[:2] for code, places in one.quota.items()]
        for number, (batch, code, places) in enumerate(rows, start=first):
            assert (sheet.cell(number, 1).value, sheet.cell(number, 2).value) == (batch, code)
            sheet.cell(number, granted).value = places
            sheet.cell(number, passed).value = places - SHORT.get((batch, code), 0)

    return edited(path, fill)


@pytest.fixture
def changed(approved, tmp_path):
    def read(*changes):
        def change(book):
            for one in changes:
                one(book)

        return za.load_programme(edited(approved, change, tmp_path / "测算.xlsx"))

    return read


def without(batches, *sheets):
    """Delete the rows of some batches in some sheets."""

    def change(book):
        for title in sheets:
            sheet = book[title]
            for number in range(sheet.max_row, header_of(sheet)[0], -1):
                if sheet.cell(number, column_of(sheet, "批次")).value in batches:
                    sheet.delete_rows(number)

    return change


def unused(word, *batches):
    def change(book):
        for batch in batches:
            cell_of(book["批次"], {"批次": batch}, "未用名额").value = word

    return change


def quotas(programme, number):
    found = za.allocate_programme(programme.panel, programme.batch(number).scenario)
    return {one.scenario.batch: one for one in found}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "sheets", [("批次",), ("批次", "权重"), ("批次", "权重", "其他设置"), ("权重",)], ids="、".join
)
def test_rows_of_past_batches_may_be_deleted_and_nothing_that_is_known_is_lost(sheets, approved, changed):
    """It was 80 errors: six rows of weights and 74 of approvals."""
    whole, left = za.load_programme(approved), changed(without((1, 2), *sheets))
    assert [(b.number, b.state) for b in left.batches] == [(1, "approved"), (2, "approved"), (3, "open")]
    before, after = quotas(whole, 3), quotas(left, 3)
    for batch in (1, 2, 3):
        assert after[batch].quota.equals(before[batch].quota)
        assert after[batch].approved.equals(before[batch].approved)
    assert left.batch(1).scenario.budget_with == whole.batch(1).scenario.budget_with
    told = [note for note in left.notes if note.startswith("批次表没有第")]
    assert [note[6] for note in told] == (["1", "2"] if "批次" in sheets else [])


@pytest.mark.thorough
def test_the_total_of_a_past_batch_is_what_was_granted(changed):
    def more(book):
        cell_of(book["审核结果"], {"批次": 1, "代码": BEIJING}, "下达名额").value = 200

    first = changed(more, without((1,), "批次")).batch(1)
    assert (first.scenario.total, first.scenario.total_status) == (int(first.granted.sum()), "official")
    assert first.scenario.total != 1039
    assert "total" not in first.scenario.assumptions
    assert first.scenario.uncertainty.total is None


def test_unused_places_come_back_as_the_batch_that_is_left_says(changed):
    """Rows 1 and 2 are gone, batch 3 says 本单位补回: the 3 places that 天津 did not use come back to it."""
    left = changed(without((1, 2), "批次"), unused("本单位补回", 3))
    third = quotas(left, 3)[3]
    assert (third.quota - third.solution.quota).loc[lambda more: more != 0].to_dict() == {TIANJIN: 3}
    assert [note for note in left.notes_on(left.batch(3)) if "未用名额（" in note or "未用名额由" in note] == [
        "第1批未用名额（本单位补回）：第2批名额已知，以填写的为准，不另补。",
        "第2批未用名额由本单位补回：加到本单位第3批名额，该批总量相应增加。",
    ]


@pytest.mark.thorough
def test_unused_places_of_the_first_batch_come_to_the_next_that_there_is(changed):
    """Batch 2 is gone with its results: the 5 places of 北京 come back in batch 3, and check says so."""
    left = changed(unused("本单位补回", 1), without((2,), "批次", "审核结果"))
    third = quotas(left, 3)[3]
    assert (third.quota - third.solution.quota).loc[lambda more: more != 0].to_dict() == {BEIJING: 5}
    notes = left.notes_on(left.batch(3))
    assert "第1批未用名额由本单位补回：加到本单位第3批名额，该批总量相应增加。" in notes
    assert "工作表 权重、其他设置 中第2批的行没有用：批次表没有这一批，审核结果也不全。" in notes


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("本单位补回", "第2批未用名额（本单位补回）：表中没有下一批，本次未补。"),
        ("统筹补回", "第2批未用名额（统筹补回）：表中没有下一批，本次未补。"),
    ],
)
def test_check_does_not_promise_a_batch_that_there_is_not(changed, word, said):
    left = changed(unused(word, 1, 2), without((3,), "批次"))
    assert said in left.notes_on(left.batch(2))


@pytest.mark.thorough
def test_approvals_of_some_units_make_nothing_good_by_the_pool(changed):
    def partly(book):
        cell_of(book["审核结果"], {"批次": 2, "代码": BEIJING}, "审核通过").value = None

    left = changed(unused("统筹补回", 2), partly)
    assert "第2批未用名额统筹补回：审核通过数不全，本次未补。" in left.notes_on(left.batch(3))
    third = quotas(left, 3)[3]
    assert third.quota.equals(third.solution.quota)


@pytest.mark.thorough
def test_a_row_of_no_batch_is_of_all_and_a_count_of_firms_names_its_batch(changed):
    with pytest.raises(za.TableError, match="可推荐企业数没有写批次（第15行），不知是哪一批的"):
        changed(lambda book: setattr(cell_of(book["单位规则"], {"代码": "320000"}, "可推荐企业数"), "value", 100))
    named = changed(lambda book: add(book["单位规则"], {"批次": 3, "代码": "320000", "可推荐企业数": 100}))
    assert [b.pool is not None for b in named.batches] == [False, False, True]

    def alone(book):
        without((1, 2), "批次", "审核结果")(book)
        cell_of(book["单位规则"], {"代码": "320000"}, "可推荐企业数").value = 100

    (only,) = changed(alone).batches  # all batches are the one there is
    assert only.pool.to_dict() == {"320000": 100}


def test_a_factor_that_takes_the_place_of_performance_without_saying_so_is_asked_about(changed):
    def unsaid(book):
        sheet = book["权重"]
        for number in range(header_of(sheet)[0] + 1, sheet.max_row + 1):
            sheet.cell(number, column_of(sheet, "代用")).value = None

    asked = "第3批的因素中没有中小企业培育绩效，也没有写明由哪个因素代用"
    for programme, is_asked in ((changed(), False), (changed(unsaid), True)):
        assert any(note.startswith(asked) for note in programme.notes_on(programme.batch(3))) == is_asked
