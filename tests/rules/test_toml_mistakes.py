"""A scenario file that is no TOML: the line, what stands there, and the usual cause, in Chinese."""

import re

import pytest

import zjtx_alloc as za


@pytest.mark.parametrize(
    ("line", "row", "cause"),
    [
        ("title = “第一批”", 2, "用了中文引号（“ ”），请改为英文引号 \""),
        ("title = ‘第一批’", 2, "用了中文引号"),
        ("total ＝ 1039", 2, "用了全角等号（＝），请改为 ="),
        ('budget_with = ["2025-baseline"，"2026-baseline"]', 2, "用了全角逗号或顿号"),
        ("【floor】\ndefault = 1", 2, "用了全角括号，请改为 [ ]"),
        ("total：1039", 2, "用了冒号，键与值之间请用 ="),
        ("[floor]\n新疆 = 6", 3, '中文键名须加英文引号，如 "西部" = 1.1'),
        ("total = １０３９", 2, "用了全角数字"),
        ("[factors.gdp]\nweight = 40%", 3, "请写成 0.4 这样的数"),
        ("total =", 2, "等号后面缺少值"),
        ("total 1039", 2, "键后面缺少 ="),
        ("[floor", 2, "缺少 ]"),
        ('title = "第一批', 2, "引号不成对"),
        ("total = 1\ntotal = 2", 3, "同一个键或表写了两次"),
        ("[cap]\n[cap]", 3, "同一个键或表写了两次"),
        ('budget_with = ["2025-baseline"', 0, "列表没有写完，缺少 ]"),
        ("title = 第一批", 2, "文字没有加英文引号"),
        ('title = "a" total = 3', 2, "一行只能写一项"),
    ],
)  # fmt: skip
def test_a_slip_is_answered_with_its_line_and_its_cause(line, row, cause, tmp_path):
    path = tmp_path / "我的.toml"
    path.write_text(f'extends = "2024-baseline"\n{line}\n', encoding="utf-8")
    with pytest.raises(za.ScenarioError) as caught:
        za.load_scenario(path)
    said = str(caught.value)
    assert (f"第{row}行" if row else "文件末尾不完整") in said, said
    assert cause in said, said
    assert not re.search(r"Expected|Invalid|Unclosed|Illegal|Cannot|at line", said), said
