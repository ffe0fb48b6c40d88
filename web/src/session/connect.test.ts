import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { type Attempt, ConnectError, race, type Way, webTransportWays } from "./connect";
import type { Connection } from "./connection";
import { TimeoutError } from "./errors";
import { memoryPair } from "./memory";
import { hashBytes } from "./webtransport";

/** An attempt whose outcome the test decides, and what became of it. */
class Try {
  started = false;
  signal!: AbortSignal;
  connection = memoryPair()[0];
  closed = false;
  resolve!: () => void;
  reject!: (e: Error) => void;

  readonly attempt: Attempt = (signal) => {
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

function webSocketWay(socket: Try): Way {
  return { transport: "websocket", attempt: socket.attempt, aheadMs: 0 };
}

describe("the race", () => {
  let web: Try;
  let socket: Try;
  let abort: AbortController;
  let outcome: Promise<Connection>;

  beforeEach(async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    [web, socket, abort] = [new Try(), new Try(), new AbortController()];
    const ways = [...webTransportWays(web.attempt, 500, undefined), webSocketWay(socket)];
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

describe("whoever may go first", () => {
  let alone: Try;
  let behind: Try[];
  let socket: Try;
  let answers: (boolean | Error)[];
  let outcome: Promise<Connection>;

  function go(...given: (boolean | Error)[]): void {
    answers = given;
    const attempt: Attempt = (signal) => {
      if (!alone.started) return alone.attempt(signal);
      behind.push(new Try());
      return behind.at(-1)!.attempt(signal);
    };
    const knock = async (): Promise<boolean> => {
      const answer = answers.shift() ?? false;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    outcome = race("https://relay.example/room", [...webTransportWays(attempt, 500, knock), webSocketWay(socket)], {});
    outcome.catch(() => {});
  }

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    [alone, behind, socket] = [new Try(), [], new Try()];
  });
  afterEach(() => mock.timers.reset());

  async function tick(ms: number): Promise<void> {
    await settled();
    mock.timers.tick(ms);
    await settled();
  }

  test("is let in as everybody is, where it is quiet", async () => {
    go(true);
    await tick(249);
    alone.resolve();
    assert.equal(await outcome, alone.connection);
    assert.deepEqual(answers, [true], "nobody was asked");
  });

  test("hears nothing for 250 ms: knocks, and comes in behind that", async () => {
    go(true);
    await tick(250);
    behind[0]!.resolve();
    assert.equal(await outcome, behind[0]!.connection);
    assert.deepEqual([alone.signal.aborted, socket.started], [true, false]);
  });

  test("is refused: knocks at once, and again when that is not heard", async () => {
    go(new Error("reset"), true, true);
    await settled();
    alone.reject(new Error("handshake failed"));
    await tick(150);
    behind[0]!.reject(new Error("somebody else was quicker"));
    await tick(150);
    behind[1]!.resolve();
    assert.equal(await outcome, behind[1]!.connection);
    assert.deepEqual(answers, []);
  });

  test("the first attempt may still be the quicker one", async () => {
    go(true);
    await tick(250);
    alone.resolve();
    assert.equal(await outcome, alone.connection);
    assert.equal(behind[0]!.signal.aborted, true);
  });

  test("may not go first: WebSocket at once, and the first cause is the one that is told", async () => {
    go(false, true);
    await settled();
    alone.reject(new Error("handshake failed"));
    await settled();
    assert.equal(socket.started, true);
    socket.reject(new Error("bad gateway"));
    await assert.rejects(outcome, /WebTransport: handshake failed; WebSocket: bad gateway/);
    assert.deepEqual(answers, [true], "it does not ask again");
  });

  test("cannot be asked: WebTransport keeps its head start", async () => {
    go(false);
    await tick(250);
    assert.equal(socket.started, false);
    await tick(250);
    assert.equal(socket.started, true);
    socket.reject(new Error("bad gateway"));
    alone.reject(new Error("no UDP"));
    await assert.rejects(outcome, /WebSocket: bad gateway; WebTransport: no UDP/);
  });

  test("nobody is there: it does not knock for ever", async () => {
    const silence = new Error("no answer");
    go(...Array.from({ length: 9 }, () => silence));
    await settled();
    alone.reject(new Error("unreachable"));
    for (let i = 0; i < 9; i++) await tick(150);
    socket.reject(new Error("unreachable as well"));
    await assert.rejects(outcome, /WebTransport: unreachable; WebSocket: unreachable as well/);
    assert.equal(answers.length, 4);
  });
});

test("a signal that was aborted before starts nothing", async () => {
  const web = new Try();
  await assert.rejects(race("https://r.example/", webTransportWays(web.attempt, 500, undefined), { signal: AbortSignal.abort(new Error("before")) }), /before/);
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
