"""A password on its way to a guest."""

from nova.clients.trust import Trust
from nova.ops import password


def _state():
    return password.PasswordState(password=Trust(['secret']).hide('s3cret'))


def _start(world):
    uuid = world.running()
    world.drivers[world.server(uuid).host].site.guests[uuid].agent = True
    world.begin(uuid, password.ChangePassword, _state())
    return uuid


CASES = {'change_password': _start}
STATES = {'change_password': _state}
