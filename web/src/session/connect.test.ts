import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { ConnectError, race, type Transport } from "./connect";
import type { Connection } from "./connection";
import { TimeoutError } from "./errors";
import { memoryPair } from "./memory";
import { hashBytes } from "./webtransport";

type Way = (signal: AbortSignal) => Promise<Connection>;

/** A way whose outcome the test decides, and what became of it. */
class Attempt {
  started = false;
  signal!: AbortSignal;
  connection = memoryPair()[0];
  closed = false;
  resolve!: () => void;
  reject!: (e: Error) => void;

  readonly way: Way = (signal) => {
    this.started = true;
    this.signal = signal;
    void this.connection.closed.then(() => (this.closed = true));
    return new Promise((resolve, reject) => {
      this.resolve = () => resolve(this.connection);
      this.reject = reject;
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

describe("the race", () => {
  let web: Attempt;
  let socket: Attempt;
  let abort: AbortController;
  let outcome: Promise<Connection>;

  beforeEach(async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    [web, socket, abort] = [new Attempt(), new Attempt(), new AbortController()];
    const ways = new Map<Transport, Way>([["webtransport", web.way], ["websocket", socket.way]]);
    outcome = race("https://relay.example/room", ways, { signal: abort.signal });
    outcome.catch(() => {});
    await settled();
  });
  afterEach(() => mock.timers.reset());

  async function tick(ms: number): Promise<void> {
    mock.timers.tick(ms);
    await settled();
  }

  test("WebTransport within its head start: WebSocket is not even tried", async () => {
    await tick(499);
    web.resolve();
    assert.equal(await outcome, web.connection);
    await tick(60_000);
    assert.equal(socket.started, false);
    assert.equal(web.closed, false);
  });

  test("WebTransport fails: WebSocket at once", async () => {
    web.reject(new Error("no UDP"));
    await settled();
    assert.equal(socket.started, true);
    socket.resolve();
    assert.equal(await outcome, socket.connection);
  });

  test("WebTransport hangs: WebSocket after half a second, and the first that is up ends the other", async () => {
    await tick(499);
    assert.equal(socket.started, false);
    await tick(1);
    assert.equal(socket.started, true);
    socket.resolve();
    assert.equal(await outcome, socket.connection);
    assert.equal(web.signal.aborted, true);
    assert.equal(socket.closed, false);
  });

  test("WebTransport is late and still first", async () => {
    await tick(500);
    web.resolve();
    assert.equal(await outcome, web.connection);
    assert.equal(socket.signal.aborted, true);
  });

  test("both at once: one is used, the other closed", async () => {
    await tick(500);
    web.resolve();
    socket.resolve();
    assert.equal(await outcome, web.connection);
    await settled();
    assert.deepEqual([web.closed, socket.closed], [false, true]);
  });

  test("neither: an error that names both causes and says what to do", async () => {
    web.reject(new Error("no UDP."));
    await settled();
    socket.reject(new Error("bad gateway"));
    await assert.rejects(outcome, (e) => {
      assert.ok(e instanceof ConnectError);
      assert.match(e.message, /^no connection to https:\/\/relay\.example\/room\. WebTransport: no UDP; WebSocket: bad gateway\. Check .*port 443/);
      assert.deepEqual([...e.causes.keys()], ["webtransport", "websocket"]);
      return true;
    });
  });

  test("nobody answers: both are ended after ten seconds", async () => {
    await tick(500);
    await tick(9_500);
    await assert.rejects(outcome, (e) => e instanceof ConnectError && [...e.causes.values()].every((c) => c instanceof TimeoutError));
    assert.deepEqual([web.signal.aborted, socket.signal.aborted], [true, true]);
  });

  test("a signal ends it with its own reason", async () => {
    abort.abort(new Error("changed my mind"));
    await assert.rejects(outcome, /changed my mind/);
    assert.equal(web.signal.aborted, true);
    assert.equal(socket.started, false);
  });
});

test("a signal that was aborted before starts nothing", async () => {
  const web = new Attempt();
  const ways = new Map<Transport, Way>([["webtransport", web.way]]);
  await assert.rejects(race("https://r.example/", ways, { signal: AbortSignal.abort(new Error("before")) }), /before/);
  assert.equal(web.started, false);
});

test("hashes of certificates", () => {
  const hex = "00ff".repeat(16);
  const want = Uint8Array.from({ length: 32 }, (_, i) => (i % 2) * 255);
  assert.deepEqual(hashBytes(hex), want);
  assert.deepEqual(hashBytes(hex.toUpperCase().match(/../g)!.join(":")), want);
  assert.deepEqual(hashBytes(want), want);
  for (const bad of ["", "00", "zz".repeat(32), hex + "00", hex.slice(1) + "g"]) assert.throws(() => hashBytes(bad), /no SHA-256/);
  assert.throws(() => hashBytes(new Uint8Array(31)), /no SHA-256/);
});
