"""Follows a step into other threads: those that start while it runs, and those of executors it hands work to.

A dispatch mode sees one thread only. What runs in a thread that was at work before, out of an executor's
reach, cannot be seen; that it ran is noticed, so that nobody takes silence for health.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    _get_current_dispatch_mode_stack,
    _pop_mode,
    _push_mode,
)


class Threads:
    """Puts a mode to work in every thread that takes part in a step."""

    def __init__(self, mode: TorchDispatchMode) -> None:
        self._mode = mode
        self._hooks: list[Any] = []
        self._replaced: list[tuple[type, str, Any]] = []
        self.out_of_sight: dict[str, None] = {}
        """Names of the threads that called a module or an optimizer where the mode does not see it."""

    def start(self) -> None:
        """Follow what starts from here on."""
        self._hooks = [
            register_module_forward_pre_hook(self._met),
            register_optimizer_step_pre_hook(self._met),
        ]
        self._replace(threading.Thread, "start", self._starting)
        self._replace(ThreadPoolExecutor, "submit", self._submitting)

    def stop(self) -> None:
        """Follow no more; threads that still run are left as they are."""
        for hook in self._hooks:
            hook.remove()
        for owner, name, original in reversed(self._replaced):
            setattr(owner, name, original)
        self._hooks, self._replaced = [], []

    def _replace(self, owner: type, name: str, by: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        self._replaced.append((owner, name, original))
        setattr(owner, name, by(original))

    def _starting(self, start: Callable[..., Any]) -> Callable[..., Any]:
        def started(thread: threading.Thread) -> None:
            thread.run = self._followed(thread.run)
            start(thread)

        return started

    def _submitting(self, submit: Callable[..., Any]) -> Callable[..., Any]:
        def submitted(executor: ThreadPoolExecutor, task: Any, /, *args: Any, **named: Any) -> Any:
            return submit(executor, self._followed(task), *args, **named)

        return submitted

    def _followed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def followed(*args: Any, **named: Any) -> Any:
            if self._is_seen():
                return work(*args, **named)
            _push_mode(self._mode)  # the flags that `__enter__` keeps are not a thread's own
            try:
                return work(*args, **named)
            finally:
                if _get_current_dispatch_mode_stack()[-1:] == [self._mode]:
                    _pop_mode()

        return followed

    def _is_seen(self) -> bool:
        return self._mode in _get_current_dispatch_mode_stack()

    def _met(self, *_: Any) -> None:
        if not self._is_seen():
            self.out_of_sight[threading.current_thread().name] = None
