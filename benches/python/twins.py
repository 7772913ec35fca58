"""The workloads of benches/src/workloads.rs in Python, for profilers of Python.

`python twins.py WORKLOAD SHARE` runs the SHARE-th part of one: a profiler that takes 100 microseconds
for each line would need hours for the whole. What it prints last is what the Rust programs print.
"""

import resource
import sys
import time

# memory_profiler puts its decorator here.
profile = getattr(__builtins__, "profile", lambda function: function)


@profile
def many_calls(calls):
    total = 0
    for call in range(calls):
        total += fifty_boxes(call)
    return total


@profile
def fifty_boxes(call):
    total = 0
    for number in range(50):
        total += len(bytearray(8))
    return total + call


@profile
def empty():
    pass


@profile
def three_lines(rounds):
    kept = []
    total = 0
    for number in range(rounds):
        total += number
        if number % 10_000 == 0:
            kept.append(bytearray(16 << 10))
    return total + len(kept)


@profile
def exact_lines(rounds):
    for number in range(rounds):
        spin(number)
        spin_with_memory(number)


def spin(number):
    end = time.thread_time_ns() + 20_000 + number * 7_919 % 780_000
    while time.thread_time_ns() < end:
        pass


def spin_with_memory(number):
    memory = bytearray(64 << 10)
    spin(number)
    del memory


def calls(number):
    for _ in range(number):
        empty()


WORKLOADS = {
    "allocations": (many_calls, 100_000, 50),
    "call": (calls, 10_000_000, 1),
    "line": (three_lines, 10_000_000, 3),
    "exact": (exact_lines, 2_500, 2),
}


def main():
    function, rounds, units = WORKLOADS[sys.argv[1]]
    rounds //= int(sys.argv[2])
    wall, cpu, thread = time.perf_counter_ns(), time.process_time_ns(), time.thread_time_ns()
    function(rounds)
    wall = time.perf_counter_ns() - wall
    cpu = time.process_time_ns() - cpu
    thread = time.thread_time_ns() - thread
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("measured", wall, cpu, thread, rounds * units, 0, peak, flush=True)


main()
