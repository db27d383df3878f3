"""Our models of block RAM and multipliers, each on its own, against what the guides say."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.boards.cell_bench import (
    FIELDS,
    MODELS,
    Instance,
    bench,
    check,
    contents_of,
    initial,
    operand,
    run,
    stimulus,
    with_corners,
)
from tests.boards.memories import Access, Port

NARROW, X9 = (1, 2, 4, 8, 16, 32), (9, 18, 36)
SHOWS = ("hold", "new", "old")
NOTHING = Access(0, 0, 0, 0, 0)


def gowin_contents(lane: int) -> str:
    return initial(lane, "INIT_RAM", lane, lane)


def single(width: int, mode: int, block: int = 0) -> Instance:
    """SP or SPX9."""
    lane = 9 if width in X9 else 8
    name, bits = ("SPX9", 36) if lane == 9 else ("SP", 32)

    def verilog(k: int, out: str) -> str:
        return (
            f"  {name} #(.BIT_WIDTH({width}), .WRITE_MODE({mode}), .BLK_SEL({block}),"
            f" .READ_MODE(1'b0), {gowin_contents(lane)}) m{k} (.CLK(clk), .CE(cea), .WRE(wea),"
            f" .OCE(ocea), .RESET(rsta), .AD(ada), .BLKSEL(sela), .DI(dia[{bits - 1}:0]),"
            f" .DO({out}[{bits - 1}:0]));"
        )

    def asked(v: Mapping[str, int]) -> tuple[Access, Access]:
        enable = v["cea"] & (v["sela"] == block)
        return Access(enable, v["wea"], v["rsta"], v["ada"], v["dia"]), NOTHING

    title = f"{name} of {width} bits, write mode {mode}"
    return Instance(title, verilog, lane, lambda: (Port(width, SHOWS[mode]), Port(1)), asked)


def semi_dual(write: int, read: int) -> Instance:
    """SDPB or SDPX9B."""
    lane = 9 if write in X9 else 8
    name, bits = ("SDPX9B", 36) if lane == 9 else ("SDPB", 32)

    def verilog(k: int, out: str) -> str:
        return (
            f"  {name} #(.BIT_WIDTH_0({write}), .BIT_WIDTH_1({read}), {gowin_contents(lane)})"
            f" m{k} (.CLKA(clk), .CEA(cea), .RESETA(1'b0), .CLKB(clk), .CEB(ceb), .OCE(oceb),"
            f" .RESETB(rstb), .ADA(ada), .ADB(adb), .BLKSELA(sela), .BLKSELB(selb),"
            f" .DI(dia[{bits - 1}:0]), .DO({out}[{bits - 1}:0]));"
        )

    def asked(v: Mapping[str, int]) -> tuple[Access, Access]:
        return (
            Access(v["cea"] & (v["sela"] == 0), 1, 0, v["ada"], v["dia"]),
            Access(v["ceb"] & (v["selb"] == 0), 0, v["rstb"], v["adb"], 0),
        )

    title = f"{name} written by {write} and read by {read} bits"
    return Instance(title, verilog, lane, lambda: (Port(write), Port(read)), asked, ((1, 0),))


def dual(a: int, b: int, mode_a: int, mode_b: int) -> Instance:
    """DPB or DPX9B; both outputs, B in the upper half."""
    lane = 9 if a in X9 else 8
    name, bits = ("DPX9B", 18) if lane == 9 else ("DPB", 16)

    def verilog(k: int, out: str) -> str:
        return (
            f"  {name} #(.BIT_WIDTH_0({a}), .BIT_WIDTH_1({b}), .WRITE_MODE0({mode_a}),"
            f" .WRITE_MODE1({mode_b}), {gowin_contents(lane)}) m{k} (.CLKA(clk), .CEA(cea),"
            f" .OCEA(ocea), .RESETA(rsta), .WREA(wea), .CLKB(clk), .CEB(ceb), .OCEB(oceb),"
            f" .RESETB(rstb), .WREB(web), .ADA(ada), .ADB(adb), .BLKSELA(sela), .BLKSELB(selb),"
            f" .DIA(dia[{bits - 1}:0]), .DIB(dib[{bits - 1}:0]), .DOA({out}[{bits - 1}:0]),"
            f" .DOB({out}[{18 + bits - 1}:18]));"
        )

    def asked(v: Mapping[str, int]) -> tuple[Access, Access]:
        return (
            Access(v["cea"] & (v["sela"] == 0), v["wea"], v["rsta"], v["ada"], v["dia"]),
            Access(v["ceb"] & (v["selb"] == 0), v["web"], v["rstb"], v["adb"], v["dib"]),
        )

    def ports() -> tuple[Port, Port]:
        return Port(a, SHOWS[mode_a]), Port(b, SHOWS[mode_b])

    title = f"{name} of {a} and {b} bits, write modes {mode_a} and {mode_b}"
    return Instance(title, verilog, lane, ports, asked, ((0, 0), (1, 18)))


def gowin_instances() -> dict[str, list[Instance]]:
    """Every width on every side of every primitive, every write mode, one selected by 5."""
    modes = [(width, k % 3) for k, width in enumerate((*NARROW, *X9))]
    widths = [(1, 1), (2, 32), (32, 2), (4, 8), (8, 16), (16, 4), (32, 32), (1, 32)]
    widths += [(9, 36), (36, 9), (18, 18), (36, 36), (9, 9), (36, 18)]
    shapes = [(1, 1), (2, 16), (4, 8), (8, 4), (16, 2), (9, 9), (18, 18), (9, 18), (18, 9)]
    return {
        "single": [single(*mode) for mode in [*modes, (18, 0), (16, 2), (36, 1)]]
        + [single(9, 0, block=5)],
        "semi-dual": [semi_dual(*pair) for pair in widths],
        "dual": [dual(a, b, k % 2, k // 2 % 2) for k, (a, b) in enumerate(shapes)],
    }


def gowin_bsram(model: Path, folder: Path) -> None:
    for kind, instances in gowin_instances().items():
        (folder / kind).mkdir()
        vectors = stimulus(len(kind), selects=True)
        share = check(instances, [model], 36, folder / kind, vectors)
        assert share > (0.99 if kind == "single" else 0.9)


def test_gowin_forbidden_access_is_neither_old_nor_new(tmp_path: Path) -> None:
    """What one port reads while the other writes it, and what both have written."""
    instances = [semi_dual(9, 9), dual(9, 9, 0, 0)]
    vectors = []
    for k in range(0, 120, 4):
        quiet = dict.fromkeys(FIELDS, 0)
        place = {"ada": k << 3, "adb": k << 3, "cea": 1, "ceb": 1}
        vectors.append(quiet | place | {"wea": 1, "dia": 0x155})
        vectors.append(quiet | place | {"cea": 0})  # and read again, undisturbed
        vectors.append(quiet | place | {"wea": 1, "web": 1, "dia": 0x155, "dib": 0x0AA})
        vectors.append(quiet | place | {"cea": 0})
    texts = [instance.verilog(k, f"out{k}") for k, instance in enumerate(instances)]
    got = run(bench(texts, 36), [MODELS / "gowin_bsram.v"], vectors, tmp_path)
    contents = contents_of(9)
    old = [int(sum(int(b) << i for i, b in enumerate(contents[9 * k : 9 * k + 9].tolist())))
           for k in range(0, 120, 4)]  # fmt: skip
    semi = [answer & 0x1FF for answer in got]
    second = [answer >> 36 + 18 & 0x1FF for answer in got]
    assert semi[1::4] == [0x155] * 30 and second[1::4] == [0x155] * 30
    for seen in (semi, second):
        wrong = [value not in (before, 0x155) for value, before in zip(seen[::4], old, strict=True)]
        assert sum(wrong) > 20
    assert sum(value not in (0x155, 0x0AA) for value in second[3::4]) > 20


def gowin_mult(model: Path, folder: Path) -> None:
    """Every pairing of signs; corners of the operands are among the vectors."""
    sizes = (9, 18, 36)
    instances = [
        f"  MULT{n}X{n} m{k} (.A(dia[{n - 1}:0]), .B(dib[{n - 1}:0]), .ASIGN(cea), .BSIGN(ceb),"
        f" .CE(1'b0), .CLK(1'b0), .RESET(1'b0), .DOUT(out{k}[{2 * n - 1}:0])"
        + (", .SIA(0), .SIB(0), .ASEL(1'b0), .BSEL(1'b0));" if n < 36 else ");")
        for k, n in enumerate(sizes)
    ]
    vectors = with_corners(stimulus(4, selects=False), sizes)
    got = run(bench(instances, 72), [model], vectors, folder)
    for vector, answer in zip(vectors, got, strict=True):
        for k, n in enumerate(sizes):
            a = operand(vector["dia"], n, vector["cea"])
            b = operand(vector["dib"], n, vector["ceb"])
            want = a * b % (1 << 2 * n)
            assert answer >> 72 * k & (1 << 2 * n) - 1 == want, (
                f"{want:x} expected of {n}, {vector}"
            )


LATTICE = {0: "NORMAL", 1: "WRITETHROUGH", 2: "READBEFOREWRITE"}


def dp16kd(a: int, b: int, mode: int = 0, registers: int = 0, writer: str = "a") -> Instance:
    """DP16KD that one port writes; bits 0 and 1 of `registers`: output registers of A and B.

    In the form of 36 bits A writes and B reads; the upper half of the data comes in through B and
    goes out through B, the lower half through A.
    """
    wide = a == 36
    modes = ["OUTREG" if registers >> side & 1 else "NOREG" for side in (0, 1)]

    def pins(name: str, source: str, count: int, first: int = 0) -> str:
        return ", ".join(f".{name}{i}({source}[{first + i}])" for i in range(count))

    def verilog(k: int, out: str) -> str:
        enables = {side: f"we{side}" if side == writer else "1'b0" for side in "ab"}
        upper = pins("DIB", "dia", 18, 18) if wide else pins("DIB", "dib", 18)
        return (
            f'  DP16KD #(.DATA_WIDTH_A({a}), .DATA_WIDTH_B({b}), .REGMODE_A("{modes[0]}"),'
            f' .REGMODE_B("{modes[1]}"), .WRITEMODE_A("{LATTICE[mode]}"),'
            f' .WRITEMODE_B("{LATTICE[mode]}"), {initial(9, "INITVAL", 20, 18)}) m{k} ('
            f".CLKA(clk), .CEA(cea), .WEA({enables['a']}), .OCEA(ocea), .RSTA(1'b0),"
            f" .CLKB(clk), .CEB(ceb), .WEB({enables['b']}), .OCEB(oceb), .RSTB(1'b0),"
            f" .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),"
            f" {pins('ADA', 'ada', 14)}, {pins('ADB', 'adb', 14)}, {pins('DIA', 'dia', 18)},"
            f" {upper}, {pins('DOA', out, 18)}, {pins('DOB', out, 18, 18)});"
        )

    def asked(v: Mapping[str, int]) -> tuple[Access, Access]:
        writes = [v[f"we{side}"] * (side == writer) for side in "ab"]
        return (
            Access(v["cea"], writes[0], 0, v["ada"], v["dia"], v["ocea"]),
            Access(v["ceb"], writes[1], 0, v["adb"], v["dib"], v["oceb"]),
        )

    def ports() -> tuple[Port, Port]:
        return (
            Port(a, SHOWS[mode], bool(registers & 1)),
            Port(b, SHOWS[mode], bool(registers >> 1)),
        )

    title = f"DP16KD of {a} and {b} bits, mode {mode}, registers {registers}, {writer} writes"
    return Instance(title, verilog, 9, ports, asked, ((1, 0),) if wide else ((0, 0), (1, 18)))


def ecp5_block_ram(model: Path, folder: Path) -> None:
    """Every width, write mode and output register."""
    shapes = [(18, 18), (9, 18), (18, 9), (4, 2), (1, 4), (2, 1), (9, 9), (4, 18), (18, 1)]
    instances = [dp16kd(a, b, k % 3, k % 4, "ab"[k // 4 % 2]) for k, (a, b) in enumerate(shapes)]
    instances += [dp16kd(36, 36), dp16kd(36, 36, registers=2), dp16kd(18, 18, 2, 3)]
    vectors = stimulus(5, selects=False)
    assert check(instances, [model], 36, folder, vectors) > 0.9


def ecp5_multiplier(model: Path, folder: Path) -> None:
    """Each of its registers on and off, with enables of their own, and the one reset."""
    settings = [0b0000, 0b0001, 0b0010, 0b0011, 0b0100, 0b1000, 0b1100, 0b1111]
    rows = ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")
    bits = [f".A{i}(dia[{i}])" for i in range(18)] + [f".B{i}(dib[{i}])" for i in range(18)]
    texts = []
    for k, setting in enumerate(settings):
        modes = [
            f'.REG_{row}_CLK("{"CLK0" if setting >> i & 1 else "NONE"}"), .REG_{row}_CE("CE{i}")'
            for i, row in enumerate(rows)
        ]
        texts.append(
            f"  MULT18X18D #({', '.join(modes)}) m{k} ({', '.join(bits)}, .CLK0(clk), .RST0(rsta),"
            " .CE0(wea), .CE1(web), .CE2(ocea), .CE3(oceb), .SIGNEDA(cea), .SIGNEDB(ceb),"
            " .SOURCEA(1'b0), .SOURCEB(1'b0), "
            + ", ".join(f".P{i}(out{k}[{i}])" for i in range(36))
            + ");"
        )
    vectors = with_corners(stimulus(6, selects=False), (18,))
    got = run(bench(texts, 36), [model], vectors, folder)
    held = [{row: 0 for row in range(4)} for _ in settings]  # what each register holds
    for vector, answer in zip(vectors, got, strict=True):
        fresh = (
            operand(vector["dia"], 18, vector["cea"]), operand(vector["dib"], 18, vector["ceb"]),
        )  # fmt: skip
        for k, setting in enumerate(settings):
            on, before = [setting >> i & 1 for i in range(4)], held[k].copy()
            enables = (vector["wea"], vector["web"], vector["ocea"], vector["oceb"])
            a, b = (before[i] if on[i] else fresh[i] for i in (0, 1))
            inner = before[2] if on[2] else a * b
            for row, value in enumerate((*fresh, a * b, inner)):
                if vector["rsta"]:
                    held[k][row] = 0
                elif enables[row]:
                    held[k][row] = value
            a, b = (held[k][i] if on[i] else fresh[i] for i in (0, 1))
            inner = held[k][2] if on[2] else a * b
            want = held[k][3] if on[3] else inner
            want %= 1 << 36
            assert answer >> 36 * k & (1 << 36) - 1 == want, f"{want:x} expected at {setting:b}"


CHECKS = {
    "gowin_bsram.v": gowin_bsram,
    "gowin_mult.v": gowin_mult,
    "DP16KD.v": ecp5_block_ram,
    "MULT18X18D.v": ecp5_multiplier,
}


@pytest.mark.parametrize("model", CHECKS)
def test_a_model_does_as_the_guide_says(model: str, tmp_path: Path) -> None:
    CHECKS[model](MODELS / model, tmp_path)


FAULTS = {
    "gowin_bsram.v": {
        "write-through shows the old": ("write_a && MODE_A == 1 ? new_a : old_a", "old_a"),
        "the output does not hold": ("enable_b && !(write_b && MODE_B == 0)", "enable_b"),
        "read without enable": ("else if (enable_b && !(", "else if (!("),
        "no reset": ("if (reset_a) out_a <= 0;\n    else if", "if"),
        "lanes exchanged": ("lanes[3]}}, {LANE{lanes[2]", "lanes[2]}}, {LANE{lanes[3]"),
        "part of a lane": ("(address[2:0] & ~(width[2:0] - 3'd1))", "address[2:0]"),
        "half of a row": ("address[4] ? 2 * LANE : 0", "0"),
        "contents exchanged": ("INIT_RAM_3F, INIT_RAM_3E", "INIT_RAM_3E, INIT_RAM_3F"),
        "always selected": ("CE && BLKSEL == BLK_SEL", "CE"),
        "a write is lost": ("      rows[row_b] = new_b;\n", ""),
    },
    "gowin_mult.v": {
        "one sign for both": ("BSIGN && B[17]", "ASIGN && B[17]"),
        "no sign": ("ASIGN && A[35]", "1'b0"),
    },
    "DP16KD.v": {
        "register without enable": ("else if (OCEB) register_b", "else register_b"),
        "byte enable ignored": ("if (address[1]) merged[17:9]", "merged[17:9]"),
        "shows the new for the old": ('WRITEMODE_A == "READBEFOREWRITE"', "0"),
        "contents too close": ("20 * (i % 16)", "18 * (i % 16)"),
        "halves of 36 bits": ("latch_b <= memory[{word_b[9:1], 1'b1}]", "latch_b <= latch_a"),
    },
    "MULT18X18D.v": {
        "sign of another bit": ("signed_a) && used_a[17]", "signed_a) && used_a[16]"),
        "pipeline without enable": ("if (enable(REG_PIPELINE_CE, enables)) pipeline", "pipeline"),
        "sign not in the register": ("{signed_b, input_b} <= {SIGNEDB, b}", "input_b <= b"),
        "no reset": ("if (RST0)", "if (1'b0)"),
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "fault"), [(model, fault) for model, faults in FAULTS.items() for fault in faults]
)
def test_a_fault_in_a_model_is_seen(model: str, fault: str, tmp_path: Path) -> None:
    right, wrong = FAULTS[model][fault]
    text = (MODELS / model).read_text()
    assert right in text
    (tmp_path / model).write_text(text.replace(right, wrong))
    with pytest.raises(AssertionError, match="expected"):
        CHECKS[model](tmp_path / model, tmp_path)
