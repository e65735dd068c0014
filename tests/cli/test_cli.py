"""The command: paths on stdout, messages on stderr, exit codes, and no traceback for bad input."""

import errno
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import zjtx_alloc as za
from zjtx_alloc.cli.main import main
from zjtx_alloc.report.terminal import speak_plainly


def zjtx(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    output = capsys.readouterr()
    return stop.value.code, output.out.splitlines(), output.err


def test_allocate_writes_the_csv_and_prints_where(capsys, tmp_path):
    code, lines, _ = zjtx(capsys, "allocate", "2024-baseline", "--out", str(tmp_path / "名额 表.csv"))
    assert code == 0
    assert lines[-1] == str(tmp_path / "名额 表.csv")
    golden = Path(__file__).parents[1] / "golden" / "2024-baseline" / "allocation.csv"
    assert Path(lines[-1]).read_bytes() == golden.read_bytes()


def test_allocate_takes_a_scenario_file(capsys, tmp_path, write_scenario, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_scenario('extends = "2024-baseline"\ntotal = 500\n', "试算.toml")
    code, lines, _ = zjtx(capsys, "allocate", str(path))
    assert (code, lines) == (0, ["试算-allocation.csv"])
    assert (tmp_path / lines[0]).is_file()


def test_warnings_are_sentences_of_ours_and_those_of_libraries_stay_out(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        speak_plainly()
        warnings.warn("Data Validation extension is not supported and will be removed", UserWarning, stacklevel=1)
        warnings.warn("请改用 approval.unused", FutureWarning, stacklevel=1)
    assert capsys.readouterr().err == "请改用 approval.unused\n"


@pytest.mark.thorough
@pytest.mark.usefixtures("plain_pages")
def test_report_prints_its_folder_last_and_its_progress_on_stderr(capsys, tmp_path):
    code, lines, err = zjtx(capsys, "report", "2026-baseline", "--out", str(tmp_path))
    assert (code, lines) == (0, [str(tmp_path / "2026-baseline")])
    assert "allocation.html" in err


def test_explain_prints_the_sentences_with_a_users_data(capsys, panel, tmp_path):
    code, lines, _ = zjtx(capsys, "explain", "2024-baseline", "浙江")
    assert (code, lines[0]) == (0, "2024年第一批基准情景：浙江的名额为91家。")
    facts = panel.facts.copy()
    facts.loc[(facts["indicator"] == "little_giants") & (facts["unit"] == "540000"), "value"] = 300
    facts.to_csv(tmp_path / "facts.csv", index=False, encoding="utf-8")
    before = zjtx(capsys, "explain", "2024-baseline", "西藏")[1]
    after = zjtx(capsys, "explain", "2024-baseline", "西藏", "--data", str(tmp_path / "facts.csv"))[1]
    assert before[0] != after[0]


def test_scenarios_lists_names_and_titles(capsys):
    code, lines, _ = zjtx(capsys, "scenarios")
    assert code == 0
    assert [line.split("\t")[0] for line in lines] == list(za.scenario_names())
    assert lines[0].endswith("2024年第一批基准情景")


def test_calendar_prints_an_aligned_chinese_table(capsys):
    code, lines, _ = zjtx(capsys, "calendar")
    assert code == 0
    assert lines[2].split() == ["日期", "进度", "批次", "年度", "事项", "责任单位", "依据", "期限性质"]
    (first,) = [line.split() for line in lines if line.startswith("2024-07-31")]
    assert first == ["2024-07-31", "已过", "第1批", "2024", "联合上报《实施方案》", "省级中小企业主管部门、财政部门",
                     "财建〔2024〕148号六", "明文规定"]  # fmt: skip
    body = lines[2 : lines.index("", 2)]
    columns = {wide(line[: line.index("第")]) for line in body[1:]}
    assert columns == {wide(body[0][: body[0].index("批次")])}


def test_calendar_marks_what_is_past_and_what_comes_next(capsys):
    _, lines, _ = zjtx(capsys, "calendar", "--today", "2026-06-10")
    marks = {tuple(line.split()[:2]) for line in lines if line.startswith("20")}
    assert {("2026-04-30", "已过"), ("2026-06-10", "下一项"), ("2026-06-15", "未到")} <= marks
    _, lines, _ = zjtx(
        capsys, "calendar", "--from", "2027-01-01", "--to", "2027-12-31", "--provinces", "--today", "2026-12-07"
    )
    found = [line.split() for line in lines if line.startswith("20")]
    assert {line[0][:4] for line in found} == {"2027"}
    assert all(line[5].startswith("省级") for line in found)
    assert [line[1] for line in found if line[0] == "2027-04-30"] == ["下一项"] * 3


def wide(text):
    return len(text.encode("gb18030"))  # a Chinese character is two columns and, there, two bytes


def test_a_file_that_may_not_be_read_is_left_to_whoever_reads_it(tmp_path, monkeypatch, capsys):
    """Click would say so in English before the reading can in Chinese."""
    (path := tmp_path / "表.csv").write_bytes(b"x\n")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SystemExit) as stop:
        main(["check", str(path)])
    assert (stop.value.code, "没有找到因素表" in capsys.readouterr().err) == (1, True)


@pytest.mark.parametrize("toml", ['title = "{}"\nx', '"{}" = 1', 'extends = "{}"', 'drop = ["{}"]', '[cap]\n"{}" = 1', '[fixed."{}"]\nquota = 1'])  # fmt: skip
def test_a_message_keeps_its_beginning_and_its_end_however_long_a_value(toml, tmp_path):
    (path := tmp_path / "trial.toml").write_text(toml.format("长" * 200_000), encoding="utf-8")
    with pytest.raises(za.ScenarioError) as caught:
        za.load_scenario(path)
    assert len(str(caught.value)) < 5000
    short = str(za.DataError(f"表.csv 有{'长' * 500_000}；请改正"))
    assert (len(short), short[:8], short[-4:]) == (2002, "表.csv 有长", "；请改正")
    assert str(za.DataError("\n".join("一二三"))) == "一\n二\n三"


@pytest.mark.parametrize("character", ["\u200b", "\u3164", "\ufe0f", "\U000e0041", "\u00ad"])
def test_a_name_with_characters_that_cannot_be_seen_is_refused_by_their_code(character, tmp_path):
    (path := tmp_path / "trial.toml").write_text(
        f'extends = "2024-baseline"\ntitle = "a{character}b"', encoding="utf-8"
    )
    with pytest.raises(za.ScenarioError, match=rf"title 中有不可见字符（U\+{ord(character):04X}）；请删去"):
        za.load_scenario(path)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["allocate", "2023-baseline"], 1, "没有名为“2023-baseline”的情景；可用：2024-baseline"),
        (["allocate", "没有.toml"], 1, "找不到情景文件 没有.toml"),
        (["allocate"], 2, "缺少参数 SCENARIO"),
        (["explain", "2024-baseline", "台湾"], 1, "没有名为“台湾”的单位"),
        (["explain", "2024-baseline"], 2, "缺少参数 UNIT"),
        (["alocate", "2024-baseline"], 2, "没有命令“alocate”"),
        (["report", "2024-baseline", "--outt", "x"], 2, "没有选项“--outt”"),
        ([], 2, "zjtx --help"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_chinese_message(capsys, arguments, code, said):
    got, lines, err = zjtx(capsys, *arguments)
    assert (got, lines) == (code, [])
    assert said in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_named(capsys, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("", encoding="utf-8")
    code, _, err = zjtx(capsys, "allocate", "2024-baseline", "--out", str(blocked / "a.csv"))
    assert code == 1
    assert "blocked" in err
    assert "路径中有一段是文件" in err


def test_a_fault_of_the_system_is_told_in_chinese(capsys, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device", "表.csv")

    monkeypatch.setattr("zjtx_alloc.cli.main.scenario_names", full)
    code, _, err = zjtx(capsys, "scenarios")
    assert code == 1
    assert "表.csv（磁盘空间不足或超出限额，请腾出空间）" in err


def test_help_is_chinese(capsys):
    code, lines, _ = zjtx(capsys, "--help")
    assert code == 0
    assert any("名额分配与奖补预算" in line for line in lines)


@pytest.mark.thorough
def test_the_module_runs_as_a_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "zjtx_alloc", "scenarios"],
        capture_output=True, text=True, encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines()[0].startswith("2024-baseline\t")
    assert done.stderr == ""
