"""Traits: qualities of providers, standard ones from os_traits and custom ones of the deployment."""

import datetime

import os_traits
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import clock, dbkit
from nova.placement import errors
from nova.placement.cache import NameTable
from nova.placement.db import models, session
from nova.placement.objects import provider
from nova.placement.objects.provider import Locked

TRAITS = models.traits
LINKS = models.resource_provider_traits


def associated(connection: sa.Connection) -> set[str]:
    """Names of the traits that some provider has."""
    return set(connection.scalars(sa.select(TRAITS.c.name).where(
        sa.exists().where(LINKS.c.trait_id == TRAITS.c.id))))


def create(db: dbkit.Database, name: str) -> bool:
    """Add a custom trait; False when it is there already."""
    def write(connection: sa.Connection) -> None:
        session.bump_names(connection)
        connection.execute(sa.insert(TRAITS).values(name=name))
    try:
        db.write(write)
    except db_exc.DBDuplicateEntry:
        return False
    return True


def delete(db: dbkit.Database, name: str) -> None:
    """Remove a custom trait.

    Raises:
        BadRequest: it is a standard one.
        NotFound: there is none of that name.
        Conflict: a provider has it.
    """
    def write(connection: sa.Connection) -> None:
        session.bump_names(connection)
        if connection.execute(sa.delete(TRAITS).where(TRAITS.c.name == name)).rowcount != 1:
            raise errors.NotFound(f"No such trait: {name}.")
    if name in os_traits.get_traits():
        raise errors.BadRequest(f'Cannot delete standard trait {name}.')
    try:
        db.write(write)
    except db_exc.DBReferenceError:
        raise errors.Conflict(f'The trait {name} is in use by a resource provider.') from None


def ids(names: NameTable, wanted: list[str]) -> dict[str, int]:
    """Ids of traits that a request names.

    Raises:
        BadRequest: one does not exist.
    """
    unknown = sorted(set(wanted) - names.traits.keys())
    if unknown:
        raise errors.BadRequest(f'No such trait(s): {", ".join(unknown)}.')
    return {name: names.traits[name] for name in wanted}


def of_provider(connection: sa.Connection, uuid: str) -> tuple[int, list[str], datetime.datetime]:
    """Generation, sorted traits and time of the last change of a provider.

    Raises:
        ProviderNotFound: no such provider.
    """
    rp = provider.RP
    rows = connection.execute(
        sa.select(rp.c.generation, TRAITS.c.name, LINKS.c.created_at)
        .select_from(rp.outerjoin(LINKS, LINKS.c.resource_provider_id == rp.c.id)
                     .outerjoin(TRAITS, TRAITS.c.id == LINKS.c.trait_id))
        .where(rp.c.uuid == uuid)).all()
    if not rows:
        raise errors.ProviderNotFound(uuid=uuid)
    return (rows[0].generation, sorted(row.name for row in rows if row.name is not None),
            max((row.created_at for row in rows if row.created_at), default=clock.utcnow()))


def replace(connection: sa.Connection, locked: Locked, wanted: set[int]) -> bool:
    """Give a held provider exactly the traits `wanted` (ids); whether that changed anything."""
    there = set(connection.scalars(
        sa.select(LINKS.c.trait_id).where(LINKS.c.resource_provider_id == locked.id)))
    gone, new = there - wanted, wanted - there
    for some in dbkit.parts(sorted(gone)):
        connection.execute(sa.delete(LINKS).where(
            LINKS.c.resource_provider_id == locked.id, LINKS.c.trait_id.in_(some)))
    dbkit.insert(connection, LINKS, [
        {'resource_provider_id': locked.id, 'trait_id': trait_id} for trait_id in sorted(new)])
    return bool(gone or new)
