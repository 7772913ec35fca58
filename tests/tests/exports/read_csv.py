"""Prints what Python's csv reads, one row a line."""
import csv
import json
import sys

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    for row in csv.DictReader(file):
        print(json.dumps(row))
