"""Writing in competition: whoever loses a race begins again, and is told what the order would have told him.

A writer looks before it writes, so that it can say what is wrong. Between the two another one may take a name,
remove a class or a trait, or move a consumer. The database notices, by a key, or the writer does, and raises
`Lost`; the same request begun again sees what the other did and answers accordingly.
"""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit, retry
from nova.placement import errors

T = TypeVar('T')


class Lost(Exception):
    """What was read is no longer so; begin again."""


LOST: tuple[type[Exception], ...] = (Lost, db_exc.DBDuplicateEntry, db_exc.DBReferenceError)
"""What a lost race looks like: something moved, came into being, or went."""


def run(db: dbkit.Database, attempts: int, write: Callable[[sa.Connection], T]) -> T:
    """Run `write` in one transaction until it wins its races.

    Raises:
        WriteRace: it lost `attempts` times (409).
    """
    try:
        return retry.call(db.write, write, when=lambda error: isinstance(error, LOST), attempts=attempts,
                          first=0.005, longest=0.2)
    except LOST:
        raise errors.WriteRace() from None
