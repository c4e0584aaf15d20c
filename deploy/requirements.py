"""Prints the requirements of the given extras of pyproject.toml, one a line.

The Dockerfile installs them in a layer of their own, so that a change of the code does not download everything again:
pip cannot install the dependencies of a project without the project.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def main() -> None:
    """Reads pyproject.toml of the current folder."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for name in sys.argv[1:] for line in extras[name])]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
