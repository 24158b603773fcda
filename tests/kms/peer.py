"""Another maker's cryptography for the tests of KMS: Python's `cryptography`.

One JSON order as the only argument, one JSON answer on stdout; bytes are in base64.
"""

import base64
import json
import os
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512, "1": hashes.SHA1}


def of(text):
    return base64.b64decode(text)


def shown(value):
    return base64.b64encode(value).decode()


def oaep(algorithm):
    digest = HASHES[algorithm.rsplit("_", 1)[1]]()
    return padding.OAEP(padding.MGF1(digest), digest, None)


def wrap(order):
    """Material as ImportKeyMaterial takes it (RFC 8017; RFC 5649 for the second step)."""
    public = serialization.load_der_public_key(of(order["public"]))
    material = of(order["material"])
    if not order["algorithm"].startswith("RSA_AES_KEY_WRAP"):
        return shown(public.encrypt(material, oaep(order["algorithm"])))
    key = os.urandom(32)
    wrapped = keywrap.aes_key_wrap_with_padding(key, material)
    return shown(public.encrypt(key, oaep(order["algorithm"])) + wrapped)


def encrypt(order):
    public = serialization.load_der_public_key(of(order["public"]))
    return shown(public.encrypt(of(order["plain"]), oaep(order["algorithm"])))


def verify(order):
    public = serialization.load_der_public_key(of(order["public"]))
    message, signature = of(order["message"]), of(order["signature"])
    algorithm = order["algorithm"]
    digest = HASHES.get(algorithm.rsplit("_", 1)[1], hashes.SHA256)()
    try:
        if algorithm.startswith("RSASSA_PSS"):
            salt = digest.digest_size
            public.verify(signature, message, padding.PSS(padding.MGF1(digest), salt), digest)
        elif algorithm.startswith("RSASSA"):
            public.verify(signature, message, padding.PKCS1v15(), digest)
        elif algorithm.startswith("ECDSA"):
            public.verify(signature, message, ec.ECDSA(digest))
        else:
            public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def agree(order):
    """A key of the same curve, and what both make of each other."""
    theirs = serialization.load_der_public_key(of(order["public"]))
    ours = ec.generate_private_key(theirs.curve)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = ours.public_key().public_bytes(serialization.Encoding.DER, form)
    return {"public": shown(public), "shared": shown(ours.exchange(ec.ECDH(), theirs))}


def pair(order):
    """The public half of a private key in PKCS #8."""
    private = serialization.load_der_private_key(of(order["private"]), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return shown(private.public_key().public_bytes(serialization.Encoding.DER, form))


order = json.loads(sys.argv[1])
print(json.dumps(globals()[order["do"]](order)))
