"""What is mounted where, for this process."""

import os

# They hold what the kernel says of itself: no files of anybody.
KERNEL_TYPES = frozenset(
    b"autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts efivarfs fusectl mqueue nsfs proc pstore"
    b" rpc_pipefs securityfs selinuxfs sysfs tracefs".split()
)

# Locks of files there are seen by no agent on the other side, where the folder is another volume's or a user's.
SHARED_TYPES = frozenset(b"9p cifs fuse.sshfs nfs nfs4 smb3 virtiofs".split())


def mount_points(without=frozenset()):
    """Their paths, as tuples of names, but for those of some types."""
    fields = [field for _, field, type_ in _table() if type_ not in without]
    points = set()
    for field in fields:
        path = field.decode("unicode_escape").encode("latin-1")
        points.add(tuple(name for name in os.fsdecode(path).split("/") if name))
    return points


def mounts_below(directory):
    """The paths, as tuples of names, of what is mounted below an open directory and holds files of this machine alone."""
    top = tuple(name for name in os.readlink(f"/proc/self/fd/{directory}").split("/") if name)
    points = mount_points(KERNEL_TYPES | SHARED_TYPES)
    below = {point[len(top) :] for point in points if point[: len(top)] == top}
    return sorted(below - {()})


def kernel_devices():
    """The devices, as `st_dev` has them, of what the kernel makes up."""
    return {
        os.makedev(*map(int, device.split(b":"))) for device, _, type_ in _table() if type_ in KERNEL_TYPES
    }


def _table():
    """Device, path and type of each mount."""
    with open("/proc/self/mountinfo", "rb") as table:
        lines = [line.split(b" ") for line in table]
    return [(fields[2], fields[4], fields[fields.index(b"-") + 1]) for fields in lines]


def mounted_in(directory):
    """The paths of what is mounted at an open directory or below it, as they are named from the root of this process."""
    path = tuple(name for name in os.readlink(f"/proc/self/fd/{directory}").split("/") if name)
    return ["/" + "/".join(point) for point in sorted(mount_points()) if point[: len(path)] == path]
