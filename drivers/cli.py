"""
The ``smelter`` command: finds each room's sub-commands through entry points and runs one.

Exit codes of every sub-command: 0 good, 1 the answer is "no", 2 wrong use or wrong config.
Only the room that is asked for is imported, so a gateway never loads the report libraries.
"""

import sys
from importlib.metadata import EntryPoint, entry_points, version

import typer

from drivers.language import language, say
from drivers.model import ConfigError

__all__ = ["language", "main"]

HELP = {
    "agent": ("run, check or read a gateway", "网关：运行、检查配置、读一次数据"),
    "browse": ("walk an OPC UA server, print a point table", "浏览 OPC UA 服务器，输出点表"),
    "compute": ("run any formula by hand", "手工计算任一公式"),
    "demo": ("simulated smelter, agent, historian and report", "一条命令演示：仿真电解铝厂到报告"),
    "entries": ("import, list, revise entered figures", "人工录入数据：导入、列表、修订"),
    "historian": ("receive, keep and serve batches", "历史库：接收、保存、查询"),
    "import": ("bring in recorded history", "导入历史数据文件"),
    "report": ("make a report for a month or year", "生成月报或年报"),
    "simulate": ("serve a simulated plant", "运行仿真电解铝厂"),
    "trace": ("from a report figure back to the registers", "从报告数字追溯到寄存器"),
}


def _usage(found: dict[str, EntryPoint]) -> str:
    lines = [say("用法：smelter 子命令 …", "Usage: smelter COMMAND …"), ""]
    for name in sorted(found):
        en, zh = HELP.get(name, ("", ""))
        lines.append(f"  {name:<10} {say(zh, en)}")
    lines += ["", say("smelter 子命令 --help 显示详情", "smelter COMMAND --help for the details")]
    return "\n".join(lines)


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
    target = found[arguments[0]].load()
    if not isinstance(target, typer.Typer):
        command = target
        target = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        target.command()(command)
    try:
        target(args=arguments[1:], prog_name=f"smelter {arguments[0]}")
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        raise SystemExit(2) from None
