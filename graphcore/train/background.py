"""One piece of work at a time in a thread of its own."""
from __future__ import annotations

import atexit
import threading


class Background:
    """Runs a function beside the program; an error it meets is raised by the next `start` or `wait`."""

    def __init__(self, name: str):
        self._name = name
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        atexit.register(self._join)

    def start(self, function, *arguments) -> None:
        """Run ``function(*arguments)`` after the work that is still under way."""
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(function, arguments), name=self._name)
        self._thread.start()

    def _run(self, function, arguments) -> None:
        try:
            function(*arguments)
        except BaseException as error:
            self._error = error

    def _join(self) -> None:
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def wait(self) -> None:
        """Wait until nothing is under way.  Raises the error that the work met."""
        self._join()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
