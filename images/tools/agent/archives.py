"""The requests about tars: one that is asked for piece by piece, and one that comes so."""

import itertools
import threading

from errors import AgentError
from names import to_wire
from tarin import TarIn
from tarout import TarOut


class Turns:
    """Requests run in threads of their own; the pieces of a tar go one after the other, by their numbers."""

    def __init__(self, tar):
        self.tar = tar
        self._next = 0
        self._changed = threading.Condition()

    def run(self, number, work):
        with self._changed:
            self._changed.wait_for(lambda: self._next is None or number is None or self._next == number)
            if self._next is None:
                raise AgentError("gone", "the archive is no longer open")
            try:
                return work()
            except BaseException:
                self._end()
                raise
            finally:
                if self._next is not None and number is not None:
                    self._next += 1
                self._changed.notify_all()

    def close(self):
        with self._changed:
            self._end()
            self._changed.notify_all()

    def _end(self):
        if self._next is not None:
            self._next = None
            self.tar.close()


class Archives:
    def __init__(self, notes):
        self._notes = notes
        self._numbers = itertools.count(1)
        self._open = {}

    def _add(self, tar):
        handle = next(self._numbers)
        self._open[handle] = Turns(tar)
        return {"handle": handle}

    def _get(self, request):
        turns = self._open.get(request["handle"])
        if turns is None:
            raise AgentError("gone", "the archive is no longer open")
        return turns

    def tar_open(self, volume, request, _payload, _job):
        return self._add(TarOut(volume, request, self._notes.of(request)))

    def tar_next(self, _volume, request, _payload, _job):
        turns = self._get(request)
        return turns.run(None, turns.tar.next)

    def untar_open(self, volume, request, _payload, _job):
        return self._add(TarIn(volume, request))

    def untar(self, _volume, request, payload, _job):
        turns = self._get(request)
        turns.run(request.get("number"), lambda: turns.tar.push(payload))
        return {}

    def untar_end(self, _volume, request, _payload, _job):
        turns = self._get(request)
        tar = turns.tar
        turns.run(request.get("number"), tar.end)
        self.tar_close(None, request, None, None)
        failed = [{"path": "/" + to_wire(_text(name)), "detail": why} for name, why in tar.failed]
        return {"lost": tar.losses.rows(to_wire), "failed": failed}

    def tar_close(self, _volume, request, _payload, _job):
        turns = self._open.pop(request["handle"], None)
        if turns is not None:
            turns.close()
        return {}

    def close_all(self):
        for handle in list(self._open):
            self.tar_close(None, {"handle": handle}, None, None)


def _text(name):
    return name.decode("utf-8", "surrogateescape")
