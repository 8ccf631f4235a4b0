"""CO2 from carbon anodes: gross to net consumption, and net consumption to CO2."""

from decimal import Decimal
from typing import NamedTuple

from reports.formulas.numbers import CO2_PER_CARBON, FormulaError, Number, amount, fraction


class AnodeStock(NamedTuple):
    """Anode consumed, t."""

    anode_t: Decimal


class AnodeNet(NamedTuple):
    """Net anode consumption, t."""

    net_anode_t: Decimal


class AnodeCo2(NamedTuple):
    """CO2 of the anodes, t."""

    t_co2: Decimal


def anode_stock(stock_begin_t: Number, received_t: Number, stock_end_t: Number) -> AnodeStock:
    """
    Anode consumed, from the stock ledger of the same period and place.

        C = B + R - E

    C anode consumed (t), B and E stock at begin and end of the period (t), R received (t).
    Valid when nothing was sold or moved elsewhere. Source: purchase, sale and stock ledger as in
    the sister guide CETS-AG-03.01 (by analogy). Refuses a stock that grew by more than was
    received: then a figure is wrong.
    """
    consumed = (
        amount("stock_begin_t", stock_begin_t)
        + amount("received_t", received_t)
        - amount("stock_end_t", stock_end_t)
    )
    if consumed < 0:
        raise FormulaError(
            f"stock_end_t: {stock_end_t} is more than stock_begin_t + received_t; "
            "check the three figures"
        )
    return AnodeStock(consumed)


def anode_net(anode_t: Number, loss_fraction: Number) -> AnodeNet:
    """
    Net consumption of carbon anodes.

        NC = C * (1 - r)

    NC net consumption (t), C anode consumed, gross (t), r anode loss rate (fraction, 0 to 1:
    butts and other losses). Source: CETS-AG-04.01-V01-2024 chapter 6, as restated by others
    (docs/decisions.md). Prebaked anodes; purchased and own alike.
    """
    return AnodeNet(amount("anode_t", anode_t) * (1 - fraction("loss_fraction", loss_fraction)))


def anode_co2(net_anode_t: Number, sulphur_fraction: Number, ash_fraction: Number) -> AnodeCo2:
    """
    CO2 from the net consumption of carbon anodes.

        E = NC * (1 - S - A) * 44/12

    E emission (t CO2), NC net consumption (t), S sulphur and A ash in the anode (fractions, 0 to
    1). The rest of the anode is taken as carbon, all of it as CO2. Source: CETS-AG-04.01-V01-2024
    chapter 6, as restated by others; the same form is IPCC 2006 volume 3 equation 4.21.
    """
    sulphur = fraction("sulphur_fraction", sulphur_fraction)
    ash = fraction("ash_fraction", ash_fraction)
    if sulphur + ash > 1:
        raise FormulaError("sulphur_fraction + ash_fraction: more than 1; nothing is left of it")
    return AnodeCo2(amount("net_anode_t", net_anode_t) * (1 - sulphur - ash) * CO2_PER_CARBON)
