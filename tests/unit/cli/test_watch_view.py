from __future__ import annotations

from hrnn_tuner.cli.output import console
from hrnn_tuner.cli.watch_state import WatchState
from hrnn_tuner.cli.watch_view import WatchView
from hrnn_tuner.v1.tuning_service_pb2 import WatchTuningJobResponse
from tests.unit.client.canned import completed_job_events, event, metrics, training_job, tuning_job

NOW_S = 1_790_000_090


def view_of(events: list[WatchTuningJobResponse], max_rows: int = 20) -> WatchView:
    view = WatchView(WatchState(), max_rows=max_rows, now=lambda: NOW_S)
    for item in events:
        view.apply(item)
    return view


def lines(view: WatchView) -> list[str]:
    screen = console()
    with screen.capture() as capture:
        screen.print(view)
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def test_before_the_first_event_it_says_that_it_waits() -> None:
    assert lines(view_of([])) == ["waiting for the first event …"]


def test_while_running_it_shows_progress_hyperparameters_and_the_last_epoch() -> None:
    header, columns, first, second = lines(view_of(completed_job_events()[:6]))
    assert header.startswith("demo IN_PROGRESS")
    assert header.endswith("0/2 ended 2/2 active 1m 30s")
    assert columns == "# state bptt recency_mask epoch last precision_at_25 precision_at_25"
    assert first == "1 TRAINING 21 true 2 0.1 -"
    assert second == "2 TRAINING 22 true - - -"


def test_at_the_end_the_best_is_marked() -> None:
    header, _, first, second = lines(view_of(completed_job_events()))
    assert header.startswith("demo COMPLETED")
    assert "2/2 ended" in header
    assert first == "1 COMPLETED 21 true 2 0.1 0.1"
    assert second == "2 COMPLETED 22 true 1 0.2 0.2 ★ best"


def test_a_failure_shows_its_reason() -> None:
    view = view_of([event("1", tuning_job()), event("2", training_job(1, reason="out of memory"))])
    assert lines(view)[-1].endswith("out of memory")


def test_when_there_is_no_room_the_best_and_the_active_stay() -> None:
    best = training_job(1, 0.9)
    events = [event("0", tuning_job(best=best, jobs=30)), event("1", best)]
    events += [event("x", training_job(number, 0.1)) for number in range(2, 9)]
    events += [event("x", training_job(9)), event("x", metrics(9, 1, 0.3))]
    view = view_of(events, max_rows=4)
    assert [job.number for job in view.visible()] == [1, 7, 8, 9]
    assert lines(view)[-1] == "and 5 more; see `hrnn-tuner training-jobs demo`"


def test_a_reason_with_brackets_is_shown_as_it_is() -> None:
    view = view_of([event("1", tuning_job()), event("2", training_job(1, reason="bad value [/red] in [user]"))])
    assert lines(view)[-1].endswith("bad value [/red] in [user]")
