"""One good firm, tables of it that differ in the named cells, a small rubric, and quotas by unit."""

import datetime

import pandas as pd
from stdnum.cn import uscc

import zjtx_alloc as za

GOOD = {
    "省级单位": "江苏",
    "统一社会信用代码": "",
    "企业名称": "",
    "所在城市": "甲市",
    "证书有效期起": "2021-08-01",
    "证书有效期止": "2024-12-31",
    "上市情况": "未上市",
    "上一轮是否获支持": "否",
    "新一轮已获支持批次": "无",
    "所属重点领域": "重点产业链",
    "推进计划方向": "开发新产品",
    "打造新动能绩效目标": "",
    "开发新产品绩效目标": "新增发明专利5件",
    "推进计划投资总额（万元）": 3000,
    "研发费用占营业收入比重（%）": 5,
    "有效发明专利数（件）": 6,
    "主导产品国内市场占有率（%）": 20,
    "实际完成投资（万元）": 3000,
    "目标完成率（%）": 100,
    "到账奖补资金（万元）": 285,
    "已使用奖补资金（万元）": 285,
}
DAY = datetime.date(2024, 7, 31)  # the first batch's last day to submit
INVESTMENT, PATENTS, SHARE = "推进计划投资总额（万元）", "有效发明专利数（件）", "研发费用占营业收入比重（%）"
RUBRIC = """
title = "试"
ties = ["-planned_investment"]
[indicators.invention_patents]
weight = "0.6"
bands = [["10", "100"], ["5", "80"]]
[indicators.rd_share]
weight = "0.4"
direction = "down"
bands = [["3", "100"], ["6", "50"]]
"""


def credit_code(number):
    """A valid code of the region 000000, which no real firm has."""
    body = f"91000000{number:09d}"
    return body + uscc.calc_check_digit(body)


def raw(*changes):
    """A table of cells, a firm a dict of changes."""
    # Names that no single sign makes one: each number is written with two signs.
    names = [f"虚{chr(0x4E00 + 7 * n)}{chr(0x5E00 + 11 * n)}试验设备制造有限公司" for n in range(len(changes))]
    rows = [
        GOOD | {"统一社会信用代码": credit_code(n), "企业名称": names[n]} | change for n, change in enumerate(changes)
    ]
    return pd.DataFrame(rows, dtype=object)


def firms(*changes):
    """The same, read."""
    return za.firms.load_firms(raw(*changes))


def quota(**places):
    """Places or money of two units, by short names."""
    codes = {"js": "320000", "zj": "330000"}
    return pd.Series({codes[unit]: n for unit, n in places.items()})


def reviewed(*changes, **options):
    return za.firms.review(firms(*changes), None, DAY, **options)


def failed(*changes, **options):
    """Rules that each firm fails."""
    found = reviewed(*changes, **options)
    return [found.failures.loc[found.failures["firm"] == n, "rule"].tolist() for n in range(len(changes))]
