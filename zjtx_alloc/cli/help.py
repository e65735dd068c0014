"""What ``zjtx --help`` says, and what a mistaken call reads: in Chinese, in the order of use, with examples."""

from contextlib import AbstractContextManager
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError, NoSuchCommand

from zjtx_alloc.base.messages import say
from zjtx_alloc.report.terminal import aligned

_TAKES = {click.Path: "path", click.types.IntParamType: "whole", click.DateTime: "day"}  # else a text


def _under(heading: str, formatter: click.HelpFormatter) -> AbstractContextManager[None]:
    """What follows stands indented under this heading."""
    formatter.write_paragraph()
    formatter.write(f"{say(heading)}\n")
    return formatter.indentation()


def _record(option: click.Option) -> tuple[str, str]:
    """An option with what it takes, and its help with its limits; click's own words for both are English."""
    kind, remark = option.type, say("help.required") if option.required else ""
    takes = next((word for of, word in _TAKES.items() if isinstance(kind, of)), "text")
    if isinstance(kind, click.IntRange):
        remark += say("help.range", least=kind.min, most=kind.max)
    name = option.opts[0] if option.is_flag else f"{option.opts[0]} {say(f'takes.{takes}')}"
    return name, f"{option.help}{remark}"


class _InChinese(click.Command):
    """A command whose help is in Chinese and ends with examples, ``example.<command>`` of the messages."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **({"options_metavar": say("help.some_options")} | options))
        for param in self.params:
            if isinstance(param.type, click.Path):  # whoever reads the file says in Chinese why it cannot
                param.type.readable = False

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=say("help.usage"))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        with _under("help.options", formatter):
            for line in aligned([_record(option) for option in options]):
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with _under("help.examples", formatter):
            for line in say(f"example.{'-'.join(ctx.command_path.split()[1:]) or self.name}").splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say("help.help")
        return option


class ChineseCommand(_InChinese):
    """One command; it says itself what is too much."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; none may be left over."""
        extra = super().parse_args(ctx, args)
        if extra:
            ctx.fail(say("cli.too_many", arguments=" ".join(extra)))
        return extra


class ChineseGroup(_InChinese, click.Group):
    """All commands, listed in the order in which they are defined."""

    command_class = ChineseCommand

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, subcommand_metavar=say("help.command"), **options)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names in the order of definition."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, then commands, each with its whole first sentence."""
        _InChinese.format_options(self, ctx, formatter)
        with _under("help.commands", formatter):
            formatter.write_dl([(name, str(command.help)) for name, command in self.commands.items()])


def reason(error: click.UsageError, group: click.Group) -> str:
    """What is wrong with a call, for the mistakes that people make; click's own words for any other."""
    asked = error.ctx.command if error.ctx is not None else group
    described, known = error.format_message(), "、".join((asked if isinstance(asked, click.Group) else group).commands)
    match error:
        case click.NoSuchOption():
            described = say("cli.no_option", name=error.option_name)
        case NoSuchCommand():
            described = say("cli.unknown_command", name=error.command_name, known=known)
        case NoArgsIsHelpError():
            described = say("cli.no_command", known=known)
        case click.MissingParameter(param=click.Option(opts=[str(name), *_])):
            described = say("cli.missing_option", name=name)
        case click.MissingParameter(param=click.Parameter(name=str(name))):
            described = say("cli.missing", name=name.upper())
        case click.BadParameter(param=click.Option(opts=[str(name), *_], type=click.IntRange(min=least, max=most))):
            described = say("cli.bad_range", name=name, least=least, most=most)
        case click.BadParameter(param=click.Option(opts=[str(name), *_], type=kind)):
            described = say("cli.bad_day" if isinstance(kind, click.DateTime) else "cli.bad_value", name=name)
        case click.BadOptionUsage(option_name=str(name)):
            described = say("cli.takes_nothing" if _is_flag(group, name) else "cli.no_value", name=name)
    return described


def _is_flag(group: click.Group, name: str) -> bool:
    """Whether an option is a switch; no two commands have one of the same name that differ in this."""
    inner = [
        one
        for command in group.commands.values()
        if isinstance(command, click.Group)
        for one in command.commands.values()
    ]
    each = [*group.commands.values(), *inner]
    options = (one for command in each for one in command.params if isinstance(one, click.Option))
    return name == "--help" or any(one.is_flag and name in one.opts for one in options)
