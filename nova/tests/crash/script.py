"""What happens at which effect of a run: kills, faults, and acts of users."""

from nova import errors

JOURNAL = 'journal'
"""Name of the effect that writes a task down."""


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing between this and the test may catch it."""


class Script:
    """Effects are numbered from 1 in the order in which they happen, over all processes.

    Attributes:
        seen: ``(flow, step, direction, effect)`` of every effect so far.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        """Nothing is to happen, and nothing was seen."""
        self.count, self.seen, self.place = 0, [], (None, None, None)
        self._acts, self._fault = {}, None

    def at(self, flow, step, direction):
        """Whose effects come now."""
        self.place = (flow, step, direction)

    def kill(self, number, when='before'):
        """End the process that has the effect of this number."""
        def act():
            raise Killed
        self._acts[number, when] = act

    def do(self, number, when, fn):
        """Call `fn` around the effect of this number: something else happens at the same time."""
        self._acts[number, when] = fn

    def fail(self, flow, step, when='before', times=1000, direction='do'):
        """Have effects of a step (but not its journalling) fail `times` times, before or after they happen."""
        self._fault = [(flow, step, direction), when, times]

    def strike(self, when, name):
        if when == 'before':
            self.count += 1
            self.seen.append((*self.place, name))
        act = self._acts.pop((self.count, when), None)
        if act is not None:
            act()
        hit = self._fault and self._fault[:2] == [self.place, when] and self._fault[2] > 0
        if hit and name != JOURNAL:
            self._fault[2] -= 1
            raise errors.Internal(f'{name} was told to fail')
