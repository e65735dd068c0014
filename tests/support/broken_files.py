"""Broken files in TOML: scenarios, assumed outcomes, policy; and records of runs."""

import json
from collections.abc import Callable
from pathlib import Path

from support.broken_inputs import Broken, no_files

from zjtx_alloc.base.resources import shipped

REPORT = ("report", "{file}", "--out", "{out}")
HEAD = 'extends = "2024-baseline"\n'
POLICY = shipped("data", "policy", "caijian-2024-148.toml").read_text(encoding="utf-8")
OUTCOMES = shipped("data", "outcomes", "central.toml").read_text(encoding="utf-8")


def scenario(name: str, lines: str, said: str, *arguments: str) -> Broken:
    return Broken("scenario", f"{name}.toml", (HEAD + lines + "\n").encode(), said, arguments)


def beside(**others: str) -> Callable[[Path], object]:
    """A scenario ``first`` with others beside it."""

    def make(path: Path) -> None:
        for name, lines in others.items():
            place = path if name == "first" else path.with_name(f"{name}.toml")
            place.write_text(lines, encoding="utf-8")

    return make


def chain(length: int) -> Callable[[Path], object]:
    """A scenario that extends one that extends one …"""

    def make(path: Path) -> None:
        names = [path.name, *(f"{path.stem}-{n}.toml" for n in range(1, length))]
        for name, parent in zip(names, [*names[1:], "2024-baseline"], strict=True):
            (path.parent / name).write_text(f'extends = "{parent}"\n', encoding="utf-8")

    return make


def broken_texts() -> list[Broken]:
    """What no scenario can be read from."""
    good = HEAD + 'title = "试"\n'
    files = {
        "UTF-16": (good.encode("utf-16"), "不是 UTF-8"), "GBK": (good.encode("gbk"), "第2行不是 UTF-8"),
        "a NUL": (good.encode() + b"\0", "不合 TOML"), "empty": (b"", "缺少此项"), "a comment": ("# 空".encode(), "缺少此项"),
        "only a mark": (b"\xef\xbb\xbf", "缺少此项"), "a mark inside": (good.encode() + "\ufefftotal = 3".encode(), "不合 TOML"),
        "a table of Excel": (b"PK\x03\x04", "不合 TOML"), "JSON": (b'{"extends": "2024-baseline"}', "不合 TOML"),
        "YAML": (b"extends: 2024-baseline\n", "不合 TOML"), "open text": (good.encode() + b'note = "', "末尾"),
        "a key twice": (good.encode() + 'title = "二"'.encode(), "写了两次"), "a table twice": (b"[cap]\n[cap]\n", "写了两次"),
        "a value as a table": (b"total = 3\n[total]\n", "写了两次"), "deep arrays": (b"x = " + b"[" * 10**5 + b"]" * 10**5, "嵌套"),
        "deep tables": (b"[" + b".".join([b"a"] * 5000) + b"]\n", "嵌套"), "deep keys": (b".".join([b"a"] * 5000) + b" = 1\n", "嵌套"),
        "deep inline tables": (b"x = " + b"{a = " * 400 + b"1" + b"}" * 400, "嵌套"), "fourteen levels": (b"x = " + b"[" * 14 + b"]" * 14, "嵌套"),
        "a number of 5000 digits": (HEAD.encode() + b"total = " + b"9" * 5000, "位数"), "hexadecimal": (HEAD.encode() + b"total = 0x" + b"F" * 400, "过大"),
        "no such day": (HEAD.encode() + b"x = 2024-02-30", "不合 TOML"), "a file of a megabyte": (b"#" * (2**20 + 1), "最多1兆"),
        "a title turned round": (HEAD.encode() + 'title = "\u202e案方"'.encode(), "不可见字符"),
        "a key turned round": (HEAD.encode() + '"\u200ftotal" = 3'.encode(), "不可见字符"),
        "an escaped control": (HEAD.encode() + rb'title = "\u001b[31m"', "不可见字符"), "a lone surrogate": (HEAD.encode() + rb'title = "\ud800"', "不合 TOML"),
    }  # fmt: skip
    return [Broken("scenario", f"{name}.toml", content, said) for name, (content, said) in files.items()]


def broken_numbers() -> list[Broken]:
    """Numbers that are none, too many, too small."""
    little, grade = "[factors.little_giants]\nweight = ", '[grade]\ndefault = "A"\n[grade_coefficient]\nA = '
    return [
        scenario("total 0", "total = 0", "不小于 1"), scenario("total negative", "total = -1039", "不小于 1"),
        scenario("total 1e308", "total = 1e308", "整数"), scenario("total 10^30", "total = 1" + "0" * 30, "过大"),
        scenario("total 10^7", "total = 10000000", "不大于"), scenario("total as a day", "total = 2024-06-14", "整数"),
        scenario("total as a list", "total = [1039]", "整数"), scenario("batch 0", "batch = 0", "不小于 1"),
        scenario("batch 10^15", "batch = 1" + "0" * 15, "不大于"), scenario("weight inf", little + "inf", "有限的数"),
        scenario("weight -inf", little + "-inf", "有限的数"), scenario("weight negative", little + "-0.4", "不小于 0"),
        scenario("weight tiny", little + "5e-324", "应为1"), scenario("coefficient 1e308", grade + "1e308", "不大于"),
        scenario("coefficient 5e-324", grade + "5e-324", "不小于"), scenario("coefficient nan", grade + "nan", "有限"),
        scenario("coefficient 0", grade + "0.0", "大于 0"), scenario("floor 10^15", "[floor]\ndefault = 1" + "0" * 15, "不大于"),
        scenario("floor negative", "[floor]\ndefault = -1", "不小于 0"), scenario("rule 1e308", '[rules.r]\nunits = ["江苏"]\nmin = 1e308', "不大于"),
        scenario("rule nan", '[rules.r]\nunits = ["江苏"]\nmin = nan', "rules.r.min"), scenario("share 2", '[rules.r]\nregion = "西部"\nmin_share = 2.0', "不大于 1"),
        scenario("coefficient of seven decimals", "[rules.r]\nmin = 1\n[rules.r.coefficients]\n\"江苏\" = 0.0000001", "小数"),
        scenario("rate of 5000 digits", f'[approval]\nrate = "0.{"3" * 5000}"', "0到1之间"), scenario("rate in Arabic digits", '[approval]\nrate = "0.\u0663"', "0到1之间"),
        scenario("rate with a line feed", '[approval]\nrate = "0.9\\n"', "0到1之间"), scenario("change 1e308", '[change]\nprevious = "2024-baseline"\nmax_relative = 1e308', "不大于"),
        scenario("range nan", "[uncertainty.weights.little_giants]\nmin = nan\nmax = 0.5", "uncertainty.weights"),
        scenario("concentration 1e308", 'drop = ["uncertainty"]\n[uncertainty]\nconcentration = 1e308', "不大于"), scenario("a ratio", 'total = "1039/2"', "整数"),
    ]  # fmt: skip


def broken_names() -> list[Broken]:
    """Names of nothing, of something else, or of what lies elsewhere."""
    return [
        scenario("a look-alike unit", '[cap]\n"北亰" = 3', "“北亰”"), scenario("a unit in full width twice", '[cap]\n"110000" = 3\n"１１００００" = 4', "出现两次"),
        scenario("an indicator", '[factors.gpd]\nperiod = "2023"\nweight = 0.0', "gpd"), scenario("a period", '[factors.little_giants]\nperiod = "2099"', "2099"),
        scenario("an award elsewhere", 'award = "../../secret"', "政策文件", *REPORT), scenario("an award", 'award = ""', "政策文件", *REPORT),
        scenario("a criterion", 'criterion = "largest"', "criterion"), scenario("a group of two names", '[groups."a、b"]\nregion = "西部"', "a、b"),
        scenario("a key in full width", "\uff54otal = 3", "不合 TOML"), scenario("a key with a blank", '"total " = 3', "没有这一项"),
        scenario("a name of its own", 'name = "../../x"', "没有这一项"), scenario("a stand-in for nothing", '[factors.little_giants]\nstand_in_for = "x"', "x"),
        scenario("a multiplier of nothing", '[factors.little_giants]\nmultiplier = "x"', "[multipliers.x]"), scenario("an end of nothing", 'end_stand_in = ["gdp"]', "gdp"),
        scenario("a previous batch elsewhere", '[change]\nprevious = "/etc/none.toml"\nmax_relative = 0.1', "找不到"), scenario("a companion that is not there", 'budget_with = ["none.toml"]', "none.toml", *REPORT),
        Broken("scenario", "extends nothing.toml", b'extends = "none.toml"', "none.toml"), Broken("scenario", "extends a folder.toml", b'extends = "..toml"', "找不到"),
        Broken("scenario", "extends a NUL.toml", rb'extends = "a\u0000.toml"', "不可见字符"), Broken("scenario", "extends itself.toml", b'extends = "extends itself.toml"', "首尾相接"),
        Broken("scenario", "a circle of three.toml", beside(first='extends = "b.toml"', b='extends = "c.toml"', c='extends = "a circle of three.toml"'), "首尾相接"),
        Broken("scenario", "a long chain.toml", chain(1500), "过多"),
        scenario("before itself", '[change]\nprevious = "before itself.toml"\nmax_relative = 0.1', "首尾相接"),
        Broken("scenario", "before each other.toml", beside(first=HEAD + '[change]\nprevious = "o.toml"\nmax_relative = 0.1', o=HEAD + '[change]\nprevious = "before each other.toml"\nmax_relative = 0.1'), "首尾相接"),
        scenario("a cycle of composites", '[factors.a]\nweight = 0.0\n[composites.a]\ntitle = "甲"\naggregation = "arithmetic"\nweights = "equal"\n[composites.a.parts.a]\ndirection = 1', "循环"),
    ]  # fmt: skip


def broken_rules() -> list[Broken]:
    """Rules that nothing satisfies."""
    return [
        scenario("floors above the total", "[floor]\ndefault = 100", "1039"), scenario("caps below the total", "[cap]\ndefault = 1", "1039"),
        scenario("a cap under its floor", "[floor]\n\"江苏\" = 90\n[cap]\n\"江苏\" = 10", "江苏"), scenario("a group beyond the total", '[groups."西部"]\nregion = "西部"\nfloor = 5000', "西部"),
        scenario("a rule upside down", '[rules.r]\nunits = ["江苏"]\nmin = 50\nmax = 10', "r"), scenario("a decision beyond the total", '[fixed."西藏"]\nquota = 2000\nreason = "定"', "西藏"),
        scenario("no estimates", "allow_estimates = false", "不允许使用估算数"),
    ]  # fmt: skip


def outcomes(name: str, old: str, new: str, said: str) -> Broken:
    assert old in OUTCOMES
    return Broken("outcomes", f"{name}.toml", OUTCOMES.replace(old, new, 1).encode(), said)


def broken_outcomes() -> list[Broken]:
    return [
        outcomes("a share above one", '"0.60"', '"1.60"', "completed.mean"), outcomes("a share as a number", '"0.60"', "0.60", "completed.mean"),
        outcomes("a share in percent", '"0.60"', '"60%"', "completed.mean"), outcomes("a share of 5000 digits", '"0.60"', f'"0.{"6" * 5000}"', "completed.mean"),
        outcomes("nan", '"0.60"', '"nan"', "completed.mean"), outcomes("Arabic digits", '"0.60"', '"0.\u0666"', "completed.mean"),
        outcomes("order", '"0.35"', '"0.95"', "0.95"), outcomes("sum", 'missed = "0.5"', 'missed = "0.4"', "0.9"),
        outcomes("correlation one", 'rho_unit = "0.05"', 'rho_unit = "1"', "rho_unit"), outcomes("correlation tiny", 'rho_nation = "0.05"', 'rho_nation = "0.000000000001"', "rho_nation"),
        outcomes("correlation wide", 'rho_nation = "0.05"', 'rho_nation = "0.9"', "rho_nation"), outcomes("two states", "nodes = 27", "nodes = 2", "nodes"),
        outcomes("a billion states", "nodes = 27", "nodes = 1000000000", "nodes"), outcomes("states as text", "nodes = 27", 'nodes = "27"', "nodes"),
        outcomes("a key too many", "nodes = 27", "nodes = 27\nnode = 3", "node"), outcomes("a table missing", "[otherwise]", "[otherwize]", "otherwise"),
        outcomes("a title turned round", "中性", "\u202e性中", "不可见字符"), Broken("outcomes", "GBK.toml", OUTCOMES.encode("gbk"), "UTF-8"),
        Broken("outcomes", "empty.toml", b"", "title"), Broken("outcomes", "a name.txt", b"", "假设"), *no_files("outcomes", "toml", "没有名为"),
    ]  # fmt: skip


def policy(name: str, old: str, new: str, said: str) -> Broken:
    assert old in POLICY, old
    return Broken("policy", f"{name}.toml", POLICY.replace(old, new, 1).encode(), said)


def broken_policies() -> list[Broken]:
    return [
        policy("an amount in words", '"600"', '"六百"', "amount"), policy("an amount of 5000 digits", '"600"', f'"{"6" * 5000}"', "amount"),
        policy("an amount negative", '"600"', '"-600"', "amount"), policy("an amount of 1e308", '"600"', '"1e308"', "amount"),
        policy("an amount as a number", '"600"', "600", "amount"), policy("an amount in Arabic digits", '"600"', '"\u0666"', "amount"),
        policy("an odd amount", '"600"', '"601"', "opening_share"), policy("half a year", 'value = "3"', 'value = "2.5"', "不是整数"),
        policy("a billion years", 'value = "3"', 'value = "1000000000"', "implementation_years"), policy("year 0", '"2024"', '"0"', "first_year"),
        policy("a million batches", 'value = "3"\nmeasure = "批"', 'value = "1000000"\nmeasure = "批"', "batches"), policy("an opening above one", '"0.5"', '"1.5"', "opening_share"),
        policy("no such day", 'issued = "2024-06-14"', 'issued = "2024-13-45"', "issued"), policy("no title", "title =", "titel =", "title"),
        policy("a parameter missing", "[parameters.amount]", "[parameters.amuont]", "amount"), policy("a key twice", "[parameters.opening_share]", "[parameters.amount]", "写了两次"),
        Broken("policy", "GBK.toml", POLICY.encode("gbk"), "UTF-8"), Broken("policy", "empty.toml", b"", "title"),
        *(one for one in no_files("policy", "toml") if one.name.startswith(("a folder", "100 MB", "a pipe"))),
    ]  # fmt: skip


def record(name: str, told: object, said: str = "不是一次运行的文件夹") -> Broken:
    """A run's folder with such a record."""

    def make(path: Path) -> None:
        path.mkdir()
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        (path / "run.json").write_bytes(content)

    return Broken("run", name, make, said)


def broken_records() -> list[Broken]:
    whole = {
        "kind": "report", "id": "0" * 12, "asked": ["a"], "indicators": {}, "inputs": {}, "outputs": {},
        "scenarios": {"a": {"title": "x"}},
    }  # fmt: skip
    outside = whole | {"asked": ["../../a"], "scenarios": {"../../a": {"title": "x"}}}
    return [
        record("a run of nothing", b""), record("a run of a list", []), record("a run of a number", 3), record("a run of NaN", b"NaN"),
        record("a deep run", b"[" * 10**5), record("a run without a kind", {"id": "x"}), record("a run of another kind", whole | {"kind": "x"}),
        record("a run without inputs", {"kind": "report", "id": "x"}), record("a run of no scenario", whole | {"scenarios": {}}),
        record("a run whose scenarios are text", whole | {"scenarios": "x"}), record("a run that asks for numbers", whole | {"asked": [3]}),
        record("a run that leads outside", outside), record("a run whose files lie outside", whole | {"outputs": {"../../etc/passwd": "0"}}),
        record("a run of UTF-16", json.dumps(whole).encode("utf-16")), Broken("run", "no run", lambda path: path.mkdir(), "不是一次运行的文件夹"),
        Broken("run", "a file for a run", b"{}", "不是一次运行的文件夹"), Broken("run", "no folder", lambda path: None, "不是一次运行的文件夹"),
    ]  # fmt: skip


def broken_files() -> list[Broken]:
    return [
        *broken_texts(), *broken_numbers(), *broken_names(), *broken_rules(), *no_files("scenario", "toml"),
        *broken_outcomes(), *broken_policies(), *broken_records(),
    ]  # fmt: skip
