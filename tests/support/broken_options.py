"""Broken options and arguments of the command; and forms that only Python reads."""

from support.broken_inputs import Broken

NO_FILE = b""


def option(name: str, said: str, *arguments: str, code: int = 1) -> Broken:
    return Broken("option", name, NO_FILE, said, arguments, code)


def broken_options() -> list[Broken]:
    budget, out = ("budget", "2024-baseline", "--out", "{out}"), ("--out", "{out}/x.csv")
    sweep = ("sweep", "2024-baseline")
    return [
        option("ceilings of words", "限额", *budget, "--ceilings", "many"), option("ceilings of 5000 digits", "限额", *budget, "--ceilings", "2024=" + "9" * 5000),
        option("a ceiling negative", "限额", *budget, "--ceilings", "2024=-1"), option("a ceiling of 1e308", "限额", *budget, "--ceilings", "2024=1e308"),
        option("a ceiling twice", "限额", *budget, "--ceilings", "2024=1000,2024=2000"), option("a ceiling of no year", "2099", *budget, "--ceilings", "2099=100000"),
        option("confidence nan", "把握", *budget, "--confidence", "nan"), option("confidence 2", "把握", *budget, "--confidence", "2"),
        option("confidence 1e999999999", "把握", *budget, "--confidence", "1e999999999"), option("confidence a ratio", "把握", *budget, "--confidence", "1/2"),
        option("confidence 0", "把握", *budget, "--confidence", "0"), option("tails in words", "--tails", *budget, "--tails", "x", code=2),
        option("tails negative", "尾款", *budget, "--tails", "-5"), option("tails 10^30", "尾款", *budget, "--tails", "1" + "0" * 30),
        option("a tail rate alone", "尾款", *budget, "--tail-rate", "0.9"), option("tail rate 1e999999999", "继续支持", *budget, "--tails", "200", "--tail-rate", "1e999999999"),
        option("no outcomes", "假设", *budget, "--outcomes", ","), option("outcomes twice", "central、central", *budget, "--outcomes", "central,central"),
        option("outcomes elsewhere", "假设", *budget, "--outcomes", "../central"), option("before nothing", "x.toml", *budget, "--before", "x.toml"),
        option("batches twice", "批", "budget", "2024-baseline", "2024-baseline", "--out", "{out}"),
        option("three draws", "--draws", *sweep, "--draws", "3", code=2), option("10^18 draws", "--draws", *sweep, "--draws", "1" + "0" * 18, code=2),
        option("draws in words", "--draws", *sweep, "--draws", "many", code=2), option("seed negative", "--seed", *sweep, "--seed", "-1", code=2),
        option("seed of 5000 digits", "--seed", *sweep, "--seed", "9" * 5000, code=2), option("a cluster of nothing", "集群", *sweep, "--cluster", "nowhere"),
        option("no unit", "台湾", "explain", "2024-baseline", "台湾"), option("a unit turned round", "单位", "explain", "2024-baseline", "\u202e京北"),
        option("a unit of a megabyte", "单位", "explain", "2024-baseline", "x" * 10**5), option("a scenario elsewhere", "情景", "allocate", "../2024-baseline", *out),
        option("a scenario of a NUL", "字符", "allocate", "a\0.toml", *out), option("a scenario of blanks", "情景", "allocate", "  ", *out),
        option("a scenario with a colour", "情景", "allocate", "\u001b[31mred", *out), option("a long name", "过长", "allocate", "x" * 300 + ".toml", *out),
        option("a scenario twice", "2024-baseline", "compare", "2024-baseline", "2024-baseline", "--out", "{out}"), option("a single one compared", "情景", "compare", "2024-baseline", "--out", "{out}"),
        option("a file as a folder", "文件", "allocate", "2024-baseline", "--out", "{file}/x.csv"), option("a folder as a file", "文件夹", "allocate", "2024-baseline", "--out", "{out}"),
        option("a long out", "过长", "allocate", "2024-baseline", "--out", "{out}/" + "x" * 300),
        option("a report into a file", "文件", "report", "2024-baseline", "--out", "{file}"), option("a budget into a file", "文件", "budget", "2024-baseline", "--out", "{file}"),
        option("a comparison into a file", "文件", "compare", "2024-baseline", "2025-baseline", "--out", "{file}"), option("a sweep into a file", "文件", *sweep, "--draws", "4", "--out", "{file}"),
        option("a template of CSV", "xlsx", "template", "{out}/x.csv"), option("a template into a file", "文件", "template", "{file}/x.xlsx"),
        option("an award elsewhere", "政策文件", "calendar", "--award", "../caijian-2024-148"), option("no award", "政策文件", "calendar", "--award", ""),
        option("batch 4", "--batch", "plan-document", "{file}", "--unit", "天津", "--out", "{out}/x.docx", "--batch", "4", code=2),
        option("a plan of no unit", "火星", "plan-document", "{file}", "--unit", "火星", "--out", "{out}/x.docx"),
        option("an option", "--outt", "report", "2024-baseline", "--outt", "x", code=2), option("a command", "alocate", "alocate", code=2),
        option("an option without a value", "--out", "report", "2024-baseline", "--out", code=2), option("an argument too many", "x", "calendar", "x", code=2),
        option("an explorer of nothing", "情景", "explore", "none"), option("an explorer of a table of nothing", "找不到", "explore", "--data", "{out}/none.xlsx"),
        option("a check against nothing", "情景", "check", "{file}", "--scenario", "none"),
    ]  # fmt: skip
