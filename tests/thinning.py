"""Long sweeps: some of their cases at every run, all of them with ``pytest -m "slow or not slow"``."""
from __future__ import annotations

import pytest


def thinned(cases, keep: int) -> list:
    """The cases with all but `keep` of them, spread evenly, marked slow."""
    cases = list(cases)
    kept = {round(i * (len(cases) - 1) / max(1, keep - 1)) for i in range(keep)}
    return [case if i in kept else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
            for i, case in enumerate(cases)]


def thinned_values(cases, keep: int) -> list:
    """The same for cases that are one tuple each."""
    return [case if not hasattr(case, "marks") else pytest.param(case.values, marks=pytest.mark.slow)
            for case in thinned(cases, keep)]
