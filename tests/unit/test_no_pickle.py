"""No pickle is ever read: unpickling runs whatever code the file's author chose."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.stack import REPOSITORY

PACKAGES = ("hrnn_tuner", "api_service", "scheduler_service", "worker_service")
#: Modules whose loaders unpickle.
FORBIDDEN = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
#: What must be said to loaders that would unpickle otherwise.
REQUIRED = {("torch", "load"): ("weights_only", True), ("np", "load"): ("allow_pickle", False)}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            yield str(path.relative_to(REPOSITORY)), ast.parse(path.read_text())


def complaints(tree: ast.Module) -> Iterator[str]:
    """What a module says that could unpickle."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in FORBIDDEN)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN:
            yield str(node.module)
        elif isinstance(node, ast.Attribute) and node.attr in {"read_pickle", "unpickle"}:
            yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            required = REQUIRED.get((owner, node.func.attr))
            if required is None:
                continue
            given = {item.arg: item.value.value for item in node.keywords if isinstance(item.value, ast.Constant)}
            if given.get(required[0]) is not required[1]:
                yield f"{owner}.{node.func.attr} without {required[0]}={required[1]}"


def test_no_code_can_unpickle() -> None:
    assert [(path, text) for path, tree in sources() for text in complaints(tree)] == []


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from joblib import load", "torch.load(path)", "torch.load(path, weights_only=False)",
     "np.load(path, allow_pickle=True)", "pandas.read_pickle(path)"],
)  # fmt: skip
def test_what_could_unpickle_would_be_found(code: str) -> None:
    assert list(complaints(ast.parse(code)))
