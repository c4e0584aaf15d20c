"""Shows tables and writes them down."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.benchmarks.paths import RESULTS


@dataclass(frozen=True)
class Results:
    """One table.

    Attributes:
        key: Marks its place in the file of results.
        title: What was measured.
        headings: The columns.
        rows: As many cells as headings each.
        notes: Protocol, hyperparameters, seeds, and what the numbers do not show.
    """

    key: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]

    def show(self) -> None:
        """Prints the table."""
        table = Table(*self.headings, title=self.title)
        for row in self.rows:
            table.add_row(*row)
        console = Console(width=max(120, Console().width))
        console.print(table)
        for note in self.notes:
            console.print(note, markup=False, highlight=False)

    def record(self) -> None:
        """Replaces the table in the file of results, or adds it at the end."""
        start, end = f"<!-- {self.key} -->\n", f"<!-- end of {self.key} -->\n"
        lines = [f"## {self.title}", "", *self.notes_with_origin(), ""]
        lines += ["| " + " | ".join(row) + " |" for row in (self.headings, ["---"] * len(self.headings), *self.rows)]
        section = start + "\n".join(lines) + "\n" + end
        text = RESULTS.read_text() if RESULTS.exists() else "# Benchmark results\n"
        if start in text:
            text = text[: text.index(start)] + section + text[text.index(end) + len(end) :]
        else:
            text = text.rstrip("\n") + "\n\n" + section
        RESULTS.write_text(text)

    def notes_with_origin(self) -> list[str]:
        """The notes, and when and on what they were measured."""
        origin = f"Measured on {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {_processor()}."
        return [f"- {note}" for note in (*self.notes, origin)]


def _processor() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - a file of the kernel, not of a folder
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
