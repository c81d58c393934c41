"""Glance in memory."""

import copy
import datetime
from collections.abc import Collection, Iterator, Mapping

from nova import context as nova_context
from nova import errors
from nova.clients import glance
from nova.clients.fake.base import Fake, effect, probe
from nova.clients.protocols import Data
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.objects.image_meta import ImageMeta


class FakeImage(Fake):
    """`protocols.ImageClient` in memory. ``images`` and ``data`` are open to assertions.

    Attributes:
        gone: ids of images that were deleted: none of them is used again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[str, JsonObject] = {}
        self.data: dict[str, bytes] = {}
        self.gone: set[str] = set()
        self._made = 0

    def add(self, image_id: str | None = None, data: bytes = b'image', *, owner: str = 'project',
            visibility: str = 'public', **more: object) -> str:
        """Put an active image there."""
        image_id = image_id or uuids.generate()
        self.data[image_id] = data
        self.images[image_id] = {
            'id': image_id, 'name': 'image', 'status': 'active', 'owner': owner, 'visibility': visibility,
            'size': len(data), 'virtual_size': None, 'min_disk': 0, 'min_ram': 0, 'disk_format': 'raw',
            'container_format': 'bare', 'checksum': None, 'tags': [], 'protected': False, 'os_hidden': False,
            'created_at': self._next_time(), 'updated_at': '2026-01-01T00:00:00Z', **more}
        return image_id

    def _next_time(self) -> str:
        """A second after the image before."""
        self._made += 1
        when = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=self._made)
        return f'{when.isoformat()}Z'

    @probe
    def show(self, image_id: str, context: nova_context.RequestContext | None = None) -> ImageMeta:
        image = self.images.get(image_id)
        if image is None or not self._sees(context, image):
            raise errors.image.ImageNotFound(image=image_id)
        return glance.meta(copy.deepcopy(image))

    @staticmethod
    def _sees(context: nova_context.RequestContext | None, image: JsonObject) -> bool:
        return (context is None or not context.auth_token or context.is_admin
                or image['visibility'] in ('public', 'community') or image['owner'] == context.project_id)

    @effect
    def create(self, values: JsonObject, context: nova_context.RequestContext | None = None) -> str:
        ident = values.get('id')
        if ident in self.images or ident in self.gone:
            return str(ident)
        owner = context.project_id if context and context.auth_token else None
        given: JsonObject = {'visibility': 'private', 'owner': owner or 'project', **values, 'image_id': ident}
        image_id = self.add(**given)
        self.images[image_id].update({'id': image_id, 'status': 'queued', 'size': None})
        del self.data[image_id]
        return image_id

    def _known(self, image_id: str) -> JsonObject:
        if image_id not in self.images:
            raise errors.image.ImageNotFound(image=image_id)
        return self.images[image_id]

    @effect
    def update(self, image_id: str, values: JsonObject) -> None:
        self._known(image_id).update(values)

    @effect
    def upload(self, image_id: str, data: Data) -> None:
        image = self._known(image_id)
        if image['status'] != 'queued':
            raise errors.Conflict(f'Image {image_id} has data.')
        content = data if isinstance(data, bytes) else b''.join(data)
        self.data[image_id] = content
        image.update({'status': 'active', 'size': len(content)})

    @probe
    def download(self, image_id: str) -> Iterator[bytes]:
        self._known(image_id)
        return iter([self.data[image_id]])

    @effect
    def delete(self, image_id: str) -> None:
        if self.images.get(image_id, {}).get('protected'):
            raise errors.Forbidden(f'Image {image_id} is protected.')
        self._remove(image_id)

    def _remove(self, image_id: str) -> None:
        self.gone.add(image_id)
        self.images.pop(image_id, None)
        self.data.pop(image_id, None)

    # As the user

    @probe
    def documents(self, context: nova_context.RequestContext | None, filters: Mapping[str, str], limit: int,
                  marker: str | None) -> list[JsonObject]:
        seen = [copy.deepcopy(image) for image in self.images.values() if self._sees(context, image)
                and all(str(image.get(name)) == value for name, value in filters.items()
                        if name not in ('sort_key', 'sort_dir'))]
        if 'sort_key' in filters:
            seen.sort(key=lambda image: str(image[filters['sort_key']]),
                      reverse=filters.get('sort_dir', 'desc') == 'desc')
        if marker:
            places = [image['id'] for image in seen]
            if marker not in places:
                raise errors.Invalid(f'Image {marker} could not be found.')
            seen = seen[places.index(marker) + 1:]
        return seen[:limit]

    def _owned(self, context: nova_context.RequestContext, image_id: str) -> JsonObject:
        image = self._known(image_id)
        if not self._sees(context, image):
            raise errors.image.ImageNotFound(image=image_id)
        if not context.is_admin and image['owner'] != context.project_id:
            raise errors.image.ImageForbidden(image=image_id)
        return image

    @probe
    def document(self, context: nova_context.RequestContext, image_id: str) -> JsonObject:
        image = self._known(image_id)
        if not self._sees(context, image):
            raise errors.image.ImageNotFound(image=image_id)
        return copy.deepcopy(image)

    @effect
    def alter(self, context: nova_context.RequestContext, image_id: str, put: Mapping[str, str],
              drop: Collection[str]) -> JsonObject:
        image = self._owned(context, image_id)
        image.update(put)
        for name in drop:
            del image[name]
        return copy.deepcopy(image)

    @effect
    def discard(self, context: nova_context.RequestContext, image_id: str) -> None:
        image = self._owned(context, image_id)
        if image['protected']:
            raise errors.image.ImageForbidden(image=image_id)
        self._remove(image_id)
