"""What dead uploads left: stages that nobody holds any more."""

import contextlib
import os
import time

from errors import AgentError
from mounts import mounts_below
from names import STAGE, is_ours
from places import READ_DIRECTORY, lstat, unlocked
from trees import remove_tree

# An agent or an unpacking that ends late leaves its stage to whoever opens the volume meanwhile.
LATE_SECONDS = 120


def stages_of(volume):
    """Names and the folders that they are in: at the top of the volume, and of what is mounted in it."""
    for parts in [(), *mounts_below(volume.root)]:
        # What is mounted over by now, or is no folder, has none.
        with contextlib.suppress(OSError, AgentError), _open_folder(volume, parts) as folder:
            with os.scandir(folder) as entries:
                names = [item.name for item in entries if is_ours(item.name, STAGE)]
            yield from ((name, parts) for name in names)


@contextlib.contextmanager
def _open_folder(volume, parts):
    with volume.existing(list(parts), follow=False) as place:
        folder = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
    try:
        yield folder
    finally:
        os.close(folder)


def sweep(volume, name, parts):
    """False: somebody holds it, or still writes into it."""
    try:
        with _open_folder(volume, parts) as folder:
            if lstat(name, folder) is None:
                return True
            with unlocked(name, folder) as file:
                if file is not None:
                    remove_tree(name, folder, forced=True)
            return lstat(name, folder) is None
    except Exception:  # whatever is in there: what can't be removed must not close the volume
        return False


def sweep_late(volume, stages):
    end = time.monotonic() + LATE_SECONDS
    while stages and time.monotonic() < end:
        time.sleep(0.5)
        stages = [each for each in stages if not sweep(volume, *each)]
