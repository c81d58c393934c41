"""Aggregates: sets of providers that share something, known by uuid alone."""

import datetime

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.placement import errors
from nova.placement.db import models
from nova.placement.objects import provider
from nova.placement.objects.provider import Locked

AGGREGATES = models.aggregates
LINKS = models.resource_provider_aggregates
_IDS = sa.select(AGGREGATES.c.id).where(AGGREGATES.c.uuid.in_(sa.bindparam('values', expanding=True)))


def of_provider(connection: sa.Connection, uuid: str) -> tuple[int, list[str], datetime.datetime]:
    """Generation, aggregate uuids and time of the last change of a provider.

    Raises:
        ProviderNotFound: no such provider.
    """
    rp = provider.RP
    rows = connection.execute(
        sa.select(rp.c.generation, AGGREGATES.c.uuid, LINKS.c.created_at)
        .select_from(rp.outerjoin(LINKS, LINKS.c.resource_provider_id == rp.c.id)
                     .outerjoin(AGGREGATES, AGGREGATES.c.id == LINKS.c.aggregate_id))
        .where(rp.c.uuid == uuid)).all()
    if not rows:
        raise errors.ProviderNotFound(uuid=uuid)
    return (rows[0].generation, sorted(row.uuid for row in rows if row.uuid is not None),
            max((row.created_at for row in rows if row.created_at), default=clock.utcnow()))


def replace(connection: sa.Connection, locked: Locked, uuids: set[str]) -> None:
    """Put a held provider into exactly those aggregates, which come into being when first named."""
    dbkit.insert_missing(connection, AGGREGATES, [{'uuid': uuid} for uuid in sorted(uuids)])
    wanted = {row.id for row in dbkit.select_in(connection, _IDS, sorted(uuids))}
    there = set(connection.scalars(
        sa.select(LINKS.c.aggregate_id).where(LINKS.c.resource_provider_id == locked.id)))
    gone, new = there - wanted, wanted - there
    for some in dbkit.parts(sorted(gone)):
        connection.execute(sa.delete(LINKS).where(
            LINKS.c.resource_provider_id == locked.id, LINKS.c.aggregate_id.in_(some)))
    dbkit.insert(connection, LINKS, [
        {'resource_provider_id': locked.id, 'aggregate_id': number} for number in sorted(new)])
