"""Why not: what removed how many hosts, stage by stage."""

import dataclasses
from collections.abc import Sequence

from nova.common.jsonutil import JsonObject

NOT_ENOUGH = 'There are not enough hosts available.'
_AMOUNTS = ('inventory', 'unit limits', 'free capacity')
"""What Placement's explanation says of one resource class."""


class NoHost(Exception):
    """Not every server can have a host; the text is for the project to read.

    Args:
        stages: how many hosts each removed and left, for the operator.
    """

    def __init__(self, text: str = NOT_ENOUGH, stages: Sequence[JsonObject] = ()) -> None:
        super().__init__(text)
        self.stages = list(stages)


@dataclasses.dataclass(slots=True)
class Why:
    """How many hosts each stage removed and left."""

    stages: list[JsonObject] = dataclasses.field(default_factory=list)

    def note(self, stage: str, name: str, before: int, left: int) -> None:
        if left < before or not left:
            self.stages.append({'stage': stage, 'name': name, 'removed': before - left, 'left': left})


def told(stages: Sequence[JsonObject]) -> str:
    """What left no host, in words that the project may read: what it asked for, never how many hosts."""
    last = next((one for one in stages if one['left'] == 0), None)
    if last is None:
        return NOT_ENOUGH
    what, _, how = last['name'].partition(' ')
    if last['stage'] == 'placement' and how in _AMOUNTS:
        return f'{NOT_ENOUGH} No host can give {what}.'
    if last['stage'] in ('request', 'filter'):
        return f'{NOT_ENOUGH} No host meets: {last["name"]}.'
    return NOT_ENOUGH
