"""The end of a run: what hit, what was delivered, how fast it came back, and the verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from tests.chaos.checker import Checker
from tests.chaos.plan import Plan
from tests.chaos.screen import BOLD, GREEN, RED, YELLOW, Screen
from tests.chaos.strikes import Strike
from tests.chaos.violations import Kind

SHOWN = 12


def show(screen: Screen, plan: Plan, checker: Checker, *, interrupted: bool) -> None:
    screen.line("")
    for line in _faults(checker):
        screen.line(line)
    screen.line("")
    for name, text in _facts(checker):
        screen.line(f"  {name:<22} {text}")
    screen.line("")
    for violation in checker.violations.kept[:SHOWN]:
        screen.line(f"  {screen.paint(RED, violation.kind.value)}  {violation.words}")
    screen.line(_verdict(screen, plan, checker, interrupted=interrupted))


def _faults(checker: Checker) -> Iterator[str]:
    """A line for each kind; seconds from the end of its round to the next acknowledgement."""
    kinds: defaultdict[str, list[Strike]] = defaultdict(list)
    for strike in checker.strikes.all:
        kinds[strike.name].append(strike)
    yield f"  {'fault':<22} {'times':>5} {'met':>7} {'told':>5}   {'back: median':>12} {'p99':>7}"
    for name, strikes in sorted(kinds.items()):
        back = [one.back_seconds for one in strikes if one.back_seconds is not None]
        met = sum(one.in_flight for one in strikes)
        told = sum(len(one.were_told) for one in strikes)
        times = f"{_seconds(back, 0.5):>12} {_seconds(back, 0.99):>7}"
        yield f"  {name:<22} {len(strikes):>5} {met:>7} {told:>5}   {times}"
    yield f"  {'together':<22} {len(checker.strikes.all):>5}"


def _facts(checker: Checker) -> Iterator[tuple[str, str]]:
    says, counts, violations = checker.says, checker.counts, checker.violations.counts
    share = 100 * says.acked / says.made if says.made else 0
    yield "says", f"{says.made} made, {says.acked} acknowledged ({share:.2f} %)"
    yield "said again", f"{counts['again']}, refused {counts['unsaid']}, held {counts['held']}"
    yield "delivered", f"{counts['message']}"
    yield "lost", f"{violations[Kind.LOSS]}"
    yield "lost by Redis itself", f"{len(checker.lost_by_redis)}"
    yield "doubled", f"{violations[Kind.DOUBLE]}"
    yield "reordered", f"{violations[Kind.ORDER]}"
    yield "silent gaps", f"{violations[Kind.GAP]}"
    yield "connects", f"{counts['connected']}, recovered {counts['recovered']}"
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(checker.told.items()))
    yield "told to reload", causes or "nobody"
    acks, ups = checker.ack_seconds, checker.catch_ups
    yield "say → ack", f"median {_seconds(acks, 0.5)}, p99 {_seconds(acks, 0.99)}"
    yield "cut → caught up", f"median {_seconds(ups, 0.5)}, p99 {_seconds(ups, 0.99)}"


def _verdict(screen: Screen, plan: Plan, checker: Checker, *, interrupted: bool) -> str:
    end = screen.paint(YELLOW, "interrupted; ") if interrupted else ""
    if not checker.violations:
        return f"{end}{screen.paint(GREEN, 'every promise held')}  seed {plan.seed}"
    counts = ", ".join(f"{kind} {count}" for kind, count in checker.violations.counts.items())
    return f"{end}{screen.paint(RED + BOLD, 'broken')}  seed {plan.seed}: {counts}"


def _seconds(values: Sequence[float], quantile: float) -> str:
    if not values:
        return "–"
    value = sorted(values)[min(len(values) - 1, int(quantile * len(values)))]
    return "never" if value == inf else f"{value:.3f} s" if value < 1 else f"{value:.1f} s"
