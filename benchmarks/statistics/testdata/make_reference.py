#!/usr/bin/python3
"""Makes reference.json: what SciPy and statsmodels say, and brute force where they have no answer.

Debian's python3-scipy and python3-statsmodels; the tests need neither, as they read the file:
    /usr/bin/python3 benchmarks/statistics/testdata/make_reference.py > reference.json

Where SciPy has no exact distribution (ties, zeros), every sign pattern or every way to choose the
first sample is tried here one by one. Intervals follow Hollander, Wolfe and Chicken,
"Nonparametric Statistical Methods" (3rd edition, 3.3 and 4.3), written out in numpy.
"""
import itertools
import json
import math

import numpy
import scipy
import scipy.stats as stats
import statsmodels
from statsmodels.stats.multitest import multipletests

random = numpy.random.default_rng(20260101)
ALTERNATIVES = {"two_sided": "two-sided", "greater": "greater", "less": "less"}


def signed_rank_by_hand(values):
    """p of every alternative from all 2^n sign patterns, given the midranks."""
    values = [v for v in values if v != 0]
    ranks = stats.rankdata(numpy.abs(values))
    seen = sum(r for r, v in zip(ranks, values) if v > 0)
    sums = numpy.array([numpy.dot(ranks, signs) for signs in itertools.product((0, 1), repeat=len(ranks))])
    greater, less = numpy.mean(sums >= seen - 1e-9), numpy.mean(sums <= seen + 1e-9)
    return seen, {"greater": greater, "less": less, "two_sided": min(1, 2 * min(greater, less))}


def rank_sum_by_hand(a, b):
    ranks = stats.rankdata(numpy.concatenate([a, b]))
    n = len(a)
    seen = ranks[:n].sum()
    sums = numpy.array([sum(choice) for choice in itertools.combinations(ranks, n)])
    greater, less = numpy.mean(sums >= seen - 1e-9), numpy.mean(sums <= seen + 1e-9)
    return seen - n * (n + 1) / 2, {"greater": greater, "less": less, "two_sided": min(1, 2 * min(greater, less))}


def walsh_interval(values, level):
    n = len(values)
    means = sorted((values[i] + values[j]) / 2 for i in range(n) for j in range(i, n))
    tail = (1 - level) / 2
    if n <= 64:
        counts = numpy.array([1.0])
        for rank in range(1, n + 1):
            longer = numpy.zeros(len(counts) + rank)
            longer[: len(counts)] += counts
            longer[rank:] += counts
            counts = longer / 2
        k = int(numpy.searchsorted(numpy.cumsum(counts), tail, side="right"))
    else:
        k = math.floor(n * (n + 1) / 4 + stats.norm.ppf(tail) * math.sqrt(n * (n + 1) * (2 * n + 1) / 24) + 0.5)
    interval = [means[k - 1], means[-k]] if k > 0 else None
    return float(numpy.median(means)), interval


def difference_interval(a, b, level):
    differences = sorted(x - y for x in a for y in b)
    n, m = len(a), len(b)
    tail = (1 - level) / 2
    if n + m <= 40:
        # The distribution of U by its recurrence (Mann and Whitney 1947), not by selection sampling.
        table = {}

        def count(u, i, j):
            if u < 0 or u > i * j:
                return 0
            if i == 0 or j == 0:
                return 1 if u == 0 else 0
            key = (u, i, j)
            if key not in table:
                table[key] = count(u - j, i - 1, j) + count(u, i, j - 1)
            return table[key]

        cumulated, k = 0, 0
        while cumulated + count(k, n, m) <= tail * math.comb(n + m, n):
            cumulated += count(k, n, m)
            k += 1
    else:
        k = math.floor(n * m / 2 + stats.norm.ppf(tail) * math.sqrt(n * m * (n + m + 1) / 12) + 0.5)
    interval = [differences[k - 1], differences[-k]] if k > 0 else None
    return float(numpy.median(differences)), interval


def rounded(n, shift, digits):
    return [round(float(v), digits) for v in random.normal(shift, 1, n)]


def signed_rank_cases():
    cases = []
    for n, shift, digits in [(3, 0.1, 6), (8, 0.6, 6), (20, 0.3, 6), (50, -0.2, 6), (64, 0.3, 6), (80, 0.3, 6),
                             (120, -0.1, 6), (12, 0.4, 0), (14, 0.2, 1), (100, 0.2, 1), (200, 0.1, 0)]:
        values = rounded(n, shift, digits)
        nonzero = [v for v in values if v != 0]
        tied = len(set(numpy.abs(nonzero))) < len(nonzero) or len(nonzero) < len(values)
        exact = len(nonzero) <= 64
        if exact and tied:
            source, (statistic, p) = "all sign patterns", signed_rank_by_hand(values)
        else:
            source = "scipy.stats.wilcoxon " + ("exact" if exact else "approx, corrected")
            p = {}
            for ours, theirs in ALTERNATIVES.items():
                result = stats.wilcoxon(values, alternative=theirs, mode="exact" if exact else "approx",
                                        correction=not exact)
                p[ours] = float(result.pvalue)
            statistic = float(stats.wilcoxon(values, alternative="greater", mode="approx").statistic)
        estimate, interval = walsh_interval(values, 0.95)
        cases.append({"source": source, "values": values, "exact": exact, "statistic": float(statistic),
                      "p": {k: float(v) for k, v in p.items()}, "shift": estimate, "interval": interval})
    return cases


def rank_sum_cases():
    cases = []
    for n, m, shift, digits in [(2, 3, 0.5, 6), (8, 9, 0.7, 6), (20, 20, 0.4, 6), (25, 30, -0.3, 6),
                                (7, 8, 0.5, 0), (9, 6, 0.3, 1), (60, 50, 0.2, 1)]:
        a, b = rounded(n, shift, digits), rounded(m, 0, digits)
        tied = len(set(a + b)) < n + m
        exact = n + m <= 40
        if exact and tied:
            source, (statistic, p) = "all choices", rank_sum_by_hand(a, b)
        else:
            source = "scipy.stats.mannwhitneyu " + ("exact" if exact else "asymptotic, corrected")
            p = {}
            for ours, theirs in ALTERNATIVES.items():
                result = stats.mannwhitneyu(a, b, alternative=theirs, method="exact" if exact else "asymptotic")
                p[ours] = float(result.pvalue)
            statistic = float(stats.mannwhitneyu(a, b).statistic)
        estimate, interval = difference_interval(a, b, 0.95)
        delta = float(numpy.mean(numpy.sign(numpy.subtract.outer(a, b))))
        cases.append({"source": source, "first": a, "second": b, "exact": exact, "statistic": float(statistic),
                      "p": {k: float(v) for k, v in p.items()}, "shift": estimate, "interval": interval,
                      "cliffs_delta": delta})
    return cases


def holm_cases():
    cases = []
    for p in [[0.01], [0.01, 0.04, 0.03, 0.005], [0.2, 0.2, 0.9], [0.0001, 0.02, 0.02, 0.5, 0.012, 1.0]]:
        adjusted = multipletests(p, method="holm")[1]
        cases.append({"p": p, "adjusted": [float(v) for v in adjusted]})
    return cases


print(json.dumps({"made_by": "make_reference.py", "scipy": scipy.__version__, "statsmodels": statsmodels.__version__,
                  "numpy": numpy.__version__, "signed_rank": signed_rank_cases(), "rank_sum": rank_sum_cases(),
                  "holm": holm_cases()}, indent=1))
