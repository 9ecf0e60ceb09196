"""Totals of a queue_log or of a CSV of calls, computed straight from the file. Shares no code with the product.

    python -m tests.support.independent_totals FILE

Prints JSON: per queue and in total offered, answered, abandoned, mean wait of the answered, mean handle time of the
completed, and answered within 20 s / offered. A queue_log's waits and talks are taken from the data fields that
Asterisk wrote, where the product takes the difference of the lines' times.
"""

import csv
import json
import sys
from fractions import Fraction
from pathlib import Path


class Sums:
    def __init__(self):
        self.offered = self.answered = self.abandoned = self.within = self.handled = 0
        self.wait = self.handle = Fraction(0)

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def shown(self):
        return {
            "offered": self.offered,
            "answered": self.answered,
            "abandoned": self.abandoned,
            "speed_to_answer_seconds": float(self.wait / self.answered) if self.answered else None,
            "handle_time_seconds": float(self.handle / self.handled) if self.handled else None,
            "service_level_ratio": self.within / self.offered if self.offered else None,
        }


def from_queue_log(path):
    queues: dict[str, Sums] = {}
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.rstrip("\n").split("|")
            event, sums = fields[4], queues.setdefault(fields[2], Sums())
            if event == "ENTERQUEUE":
                sums.offered += 1
            elif event == "CONNECT":
                hold = int(fields[5])
                sums.answered += 1
                sums.wait += hold
                sums.within += hold <= 20
            elif event == "ABANDON":
                sums.abandoned += 1
            elif event in ("COMPLETECALLER", "COMPLETEAGENT"):
                sums.handled += 1
                sums.handle += int(fields[6])
    return queues


def from_csv(path, queue="calls"):
    sums = Sums()
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["outcome"] == "left_vru":
                continue
            sums.offered += 1
            if row["outcome"] == "abandoned":
                sums.abandoned += 1
                continue
            wait = Fraction(row["wait_s"])
            sums.answered += 1
            sums.wait += wait
            sums.within += wait <= 20
            if row["service_s"]:
                sums.handled += 1
                sums.handle += Fraction(row["service_s"])
    return {queue: sums}


def totals(path):
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        first = file.readline()
    queues = from_queue_log(path) if first.count("|") >= 4 else from_csv(path)
    queues = {name: sums for name, sums in queues.items() if sums.offered}
    total = Sums()
    for sums in queues.values():
        total.add(sums)
    return {"queues": {name: sums.shown() for name, sums in sorted(queues.items())}, "total": total.shown()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(totals(sys.argv[1]), indent=2) + "\n")
