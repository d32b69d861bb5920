"""Unpacks a tar into a folder of the volume, as it comes. Owners, modes, times, holes and attributes are those of the tar;
no name leads out of the folder, and nothing is written through a link. What a file can't have is counted."""

import os
import stat as modes

import attributes
from content import SET_ID
from errors import AgentError
from names import MAX_NAME, MAX_PATH, split, to_wire
from places import READ_DIRECTORY
from tarformat import (
    BLOCK,
    MAX_PARTS,
    apply_pax,
    check_parts,
    damaged,
    decode,
    number_at,
    paired,
    pax_records,
    padding,
    sparse_map,
)

NEW_FOLDER_MODE = 0o755
MAX_EXTENDED = 8 * 1024 * 1024
MAX_MAP = 32 * 1024 * 1024
# Open folders that lead to the one in work, the last of them; to those above one goes from the root again.
MAX_OPEN = 64
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class TarIn:
    def __init__(self, volume, request):
        with volume.existing(split(request["folder"]), follow=False) as place:
            self._root = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
        # Rights of their own are for files that stay where they are trusted, not for what comes from elsewhere.
        self._keeps_rights = request.get("rights") is True
        self.losses = attributes.Losses()
        self.failed = []
        # Modes, attributes and times of folders come last: what is put into them changes these.
        self._folders = []
        # The path of the folder in work, and the last open folders on the way to it.
        self._known = ()
        self._open = []
        self._rest = memoryview(b"")
        self._ended = False
        self._work = self._read()
        next(self._work)

    def push(self, content):
        if self._ended:
            return
        try:
            self._work.send(memoryview(content))
        except StopIteration:
            self._ended = True

    def end(self):
        if not self._ended:
            raise AgentError("bad_request", "the archive broke off before its end")
        for parts, entry in reversed(self._folders):
            self._seal(parts, entry)

    def close(self):
        self._work.close()
        self._leave()
        if self._root is not None:
            os.close(self._root)
            self._root = None

    # The stream: `_rest` is what of the last piece was not used yet; `yield` waits for the next one.

    def _take(self, count):
        if len(self._rest) >= count:
            taken, self._rest = self._rest[:count], self._rest[count:]
            return bytes(taken)
        parts, missing = [], count
        while missing > 0:
            while not self._rest:
                self._rest = yield
            part = self._rest[:missing]
            self._rest = self._rest[len(part) :]
            parts.append(bytes(part))
            missing -= len(part)
        return b"".join(parts)

    def _pour(self, file, at, left):
        """Content as it comes, without a copy; without a file it is passed over."""
        while left > 0:
            while not self._rest:
                self._rest = yield
            part = self._rest[:left]
            self._rest = self._rest[len(part) :]
            left -= len(part)
            while file is not None and part:
                done = os.pwrite(file, part, at)
                at += done
                part = part[done:]

    def _read(self):
        long_name = long_link = None
        records, common = [], []
        while True:
            block = yield from self._take(BLOCK)
            entry = decode(block)
            if entry is None:
                return
            if entry.flag in b"xgLK" and entry.flag:
                content = yield from self._extended(entry)
                if entry.flag == b"x":
                    records = pax_records(content)
                elif entry.flag == b"g":
                    common = pax_records(content)
                elif entry.flag == b"L":
                    long_name = content.split(b"\0", 1)[0]
                else:
                    long_link = content.split(b"\0", 1)[0]
                continue
            entry.name = long_name or entry.name
            entry.link = long_link or entry.link
            sparse = apply_pax(entry, common + records)
            long_name = long_link = None
            records = []
            yield from self._member(entry, block, sparse)

    def _extended(self, entry):
        if entry.size > MAX_EXTENDED:
            raise damaged("an extended header is too large")
        content = yield from self._take(entry.size)
        yield from self._take(padding(entry.size))
        return content

    def _member(self, entry, block, sparse):
        if _is_too_long(entry.name) or (entry.flag in (b"1", b"2") and _is_too_long(entry.link, entry.flag == b"2")):
            self._too_long(entry)
            if entry.flag not in b"123456":
                yield from self._pour(None, 0, entry.size + padding(entry.size))
            return
        parts = _parts_of(entry.name)
        flag = b"5" if entry.flag in (b"0", b"\0") and entry.name.endswith(b"/") else entry.flag
        if not parts and flag != b"5":
            raise _outside(entry.name)
        if flag in (b"0", b"\0", b"7", b"S"):
            yield from self._file(parts, entry, block, sparse)
            return
        if flag == b"5":
            self._folder(parts, entry)
        elif flag == b"1":
            self._hard_link(parts, entry)
        elif flag == b"2":
            self._link(parts, entry)
        elif flag == b"6":
            self._make(parts, entry, lambda name, folder: os.mkfifo(name, entry.mode & 0o777, dir_fd=folder))
            self._owner_and_time(parts, entry)
        else:
            self.failed.append((entry.name, "it is neither a file, a folder nor a link"))
            if flag not in b"34":
                yield from self._pour(None, 0, entry.size + padding(entry.size))

    def _too_long(self, entry):
        text = entry.name if len(entry.name) <= 200 else entry.name[:200] + "…".encode()
        why = _what_is_too_long(entry.name) if _is_too_long(entry.name) else "what it links to has too long a name"
        self.failed.append((text, why))

    def _file(self, parts, entry, block, sparse):
        size, data, places = entry.size, entry.size, None
        if entry.flag == b"S":
            size, places = yield from self._old_map(block)
        elif sparse:
            size, places = sparse_map(entry, sparse)
            if _is_too_long(entry.name):
                self._too_long(entry)
                yield from self._pour(None, 0, entry.size + padding(entry.size))
                return
            parts = _parts_of(entry.name)
            if places is None:
                places, used = yield from self._text_map()
                data -= used
        if places is not None:
            check_parts(places, size, data)
        file = self._make(parts, entry, lambda name, folder: os.open(name, _NEW, 0o600, dir_fd=folder))
        try:
            if places is None:
                yield from self._pour(file, 0, size)
            else:
                for offset, length in places:
                    yield from self._pour(file, offset, length)
                os.ftruncate(file, size)
            yield from self._take(padding(data))
            self._like(file, entry)
        finally:
            os.close(file)

    def _old_map(self, block):
        numbers, size, more = _gnu_numbers(block, 386, 4), number_at(block, 483, 12), block[482]
        while more:
            block = yield from self._take(BLOCK)
            numbers += _gnu_numbers(block, 0, 21)
            if len(numbers) > 2 * MAX_PARTS:
                raise damaged("a file with holes has too many parts")
            more = block[504]
        return size, paired(numbers)

    def _text_map(self):
        """Numbers, each with a line break; the first says how many parts there are. Each block is looked at once."""
        numbers, rest, used = [], b"", 0
        while not numbers or len(numbers) < 1 + 2 * numbers[0]:
            block = yield from self._take(BLOCK)
            used += BLOCK
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if numbers and len(numbers) == 1 + 2 * numbers[0]:
                    break
                if not line.isdigit() or len(line) > 16:
                    raise damaged("the map of a file with holes can't be read")
                numbers.append(int(line))
            if len(rest) > BLOCK or numbers[:1] > [MAX_PARTS] or used > MAX_MAP:
                raise damaged("the map of a file with holes can't be read")
        return paired(numbers[1:]), used

    # What is made, without ever following a link.

    def _enter(self, parts, entry):
        """The open folder of that path below the root, made when the tar did not name it."""
        if self._open and parts == self._known:
            return self._open[-1]
        self._go_up_to(parts)
        for name in parts[len(self._known) :]:
            folder = self._down(name, self._open[-1] if self._open else self._root, entry)
            self._open.append(folder)
            self._known = (*self._known, name)
            if len(self._open) > MAX_OPEN:
                os.close(self._open.pop(0))
        return self._open[-1] if self._open else self._root

    def _go_up_to(self, parts):
        """Closes what does not lead there. When nothing that does is open any more, the way begins at the root."""
        shared = min(len(self._known), len(parts))
        while self._known[:shared] != parts[:shared]:
            shared -= 1
        while self._open and len(self._known) > shared:
            os.close(self._open.pop())
            self._known = self._known[:-1]
        if not self._open:
            self._known = ()

    def _down(self, name, folder, entry):
        try:
            return os.open(name, READ_DIRECTORY, dir_fd=folder)
        except FileNotFoundError:
            os.mkdir(name, 0o700, dir_fd=folder)
            inner = os.open(name, READ_DIRECTORY, dir_fd=folder)
            attributes.give(inner, entry.uid, entry.gid)
            os.fchmod(inner, NEW_FOLDER_MODE)
            return inner
        except OSError as error:
            raise AgentError("bad_request", f"the archive puts {entry.name!r} into what is no folder") from error

    def _leave(self):
        while self._open:
            os.close(self._open.pop())
        self._known = ()

    def _make(self, parts, entry, make):
        """The last one of a name counts, as with every tar."""
        folder = self._enter(parts[:-1], entry)
        try:
            return make(parts[-1], folder)
        except FileExistsError:
            os.unlink(parts[-1], dir_fd=folder)
            return make(parts[-1], folder)

    def _folder(self, parts, entry):
        if parts:
            folder = self._enter(parts[:-1], entry)
            status = None
            try:
                status = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                pass
            if status is not None and not modes.S_ISDIR(status.st_mode):
                os.unlink(parts[-1], dir_fd=folder)
                status = None
            if status is None:
                os.mkdir(parts[-1], 0o700, dir_fd=folder)
        self._folders.append((parts, entry))

    def _hard_link(self, parts, entry):
        source = _parts_of(entry.link)
        if not source:
            raise _outside(entry.link)
        folder = os.dup(self._enter(source[:-1], entry))
        try:
            self._make(
                parts,
                entry,
                lambda name, into: os.link(
                    source[-1], name, src_dir_fd=folder, dst_dir_fd=into, follow_symlinks=False
                ),
            )
        except FileNotFoundError as error:
            raise AgentError("bad_request", f"the archive links to {entry.link!r}, which is not in it") from error
        finally:
            os.close(folder)

    def _link(self, parts, entry):
        target = os.fsdecode(entry.link)
        self._make(parts, entry, lambda name, folder: os.symlink(target, name, dir_fd=folder))
        self._owner_and_time(parts, entry)

    def _owner_and_time(self, parts, entry):
        folder = self._enter(parts[:-1], entry)
        attributes.give_name(parts[-1], entry.uid, entry.gid, folder)
        os.utime(parts[-1], ns=(entry.mtime, entry.mtime), dir_fd=folder, follow_symlinks=False)

    def _like(self, file, entry, is_file=True):
        attributes.give(file, entry.uid, entry.gid)
        mode, kept, refused = entry.mode, entry.attributes, entry.refused
        if not self._keeps_rights:
            if kept:
                kept, dropped = attributes.without_rights(kept)
                refused = refused + dropped
            # Of a folder, the group's bit says what is made in it belongs to: that gives nobody a right.
            rights = SET_ID if is_file else modes.S_ISUID
            if is_file and mode & rights:
                self.losses.add(attributes.SET_ID_LOSS, os.fsdecode(entry.name))
            mode &= ~rights
        if kept:
            refused = refused + attributes.write(file, kept)
        if refused:
            self.losses.attributes(refused, os.fsdecode(entry.name))
        os.fchmod(file, mode)
        os.utime(file, ns=(entry.mtime, entry.mtime))

    def _seal(self, parts, entry):
        self._like(self._enter(parts, entry), entry, is_file=False)


def _parts_of(name):
    parts = tuple([part for part in os.fsdecode(name).split("/") if part not in ("", ".")])
    if name.startswith(b"/") or ".." in parts or b"\0" in name:
        raise _outside(name)
    return parts


def _is_too_long(name, is_text=False):
    """For Linux. The text of a link may be anything that is no longer than a path."""
    if len(name) <= MAX_NAME:
        return False
    if len(name) >= MAX_PATH:
        return True
    return not is_text and _has_long_name(name)


def _has_long_name(path):
    return any(len(part) > MAX_NAME for part in path.split(b"/"))


def _what_is_too_long(path):
    return "its name is too long" if _has_long_name(path) else "its path is too long"


def _outside(name):
    return AgentError("bad_request", f"the archive names {os.fsdecode(name)!r}, which is outside of it")


def _gnu_numbers(block, at, count):
    numbers = []
    for place in range(at, at + 24 * count, 24):
        if block[place] == 0:
            break
        numbers += (number_at(block, place, 12), number_at(block, place + 12, 12))
    return numbers
