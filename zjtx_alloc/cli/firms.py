"""``zjtx firms``: a province's work in one workbook, a command a stage; each writes a copy with its results."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import pandas as pd

from zjtx_alloc.base.errors import DataError
from zjtx_alloc.base.messages import header, say
from zjtx_alloc.base.text import seen, shown
from zjtx_alloc.cli.help import ChineseGroup
from zjtx_alloc.facts.cells import unit_of
from zjtx_alloc.firms.collect import collected, read_books
from zjtx_alloc.firms.stages import SWITCHES, Stage
from zjtx_alloc.firms.table.uses import load_uses
from zjtx_alloc.report.documents.firm_copies import Given, as_workbook, carry
from zjtx_alloc.report.documents.firm_workbook import write_firm_workbook
from zjtx_alloc.report.firm_documents.document import PLAN, document as write_document
from zjtx_alloc.report.firm_documents.dossier import dossier_of, nation_of
from zjtx_alloc.report.writers.user_sheet import write_results_into_copy

_MOST_MADE_UP, _MOST_SEED = 50_000, 2**63 - 1
_file = click.argument("file", type=click.Path(path_type=Path))
_out = click.option("--out", type=click.Path(path_type=Path), required=True, help="写出的副本（.xlsx），原文件不动")
_out_document = click.option("--out", type=click.Path(path_type=Path), required=True, help="输出文件（.docx）")
_as_of = click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, help="日期，如 2024-07-31；默认为表中的审核日"
)
_unit = click.option("--unit", default=None, help="企业表的省级单位（名称或代码）；表中有“省级单位”列时可不写")
_batch = click.option("--batch", type=click.IntRange(1, 3), default=None, help="企业表的批次，默认 1")


@click.group("firms", cls=ChineseGroup)
def firms() -> None:
    """省级部门用：一本企业工作簿，从审核、遴选、资金分配到评价、结算，一步一个命令。"""


@firms.command("new")
@_file
@click.option("--unit", default=None, help="省级单位的名称或代码")
@click.option("--batch", type=click.IntRange(1, 3), default=1, help="批次，默认 1")
@click.option("--made-up", type=click.IntRange(1, _MOST_MADE_UP), default=None, help="填入多少家虚构企业，供试用")
@click.option("--seed", type=click.IntRange(0, _MOST_SEED), default=1, help="虚构企业的随机种子，默认 1")
def new(file: Path, unit: str | None, batch: int, made_up: int | None, seed: int) -> None:
    """生成企业工作簿 FILE（.xlsx）：企业、遴选标准、资金分配、上一轮名单、年度评价、结算等各一张表。"""
    code = None if unit is None else unit_of(unit)
    if unit is not None and code is None:
        raise DataError(say("firms.unknown_unit", name=shown(unit)))
    if made_up and code is None:
        raise click.UsageError(say("firm_book.made_up_unit"))
    click.echo(write_firm_workbook(file, code, batch, made_up or 0, seed))


def _say(done: Stage, out: Path) -> None:
    for line in (done.result, *done.notes):
        click.echo(seen(line))
    click.echo(out)


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()


@firms.command("review")
@_file
@_out
@_as_of
@_unit
@_batch
@click.option(
    "--first-round", type=click.Path(path_type=Path), default=None, help="上一轮已获支持企业的名单，并入“上一轮名单”表"
)
@click.option("--earlier-batch", "earlier", is_flag=True, help="启用“新一轮已获支持的不再支持”，这不是通知的规定")
@click.option("--rd", is_flag=True, help="启用第三批研发条件（两年1200万元、每年3%），这不是通知的规定")
def review(file: Path, out: Path, as_of: datetime | None, **given: Any) -> None:
    """审核：按通知的条件逐家核对 FILE（企业工作簿，或企业表 .xlsx、CSV），写明通过或剔除、理由、疑点和上一轮名单的对应情况。"""
    on = tuple(name for name in SWITCHES if given.pop(name))
    _say(carry("review", file, out, _day(as_of), on=on, **given), out)


def _stage(name: str, told: str) -> None:
    """A stage that asks for nothing but the workbook and the day, as a command."""

    @firms.command(name, help=told)
    @_file
    @_out
    @_as_of
    def stage(file: Path, out: Path, as_of: datetime | None) -> None:
        _say(carry(name, file, out, _day(as_of)), out)


@firms.command("select")
@_file
@_out
@_as_of
@click.option("--quota", default=None, help="名额：家数，如 40；或测算工作簿，取其中本批本单位的名额；默认用表中的名额")
def select(file: Path, out: Path, as_of: datetime | None, quota: str | None) -> None:
    """遴选：FILE 中审核通过的企业按遴选标准计分排名，名额以内的入选。"""
    _say(carry("select", file, out, _day(as_of), quota=quota), out)


_stage("amounts", "资金分配：FILE 中批准企业的期初资金分到每一家，并列出年度评价表。")
_stage("evaluate", "年度评价：FILE 中“年度评价”表计分、定等次、定去留，并列出结算表。")
_stage("settle", "结算：FILE 中每家企业的期末结果、期末应拨和应收回，并与台账对账。")


@firms.command("document")
@_file
@_out_document
@_as_of
@_unit
@_batch
@click.option("--kind", default=PLAN, help="文书代码，如 list-notice、yearly-report；默认 plan，工作实施方案")
@click.option("--uses", type=click.Path(path_type=Path), default=None, help="培育赋能支出登记表（.xlsx 或 CSV）")
@click.option("--share", default="0.1", help="抽查比例，默认 0.1")
@click.option("--seed", type=click.IntRange(0, _MOST_SEED), default=1, help="抽查的随机种子，写入文书，默认 1")
def document(file: Path, out: Path, as_of: datetime | None, kind: str, **given: Any) -> None:
    """文书初稿（.docx）：由 FILE（企业工作簿、推荐企业的企业表，或放各省份工作簿的文件夹）生成，【　】处须补写。"""
    asked = {name: given.pop(name) for name in ("share", "seed")}
    if (uses := given.pop("uses")) is not None:
        asked["uses"] = load_uses(uses)
    if file.is_dir():
        click.echo(write_document(kind, nation_of(read_books(file), _day(as_of), **asked), out))
        return
    with as_workbook(file, Given(recommended=True, **given)) as (_, book):
        click.echo(write_document(kind, dossier_of(book, _day(as_of), **asked), out))


@firms.command("collect")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--programme", type=click.Path(path_type=Path), required=True, help="测算工作簿，原文件不动")
@_out
def collect(folder: Path, programme: Path, out: Path) -> None:
    """汇总：FOLDER 中各省份的企业工作簿，推荐、审核通过和期末结果写入测算工作簿的副本。"""
    books = read_books(folder)
    cells, lines = collected(books, programme)
    mark = books[0].firms.mark
    path = write_results_into_copy(programme, out, {title: _marked(frame, mark) for title, frame in cells.items()})
    for line in (*lines, *filter(None, [mark])):
        click.echo(seen(line))
    click.echo(path)


def _marked(frame: pd.DataFrame, mark: str) -> pd.DataFrame:
    """Cells with a column that says that they come of invented firms, if they do."""
    return frame.assign(**{header("note"): mark}) if mark else frame
