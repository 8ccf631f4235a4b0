"""Problems as a visitor of the console reads them: fields of its forms instead of options."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from drivers.language import language
from drivers.model import ConfigError

# What a command says of its options -> what the page calls them; longer ones first.
_ZH: Final = (
    (r"更正请加 --revise，\s*或 smelter entries revise (\d+)",
     r"更正请勾选“作为修订写入”，或在“已录入”中更正第 \1 条"),
    (r"smelter entries revise (\d+) --withdraw", r"在“已录入”中撤回第 \1 条"),
    (r"请加 --reissue", "请勾选“更正已存证的数据”"),
    (r"确需存证请加 --incomplete", "确需存证请勾选“仍要登记”"),
    (r"请用 --backdated \"理由\" 说明", "请填写“补登理由”"),
    (r"--backdated", "补登理由"),
    (r"须填 --receipt", "须填写回执号"),
    (r"须填 --on", "须填写存证日期"),
    (r"须填 --author 和 --reason", "须填写理由"),
    (r"--on ", "存证日期 "),
    (r"或 --withdraw", "或选择“撤回”"),
    (r"请重新运行并核对", "请重新核对预览"),
    (r"请用 smelter entries import 重新录入", "请重新录入"),
    (r"如需试算请加 --preliminary", "请待期间结束后再生成"),
    (r"，并用 smelter package --rotate-key 更换", "，并请工程师更换签名密钥"),
)  # fmt: skip
_EN: Final = (
    (r"to correct it add --revise, or: smelter entries revise (\d+)",
     r"to correct it tick “write as revision”, or correct entry \1 under “entered”"),
    (r"withdraw it first: smelter entries revise (\d+) --withdraw",
     r"withdraw entry \1 under “entered” first"),
    (r"to correct it add --reissue", "to correct it tick “correct what was lodged”"),
    (r"or add --incomplete", "or tick “record it all the same”"),
    (r"say why with --backdated \"REASON\": it is kept",
     "say why under “recorded later because”: it is kept"),
    (r"--backdated", "recorded later because"),
    (r"--receipt is required", "the receipt number is required"),
    (r"--on is required", "the day of lodging is required"),
    (r"--author and --reason are required", "a reason is required"),
    (r"--on ", "day of lodging "),
    (r"or --withdraw", "or choose “withdraw”"),
    (r"run this again and look", "look at the preview again"),
    (r"enter the figure anew by import", "enter the figure anew"),
    (r"add --preliminary for a trial", "make it when the period is over"),
    (r", then smelter package --rotate-key", ", and ask the engineer to change the key"),
)  # fmt: skip


def told(problems: Sequence[str], *folders: Path) -> list[str]:
    """The same problems without options and without folders of the server."""
    table = _ZH if language() == "zh" else _EN
    found = []
    for problem in problems:
        for folder in folders:
            problem = problem.replace(f"{folder}/", "")  # noqa: PLW2901 - step by step
        for pattern, words in table:
            problem = re.sub(pattern, words, problem)  # noqa: PLW2901
        found.append(problem)
    return found


def retold(error: ConfigError, *folders: Path) -> ConfigError:
    """The same refusal in the words of the console."""
    return ConfigError(told(error.problems, *folders))
