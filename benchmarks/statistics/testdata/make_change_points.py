#!/usr/bin/python3
"""Makes change_points.json: what E-divisive finds in fixed series, by another implementation.

Debian's python3-numpy; the tests need neither, as they read the file:
    /usr/bin/python3 benchmarks/statistics/testdata/make_change_points.py > change_points.json

Written from Matteson and James (2014), section 2.2 and 3, with exponent 1, and nothing clever: every
split is computed anew from the matrix of distances. p is from 19,999 permutations of numpy's
generator, so it agrees with another generator's within sampling error only; splits, their ends and
their statistics are exact.
"""
import json

import numpy

random = numpy.random.default_rng(20260102)
LEAST = 2
LEVEL = 0.01
PERMUTATIONS = 19999


def q(distances, index, end):
    left, right = slice(0, index), slice(index, end)
    n, m = index, end - index
    between = distances[left, right].mean()
    inside = distances[left, left].sum() / (n * (n - 1)) + distances[right, right].sum() / (m * (m - 1))
    return n * m / (n + m) * (2 * between - inside)


def best(values):
    """(statistic, index, end), the first of equals."""
    values = numpy.asarray(values)
    distances = numpy.abs(values[:, None] - values[None, :])
    found = (0.0, 0, 0)
    for end in range(2 * LEAST, len(values) + 1):
        for index in range(LEAST, end - LEAST + 1):
            statistic = q(distances, index, end)
            if statistic > found[0] + 1e-13:
                found = (statistic, index, end)
    return found


def fast_best(values):
    """The largest statistic alone, for the permutations: cumulated sums of the same matrix."""
    n = len(values)
    if n < 2 * LEAST:
        return 0.0
    distances = numpy.abs(values[:, None] - values[None, :])
    table = numpy.zeros((n + 1, n + 1))
    table[1:, 1:] = distances.cumsum(0).cumsum(1)
    index, end = numpy.arange(n + 1)[:, None], numpy.arange(n + 1)[None, :]
    left = numpy.diag(table)[:, None]
    whole = numpy.diag(table)[None, :]
    right = whole - 2 * table + left  # the square [index, end) of the matrix
    between = table - left            # rows [0, index), columns [index, end)
    a, b = index, end - index
    with numpy.errstate(all="ignore"):
        statistic = a * b / (a + b) * (2 * between / (a * b) - left / (a * (a - 1)) - right / (b * (b - 1)))
    return max(0.0, statistic[(a >= LEAST) & (b >= LEAST)].max())


def divide(values):
    values = numpy.asarray(values)
    borders, steps = [0, len(values)], []
    while True:
        parts = [values[a:b] for a, b in zip(borders, borders[1:])]
        splits = [best(part) for part in parts]
        which = max(range(len(parts)), key=lambda i: splits[i][0])
        statistic, index, end = splits[which]
        if statistic <= 0:
            break
        as_large = 1
        for _ in range(PERMUTATIONS):
            as_large += max(fast_best(random.permutation(part)) for part in parts) >= statistic - 1e-12
        p = as_large / (PERMUTATIONS + 1)
        begin = borders[which]
        steps.append({"index": begin + index, "end": begin + end, "statistic": statistic, "p": p,
                      "change": bool(p <= LEVEL)})
        if p > LEVEL:
            break
        borders = sorted(borders + [begin + index])
    return steps


def series(levels, noise, digits=6):
    return [round(float(level * (1 + noise * random.standard_normal())), digits) for level in levels]


CASES = {
    "no change": series([1.18] * 35, 0.005),
    "no change, ties": series([1.0] * 30, 0.005, 2),
    "a step of 3 % at 17": series([1.0] * 17 + [1.03] * 18, 0.005),
    "a step at the end, 4 points after": series([1.0] * 26 + [1.03] * 4, 0.004),
    "up and back": series([1.0] * 15 + [1.05] * 12 + [1.0] * 13, 0.006),
    "a stair": series([2.0] * 14 + [2.2] * 13 + [2.6] * 15, 0.01),
    "one spike": series([1.0] * 12, 0.004) + [1.5] + series([1.0] * 17, 0.004),
    "short": series([1.0] * 5 + [1.1] * 5, 0.005),
    "too short for any change": series([1.0] * 4 + [1.1] * 4, 0.005),
    "wider, not higher": series([1.0] * 40, 0.003) + series([1.0] * 40, 0.05),
    "milliseconds": series([4.7] * 20 + [5.2] * 15, 0.03),
}

cases = [{"name": name, "values": values, "steps": divide(values)} for name, values in CASES.items()]
print(json.dumps({"made_by": "make_change_points.py", "numpy": numpy.__version__, "least": LEAST, "level": LEVEL,
                  "permutations": PERMUTATIONS, "cases": cases}, indent=1))
