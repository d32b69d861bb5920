"""Headers of tar entries, as src/backend/tar/header.ts and tar/sparse.ts have them: ustar with pax records, and
files with holes as GNU tar stores them (its manual, "Storing Sparse Files")."""

import functools
import os
import re

from attributes import MAX_VALUE, MAX_VALUES
from errors import AgentError

BLOCK = 512
MAX_OCTAL = 0o77777777777
MAX_ID = 0o7777777
SECOND = 1_000_000_000
XATTR = b"SCHILY.xattr."
SPARSE = b"GNU.sparse."
MAX_PARTS = 1_000_000
END = bytes(2 * BLOCK)
_EMPTY = bytes(BLOCK)
_TAIL = b"ustar\x0000" + bytes(247)
_TAIL_SUM = sum(_TAIL)


def padding(size):
    return -size % BLOCK


class Entry:
    """One member of a tar. `name` and `link` are bytes; `parts` is where the data of a file with holes belongs."""

    __slots__ = ("name", "flag", "size", "mode", "uid", "gid", "mtime", "link", "attributes", "parts", "refused")

    def __init__(self, name, flag, status=None, size=0, link=b"", attributes=None, parts=None):
        self.name = name
        self.flag = flag
        self.size = size
        self.link = link
        self.attributes = attributes or {}
        self.parts = parts
        # Names of attributes that no file can have, as they are too long.
        self.refused = []
        if status is not None:
            self.mode, self.uid, self.gid = status.st_mode & 0o7777, status.st_uid, status.st_gid
            self.mtime = status.st_mtime_ns


def _block(name, flag, size, mode, uid, gid, seconds, link):
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, uid, gid, size, seconds)
    name, link = name[:100], link[:100]
    total = sum(name) + sum(numbers) + sum(flag) + sum(link) + _TAIL_SUM + 256
    return b"".join((name.ljust(100, b"\0"), numbers, b"%06o\0 " % total, flag, link.ljust(100, b"\0"), _TAIL))


@functools.lru_cache(maxsize=64)
def _pax_block(size):
    """The header of an extended one: they differ in their size only."""
    return _block(b"pax", b"x", size, 0o644, 0, 0, 0, b"")


def _record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)


def _records(entry, size):
    seconds, rest = divmod(entry.mtime, SECOND)
    records = []
    if entry.parts is not None:
        records.append(_record(SPARSE + b"major", b"1"))
        records.append(_record(SPARSE + b"minor", b"0"))
        records.append(_record(SPARSE + b"name", entry.name))
        records.append(_record(SPARSE + b"realsize", b"%d" % entry.size))
    if rest or not 0 <= seconds <= MAX_OCTAL:
        records.append(_record(b"mtime", _seconds(entry.mtime)))
    if len(entry.name) > 100:
        records.append(_record(b"path", entry.name))
    if len(entry.link) > 100:
        records.append(_record(b"linkpath", entry.link))
    if size > MAX_OCTAL:
        records.append(_record(b"size", b"%d" % size))
    if entry.uid > MAX_ID:
        records.append(_record(b"uid", b"%d" % entry.uid))
    if entry.gid > MAX_ID:
        records.append(_record(b"gid", b"%d" % entry.gid))
    for name, value in entry.attributes.items():
        key = os.fsencode(name).replace(b"%", b"%25").replace(b"=", b"%3D")
        records.append(_record(XATTR + key, value))
    return b"".join(records)


def _seconds(nanoseconds):
    seconds, rest = divmod(abs(nanoseconds), SECOND)
    return b"%b%d.%09d" % (b"-" if nanoseconds < 0 else b"", seconds, rest)


def encode(entry):
    """Header, with an extended one before it where needed, and the map of a file with holes. Data and padding follow."""
    sparse_map = b"" if entry.parts is None else _encode_map(entry.parts)
    size = entry.size if entry.parts is None else len(sparse_map) + sum(length for _, length in entry.parts)
    seconds = min(max(0, entry.mtime // SECOND), MAX_OCTAL)
    ids = (min(entry.uid, MAX_ID), min(entry.gid, MAX_ID))
    block = _block(entry.name, entry.flag, min(size, MAX_OCTAL), entry.mode, *ids, seconds, entry.link)
    records = _records(entry, size)
    if not records:
        return block
    return b"".join((_pax_block(len(records)), records, bytes(padding(len(records))), block, sparse_map))


def _encode_map(parts):
    numbers = [len(parts)]
    for offset, length in parts:
        numbers += (offset, length)
    text = b"".join(b"%d\n" % number for number in numbers)
    return text + bytes(padding(len(text)))


def damaged(what):
    return AgentError("bad_request", f"the archive is damaged: {what}")


def _text(block, start, length):
    return block[start : start + length].split(b"\0", 1)[0]


def number_at(block, start, length):
    """Octal, or base 256 when the first bit is set."""
    if block[start] & 0x80:
        value = int.from_bytes(block[start : start + length], "big", signed=True)
        return value if block[start] == 0xFF else value & ((1 << (8 * length - 1)) - 1)
    try:
        return int(block[start : start + length].split(b"\0", 1)[0].strip() or b"0", 8)
    except ValueError:
        return 0


def decode(block):
    """The entry of a header, its name and size not yet as extended headers have them; None at the end of a tar."""
    if block == _EMPTY:
        return None
    if number_at(block, 148, 8) != sum(block) - sum(block[148:156]) + 256:
        raise damaged("a header has a wrong checksum")
    flag = block[156:157]
    prefix = _text(block, 345, 155) if block[257:263] == b"ustar\0" and flag != b"S" else b""
    name = _text(block, 0, 100)
    entry = Entry(prefix + b"/" + name if prefix else name, flag, size=number_at(block, 124, 12))
    entry.link = _text(block, 157, 100)
    entry.mode = number_at(block, 100, 8) & 0o7777
    entry.uid, entry.gid = number_at(block, 108, 8), number_at(block, 116, 8)
    entry.mtime = number_at(block, 136, 12) * SECOND
    return entry


def pax_records(content):
    """Key and value of each record."""
    found = []
    at = 0
    while at < len(content):
        space = content.find(b" ", at, at + 20)
        try:
            end = at + int(content[at:space])
        except ValueError:
            end = at
        equals = content.find(b"=", space)
        if space < 0 or end <= at or not space < equals < end <= len(content):
            raise damaged("an extended header can't be read")
        found.append((content[space + 1 : equals], content[equals + 1 : end - 1]))
        at = end
    return found


_NUMBER = re.compile(rb"-?\d{1,15}")
_TIME = re.compile(rb"(-?)(\d{1,15})(?:\.(\d*))?")


def _number(value):
    if _NUMBER.fullmatch(value) is None or value.startswith(b"-"):
        raise damaged("a number in it is none")
    return int(value)


def apply_pax(entry, records):
    """Answers what the records say of holes."""
    sparse = []
    total = 0
    for key, value in records:
        if key == b"path":
            entry.name = value
        elif key == b"linkpath":
            entry.link = value
        elif key == b"size":
            entry.size = _number(value)
        elif key == b"uid":
            entry.uid = _number(value)
        elif key == b"gid":
            entry.gid = _number(value)
        elif key == b"mtime":
            match = _TIME.fullmatch(value)
            if match is not None:
                sign, seconds, rest = match.groups()
                size = int(seconds) * SECOND + int((rest or b"")[:9].ljust(9, b"0"))
                entry.mtime = -size if sign else size
        elif key.startswith(XATTR):
            name = key[len(XATTR) :].replace(b"%3D", b"=").replace(b"%25", b"%")
            if name and b"\0" not in name:
                total += len(value)
                if len(value) > MAX_VALUE or total > MAX_VALUES:
                    entry.refused.append(os.fsdecode(name))
                else:
                    entry.attributes[os.fsdecode(name)] = value
        elif key.startswith(SPARSE):
            sparse.append((key[len(SPARSE) :], value))
    return sparse


def sparse_map(entry, records):
    """The map in the records of a file with holes, None when it stands before the content; the name and size are set."""
    known = dict(records)
    entry.name = known.get(b"name", entry.name)
    size = _number(known.get(b"realsize", known.get(b"size", b"-")))
    version = (known.get(b"major", b"0"), known.get(b"minor", b"0"))
    if version == (b"1", b"0"):
        return size, None
    if version not in ((b"0", b"0"), (b"0", b"1")):
        raise damaged("a file with holes is stored in an unknown way")
    if b"map" in known:
        numbers = [_number(each) for each in known[b"map"].split(b",")]
    else:
        numbers = [_number(value) for key, value in records if key in (b"offset", b"numbytes")]
    return size, paired(numbers)


def paired(numbers):
    if len(numbers) % 2 or len(numbers) > 2 * MAX_PARTS:
        raise damaged("the map of a file with holes is not complete")
    return list(zip(numbers[::2], numbers[1::2]))


def check_parts(parts, size, data):
    end = 0
    for offset, length in parts:
        if offset < end or offset + length > size:
            raise damaged("the parts of a file with holes overlap or lie outside of it")
        end = offset + length
    if sum(length for _, length in parts) != data:
        raise damaged("the parts of a file with holes are not what the archive holds")
