"""
The ``smelter`` command: finds each room's sub-commands through entry points and runs one.

Exit codes of every sub-command: 0 good, 1 the answer is "no", 2 wrong use or wrong config, 3 the
program itself failed: never to be taken for an answer.
Only the room that is asked for is imported, so a gateway never loads the report libraries.
"""

import sys
import traceback
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points, version

import typer

from drivers.language import language, say
from drivers.model import ConfigError

__all__ = ["language", "main"]

# A negative number is no option: the room itself says what it should have been.
SETTINGS = {"compute": {"ignore_unknown_options": True}}

HELP = {
    "agent": ("run, check or read a gateway", "网关：运行、检查配置、读一次数据"),
    "backup": ("back up while everything runs; --check verifies", "在线备份；--check 校验备份"),
    "audit": ("who did what when and why; was it changed", "审计日志：列出、核验、导出"),
    "browse": ("walk OPC UA, identify a Modbus device", "浏览 OPC UA，识别 Modbus 设备"),
    "compute": ("run any formula by hand, name=value or JSON", "手工计算任一公式：名=值 或 JSON"),
    "demo": ("simulated smelter, agent, historian and report", "一条命令演示：仿真电解铝厂到报告"),
    "doctor": ("look at an installation and say what to do", "体检：逐项检查安装并说明如何处理"),
    "duties": ("what must be done by when; exit code 1: overdue", "履约日历；有逾期时退出码为 1"),
    "entries": ("import, list, revise entered figures", "人工录入数据：模板、导入、修订、核验"),
    "historian": ("receive, keep and serve batches", "历史库：接收、保存、查询"),
    "hj212": ("decode, make and check packets of HJ 212", "HJ 212 报文：解码、生成、检查"),
    "import": ("bring in recorded history, flagged as imported", "导入历史数据，标记为导入"),
    "journal": (
        "marks, checks, exceedances, alerts and documents, with evidence",
        "环保记录：标记、校准、超标处置、预警、证明文件",
    ),
    "lodge": (
        "record that a report was handed in, seal its month",
        "登记报告已存证，封存该期间数据",
    ),
    "notices": ("who is told of what, and a trial notice", "通知：收件人与试发"),
    "package": ("a report with all that proves it, in a signed file", "打包报告及其全部证据并签名"),
    "pots": ("pots by excess energy, and advice", "电解槽电耗排名与建议（只读）"),
    "recompute": ("make a report again from originals elsewhere", "由原始数据重算报告并比对摘要"),
    "report": ("make a report; exit code 1: something is missing", "生成报告；缺数据时退出码为 1"),
    "restore": ("put a backup into an empty folder", "将备份恢复到空目录"),
    "rules": ("legal values, their source and overlays", "法规参数：取值、依据、补充规则"),
    "serve": ("the web console", "网页控制台"),
    "simulate": ("serve a simulated smelter, write its config", "运行仿真电解铝厂并写出其配置"),
    "trace": (
        "from a report figure back to entries, batches and registers",
        "从报告数字追溯到录入、批次和寄存器",
    ),
    "users": ("accounts of the web console", "网页控制台的账户"),
    "verify": ("is an evidence package what was signed", "核验证据包：是否被改动、何处被改动"),
}


def _usage(found: dict[str, EntryPoint]) -> str:
    lines = [say("用法：smelter 子命令 …", "Usage: smelter COMMAND …"), ""]
    for name in sorted(found):
        en, zh = HELP.get(name, ("", ""))
        lines.append(f"  {name:<10} {say(zh, en)}")
    lines += ["", say("smelter 子命令 --help 显示详情", "smelter COMMAND --help for the details")]
    return "\n".join(lines)


def _app(name: str, command: Callable[..., None]) -> typer.Typer:
    """A command that is one function, with its line of the usage as help."""
    en, zh = HELP.get(name, ("", ""))
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # brackets in a help text are brackets
    )
    app.command(help=say(zh, en) or None, context_settings=SETTINGS.get(name))(command)
    return app


def main() -> None:
    """Run ``smelter COMMAND …``."""
    found = {entry.name: entry for entry in entry_points(group="smelter.commands")}
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_usage(found))  # noqa: T201 - this is the program's answer
        raise SystemExit(0 if arguments else 2)
    if arguments[0] in {"-V", "--version"}:
        print(f"smelter {version('smelter-agent')}")  # noqa: T201 - this is the program's answer
        raise SystemExit(0)
    if arguments[0] not in found:
        unknown = say("未知的子命令", "unknown command")
        sys.stderr.write(f"smelter: {unknown} {arguments[0]!r}\n\n{_usage(found)}\n")
        raise SystemExit(2)
    try:
        target = found[arguments[0]].load()
        if not isinstance(target, typer.Typer):
            target = _app(arguments[0], target)
        target(args=arguments[1:], prog_name=f"smelter {arguments[0]}")
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        raise SystemExit(2) from None
    except Exception:  # noqa: BLE001 - a crash is told as one, with its own exit code
        traceback.print_exc()
        failed = say(
            "程序内部错误，请连同以上内容报告", "internal error; report it with the text above"
        )
        sys.stderr.write(f"smelter: {failed}\n")
        raise SystemExit(3) from None
