"""One line of a point table: each cell read and checked, its mistake said in the table's words."""

import math
from difflib import get_close_matches

import numpy as np

from drivers.config import DeviceConfig
from drivers.decode import RegisterType, order_of, register_type
from drivers.language import say
from drivers.model import Equipment, Kind, Mode, Point, Quantity
from drivers.plan import parse_address
from drivers.quantities import quantities
from drivers.tables import Row, expansions, in_column
from drivers.units import unit_mistake

_NOWHERE = Equipment("a", "b")


class Cells:
    """The cells of one line; after ``fail`` reading goes on, so that all mistakes are found."""

    def __init__(self, row: Row, problems: list[str]) -> None:
        self._row = row
        self._problems = problems
        self.failed = False

    def fail(self, column: str, message: str) -> None:
        self._problems.append(f"{self._row.where}: {in_column(column)}: {message}")
        self.failed = True

    def text(self, column: str) -> str:
        return self._row.cells.get(column, "")

    def number(
        self,
        column: str,
        default: float,
        *,
        low: float = -math.inf,
        high: float = math.inf,
        whole: bool = False,
    ) -> float:
        """A finite number within ``low`` to ``high``; ``default`` for an empty or wrong cell."""
        text = self.text(column)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            dotted = text.replace(",", ".")
            meant = dotted if dotted != text else say("数字，例如 0.001", "a number such as 0.001")
            told = say(f"{text!r} 不是数字；请写 {meant}", f"{text!r} is no number; write {meant}")
            self.fail(column, told)
            return default
        if not math.isfinite(value) or not low <= value <= high:
            told = say(
                f"{text} 不在 {low:g} 到 {high:g} 之内；请改正",
                f"{text} is outside {low:g} to {high:g}; correct it",
            )
            self.fail(column, told)
            return default
        if whole and value != int(value):
            self.fail(column, say(f"{text} 应为整数", f"{text} must be a whole number"))
            return default
        return value

    def prototype(self, device: DeviceConfig, *, modbus: bool) -> Point | None:
        """All that the points of this line share; equipment and address are filled in later."""
        quantity = self._quantity()
        kind = self._type(device, modbus=modbus)
        order = self._order(kind) if modbus else "ABCD"
        scale = self.number("scale", 1.0)
        if scale == 0:
            told = say(
                "0 会使所有数值为 0；系数为 1 时请留空",
                "0 would make every value 0; leave it empty for 1",
            )
            self.fail("scale", told)
        numbers = {
            "interval_s": self.number("interval_s", device.interval_s, low=0.02, high=86400),
            "counter_modulus": self.number("counter_modulus", 0.0, low=0),
            "counter_max_per_s": self.number("counter_max_per_s", math.inf, low=0),
            "stuck_after_s": self.number("stuck_after_s", 0.0, low=0),
            "deadband": self.number("deadband", 0.0, low=0),
            "offset": self.number("offset", 0.0),
        }
        mode = self._mode(device, modbus=modbus)
        original = self._flag("original")
        codes = self._not_available(kind)
        if quantity is None:
            return None
        self._unit(quantity)
        low, high = self._range(quantity)
        self._fits(quantity, kind)
        return Point(
            equipment=_NOWHERE,
            quantity=quantity,
            device=device.name,
            address="",
            type=kind.name if kind else "",
            order=order,
            scale=scale,
            low=low,
            high=high,
            not_available=codes,
            original=original,
            mode=mode,
            where=self._row.where,
            **numbers,
        )

    def _quantity(self) -> Quantity | None:
        name = self.text("quantity")
        known = quantities()
        if name in known:
            return known[name]
        near = [full for full, q in known.items() if full.endswith(f".{name}") or name == q.zh][:3]
        near = near or get_close_matches(name, known, 1, 0.5)
        near = near or _labelled(name)
        hint = say("名称见 drivers/quantities.toml", "names are in drivers/quantities.toml")
        if near:
            hint = say(f"是否为 {' 或 '.join(near)}？", f"did you mean {' or '.join(near)}?")
        self.fail("quantity", say(f"未知的量 {name!r}；", f"unknown quantity {name!r}; ") + hint)
        return None

    def _type(self, device: DeviceConfig, *, modbus: bool) -> RegisterType | None:
        name = self.text("type")
        if not modbus:
            for column in ("type", "order", "stride"):
                if self.text(column):
                    told = say(
                        f"请留空：{device.driver} 服务器自己知道类型",
                        f"leave it empty: an {device.driver} server knows its types",
                    )
                    self.fail(column, told)
            return None
        try:
            kind = register_type(name)
        except ValueError as error:
            self.fail("type", str(error))
            return None
        if kind.words > device.max_registers:
            most = f"max_registers = {device.max_registers}"
            told = say(
                f"{name} 需在一次请求中读 {kind.words} 个寄存器，而设备 {device.name} 的 {most}",
                f"{name} needs {kind.words} registers in one request, but device "
                f"{device.name} has {most}",
            )
            self.fail("type", told)
        self._check_bits(kind)
        return kind

    def _check_bits(self, kind: RegisterType) -> None:
        """A bool is a coil, a discrete input, or a named bit of a register; nothing else is."""
        try:
            address = parse_address(expansions(self.text("address"))[0])
        except ValueError:
            return  # said where the address is read
        is_bit = address.table.packed or address.bit >= 0
        if is_bit and kind.family != "bit":
            told = say(f"{address} 只有一位；请写 bool", f"{address} is a single bit; write bool")
            self.fail("type", told)
        elif not is_bit and kind.family == "bit":
            told = say(
                f"请写明是寄存器的哪一位，例如 {address}.0",
                f"say which bit of the register is meant, e.g. {address}.0",
            )
            self.fail("address", told)
        elif address.number + kind.words > 65536:
            told = say(
                f"{address} 按 {kind.name} 会超出寄存器 65535",
                f"{address} as {kind.name} runs beyond register 65535",
            )
            self.fail("address", told)

    def _order(self, kind: RegisterType | None) -> str:
        letters = self.text("order").upper()
        if not letters:
            return "ABCD"
        words = kind.words if kind else len(letters) // 2  # of an unknown type: as it is spelt
        try:
            return str(order_of(letters, words))
        except ValueError as error:
            self.fail("order", str(error))
            return "ABCD"

    def _mode(self, device: DeviceConfig, *, modbus: bool) -> Mode:
        text = self.text("mode").lower()
        if text == "subscribe" and modbus:
            told = say("Modbus 只能轮询；请留空", "Modbus can only be polled; leave it empty")
            self.fail("mode", told)
            return "poll"
        if text in {"poll", "subscribe"}:
            return "subscribe" if text == "subscribe" else "poll"
        if text:
            told = say(
                f"{text!r}：请写 poll、subscribe 或留空",
                f"{text!r}: write poll, subscribe or nothing",
            )
            self.fail("mode", told)
        return device.mode

    def _flag(self, column: str) -> bool:
        text = self.text(column).lower()
        if text not in {"", "yes", "no", "是", "否"}:
            told = say(f"{text!r}：请写 yes 或留空", f"{text!r}: write yes or leave it empty")
            self.fail(column, told)
        return text in {"yes", "是"}

    def _not_available(self, kind: RegisterType | None) -> tuple[float, ...]:
        codes = []
        for part in filter(None, map(str.strip, self.text("not_available").split(";"))):
            try:
                codes.append(_code(part, kind))
            except ValueError as error:
                self.fail("not_available", str(error))
        return tuple(codes)

    def _unit(self, quantity: Quantity) -> None:
        scale, offset = _number(self.text("scale"), 1.0), _number(self.text("offset"), 0.0)
        if told := unit_mistake(quantity, self.text("unit"), scale, offset):
            self.fail("unit", told)

    def _range(self, quantity: Quantity) -> tuple[float, float]:
        low = self.number("low", quantity.low)
        high = self.number("high", quantity.high)
        for column, value in (("low", low), ("high", high)):
            if not quantity.low <= value <= quantity.high:
                span = f"{quantity.low:g} {{}} {quantity.high:g} {quantity.unit}"
                told = say(
                    f"{value:g} 不在 {quantity.name} 的可能范围 {span.format('到')} 之内",
                    f"{value:g} is outside the possible {span.format('to')} of {quantity.name}",
                )
                self.fail(column, told)
        if low > high:
            told = say(
                f"{low:g} 大于 high = {high:g}；请对调",
                f"{low:g} is above high = {high:g}; exchange them",
            )
            self.fail("low", told)
        return low, high

    def _fits(self, quantity: Quantity, kind: RegisterType | None) -> None:
        """Columns that make sense for some quantities only."""
        if quantity.kind is not Kind.COUNTER:
            for column in ("counter_modulus", "counter_max_per_s"):
                if self.text(column):
                    told = say(
                        f"{quantity.name} 不是累计量；请留空",
                        f"{quantity.name} is no counter; leave it empty",
                    )
                    self.fail(column, told)
        if kind is None:
            return
        is_text = quantity.kind is Kind.STATE and quantity.low == quantity.high == 0
        if kind.family == "text" and not is_text:
            told = say(
                f"{quantity.name} 是数值，不是文本；请写数值类型",
                f"{quantity.name} is a number, not a text; write a number type",
            )
            self.fail("type", told)
        if kind.family == "text" and (self.text("scale") or self.text("offset")):
            told = say(
                "文本没有 scale 和 offset；两者请留空",
                "a text has no scale and no offset; leave both empty",
            )
            self.fail("scale", told)


def _labelled(name: str) -> list[str]:
    """Quantities whose Chinese label is the most like this name."""
    labels = {quantity.zh: full for full, quantity in quantities().items()}
    return [labels[label] for label in get_close_matches(name, labels, 1, 0.5)]


def _number(text: str, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _code(text: str, kind: RegisterType | None) -> float:
    """A "no value" code: a raw number, or ``0x…`` for the registers as they are on the wire."""
    if not text.lower().startswith("0x"):
        try:
            return float(text)
        except ValueError:
            raise ValueError(
                say(
                    f"{text!r} 不是代码；请写 32767 或 0x7FFF，多个之间用 ';'",
                    f"{text!r} is no code; write 32767 or 0x7FFF, ';' between",
                )
            ) from None
    pattern = _hexadecimal(text)
    if kind is None or kind.family in {"bit", "text"}:
        raise ValueError(
            say(f"{text!r}：请写成普通数字", f"{text!r}: write the code as a plain number")
        )
    bits = 16 * kind.words
    if pattern >= 1 << bits:
        raise ValueError(
            say(
                f"{text!r} 超过 {kind.name} 的 {bits} 位",
                f"{text!r} has more than the {bits} bits of {kind.name}",
            )
        )
    if kind.family == "bcd":
        return _bcd_of(pattern)
    if kind.family == "float":
        octets = pattern.to_bytes(2 * kind.words, "big")
        return float(np.frombuffer(octets, f">{kind.code}")[0])
    return float(pattern - (1 << bits if kind.signed and pattern >> (bits - 1) else 0))


def _hexadecimal(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise ValueError(
            say(f"{text!r} 不是十六进制数", f"{text!r} is no hexadecimal number")
        ) from None


def _bcd_of(pattern: int) -> float:
    try:
        return float(int(f"{pattern:x}"))
    except ValueError:
        raise ValueError(
            say(
                f"0x{pattern:X}：大于 9 的数位本来就判为 undecodable；请删去此代码",
                f"0x{pattern:X}: digits above 9 are 'undecodable' already; leave this code out",
            )
        ) from None
