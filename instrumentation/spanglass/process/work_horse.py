"""RQ's work horse: a process for each job, that ends by ``os._exit``. What the job recorded is sent before that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def finish_with_job(finish: Callable[[], None]) -> Callable[[], None]:
    """Call ``finish`` when a work horse is done with its job, whenever RQ is imported; returns what takes it back."""
    undo: list[Callable[[], None]] = []

    def performing(replaced: Replacement) -> Callable[..., Any]:
        def perform_job(worker: Any, *args: Any, **kwargs: Any) -> Any:
            """Run a job."""
            try:
                return replaced.original(worker, *args, **kwargs)
            finally:
                if replaced.active and getattr(worker, "is_horse", False):  # not of RQ's SimpleWorker, which goes on
                    with guarded("send the rest at the end of a job"):
                        finish()

        return perform_job

    def watch(module: ModuleType) -> None:
        owner = next(kind for kind in module.Worker.__mro__ if "perform_job" in vars(kind))
        undo.append(replace(owner, "perform_job", performing))

    undo.append(when_imported("rq.worker", watch, doing="send what RQ's jobs record"))

    def take_back() -> None:
        while undo:
            undo.pop()()

    return take_back
