"""Calls that other threads hand to one thread, which does them between its turns, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class Calls:
    """`wake` is called for each that comes. What is not done when they are closed, or comes later, is cancelled."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._closed = False

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, call: Callable[[], _T]) -> Future[_T]:
        """Hands a call over; in any thread."""
        answer: Future[_T] = Future()
        self._waiting.append((call, answer))
        self._wake()
        if self._closed:
            answer.cancel()
        return answer

    def do(self, *, until: Callable[[], bool]) -> None:
        """Does all that wait, unless `until` holds. Raises what a call raises; its answer is cancelled."""
        while self._waiting and not until():
            call, answer = self._waiting.popleft()
            try:
                answer.set_result(call())
            except BaseException:
                answer.cancel()
                raise

    def close(self) -> None:
        """Nothing more is done."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft()[1].cancel()
