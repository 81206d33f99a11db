"""The first boot of all workers: shown while it goes on, and one error if nobody makes it."""

from __future__ import annotations

from siocluster.errors import ReportedError
from siocluster.master.arbiter import Arbiter
from siocluster.master.inspection import reported
from siocluster.master.screen import FRAME_SECONDS, Screen
from siocluster.master.slot import Slot
from siocluster.master.workers import Workers
from siocluster.wire import Failed


def boot_all(workers: Workers, wanted: list[Slot], *, arbiter: Arbiter, screen: Screen) -> None:
    """Spawn the wanted slots and return once each has settled; raises if none is ready."""
    screen.begin(wanted)
    workers.hold_failures()
    for slot in wanted:
        workers.spawn(slot, now=arbiter.now())
    reasons = _watch(workers, wanted, arbiter=arbiter, screen=screen)
    if len(reasons) == len(wanted) and not workers.ready():
        raise nobody_boots(reasons)
    workers.tell_failures()


def _watch(
    workers: Workers, wanted: list[Slot], *, arbiter: Arbiter, screen: Screen
) -> list[Failed]:
    """Why slots could not boot, in the order in which they gave up."""
    untold, reasons = list(wanted), []
    while untold:
        screen.progress(wanted)
        arbiter.until(lambda: any(slot.settled for slot in untold), seconds=FRAME_SECONDS)
        for slot in [slot for slot in untold if slot.settled]:
            untold.remove(slot)
            screen.worker(slot)
            if not slot.ready:
                # Now: its next worker may be spawned before the last slot has settled.
                reasons.append(slot.reason)
    return reasons


def nobody_boots(reasons: list[Failed]) -> ReportedError:
    """One error for all slots: the first reason, and what others said."""
    error = reported(reasons[0])
    others = {reason.message for reason in reasons[1:]} - {reasons[0].message}
    if others:
        error.detail = "\n".join(["Other workers said:", *sorted(others), error.detail])
    error.message = f"No worker can boot. {error.message}"
    return error
