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

SCRIPT = """
import hashlib, json
import numpy as np
from threadpoolctl import threadpool_info
from rchw import digest
from rchw.train import TrainOptions, train
from tests.train.tiny import tiny_task

options = [
    TrainOptions(units=20, squares=True, search="none"),
    TrainOptions(units=20, search="quick", rounding="half-even"),
    TrainOptions(units=12, reservoir="integer", search="quick", input_features=True),
]
made = [train(tiny_task(channels=2, outputs=2), chosen) for chosen in options]
matrix = np.random.default_rng(0).normal(size=(300, 300))
product = hashlib.sha256((matrix @ matrix).tobytes()).hexdigest()
blas = [i for i in threadpool_info() if i["internal_api"] == "openblas"]
print(json.dumps({
    "kernel": [i["architecture"] for i in blas], "threads": [i["num_threads"] for i in blas],
    "digests": [digest(d) for d in made], "product": product,
    "errors": [d.provenance["validation"] for d in made],
}))
"""


def trained_with(**environment: str) -> Any:
    """Train in another process, whose numpy reads the environment when it starts."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=root,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_digest_does_not_hang_on_the_machine() -> None:
    """Two kernels with one and two threads, and numpy without its vector code.

    That the kernels do differ is part of the test: they give a product of doubles other bits.
    """
    one, two = KERNELS[platform.machine()]
    vectors = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    runs = [
        trained_with(OPENBLAS_CORETYPE=one, OPENBLAS_NUM_THREADS="1"),
        trained_with(OPENBLAS_CORETYPE=two, OPENBLAS_NUM_THREADS="2"),
        trained_with(OPENBLAS_NUM_THREADS="1", NPY_DISABLE_CPU_FEATURES=" ".join(vectors)),
    ]
    kernels = [run["kernel"] for run in runs[:2]]
    assert kernels[0] and kernels[0] != kernels[1], f"one BLAS kernel only: {kernels}"
    assert [set(run["threads"]) for run in runs[:2]] == [{1}, {2}]
    assert runs[0]["product"] != runs[1]["product"], "the kernels do not differ"
    assert runs[0]["digests"] == runs[1]["digests"] == runs[2]["digests"]
    assert runs[0]["errors"] == runs[1]["errors"] == runs[2]["errors"]
