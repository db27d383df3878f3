"""The same design, bit for bit, under other BLAS kernels, thread counts and vector units."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

# Two kernels that every machine of the kind can run and that add in different orders.
KERNELS = {"x86_64": ("Haswell", "Nehalem"), "AMD64": ("Haswell", "Nehalem")} | dict.fromkeys(
    ("aarch64", "arm64"), ("ARMV8", "NEOVERSEN1")
)

# The real weights of one readout, before they are rounded; and two sums that do hang on the kernel.
SOLVE = """
import hashlib, json, sys
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from tests.train.test_readout import trained
from tests.train.tiny import tiny_task

def digest_of(array):
    return hashlib.sha256(array.tobytes()).hexdigest()

# By the environment alone a machine of one processor would never have two threads.
limits = threadpool_limits(int(sys.argv[1]), user_api="blas")
blas = [i for i in threadpool_info() if i["internal_api"] == "openblas"]

fit, *_ = trained(tiny_task(channels=2, outputs=2), state_bits=16)
matrix = np.random.default_rng(0).normal(size=(300, 300))
record = {
    "kernel": sorted({i["architecture"] for i in blas}),
    "threads": sorted({i["num_threads"] for i in blas}),
    "weights": digest_of(fit.solution.weights),
    "product": digest_of(matrix @ matrix),
    "eigenvalues": digest_of(np.linalg.eigvals(matrix)),
    "solved": digest_of(np.linalg.solve(fit.solution.matrix, matrix[: len(fit.solution.matrix)])),
}
"""
TRAIN = """
from rchw import digest
from rchw.train import TrainOptions, train

options = [
    TrainOptions(units=20, squares=True, search="none"),
    TrainOptions(units=20, search="quick", rounding="half-even"),
    TrainOptions(units=8, search="none", readout_adders=(20, 5)),
    TrainOptions(units=12, reservoir="integer", search="quick", input_features=True),
    TrainOptions(units=40, reservoir="leaky", search="none", scaling="leaky-radius", leak_shift=1),
    TrainOptions(units=40, reservoir="euler", search="none"),
    TrainOptions(units=40, reservoir="deep", search="none", density=0.5),
    TrainOptions(units=20, activation="table", search="none", adapt="intrinsic-plasticity"),
    TrainOptions(units=20, reservoir="leaky", activation="table", search="none",
                 adapt="phase-transition"),
]
made = [train(tiny_task(channels=2, outputs=2), chosen) for chosen in options]
record["digests"] = [digest(design) for design in made]
record["errors"] = [design.provenance["validation"] for design in made]
"""


def run_with(threads: int, **environment: str) -> Any:
    """Train in another process, whose numpy reads the environment when it starts."""
    done = subprocess.run(
        [sys.executable, "-c", SOLVE + TRAIN + "print(json.dumps(record))", str(threads)],
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_digest_does_not_hang_on_the_machine() -> None:
    """Two kernels with one and two threads, and numpy without its vector code.

    That the kernels do differ is part of the test: they give a product of doubles and the solution
    of a linear system other bits, so a training that used either would be seen.
    """
    one, two = KERNELS[platform.machine()]
    vectors = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    first = run_with(1, OPENBLAS_CORETYPE=one)
    second = run_with(2, OPENBLAS_CORETYPE=two)
    third = run_with(1, NPY_DISABLE_CPU_FEATURES=" ".join(vectors))
    assert first["kernel"] and first["kernel"] != second["kernel"], "there is one BLAS kernel only"
    assert (first["threads"], second["threads"]) == ([1], [2])
    assert first["product"] != second["product"], "the kernels give the same product"
    assert first["solved"] != second["solved"], "the kernels give the same solution"
    assert first["eigenvalues"] != second["eigenvalues"], "the kernels give the same eigenvalues"
    for other in (second, third):
        for key in ("weights", "digests", "errors"):
            assert other[key] == first[key], key
