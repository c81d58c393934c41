"""The neighbours in memory, for tests: the same protocols, with hooks around every effect and scripted faults.

    fakes = fake.build()
    fakes.placement.host(uuid, 'host1')
    fakes.network.api.add_network()
    fakes.volume.fail('connect', errors.Unavailable())
    fakes.placement.before(lambda name, args: ...)
"""

from nova import errors
from nova.clients import Clients
from nova.clients.fake.base import Fake, Hooks
from nova.clients.fake.identity import FakeIdentity, FakeLimits
from nova.clients.fake.image import FakeImage
from nova.clients.fake.keys import FakeKeys
from nova.clients.fake.network import FakeApi
from nova.clients.fake.placement import FakePlacement
from nova.clients.fake.share import FakeShare
from nova.clients.fake.volume import FakeVolume
from nova.clients.neutron import client as neutron
from nova.clients.trust import Trust
from nova.common.jsonutil import JsonObject

__all__ = ['Fake', 'FakeApi', 'FakeClients', 'FakeIdentity', 'FakeImage', 'FakeKeys', 'FakeLimits',
           'FakeNetwork', 'FakePlacement', 'FakeShare', 'FakeVolume', 'Hooks', 'build']


class FakeNetwork(neutron.Client):
    """The network client over a Neutron in memory; hooks and faults are those of its requests."""

    api: FakeApi

    def __init__(self, api: FakeApi | None = None) -> None:
        super().__init__(api or FakeApi())
        self.before, self.after = self.api.before, self.api.after
        self.fail, self.clear = self.api.fail, self.api.clear


class FakePassing:
    """A neighbour that has nothing of anything. Proxies are tried with the sandbox."""

    def ask(self, context: object, method: str, path: str, body: object = None, query: object = None
            ) -> JsonObject:
        noun = path.removesuffix('/detail').rpartition('/')[2].replace('-', '_')
        if method == 'GET' and noun.endswith('s'):
            return {noun: []}
        raise errors.NotFound('It could not be found.')


class FakeClients(Clients):
    """`Clients` whose members show themselves as fakes."""

    identity: FakeIdentity
    limits: FakeLimits
    image: FakeImage
    network: FakeNetwork
    volume: FakeVolume
    share: FakeShare
    keys: FakeKeys
    placement: FakePlacement


def build() -> FakeClients:
    """Fresh neighbours that know nothing yet."""
    return FakeClients(identity=FakeIdentity(), limits=FakeLimits(), image=FakeImage(), network=FakeNetwork(),
                       volume=FakeVolume(), share=FakeShare(), keys=FakeKeys(),
                       placement=FakePlacement(), trust=Trust(['secret']),
                       passing={'network': FakePassing(), 'volume': FakePassing()})
