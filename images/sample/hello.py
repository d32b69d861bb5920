"""Says where it runs, and remembers how often it did: the count outlives every stop, rebuild and restore."""

import os
import platform
from pathlib import Path

COUNT = Path.home() / "data" / "runs.txt"


def next_run() -> int:
    COUNT.parent.mkdir(exist_ok=True)
    runs = int(COUNT.read_text()) + 1 if COUNT.exists() else 1
    COUNT.write_text(f"{runs}\n")
    return runs


if __name__ == "__main__":
    runs = next_run()
    times = "the first time" if runs == 1 else f"{runs} times now"
    print(f"Hello from {platform.node()}, with {os.cpu_count()} CPUs and Python {platform.python_version()}.")
    print(f"This ran {times}.")
