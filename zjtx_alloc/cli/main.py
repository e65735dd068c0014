"""The ``zjtx`` command: parse, call, print. Paths and answers go to stdout, everything else to stderr."""

import os
import sys
from copy import copy
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from zjtx_alloc.allocation.allocate import Allocation
from zjtx_alloc.allocation.allocate_programme import allocate_batch
from zjtx_alloc.allocation.explain import explain
from zjtx_alloc.base.errors import ReportError, ZjtxError
from zjtx_alloc.base.files import why, write_csv
from zjtx_alloc.base.messages import say
from zjtx_alloc.base.text import in_brief, seen, shown
from zjtx_alloc.budget.ledger.calendar import calendar, last_days
from zjtx_alloc.budget.plan import parsed_ceilings
from zjtx_alloc.cli.firms import firms as firms_group
from zjtx_alloc.cli.help import ChineseGroup, reason
from zjtx_alloc.cli.opening import all_opened, budget_request, files_of, is_workbook, opened
from zjtx_alloc.explorer.server import serve
from zjtx_alloc.report.documents.firm_workbook import write_firm_workbook
from zjtx_alloc.report.documents.programme_workbook import write_programme
from zjtx_alloc.report.documents.template import write_template
from zjtx_alloc.report.notes.user_data import check_text, supply_note
from zjtx_alloc.report.runs.budget_run import run_budget
from zjtx_alloc.report.runs.compare_run import run_comparison
from zjtx_alloc.report.runs.record_form import read_record
from zjtx_alloc.report.runs.records import outputs
from zjtx_alloc.report.runs.run import run
from zjtx_alloc.report.runs.verify_run import verify_run
from zjtx_alloc.report.table import allocation_csv, printed
from zjtx_alloc.report.tables.budget import calendar_table
from zjtx_alloc.report.tables.compare import comparison_text
from zjtx_alloc.report.tables.sweep import driver_summary, sweep_summary, write_sweep
from zjtx_alloc.report.terminal import speak_plainly
from zjtx_alloc.report.writers.mark import marking
from zjtx_alloc.rules.award import award_in_force, load_award
from zjtx_alloc.rules.check_table import check_table
from zjtx_alloc.rules.own_columns import endable
from zjtx_alloc.rules.programme.convert import save_batches
from zjtx_alloc.rules.programme.notes import programme_text
from zjtx_alloc.rules.programme.programme import is_programme, load_programme
from zjtx_alloc.rules.scenario_files import load_scenario, save_without_stand_ins, scenario_names
from zjtx_alloc.uncertainty.sweep import DRAWS, FEW_DRAWS, SEED, sweep, sweep_on_cluster

_DAY = click.DateTime(["%Y-%m-%d"])
_MOST_DRAWS, _MOST_SEED = 10**6, 2**63 - 1
_TRACE = "ZJTX_TRACE"
_data = click.option(
    "--data", type=click.Path(path_type=Path), default=None, help="因素表（.xlsx 或 CSV）；表中的列取代随附数据"
)
_batch = click.option(
    "--batch", type=click.IntRange(1, 100), default=None, help="测算工作簿中的批次，默认尚无审核结果的最早一批"
)


@click.group("zjtx", cls=ChineseGroup)
def commands() -> None:
    """专精特新“小巨人”企业名额分配与奖补预算。"""


@commands.command()
@click.argument("scenario")
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), help="输出文件夹，默认 reports")
@_data
@_batch
@click.option("--units", default="", help="另写单位分册：all（全部），或逗号分隔的单位代码、名称；只做缺的")
def report(scenario: str, out: Path, data: Path | None, batch: int | None, units: str) -> None:
    """生成一个情景的分配与预算报告（SCENARIO 为情景名、.toml 文件或测算工作簿）。"""
    given = opened(scenario, data, batch)
    made = run(given.scenario, out=out, panel=given.own, units=units)
    given.keep(made.folder)
    _say_used(made.allocation)
    click.echo(made.folder)


@commands.command("budget")
@click.argument("scenarios", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), help="输出文件夹，默认 reports")
@_data
@_batch
@click.option("--outcomes", default="", help="期末结果假设，逗号分隔，默认 central,optimistic,stress；第一个用于台账")
@click.option("--ceilings", default="", help="年度限额（万元），如 2024=311700,2027=250000")
@click.option("--confidence", default="", help="守住限额的把握程度，默认 0.9")
@click.option("--actuals", type=click.Path(path_type=Path), default=None, help="实际下达表（.xlsx 或 CSV），用于对账")
@click.option(
    "--as-of",
    type=_DAY,
    default=None,
    help="测算基准日，如 2026-11-30；以后年度的结果、下达不算已知",
)
@click.option("--tails", type=int, default=None, help="计入上一轮尾款，每家每年金额（万元），如 200")
@click.option("--tail-rate", default="", help="上一轮名单未公布的一批的继续支持比例，如 0.9")
@click.option("--before", default="", help="上次测算的情景，逗号分隔，用于资金变动表")
def budget_command(scenarios: tuple[str, ...], out: Path, data: Path | None, batch: int | None, **given: Any) -> None:
    """生成各批次的资金预算（SCENARIOS 为情景名或 .toml 文件，每批一个，或一个测算工作簿；只写一个时连同其配套批次）。"""
    if len(scenarios) > 1 and any(map(is_workbook, scenarios)):
        raise click.UsageError(say("programme.one_budget"))
    found = [opened(one, data, batch, with_money=True) for one in scenarios]
    asked = {
        "outcomes": _listed(given["outcomes"]) if given["outcomes"] else None,
        "ceilings": parsed_ceilings(given["ceilings"]),
        "confidence": given["confidence"],
        "before": _listed(given["before"]) or None,
        "tail_payment": given["tails"],
        "tail_rate": given["tail_rate"],
        "transfers": given["actuals"],
        "as_of": None if given["as_of"] is None else given["as_of"].date(),
    }
    request = budget_request(found, asked)
    made = run_budget(request, out, found[0].own)
    found[0].keep(made.folder)
    _say_used(*made.plan.allocations)
    click.echo(made.folder)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("，", ",").split(",") if part.strip())


@commands.command("allocate")
@click.argument("scenario")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="输出文件，默认 <情景>-allocation.csv")
@_data
@_batch
def allocate_command(scenario: str, out: Path | None, data: Path | None, batch: int | None) -> None:
    """只计算名额，写出 allocation.csv（SCENARIO 为情景名、.toml 文件或测算工作簿）。"""
    given = opened(scenario, data, batch)
    path = out or Path(f"{given.scenario.name}-allocation.csv")
    found = allocate_batch(given.panel, given.scenario)
    write_csv(path, allocation_csv(found))
    _say_used(found)
    click.echo(path)


@commands.command("explain")
@click.argument("scenario")
@click.argument("unit")
@_data
@_batch
def explain_command(scenario: str, unit: str, data: Path | None, batch: int | None) -> None:
    """说明一个单位的名额从何而来、怎样才会变（SCENARIO 为情景名、.toml 文件或测算工作簿，UNIT 为单位代码、简称或全称）。"""
    given = opened(scenario, data, batch)
    found = allocate_batch(given.panel, given.scenario)
    _say_used(found)
    click.echo(explain(found, unit))


@commands.command("compare")
@click.argument("scenarios", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), help="输出文件夹，默认 reports")
@_data
@_batch
def compare_command(scenarios: tuple[str, ...], out: Path, data: Path | None, batch: int | None) -> None:
    """并列对比几个情景，写出对比报告（SCENARIOS 为情景名、.toml 文件或测算工作簿，第一个为对照）。"""
    given, panel = all_opened(scenarios, data, batch)
    found = run_comparison([one.scenario for one in given], out, panel)
    for one in given:
        one.keep(found.folder)
    _say_used(*found.comparison.allocations)
    click.echo(comparison_text(found.comparison))
    click.echo()
    click.echo(found.folder)


@commands.command("sweep")
@click.argument("scenario")
@click.option(
    "--draws",
    type=click.IntRange(4, _MOST_DRAWS),
    default=None,
    help=f"抽样次数，默认 {DRAWS}；规则有交叉时须逐个求解，默认 {FEW_DRAWS}",
)
@click.option("--seed", type=click.IntRange(0, _MOST_SEED), default=SEED, help=f"随机种子，默认 {SEED}")
@click.option("--cluster", default=None, help="已有的 Dask 集群地址，如 tcp://10.0.0.1:8786")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写出 CSV 的文件夹；不给则只显示结论")
@_data
@_batch
def sweep_command(**given: Any) -> None:
    """按情景的 [uncertainty] 抽样，看名额如何变动（SCENARIO 为情景名、.toml 文件或测算工作簿）。"""
    asked = opened(given["scenario"], given["data"], given["batch"])
    panel, chosen = asked.panel, asked.scenario
    drawn = {"draws": given["draws"], "seed": given["seed"]}
    address = given["cluster"]
    if address:
        found = sweep_on_cluster(address, panel, chosen, **drawn | {"draws": drawn["draws"] or DRAWS})
    else:
        found = sweep(panel, chosen, **drawn)
    _say_used(found.allocation)
    if given["out"] is not None:
        for path in write_sweep(found, given["out"]):
            click.echo(path)
    click.echo("\n".join([*sweep_summary(found), *driver_summary(found)]))


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "start", default="2024-baseline", help="从哪个情景开始，默认 2024-baseline")
def new(file: Path, start: str) -> None:
    """生成测算工作簿 FILE（.xlsx）：因素、批次、权重、规则、审核结果等各一张表，已按情景填好，改数即可。"""
    click.echo(write_programme(file, load_scenario(start)))


@commands.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@_batch
def convert(source: Path, target: Path, batch: int | None) -> None:
    """测算工作簿与情景文件互转：SOURCE 为 .toml 则 TARGET 为 .xlsx，反之亦然。"""
    if is_workbook(str(source)) == is_workbook(str(target)):
        raise click.UsageError(say("programme.convert"))
    if is_workbook(str(source)):
        written = save_batches(load_programme(source), target, batch)
    else:
        written = [write_programme(target, load_scenario(source))]
    for path in written:
        click.echo(path)


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@_batch
@click.option("--scenario", default="2024-baseline", help="因素表对照的情景，默认 2024-baseline")
@click.option("--mark", type=click.Path(path_type=Path), default=None, help="把错格标色、加批注的副本（.xlsx）")
@click.option(
    "--save", type=click.Path(path_type=Path), default=None, help="不再需要：填齐的列自动取代代用；下一版取消"
)
def check(file: Path, scenario: str, batch: int | None, mark: Path | None, save: Path | None) -> None:
    """核对测算工作簿或因素表 FILE：列出全部问题，或读到了什么、与已知数差多少。"""
    with marking(file, mark):
        if is_programme(file):
            for line in programme_text(load_programme(file), batch):
                click.echo(seen(line))
            return
        chosen, found = load_scenario(scenario), check_table(file)
    ending = endable(found.panel, chosen)
    if save is None or not ending:
        click.echo(seen(check_text(found, chosen, str(file), scenario)))
        if save is not None:
            click.echo(say("check.not_saved", file=save, scenario=scenario))
        return
    saved = save_without_stand_ins(scenario, ending, save)
    click.echo(seen(check_text(found, load_scenario(saved[0]), str(file), str(saved[0]))))
    click.echo(say("check.saved", files="、".join(map(str, saved))))
    click.echo(say("check.save_retires"), err=True)


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--firms", is_flag=True, help="改为省级部门用的企业工作簿，同 zjtx firms new")
def template(file: Path, *, firms: bool) -> None:
    """生成待填的因素表 FILE（.xlsx）：37个单位已列好，带校验和填写说明。"""
    click.echo((write_firm_workbook if firms else write_template)(file))


@commands.command("calendar")
@click.option("--award", default=(_AWARD := award_in_force().name), help=f"政策文件，默认 {_AWARD}")
@click.option("--from", "first", type=_DAY, default=None, help="只列这一天及以后的期限，如 2026-12-07")
@click.option("--to", "last", type=_DAY, default=None, help="只列到这一天为止的期限")
@click.option("--provinces", is_flag=True, help="只列省级单位应办的事项")
@click.option("--today", type=_DAY, default=None, help="以哪一天为今天标出已过的和下一项，默认当天")
def calendar_command(
    award: str, first: datetime | None, last: datetime | None, provinces: bool, today: datetime | None
) -> None:
    """列出各批次的法定与通知期限，标出已过的和下一项。"""
    dates = calendar(load_award(award))
    least, most = first.date() if first else date.min, last.date() if last else date.max
    dates = dates[[least <= day <= most for day in last_days(dates)]]
    if provinces:
        dates = dates[dates["who"].str.startswith(say("budget.of_provinces"))]
    click.echo(printed(calendar_table(dates, today.date() if today else date.today())))


def _also(stage: str, name: str) -> None:
    """A command of ``firms`` under a name of its own."""
    alias = copy(firms_group.commands[stage])
    alias.name = name
    commands.add_command(alias)


_also("review", "review")
commands.add_command(firms_group)
_also("document", "plan-document")


@commands.command("explore")
@click.argument("scenario", default="2024-baseline")
@_data
@_batch
def explore_command(scenario: str, data: Path | None, batch: int | None) -> None:
    """在本机浏览器中试算一个情景（SCENARIO 为情景名、.toml 文件或测算工作簿）。"""
    given = opened(scenario, data, batch)  # a mistake is reported here rather than in the page
    with files_of(given, scenario, data) as (where, facts):
        serve(where, facts, _say_address)


@commands.command("verify-run")
@click.argument("folder", type=click.Path(path_type=Path))
def verify_run_command(folder: Path) -> None:
    """重新计算一次运行并与其文件夹 FOLDER 逐项核对；有不符时逐条列出，退出码为 1。"""
    differences = verify_run(folder)
    for line in differences:
        click.echo(line)
    if differences:
        click.echo(say("verify.differs", count=len(differences)))
        sys.exit(1)
    click.echo(say("verify.same", count=len(outputs(folder)), id=read_record(folder)["id"]))


@commands.command()
def scenarios() -> None:
    """列出随附的情景。"""
    for name in scenario_names():
        click.echo(f"{name}\t{load_scenario(name).title}")


def _check_working_folder() -> None:
    """Raise ReportError if the shell stands in a folder that is gone, as one does where a run has replaced its set."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise ReportError(say("cli.no_folder")) from None


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 data or rules wrong, 2 usage, 3 a fault of the program."""
    speak_plainly()
    try:
        _check_working_folder()
        commands.main(arguments, prog_name="zjtx", standalone_mode=False)
    except ZjtxError as error:
        _leave(say("cli.error", reason=error), 1)
    except click.UsageError as error:
        _leave(say("cli.usage", reason=in_brief(reason(error, commands))), 2)
    except PermissionError as error:
        _leave(say("cli.busy", file=error.filename or "—"), 1)
    except OSError as error:
        _leave(say("cli.file", file=error.filename or "—", reason=why(error)), 1)
    except (click.Abort, KeyboardInterrupt):
        _leave(say("cli.stopped"), 1)
    except MemoryError:
        _leave(say("cli.memory"), 1)
    except Exception as error:  # a fault of ours: users get a sentence, whoever mends it the trace
        if os.environ.get(_TRACE):
            raise
        _leave(say("cli.internal", reason=shown(f"{type(error).__name__}: {error}", 200)), 3)
    sys.exit(0)


def _say_used(*allocations: Allocation) -> None:
    """What was used of the user's table and what was not, before the answer."""
    for note in dict.fromkeys(note for allocation in allocations for note in supply_note(allocation)):
        click.echo(seen(note))


def _say_address(address: str) -> None:
    click.echo(say("explorer.serving"), err=True)
    click.echo(address)


def _leave(message: str, code: int) -> None:
    click.echo(seen(message), err=True)
    sys.exit(code)
