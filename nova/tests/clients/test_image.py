"""Image client: the same promises by the fake and over the sandbox's Glance."""

import io
from typing import Any

import pytest

from nova import errors
from nova.common import uuids


def test_show(there: Any) -> None:
    shown = there.clients.image.show(there.image, there.user)
    assert (shown.id, shown.status) == (there.image, 'active')
    assert there.clients.image.show(there.image).id == there.image
    with pytest.raises(errors.image.ImageNotFound):
        there.clients.image.show(uuids.generate(), there.user)


def test_a_snapshot_is_made_in_steps_that_may_repeat(there: Any) -> None:
    client, wanted = there.clients.image, uuids.generate()
    for _ in range(2):
        made = client.create({'id': wanted, 'name': 'snap', 'owner': there.user.project_id,
                              'disk_format': 'raw', 'container_format': 'bare', 'visibility': 'private'})
    assert made == wanted
    client.update(wanted, {'base_image_ref': 'x', 'min_disk': 3})
    client.upload(wanted, io.BytesIO(b'disk' * 1000))
    assert b''.join(client.download(wanted)) == b'disk' * 1000
    shown = client.show(wanted, there.user)
    assert (shown.status, shown.size, shown.min_disk, shown.owner) == ('active', 4000, 3, there.user.project_id)
    assert shown.properties.rest['base_image_ref'] == 'x'
    with pytest.raises(errors.image.ImageNotFound):
        client.show(wanted, there.stranger)
    for _ in range(2):
        client.delete(wanted)
    with pytest.raises(errors.image.ImageNotFound):
        client.show(wanted, there.user)


def test_images_as_their_user_has_them(there: Any) -> None:
    """What clients of ours ask about images is asked in the user's name: Glance decides."""
    client, mine = there.clients.image, uuids.generate()
    client.create({'id': mine, 'name': 'mine', 'owner': there.user.project_id, 'disk_format': 'raw',
                   'container_format': 'bare', 'visibility': 'private'})
    client.upload(mine, io.BytesIO(b'disk'))
    assert [one['id'] for one in client.documents(there.user, {'name': 'mine'}, 10, None)] == [mine]
    assert client.documents(there.stranger, {'name': 'mine'}, 10, None) == []
    first, = client.documents(there.user, {}, 1, None)
    assert first['id'] not in [one['id'] for one in client.documents(there.user, {}, 10, first['id'])]
    changed = client.alter(there.user, mine, {'color/tone': 'red', 'shape': 'round'}, [])
    assert (changed['color/tone'], client.document(there.user, mine)['shape']) == ('red', 'round')
    assert 'shape' not in client.alter(there.user, mine, {}, ['shape'])
    other = there.stranger
    for refused in (lambda: client.alter(other, mine, {'a': 'b'}, []), lambda: client.document(other, mine),
                    lambda: client.discard(other, mine)):
        with pytest.raises((errors.image.ImageNotFound, errors.image.ImageForbidden)):
            refused()
    client.discard(there.user, mine)
    with pytest.raises(errors.image.ImageNotFound):
        client.discard(there.user, mine)
    assert client.documents(there.user, {'name': 'mine'}, 10, None) == []
