"""From times to verdicts."""
from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmarks.competitors import OURS

TIE = 1.3       # less than that apart is a tie: what noise makes of equal programs on a shared machine


@dataclass
class Row:
    """One line of the table: seconds of each round by competitor, and why some are missing.

    limit: the seconds below which the machine cannot do it; None where nobody asked.
    """

    label: str
    times: dict[str, list[float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    limit: float | None = None

    def median(self, name: str) -> float | None:
        """The median over the rounds; None where the competitor is missing."""
        return median(self.times[name]) if self.times.get(name) else None

    def ratio(self, peer: str) -> float | None:
        """How many times graphcore's time the peer takes: the median over the rounds that both have."""
        ours, theirs = self.times.get(OURS, []), self.times.get(peer, [])
        pairs = [their / our for our, their in zip(ours, theirs)]
        return median(pairs) if pairs else None

    def times_limit(self, name: str) -> float | None:
        """How many times the machine's limit a competitor takes; None where either is missing."""
        median_ = self.median(name)
        return median_ / self.limit if self.limit and median_ is not None else None

    def best_peer(self) -> str | None:
        """The peer with the lowest ratio."""
        ratios = {peer: self.ratio(peer) for peer in self.times if peer != OURS}
        return min((p for p, r in ratios.items() if r is not None), key=ratios.get, default=None)


def verdict(ratio: float) -> str:
    """"win" where graphcore is clearly faster, "loss" where the peer is, otherwise "tie"."""
    if ratio > TIE:
        return "win"
    return "loss" if ratio < 1 / TIE else "tie"
