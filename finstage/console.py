"""What the parts print, line by line under their names."""

import os
import selectors
import sys
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_LINE = 1 << 16


@dataclass
class Output:
    """What one process prints, as far as it is no whole line yet."""

    descriptor: int
    show: Callable[[str], None]
    rest: bytes = b""


class Console:
    """Reads many outputs in one thread and writes them to one terminal."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._is_mute = False
        self._selector = selectors.DefaultSelector()

    def watch(self, descriptor: int, seen: Callable[[], None]) -> None:
        """Call `seen` whenever there is something to read."""
        self._selector.register(descriptor, selectors.EVENT_READ, seen)

    def follow(self, descriptor: int, show: Callable[[str], None]) -> None:
        """Show every line that comes, until the last writer closes."""
        output = Output(descriptor, show)
        self.watch(descriptor, lambda: self._forward(output))

    def wait(self, seconds: float) -> None:
        """Forward what has come; wait at most so long for something to come."""
        for key, _ in self._selector.select(max(0.0, seconds)):
            try:
                key.data()
            except Exception as error:  # noqa: BLE001 - one output that breaks must not hide the others
                self._selector.unregister(key.fd)
                self.tell("up", f"an output can't be read any more: {error!r}")

    def tell(self, name: str, sentence: str) -> None:
        self.say(f"{name:<{self._width}} | {sentence}")

    def say(self, text: str) -> None:
        """To the terminal while there is one: nothing shall end because nobody reads it any more."""
        if self._is_mute:
            return
        try:
            print(text, flush=True)
        except OSError:
            self._is_mute = True
            _write_to_nobody()

    def _forward(self, output: Output) -> None:
        piece = os.read(output.descriptor, LONGEST_LINE)
        *lines, output.rest = (output.rest + piece).split(b"\n")
        if output.rest and (not piece or len(output.rest) > LONGEST_LINE):
            lines.append(output.rest)
            output.rest = b""
        for line in lines:
            output.show(line.decode(errors="replace").rstrip("\r"))
        if not piece:
            self._selector.unregister(output.descriptor)
            os.close(output.descriptor)


def _write_to_nobody() -> None:
    """What could not be written is tried once more at Python's exit, which makes it status 120 if it fails again."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, sys.stdout.fileno())
    os.close(nobody)
