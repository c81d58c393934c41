"""Resource classes: kinds of what providers have, standard ones and custom ones of the deployment."""

import os_resource_classes
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.placement import errors
from nova.placement.db import models, session

CLASSES = models.resource_classes


def create(db: dbkit.Database, name: str) -> bool:
    """Add a custom class; False when it is there already.

    Its id comes from `names_version`, which never takes a value twice.
    """
    def write(connection: sa.Connection) -> None:
        number = session.bump_names(connection)
        connection.execute(sa.insert(CLASSES).values(id=models.FIRST_CUSTOM_CLASS_ID + number, name=name))
    try:
        db.write(write)
    except db_exc.DBDuplicateEntry:
        return False
    return True


def _refuse_standard(name: str, what: str) -> None:
    if name in os_resource_classes.STANDARDS:
        raise errors.BadRequest(f'Cannot {what} standard resource class {name}.')


def _missing(name: str) -> errors.NotFound:
    return errors.NotFound(f'No such resource class: {name}.')


def rename(db: dbkit.Database, name: str, new_name: str) -> None:
    """Give a custom class another name.

    Raises:
        BadRequest: it is a standard one.
        NotFound: there is none of that name.
        Conflict: the new name is taken.
    """
    def write(connection: sa.Connection) -> None:
        session.bump_names(connection)
        if connection.execute(
                sa.update(CLASSES).where(CLASSES.c.name == name).values(name=new_name)).rowcount != 1:
            raise _missing(name)
    _refuse_standard(name, 'update')
    try:
        db.write(write)
    except db_exc.DBDuplicateEntry:
        raise errors.Conflict(f'Resource class already exists: {new_name}.') from None


def delete(db: dbkit.Database, name: str) -> None:
    """Remove a custom class.

    Raises:
        BadRequest: it is a standard one.
        NotFound: there is none of that name.
        Conflict: a provider has an inventory of it.
    """
    def write(connection: sa.Connection) -> None:
        session.bump_names(connection)
        if connection.execute(sa.delete(CLASSES).where(CLASSES.c.name == name)).rowcount != 1:
            raise _missing(name)
    _refuse_standard(name, 'delete')
    try:
        db.write(write)
    except db_exc.DBReferenceError:
        raise errors.Conflict(f'The resource class {name} is in use in an inventory.') from None
