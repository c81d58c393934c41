"""The passphrase of a server's emulated TPM: made before its first host is tried, deleted with it."""

import logging

from nova import errors, objects
from nova.domain import tpm
from nova.task.handles import Conductor

LOG = logging.getLogger(__name__)

PATIENCE = 4
"""How often it is tried to delete one, before it is left behind; less than the engine tries an undo."""


def name_of(server: objects.Instance) -> str:
    """What its passphrase is called: by this it is found when whoever made it did not live to note its id."""
    return f'vTPM of server {server.uuid}'


def make_passphrase(h: Conductor) -> None:
    """A server with a TPM gets a passphrase, once. Repeatable.

    Raises:
        errors.server.PassphraseUnavailable, errors.server.KeyManagerAway: the key manager does not keep it.
    """
    server = h.instance
    if tpm.version_of(server) is None or tpm.secret_of(server) is not None:
        return
    name = name_of(server)
    found = h.clients.keys.named(h.context, name)
    _note(server, found[0] if found else h.clients.keys.make(h.context, name))


def drop_passphrase(h: Conductor) -> None:
    """Delete it, noted or not. Repeatable.

    A key manager that is away is waited for, as every neighbour. One that refuses is not, after a few times:
    what it does not delete opens nothing any more.
    """
    server = h.instance
    known = tpm.secret_of(server)
    if known is None and tpm.version_of(server) is None:
        return
    try:
        for each in [known] if known is not None else h.clients.keys.named(h.context, name_of(server)):
            h.clients.keys.forget(h.context, each)
    except errors.server.PassphraseUnavailable as error:
        if h.task.tries < PATIENCE:
            raise
        LOG.warning('The passphrase %s of the TPM of server %s stays with the key manager: %s',
                    known or 'that may have been made', server.uuid, error)
    _note(server, None)


def _note(server: objects.Instance, secret: str | None) -> None:
    rest = {key: value for key, value in (server.system_metadata or {}).items() if key != tpm.KEY}
    noted = {**rest, tpm.KEY: secret} if secret is not None else rest
    if noted != (server.system_metadata or {}):
        server.system_metadata = noted
