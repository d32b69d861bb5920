"""What is mounted where, for this process."""

import os


def mount_points():
    """Their paths, as tuples of names."""
    with open("/proc/self/mountinfo", "rb") as table:
        fields = [line.split(b" ")[4] for line in table]
    points = set()
    for field in fields:
        path = field.decode("unicode_escape").encode("latin-1")
        points.add(tuple(name for name in os.fsdecode(path).split("/") if name))
    return points


def mounted_in(directory):
    """The paths of what is mounted at an open directory or below it, as they are named from the root of this process."""
    path = tuple(name for name in os.readlink(f"/proc/self/fd/{directory}").split("/") if name)
    return ["/" + "/".join(point) for point in sorted(mount_points()) if point[: len(path)] == path]
