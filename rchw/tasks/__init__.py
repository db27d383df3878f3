"""Benchmark series, measured data and the user's files, each as one `Task` with its splits."""

from rchw.tasks.catalog import TASKS, TaskInfo, load_task
from rchw.tasks.task import Task

__all__ = ["TASKS", "Task", "TaskInfo", "load_task"]
