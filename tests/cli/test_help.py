"""``zjtx --help`` and mistakes in a call: complete, in Chinese, and its examples are calls that are understood."""

import re
import shlex

import click
import pytest

from zjtx_alloc.cli.main import commands, main

STAGES = {f"firms {name}": command for name, command in commands.commands["firms"].commands.items()}
EVERY = {"zjtx": commands, **commands.commands, **STAGES}
CHINESE = re.compile("[\u4e00-\u9fff]")


def said(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    output = capsys.readouterr()
    return left.value.code, output.out, output.err


@pytest.mark.parametrize("name", EVERY)
def test_help_names_every_option_in_chinese_and_gives_examples(name, capsys):
    command = EVERY[name]
    code, help_, _ = said(capsys, *([] if name == "zjtx" else name.split()), "--help")
    assert code == 0
    assert CHINESE.search(command.help)
    for option in (p for p in command.params if isinstance(p, click.Option)):
        assert CHINESE.search(option.help), option.name
        assert re.search(rf"^  {re.escape(option.opts[0])} .*{re.escape(option.help[:6])}", help_, flags=re.MULTILINE)
    for argument in (p for p in command.params if isinstance(p, click.Argument)):
        assert argument.name.upper() in command.help.upper(), "an argument is explained in the text"
    head, _, examples = help_.partition("例子：")
    options = head.partition("选项：\n")[2].partition("\n\n")[0]
    assert not re.search(r"Usage|Commands|Show this|Error|PATH|TEXT|INTEGER|%Y|required|<=", head + options)
    assert head.startswith(f"用法：zjtx{'' if name == 'zjtx' else ' ' + name}")
    assert f"zjtx {'' if name == 'zjtx' else name}".strip() in examples


@pytest.mark.parametrize("name", EVERY)
def test_the_examples_are_calls_that_are_understood(name, capsys):
    _, help_, _ = said(capsys, *([] if name == "zjtx" else name.split()), "--help")
    calls = [shlex.split(line.strip().split("    ")[0]) for line in help_.partition("例子：")[2].splitlines() if line]
    assert calls
    for _, called, *arguments in calls:
        assert name in ("zjtx", called, f"{called} {' '.join(arguments[:1])}")
        commands.commands[called].make_context(called, arguments)


def test_the_first_help_lists_the_commands_in_the_order_of_use(capsys):
    _, help_, _ = said(capsys, "--help")
    listed = help_.partition("命令（")[2].partition("例子：")[0]
    assert re.findall(r"^  ([a-z-]+)  ", listed, flags=re.MULTILINE) == list(commands.commands)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["allocate", "2024-baseline", "我的", "表.xlsx"], "多出的参数：我的 表.xlsx；含空格的路径要加引号"),
        (["allocate", "2024-baseline", "--out"], "选项 --out 后面没有取值"),
        (["sweep", "2024-baseline", "--draws", "2"], "选项 --draws 的取值不对，应为4至1000000之间的整数"),
        (["plan-document", "a.xlsx", "--unit", "江苏", "--out", "a.docx", "--batch", "4"], "应为1至3之间的整数"),
        (["budget", "2024-baseline", "--tails", "两百"], "选项 --tails 的取值不对，应为整数；"),
        (["review", "a.xlsx", "--as-of", "昨天", "--out", "b.xlsx"], "选项 --as-of 的取值不对，应为日期，如 2024-07-31"),
        (["template", "a.xlsx", "--firms=是"], "选项 --firms 是开关，后面不带取值"),
        (["report"], "缺少参数 SCENARIO"),
        (["plan-document", "a.xlsx"], "缺少选项 --out"),
        (["report", "2024-baseline", "--dta", "x"], "没有选项“--dta”"),
        (["raport"], "没有命令“raport”"),
        (["firms", "settel"], "没有命令“settel”；可用：new、review、select、amounts、evaluate、settle、document、collect"),
        (["firms", "settle", "a.xlsx"], "缺少选项 --out"),
        (["firms", "collect", "各省", "测算.xlsx", "--out", "b.xlsx"], "缺少选项 --programme"),
        (["firms", "new", "a.xlsx", "--made-up", "60"], "虚构企业须用 --unit 写明是哪个省级单位"),
        ([], "缺少命令"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_call_is_told_in_chinese(call, told, capsys):
    code, out, err = said(capsys, *call)
    assert (code, out) == (2, "")
    assert told in err
    assert not re.search(r"Got|Invalid|requires|Missing|range", err)
