import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "./drawn";
import { sayings } from "../src/compare/announce";
import { scaleOf } from "../src/compare/Dots";
import type { Host, Outgoing } from "../src/compare/host";
import { money, number, seconds } from "../src/compare/numbers";
import type { Call, Comparison, Event, Row, Writing } from "../src/compare/protocol";
import { keyOf, Store } from "../src/compare/store";
import { differs, groupsOf, look, meanScore, place, tableOf, type Table } from "../src/compare/tables";
import { PLAIN, readView, writeView, type View } from "../src/compare/view";
import { scrollTo, windowOf } from "../src/compare/windowing";

const TIMES = Object.fromEntries(
  ["queue", "load", "first_token", "prompt", "decode", "total", "tokens_per_second", "prompt_tokens_per_second"].map((name) => [name, null]),
) as unknown as Row["times"];

function row(call: Call, text: string | null, more: Partial<Row> = {}): Row {
  const nothing = { reasoning: "", error: "", finish: "stop", cold: false, reused: false, at: 0, cost: null };
  const tokens = { prompt_tokens: null, cached_tokens: null, tokens: null };
  return { ...nothing, ...tokens, call, text, times: TIMES, notes: [], scores: {}, ...more };
}

const scored = (call: Call, value: number | boolean | null, text = "t"): Row => row(call, text, { scores: { s: { value, note: "" } } });

function comparison(cases: number, names: string[], rows: Row[] = [], more: Partial<Comparison> = {}): Comparison {
  const asked = Array.from({ length: cases }, (_, at) => ({
    name: `case ${at}`,
    messages: [{ role: "user", text: `question ${at}`, images: 0 }],
    expected: null,
    variables: {},
  }));
  const contestants = names.map((name) => ({ name, model: name, engine: "e", own: [] }));
  const nothing = { name: "", asked: "", repeats: 1, scorers: ["s"], summaries: [], verdicts: [], strengths: [], votes: 0 };
  return { format: 1, ...nothing, ended: "", left_out: "", live: { id: "x" }, cases: asked, contestants, rows, ...more };
}

// Tables ---------------------------------------------------------------------------------------------

const calls = fc.tuple(fc.nat(3), fc.nat(2), fc.nat(3)) as fc.Arbitrary<Call>;

test("rows stand at their places, each once, repeats in order, whatever the order they come in", () => {
  fc.assert(
    fc.property(fc.array(calls, { maxLength: 40 }), (found) => {
      const table: Table = [];
      found.forEach((call, at) => place(table, row(call, String(at))));
      const last = new Map(found.map((call, at) => [keyOf(call), String(at)]));
      const placed = table.flatMap((cells) => (cells ?? []).flatMap((rows) => rows ?? []));
      assert.deepEqual(new Map(placed.map((one) => [keyOf(one.call), one.text])), last);
      for (const cells of table) for (const rows of cells ?? []) {
        const repeats = (rows ?? []).map((one) => one.call[2]);
        assert.deepEqual(repeats, [...repeats].sort((a, b) => a - b));
      }
    }),
  );
});

const values = fc.option(fc.oneof(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true })));

test("the biggest regression stands first, and what has no score last", () => {
  const grid = fc.array(fc.tuple(values, values, values), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(grid, fc.constantFrom("a", "b", "c"), fc.constantFrom("worse", "better"), (found, baseline, order) => {
      const rows = found.flatMap((line, at) => line.map((value, who) => scored([at, who, 0], value)));
      const whole = comparison(found.length, ["a", "b", "c"], rows);
      const table = tableOf(whole);
      const view: View = { ...PLAIN, baseline, order: order as View["order"] };
      const { cases } = look(whole, table, view);
      assert.deepEqual([...cases].sort((a, b) => a - b), found.map((_, at) => at));
      const base = ["a", "b", "c"].indexOf(baseline);
      const sign = order === "worse" ? 1 : -1;
      const keys = cases.map((at) => {
        const scores = [0, 1, 2].map((who) => meanScore(table[at]![who], "s"));
        const changes = scores.flatMap((one, who) => (who === base || one === null || scores[base] === null ? [] : [one - scores[base]!]));
        return changes.length ? Math.min(...changes.map((one) => sign * one)) : Infinity;
      });
      for (let at = 1; at < keys.length; at++) {
        assert.ok(keys[at - 1]! <= keys[at]!, JSON.stringify(keys));
        if (keys[at - 1] === keys[at]) assert.ok(cases[at - 1]! < cases[at]!, "else as asked");
      }
    }),
  );
});

test("filters show what they say, and nothing else is lost", () => {
  const rows = [
    scored([0, 0, 0], true, "same"), scored([0, 1, 0], true, "same "),
    scored([1, 0, 0], true, "Rome"), scored([1, 1, 0], false, "Paris"),
    scored([2, 0, 0], false, "x"), row([2, 1, 0], "", { error: "It broke." }),
    scored([3, 0, 0], false, "y"), scored([3, 1, 0], true, "a.b"),
  ];
  const whole = comparison(4, ["a", "b"], rows);
  const shown = (view: Partial<View>) => look(whole, tableOf(whole), { ...PLAIN, order: "asked", ...view }).cases;
  assert.deepEqual(shown({}), [0, 1, 2, 3]);
  assert.deepEqual(shown({ differs: true }), [1, 2, 3]);
  assert.deepEqual(shown({ errors: true }), [2]);
  assert.deepEqual(shown({ score: "worse" }), [1]);
  assert.deepEqual(shown({ score: "better" }), [3]);
  assert.deepEqual(shown({ score: "low" }), [1, 2, 3]);
  assert.deepEqual(shown({ text: "ROME" }), [1]);
  assert.deepEqual(shown({ text: "question 2" }), [2]);
  assert.deepEqual(shown({ text: "broke" }), [2]);
  assert.deepEqual(shown({ text: "a.b" }), [3]);
  assert.deepEqual(shown({ text: "a*b" }), []);
  assert.deepEqual(shown({ hidden: ["b"], differs: true }), []);
  assert.deepEqual(look(whole, tableOf(whole), { ...PLAIN, hidden: ["a", "b"] }).contestants, [0, 1]);
  assert.equal(look(whole, tableOf(whole), { ...PLAIN, baseline: "b" }).baseline, 1);
  assert.ok(differs([[row([0, 0, 0], "a")], [row([0, 1, 0], "b")]], [0, 1]));
  assert.ok(!differs([[row([0, 0, 0], "a")], [row([0, 1, 0], null)]], [0, 1]));
});

test("repeats that say the same stand together, the most frequent first", () => {
  const texts = fc.array(fc.constantFrom("a", "b", "c", null, "!"), { maxLength: 12 });
  fc.assert(
    fc.property(texts, (found) => {
      const rows = found.map((text, at) => row([0, 0, at], text === "!" ? "" : text, { error: text === "!" ? "broken" : "" }));
      const groups = groupsOf(rows);
      assert.deepEqual(new Set(groups.flatMap((group) => group.rows)), new Set(rows));
      assert.equal(groups.reduce((sum, group) => sum + group.rows.length, 0), rows.length);
      const sizes = groups.map((group) => group.rows.length);
      assert.deepEqual(sizes, [...sizes].sort((a, b) => b - a));
      const said = groups.filter((group) => group.rows[0]!.text !== null && !group.rows[0]!.error).map((group) => group.text);
      assert.equal(new Set(said).size, said.length);
    }),
  );
});

// Windows --------------------------------------------------------------------------------------------

test("what is in sight is in the page, and little more", () => {
  const sizes = fc.record({ count: fc.nat(20_000), row: fc.integer({ min: 20, max: 300 }), height: fc.integer({ min: 0, max: 2000 }), share: fc.double({ min: 0, max: 1.2, noNaN: true }) });
  fc.assert(
    fc.property(sizes, ({ count, row, height, share }) => {
      const scrolled = share * Math.max(0, count * row - height);
      const { from, to } = windowOf(scrolled, height, row, count);
      assert.ok(0 <= from && from <= to && to <= count);
      assert.ok(to - from <= height / row + 15);
      for (const y of [scrolled, scrolled + height / 2, scrolled + height - 1]) {
        const at = Math.floor(y / row);
        if (at >= 0 && at < count && y >= 0) assert.ok(from <= at && at < to, `${at} of ${from}-${to}`);
      }
    }),
  );
});

test("a row that is gone to is in sight", () => {
  const sizes = fc.record({ at: fc.nat(1000), row: fc.integer({ min: 20, max: 90 }), height: fc.integer({ min: 100, max: 900 }), scrolled: fc.nat(90_000) });
  fc.assert(
    fc.property(sizes, ({ at, row, height, scrolled }) => {
      const to = scrollTo(at, scrolled, height, row) ?? scrolled;
      assert.ok(at * row >= to && (at + 1) * row <= to + height);
    }),
  );
});

// The view -------------------------------------------------------------------------------------------

test("a view is found again as it was; what is no view is none", () => {
  const view: fc.Arbitrary<View> = fc.record({
    tab: fc.constantFrom("", "columns", "rows", "summary"),
    baseline: fc.string(),
    against: fc.constantFrom("", "baseline", "expected"),
    order: fc.constantFrom("", "asked", "worse", "better"),
    scorer: fc.string(),
    text: fc.string(),
    differs: fc.boolean(),
    errors: fc.boolean(),
    score: fc.constantFrom("", "worse", "better", "low"),
    hidden: fc.array(fc.string()),
    together: fc.boolean(),
  });
  fc.assert(fc.property(view, (one) => assert.deepEqual(readView(writeView(one)), { ...one })));
  assert.equal(writeView(PLAIN), "");
  const odd = fc.oneof(fc.string(), fc.json(), fc.dictionary(fc.constantFrom(...Object.keys(PLAIN)), fc.jsonValue()).map((one) => JSON.stringify(one)));
  fc.assert(
    fc.property(odd, (kept) => {
      const read = readView(kept);
      assert.deepEqual(Object.keys(read), Object.keys(PLAIN));
      for (const [name, plain] of Object.entries(PLAIN)) assert.equal(typeof read[name as keyof View], typeof plain);
      assert.ok(read.hidden.every((one) => typeof one === "string"));
    }),
  );
});

// The store ------------------------------------------------------------------------------------------

class Scripted implements Host {
  view = "";
  sent: Outgoing[] = [];
  deaf = false;
  hear: (event: Event) => void = () => {};
  lose: (lost: "" | "away" | "dead" | "gone") => void = () => {};

  constructor(readonly name: Host["name"] = "widget") {}
  send(message: Outgoing): void {
    if (this.deaf) throw new Error("nobody is there");
    this.sent.push(message);
  }
  listen(listener: (event: Event) => void) {
    this.hear = listener;
    return () => {};
  }
  follow(listener: (lost: "" | "away" | "dead" | "gone") => void) {
    this.lose = listener;
    return () => {};
  }
  part(): Promise<never> {
    return Promise.reject(new Error("none here"));
  }
  get hellos(): number {
    return this.sent.filter((one) => one.type === "hello").length;
  }
}

const snapshot = (whole: Comparison, seq: number, writing: Writing[] = [], running = true): Event => ({
  type: "snapshot", comparison: whole, running, progress: null, states: [], writing, seq,
});

const delta = (seq: number, call: Call, text: string): Event => ({
  type: "deltas", seq, deltas: [{ call, text, reasoning: "", tokens: seq }],
});

test("whatever deltas are lost, doubled or late: after the next snapshot the text is the kernel's", () => {
  const events = fc.array(fc.record({ lost: fc.boolean(), twice: fc.boolean(), piece: fc.string({ minLength: 1 }) }), { maxLength: 40 });
  fc.assert(
    fc.property(events, (found) => {
      const host = new Scripted();
      const store = new Store(host);
      const whole = comparison(1, ["a"]);
      host.hear(snapshot(whole, 0));
      let [said, answered] = ["", host.hellos];
      found.forEach(({ lost, twice, piece }, at) => {
        said += piece;
        const event = delta(at + 1, [0, 0, 0], piece);
        if (!lost) host.hear(event);
        if (!lost && twice) host.hear(event);
        const shown = store.writing.get("0.0.0")?.text ?? "";
        assert.ok(said.startsWith(shown), "never a text with a hole");
        if (host.hellos > answered) {
          // The kernel answers, late: what it has said meanwhile is in the snapshot.
          host.hear(snapshot(whole, at + 1, [{ call: [0, 0, 0], text: said, reasoning: "", since: 0, tokens: 1 }]));
          answered = host.hellos;
          assert.equal(store.writing.get("0.0.0")?.text, said);
        }
      });
      host.hear(delta(found.length + 2, [0, 0, 0], "behind a hole"));
      assert.equal(host.hellos, answered + 1, "a hole is noticed");
      host.hear(delta(found.length + 3, [0, 0, 0], "and asked about once"));
      assert.equal(host.hellos, answered + 1);
      store.close();
    }),
  );
});

test("a row takes the place of what was being written, and its readers hear of it", () => {
  const host = new Scripted();
  const store = new Store(host);
  host.hear(snapshot(comparison(1, ["a", "b"]), 0));
  let heard = 0;
  store.read("0.1.0", () => heard++);
  host.hear(delta(1, [0, 1, 0], "Ro"));
  host.hear(delta(2, [0, 1, 0], "me"));
  assert.equal(store.writing.get("0.1.0")?.text, "Rome");
  assert.equal(heard, 2);
  host.hear({ type: "rows", rows: [row([0, 1, 0], "Rome.")] });
  assert.equal(heard, 3);
  assert.equal(store.writing.size, 0);
  assert.equal(store.rows(0, 1)[0]?.text, "Rome.");
  host.hear({ type: "ended", ended: "Stopped." });
  assert.equal(store.running, false);
  assert.equal(store.comparison?.ended, "Stopped.");
  store.close();
});

test("an answer that comes anew takes the place of what was written; the end leaves nothing under way", () => {
  const host = new Scripted();
  const store = new Store(host);
  host.hear(snapshot(comparison(1, ["a"]), 0));
  host.hear(delta(1, [0, 0, 0], "It broke"));
  host.hear({ type: "deltas", seq: 2, deltas: [{ call: [0, 0, 0], text: "It", reasoning: "", tokens: 1, anew: true }] });
  host.hear(delta(3, [0, 0, 0], " is"));
  assert.equal(store.writing.get("0.0.0")?.text, "It is");
  host.hear({ type: "ended", ended: "" });
  assert.equal(store.writing.size, 0);
  store.close();
});

test("a document alone is enough; a page says nothing to anybody", async () => {
  const host = new Scripted("page");
  const store = new Store(host, comparison(1, ["a"], [row([0, 0, 0], "x"), row([0, 0, 1], null)]));
  assert.equal(store.rows(0, 0).length, 2);
  assert.equal(store.alive, false);
  store.stop(null);
  store.want([0, 0, 1]);
  await assert.rejects(store.ask("request", { call: [0, 0, 0] }));
  assert.deepEqual(host.sent, []);
  store.close();
});

test("what the kernel tells is newer than the document that an output has", () => {
  const host = new Scripted("lab");
  const store = new Store(host, comparison(1, ["a"], [], { asked: "old" }));
  assert.deepEqual(host.sent, [{ type: "hello", host: "lab" }]);
  host.hear(snapshot(comparison(1, ["a"], [row([0, 0, 0], "x")], { asked: "new" }), 0));
  store.load(comparison(1, ["a"], [], { asked: "old" }));
  assert.equal(store.comparison?.asked, "new");
  assert.equal(host.hellos, 1);
  store.load(comparison(1, ["a"], [], { asked: "saved", live: null }));
  assert.equal(store.comparison?.asked, "saved");
  store.close();
});

test("a kernel that goes leaves what it had said", async () => {
  const host = new Scripted();
  const store = new Store(host);
  host.hear(snapshot(comparison(1, ["a"]), 0));
  host.hear(delta(1, [0, 0, 0], "half"));
  const asked = store.ask("request", { call: [0, 0, 0] });
  host.lose("gone");
  await assert.rejects(asked);
  assert.equal(store.running, false);
  assert.equal(store.cut, true);
  assert.equal(store.rows(0, 0)[0]?.text, "half");
  // The cell was run again, in another kernel.
  store.load(comparison(1, ["a"], [], { live: { id: "another" } }));
  assert.equal(host.hellos, 2);
  host.hear(snapshot(comparison(1, ["a"], [], { live: { id: "another" } }), 0));
  assert.equal(store.alive, true);
  store.close();
});

test("a host that raises is a kernel that is gone; a line that was cut is said hello to", () => {
  const host = new Scripted();
  const store = new Store(host);
  host.hear(snapshot(comparison(1, ["a"]), 0));
  host.lose("away");
  host.lose("");
  assert.equal(host.hellos, 2);
  host.deaf = true;
  store.stop(0);
  assert.equal(store.lost, "gone");
  assert.equal(store.alive, false);
  store.close();
});

test("texts that the document leaves out are asked for together, and once", async () => {
  const host = new Scripted();
  const store = new Store(host);
  host.hear(snapshot(comparison(2, ["a"], [row([0, 0, 0], null), row([1, 0, 0], null)]), 0, [], false));
  store.want([0, 0, 0]);
  store.want([1, 0, 0]);
  await new Promise((done) => setTimeout(done, 40));
  const asked = host.sent.filter((one) => one.type === "texts") as { ask: number; calls?: Call[] }[];
  assert.deepEqual(asked.map((one) => one.calls), [[[0, 0, 0], [1, 0, 0]]]);
  host.hear({ type: "answer", to: asked[0]!.ask, value: ["first"] });
  await new Promise((done) => setTimeout(done, 0));
  assert.equal(store.rows(0, 0)[0]?.text, "first");
  assert.equal(store.mayCome([1, 0, 0]), false);
  store.close();
});

test("a view is kept by its host", () => {
  const host = new Scripted();
  const store = new Store(host);
  store.look({ text: "Rome", differs: true });
  const again = new Store({ ...host, view: host.view, listen: () => () => {}, follow: () => () => {}, send: () => {}, part: host.part, name: "widget" });
  assert.equal(again.view.text, "Rome");
  assert.equal(again.view.differs, true);
  store.close();
  again.close();
});

// What is said and shown -----------------------------------------------------------------------------

test("what becomes of a column is said once, in a sentence", () => {
  const state = (name: string, note = "") => ({ state: name, note, progress: null, done: 0, total: 1 });
  assert.deepEqual(sayings([], [state("waiting"), state("loading")], ["a", "b"]), ["b is being loaded."]);
  assert.deepEqual(sayings([state("answering")], [state("answering")], ["a"]), []);
  assert.deepEqual(sayings([state("answering")], [state("failed", "No key.")], ["a"]), ["a has failed: No key."]);
});

test("numbers have the digits that tell something", () => {
  assert.deepEqual([0, 0.004, 0.123, 12.345, 123.4, 12345].map(number), ["0", "0.004", "0.12", "12.3", "123", "12,345"]);
  assert.deepEqual([0, 0.25, 1.26, 42.4, 90, 7260].map(seconds), ["0 ms", "250 ms", "1.3 s", "42 s", "2 min", "2 h 1 min"]);
  assert.deepEqual([0, 0.0012, 1.5].map(money), ["$0.00", "$0.0012", "$1.50"]);
});

test("all dots and the ends of their intervals are on the scale", () => {
  const one = fc.record({ value: fc.double({ min: -1e6, max: 1e6, noNaN: true }), spread: fc.option(fc.double({ min: 0, max: 1e3, noNaN: true })) });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1 }), fc.constantFrom("score", "amount", "difference"), (found, kind) => {
      const estimates = found.map(({ value, spread }) => ({
        value, low: spread === null ? null : value - spread, high: spread === null ? null : value + spread, n: 1, kind: "",
      }));
      const scale = scaleOf(estimates, kind as "score");
      assert.ok(scale.low < scale.high);
      for (const { value, low, high } of estimates) {
        for (const end of [value, low, high]) if (end !== null) assert.ok(scale.low <= end && end <= scale.high);
      }
      if (kind === "difference") assert.ok(Math.abs(scale.low + scale.high) < 1e-6);
    }),
  );
});
