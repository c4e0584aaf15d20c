"""All functions by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from tests.benchmarks.search.functions import bbob as _bbob
from tests.benchmarks.search.functions import bbob_mixint as _mixint
from tests.benchmarks.search.functions.categorical import SPACES, categorical
from tests.benchmarks.search.functions.conditional import KINDS, conditional
from tests.benchmarks.search.functions.conditional import VARIANTS as CONDITIONAL_VARIANTS
from tests.benchmarks.search.functions.contract import BenchFunction, Half
from tests.benchmarks.search.functions.hrnn_table import GRIDS, hrnn, is_made
from tests.benchmarks.search.functions.log_scaled import SHAPES, log_scaled
from tests.benchmarks.search.functions.log_scaled import VARIANTS as LOG_VARIANTS
from tests.benchmarks.search.functions.sklearn_tuning import PAIRS, sklearn_tuning

#: The portfolio. Of COCO's functions, neighbours from each group of the suite bbob, one for each half, and some of them
#: with noise or with integers; both of a pair have the same dimension.
_BBOB = (3, 4, 7, 8, 11, 12, 17, 18, 21, 22)
_NOISY = (13, 14)
_NOISY_DIMENSION = 5
_MIXINT = (9, 12, 21, 24)
_SKLEARN = (
    *(("svm", data) for data in ("diabetes", "digits")),
    *(("tree", data) for data in ("digits", "diabetes")),
    *(("network", data) for data in ("diabetes", "wine")),
    ("linear", "digits"),
    ("boosting", "diabetes"),
)
_LOG_SHAPES = ("cliff", "sparse")


def _bbob_dimension(number: int) -> int:
    """Dimensions take turns, the same in both halves."""
    return _bbob.DIMENSIONS[(number - 1) // 2 % len(_bbob.DIMENSIONS)]


def _makers() -> dict[str, Callable[[], BenchFunction]]:
    """How to make each function, by its name."""
    makers: dict[str, Callable[[], BenchFunction]] = {}
    for number in _bbob.NUMBERS:
        for dimension in _bbob.DIMENSIONS:
            makers[f"bbob-f{number}-d{dimension}"] = partial(_bbob.bbob, number, dimension)
            makers[f"bbob-noisy-f{number}-d{dimension}"] = partial(_bbob.noisy_bbob, number, dimension)
        for dimension in _mixint.DIMENSIONS:
            makers[f"bbob-mixint-f{number}-d{dimension}"] = partial(_mixint.bbob_mixint, number, dimension)
    for model, data in PAIRS:
        makers[f"sklearn-{model}-{data}"] = partial(sklearn_tuning, model, data)
    for shape in SHAPES:
        for variant in LOG_VARIANTS:
            makers[f"log-{shape}-{variant}"] = partial(log_scaled, shape, variant)
    for kind in KINDS:
        for variant in CONDITIONAL_VARIANTS:
            makers[f"conditional-{kind}-{variant}"] = partial(conditional, kind, variant)
    for kind in SPACES:
        makers[f"categorical-{kind}"] = partial(categorical, kind)
    for data in GRIDS:
        makers[f"hrnn-{data}"] = partial(hrnn, data)
    return makers


_MAKERS: Mapping[str, Callable[[], BenchFunction]] = _makers()
NAMES = tuple(_MAKERS)


@cache
def function(name: str) -> BenchFunction:
    """The function of a name.

    Raises:
        KeyError: When there is none.
    """
    return _MAKERS[name]()


@cache
def portfolio() -> tuple[str, ...]:
    """What the quality is measured on: some of every family, as many in one half as in the other.

    A table of trainings of hrnn that is not made yet is left out.
    """
    return (
        *(f"bbob-f{number}-d{_bbob_dimension(number)}" for number in _BBOB),
        *(f"bbob-noisy-f{number}-d{_NOISY_DIMENSION}" for number in _NOISY),
        *(f"bbob-mixint-f{number}-d{_mixint.DIMENSIONS[(number - 1) // 4 % 2]}" for number in _MIXINT),
        *(f"sklearn-{model}-{data}" for model, data in _SKLEARN),
        *(f"log-{shape}-{variant}" for shape in _LOG_SHAPES for variant in LOG_VARIANTS),
        *(name for name in NAMES if name.startswith(("conditional", "categorical"))),
        *(f"hrnn-{data}" for data in GRIDS if is_made(data)),
    )


def of_half(names: tuple[str, ...], half: Half) -> tuple[str, ...]:
    """Those of a half."""
    return tuple(name for name in names if function(name).half is half)
