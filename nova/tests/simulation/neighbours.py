"""The neighbours of a world: the fakes, reached over the `Net`, so that they hang, err, and answer too late."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from nova import clients, errors
from nova.clients.fake import FakeClients
from nova.clients.neutron import client as neutron
from nova.tests.simulation.loop import Loop
from nova.tests.simulation.net import HUNG, Net

PATIENCE = 20.0
"""Seconds after which a client gives up."""
LATE = 'late'
"""How a neighbour may be away, too: what it is asked arrives, and is done when nobody waits for it any more."""
AWAY: dict[str, Callable[[], Exception]] = {
    'image': errors.image.ImageServiceAway, 'network': errors.network.NetworkServiceAway,
    'volume': errors.block.VolumeServiceAway, 'share': errors.share.ShareServiceAway,
    'placement': errors.placement.PlacementAway,
    'keys': lambda: errors.server.KeyManagerAway(name='any', reason='nobody answers')}
"""What the clients make of a neighbour that cannot be reached."""
BROKEN: dict[str, Callable[[], Exception]] = {
    'image': errors.image.ImageServiceFailed, 'network': errors.network.NetworkServiceFailed,
    'volume': errors.block.VolumeServiceFailed, 'share': errors.share.ShareServiceFailed,
    'placement': errors.placement.PlacementFailed,
    'keys': lambda: errors.server.PassphraseUnavailable(name='any', reason='it answers 500')}
"""What they make of one that answers 500 to this and will again."""


def look_up(net: Net, service: str) -> None:
    """Ask a neighbour something that changes nothing, or raise what its client raises where it is away."""
    net.reach(service, AWAY[service], PATIENCE)
    if net.state(net.loop.actor.process.machine, service) is not None:
        net.answer(service, AWAY[service], PATIENCE)


class Neighbour:
    """A fake as one reaches it: every method takes its time, and may come to nothing."""

    def __init__(self, net: Net, service: str, fake: Any) -> None:
        self._net, self._service, self._fake = net, service, fake

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._fake, name)
        if name.startswith('_') or not callable(found):
            return found
        call = functools.partial(self._call, name, found)
        self.__dict__[name] = call
        return call

    def _call(self, name: str, method: Any, *args: Any, **more: Any) -> Any:
        net, away = self._net, AWAY[self._service]
        if not getattr(method, 'changes', False):
            look_up(net, self._service)
            net.spoil(self._service, name, late=False)
            return method(*args, **more)

        def act() -> Any:
            return method(*args, **more)
        if net.state(net.loop.actor.process.machine, self._service) == LATE:
            self._late(name, act)
            net.cut(net.loop.actor.process.machine.name, self._service, HUNG)
            net.loop.park(self._service, PATIENCE)  # however soon others reach it again
            raise away()
        return net.effect(self._service, name, act, away, PATIENCE, _told(args, more))

    def _late(self, name: str, act: Callable[[], Any]) -> None:
        """What was sent is done after all: when nobody waits for it, and whoever has died meanwhile."""
        loop: Loop = self._net.loop

        def come() -> None:
            try:
                act()
                loop.say(f'does {name} late', self._service)
            except errors.NovaError as error:
                loop.say(f'refuses {name} late: {error}', self._service)
        loop.after(PATIENCE * 1.5, come)


def _told(args: tuple[Any, ...], more: dict[str, Any]) -> str:
    """The arguments as far as they help to read a trace."""
    words = []
    for value in (*args, *more.values()):
        if isinstance(value, str):
            words.append(value[:13])
        elif isinstance(value, dict) and 'device_id' in value:
            words.append(f'of {value["device_id"][:8]}')
        elif hasattr(value, 'uuid'):
            words.append(str(value.uuid)[:8])
    return ' '.join(words)


def reached(net: Net, fakes: FakeClients) -> clients.Clients:
    """The clients of the processes of a world."""
    return dataclasses.replace(
        fakes, image=Neighbour(net, 'image', fakes.image), volume=Neighbour(net, 'volume', fakes.volume),
        share=Neighbour(net, 'share', fakes.share), keys=Neighbour(net, 'keys', fakes.keys),
        network=neutron.Client(Neighbour(net, 'network', fakes.network.api)),
        placement=Neighbour(net, 'placement', fakes.placement))
