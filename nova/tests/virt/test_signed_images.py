"""Signed images: whose signature counts, and that nobody boots from other bytes than those that were signed."""

import base64
import datetime
import functools

import pytest
from castellan.common import exception
from castellan.common.objects import x_509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from nova import conf as nova_conf
from nova import context, errors, keymgr, objects
from nova.virt.libvirt.cache import ImageCache
from nova.virt.signatures import Signatures

CONTEXT = context.RequestContext('user', 'project')
DATA = b'the bytes of an image' * 100
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH)


def certificate(name, key, issuer=None, signer=None, ca=False):
    """A certificate, signed by itself where no issuer is named."""
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - day).not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(*[False] * 5, key_cert_sign=ca, crl_sign=False, encipher_only=False,
                                         decipher_only=False), critical=True)
            .sign(signer or key, hashes.SHA256()))


@functools.cache
def authority():
    """Keys and certificates by name: one authority, another one, and what the first has signed."""
    roots = {name: rsa.generate_private_key(65537, 2048) for name in ('root', 'other')}
    made = {name: certificate(name, key, ca=True) for name, key in roots.items()}
    keys = {'rsa': rsa.generate_private_key(65537, 2048), 'ec': ec.generate_private_key(ec.SECP384R1())}
    for name, key in keys.items():
        made[name] = certificate(name, key, made['root'], roots['root'])
    return keys, made


class Manager:
    """A key manager with certificates."""

    def get(self, context, name):
        made = authority()[1]
        if name not in made:
            raise exception.ManagedObjectNotFoundError(uuid=name)
        return x_509.X509(made[name].public_bytes(Encoding.DER))


def image(signer='rsa', data=DATA, **others):
    keys, _ = authority()
    if signer == 'ec':
        signature, kind = keys['ec'].sign(data, ec.ECDSA(hashes.SHA256())), 'ECC_SECP384R1'
    else:
        signature, kind = keys['rsa'].sign(data, PSS, hashes.SHA256()), 'RSA-PSS'
    said = {'img_signature': base64.b64encode(signature).decode(), 'img_signature_hash_method': 'SHA-256',
            'img_signature_key_type': kind, 'img_signature_certificate_uuid': signer, **others}
    said = {name: value for name, value in said.items() if value is not None}
    return objects.ImageMeta.from_image({'id': 'image', 'disk_format': 'raw', **said})


def signatures(**options):
    conf = nova_conf.new(config_files=[], **{f'glance.{name}': value for name, value in options.items()})
    return Signatures(conf, keymgr.Keys(conf, Manager()))


VERIFYING = {'verify_glance_signatures': True}
VALIDATING = {**VERIFYING, 'enable_certificate_validation': True}


def fed(verifier, data=DATA):
    for number in range(0, len(data), 100):
        verifier.update(data[number:number + 100])
    verifier.verify()


@pytest.mark.parametrize('signer', ['rsa', 'ec'])
def test_what_was_signed(signer):
    found = signatures(**VERIFYING)
    fed(found.asked(CONTEXT)(image(signer)))
    with pytest.raises(errors.image.ImageUnusable, match='does not have its signature'):
        fed(found.asked(CONTEXT)(image(signer)), DATA + b'!')


@pytest.mark.parametrize(('options', 'trusted'), [
    ({}, ['root']), (VERIFYING, None), ({**VALIDATING, 'default_trusted_certificate_ids': ['root']}, None),
    ({**VALIDATING, 'default_trusted_certificate_ids': ['other']}, ['gone', 'root'])])
def test_whose_signature_counts(options, trusted):
    fed(signatures(**options).asked(CONTEXT, trusted)(image()))


@pytest.mark.parametrize(('options', 'trusted'), [
    ({}, ['other']), (VALIDATING, None), ({**VALIDATING, 'default_trusted_certificate_ids': ['other']}, None),
    ({**VALIDATING, 'default_trusted_certificate_ids': ['root']}, ['other']), (VALIDATING, ['gone'])])
def test_whose_signature_does_not_count(options, trusted):
    with pytest.raises(errors.image.ImageUnusable, match='Could not locate the signing certificate'):
        signatures(**options).asked(CONTEXT, trusted)(image())


@pytest.mark.parametrize(('wrong', 'reason'), [
    ({'img_signature': None}, 'it is not signed'), ({'img_signature_certificate_uuid': 'gone'}, 'gone'),
    ({'img_signature_key_type': 'ROT13'}, 'ROT13'), ({'img_signature_key_type': 'DSA'}, 'DSA')])
def test_signatures_that_cannot_be_used(wrong, reason):
    with pytest.raises(errors.image.ImageUnusable, match=reason):
        signatures(**VERIFYING).asked(CONTEXT)(image(**wrong))


def test_nobody_asks():
    assert signatures(enable_certificate_validation=True).asked(CONTEXT) is None


class Images:
    """An image service with one image."""

    def __init__(self, shown=None, data=DATA):
        self.shown, self.data, self.downloads = shown or image(), data, 0

    def show(self, image_id):
        return self.shown

    def download(self, image_id):
        self.downloads += 1
        yield from (self.data[:700], self.data[700:])


def test_the_cache_has_what_was_signed(tmp_path):
    """What came before anybody asked for a signature is brought again; what was verified is not."""
    cache, images = ImageCache(tmp_path, None, force_raw=False), Images()
    signed = signatures(**VERIFYING).asked(CONTEXT)
    for asked, downloads in ((None, 1), (signed, 2), (signed, 2), (None, 2)):
        file = cache.fetch(images, 'image', lambda: None, asked)
        assert file.read_bytes() == DATA and images.downloads == downloads
    images.shown = image(data=b'other bytes')
    with pytest.raises(errors.image.ImageUnusable):
        cache.fetch(images, 'image', lambda: None, signed)
    assert file.read_bytes() == DATA, 'who uses it goes on'
    assert cache.evict({file}, -1) == [] and cache.evict(set(), -1) == [file]
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_are_not_kept(tmp_path):
    cache = ImageCache(tmp_path, None, force_raw=False)
    with pytest.raises(errors.image.ImageUnusable):
        cache.fetch(Images(data=DATA[::-1]), 'image', lambda: None,
                    signatures(**VERIFYING).asked(CONTEXT))
    assert list(tmp_path.iterdir()) == []
