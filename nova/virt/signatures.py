"""Signatures of images: who vouches for the bytes; cursive judges them, by certificates of the key manager."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cursive.certificate_utils import CertificateVerificationContext
from cursive.exception import SignatureVerificationError
from cursive.signature_utils import SignatureKeyType, get_hash_method, get_signature
from oslo_config import cfg
from oslo_context import context as oslo
from oslo_log import log

from nova import errors
from nova.keymgr import Keys, NotGiven
from nova.objects import ImageMeta

LOG = log.getLogger(__name__)


class _Hash(Protocol):
    """What cursive makes for a kind of key."""

    def update(self, data: bytes) -> None: ...

    def verify(self) -> None: ...


class Verifier:
    """Fed with the bytes of an image, it says whether they were signed.

    Attributes:
        signature: of the image: other bytes have another one.
    """

    def __init__(self, image: ImageMeta, signature: str, made: _Hash) -> None:
        self._image, self.signature, self._made = image, signature, made

    def update(self, piece: bytes) -> None:
        self._made.update(piece)

    def verify(self) -> None:
        """
        Raises:
            errors.image.ImageUnusable: what it was fed with was not signed.
        """
        try:
            self._made.verify()
        except InvalidSignature as error:
            raise errors.image.ImageUnusable(
                image=self._image.id, reason='its data does not have its signature') from error


Asked = Callable[[ImageMeta], Verifier]
"""What makes the verifier of an image.

Raises:
    errors.image.ImageUnusable: it is not signed, or by a certificate that is not trusted.
"""


class Signatures:
    """Who has to have signed images, by ``[glance]`` and by what a server's owner trusts."""

    def __init__(self, conf: cfg.ConfigOpts, keys: Keys) -> None:
        self._conf, self._keys = conf, keys

    def asked(self, context: oslo.RequestContext, trusted: Sequence[str] | None = None) -> Asked | None:
        """What makes the verifier of an image; None where nobody asks for a signature.

        Args:
            trusted: certificates that the server's owner named (2.63); they count instead of
                ``default_trusted_certificate_ids``.
        """
        if not (trusted or self._conf.glance.verify_glance_signatures):
            return None
        return functools.partial(self._verifier, context, trusted)

    def _verifier(self, context: oslo.RequestContext, trusted: Sequence[str] | None, image: ImageMeta
                  ) -> Verifier:
        """
        Raises:
            errors.image.ImageUnusable: it is not signed, or by a certificate that is not trusted.
        """
        of = image.properties
        said = (of.img_signature_certificate_uuid, of.img_signature, of.img_signature_hash_method,
                of.img_signature_key_type)
        if None in said:
            raise errors.image.ImageUnusable(image=image.id, reason='it is not signed')
        certificate_id, signature, hash_method, key_type = map(str, said)
        try:
            kind = SignatureKeyType.lookup(key_type)
            certificate = self._keys.certificate(context, certificate_id)
            if trusted or self._conf.glance.enable_certificate_validation:
                chain = CertificateVerificationContext(list(self._trusted(
                    context, trusted or self._conf.glance.default_trusted_certificate_ids)))
                chain.update(certificate)
                chain.verify()
            key = certificate.public_key()
            if not isinstance(key, kind.public_key_type):
                raise SignatureVerificationError(f'the key of {certificate_id} is not one of {key_type}')
            made = kind.create_verifier(get_signature(signature), get_hash_method(hash_method.upper()), key)
        except (SignatureVerificationError, NotGiven) as error:
            raise errors.image.ImageUnusable(image=image.id, reason=f'its signature: {error}') from error
        return Verifier(image, signature, made)

    def _trusted(self, context: oslo.RequestContext, ids: Iterable[str]) -> Iterable[tuple[str, object]]:
        for each in ids:
            try:
                yield each, self._keys.certificate(context, each)
            except NotGiven as error:
                LOG.warning('The certificate %s, which is to be trusted, is left out: %s', each, error)
