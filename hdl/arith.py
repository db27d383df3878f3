"""Rounding, limiting and multiplying by constants as gates; the twin of `rchw.fixed`."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from rchw.fixed import Overflow, QFormat, Rounding

__all__ = [
    "add_apart",
    "add_tree",
    "clamp",
    "digits",
    "drop_bits",
    "fit",
    "requantize",
    "rounding_offset",
    "select",
    "shift_round",
    "times",
]

MAX_GATED = 2  # dropped bits that a clamp tests with the LUTs of the bits it keeps


def digits(constant: int) -> list[tuple[int, int]]:
    """Write a constant as the fewest signed powers of two: (sign, exponent) pairs.

    Plain binary is kept where it is as short as the canonic signed digits, since it needs no
    subtraction.

    >>> digits(3), digits(7), digits(-4)
    ([(1, 0), (1, 1)], [(-1, 0), (1, 3)], [(-1, 2)])
    """
    sign = -1 if constant < 0 else 1
    rest, exponent = abs(constant), 0
    binary = [(sign, k) for k in range(rest.bit_length()) if rest >> k & 1]
    canonic = []
    while rest:
        if rest & 1:
            digit = 2 - (rest & 3)
            canonic.append((sign * digit, exponent))
            rest -= digit
        rest >>= 1
        exponent += 1
    return canonic if len(canonic) < len(binary) else binary


def times(value: Value, constant: int) -> Value:
    """Product with a constant by shifts and additions; exact, as wide as it needs to be."""
    terms = sorted(digits(constant), key=lambda term: (-term[0], term[1]))
    if not terms:
        return Const(0, 1)
    total: Value | None = None
    for sign, exponent in terms:
        shifted = value << exponent
        if total is None:
            total = shifted if sign > 0 else -shifted
        elif sign > 0:
            total = _add_alike(total, shifted) if value.shape().signed else total + shifted
        else:
            total = total - shifted
    assert total is not None
    return total


def _add_alike(a: Value, b: Value) -> Value:
    """Sum of two signed numbers with the same bit as sign, which needs no addition itself.

    It must not have one: where a cell of iCE40 adds a bit to itself, the router of nextpnr can go
    round for ever, moving that bit between the two inputs.
    """
    width = max(len(a), len(b))
    low = (a + Const(0, signed(width)))[: width - 1] + (b + Const(0, signed(width)))[: width - 1]
    return Cat(low, a[-1]).as_signed()


def add_tree(values: Sequence[Value]) -> Value:
    """Sum as a balanced tree, which keeps both the expressions and the logic shallow."""
    level = list(values) or [Const(0, 1)]
    while len(level) > 1:
        pairs = [a + b for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def add_apart(a: Value, b: Value | None = None) -> Value:
    """Sum of signed values, which have a bit below that adds nothing.

    Without it Yosys packs the addition behind a product into the SB_MAC16 that makes the product,
    and does it wrongly: it cuts the sum, or loses the other product.
    """
    if b is None:
        return a
    return (Cat(Const(1, 1), a).as_signed() + Cat(Const(0, 1), b).as_signed()) >> 1


def rounding_offset(shift: int, rounding: Rounding) -> int:
    """What must be added before `drop_bits` so that both together round."""
    return 0 if shift <= 0 or rounding is Rounding.TRUNCATE else 1 << (shift - 1)


def drop_bits(value: Value, shift: int, rounding: Rounding) -> Value:
    """Divide by ``2**shift`` a value to which `rounding_offset` has been added."""
    if shift <= 0:
        return value << -shift
    value = value.as_signed() if value.shape().signed else (value + Const(0, signed(1)))
    if rounding is not Rounding.HALF_EVEN:
        return value[min(shift, len(value) - 1) :].as_signed()
    if shift >= len(value):
        value = value + Const(0, signed(shift + 2))
    # With the half added, a tie is a multiple of 2**shift; its even neighbour is this or the one
    # below.
    return Cat(value[shift] & value[:shift].any(), value[shift + 1 :]).as_signed()


def shift_round(value: Value, shift: int, rounding: Rounding) -> Value:
    """Divide by ``2**shift`` with the given rounding; a negative shift is exact."""
    offset = rounding_offset(shift, rounding)
    return drop_bits(value + offset if offset else value, shift, rounding)


def clamp(m: Module, value: Value, low: int, high: int, name: str) -> Value:
    """Limit to ``[low, high]``, which must be reachable by a signal of minimal width.

    A full two's complement range becomes a test of the dropped bits; so does one that only lacks
    the lowest code, which then is replaced by the next. Others are compared.
    """
    width = (
        max(
            (-low - 1).bit_length() if low < 0 else low.bit_length(),
            (-high - 1).bit_length() if high < 0 else high.bit_length(),
        )
        + 1
    )
    if not value.shape().signed:
        value = value + Const(0, signed(1))
    result = Signal(signed(width), name=name)
    least, most = -(1 << (width - 1)), (1 << (width - 1)) - 1
    if len(value) <= width and low == least and high == most:
        m.d.comb += result.eq(value)
        return result
    # At least one bit is dropped: of none at all, Amaranth's simulator says that all are set, and
    # the Verilog that none is.
    exact = Signal(signed(max(len(value), width + 1)), name=f"{name}_exact")
    m.d.comb += exact.eq(value)
    sign, dropped = exact[-1], exact[width - 1 : -1]
    if width == 1:
        m.d.comb += result.eq(sign if low < high else low)
        return result
    if high == most and low - least in (0, 1) and len(dropped) <= MAX_GATED:
        # Gates and no choice between constants, of which Yosys would make a reset and a set:
        # one LUT per bit right behind the sum, where those need one more in front of them.
        outside = Signal(name=f"{name}_outside")
        m.d.comb += outside.eq(Mux(sign, ~dropped.all(), dropped.any()))
        spread, limit = outside.replicate(width - 1), (~sign).replicate(width - 1)
        kept = (exact[: width - 1] & ~spread) | (limit & spread)
        if low > least:
            # Only the lowest bit differs: it is one at both limits, and instead of the lowest code.
            odd = outside | exact[0] | (sign & ~exact[1 : width - 1].any())
            kept = Cat(odd, kept[1:])
        m.d.comb += result.eq(Cat(kept, sign))
        return result
    if high == most and low == least:
        above, below = ~sign & dropped.any(), sign & ~dropped.all()
    else:
        above, below = exact > high, exact < low
    m.d.comb += result.eq(Mux(below, low, Mux(above, high, exact[:width].as_signed())))
    return result


def requantize(
    m: Module,
    value: Value,
    shift: int,
    to: QFormat,
    rounding: Rounding,
    overflow: Overflow,
    name: str,
) -> Value:
    """Drop `shift` fraction bits and fit into `to`: `rchw.fixed.requantize` as gates."""
    return fit(m, shift_round(value, shift, rounding), to, overflow, name)


def fit(m: Module, value: Value, to: QFormat, overflow: Overflow, name: str) -> Value:
    """Saturate or wrap a code of any width into a format."""
    if overflow is Overflow.SATURATE:
        return clamp(m, value, to.min, to.max, name)
    result = Signal(signed(to.width) if to.signed else to.width, name=name)
    m.d.comb += result.eq(value)
    return result


def select(m: Module, index: Value, values: Sequence[Value], name: str) -> Value:
    """``values[index]`` as a tree of two-way choices; a constant index costs nothing.

    Not a case statement: Yosys writes that as overlapping patterns, which lint refuses.
    """
    if isinstance(index, Const):
        return values[index.value]
    level = list(values[: 1 << len(index)])  # what the index cannot name is not there
    if len(level) == 1:
        return level[0]
    width = max(len(v) + (0 if v.shape().signed else 1) for v in level)
    for bit in index:
        if len(level) == 1:
            break
        pairs = zip(level[::2], [*level[1::2], level[-1]], strict=False)
        level = [even if odd is even else Mux(bit, odd, even) for even, odd in pairs]
    result = Signal(signed(width), name=name)
    m.d.comb += result.eq(level[0])
    return result
