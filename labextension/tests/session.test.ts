import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found, Host, Outgoing } from "../src/host";
import { Questions } from "../src/questions";
import { Session } from "../src/session";

function place() {
  const sent: Outgoing[] = [];
  let found = (_: Found) => {};
  const host = {
    draft: "",
    words: {},
    references: { resolve: () => new Promise<Found>((resolve) => (found = resolve)) },
    send: (message: Outgoing) => void sent.push(message),
    listen: () => () => {},
    follow: () => () => {},
  } as unknown as Host;
  return { host, sent, find: () => found({ context: [], images: [], missing: [] }) };
}

test("a question that is stopped before it is sent goes back, and is not sent", async () => {
  const { host, sent, find } = place();
  const session = new Session(host);
  session.send("what is @x?", []);
  session.stop();
  find();
  await new Promise(setImmediate);
  session.close();
  assert.deepEqual(sent.map(({ type }) => type), ["hello"]);
  assert.equal(session.returned?.text, "what is @x?");
  assert.ok(!session.busy);
});

test("two pages of one conversation number their questions apart", () => {
  const numbers = [new Questions(), new Questions()].map((one) => {
    let asked = 0;
    void one.ask((number) => (asked = number)).catch(() => {});
    return asked;
  });
  assert.notEqual(numbers[0], numbers[1]);
});
