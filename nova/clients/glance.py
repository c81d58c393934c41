"""Glance: what an image is, its data, and the images that snapshots make."""

from collections.abc import Collection, Iterator, Mapping

from nova import context as nova_context
from nova import errors
from nova.clients import session
from nova.clients.protocols import Data
from nova.common.jsonutil import JsonObject
from nova.objects.image_meta import ImageMeta

_CHUNK = 1024 * 1024
_PATCH = 'application/openstack-images-v2.1-json-patch'

Context = nova_context.RequestContext | None


def meta(image: JsonObject) -> ImageMeta:
    """The record of an image as Glance's v2 API shows it."""
    return ImageMeta.from_image(image)


def _pointer(name: str) -> str:
    """A property's place in an image, as JSON Patch writes it."""
    return '/' + name.replace('~', '~0').replace('/', '~1')


class Client:
    """`protocols.ImageClient` over HTTP."""

    def __init__(self, service: session.Service) -> None:
        self._service = service

    def _on(self, image_id: str) -> session.Translation:
        return {404: lambda message: errors.image.ImageNotFound(image=image_id),
                403: lambda message: errors.image.ImageForbidden(image=image_id)}

    def show(self, image_id: str, context: Context = None) -> ImageMeta:
        return meta(self._document(image_id, context))

    def _document(self, image_id: str, context: Context) -> JsonObject:
        found: JsonObject = self._service.call(
            'GET', f'/v2/images/{image_id}', context=context, on=self._on(image_id)).json()
        return found

    def create(self, values: JsonObject, context: Context = None) -> str:
        """See `ImageClient.create`.

        Raises:
            Forbidden: the user's images are limited.
            Invalid: Glance does not accept the values.
        """
        answer = self._service.call('POST', '/v2/images', body=dict(values), context=context, allow=(409,),
                                    on={413: errors.Forbidden})
        if answer.status == 409:
            if not values.get('id'):
                raise errors.Conflict(f'The image service refuses the image: {answer.message}')
            return str(values['id'])
        return str(answer.json()['id'])

    def update(self, image_id: str, values: JsonObject) -> None:
        changes = [{'op': 'add', 'path': _pointer(name), 'value': value} for name, value in values.items()]
        self._service.call('PATCH', f'/v2/images/{image_id}', body=changes, headers={'Content-Type': _PATCH},
                           on=self._on(image_id))

    def upload(self, image_id: str, data: Data) -> None:
        """See `ImageClient.upload`.

        Raises:
            ImageNotFound: the image is gone.
            Conflict: it has data.
        """
        self._service.call('PUT', f'/v2/images/{image_id}/file', data=data,
                           headers={'Content-Type': 'application/octet-stream'},
                           on={**self._on(image_id), 409: errors.Conflict, 413: errors.Forbidden})

    def download(self, image_id: str) -> Iterator[bytes]:
        """See `ImageClient.download`.

        Raises:
            ImageNotFound: no such image.
            ImageNotActive: it has no data.
        """
        answer = self._service.call('GET', f'/v2/images/{image_id}/file', stream=True,
                                    headers={'Accept': 'application/octet-stream'}, on=self._on(image_id))
        if answer.status == 204:
            raise errors.image.ImageNotActive(image=image_id)
        return iter(answer.chunks(_CHUNK))

    def delete(self, image_id: str) -> None:
        """See `ImageClient.delete`.

        Raises:
            Forbidden: it is protected.
            Conflict: it is in use.
        """
        self._service.call('DELETE', f'/v2/images/{image_id}', allow=(404,),
                           on={403: errors.Forbidden, 409: errors.Conflict})

    def documents(self, context: Context, filters: Mapping[str, str], limit: int,
                  marker: str | None) -> list[JsonObject]:
        """See `ImageClient.documents`."""
        params = [*filters.items(), ('limit', str(limit)), *([('marker', marker)] if marker else [])]
        found: list[JsonObject] = self._service.call(
            'GET', '/v2/images', params=params, context=context, on={400: errors.Invalid}).json()['images']
        return found

    # As the user, for clients of ours that ask about images

    def document(self, context: nova_context.RequestContext, image_id: str) -> JsonObject:
        """See `ImageClient.document`."""
        return self._document(image_id, context)

    def alter(self, context: nova_context.RequestContext, image_id: str, put: Mapping[str, str],
              drop: Collection[str]) -> JsonObject:
        """See `ImageClient.alter`."""
        changes: list[JsonObject] = [{'op': 'add', 'path': _pointer(name), 'value': value}
                                     for name, value in put.items()]
        changes += [{'op': 'remove', 'path': _pointer(name)} for name in drop]
        found: JsonObject = self._service.call(
            'PATCH', f'/v2/images/{image_id}', body=changes, headers={'Content-Type': _PATCH}, context=context,
            on={**self._on(image_id), 400: errors.Invalid, 409: errors.Conflict}).json()
        return found

    def discard(self, context: nova_context.RequestContext, image_id: str) -> None:
        """See `ImageClient.discard`."""
        self._service.call('DELETE', f'/v2/images/{image_id}', context=context,
                           on={**self._on(image_id), 409: errors.Conflict})
