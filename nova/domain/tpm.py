"""The emulated TPM that a flavor or an image asks for, and the notes of a server about its passphrase.

What the TPM keeps is encrypted by a passphrase that is with the key manager, under the deployment's own
account: hosts need it when nobody is there to ask. That is ``hw:tpm_secret_security=deployment``; there is no
other.
"""

import dataclasses
from collections.abc import Mapping

from nova import errors, objects

KEY = 'vtpm_secret_uuid'
"""Under this key a server's own notes name its passphrase, as operators know it."""

SECURITY = 'deployment'
SECURITY_TRAIT = 'COMPUTE_SECURITY_TPM_SECRET_SECURITY_DEPLOYMENT'
TRAITS: Mapping[str, str] = {'1.2': 'COMPUTE_SECURITY_TPM_1_2', '2.0': 'COMPUTE_SECURITY_TPM_2_0'}
"""Version to the trait of hosts that have it."""
MODELS: Mapping[str, str] = {'tpm-tis': 'COMPUTE_SECURITY_TPM_TIS', 'tpm-crb': 'COMPUTE_SECURITY_TPM_CRB'}
"""Model to the trait of hosts that have it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tpm:
    """`version` is 1.2 or 2.0, `model` tpm-tis or tpm-crb."""

    version: str
    model: str = 'tpm-tis'


def asked(specs: Mapping[str, str], properties: Mapping[str, object]) -> Tpm | None:
    """The TPM that is asked for; None where none is.

    Args:
        specs: extra specs of the flavor.
        properties: of the image.

    Raises:
        errors.Invalid: there is no such TPM, or flavor and image contradict each other.
    """
    version = _word('tpm_version', specs, properties)
    model = _word('tpm_model', specs, properties)
    security = _word('tpm_secret_security', specs, properties) or SECURITY
    if version is None:
        return None
    if version not in TRAITS or (model or 'tpm-tis') not in MODELS:
        raise errors.Invalid(f'There is no emulated TPM {version} of the model {model or "tpm-tis"}.')
    if version == '1.2' and model == 'tpm-crb':
        raise errors.Invalid('An emulated TPM 1.2 is of the model tpm-tis: tpm-crb is for version 2.0.')
    if security != SECURITY:
        raise errors.Invalid(f'Passphrases of TPMs are kept by the deployment here: hw:tpm_secret_security is '
                             f'{security}, and can only be {SECURITY}.')
    return Tpm(version, model or 'tpm-tis')


def _word(name: str, specs: Mapping[str, str], properties: Mapping[str, object]) -> str | None:
    by_flavor, by_image = specs.get(f'hw:{name}'), properties.get(f'hw_{name}')
    if by_flavor and by_image and by_flavor != by_image:
        raise errors.Invalid(f'hw:{name} of the flavor is {by_flavor}, hw_{name} of the image is {by_image}.')
    return by_flavor or (str(by_image) if by_image else None)


def traits(tpm: Tpm) -> set[str]:
    """Of hosts that have it."""
    return {TRAITS[tpm.version], MODELS[tpm.model], SECURITY_TRAIT}


def of_parts(flavor: objects.Flavor, image: objects.ImageMeta | None) -> Tpm | None:
    """`asked` by a flavor and an image."""
    return asked(flavor.extra_specs, image.properties.to_image() if image is not None else {})


def version_of(server: objects.Instance) -> str | None:
    """The version of a server's TPM; None where it has none. One that is there is not judged any more."""
    image = server.image_meta if server.known('image_meta') else None
    by_image = image.properties.hw_tpm_version if image is not None else None
    found = server.known('flavor') and server.flavor.extra_specs.get('hw:tpm_version') or by_image
    return str(found) if found else None


def check_same(server: objects.Instance, flavor: objects.Flavor, image: objects.ImageMeta | None) -> None:
    """A server has the TPM for life with which it was made: what that keeps would be lost.

    Raises:
        errors.Invalid: it would get one, or one of another version, or lose it.
    """
    new = of_parts(flavor, image)
    has, would_have = version_of(server), new.version if new is not None else None
    if has != would_have:
        raise errors.Invalid(
            f'Instance {server.uuid} has {_named(has)}, and would have {_named(would_have)}: a server keeps '
            'the emulated TPM with which it was made.')


def _named(version: str | None) -> str:
    return f'an emulated TPM {version}' if version is not None else 'no emulated TPM'


def check_stays(server: objects.Instance, action: str) -> None:
    """
    Raises:
        errors.server.ServerHasTpm: 409; what the server's TPM keeps would be lost by an action.
    """
    if version_of(server) is not None:
        raise errors.server.ServerHasTpm(server=server.uuid, action=action)


def secret_of(server: objects.Instance) -> str | None:
    """The id of its passphrase; None where it has no TPM, or one from before they were encrypted."""
    notes = server.system_metadata if server.known('system_metadata') else None
    return (notes or {}).get(KEY)
