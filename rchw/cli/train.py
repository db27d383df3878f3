"""The command ``train``: from a series to a design, and the design on data."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import (
    Accumulate,
    Horizon,
    InputColumns,
    Json,
    LabelColumn,
    SegmentLength,
    Segments,
    SequenceColumn,
    Source,
    Split,
    TargetColumns,
    TrainColumn,
    Washout,
    name_of,
    parse_each,
    parse_lanes,
    parse_split,
)
from rchw.cli.shown import errors_table, facts_of, generated
from rchw.errors import DesignError
from rchw.files import check_file

__all__ = ["train_command"]

_Flag = bool | None


def _budget(what: str, text: str | None) -> int | tuple[int, ...] | None:
    return None if text is None else parse_each(what, text)


def train_command(
    source: Source,
    output: Annotated[Path, typer.Option("--output", "-o", help="The design file, .json.")],
    reservoir: Annotated[
        str | None,
        typer.Option(
            help="cycle, delay-line, delay-line-feedback, cycle-jumps, integer, euler-ring, leaky, "
            "euler or deep; cycle, with --teaching leaky."
        ),
    ] = None,
    units: Annotated[
        int | None, typer.Option(help="Units, N, of all layers; 100, with --teaching 300.")
    ] = None,
    layers: Annotated[int | None, typer.Option(help="Of deep: layers in series, D; 3.")] = None,
    layer_reservoir: Annotated[
        str | None, typer.Option(help="Of deep: what each layer is, but integer; leaky.")
    ] = None,
    input_bits: Annotated[int | None, typer.Option(help="Width of input codes; 8.")] = None,
    state_bits: Annotated[
        int | None, typer.Option(help="Width of states; 8; of euler-ring, leaky, euler, deep 12.")
    ] = None,
    readout_bits: Annotated[
        str | None,
        typer.Option(
            help="Width of readout weights, or one per output: A,B,...; 12, or 16 taught."
        ),
    ] = None,
    readout_adders: Annotated[
        str | None,
        typer.Option(help="Most additions of each output, its weights being sums of powers of 2."),
    ] = None,
    readout_nonzeros: Annotated[
        str | None, typer.Option(help="Most weights of each output that are not 0, or A,B,...")
    ] = None,
    output_bits: Annotated[int, typer.Option(help="Width of output codes.")] = 16,
    activation: Annotated[
        str | None, typer.Option(help="clip, pwl or table (tanh); clip, with --teaching pwl.")
    ] = None,
    leak_shift: Annotated[
        int | None, typer.Option(help="Leak 2**-S; 0 replaces the state; of leaky, deep searched.")
    ] = None,
    leak_shifts: Annotated[
        str | None, typer.Option(help="A..B: shifts of the units of leaky, of the layers of deep.")
    ] = None,
    scaling: Annotated[
        str | None,
        typer.Option(help="Of leaky, euler: radius (the default), leaky-radius or circular."),
    ] = None,
    density: Annotated[
        float | None, typer.Option(help="Of leaky: the part of all units that each reads; 1.")
    ] = None,
    weight_bits: Annotated[
        int | None, typer.Option(help="Width of the weights of leaky and euler; 8.")
    ] = None,
    squares: Annotated[
        bool, typer.Option("--squares", help="The readout sees squared states too.")
    ] = False,
    input_features: Annotated[
        bool, typer.Option("--input-features", help="The readout sees the inputs too.")
    ] = False,
    kappa: Annotated[int | None, typer.Option(help="Clip of integer; searched.")] = None,
    bounded: Annotated[
        int | None,
        typer.Option(help="Samples in which no state of euler-ring, euler saturates; wider."),
    ] = None,
    adapt: Annotated[
        str | None,
        typer.Option(help="A rule that adapts each reservoir to the training inputs, by its name."),
    ] = None,
    adapt_with: Annotated[
        str | None, typer.Option(help="Its parameters, such as std=0.2,epochs=5; its own.")
    ] = None,
    adapt_stop: Annotated[
        str | None,
        typer.Option(
            help="Early stopping of plasticity on held-out training samples, such as patience=3."
        ),
    ] = None,
    gain_bits: Annotated[
        int | None, typer.Option(help="Width of gains and biases that it changes; 8.")
    ] = None,
    encoder: Annotated[
        str, typer.Option(help="Of inputs: min-max or mean-std, of the training samples.")
    ] = "min-max",
    weights: Annotated[
        str, typer.Option(help="Of ring and inputs: shift-add, or integer (8 bits, drawn).")
    ] = "shift-add",
    signs: Annotated[str, typer.Option(help="Of input weights: auto, pi or random.")] = "auto",
    rounding: Annotated[
        str | None,
        typer.Option(help="truncate, half-up or half-even; truncate, with --teaching half-up."),
    ] = None,
    levels: Annotated[
        _Flag, typer.Option("--levels/--no-levels", help="Input weights of 4 levels; searched.")
    ] = None,
    bias: Annotated[_Flag, typer.Option("--bias/--no-bias", help="A bias; searched.")] = None,
    lanes: Annotated[
        str, typer.Option(help="Units updated per clock, P; of deep one for all layers, or A,B,...")
    ] = "1",
    multipliers: Annotated[
        int | None, typer.Option(help="Of the readout, M; as many as keep pace.")
    ] = None,
    horizon: Horizon = None,
    washout: Washout = None,
    split: Split = None,
    input_columns: InputColumns = None,
    target_columns: TargetColumns = None,
    accumulate: Accumulate = None,
    segments: Segments = None,
    segment_length: SegmentLength = None,
    label_column: LabelColumn = None,
    sequence_column: SequenceColumn = None,
    train_column: TrainColumn = None,
    seed: Annotated[int, typer.Option(help="Of generated series, random signs, search.")] = 0,
    search: Annotated[str, typer.Option(help="quick, full or none.")] = "quick",
    feedback: Annotated[
        bool,
        typer.Option("--feedback", help="A generator of the targets, fed its own outputs."),
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(help="With --feedback: samples of a free run, by which it is chosen; 500."),
    ] = None,
    teaching: Annotated[
        str | None,
        typer.Option(
            help="With --feedback: ridge (the default), force, full-force or partial-force."
        ),
    ] = None,
    gain: Annotated[float | None, typer.Option(help="With --teaching: g of J; 1.5.")] = None,
    alpha: Annotated[
        float | None, typer.Option(help="With --teaching: P(0) = I / alpha; 1.")
    ] = None,
    every: Annotated[
        int | None, typer.Option(help="With --teaching: samples from update to update; 2.")
    ] = None,
    feedback_scaling: Annotated[
        float | None, typer.Option(help="With --teaching: of what is fed back; 2.")
    ] = None,
    input_scaling: Annotated[
        float | None, typer.Option(help="With --teaching: of inputs that a task has; 1.")
    ] = None,
    trained_units: Annotated[
        int | None, typer.Option(help="Of partial-force: units that learn, M; half of them.")
    ] = None,
    integer_samples: Annotated[
        int | None,
        typer.Option(help="Of force: last training samples, taught to the integers; a fourth."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the design and its Verilog; the output's.")
    ] = None,
    as_json: Json = False,
) -> Outcome:
    """Train a design on a series, and measure it once on test samples beside its floors.

    Of labelled sequences it names the class; errors on test sequences are counted.
    """
    from rchw.cli.recurrent import Teaching
    from rchw.cli.sequences import (
        is_of_sequences,
        refuse_of_sequences,
        train_on_sequences,
    )
    from rchw.experiment import experiment, generator
    from rchw.tasks import load_task
    from rchw.train import TrainOptions
    from rchw.trained import companions

    if steps is not None and not feedback:
        raise DesignError(f"steps must be left out without --feedback, not {steps}")
    recurrent = Teaching.of(
        teaching, feedback, gain=gain, alpha=alpha, every=every,
        feedback_scaling=feedback_scaling, input_scaling=input_scaling,
        trained_units=trained_units, integer_samples=integer_samples,
    )  # fmt: skip
    usual = TrainOptions() if recurrent is None else recurrent.usual
    options = TrainOptions(
        reservoir=reservoir or usual.reservoir, units=usual.units if units is None else units,
        input_bits=input_bits, state_bits=state_bits,
        readout_bits=(
            parse_each("readout bits", readout_bits) if readout_bits else usual.readout_bits
        ),
        readout_adders=_budget("readout adders", readout_adders),
        readout_nonzeros=_budget("readout nonzeros", readout_nonzeros),
        output_bits=output_bits, activation=activation or usual.activation,
        leak_shift=leak_shift, leak_shifts=leak_shifts, scaling=scaling, density=density,
        weight_bits=weight_bits, squares=squares, input_features=input_features, kappa=kappa,
        bounded=bounded, adapt=adapt, adapt_with=adapt_with, adapt_stop=adapt_stop,
        gain_bits=gain_bits,
        encoder=encoder, weights=weights, signs=signs,
        rounding=rounding or usual.rounding,
        lanes=parse_lanes(lanes), layers=layers,
        layer_reservoir=layer_reservoir, multipliers=multipliers, levels=levels, bias=bias,
        search=search, seed=seed, name=name or name_of(output.stem),
    )  # fmt: skip
    own = {
        "sequence_column": sequence_column,
        "label_column": label_column,
        "train_column": train_column,
    }
    pooled = {"accumulate": accumulate, "length": segment_length, "count": segments}
    if is_of_sequences(source, accumulate):
        idle = {
            "horizon": horizon,
            "washout": washout,
            "split": split,
            "target columns": target_columns,
            "feedback": feedback or None,
        }
        own["input_columns"] = input_columns
        return train_on_sequences(source, output, options, pooled, own, idle, Screen(as_json))
    refuse_of_sequences(pooled, own)
    for path in (output, *companions(output)):
        check_file(path)
    task = load_task(
        source, horizon=horizon, washout=washout, split=parse_split(split), seed=seed,
        input_columns=input_columns, target_columns=target_columns,
    )  # fmt: skip
    columns = (input_columns, target_columns)
    if recurrent is not None:
        facts = {"source": source, "seed": seed, "columns": columns}
        return recurrent.trained(task, options, steps, output, Screen(as_json), facts)
    if feedback:
        made = generator(
            task, options, 500 if steps is None else steps, Screen(as_json), source=source,
            series_seed=seed, columns=columns,
        )  # fmt: skip
        return generated(made.record, made.write(output))
    trained = experiment(
        task, options, Screen(as_json), source=source, series_seed=seed, columns=columns
    )
    files = trained.write(output)
    record = trained.record | {"files": {key: str(path) for key, path in files.items()}}
    shown = [errors_table(record), *_tradeoff(record), pairs(facts_of(record))]
    return Outcome(record, shown)


def _tradeoff(record: dict[str, Any]) -> list[Table]:
    """What budgets of the readout cost, if there were any."""
    from rchw.train.tradeoff import COLUMNS, tradeoff_rows

    rows = tradeoff_rows(record["readout"])
    title = f"readout: {record['task']['metric']} on validation samples"
    return [table(COLUMNS, rows, title)] if rows else []
