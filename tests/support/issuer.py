"""Identity providers for the tests, made with Python's `cryptography`: another maker's tokens.

issuer.py keys FOLDER            makes FOLDER/key.pem and FOLDER/jwks.json
issuer.py sign FOLDER CLAIMS     prints a token of the claims
issuer.py serve FOLDER ISSUER    answers the discovery document and the keys over HTTPS, with a
                                 certificate of its own authority; prints port and thumbprint
issuer.py metadata FOLDER ENTITY prints the SAML metadata of an entity with that key
issuer.py verify FOLDER JWKS JWT  prints the claims of a token that one of those keys signed
issuer.py saml FOLDER FACTS      prints a SAML response of the facts, signed, in base64
"""

import base64
import datetime
import http.server
import json
import pathlib
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def keys(folder):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "key.pem").write_bytes(pem(key))
    public = key.public_key().public_numbers()
    jwk = {"kty": "RSA", "kid": "first", "use": "sig", "alg": "RS256"}
    jwk.update(n=number(public.n), e=number(public.e))
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwk]}))


def sign(folder, claims):
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    header = json.dumps({"alg": "RS256", "kid": "first", "typ": "JWT"})
    signed = f"{encode(header.encode())}.{encode(claims.encode())}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    print(f"{signed}.{encode(signature)}")


def certificate(name, key, issuer, issuer_key, authority):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def serve(folder, issuer):
    host = issuer.removeprefix("https://").split("/")[0]
    root = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    authority = certificate("Test authority", root, "Test authority", root, True)
    leaf = certificate(host, own, "Test authority", root, False)
    chain = [one.public_bytes(serialization.Encoding.PEM) for one in (leaf, authority)]
    (folder / "chain.pem").write_bytes(b"".join(chain) + pem(own))
    path = issuer.removeprefix("https://" + host)
    documents = {
        f"{path}/.well-known/openid-configuration": json.dumps(
            {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        ),
        f"{path}/keys": (folder / "jwks.json").read_text(),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            document = documents.get(self.path, "").encode()
            self.send_response(200 if document else 404)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, authority.fingerprint(hashes.SHA1()).hex(), flush=True)
    server.serve_forever()


def metadata(folder, entity):
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    own = certificate("idp.example.com", key, "idp.example.com", key, False)
    text = base64.b64encode(own.public_bytes(serialization.Encoding.DER)).decode()
    print(
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">'
        '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">'
        f"<X509Data><X509Certificate>{text}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="{entity}/sso"/></IDPSSODescriptor></EntityDescriptor>'
    )


def digest(text):
    made = hashes.Hash(hashes.SHA256())
    made.update(text.encode())
    return base64.b64encode(made.finalize()).decode()


DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INFO = (
    '<ds:SignedInfo{namespace}><ds:CanonicalizationMethod Algorithm="{exclusive}">'
    '</ds:CanonicalizationMethod><ds:SignatureMethod '
    'Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
    '<ds:Reference URI="#{id}"><ds:Transforms><ds:Transform '
    'Algorithm="{dsig}enveloped-signature"></ds:Transform><ds:Transform '
    'Algorithm="{exclusive}"></ds:Transform></ds:Transforms><ds:DigestMethod '
    'Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)


def assertion(facts, signature):
    """Canonical as it stands: attributes in order, no empty tags, namespaces where they are used."""
    attributes = "".join(
        f'<saml:Attribute Name="{name}">'
        + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in facts["attributes"].items()
    )
    return (
        f'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{facts["id"]}" '
        f'IssueInstant="{facts["issued"]}" Version="2.0"><saml:Issuer>{facts["issuer"]}'
        f"</saml:Issuer>{signature}<saml:Subject><saml:NameID "
        'Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">'
        f'{facts["subject"]}</saml:NameID><saml:SubjectConfirmation '
        'Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
        f'NotOnOrAfter="{facts["expires"]}" Recipient="https://signin.aws.amazon.com/saml">'
        "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
        f'<saml:Conditions NotOnOrAfter="{facts["expires"]}"><saml:AudienceRestriction>'
        f'<saml:Audience>{facts["audience"]}</saml:Audience></saml:AudienceRestriction>'
        f"</saml:Conditions><saml:AttributeStatement>{attributes}</saml:AttributeStatement>"
        "</saml:Assertion>"
    )


def saml(folder, text):
    facts = json.loads(text)
    now = datetime.datetime.now(datetime.timezone.utc)
    moved = datetime.timedelta(seconds=facts.get("age", 0))
    facts["issued"] = (now - moved).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts["expires"] = (now + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    values = {"exclusive": EXCLUSIVE, "dsig": DSIG, "id": facts["id"]}
    values["digest"] = digest(assertion(facts, ""))
    signed = INFO.format(namespace=f' xmlns:ds="{DSIG}"', **values)
    made = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    signature = (
        f'<ds:Signature xmlns:ds="{DSIG}">{INFO.format(namespace="", **values)}'
        f"<ds:SignatureValue>{base64.b64encode(made).decode()}</ds:SignatureValue></ds:Signature>"
    )
    response = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_response" '
        'Version="2.0"><samlp:Status><samlp:StatusCode '
        'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
        f"{assertion(facts, signature)}</samlp:Response>"
    )
    print(base64.b64encode(response.encode()).decode())


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(folder, keyset, token):
    """Prints the claims of a token that one of the published keys signed."""
    signed, signature = token.rsplit(".", 1)
    header, claims = (json.loads(decode(part)) for part in signed.split("."))
    (key,) = [key for key in json.loads(keyset)["keys"] if key["kid"] == header["kid"]]
    assert key["alg"] == header["alg"] and key["use"] == "sig", key
    integer = lambda name: int.from_bytes(decode(key[name]), "big")
    data, made = signed.encode(), decode(signature)
    if key["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(integer("e"), integer("n")).public_key()
        public.verify(made, data, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert key["crv"] == "P-384", key
        point = ec.EllipticCurvePublicNumbers(integer("x"), integer("y"), ec.SECP384R1())
        halves = [int.from_bytes(half, "big") for half in (made[:48], made[48:])]
        point.public_key().verify(encode_dss_signature(*halves), data, ec.ECDSA(hashes.SHA384()))
    print(json.dumps(claims))


ORDERS = {
    "keys": keys,
    "sign": sign,
    "serve": serve,
    "metadata": metadata,
    "saml": saml,
    "verify": verify,
}

if __name__ == "__main__":
    order, folder, *rest = sys.argv[1:]
    ORDERS[order](pathlib.Path(folder), *rest)
