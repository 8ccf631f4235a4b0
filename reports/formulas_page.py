"""The page of all formulas, docs/formulas.md, made from the catalogue."""

from collections.abc import Iterator

from reports.compute_signals import COMPUTABLE_GROUPS
from reports.formulas import Formula
from reports.formulas.parameters import PARAMETERS, meaning

HEAD = """# Formulas / 公式

Every formula of the reports, and of `smelter compute`. Made by
`smelter compute --list --markdown`; do not edit.
报告和 `smelter compute` 使用的全部公式。本页由 `smelter compute --list --markdown` 生成，请勿手改。

```sh
smelter compute anode_net anode_t=100 loss_fraction=0.1518
smelter compute anode_net anode_t=100 loss_fraction=cn_ets_aluminium_2024.anode_loss_rate  # a rule
smelter compute balance_value lines.csv --json      # a table: CSV file, UTF-8 or GBK
smelter compute pfc_slope --list                    # parameters with units / 参数与单位
```

A percent where a fraction is expected, or the other way round, is refused; so are negative amounts,
what is no number, and what no plant can have (a slip of the unit). Legal numbers are not in
formulas: they come from the rule packs, with source and confirmation.
应填小数处填百分数（或相反）、负数、非数字、任何工厂都不可能有的数值（多为单位写错）一律拒绝。法规数值不写在公式里，只来自规则包，附来源与核实程度。
"""


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    for group in COMPUTABLE_GROUPS:
        names = ", ".join(f"[`{each.name}`](#{each.name})" for each in group.formulas)
        yield f"* {group.en} / {group.zh}: {names}"
    for group in COMPUTABLE_GROUPS:
        yield f"\n## {group.en} / {group.zh}"
        for formula in group.formulas:
            yield from _formula(formula)


def _formula(formula: Formula) -> Iterator[str]:
    yield f'\n### <a id="{formula.name}"></a>`{formula.name}` {formula.en} / {formula.zh}\n'
    yield f"`{formula.equation}`\n"
    yield "| symbol | name | unit | English | 中文 |"
    yield "|---|---|---|---|---|"
    for symbol, name in zip(formula.symbols, formula.parameters, strict=True):
        known = PARAMETERS[name]
        words = f": {' or '.join(known.words)}" if known.words else ""
        columns = f": {', '.join(known.columns)}" if known.columns else ""
        optional = " (optional)" if name in formula.optional else ""
        english = _cell(f"{known.en}{words}{columns}{optional}")
        yield f"| {_cell(symbol)} | `{name}` | {_cell(known.unit)} | {english} | {known.zh} |"
    for name in (*formula.results, *formula.extras):
        known = meaning(name)
        some = " (only sometimes)" if name in formula.extras else ""
        yield f"| → | `{name}` | {_cell(known.unit)} | {_cell(known.en)}{some} | {known.zh} |"
    yield ""
    yield formula.text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
