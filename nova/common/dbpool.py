"""How pooled connections to a database server are kept: no round trip that says nothing new.

oslo.db has SQLAlchemy's pool ask each connection for a sign of life when it is taken, and the pool rolls back
when it is given back, even after a commit: two of the four round trips of a transaction of one statement. Here
only a connection that has rested is asked, and what was committed is not rolled back. One that broke less than
`RESTED` ago is found by its statement: a write is run again, and a read fails as in mid-statement.
"""


import sqlalchemy as sa
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin, interfaces
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection, PoolResetState

from nova.common import clock
from nova.common.jsonutil import JsonObject

NAME = 'nova_pool'
"""Value of ``plugin`` in the query of an engine's URL; oslo.db passes no options of the pool."""

RESTED = 1.0
"""Seconds in the pool after which a connection may have been closed by the server."""

_ENDED = 'nova_ended'
_SINCE = 'nova_in_pool_since'


def ended(connection: sa.Connection) -> None:
    """Say that the transaction was committed, and that nothing was done after it."""
    connection.info[_ENDED] = True


class Plugin(CreateEnginePlugin):
    """Makes an engine's pool such a one."""

    def update_url(self, url: sa.URL) -> sa.URL:
        """The URL without what concerns the plugin, which is nothing but its name."""
        return url

    def handle_pool_kwargs(self, pool_cls: type[Pool], pool_args: JsonObject) -> None:
        """Switch off what SQLAlchemy does itself."""
        pool_args.update(pre_ping=False, reset_on_return=None)

    def engine_created(self, engine: sa.Engine) -> None:
        """Listen to what is done with connections."""
        @sa.event.listens_for(engine, 'reset')
        def roll_back(raw: interfaces.DBAPIConnection, record: ConnectionPoolEntry,
                      state: PoolResetState) -> None:
            over = record.info.pop(_ENDED, False) or state.transaction_was_reset
            if not over and not state.terminate_only:
                engine.dialect.do_rollback(raw)  # type: ignore[arg-type]

        @sa.event.listens_for(engine, 'checkin')
        def rest(raw: interfaces.DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
            record.info[_SINCE] = clock.monotonic()

        @sa.event.listens_for(engine, 'checkout')
        def ask(raw: interfaces.DBAPIConnection, record: ConnectionPoolEntry,
                proxy: PoolProxiedConnection) -> None:
            since = record.info.get(_SINCE)
            if since is None or clock.monotonic() - since < RESTED:
                return
            try:
                engine.dialect.do_ping(raw)
            except engine.dialect.loaded_dbapi.Error as error:
                raise sa.exc.InvalidatePoolError from error


plugins.register(NAME, __name__, Plugin.__name__)
