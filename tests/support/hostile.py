"""Names as an attacker would choose them, wherever a user's input holds a name. No test of its own."""

from pathlib import Path

import tomli_w

from zjtx_alloc.base.resources import shipped

MARK = "zjtxmark"  # stands in every one of them
SCRIPT = f"<script>{MARK}()</script>"
IMAGE = f'"><img src=x onerror={MARK}()>'
LINK = f"[{MARK}](javascript:{MARK}()) ![{MARK}](http://{MARK}.example/x.png)"
FORMULA = f'=HYPERLINK("http://{MARK}.example","x")'
COMMAND = f"@SUM(1+1)*cmd|' /C {MARK}'!A0"
PYTHON = f'";import os;os.environ["{MARK}"]="1";"""{MARK}\'\'\'\n{MARK}'
NAME = f"=1+1 {SCRIPT}"[:16]

_FACTOR = "first_round_continued_r1_sum"
SCENARIO = {
    "extends": "2024-baseline",
    "title": f"{FORMULA}{SCRIPT}{IMAGE}{LINK}{PYTHON}",
    "drop": [f"factors.{_FACTOR}"],
    "factors": {"index": {"weight": 0.2}},
    "composites": {
        "index": {
            "title": "=1+1<b>" + MARK,
            "aggregation": "arithmetic",
            "weights": "equal",
            "parts": {_FACTOR: {"period": "2024-04", "direction": 1, "normalisation": {"kind": "share"}}},
        }
    },
    "cap": {"江苏": 90},
    "groups": {
        FORMULA + SCRIPT: {"units": ["浙江"], "cap": 60},
        COMMAND + IMAGE: {"units": ["上海", "湖南"], "cap": 90},
        f"-{MARK}{LINK}": {"units": ["安徽"], "cap": 20},
    },
    "fixed": {"西藏": {"quota": 2, "reason": f"-1+1 {SCRIPT}{IMAGE}"}},
    "assumptions": {"performance": f"=1+1 {SCRIPT}{LINK}", "total": FORMULA},
}


def scenario(folder: Path, name: str = "trial.toml") -> Path:
    """A scenario all of whose names are hostile."""
    path = folder / name
    path.write_text(tomli_w.dumps(SCENARIO), encoding="utf-8")
    return path


def outcomes(folder: Path) -> Path:
    """Assumed outcomes with hostile names, in a file whose name is a formula."""
    text = shipped("data", "outcomes", "central.toml").read_text(encoding="utf-8")
    path = folder / f"=1+1 {MARK}.toml"
    path.write_text(text.replace('"中性"', repr(f"=1+1{SCRIPT}{MARK}")), encoding="utf-8")
    return path
