"""Drives headless Chromium for the tests by the DevTools protocol, over a pipe: one JSON order a line
on stdin, one JSON answer a line on stdout. The page has a virtual security key."""

import json
import os
import subprocess
import sys
import tempfile

to_browser_read, to_browser = os.pipe()
from_browser, from_browser_write = os.pipe()
profile = tempfile.TemporaryDirectory()


def in_child():
    # The browser wants its ends as the descriptors 3 and 4.
    read, write = os.dup(to_browser_read), os.dup(from_browser_write)
    os.dup2(read, 3)
    os.dup2(write, 4)


browser = subprocess.Popen(
    [
        sys.argv[1],
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile.name}",
        "about:blank",
    ],
    preexec_fn=in_child,
    close_fds=False,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
os.close(to_browser_read)
os.close(from_browser_write)

last_id = 0
buffer = b""
loads = 0
posted = ""


def message():
    global buffer, loads, posted
    while b"\0" not in buffer:
        part = os.read(from_browser, 1 << 16)
        if not part:
            raise SystemExit("chromium ended")
        buffer += part
    text, buffer = buffer.split(b"\0", 1)
    told = json.loads(text)
    if told.get("method") == "Page.loadEventFired":
        loads += 1
    request = told.get("params", {}).get("request", {})
    if told.get("method") == "Network.requestWillBeSent" and request.get("method") == "POST":
        posted = request.get("postData", "")
    return told


def ask(method, params=None, session=None):
    global last_id
    last_id += 1
    order = {"id": last_id, "method": method, "params": params or {}}
    if session:
        order["sessionId"] = session
    os.write(to_browser, json.dumps(order).encode() + b"\0")
    while True:
        told = message()
        if told.get("id") == last_id:
            if "error" in told:
                raise RuntimeError(f"{method}: {told['error']}")
            return told["result"]


target = ask("Target.createTarget", {"url": "about:blank"})["targetId"]
page = ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
for domain in ("Page", "Network", "Runtime"):
    ask(f"{domain}.enable", session=page)
ask("WebAuthn.enable", session=page)
ask(
    "WebAuthn.addVirtualAuthenticator",
    {
        "options": {
            "protocol": "ctap2",
            "transport": "usb",
            "hasResidentKey": False,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
    },
    page,
)


def evaluate(expression):
    """The value of an expression in the page; a promise's, once it is there."""
    asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
    told = ask("Runtime.evaluate", asked, page)
    if "exceptionDetails" in told:
        raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
    return told["result"].get("value")


def shown():
    state = evaluate("({url: location.pathname, text: document.body.innerText})")
    return {**state, "posted": posted}


def loaded(before):
    while loads == before:
        message()
    return shown()


def perform(order):
    before = loads
    if order["order"] == "open":
        ask("Page.navigate", {"url": order["url"]}, page)
        return loaded(before)
    if order["order"] == "click":
        evaluate(f"document.querySelector({json.dumps(order['selector'])}).click()")
        return loaded(before)
    if order["order"] == "type":
        place, text = json.dumps(order["selector"]), json.dumps(order["text"])
        evaluate(f"document.querySelector({place}).value = {text}")
        return {}
    return {"value": evaluate(order["expression"])}


for line in sys.stdin:
    sys.stdout.write(json.dumps(perform(json.loads(line))) + "\n")
    sys.stdout.flush()
browser.kill()
