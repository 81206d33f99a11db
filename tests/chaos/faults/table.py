"""Every kind of fault that a run can choose from."""

from __future__ import annotations

from tests.chaos.faults import clients, link, redis, workers
from tests.chaos.faults.kinds import AWAKE, EVERYTHING, Fault
from tests.chaos.plan import Plan
from tests.chaos.roster import Group
from tests.chaos.strikes import SECONDS_LOST


def table(plan: Plan) -> list[Fault]:
    """Those that the plan names, or all."""
    faults = _all(plan)
    chosen = [fault for fault in faults if fault.name in plan.kinds]
    return chosen or faults


def names() -> list[str]:
    return [fault.name for fault in _all(Plan(minutes=0, seed=0))]


def _all(plan: Plan) -> list[Fault]:
    return [
        Fault("kill_worker", workers.killed, "worker"),
        Fault("drain_worker", workers.drained, "worker"),
        Fault("stop_worker", workers.stopped_shortly, "worker"),
        Fault("stop_worker_long", workers.stopped_for_long, "worker"),
        _redis_kill(plan),
        Fault("redis_frozen", redis.frozen, "redis"),
        Fault("subscribers_killed", redis.subscribers_killed, "redis"),
        Fault("subscriber_overrun", redis.subscriber_overrun, "redis"),
        Fault("flush", redis.emptied, "redis", told=AWAKE, lost_before=EVERYTHING),
        Fault("link_half_open", link.half_open, "link"),
        Fault("one_link_half_open", link.one_half_open, "link"),
        Fault("link_slow", link.slow, "link"),
        Fault("replies_lost", link.replies_lost, "link"),
        Fault("nginx_killed", clients.nginx_killed, "nginx"),
        Fault("transport_cut", clients.transport_cut, "door"),
        Fault("replay_cut", clients.replay_cut, "door"),
        _asleep(plan),
        Fault("said_twice", clients.said_twice, "haste"),
    ]


def _redis_kill(plan: Plan) -> Fault:
    if plan.fsync == "always":
        return Fault("redis_kill", redis.killed, "redis")
    return Fault("redis_kill", redis.killed, "redis", told=AWAKE, lost_before=SECONDS_LOST)


def _asleep(plan: Plan) -> Fault:
    lasts = clients.seconds_asleep(plan)
    return Fault("asleep", clients.asleep, "sleepers", told=(Group.SLEEPER,), lasts=lasts)
