"""The agent: reads requests from standard input, answers on standard output, until the input ends.

A frame is two big-endian 32-bit lengths, of a JSON head and of a payload, then both. A request's head is
`{id, op, ...}`; its answer is `{id, ok: {...}}` or `{id, error: {code, detail, path}}`. In between may come
`{id, progress: bytes, or names that are gone}`, and after a `watch`, `{id, changes: [[type, path], ...]}`.
`{op: "cancel", id}` ends the request of that id, which then answers `cancelled`; it has no answer of its own.
"""

import collections
import contextlib
import json
import os
import signal
import struct
import sys
import threading
import time

import entries
import trees
from archives import Archives
from content import Content
from copied import Notes
from errors import AgentError, Cancelled, as_agent_error
from inventory import Inventories, details
from places import Volume
from search import search
from stages import Stages
from watches import Watches

try:
    import resource
except ImportError:
    # A Python may be built without it: trees that are very deep are named then instead of copied.
    resource = None

PROTOCOL = 1
LENGTHS = struct.Struct(">II")
# More than that at once wait for their turn. The input never does: what is quick, and a cancel, is always heard.
MAX_JOBS = 32
# How long jobs may take to notice that it is over.
GRACE_SECONDS = 3


class Job:
    """One request that runs in a thread of its own."""

    def __init__(self, id_, send):
        self.id = id_
        self._send = send
        self._cancelled = False

    def cancel(self):
        self._cancelled = True

    def check(self):
        if self._cancelled:
            raise Cancelled()

    def progress(self, count):
        self._send({"id": self.id, "progress": count})

    def changes(self, changes):
        self._send({"id": self.id, "changes": changes})


def _unknown(_volume, request, _payload, _job):
    raise AgentError("internal", f"there is no {request['op']}")


class Agent:
    def __init__(self, root, source, sink):
        self.volume = Volume(root)
        self.content = Content()
        self.notes = Notes()
        self.stages = Stages(self.notes)
        self.watches = Watches()
        self.archives = Archives(self.notes)
        self.inventories = Inventories()
        self._source = source
        self._sink = sink
        self._sending = threading.Lock()
        self._scheduling = threading.Lock()
        self._running = 0
        self._waiting = collections.deque()
        self._jobs = {}
        content, stages, watches, archives = self.content, self.stages, self.watches, self.archives
        notes = self.notes
        # Done at once, in the order they come: none of them waits for the disk for long.
        self._quick = {
            "stat": entries.stat,
            "real": entries.real,
            "list": entries.list_folder,
            "read": content.read,
            "pread": content.pread,
            "close": content.close,
            "open_write": content.open_write,
            "mkdir": trees.mkdir,
            "rename": trees.rename,
            "chmod": trees.chmod,
            "stage": stages.stage,
            "unwatch": watches.unwatch,
            "tar_open": archives.tar_open,
            "untar_open": archives.untar_open,
            "note_copied": notes.note_copied,
            "forget_copied": notes.forget_copied,
            "inventory_open": self.inventories.open,
        }
        self._slow = {
            "write": content.write,
            "pwrite": content.pwrite,
            "commit": content.commit,
            "copy": stages.copy,
            "move": stages.move,
            "remove": trees.remove,
            "remove_copied": notes.remove_copied,
            "usage": trees.usage,
            "search": search,
            "inventory_next": self.inventories.next,
            "inventory_close": self.inventories.close,
            "details": details,
            "unstage": stages.unstage,
            "merge": stages.merge,
            "sweep": stages.sweep,
            "watch": watches.watch,
            "tar_next": archives.tar_next,
            "untar": archives.untar,
            "untar_end": archives.untar_end,
            "tar_close": archives.tar_close,
        }

    def serve(self):
        self.send({"hello": PROTOCOL})
        while (frame := self._receive()) is not None:
            request, payload = frame
            if request["op"] == "cancel":
                self._cancel(request["id"])
                continue
            self._start(request, payload)
        self._end()

    def _start(self, request, payload):
        job = Job(request["id"], self.send)
        quick = self._quick.get(request["op"])
        if quick is not None:
            self._answer(quick, request, payload, job)
            return
        self._jobs[job.id] = job
        with self._scheduling:
            if self._running == MAX_JOBS:
                self._waiting.append((request, payload, job))
                return
            self._running += 1
        threading.Thread(target=self._run, args=(request, payload, job), daemon=True).start()

    def _run(self, request, payload, job):
        while True:
            try:
                self._answer(self._slow.get(request["op"], _unknown), request, payload, job)
            finally:
                del self._jobs[job.id]
            with self._scheduling:
                if not self._waiting:
                    self._running -= 1
                    return
                request, payload, job = self._waiting.popleft()

    def _cancel(self, id_):
        job = self._jobs.get(id_)
        if job is None:
            return
        job.cancel()
        with self._scheduling:
            waiting = next((each for each in self._waiting if each[2] is job), None)
            if waiting is not None:
                self._waiting.remove(waiting)
        if waiting is not None:
            del self._jobs[id_]
            self.send({"id": id_, "error": as_agent_error(Cancelled()).reply(None)})

    def _answer(self, operation, request, payload, job):
        content = b""
        try:
            reply = operation(self.volume, request, payload, job)
            if isinstance(reply, tuple):
                reply, content = reply
            head = {"id": job.id, "ok": reply}
        except Exception as error:
            path = request.get("path") or request.get("from") or request.get("target")
            head = {"id": job.id, "error": as_agent_error(error).reply(path)}
        self.send(head, content)

    def _receive(self):
        lengths = self._source.read(LENGTHS.size)
        if len(lengths) < LENGTHS.size:
            return None
        head_length, payload_length = LENGTHS.unpack(lengths)
        head = self._source.read(head_length)
        payload = self._source.read(payload_length) if payload_length else b""
        if len(head) < head_length or len(payload) < payload_length:
            return None
        return json.loads(head), payload

    def send(self, head, payload=b""):
        text = json.dumps(head, separators=(",", ":")).encode()
        frame = [LENGTHS.pack(len(text), len(payload)) + text, payload]
        with self._sending:
            try:
                self._write(frame)
            except BrokenPipeError:
                return  # nobody listens any more: the input's end will tell

    def _write(self, parts):
        """Without a copy of what may be large."""
        parts = [memoryview(part) for part in parts if part]
        while parts:
            written = os.writev(self._sink, parts)
            while parts and written >= len(parts[0]):
                written -= len(parts.pop(0))
            if parts:
                parts[0] = parts[0][written:]

    def _end(self):
        """Leaves nothing behind: neither temporary files nor stages."""
        for id_ in list(self._jobs):
            self._cancel(id_)
        end = time.monotonic() + GRACE_SECONDS
        while self._jobs and time.monotonic() < end:
            time.sleep(0.02)
        self.content.handles.close_all()
        self.archives.close_all()
        self.inventories.close_all()
        self.stages.close(self.volume)


def end_keeper():
    """The container is there for this agent only; its first process, ended, takes the container along."""
    with open("/proc/1/cmdline", "rb") as file:
        if b"berth-keeper" in file.read():
            os.kill(1, signal.SIGTERM)


def open_many_files():
    """A walk has a folder open for each level of a tree: as many as we may have, not as many as a shell has."""
    if resource is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(root, user=None):
    """Serves the tree below `root`; with `user`, an empty root of root's becomes that id's, as what arrives follows it."""
    open_many_files()
    sys.setswitchinterval(0.001)
    sys.setrecursionlimit(20_000)
    os.umask(0)
    if user is not None:
        entries.give_new(root, int(user))
    try:
        Agent(root, sys.stdin.buffer, sys.stdout.fileno()).serve()
    finally:
        end_keeper()
