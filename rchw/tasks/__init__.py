"""Benchmark series, measured data and the user's files, each as one `Task` with its splits."""

from rchw.tasks.catalog import TASKS, TaskInfo, load_task
from rchw.tasks.sequence_catalog import SEQUENCES, SequenceInfo, load_sequences
from rchw.tasks.sequences import SequenceTask
from rchw.tasks.task import Task

__all__ = [
    "SEQUENCES",
    "TASKS",
    "SequenceInfo",
    "SequenceTask",
    "Task",
    "TaskInfo",
    "load_sequences",
    "load_task",
]
