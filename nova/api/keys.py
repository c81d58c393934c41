"""Keys themselves: reading, making and fingerprinting them."""

import base64
import binascii
import dataclasses
import datetime
import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nova import errors
from nova.common import clock

_BITS = 2048
_YEARS = 10


class KeyInvalid(errors.Invalid):
    template = 'Keypair data is invalid: {reason}'


@dataclasses.dataclass(frozen=True)
class Pair:
    """A key; `private` only of one that was made here, and kept nowhere."""

    public: str
    fingerprint: str
    private: str | None = dataclasses.field(default=None, repr=False)


def imported(kind: str, public: str) -> Pair:
    """A key whose public half the user has.

    Raises:
        KeyInvalid: it cannot be read.
    """
    return Pair(public, ssh_fingerprint(public) if kind == 'ssh' else x509_fingerprint(public))


def generated(kind: str, name: str) -> Pair:
    """A new pair."""
    return _ssh() if kind == 'ssh' else _certificate(name)


def ssh_fingerprint(public: str) -> str:
    """MD5 of the key, in pairs of digits: what ssh-keygen showed when this API was new.

    Raises:
        KeyInvalid: no OpenSSH public key.
    """
    try:
        blob = base64.b64decode(public.split(' ')[1], validate=True)
        serialization.load_ssh_public_key(public.encode())
    except (IndexError, binascii.Error, ValueError, UnsupportedAlgorithm):
        raise KeyInvalid(reason='failed to generate fingerprint') from None
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ':'.join(digest[i:i + 2] for i in range(0, 32, 2))


def x509_fingerprint(certificate: str) -> str:
    """SHA-1 of the certificate, in pairs of digits.

    Raises:
        KeyInvalid: no PEM certificate.
    """
    try:
        digest = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA1()).hex()
    except ValueError:
        raise KeyInvalid(reason='failed to generate X509 fingerprint') from None
    return ':'.join(digest[i:i + 2] for i in range(0, 40, 2))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _ssh() -> Pair:
    key = ec.generate_private_key(ec.SECP521R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode() + ' Generated-by-Nova'
    return Pair(public, ssh_fingerprint(public), _pem(key, serialization.PrivateFormat.OpenSSH))


def _certificate(name: str) -> Pair:
    """A self-signed client certificate, which is what Windows guests take."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = clock.utcnow()
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(key, hashes.SHA256()))
    public = made.public_bytes(serialization.Encoding.PEM).decode()
    return Pair(public, x509_fingerprint(public), _pem(key, serialization.PrivateFormat.PKCS8))
