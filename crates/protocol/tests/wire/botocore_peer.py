"""The other side of the botocore round trip: one JSON line in, one JSON line out.

It generates values from a botocore model, serializes requests with botocore's own serializers and
parses responses with botocore's own parsers. Nothing here knows Palisade.
"""

import base64
import datetime
import json
import random
import re
import sys
import warnings

try:
    from re import _constants as codes, _parser as parser_of_patterns
except ImportError:  # Python before 3.11
    import sre_constants as codes
    import sre_parse as parser_of_patterns

warnings.simplefilter("ignore")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
DEPTH_MAX = 8


def from_pattern(pattern, rng, wanted):
    """A text that matches, as Python reads the pattern; None where Python cannot."""
    try:
        tree = parser_of_patterns.parse(pattern.replace("\\p{L}", "a").replace("\\p{N}", "0"))
        return "".join(walk(tree, rng, wanted))
    except (re.error, ValueError, OverflowError, NotImplementedError):
        return None


def walk(tree, rng, wanted):
    for code, value in tree:
        if code is codes.LITERAL:
            yield chr(value)
        elif code is codes.NOT_LITERAL:
            yield "a" if value != ord("a") else "b"
        elif code is codes.ANY:
            yield rng.choice(LETTERS)
        elif code is codes.IN:
            yield choose(value, rng)
        elif code is codes.BRANCH:
            yield from walk(rng.choice(value[1]), rng, wanted)
        elif code is codes.SUBPATTERN:
            yield from walk(value[3], rng, wanted)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            low, high, inner = value
            for _ in range(rng.randint(max(low, min(high, wanted)), min(high, max(low, wanted + 3)))):
                yield from walk(inner, rng, wanted)
        elif code is codes.AT:
            continue
        else:
            raise NotImplementedError(str(code))


def choose(options, rng):
    if options and options[0][0] is codes.NEGATE:
        for letter in "aA0-_./:x ~":
            if re.fullmatch("[^%s]" % "".join(class_of(option) for option in options[1:]), letter):
                return letter
        raise NotImplementedError("negated class")
    code, value = rng.choice(options)
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.RANGE:
        low, high = value
        low = max(low, 32) if high >= 32 else low
        return chr(rng.randint(low, min(high, 126)) if high >= low and low <= 126 else low)
    if value in (codes.CATEGORY_DIGIT,):
        return rng.choice("0123456789")
    if value in (codes.CATEGORY_SPACE,):
        return " "
    return rng.choice("abc123")


def class_of(option):
    code, value = option
    if code is codes.LITERAL:
        return "\\x%02x" % value if value < 256 else "\\u%04x" % value
    if code is codes.RANGE:
        return "".join((class_of((codes.LITERAL, value[0])), "-", class_of((codes.LITERAL, value[1]))))
    return {codes.CATEGORY_DIGIT: "\\d", codes.CATEGORY_SPACE: "\\s"}.get(value, "\\w")


class Generator:
    """Random values of shapes. `full` sets all members; else some are absent or empty."""

    def __init__(self, rng, full, whole_seconds, filled=False):
        self.rng, self.full, self.whole_seconds = rng, full, whole_seconds
        # The query protocols cannot say "an empty map" or "an empty structure".
        self.filled = filled
        self.host_labels = []
        self.bare_lists = False

    def value(self, shape, stack=(), place="body"):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, stack)
        if kind == "list":
            # Without an element around it, an empty list is as good as none.
            bare = self.bare_lists or shape.serialization.get("flattened") or place in ("header", "querystring")
            return [self.value(shape.member, stack + (shape.name,), place) for _ in self.count(shape, bare)]
        if kind == "map":
            stack = stack + (shape.name,)
            pairs = [(self.value(shape.key, stack, "headerkey" if place == "headers" else "key"), self.value(shape.value, stack, place)) for _ in self.count(shape, self.filled or place == "headers")]
            return dict(pairs)
        return getattr(self, kind)(shape, place)

    def count(self, shape, filled=False):
        low = max(shape.metadata.get("min", 0), 1 if filled else 0)
        high = min(shape.metadata.get("max", 2), max(low, 2))
        if not self.full and self.rng.random() < 0.2:
            return range(low)
        return range(max(low, min(high, self.rng.randint(1, 2))))

    def structure(self, shape, stack):
        if shape.metadata.get("document"):
            return {"open": [1, None, "text", True]}
        names = list(shape.members)
        if shape.is_tagged_union:
            names = [self.rng.choice([name for name in names if not self.ends(shape.members[name], stack)] or names)]
        out = {}
        for name in names:
            member = shape.members[name]
            required = name in shape.required_members or shape.is_tagged_union
            if not required and self.ends(member, stack):
                continue
            if not required and not self.full and self.rng.random() < 0.4:
                continue
            if getattr(member, "is_eventstream", False) or member.serialization.get("eventstream"):
                continue
            location = member.serialization.get("location", "body")
            if member.serialization.get("streaming") or member.metadata.get("streaming"):
                continue
            if shape.serialization.get("payload") == name and member.type_name == "string":
                location = "payload"
            if self.is_shadowed(shape, name):
                continue
            if name in self.host_labels and not stack and "pattern" not in member.metadata:
                out[name] = "label-1"
                continue
            out[name] = self.value(member, stack + (shape.name,), location)
        if self.filled and not out and stack:
            name = next((name for name in names if not self.ends(shape.members[name], stack)), None)
            if name is not None:
                out[name] = self.value(shape.members[name], stack + (shape.name,))
        return out

    def is_shadowed(self, shape, name):
        """S3's oldest shapes have a scalar under the element name of a newer list."""
        wire = shape.members[name].serialization.get("name", name)
        others = (member for other, member in shape.members.items() if other != name)
        return shape.members[name].type_name != "list" and any(
            member.type_name == "list" and member.serialization.get("name") == wire for member in others
        )

    def ends(self, shape, stack):
        return len(stack) > DEPTH_MAX or stack.count(shape.name) > 0

    def string(self, shape, place):
        if shape.enum:
            return self.rng.choice(shape.enum)
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 40)
        pattern = shape.metadata.get("pattern")
        if pattern:
            for attempt in range(200):
                text = from_pattern(pattern, self.rng, (0, 1, 3, low)[attempt % 4])
                if text is None:
                    break
                if text and low <= len(text) <= high and (place != "header" or text == text.strip()):
                    return text
        if shape.serialization.get("jsonvalue") or shape.metadata.get("jsonvalue"):
            return {"k": [1, "two"]}
        if place == "headerkey":
            text = "name-%s" % self.rng.choice(LETTERS)
        elif place in ("header", "headers"):
            text = "h%s, %s" % (self.rng.choice(LETTERS), self.rng.choice(LETTERS))
        elif place == "uri":
            text = "l%s/a b%%+" % self.rng.choice(LETTERS) if not pattern else "l" + self.rng.choice(LETTERS)
        elif pattern:
            text = self.rng.choice(LETTERS)
        else:
            text = "%s é<&>\"'\n\t😀]]>" % self.rng.choice(LETTERS)
        if high < len(text):
            text = self.rng.choice(LETTERS) * high
        if low > len(text):
            text = text + "x" * (low - len(text))
        return text

    def character(self, shape, place):
        return self.string(shape, place)

    def boolean(self, shape, place):
        return self.rng.random() < 0.5

    def integer(self, shape, place):
        low, high = shape.metadata.get("min", -3), shape.metadata.get("max", 2**31 - 1)
        return self.rng.choice([low, min(high, low + 7), high])

    def long(self, shape, place):
        low, high = shape.metadata.get("min", -3), shape.metadata.get("max", 2**53 - 1)
        return self.rng.choice([int(low), int(high)])

    def float(self, shape, place):
        return self.rng.choice([0.5, -2.25, 1.0, 1e20])

    def double(self, shape, place):
        return self.rng.choice([0.1, -2.25, 3.0, 1e300, 1e-7])

    def blob(self, shape, place):
        return bytes(self.rng.randrange(256) for _ in range(max(shape.metadata.get("min", 1), 5)))

    def timestamp(self, shape, place):
        moment = datetime.datetime(2024, 2, 29, 23, 59, self.rng.randrange(60), tzinfo=datetime.timezone.utc)
        coarse = self.whole_seconds or place in ("header", "headers") or shape.serialization.get("timestampFormat") == "rfc822"
        return moment if coarse else moment.replace(microsecond=self.rng.randrange(1000) * 1000)


def plain(value):
    """As JSON: bytes in base64, instants in epoch seconds."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        seconds = value.timestamp()
        return int(seconds) if seconds == int(seconds) else round(seconds, 3)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def strings_of_json_values(shape, value):
    """JSON values are strings on the typed side."""
    if shape is None or value is None:
        return value
    if shape.serialization.get("jsonvalue"):
        return json.dumps(value)
    if shape.type_name == "structure":
        return {name: strings_of_json_values(shape.members.get(name), item) for name, item in value.items()}
    return value


class Peer:
    def open(self, model, protocol):
        from botocore.model import ServiceModel
        from botocore.parsers import create_parser
        from botocore.serialize import create_serializer

        with open(model, encoding="utf-8") as file:
            loaded = json.load(file)
        loaded["metadata"]["protocol"] = protocol
        if protocol == "ec2":
            for operation in loaded["operations"].values():
                operation.get("output", {}).pop("resultWrapper", None)
        if protocol == "query":
            # Services that moved to another protocol no longer name the element in their model.
            for name, operation in loaded["operations"].items():
                if "output" in operation:
                    operation["output"].setdefault("resultWrapper", name + "Result")
        self.service, self.protocol = ServiceModel(loaded), protocol
        self.serializer, self.parser = create_serializer(protocol, False), create_parser(protocol)
        names = self.service.operation_names
        return {"operations": sorted(names)}

    def rng(self, name, seed):
        return random.Random("%s/%s/%s" % (self.service.service_name, name, seed))

    def request(self, operation, seed):
        from botocore.awsrequest import create_request_object, prepare_request_dict

        model = self.service.operation_model(operation)
        generator = Generator(self.rng(operation, seed), seed == 0, True, self.protocol in ("query", "ec2", "rest-xml"))
        generator.bare_lists = self.protocol == "ec2"
        generator.host_labels = re.findall(r"{(\w+)}", (model.endpoint or {}).get("hostPrefix", ""))
        value = generator.value(model.input_shape) if model.input_shape else {}
        request = self.serializer.serialize_to_request(value, model)
        prepare_request_dict(request, "http://localhost", {})
        prepared = create_request_object(request).prepare()
        path, _, query = ("/" + prepared.url.partition("://")[2].partition("/")[2]).partition("?")
        body = prepared.body or b""
        body = body.encode() if isinstance(body, str) else body
        headers = [[name, text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)] for name, text in prepared.headers.items()]
        if "ContentLength" not in value:
            # The HTTP library's, not the member's.
            headers = [pair for pair in headers if pair[0] != "Content-Length"]
        return {
            "input": plain(strings_of_json_values(model.input_shape, value)),
            "method": prepared.method,
            "path": path,
            "query": query,
            "headers": headers,
            "body": base64.b64encode(bytes(body)).decode(),
        }

    def output(self, operation, seed):
        model = self.service.operation_model(operation)
        generator = Generator(self.rng(operation + "/out", seed), seed == 0, False)
        shape = model.output_shape
        value = generator.value(shape) if shape else {}
        for name, member in (shape.members if shape else {}).items():
            if member.serialization.get("location") == "statusCode" and name in value:
                value[name] = 203
        self.expected = plain(value)
        return {"output": plain(strings_of_json_values(shape, value))}

    def parse(self, operation, status, headers, body):
        """Parses what was answered for the last output, and tells the first difference."""
        shape = self.service.operation_model(operation).output_shape
        got = plain(self.response(shape, status, headers, body))
        got.pop("ResponseMetadata", None)
        stream = [name for name, member in (shape.members if shape else {}).items() if member.serialization.get("streaming") or getattr(member, "is_eventstream", False) or member.serialization.get("eventstream")]
        if shape is not None and shape.serialization.get("payload") in shape.members:
            member = shape.members[shape.serialization["payload"]]
            if member.type_name == "blob" and not (shape.serialization["payload"] in self.expected):
                stream.append(shape.serialization["payload"])
        for name in stream:
            got.pop(name, None)
        return {"difference": difference(self.expected, got, "")}

    def response(self, shape, status, headers, body):
        from botocore.compat import HTTPHeaders

        message = HTTPHeaders()
        for name, value in headers:
            message[name] = value
        response = {"status_code": status, "headers": message, "body": base64.b64decode(body), "context": {"operation_name": "X"}}
        if shape is not None and getattr(shape, "event_stream_name", None):
            return {}
        return self.parser.parse(response, shape)

    def errors(self, operation):
        """The declared errors, each with values for its scalar members."""
        model = self.service.operation_model(operation)
        found = []
        for shape in model.error_shapes:
            generator = Generator(self.rng(shape.name, 0), True, True)
            fields = {}
            for name, member in shape.members.items():
                if name.lower() == "message" or member.type_name not in ("string", "boolean", "integer", "long"):
                    continue
                if member.serialization.get("name", "").lower() == "x-amzn-errortype":
                    continue
                fields[name] = plain(generator.value(member, (), member.serialization.get("location", "header")))
            found.append({"shape": shape.name, "fields": fields})
        return {"errors": found}

    def parse_error(self, shape, code, message, fields, status, headers, body):
        error_shape = self.service.shape_for(shape)
        got = plain(self.response(None, status, headers, body))
        differences = []
        if got.get("Error", {}).get("Code") != code:
            differences.append("code %r is not %r" % (got.get("Error", {}).get("Code"), code))
        if got.get("Error", {}).get("Message") != message:
            differences.append("message %r is not %r" % (got.get("Error", {}).get("Message"), message))
        if not got.get("ResponseMetadata", {}).get("RequestId"):
            differences.append("no request id")
        from botocore.compat import HTTPHeaders

        message_headers = HTTPHeaders()
        for name, value in headers:
            message_headers[name] = value
        raw = {"status_code": status, "headers": message_headers, "body": base64.b64decode(body), "context": {}}
        modeled = plain(self.parser.parse(raw, error_shape))
        for name, value in fields.items():
            if modeled.get(name, modeled.get("Error", {}).get(name)) != value:
                differences.append("%s: %r is not %r" % (name, modeled.get(name), value))
        return {"difference": "; ".join(differences)}


def difference(want, got, path):
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            if key not in got:
                # The XML protocols cannot tell an absent flattened list from an empty one.
                if want[key] in ([], {}):
                    continue
                return "%s.%s is absent" % (path, key)
            if key not in want:
                # S3's oldest shapes have a scalar under the element name of a newer list.
                if key + "s" in want or got[key] in ([], {}, "", None):
                    continue
                return "%s.%s came from nowhere: %r" % (path, key, got[key])
            found = difference(want[key], got[key], path + "." + key)
            if found:
                return found
        return ""
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for index, (left, right) in enumerate(zip(want, got)):
            found = difference(left, right, "%s[%d]" % (path, index))
            if found:
                return found
        return ""
    if isinstance(want, float) and isinstance(got, (int, float)) and abs(want - got) <= 1e-6 * abs(want):
        return ""
    return "" if want == got else "%s: %r is not %r" % (path, got, want)


def main():
    try:
        import botocore
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    print(json.dumps({"botocore": botocore.__version__}), flush=True)
    peer = Peer()
    for line in sys.stdin:
        call = json.loads(line)
        name = call.pop("do")
        try:
            answer = getattr(peer, name)(**call)
        except Exception as error:  # noqa: BLE001 - told to the other side, which fails the test
            answer = {"failed": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps(answer), flush=True)


main()
