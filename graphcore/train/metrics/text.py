"""Metrics of generated text."""
from __future__ import annotations

from collections import Counter

import numpy as np

from graphcore.train.metrics.base import Metric, rearrange_inputs


class BleuScore(Metric):
    """The BLEU score of candidate sentences (lists of words) against one or more references each.

    n_gram: longest run of words that counts, 1 to 4.  smooth: add-one smoothing of the precisions.
    """

    def __init__(self, n_gram: int = 4, smooth: bool = False):
        super().__init__()
        if isinstance(n_gram, bool) or not isinstance(n_gram, int) or not 1 <= n_gram <= 4:
            raise ValueError(f"For 'BleuScore', the argument 'n_gram' should range from 1 to 4, but got {n_gram}.")
        self.n_gram, self.smooth = n_gram, smooth
        self.clear()

    def clear(self):
        self._matched, self._total = np.zeros(self.n_gram), np.zeros(self.n_gram)
        self._candidate_length = self._reference_length = 0
        self._is_update = False

    def _runs(self, words) -> Counter:
        return Counter(tuple(words[start:start + length]) for length in range(1, self.n_gram + 1)
                       for start in range(len(words) - length + 1))

    @rearrange_inputs
    def update(self, *inputs):
        if len(inputs) != 2:
            raise ValueError("For 'BleuScore.update', it needs 2 inputs (candidate_corpus, reference_corpus), "
                             f"but got {len(inputs)}.")
        candidates, references = inputs
        if len(candidates) != len(references):
            raise ValueError("For 'BleuScore.update', 'translate_corpus' (inputs[0]) and 'reference_corpus' "
                             f"(inputs[1]) should be equal in length, but got {len(candidates)}, {len(references)}")
        for candidate, choices in zip(candidates, references):
            self._candidate_length += len(candidate)
            self._reference_length += len(min(choices, key=lambda choice: abs(len(candidate) - len(choice))))
            found, allowed = self._runs(candidate), Counter()
            for choice in choices:
                allowed |= self._runs(choice)
            for counts, table in ((found & allowed, self._matched), (found, self._total)):
                for run, number in counts.items():
                    table[len(run) - 1] += number
        self._is_update = True

    def eval(self):
        if not self._is_update:
            raise RuntimeError("Please call the 'update' method before calling 'eval' method.")
        if not self._matched.all():
            return np.array(0.0)
        extra = 1.0 if self.smooth else 0.0
        precision = np.exp(np.mean(np.log((self._matched + extra) / (self._total + extra))))
        ratio = self._reference_length / self._candidate_length
        return precision * (1.0 if ratio < 1 else np.exp(1 - ratio))
