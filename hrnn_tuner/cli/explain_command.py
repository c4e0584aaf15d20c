"""`hrnn-tuner explain`: what the search has learnt, and why each training job was proposed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hrnn_tuner.cli.bar import stacked_bar
from hrnn_tuner.cli.options import JobArgument, OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import console, print_json, short_name, table, values_text
from hrnn_tuner.cli.sparkline import sparkline
from hrnn_tuner.v1.explanation_pb2 import (
    PROPOSAL_ORIGIN_MODEL,
    ExplainedDecision,
    ProposalExplanation,
    ProposalIntent,
    ProposalOrigin,
    TrainingJobDefinitionInsight,
)
from hrnn_tuner.v1.training_job_pb2 import OBJECTIVE_STATUS_FAILED, OBJECTIVE_STATUS_PENDING
from hrnn_tuner.v1.tuning_job_pb2 import ObjectiveType
from hrnn_tuner.v1.tuning_service_pb2 import ExplainTuningJobResponse

#: Decisions that the table of proposals leaves out: its columns say the same.
_SHOWN_OTHERWISE = frozenset({"BEST"})


def explain(context: typer.Context, name: JobArgument, output: OutputOption = OutputFormat.TEXT) -> None:
    """Show what the search has learnt and why each training job was proposed.

    Importance is the share of the objective's variation over the search space that a hyperparameter causes: alone
    (solid bar), and together with others (shaded).
    """
    with connect(context) as client:
        explanation = client.explain_tuning_job(name)
    if output is OutputFormat.JSON:
        print_json(explanation)
    else:
        console().print(explanation_of(explanation))


def explanation_of(explanation: ExplainTuningJobResponse) -> RenderableType:
    """The whole explanation."""
    parts: list[RenderableType] = []
    several = len(explanation.insights) > 1
    for insight in explanation.insights:
        own = [item for item in explanation.proposals if item.definition_name == insight.definition_name]
        parts += [*_insight(insight, own, several), Text()]
    if explanation.decisions:
        parts += [_decisions(explanation.decisions), Text()]
    parts.append(_proposals(explanation.proposals) if explanation.proposals else Text("no training jobs"))
    return Group(*parts)


def _insight(
    insight: TrainingJobDefinitionInsight, proposals: Sequence[ProposalExplanation], several: bool
) -> Iterator[RenderableType]:
    """What was learnt about one search space."""
    metric = insight.objective.metric_name
    direction = short_name(ObjectiveType, insight.objective.type)
    of = f"{insight.definition_name}: " if several else ""
    counts = f"{insight.observed} results, {insight.failed} failed, {insight.pending} pending"
    yield Text(f"{of}{direction} {metric}: {counts}", style="bold")
    values = [item.final_objective_value for item in proposals if item.HasField("final_objective_value")]
    if values:
        yield Text(f"values in order of their proposal  {sparkline(values)}")
    if insight.note:
        yield Text(insight.note, style="yellow")
    if insight.HasField("explained_variance"):
        yield Text(f"a model of them predicts {max(insight.explained_variance, 0.0):.0%} of their variance")
    if insight.HasField("predicted_best"):
        best = insight.predicted_best
        whose = f"training job {best.training_job_number} has it" if best.training_job_number else "not tried"
        yield Text(f"predicted best: {metric} {best.mean:.6g} ± {best.standard_deviation:.2g} ({whose})")
        yield Text(f"  at {values_text(best.tuned_hyperparameters)}")
    if insight.importances:
        yield Text()
        yield _importances(insight)


def _importances(insight: TrainingJobDefinitionInsight) -> Table:
    """Hyperparameters with their shares, as they come."""
    result = table("", "importance of", "alone>", "with others>", "")
    for item in insight.importances:
        bar = stacked_bar(item.main_effect, item.total_effect)
        result.add_row(item.name, f"{item.main_effect:.0%}", f"{item.total_effect:.0%}", bar)
    return result


def _decisions(decisions: Sequence[ExplainedDecision]) -> Table:
    """What was decided about the tuning job."""
    result = table("", "decision", "why")
    for decision in decisions:
        result.add_row(decision.kind, _decision_text(decision))
    return result


def _decision_text(decision: ExplainedDecision) -> str:
    """Reasons and figures."""
    figures = ", ".join(f"{name} {value:.6g}" for name, value in sorted(decision.figures.items()))
    return f"{decision.explanation} ({figures})" if figures else decision.explanation


def _proposals(proposals: Sequence[ProposalExplanation]) -> Table:
    """One line for each training job."""
    columns = ("#>", "hyperparameters", "proposed by", "to", "acquisition>", "predicted>", "measured>", "why")
    result = table("", *columns)
    for item in proposals:
        origin = f"{item.strategy} {short_name(ProposalOrigin, item.origin)}"
        result.add_row(
            str(item.training_job_number),
            values_text(item.tuned_hyperparameters),
            item.strategy if origin == f"{item.strategy} {item.strategy}" else origin,
            short_name(ProposalIntent, item.intent),
            f"{item.acquisition_value:.4g}" if item.HasField("acquisition_value") else "-",
            _predicted(item),
            _measured(item),
            "\n".join(_reasons(item)),
        )
    return result


def _predicted(item: ProposalExplanation) -> str:
    """What the model expected."""
    if not item.HasField("predicted_mean"):
        return "-"
    return f"{item.predicted_mean:.4g} ± {item.predicted_standard_deviation:.2g}"


def _measured(item: ProposalExplanation) -> str:
    """What came out."""
    if item.HasField("final_objective_value"):
        return f"{item.final_objective_value:.6g}"
    return {OBJECTIVE_STATUS_PENDING: "pending", OBJECTIVE_STATUS_FAILED: "failed"}.get(item.objective_status, "-")


def _reasons(item: ProposalExplanation) -> Iterator[str]:
    """What the columns do not say: a model's proposal is explained by its numbers."""
    if item.origin != PROPOSAL_ORIGIN_MODEL or not item.HasField("predicted_mean"):
        yield item.explanation
    else:  # "MODEL: its numbers; further reasons"
        model, _, rest = item.explanation.partition(": ")
        yield "; ".join((model, *rest.split("; ")[1:]))
    for decision in item.decisions:
        if decision.kind not in _SHOWN_OTHERWISE:
            yield f"{decision.kind}: {decision.explanation}"
