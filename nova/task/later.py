"""Looking again, hours after a task that left a doubt has ended.

Who was away for longer than the first look was put off (`nova.task.runner.LATE`) may have one more effect when
he returns, and die before he can say so.
"""

import datetime
from collections.abc import Callable

import sqlalchemy as sa

from nova.task import journal

EVERY = datetime.timedelta(hours=1)
"""Time between two comparisons."""
AGES = tuple(datetime.timedelta(hours=hours) for hours in (1, 4, 20))
"""How long after the end of a task that left a doubt is looked again. A task that clients do not see is dropped
a day after its end."""
MOST = 500
"""Tasks that one transaction begins."""


def begin(tasks: journal.Journal, some: Callable[[sa.Connection], int]) -> int:
    """Begin all looks that are due, some in each transaction; how many.

    Called about every hour (`EVERY`) by each conductor of a journal; who comes first begins them.
    """
    count = 0
    while begun := tasks.db.write(some):
        count += begun
    return count
