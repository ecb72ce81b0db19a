"""Whose turn it is to compute: a session with much to do keeps none with little waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count

from segmentation.web import metrics

AHEAD_IN_A_ROW = 4
"""Urgent and quick tasks before one of the others has its turn."""

LOOK_UP_SECONDS = 0.2
"""How often who waits asks whether it is still worth it."""


class NobodyWaitsError(Exception):
    """Whoever asked for something has gone, or asked for something newer, before it was there."""


@dataclass
class Place:
    """A session's place in a line.

    Attributes:
        number: the session with the smallest one comes first.
        begun: tasks that were begun in this turn.
        holders: how many hold the place; once nobody does, the line forgets it.
        waiting: tasks that are not begun, each to be set when it may.
    """

    number: int
    begun: int = 0
    holders: int = 0
    waiting: deque[threading.Event] = field(default_factory=deque)


@dataclass(eq=False)
class Turn:
    """That a task may be computed.

    Attributes:
        session_id: of the session.
        ahead: whether it is urgent.
        quick: whether it belongs to a quick answer.
        stale: says whether nobody needs it any more; None stands for no.
        is_held: whether it has come, and was not given back.
    """

    session_id: str
    ahead: bool
    quick: bool
    stale: Callable[[], bool] | None
    is_held: bool = False


class Line:
    """Sessions that wait, one after the other, each for a few tasks at a time.

    Args:
        tasks_per_turn: tasks that a session may begin before the next one comes.

    Attributes:
        places: by session.
    """

    def __init__(self, tasks_per_turn: int) -> None:
        self.places: dict[str, Place] = {}
        self._tasks_per_turn = tasks_per_turn
        self._numbers = count()

    def hold(self, session_id: str) -> None:
        """Hold a session's place once more, at the end if it has none."""
        if session_id not in self.places:
            self.places[session_id] = Place(next(self._numbers))
        self.places[session_id].holders += 1

    def leave(self, session_id: str) -> None:
        """Hold a session's place once less."""
        self.places[session_id].holders -= 1
        if not self.places[session_id].holders:
            del self.places[session_id]

    def first(self) -> Place | None:
        """The first place with a task that waits."""
        waiting = (place for place in self.places.values() if place.waiting)
        return min(waiting, key=lambda place: place.number, default=None)

    def begin(self, place: Place) -> None:
        """Let a task begin, which may end the session's turn."""
        place.waiting.popleft().set()
        place.begun += 1
        if place.begun == self._tasks_per_turn:
            place.number, place.begun = next(self._numbers), 0


class Turns:
    """Lets a few tasks be computed at once; sessions that wait have their turns, each of a few tasks, in a row.

    Urgent tasks go ahead of the others, such as the first tile that a person sees of a new answer. They come in the
    order in which they were asked for, and the others still have a turn now and then. Then come the tasks of quick
    answers, so that nobody waits for long ones who has not asked for one. What can wait is computed in spare time: one
    short task at a time, while there is nothing else to do.

    Args:
        tasks_at_once: tasks that may be computed at the same time.
        tasks_per_turn: with one, all sessions that ask at the same time have their answer late, and ask anew at the
            same time; with as many as an answer has, one after the other has it, and the last no later.
    """

    def __init__(self, tasks_at_once: int, tasks_per_turn: int = 1) -> None:
        self._free = self._all = tasks_at_once
        self._lock = threading.Lock()
        self._spare = threading.Condition(self._lock)
        self._in_spare_time = False
        self._urgent: deque[threading.Event] = deque()
        self._quick, self._others = Line(tasks_per_turn), Line(tasks_per_turn)
        self._ahead_in_a_row = 0
        self._of_thread = threading.local()

    @contextmanager
    def place(self, session_id: str, *, quick: bool = False) -> Iterator[None]:
        """Hold a session's place between the tasks of an answer, which is quick or not."""
        with self._lock:
            self._line(quick).hold(session_id)
        try:
            yield
        finally:
            with self._lock:
                self._line(quick).leave(session_id)

    @contextmanager
    def turn(
        self,
        session_id: str,
        *,
        ahead: bool = False,
        quick: bool = False,
        stale: Callable[[], bool] | None = None,
    ) -> Iterator[None]:
        """Wait until a task of a session may be computed, and compute it in the ``with`` block.

        Args:
            session_id: the session.
            ahead: whether the task is urgent.
            quick: whether it belongs to an answer that is quick as a whole.
            stale: asked while waiting: whether nobody needs it any more; None stands for no.

        Raises:
            NobodyWaitsError: if that is so before its turn has come.
        """
        mine = Turn(session_id, ahead, quick, stale)
        with nullcontext() if ahead else self.place(session_id, quick=quick):
            self._take(mine)
            try:
                yield
            finally:
                self._give_back(mine)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have the turn of this thread, if it has one, in the ``with`` block; then wait for it again.

        It is for what is waited for and not computed, such as what a slow address sends.

        Raises:
            NobodyWaitsError: at the end, if nobody needs the task any more.
        """
        mine: Turn | None = getattr(self._of_thread, "turn", None)
        if mine is None or not mine.is_held:
            yield
            return
        self._give_back(mine)
        try:
            yield
        finally:
            self._take(mine)

    def _take(self, mine: Turn) -> None:
        """Wait for a turn, which is this thread's then."""
        begin = threading.Event()
        with self._lock:
            waiting = self._urgent if mine.ahead else self._line(mine.quick).places[mine.session_id].waiting
            waiting.append(begin)
            self._begin_waiting()
        metrics.count_waiting(1)
        try:
            self._wait(begin, waiting, mine.stale)
        finally:
            metrics.count_waiting(-1)
        mine.is_held, self._of_thread.turn = True, mine

    def _give_back(self, mine: Turn) -> None:
        """End a turn, unless that is done."""
        if mine.is_held:
            mine.is_held = False
            with self._lock:
                self._free += 1
                self._begin_waiting()

    @contextmanager
    def spare_time(self, stale: Callable[[], bool]) -> Iterator[None]:
        """Wait until nobody computes or waits to, and compute something short in the ``with`` block.

        It takes no place among the tasks that may be computed at once, so that what comes meanwhile need not wait.

        Args:
            stale: asked while waiting; once it says True the block is entered all the same, to find that out.
        """
        with self._lock:
            while (self._free < self._all or self._in_spare_time) and not stale():
                self._spare.wait(LOOK_UP_SECONDS)
            mine = not self._in_spare_time
            self._in_spare_time = True
        try:
            yield
        finally:
            with self._lock:
                self._in_spare_time = self._in_spare_time and not mine
                self._spare.notify()

    def _wait(self, begin: threading.Event, waiting: deque[threading.Event], stale: Callable[[], bool] | None) -> None:
        try:
            while not begin.wait(None if stale is None else LOOK_UP_SECONDS):
                if stale is not None and stale():
                    raise NobodyWaitsError
        except BaseException:
            with self._lock:
                if begin.is_set():  # its turn came meanwhile, and goes to the next one
                    self._free += 1
                    self._begin_waiting()
                else:
                    waiting.remove(begin)
            raise

    def _line(self, quick: bool) -> Line:
        return self._quick if quick else self._others

    def _begin_waiting(self) -> None:
        while self._free:
            quick, other = self._quick.first(), self._others.first()
            if other and (self._ahead_in_a_row >= AHEAD_IN_A_ROW or not (self._urgent or quick)):
                self._ahead_in_a_row = 0
                self._others.begin(other)
            elif self._urgent:
                self._ahead_in_a_row += 1
                self._urgent.popleft().set()
            elif quick:
                self._ahead_in_a_row += 1
                self._quick.begin(quick)
            else:
                break
            self._free -= 1
        if self._free == self._all:
            self._spare.notify()


class Scheduler(Turns):
    """The turns of strokes; those of what people take home beside them, and of what takes long and cannot be cut.

    Args:
        tasks_at_once, tasks_per_turn: see :class:`Turns`.
    """

    def __init__(self, tasks_at_once: int, tasks_per_turn: int = 1) -> None:
        super().__init__(tasks_at_once, tasks_per_turn)
        self._whole = Turns(1)

    def download_turn(
        self, session_id: str, *, stale: Callable[[], bool] | None = None
    ) -> AbstractContextManager[None]:
        """A :meth:`turn` for what somebody takes home: its place is not that of the session's strokes."""
        return self.turn(f"{session_id} downloads", stale=stale)

    def download_place(self, session_id: str) -> AbstractContextManager[None]:
        """Hold the :meth:`place` of these turns, so that a download does not go to the end of the line for each."""
        return self.place(f"{session_id} downloads")

    def whole_turn(self, session_id: str, *, stale: Callable[[], bool] | None = None) -> AbstractContextManager[None]:
        """A turn for what looks at a whole image at once, which may take seconds: one at a time.

        It takes no place among the tasks that may be computed at once, so that no stroke waits for it.
        """
        return self._whole.turn(session_id, stale=stale)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have the turn of this thread, of whatever kind, see :meth:`Turns.aside`."""
        with super().aside(), self._whole.aside():
            yield
