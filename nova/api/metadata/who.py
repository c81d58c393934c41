"""Which server asks: by what Neutron's proxy has signed, or by the address from which the request comes."""

import dataclasses
import hashlib
import hmac
from typing import TYPE_CHECKING

import falcon
from oslo_config import cfg

from nova import errors
from nova.common import problem, uuids

if TYPE_CHECKING:
    from nova.clients import Clients


@dataclasses.dataclass(frozen=True)
class Asker:
    """A server, and the project that it must be of; None where nobody says."""

    server: str
    project: str | None


def sign(secret: str, text: str) -> str:
    """What the proxy puts beside an identifier."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Who:
    """Tells who asks; the network service knows addresses."""

    def __init__(self, conf: cfg.ConfigOpts, clients: 'Clients') -> None:
        self._conf, self._clients = conf, clients
        if conf.neutron.service_metadata_proxy and not conf.neutron.metadata_proxy_shared_secret:
            raise errors.Invalid('[neutron] service_metadata_proxy needs metadata_proxy_shared_secret, which '
                                 'the metadata agent of the network service has too.')

    def of(self, req: falcon.Request) -> Asker:
        """
        Raises:
            BadRequest: what the proxy should say is missing.
            Forbidden: it is not signed with our secret.
            NotFound: no server has the address.
        """
        if not self._conf.neutron.service_metadata_proxy:
            if req.get_header('X-Instance-ID') is not None:
                raise problem.BadRequest('X-Instance-ID is not expected: service_metadata_proxy is off.')
            return self._by_address(req.remote_addr)
        server, project = _one(req, 'X-Instance-ID'), _one(req, 'X-Tenant-ID')
        if not uuids.is_uuid(server):
            raise problem.BadRequest('X-Instance-ID is not the id of a server.')
        self._check(req, 'X-Instance-ID-Signature', server)
        return Asker(server, project)

    def _check(self, req: falcon.Request, header: str, text: str) -> None:
        right = sign(self._conf.neutron.metadata_proxy_shared_secret, text)
        if not hmac.compare_digest(right.encode(), (req.get_header(header) or '').encode()):
            raise problem.Forbidden('Invalid proxy request signature.')

    def _by_address(self, address: str) -> Asker:
        found = {port['device_id'] for port in self._clients.network.ports(None, address)
                 if uuids.is_uuid(port['device_id'])}
        if len(found) != 1:
            raise problem.NotFound(f'{len(found)} servers have the address {address}.')
        return Asker(found.pop(), None)


def _one(req: falcon.Request, header: str) -> str:
    """A header that has one value.

    Raises:
        BadRequest: it is missing, or has several.
    """
    value: str = req.get_header(header) or ''
    if not value:
        raise problem.BadRequest(f'{header} header is missing from request.')
    if ',' in value:
        raise problem.BadRequest(f'Multiple {header} headers found within request.')
    return value
