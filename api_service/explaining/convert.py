"""Explanations as messages of the public contract."""

from __future__ import annotations

from api_service import to_proto
from api_service.explaining.explanations import Explanation
from api_service.explaining.insight import Insight
from api_service.explaining.why import intent_of, origin_of
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition
from hrnn_tuner.store import Decision
from hrnn_tuner.v1 import explanation_pb2, tuning_service_pb2


def response(explanation: Explanation, next_page_token: str) -> tuning_service_pb2.ExplainTuningJobResponse:
    """A page of an explanation."""
    spec = explanation.job.spec
    insights = zip(spec.definitions, explanation.insights, strict=False)  # later pages have none
    return tuning_service_pb2.ExplainTuningJobResponse(
        name=spec.name,
        insights=[_insight(definition, insight) for definition, insight in insights],
        decisions=[_decision(entry) for entry in explanation.decisions],
        proposals=[
            _proposal(job, spec.definition(job.definition_name), explanation.of_training_jobs.get(job.number, []))
            for job in explanation.page.rows
        ],
        next_page_token=next_page_token,
    )


def _insight(definition: TrainingJobDefinition, insight: Insight) -> explanation_pb2.TrainingJobDefinitionInsight:
    """What was learnt about one search space."""
    best = insight.best
    return explanation_pb2.TrainingJobDefinitionInsight(
        definition_name=definition.name,
        objective=to_proto.objective(definition.objective),
        observed=insight.observed,
        failed=insight.failed,
        pending=insight.pending,
        importances=[
            explanation_pb2.HyperparameterImportance(name=entry.name, main_effect=entry.main, total_effect=entry.total)
            for entry in insight.importances
        ],
        predicted_best=None
        if best is None
        else explanation_pb2.PredictedBest(
            tuned_hyperparameters=to_proto.values(best.configuration),
            mean=best.mean,
            standard_deviation=best.deviation,
            training_job_number=best.number,
        ),
        explained_variance=insight.explained_variance,
        note=insight.note,
    )


def _decision(entry: Decision) -> explanation_pb2.ExplainedDecision:
    """An entry of the decision log."""
    return explanation_pb2.ExplainedDecision(
        kind=entry.kind, explanation=entry.explanation, figures=dict(entry.figures)
    )


def _proposal(
    job: TrainingJob, definition: TrainingJobDefinition, decisions: list[Decision]
) -> explanation_pb2.ProposalExplanation:
    """Why a training job was proposed, and what became of it."""
    proposal = job.proposal
    figures = proposal.figures
    return explanation_pb2.ProposalExplanation(
        training_job_number=job.number,
        training_job_name=job.name,
        definition_name=job.definition_name,
        tuned_hyperparameters=to_proto.values(proposal.hyperparameters),
        strategy=proposal.strategy,
        origin=f"PROPOSAL_ORIGIN_{origin_of(proposal).value}",
        intent=f"PROPOSAL_INTENT_{intent_of(proposal, definition.objective).value}",
        explanation=proposal.explanation,
        acquisition_value=figures.get("acquisition_value"),
        predicted_mean=figures.get("predicted_mean"),
        predicted_standard_deviation=figures.get("predicted_sd"),
        best_observed=figures.get("best_observed"),
        figures=dict(figures),
        state=f"TRAINING_JOB_STATE_{job.state.value}",
        objective_status=f"OBJECTIVE_STATUS_{job.objective_status.value}",
        final_objective_value=job.final_objective,
        decisions=[_decision(entry) for entry in decisions],
    )
