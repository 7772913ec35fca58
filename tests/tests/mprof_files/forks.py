"""Two child processes of different sizes."""
import multiprocessing
import time


def child(n):
    data = [0] * n
    time.sleep(0.5)
    return data


if __name__ == "__main__":
    sizes = [1_000_000, 4_000_000]
    children = [multiprocessing.Process(target=child, args=(n,)) for n in sizes]
    for process in children:
        process.start()
    for process in children:
        process.join()
