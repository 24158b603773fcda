// Hands what the server asks to the browser's security keys, and their answer back in the form.
"use strict";

const form = document.getElementById("security-key");
const problem = document.getElementById("problem");

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

function binary(asked) {
  const key = asked.publicKey;
  key.challenge = bytes(key.challenge);
  if (key.user) key.user.id = bytes(key.user.id);
  for (const list of [key.excludeCredentials, key.allowCredentials]) {
    for (const credential of list || []) credential.id = bytes(credential.id);
  }
  return asked;
}

function plain(credential) {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const asked = binary(JSON.parse(form.dataset.asked));
    const registers = "user" in asked.publicKey;
    const keys = navigator.credentials;
    const credential = await (registers ? keys.create(asked) : keys.get(asked));
    form.elements.answer.value = plain(credential);
    form.submit();
  } catch (error) {
    problem.textContent = `The security key did not answer: ${error.message}`;
    problem.hidden = false;
  }
});
