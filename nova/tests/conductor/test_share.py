"""What one cell may take of the threads that serve every cell."""

import threading

import pytest

from nova import errors
from nova.common import clock
from nova.conductor import share


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def timestamp(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def test_who_would_wait_for_a_cell_that_hangs_is_told_so() -> None:
    time = Clock()
    with clock.use(time):
        mine = share.Share(2)
        with mine.call(), mine.call():
            time.now += share.SLOW
            with pytest.raises(errors.host.CellHangs) as caught, mine.call():
                raise AssertionError('nobody is let through')
            assert caught.value.again, 'the same may go right later'
        with mine.call():
            pass  # those before have had their answers


def test_who_comes_to_a_busy_cell_has_his_turn() -> None:
    mine, began, through = share.Share(1), threading.Event(), threading.Event()

    def next_one() -> None:
        began.set()
        with mine.call():
            through.set()
    with mine.call():
        other = threading.Thread(target=next_one)
        other.start()
        assert began.wait(30) and not through.is_set()
    other.join(30)
    assert through.is_set()


def test_what_raises_gives_its_share_back() -> None:
    mine = share.Share(1)
    for _ in range(2):
        with pytest.raises(LookupError), mine.call():
            raise LookupError
