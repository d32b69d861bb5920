"""Makes the root file system of one container what that of another one of the same image is. Both only wait meanwhile.

The sender runs in the container that has the files, the receiver in the new one; the engine connects their streams.
1. The sender lists its tree: a line of JSON for each directory, from the root down. The receiver removes what is not
   there, and notes what is not the same. A file that both have from their image has the same ctime in both, and nobody
   can set a ctime: what differs in nothing, ctime included, was never written to.
2. The receiver answers with the names that it wants, a line for each directory.
3. The sender sends these: a line of JSON for each, and after that of a file, what of it is no hole, in pieces.
Then the receiver says on standard error, in one line of JSON, what it has got and what could not be carried.

What is mounted is neither read nor written. A path is walked by `chdir`, so that its length has no limit.
"""

import base64
import errno
import json
import os
import stat
import struct
import sys

import attributes
import holes
from mounts import mount_points

PIECE = struct.Struct(">QI")
PIECE_BYTES = 1024 * 1024
END = "end"
SHOWN = 300
UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS)
REFUSED = (*UNSUPPORTED, errno.EPERM, errno.EACCES, errno.EINVAL, errno.E2BIG, errno.ERANGE)


class Failure(Exception):
    """What people are to read."""


def main(role):
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    try:
        if role == "send":
            send(source, sink)
        else:
            print(json.dumps(receive(source, sink)), file=sys.stderr)
    except (OSError, Failure, ValueError) as error:
        print(json.dumps({"error": str(error), "errno": getattr(error, "errno", None)}), file=sys.stderr)
        sys.exit(1)


def remove_directory(name):
    """Goes down and back by `chdir`, without recursion: neither its depth nor the length of a path has a limit."""
    below = [[name]]
    while below:
        if below[-1]:
            os.chdir(below[-1][-1])
            below.append(_clear())
            continue
        below.pop()
        if below:
            os.chdir("..")
            os.rmdir(below[-1].pop())


def _clear():
    """Removes the files of the current directory; answers the names of its directories."""
    with os.scandir(".") as entries:
        found = [(item.name, item.is_dir(follow_symlinks=False)) for item in entries]
    for name, is_directory in found:
        if not is_directory:
            os.unlink(name)
    return [name for name, is_directory in found if is_directory]


class Position:
    """The directory that names are relative to. Links are never followed."""

    def __init__(self):
        self._parts = []
        os.chdir("/")

    def go(self, parts):
        common = 0
        while common < min(len(parts), len(self._parts)) and parts[common] == self._parts[common]:
            common += 1
        while len(self._parts) > common:
            os.chdir("..")
            self._parts.pop()
        for name in parts[common:]:
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                os.fchdir(folder)
            finally:
                os.close(folder)
            self._parts.append(name)


def write_line(sink, value):
    sink.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def read_line(source):
    line = source.readline()
    if not line.endswith(b"\n"):
        raise Failure("the other container ended in the middle")
    return json.loads(line)


def facts_of(status):
    """All that says whether an entry is the same; a group has the names of one file."""
    is_folder = stat.S_ISDIR(status.st_mode)
    group = f"{status.st_dev}:{status.st_ino}" if status.st_nlink > 1 and not is_folder else None
    return [
        status.st_mode,
        status.st_uid,
        status.st_gid,
        0 if is_folder else status.st_size,
        status.st_rdev,
        status.st_mtime_ns,
        status.st_ctime_ns,
        group,
    ]


def is_same(facts, status):
    return facts[:-1] == facts_of(status)[:-1]


# --- the sender


def send(source, sink):
    position = Position()
    list_tree(position, sink)
    write_line(sink, END)
    sink.flush()
    wanted = []
    while (line := read_line(source)) != END:
        wanted.append(line)
    sent = set()
    for parts, names in wanted:
        position.go(parts)
        for name in names:
            send_entry(sink, parts, name, sent)
    write_line(sink, END)
    sink.flush()


def list_tree(position, sink):
    mounted = mount_points()
    left = [()]
    while left:
        parts = left.pop()
        position.go(parts)
        entries, folders = [], []
        for name in os.listdir("."):
            status = os.lstat(name)
            below = (*parts, name)
            if below in mounted:
                entries.append([name, None])
                continue
            entries.append([name, facts_of(status)])
            if stat.S_ISDIR(status.st_mode):
                folders.append(below)
        left.extend(sorted(folders, reverse=True))
        write_line(sink, [parts, entries])


def send_entry(sink, parts, name, sent):
    """The directory itself is called `.`."""
    status = os.lstat(name)
    facts = facts_of(status)
    group = facts[-1]
    head = {"in": parts, "name": name, "facts": facts, "atime": status.st_atime_ns}
    if group in sent:
        write_line(sink, {**head, "again": True})
        return
    if group is not None:
        sent.add(group)
    head["attributes"] = {key: base64.b64encode(value).decode() for key, value in read_attributes(name).items()}
    if stat.S_ISLNK(status.st_mode):
        head["target"] = os.readlink(name)
    write_line(sink, head)
    if stat.S_ISREG(status.st_mode):
        send_content(sink, name)


def send_content(sink, name):
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        for start, end in holes.data_ranges(file, os.fstat(file).st_size):
            at = start
            while at < end:
                piece = os.pread(file, min(PIECE_BYTES, end - at), at)
                if not piece:
                    break
                sink.write(PIECE.pack(at, len(piece)))
                sink.write(piece)
                at += len(piece)
    finally:
        os.close(file)
    sink.write(PIECE.pack(0, 0))


def is_carried(name):
    """Labels of security modules are for these to give."""
    return name == attributes.CAPABILITY or not name.startswith("security.")


def list_attributes(name):
    try:
        found = os.listxattr(name, follow_symlinks=False)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return []
        raise
    return [key for key in found if is_carried(key)]


def read_attributes(name):
    return {key: os.getxattr(name, key, follow_symlinks=False) for key in list_attributes(name)}


# --- the receiver


def receive(source, sink):
    receiver = Receiver()
    while (line := read_line(source)) != END:
        receiver.compare(tuple(line[0]), line[1])
    for wanted in receiver.wanted():
        write_line(sink, wanted)
    write_line(sink, END)
    sink.flush()
    while (head := read_line(source)) != END:
        receiver.put(source, head)
    receiver.finish()
    os.sync()
    return {"entries": receiver.entries, "left": receiver.left}


class Receiver:
    def __init__(self):
        self._position = Position()
        self._mounted = mount_points()
        # Directory to the names in it that are wanted. What is wanted of none, but has lost one, is there as well.
        self._wanted = {}
        # Name of a group to its members: (directory, name, inode here unless it is wanted).
        self._groups = {}
        self._made = {}
        self._folders = []
        self.entries = 0
        # Reason to [count, first path].
        self.left = {}

    def compare(self, parts, entries):
        here = self._list(parts)
        names = set()
        for name, facts in entries:
            status = here.pop(name, None)
            if facts is None:
                continue
            if (*parts, name) in self._mounted:
                raise Failure(f"{path_of(parts, name)} is mounted in the new container only")
            if status is not None and stat.S_IFMT(status.st_mode) != stat.S_IFMT(facts[0]):
                self._remove(parts, name, status)
                status = None
            is_wanted = status is None or not is_same(facts, status)
            if is_wanted:
                names.add(name)
            if facts[-1] is not None:
                inode = None if is_wanted else status.st_ino
                self._groups.setdefault(facts[-1], []).append((parts, name, inode))
        gone = [name for name in here if not self._has_mounts((*parts, name))]
        for name in gone:
            self._remove(parts, name, here[name])
        if names or gone:
            self._wanted.setdefault(parts, set()).update(names)
        folders = [name for name, facts in entries if name in names and stat.S_ISDIR(facts[0])]
        for name in folders:
            self._wanted.setdefault((*parts, name), set())

    def wanted(self):
        for members in self._groups.values():
            inodes = {inode for _, _, inode in members}
            if len(inodes) > 1 or None in inodes:
                for parts, name, _ in members:
                    self._wanted.setdefault(parts, set()).add(name)
        self._groups.clear()
        for parts in sorted(self._wanted):
            yield [parts, [".", *sorted(self._wanted[parts])]]

    def put(self, source, head):
        parts, name, facts = tuple(head["in"]), head["name"], head["facts"]
        self._position.go(parts)
        if name == ".":
            self._folders.append((parts, head))
            return
        mode, group = facts[0], facts[-1]
        if stat.S_ISDIR(mode):
            self._make_folder(name)
        elif head.get("again"):
            self._link(parts, name, group)
        elif self._make(source, parts, head):
            self.entries += 1
            if group is not None:
                self._made[group] = (parts, name)
            self._dress(parts, head)

    def finish(self):
        """What is in a directory changes its times: they come last, and those deepest down first."""
        for parts, head in reversed(self._folders):
            self._position.go(parts)
            self._dress(parts, head)

    def _list(self, parts):
        try:
            self._position.go(parts)
        except FileNotFoundError:
            return {}
        return {name: os.lstat(name) for name in os.listdir(".")}

    def _has_mounts(self, path):
        return any(point[: len(path)] == path for point in self._mounted)

    def _remove(self, parts, name, status):
        if self._has_mounts((*parts, name)):
            raise Failure(f"something is mounted at or below {path_of(parts, name)}")
        if stat.S_ISDIR(status.st_mode):
            remove_directory(name)
        else:
            os.unlink(name)

    def _make_folder(self, name):
        try:
            os.mkdir(name, 0o700)
            self.entries += 1
        except FileExistsError:
            pass

    def _link(self, parts, name, group):
        original = self._made.get(group)
        if original is None:
            self._leave("names of one file", parts, name)
            return
        discard(name)
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._position.go(original[0])
            os.link(original[1], name, dst_dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)
        self.entries += 1

    def _make(self, source, parts, head):
        """Answers whether it is there now."""
        name, mode = head["name"], head["facts"][0]
        if stat.S_ISSOCK(mode):
            self._leave("sockets", parts, name)
            return False
        discard(name)
        if stat.S_ISREG(mode):
            make_file(source, name, head["facts"][3])
        elif stat.S_ISLNK(mode):
            os.symlink(head["target"], name)
        else:
            try:
                os.mknod(name, mode, head["facts"][4])
            except PermissionError:
                self._leave("devices", parts, name)
                return False
        return True

    def _dress(self, parts, head):
        name, facts = head["name"], head["facts"]
        os.chown(name, facts[1], facts[2], follow_symlinks=False)
        for refused in write_attributes(name, head["attributes"]):
            self._leave(attributes.kind_of(refused), parts, name)
        if not stat.S_ISLNK(facts[0]):
            # Last of what decides about rights: an owner and a list of rights take set-id bits away.
            os.chmod(name, stat.S_IMODE(facts[0]))
        os.utime(name, ns=(head["atime"], facts[5]), follow_symlinks=False)

    def _leave(self, reason, parts, name):
        count, first = self.left.get(reason, (0, path_of(parts, name)))
        self.left[reason] = (count + 1, first)


def path_of(parts, name):
    """For people: the report has room for a few, and a path can have any length."""
    path = "/" + "/".join(parts if name == "." else (*parts, name))
    return path if len(path) <= SHOWN else path[:SHOWN] + "…"


def discard(name):
    try:
        os.unlink(name)
    except FileNotFoundError:
        pass


def make_file(source, name, size):
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        while True:
            at, length = PIECE.unpack(read_exactly(source, PIECE.size))
            if length == 0:
                break
            piece = memoryview(read_exactly(source, length))
            while piece:
                written = os.pwrite(file, piece, at)
                piece, at = piece[written:], at + written
        os.ftruncate(file, size)
    finally:
        os.close(file)


def read_exactly(source, length):
    found = source.read(length)
    if len(found) < length:
        raise Failure("the other container ended in the middle")
    return found


def write_attributes(name, wanted):
    """Just these; answers the names of those that it can't have."""
    for key in list_attributes(name):
        if key not in wanted:
            os.removexattr(name, key, follow_symlinks=False)
    refused = []
    for key, value in wanted.items():
        try:
            os.setxattr(name, key, base64.b64decode(value), follow_symlinks=False)
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            refused.append(key)
    return refused
