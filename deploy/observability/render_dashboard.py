"""Draws the Grafana dashboard as a picture: every panel's expressions, evaluated by a real Prometheus.

For places without Grafana. Only the drawing is this script's own: the panels, their places, expressions and legends are
those of the dashboard's file. It needs matplotlib:

    python deploy/observability/render_dashboard.py --prometheus http://127.0.0.1:9090 --minutes 10 dashboard.png
"""

from __future__ import annotations

import argparse
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

DASHBOARD = Path(__file__).parent / "grafana/dashboards/hrnn-tuner.json"
_POINTS = 240
_TIMEOUT_S = 30.0
_UNITS = {"s": "seconds", "reqps": "requests per second", "percentunit": "share", "short": ""}


@dataclass(frozen=True)
class Line:
    """One time series of a panel."""

    legend: str
    times: Sequence[datetime]
    values: Sequence[float]


class Prometheus:
    """Evaluates expressions over the last minutes.

    Args:
        address: Its URL.
        minutes: How far back.
        rate_interval: What Grafana's ``$__rate_interval`` stands for: four scrapes.
    """

    def __init__(self, address: str, minutes: float, rate_interval: str) -> None:
        self._address = address.rstrip("/")
        self._end = time.time()
        self._start = self._end - 60 * minutes
        self._rate_interval = rate_interval

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when."""
        return datetime.fromtimestamp(self._start, UTC), datetime.fromtimestamp(self._end, UTC)

    def lines(self, target: dict[str, Any]) -> list[Line]:
        """The series of one target of a panel.

        Raises:
            urllib.error.URLError: When Prometheus does not answer, or refuses the expression.
        """
        expression = target["expr"].replace("$__rate_interval", self._rate_interval)
        step = (self._end - self._start) / _POINTS
        query = {"query": expression, "start": self._start, "end": self._end, "step": f"{step:.3f}"}
        url = f"{self._address}/api/v1/query_range?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the operator's own address
            found = json.load(answer)["data"]["result"]
        return [
            Line(
                _legend(target["legendFormat"], item["metric"]),
                [datetime.fromtimestamp(at, UTC) for at, _ in item["values"]],
                [float(value) for _, value in item["values"]],
            )
            for item in found
        ]


def _legend(template: str, labels: dict[str, str]) -> str:
    """A legend with the series' labels filled in."""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), template)


def draw(panel: dict[str, Any], lines: Sequence[Line], axes: Axes, span: tuple[datetime, datetime]) -> None:
    """Draws one panel over a span of time."""
    unit = _UNITS.get(panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short"), "")
    axes.set_title(panel["title"] + (f" ({unit})" if unit else ""), fontsize=9, loc="left")
    for line in lines:
        axes.plot(line.times, line.values, linewidth=1.2, label=line.legend)
    if lines:
        axes.legend(fontsize=6, loc="upper left", ncols=2, frameon=False)
        axes.set_ylim(bottom=0, top=1.3 * max(axes.get_ylim()[1], 0))  # room for the legend
    else:
        axes.text(0.5, 0.5, "no data", ha="center", va="center", transform=axes.transAxes, color="grey")
    axes.set_xlim(*span)
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M"))
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(maxticks=6))
    axes.tick_params(labelsize=6)
    axes.grid(alpha=0.3)


def render(prometheus: Prometheus, path: Path) -> None:
    """Draws all panels where the dashboard has them."""
    dashboard = json.loads(DASHBOARD.read_text())
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    figure = Figure(figsize=(16, height * 0.36), dpi=90, layout=None)
    grid = GridSpec(height, 24, figure=figure, left=0.03, right=0.99, top=0.97, bottom=0.03, wspace=6.0, hspace=4.0)
    figure.suptitle(
        f"{dashboard['title']}: panels evaluated by Prometheus, drawn by {Path(__file__).name}", fontsize=11
    )
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        rows = slice(place["y"], place["y"] + place["h"])
        axes = figure.add_subplot(grid[rows, place["x"] : place["x"] + place["w"]])
        if panel["type"] == "row":
            axes.axis("off")
            axes.text(0, 0, panel["title"], fontsize=11, weight="bold", transform=axes.transAxes)
            continue
        draw(panel, [line for target in panel["targets"] for line in prometheus.lines(target)], axes, prometheus.span)
    FigureCanvasAgg(figure).print_png(str(path))


def main() -> None:
    """Draws the dashboard."""
    parser = argparse.ArgumentParser(description="Draws the Grafana dashboard from a Prometheus.")
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its URL")
    parser.add_argument("--minutes", type=float, default=10, help="how far back")
    parser.add_argument("--rate-interval", default="1m", help="four times the scrape interval")
    parser.add_argument("path", type=Path, help="the PNG")
    arguments = parser.parse_args()
    render(Prometheus(arguments.prometheus, arguments.minutes, arguments.rate_interval), arguments.path)


if __name__ == "__main__":
    main()
