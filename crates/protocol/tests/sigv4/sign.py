"""Signs random requests with AWS's own signers and prints them, one JSON object a line.

Signers: botocore's SigV4Auth, S3SigV4Auth, SigV4QueryAuth, S3SigV4QueryAuth, botocore's
AwsChunkedWrapper for bodies with trailers and, where awscrt is installed, the Common Runtime for
Signature Version 4A.

usage: sign.py COUNT SEED
"""

import base64
import datetime
import io
import json
import random
import sys
from urllib.parse import quote, urlsplit

try:
    from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
except ImportError as missing:
    print(json.dumps({"skipped": f"botocore: {missing}"}))
    sys.exit(0)
try:
    from awscrt import auth as crt
    from awscrt.http import HttpHeaders, HttpRequest
except ImportError:
    crt = None

WORDS = ["a", "Zz", "0", "über", "日本", "🙂", "..", ".", "", "...", "a b", "%", "%41", "100%"]
WORDS += ["a+b", "~", "-_"]
RESERVED = "!$&'()*,:;=@"
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]
SERVICES = ["iam", "sts", "sns", "execute-api", "lambda"]


def segment(rng, plain):
    text = "".join(rng.choice(WORDS) for _ in range(rng.randint(0, 2)))
    if plain and rng.random() < 0.3:
        # Other services encode again whatever was sent, so it may be sent unescaped as well.
        return text.replace("%", "").replace(" ", "") + rng.choice(RESERVED)
    return quote(text, safe="~")


def path(rng, plain):
    segments = [segment(rng, plain) for _ in range(rng.randint(0, 5))]
    return "/" + "/".join(segments) + rng.choice(["", "", "/", "//", "/.", "/.."])


def query(rng, unique):
    pairs = []
    for _ in range(rng.choice([0, 0, 1, 2, 5])):
        key, value = rng.choice(WORDS) + rng.choice("abAB"), rng.choice(WORDS)
        repeats = 1 if unique else rng.choice([1, 1, 2])
        for _ in range(repeats):
            value = rng.choice([value, rng.choice(WORDS)])
            pair = quote(key, safe="-_.~") + "=" + quote(value, safe="-_.~")
            pairs.append(pair if unique or rng.random() < 0.8 else quote(key, safe="-_.~"))
    rng.shuffle(pairs)
    if unique:
        pairs = list({pair.split("=")[0]: pair for pair in pairs}.values())
    return "&".join(pairs)


def headers(rng):
    pairs = []
    for index in range(rng.randint(0, 4)):
        name = rng.choice(["X-Custom-", "x-amz-meta-", "My-"]) + f"h{index}"
        spaces = rng.choice(["", " ", "   ", "\t", " \t "])
        words = [rng.choice(["a", "b;c", '"q  q"', "d,e", ""]) for _ in range(3)]
        value = spaces + spaces.join(words) + spaces
        pairs.append((name, value))
        if rng.random() < 0.2:
            pairs.append((name.lower(), "again"))
    return pairs


def body(rng):
    random_bytes = rng.randbytes(rng.randint(1, 300))
    return rng.choice([b"", b"", b"Action=GetUser&Version=2010-05-08", random_bytes])


def line(kind, s3, secret, request, sent_headers, sent_body, expected, decoded=None, trailers=None):
    if isinstance(request, str):
        # A target of its own: urlsplit would take the start of `//a` for a host.
        url_path, _, url_query = request.partition("?")
    else:
        url_path, url_query = urlsplit(request.url).path, urlsplit(request.url).query
    method = expected.pop("method")
    print(json.dumps({
        "kind": kind, "s3": s3, "secret": secret, "method": method, "path": url_path,
        "query": url_query, "headers": sent_headers, "expected": expected,
        "body": base64.b64encode(sent_body).decode(),
        "decoded": None if decoded is None else base64.b64encode(decoded).decode(),
        "trailers": trailers,
    }))


def identity(rng):
    access_key = "AKIA" + "".join(rng.choice("ABCDEFGHIJKLMNOP234567") for _ in range(16))
    secret = base64.b64encode(rng.randbytes(30)).decode()
    token = base64.b64encode(rng.randbytes(90)).decode() if rng.random() < 0.5 else None
    return access_key, secret, token


def host(rng):
    places = [("https", ""), ("http", ""), ("http", ":4570"), ("https", ":443"), ("http", ":80")]
    scheme, port = rng.choice(places)
    name = rng.choice(["example.amazonaws.com", "localhost", "127.0.0.1", "bucket.s3.local"])
    default = {"https": ":443", "http": ":80"}[scheme]
    return f"{scheme}://{name}{port}", name + ("" if port == default else port)


def with_botocore(rng, kind):
    access_key, secret, token = identity(rng)
    s3, presigned = kind.startswith("S3"), kind.endswith("QueryAuth")
    region, service = rng.choice(REGIONS), "s3" if s3 else rng.choice(SERVICES)
    base, host_header = host(rng)
    search = query(rng, presigned)
    url = base + path(rng, not s3) + ("?" + search if search else "")
    sent_body = b"" if presigned else body(rng)
    method = rng.choice(["GET", "PUT", "DELETE"] if presigned or not sent_body else ["POST", "PUT"])
    request = AWSRequest(method=method, url=url, data=sent_body)
    for name, value in headers(rng):
        request.headers.add_header(name, value)
    credentials = Credentials(access_key, secret, token)
    if kind == "SigV4Auth":
        signer = SigV4Auth(credentials, service, region)
    elif kind == "S3SigV4Auth":
        signer = S3SigV4Auth(credentials, service, region)
        if rng.random() < 0.3:
            request.context["payload_signing_enabled"] = False
    elif kind == "SigV4QueryAuth":
        signer = SigV4QueryAuth(credentials, service, region, expires=rng.randint(1, 900))
    else:
        signer = S3SigV4QueryAuth(credentials, service, region, expires=rng.randint(1, 604800))
    signer.add_auth(request)
    sent = [[name, value] for name, value in request.headers.items()]
    sent.insert(rng.randint(0, len(sent)), ["Host", host_header])
    expected = {"method": method, "access_key_id": access_key, "token": token, "region": region,
                "service": service}
    line(kind, s3, secret, request, sent, sent_body, expected)


def with_trailer(rng):
    access_key, secret, token = identity(rng)
    region = rng.choice(REGIONS)
    base, host_header = host(rng)
    base = "https" + base[base.index(":"):]
    data = rng.randbytes(rng.choice([0, 1, 8192, 20000]))
    wrapped = AwsChunkedWrapper(
        io.BytesIO(data), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32",
        chunk_size=8192,
    )
    request = AWSRequest(method="PUT", url=base + path(rng, False), data=wrapped)
    request.headers["Content-Encoding"] = "aws-chunked"
    request.headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    request.headers["X-Amz-Decoded-Content-Length"] = str(len(data))
    request.context["checksum"] = {
        "request_algorithm": {
            "in": "trailer", "algorithm": "crc32", "name": "x-amz-checksum-crc32",
        }
    }
    S3SigV4Auth(Credentials(access_key, secret, token), "s3", region).add_auth(request)
    checksum = Crc32Checksum()
    checksum.update(data)
    sent = [[name, value] for name, value in request.headers.items()]
    sent = [pair for pair in sent if pair[0].lower() != "host"]
    sent.append(["Host", urlsplit(request.url).netloc.removesuffix(":443")])
    expected = {"method": "PUT", "access_key_id": access_key, "token": token, "region": region,
                "service": "s3"}
    line("trailer", True, secret, request, sent, wrapped.read(), expected, data,
         [["x-amz-checksum-crc32", checksum.b64digest()]])


def with_runtime(rng, presigned):
    access_key, secret, token = identity(rng)
    s3 = rng.random() < 0.5
    region, service = rng.choice(REGIONS), "s3" if s3 else rng.choice(SERVICES)
    regions = rng.choice([region, "*", f"eu-west-9,{region}", region[:4] + "*"])
    _, host_header = host(rng)
    search = query(rng, presigned)
    target = path(rng, False) + ("?" + search if search else "")
    sent_body = b"" if presigned else body(rng)
    extra = [pair for pair in headers(rng)]
    request = HttpRequest("GET" if not sent_body else "POST", target,
                          HttpHeaders([("Host", host_header)] + extra),
                          io.BytesIO(sent_body) if sent_body else None)
    signed_body = None
    if s3 and presigned:
        signed_body = crt.AwsSignedBodyValue.UNSIGNED_PAYLOAD
    config = crt.AwsSigningConfig(
        algorithm=crt.AwsSigningAlgorithm.V4_ASYMMETRIC,
        signature_type=(crt.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS if presigned
                        else crt.AwsSignatureType.HTTP_REQUEST_HEADERS),
        credentials_provider=crt.AwsCredentialsProvider.new_static(access_key, secret, token),
        region=regions, service=service, date=datetime.datetime.now(datetime.timezone.utc),
        use_double_uri_encode=not s3, should_normalize_uri_path=not s3,
        signed_body_value=signed_body,
        signed_body_header_type=(crt.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
                                 if s3 and not presigned else crt.AwsSignedBodyHeaderType.NONE),
        expiration_in_seconds=rng.randint(1, 900) if presigned else None,
    )
    crt.aws_sign_request(request, config).result()
    sent = [[name, value] for name, value in request.headers]
    expected = {"method": request.method, "access_key_id": access_key, "token": token,
                "region": region, "service": service}
    line("v4a-query" if presigned else "v4a", s3, secret, request.path, sent, sent_body, expected)


def main():
    count, rng = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    kinds = ["SigV4Auth", "S3SigV4Auth", "SigV4QueryAuth", "S3SigV4QueryAuth"]
    for index in range(count):
        with_botocore(rng, kinds[index % len(kinds)])
    for _ in range(count // 20):
        with_trailer(rng)
    if crt is None:
        print(json.dumps({"skipped": "Signature Version 4A: awscrt is not installed"}))
        return
    for index in range(count // 20):
        with_runtime(rng, index % 2 == 1)


main()
