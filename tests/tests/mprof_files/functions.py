"""Functions and a block for mprof to note: `profile` is there when mprof runs this."""
import time


@profile
def build(n):
    data = [0] * n
    time.sleep(0.15)
    return data


@profile
def work():
    kept = build(2_000_000)
    with profile.timestamp("a_block"):
        time.sleep(0.1)
    build(3_000_000)
    return kept


work()
