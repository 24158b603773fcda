"""Runs boto3 for the tests: one JSON order a line on stdin, one JSON answer a line on stdout.

`call` is a plain boto3 call. `raw` signs a request with botocore's signer and sends it through a
bare socket, so that a test may spoil any part of it on the way.
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import socket
import struct
import sys

import boto3
import botocore.auth
from botocore import xform_name
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

# Where the common runtime is installed, it signs instead of botocore.
SIGNERS = [botocore.auth] + ([botocore.crt.auth] if botocore.auth.HAS_CRT else [])

clients = {}
look_up = socket.getaddrinfo


def look_up_locally(host, *rest, **more):
    """Access points and accounts stand before the endpoint's name, where no resolver knows them."""
    if isinstance(host, str) and host.endswith((".localhost", ".127.0.0.1")):
        host = "127.0.0.1"
    return look_up(host, *rest, **more)


socket.getaddrinfo = look_up_locally


def client(order):
    keys = order["keys"]
    name = json.dumps([order["service"], order.get("region"), order.get("unchecked"), keys, order["endpoint"]])
    if name not in clients:
        clients[name] = boto3.client(
            order["service"],
            endpoint_url=order["endpoint"],
            region_name=order.get("region") or "us-east-1",
            aws_access_key_id=keys["id"],
            aws_secret_access_key=keys["secret"],
            aws_session_token=keys.get("token"),
            verify=order.get("ca_bundle"),
            config=Config(
                retries={"total_max_attempts": 1},
                parameter_validation=not order.get("unchecked"),
            ),
        )
    return clients[name]


def set_clock(moved_seconds):
    """Requests are signed at the server's time, which tests move."""
    moved = datetime.timedelta(seconds=moved_seconds)

    def now(remove_tzinfo=True):
        then = datetime.datetime.now(datetime.timezone.utc) + moved
        return then.replace(tzinfo=None if remove_tzinfo else datetime.timezone.utc)

    for signer in SIGNERS:
        signer.get_current_datetime = now


def with_bytes(value):
    """The input with each `{"base64": …}` in it as the bytes that it stands for."""
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    if isinstance(value, dict):
        if list(value) == ["base64"]:
            return base64.b64decode(value["base64"])
        return {key: with_bytes(item) for key, item in value.items()}
    return value


def call(order):
    try:
        method = getattr(client(order), xform_name(order["operation"]))
        answer = method(**with_bytes(order["input"]))
    except ClientError as error:
        told = error.response
        metadata = told.get("ResponseMetadata", {})
        return {
            "error": {
                "code": told["Error"].get("Code", ""),
                "message": told["Error"].get("Message", ""),
                "status": metadata.get("HTTPStatusCode", 0),
                "request_id": metadata.get("RequestId", ""),
                "reason": told.get("Reason", ""),
                "text": str(error),
            }
        }
    except BotoCoreError as error:
        code = type(error).__name__
        return {"error": {"code": code, "message": str(error), "status": 0, "text": str(error)}}
    return {"ok": answer}


def sign(order, request):
    signature = order["sign"]
    keys = signature["keys"]
    set_clock(signature.get("moved_seconds", 0))
    credentials = Credentials(keys["id"], keys["secret"], keys.get("token"))
    signer = botocore.auth.SigV4Auth
    if signature.get("query"):
        signer = botocore.auth.SigV4QueryAuth
    signer(credentials, signature["service"], signature.get("region", "us-east-1")).add_auth(request)


def raw(order):
    host = order["endpoint"].split("://", 1)[1]
    body = base64.b64decode(order["body"])
    request = AWSRequest(
        method=order["method"],
        url=order["endpoint"] + order["path"],
        headers=dict(order["headers"]),
        data=body,
    )
    if order.get("sign"):
        sign(order, request)
    prepared = request.prepare()
    path = prepared.url.split(host, 1)[1]
    headers = {key: value if isinstance(value, str) else value.decode() for key, value in prepared.headers.items()}
    headers.update(order.get("headers_after", {}))
    if "body_after" in order:
        body = base64.b64decode(order["body_after"])
    connection = http.client.HTTPConnection(host, timeout=30)
    other_host = "Host" in order["headers"]
    connection.putrequest(order["method"], path, skip_host=other_host, skip_accept_encoding=True)
    if other_host:
        connection.putheader("Host", order["headers"]["Host"])
    for key, value in headers.items():
        if key.lower() not in ("host", "content-length"):
            connection.putheader(key, value)
    connection.putheader("Content-Length", str(len(body)))
    try:
        connection.endheaders(body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # A server may refuse before it has read everything; its answer is still there.
    try:
        response = connection.getresponse()
    except (ConnectionError, http.client.HTTPException):
        return {"status": 0, "headers": {}, "body": ""}
    text = response.read().decode("utf-8", "replace")
    answer = {key.lower(): value for key, value in response.getheaders()}
    connection.close()
    return {"status": response.status, "headers": answer, "body": text}


def presigned(order):
    keys = order["keys"]
    signer = boto3.client(
        "s3",
        endpoint_url=order["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=keys["id"],
        aws_secret_access_key=keys["secret"],
        aws_session_token=keys.get("token"),
        config=Config(signature_version="s3v4"),
    )
    if order["order"] == "presigned_post":
        made = signer.generate_presigned_post(
            order["bucket"],
            order["key"],
            Fields=order["fields"],
            Conditions=order["conditions"],
            ExpiresIn=order["seconds"],
        )
        return {"ok": [[name, value] for name, value in made["fields"].items()]}
    parameters = {"Bucket": order["bucket"], "Key": order["key"]}
    return {"ok": signer.generate_presigned_url(order["method"], Params=parameters)}


def totp(order):
    """RFC 6238 with the standard library alone, so that the server's codes meet another maker's."""
    seed = base64.b32decode(order["seed"])
    now = datetime.datetime.now(datetime.timezone.utc).timestamp() + order.get("moved_seconds", 0)
    step = int(now) // 30 + order["steps"]
    digest = hmac.new(seed, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return {"ok": f"{number % 1000000:06d}"}


def sample(shape, given):
    """The smallest input that the model allows; `given` has values for members with patterns."""
    if shape.type_name == "structure":
        wanted = shape.required_members
        members = shape.members
        return {name: given.get(name, None) or sample(members[name], given) for name in wanted}
    if shape.type_name == "list":
        return [sample(shape.member, given)]
    if shape.type_name == "map":
        return {sample(shape.key, given): sample(shape.value, given)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "a" * max(1, shape.metadata.get("min", 1))
    if shape.type_name in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    return {"boolean": True, "blob": b"a", "timestamp": 0}[shape.type_name]


def documents(model, code):
    """Whether the operation's model names the error."""
    named = [shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes]
    return code in named


def sweep(order):
    """Calls every operation of a service with the smallest input, and tells what became of it.

    With `documenting` those alone that document the error; `named` has values for members that
    are put in wherever an input has them.
    """
    made = client(order)
    told = []
    for operation in made.meta.service_model.operation_names:
        model = made.meta.service_model.operation_model(operation)
        if order.get("documenting") and not documents(model, order["documenting"]):
            continue
        shape = model.input_shape
        inputs = sample(shape, order["given"]) if shape else {}
        named = order.get("named", {}).items()
        inputs.update({name: value for name, value in named if shape and name in shape.members})
        answer = call({**order, "operation": operation, "input": inputs})
        error = answer.get("error", {})
        told.append([operation, error.get("code", ""), error.get("message", "")])
    return {"ok": told}


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    return str(value)


for line in sys.stdin:
    order = json.loads(line)
    set_clock(order.get("clock", 0))
    orders = {"call": call, "raw": raw, "sweep": sweep, "totp": totp, "presigned": presigned}
    orders["presigned_post"] = presigned
    answer = orders[order["order"]](order)
    sys.stdout.write(json.dumps(answer, default=plain) + "\n")
    sys.stdout.flush()
