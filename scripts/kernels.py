#!/usr/bin/env python3
"""Compares runs of examples/bench: reads `name nanoseconds checksum` lines, prints a table of ratios as Markdown.

usage: kernels.py NAME=FILE[,FILE...] ...   the first NAME is what the others are compared with
"""
import math
import sys


def read(files):
    """Each kernel's best median and its checksum."""
    best = {}
    for file in files:
        with open(file) as lines:
            for line in lines:
                name, time, checksum = line.split()
                time = float(time)
                if name in best:
                    if best[name][1] != checksum:
                        sys.exit(f"{file}: {name}: another checksum")
                    time = min(time, best[name][0])
                best[name] = (time, checksum)
    return best


def main():
    runs = {}
    for arg in sys.argv[1:]:
        name, files = arg.split("=")
        runs[name] = read(files.split(","))
    (first, ours), *others = runs.items()
    print(f"| kernel | {first} (ms) | " + " | ".join(f"/ {name}" for name, _ in others) + " |")
    print("|---|---:|" + "---:|" * len(others))
    ratios = {name: {} for name, _ in others}
    for kernel, (time, checksum) in ours.items():
        row = []
        for name, theirs in others:
            if kernel not in theirs:
                row.append("")
                continue
            if theirs[kernel][1] != checksum:
                sys.exit(f"{kernel}: {first} gives {checksum}, {name} {theirs[kernel][1]}")
            ratios[name][kernel] = time / theirs[kernel][0]
            row.append(f"{ratios[name][kernel]:.2f}")
        print(f"| {kernel} | {time / 1e6:.2f} | " + " | ".join(row) + " |")

    def mean(values):
        return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan

    print("| **geometric mean** | | " + " | ".join(f"**{mean(ratios[n].values()):.2f}**" for n, _ in others) + " |")
    for name, _ in others:
        slow = sorted(((r, k) for k, r in ratios[name].items() if r > 1), reverse=True)
        print(f"\nslower than {name}: {len(slow)} of {len(ratios[name])}: " + ", ".join(f"{k} {r:.2f}" for r, k in slow))


main()
