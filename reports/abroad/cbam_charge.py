"""
What a tonne costs at the border: default with mark-up, free allocation, certificates, price.

Lines: ``plant.cbam_see``, ``plant.cbam_default``, ``plant.certificates_per_t`` and
``plant.certificates_per_t_default``, ``plant.certificate_price``, ``plant.cost_per_t`` and
``plant.cost_per_t_default``.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from reports.abroad.cbam_emission import cbam_head
from reports.abroad.rules import Bench
from reports.assembly import Argument
from reports.entered import entered
from reports.model import How, Input, Line
from reports.periods import Period
from reports.rules.packs import Legal, RuleError
from reports.site import PLANT
from reports.values import Text

VALUES: Final = "eu_cbam_values"
SEE: Final = Text(zh="单位隐含排放（实际值）", en="Specific embedded emission, actual")
DEFAULT: Final = Text(zh="单位隐含排放（默认值含加成）", en="Default value with mark-up")
_CERTIFICATES: Final = Text(zh="每吨产品证书数", en="Certificates per tonne of goods")
_PRICE: Final = Text(zh="证书价格", en="Price of a certificate")
_COST: Final = Text(zh="每吨产品证书费用", en="Cost of certificates per tonne of goods")
_BY: Final = {
    "": Text(zh="按实际值", en="by actual value"),
    "_default": Text(zh="按默认值", en="by default value"),
}


def add_charge(bench: Bench, months: Sequence[Period]) -> None:
    """Actual and default beside one another, with the certificates and money each would take."""
    assembly = bench.assembly
    given = [
        assembly.from_line("attributed_t_co2e", f"{PLANT}.cbam_attributed"),
        assembly.from_line("precursor_t_co2e", f"{PLANT}.cbam_precursors"),
        assembly.from_line("activity_t", f"{PLANT}.saleable"),
    ]
    see = assembly.compute(cbam_head("cbam_see", SEE, "tCO2e/t"), "cbam_see", given)
    default = _default(bench)
    price = _price(bench, months)
    for ending, line in (("", see), ("_default", default)):
        certificates = _certificates(bench, ending, line)
        _cost(bench, ending, certificates, price)


def default_name(bench: Bench) -> str:
    """The parameter of the country of origin, else the one for all others."""
    name = f"default_{bench.basis.site.abroad.country}"
    return name if name in bench.assembly.packs[VALUES].parameters else "default_other"


def _default(bench: Bench) -> Line:
    year = Decimal(bench.basis.period.first.year)
    given = [
        bench.law("base_t_per_t", default_name(bench), VALUES),
        Argument(Input(name="year", kind="site", ref=str(bench.basis.period), value=year, unit="")),
        bench.law("mark_up_fraction", "mark_up", VALUES),
    ]
    head = cbam_head("cbam_default", DEFAULT, "tCO2e/t")
    return bench.assembly.compute(head, "cbam_default", given, how=How.DEFAULT)


def _certificates(bench: Bench, ending: str, see: Line) -> Line:
    """CSCF enters where it is known; while it is not, the formula's 1 stands and is flagged."""
    assembly = bench.assembly
    given = [
        assembly.from_line("see_t_per_t", see.id),
        bench.law("benchmark_t_per_t", "benchmark_primary", VALUES),
        bench.law("free_share", "free_share", VALUES),
    ]
    factor = assembly.legal_or_absent(VALUES, "cscf")
    notes = []
    if isinstance(factor, Legal):
        given.append(assembly.law("cscf", factor))
    else:
        notes = [_NO_CSCF]
    by = _BY[ending]
    label = Text(zh=f"{_CERTIFICATES.zh}（{by.zh}）", en=f"{_CERTIFICATES.en}, {by.en}")
    head = cbam_head(f"certificates_per_t{ending}", label, "1/t")
    return assembly.compute(head, "cbam_certificates", given, notes=notes)


def _price(bench: Bench, months: Sequence[Period]) -> Line:
    """Mean of the months entered; without any, no cost is stated."""
    ledger, assembly = bench.basis.ledger, bench.assembly
    head = cbam_head("certificate_price", _PRICE, "EUR/t")
    entries = [e for month in months if (e := entered(ledger, "certificate_price", PLANT, month))]
    if not entries:
        return assembly.state(head, None, How.NONE, [], notes=[_NO_PRICE])
    arguments = [assembly.entry(str(entry.figure.period), entry) for entry in entries]
    mean = sum((entry.figure.amount for entry in entries), Decimal(0)) / len(entries)
    note = Text(
        zh=f"{len(entries)} 个月录入价格的算术平均",
        en=f"mean of the {len(entries)} months entered",
    )
    return assembly.state(head, mean, How.ENTERED, arguments, notes=[note])


def _cost(bench: Bench, ending: str, certificates: Line, price: Line) -> None:
    assembly, by = bench.assembly, _BY[ending]
    label = Text(zh=f"{_COST.zh}（{by.zh}）", en=f"{_COST.en}, {by.en}")
    head = cbam_head(f"cost_per_t{ending}", label, "EUR/t")
    if price.value is None:
        assembly.state(head, None, How.NONE, [], notes=[_NO_PRICE])
        return
    given = [assembly.from_line("n", certificates.id), assembly.from_line("price", price.id)]
    why = given[0].missing
    cost = None if certificates.value is None else certificates.value * price.value
    made = assembly.state(head, cost, How.COMPUTED, given, missing=why)
    assembly.put(made, equation="n × p")


def outlook(bench: Bench, years: int) -> list[tuple[int, Legal, Legal, Decimal]]:
    """Year, mark-up, free share, default with mark-up, for years whose rules are known."""
    pack = bench.assembly.packs[VALUES]
    first = bench.basis.period.first.year
    found = []
    for year in range(first, first + years):
        day = date(year, 1, 1)
        try:
            mark_up, share = pack.at("mark_up", day), pack.at("free_share", day)
            base = pack.at(default_name(bench), day)
        except RuleError:
            break
        found.append((year, mark_up, share, base.number * (1 + mark_up.fraction)))
    return found


_NO_CSCF: Final = Text(
    zh="跨行业修正系数（CSCF）未能查到，暂按 1 计算；查到后请以补充规则录入",
    en="the cross-sectoral correction factor (CSCF) could not be found: 1 stands in; enter it as "
    "an overlay when it is known",
)
_NO_PRICE: Final = Text(
    zh="未录入证书价格（certificate_price），不计算费用",
    en="no price of certificates (certificate_price) entered: no cost stated",
)
