"""How sure a number is: paired bootstrap intervals over cases, and Wilson intervals of shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError

REPLICATES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its interval at LEVEL."""

    value: float
    low: float
    high: float

    @property
    def above_zero(self) -> bool:
        """Whether all of it is above 0."""
        return self.low > 0

    @property
    def below_zero(self) -> bool:
        """Whether all of it is below 0."""
        return self.high < 0

    def widened(self, half: float) -> Interval:
        """With another source of error, independent of its own, of this half width."""
        low = self.value - math.hypot(self.value - self.low, half)
        return Interval(self.value, low, self.value + math.hypot(self.high - self.value, half))

    def within(self, least: float, most: float) -> Interval:
        """Cut off where the value cannot be."""
        return Interval(self.value, max(self.low, least), min(self.high, most))


def resamples(cases: int, replicates: int = REPLICATES, seed: int = 0) -> NDArray[np.float64]:
    """How often each case is counted in each replicate, cases drawn with replacement: [replicates + 1,
    cases].

    Row 0 counts every case once: the value itself. The same rows for every arm make differences paired."""
    if cases < 1:
        raise EvaluationError(f"a bootstrap over {cases} cases says nothing; give one at least")
    rng = np.random.default_rng([seed, 0xB007])
    counts = rng.multinomial(cases, np.full(cases, 1 / cases), size=replicates)
    return np.concatenate([np.ones((1, cases)), counts])


def interval(values: NDArray[np.float64]) -> Interval:
    """The percentile interval of a statistic: values [replicates + 1], the first the value itself."""
    drawn = values[1:][~np.isnan(values[1:])]
    if not len(drawn):
        return Interval(float(values[0]), math.nan, math.nan)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values[0]), float(low), float(high))


def spread_of_few(values: NDArray[np.float64]) -> float:
    """Half the width of Student's interval of the mean of a few values; 0 for one, which does not say."""
    from scipy.special import stdtrit

    if len(values) < 2:
        return 0.0
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(stdtrit(len(values) - 1, (1 + LEVEL) / 2)) * error


def wilson(successes: int, trials: int, z: float = 1.959964) -> Interval:
    """Wilson's interval of a share; (NaN, 0, 1) for no trials."""
    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    share = successes / trials
    denominator = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / denominator
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / denominator
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))
