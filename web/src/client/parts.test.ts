import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Hopped } from "../hop";
import { Container, ProtocolError, encodeBundle, encodeLegacy, voiceCatalog } from "../protocol";
import { choose, sameChoice } from "./choice";
import { Directory } from "./directory";
import { Emitter } from "./emitter";
import { HopLog } from "./hoplog";
import { newestFrames } from "./line";
import { askLobby, askWhy, fetchRoom, fetchRooms, knock } from "./lobby";
import { nameFault } from "./names";
import { parseRelays } from "./relays";
import { loudness } from "./speakers";
import { type Situation, listenerState } from "./state";
import { maySpeak, tokenFault } from "./token";
import { Failure } from "./types";
import { toMicros, unpack } from "./unpack";
import { json } from "./world.testing";

const hash = "ab".repeat(32);
const entry = { name: "relay-a", url: "https://a.example:4443/town", zone: "par", certificate_sha256: hash, packet: "60ms" };

describe("lists of relays", () => {
  test("reads one", () => {
    const { relays, retryAfterMs } = parseRelays({ relays: [entry], retry_after_ms: 0, more: "is skipped" });
    assert.equal(retryAfterMs, 0);
    assert.deepEqual(
      relays.map((r) => ({ ...r, url: r.url.href })),
      [{ name: "relay-a", url: entry.url, zone: "par", hashes: [hash], packetMs: 60 }],
    );
  });

  const odd: [string, object, number][] = [
    ["no name", { name: "" }, 0],
    ["a long name", { name: "x".repeat(129) }, 0],
    ["another scheme", { url: "http://a.example/town" }, 0],
    ["credentials", { url: "https://u:p@a.example/town" }, 0],
    ["no URL", { url: "town" }, 0],
    ["a hash that is none", { certificate_sha256: "zz" }, 0],
    ["hashes that are none", { certificates_sha256: [1] }, 0],
    ["a zone that is a number", { zone: 4 }, 0],
    ["no zone", { zone: undefined }, 1],
    ["no hash", { certificate_sha256: undefined }, 1],
    ["a hash with colons, in capitals", { certificate_sha256: hash.toUpperCase().replace(/..(?!$)/g, "$&:") }, 1],
    ["a packet of a length we do not know", { packet: "40ms" }, 1],
  ];
  for (const [name, change, kept] of odd) {
    test(`an entry with ${name}`, () => {
      const { relays } = parseRelays({ relays: [{ ...entry, ...change }] });
      assert.equal(relays.length, kept);
      for (const h of relays[0]?.hashes ?? []) assert.equal(h, hash);
    });
  }

  test("believes no more than sixteen, and waits no more than a minute", () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({ ...entry, name: `r${i}` }));
    const list = parseRelays({ relays: many, retry_after_ms: 1e9 });
    assert.deepEqual([list.relays.length, list.retryAfterMs], [16, 60_000]);
  });

  for (const document of [null, [], "x", {}, { relays: {} }, { relays: [], retry_after_ms: "1" }, { relays: [], retry_after_ms: 1.5 }]) {
    test(`no list: ${JSON.stringify(document)}`, () => {
      assert.throws(() => parseRelays(document), (e: Failure) => e.kind === "protocol");
    });
  }
});

describe("the lobby", () => {
  const ask = (answer: (url: URL, init?: RequestInit) => Response | Promise<Response>): { fetch: typeof fetch } => ({
    fetch: (async (input: URL, init?: RequestInit) => answer(input, init)) as typeof fetch,
  });

  test("is asked as its contract says, and told nothing else", async () => {
    let asked: [URL, RequestInit | undefined] | undefined;
    const list = await askLobby("https://a.example:1/ignored", "Röm 1", { purpose: "speak", zone: "par", exclude: ["x", "a,b"] }, ask((url, init) => {
      asked = [url, init];
      return json({ relays: [entry], retry_after_ms: 0 });
    }));
    assert.equal(list.relays.length, 1);
    assert.equal(asked![0].href, "https://a.example:1/v1/rooms/R%C3%B6m%201/relays?purpose=speak&n=3&zone=par&exclude=x");
    assert.deepEqual([asked![1]?.credentials, asked![1]?.redirect], ["omit", "error"]);
  });

  const failures: [string, Response | Error, string, RegExp][] = [
    ["nobody there", new TypeError("Failed to fetch"), "unreachable", /does not answer/],
    ["an error in words", json({ error: { code: "x", message: "no room for you" } }, 400), "protocol", /no room for you/],
    ["an error without words", new Response("<b>", { status: 500 }), "protocol", /500/],
    ["401", new Response("", { status: 401 }), "unauthorized", /401/],
    ["403", new Response("", { status: 403 }), "forbidden", /403/],
    ["too much", new Response("x".repeat(70_000)), "protocol", /more than/],
    ["no body", new Response(null), "protocol", /no JSON/],
  ];
  for (const [name, answer, kind, words] of failures) {
    test(`fails: ${name}`, async () => {
      const asked = askLobby("https://a.example", "town", { purpose: "listen" }, ask(() => {
        if (answer instanceof Error) throw answer;
        return answer;
      }));
      await assert.rejects(asked, (e: Failure) => e instanceof Failure && e.kind === kind && words.test(e.message));
    });
  }

  describe("says why nobody was let in, if it knows", () => {
    const granted = (put: unknown): Response => json({ put, get: [""] });
    const cases: [string, Response, string | undefined, string | undefined][] = [
      ["a bad token", new Response("token: expired\n", { status: 401 }), undefined, "unauthorized"],
      ["a token for elsewhere", new Response("no", { status: 403 }), "ada", "unauthorized"],
      ["a listener", granted([]), undefined, undefined],
      ["a listener who wants to speak", granted([]), "ada", "forbidden"],
      ["somebody who may speak under another name", granted(["bob"]), "ada", "forbidden"],
      ["somebody who may speak", granted(["ada"]), "ada", undefined],
      ["somebody who may speak as anybody", granted([""]), "ada", undefined],
      ["an answer that is not Stentor's", granted("all"), "ada", undefined],
      ["words without end", new Response("x".repeat(70_000), { status: 401 }), undefined, undefined],
      ["nothing there", new Response("", { status: 404 }), "ada", undefined],
      ["a full relay", new Response("", { status: 503 }), "ada", undefined],
    ];
    for (const [what, answer, name, kind] of cases) {
      test(what, async () => {
        let asked = "";
        const failure = await askWhy("https://a.example/x", { room: "my town", token: "a.b.c", name }, ask((url) => {
          asked = url.href;
          return answer;
        }));
        assert.equal(failure?.kind, kind);
        assert.equal(asked, "https://a.example/my%20town?jwt=a.b.c");
      });
    }
    test("somebody who was removed since they came", async () => {
      let asked = "";
      const wanted = { room: "town", token: "a.b.c", name: undefined, removed: 0 };
      const failure = await askWhy("https://a.example/x", wanted, ask((url) => {
        asked = url.href;
        return new Response('room "town": removed by its hosts\n', { status: 403 });
      }));
      assert.deepEqual([failure?.kind, asked], ["removed", "https://a.example/town?jwt=a.b.c&removed=0"]);
    });
  });

  describe("knocks", () => {
    const cases: [string, string | undefined, number, boolean, string][] = [
      ["a speaker", "ada", 200, true, "/my%20town?jwt=a.b.c&role=publisher"],
      ["a host who listens", undefined, 200, true, "/my%20town?jwt=a.b.c"],
      ["at a full relay", "ada", 503, false, "/my%20town?jwt=a.b.c&role=publisher"],
      ["with a bad token", "ada", 401, false, "/my%20town?jwt=a.b.c&role=publisher"],
    ];
    for (const [what, name, status, may, path] of cases) {
      test(what, async () => {
        let asked = "";
        const answered = await knock("https://a.example:4443", { room: "my town", token: "a.b.c", name }, ask((url) => {
          asked = url.href;
          return new Response("{}", { status });
        }));
        assert.deepEqual([answered, asked], [may, `https://a.example:4443${path}`]);
      });
    }
    test("where nothing is heard", async () => {
      const silence = ask(() => Promise.reject(new TypeError("fetch failed")));
      await assert.rejects(knock("https://a.example", { room: "town", token: "", name: "ada" }, silence), /fetch failed/);
    });
  });

  test("an address that is none", async () => {
    for (const lobby of ["", "file:///etc/passwd", "javascript:alert(1)"]) {
      await assert.rejects(askLobby(lobby, "town", { purpose: "listen" }), (e: Failure) => e.kind === "unreachable");
    }
  });

  test("an endless answer is not read to its end", async () => {
    let cancelled = false;
    const body = new ReadableStream({
      pull: (c) => c.enqueue(new Uint8Array(10_000)),
      cancel: () => void (cancelled = true),
    });
    await assert.rejects(fetchRooms("https://a.example", ask(() => new Response(body))));
    assert.ok(cancelled);
  });

  test("reads rooms", async () => {
    const room = { room: "<b>town</b>", state: "live", listeners: 3, speakers: [{ name: "ada", tracks: [] }], title: "x" };
    assert.deepEqual(await fetchRooms("https://a.example", ask(() => json({ rooms: [room] }))), [{ ...room, version: 0, stage: [], hands: 0, speakers: [{ name: "ada" }] }]);
    const unknown = await fetchRoom("https://a.example", "town", ask(() => json({ error: { message: "nobody" } }, 404)));
    assert.deepEqual(unknown, { room: "town", state: "unknown", version: 0, stage: [], hands: 0, listeners: 0, speakers: [] });
    for (const wrong of [{ ...room, listeners: -1 }, { ...room, state: 4 }, { ...room, speakers: "ada" }, "room"]) {
      await assert.rejects(fetchRoom("https://a.example", "town", ask(() => json(wrong))), (e: Failure) => e.kind === "protocol");
    }
  });
});

describe("the directory", () => {
  const relays = parseRelays({ relays: [entry, { ...entry, name: "relay-b", url: "https://b.example/x", certificate_sha256: "cd".repeat(32) }] });
  const urls = (d: Directory): string[] => d.candidates().map((c) => `${c.name} ${c.url}`);

  test("lists first, then the page's own; always at the room", () => {
    const d = new Directory(new URL("https://page.example:8443/x"), "my town");
    assert.deepEqual(urls(d), ["page.example:8443 https://page.example:8443/my%20town"]);
    assert.ok(d.learn(relays));
    assert.deepEqual(urls(d).slice(0, 2), ["relay-a https://a.example:4443/my%20town", "relay-b https://b.example/my%20town"]);
    assert.equal(d.candidates().length, 2, "the page's own may be one of them");
    d.recognise(undefined);
    assert.equal(d.candidates().length, 3, "or nobody knows");
    assert.equal(d.learn({ relays: [], retryAfterMs: 0, gone: [], cold: false }), false);
    assert.equal(d.candidates().length, 3, "an empty list takes nothing away");
  });

  test("recognises the page's own relay in the list", () => {
    const d = new Directory(new URL("http://127.0.0.1:8080"), "town");
    d.learn(relays);
    d.recognise(hash.toUpperCase());
    assert.deepEqual(urls(d), ["relay-a https://a.example:4443/town", "relay-b https://b.example/town"]);
    d.tried(d.candidates()[0]!, new Failure("unreachable", "x"));
    assert.equal(urls(d)[0], "relay-a http://127.0.0.1:8080/town", "it is reached as the page was");
    d.tried(d.candidates()[0]!, undefined);
    assert.equal(urls(d)[0], "relay-a https://a.example:4443/town");
    d.learn({ relays: relays.relays.slice(1), retryAfterMs: 0, gone: [], cold: false });
    assert.deepEqual(urls(d), ["relay-b https://b.example/town", "relay-a https://a.example:4443/town"], "the list has left it out");
  });

  test("knows where a page may ask a relay something", () => {
    const d = new Directory(new URL("http://127.0.0.1:8080"), "town");
    const asks = (): (string | undefined)[] => d.candidates().map((c) => d.asks(c));
    const vouched = { ...relays.relays[1]!, hashes: [] };
    d.learn({ ...relays, relays: [relays.relays[0]!, vouched] });
    assert.deepEqual(asks(), [undefined, "https://b.example"], "a certificate of its own is for WebTransport alone");
    d.recognise(hash);
    assert.deepEqual(asks(), ["http://127.0.0.1:8080", "https://b.example"], "the page's own relay answers where the page came from");
  });

  test("recognises it in a later list, too", () => {
    const d = new Directory(new URL("http://127.0.0.1:8080"), "town");
    d.learn({ relays: relays.relays.slice(1), retryAfterMs: 0, gone: [], cold: false });
    d.recognise(hash);
    assert.deepEqual(d.candidates().map((c) => c.name), ["relay-b", "127.0.0.1:8080"]);
    d.learn(relays);
    assert.deepEqual(d.candidates().map((c) => c.name), ["relay-a", "relay-b"]);
  });

  test("is hopeless when everybody has refused for good", () => {
    const d = new Directory(new URL("https://a.example:4443"), "town");
    d.learn(relays);
    const [a, b] = d.candidates();
    const no = new Failure("unsupported", "x");
    d.tried(a!, no);
    assert.equal(d.hopeless(), undefined);
    d.tried(b!, new Failure("unreachable", "x"));
    assert.equal(d.hopeless(), undefined);
    d.tried(b!, no);
    assert.equal(d.hopeless(), no);
    d.tried(a!, undefined);
    assert.equal(d.hopeless(), undefined);
  });
});

describe("catalogs", () => {
  const voice = voiceCatalog(32_000);
  const [data] = voice.audio;

  test("takes bundles of the wanted length, or single packets", () => {
    const tracks = [20, 60, 120].map((ms) => {
      const c = choose(voice, ms);
      assert.ok(typeof c !== "string");
      return [c.source.track, c.bundle?.track];
    });
    assert.deepEqual(tracks, [["audio/data", undefined], ["audio/data", "audio/60ms"], ["audio/data", "audio/120ms"]]);
  });

  test("prefers the legacy container, and says what else there was", () => {
    const loc = { ...data!, track: "l", container: Container.Loc };
    const c = choose({ audio: [loc, { ...data!, track: "d" }] }, 60);
    assert.ok(typeof c !== "string" && c.source.track === "d");
    assert.match(choose({ audio: [] }, 60) as string, /no audio/);
    assert.match(choose({ audio: [{ ...data!, codec: "aac" }] }, 60) as string, /"audio\/data" \(codec "aac"/);
    for (const wrong of [{ channels: 6 }, { broadcast: "../x" }, { container: "cmaf" }]) {
      assert.equal(typeof choose({ audio: [{ ...data!, ...wrong }] }, 60), "string");
    }
  });

  test("knows when a choice is the same", () => {
    const [a, b] = [choose(voice, 60), choose(voice, 120)];
    assert.ok(typeof a !== "string" && typeof b !== "string");
    assert.ok(sameChoice(a, a) && !sameChoice(a, b));
    assert.ok(sameChoice({ source: a.source, bundle: undefined }, a), "a relay without bundles");
  });
});

describe("groups", () => {
  const packet = Uint8Array.of(0x78, 1, 2);
  const legacy = { container: Container.Legacy, size: 1, timescale: 1_000_000 };
  const bundle = { container: Container.Bundle, size: 3, timescale: 1_000_000 };

  test("a packet", () => {
    const { frames, fault } = unpack(legacy, 7, 5, encodeLegacy({ timestampUs: 1234, opus: packet }));
    assert.deepEqual([frames, fault], [[{ sequence: 7, timestampUs: 1234, opus: packet }], undefined]);
  });

  test("an end marker is nothing", () => {
    assert.deepEqual(unpack(legacy, 7, 5, encodeLegacy({ timestampUs: 1, opus: new Uint8Array(0) })), { frames: [], fault: undefined });
  });

  test("a bundle with a hole, and one with what is no Opus", () => {
    const { frames } = unpack(bundle, 2, 1_000_000, encodeBundle([packet, undefined, packet]));
    assert.deepEqual(frames.map((f) => [f.sequence, f.timestampUs]), [[6, 1_000_000], [8, 1_040_000]]);
    const bad = unpack(bundle, 2, 0, encodeBundle([packet, Uint8Array.of(0xff), packet]));
    assert.deepEqual(bad.frames.map((f) => f.sequence), [6, 8]);
    assert.ok(bad.fault instanceof ProtocolError);
  });

  test("what is malformed is a fault, never an exception", () => {
    for (const payload of [new Uint8Array(0), Uint8Array.of(200, 1), Uint8Array.of(1, 1, 1, 1, 1, 1, 9)]) {
      assert.ok(unpack(bundle, 0, 0, payload).fault instanceof ProtocolError);
    }
    assert.ok(unpack(bundle, Number.MAX_SAFE_INTEGER, 0, encodeBundle([packet, packet, packet])).fault);
    assert.ok(unpack(legacy, 0, 0, new Uint8Array(0)).fault);
  });

  test("timestamps in other units", () => {
    assert.deepEqual([toMicros(48_000, 48_000), toMicros(1, 3), toMicros(2 ** 53 - 1, 1)], [1_000_000, 333_333, 0]);
  });
});

describe("the log of hops", () => {
  const hop = (took: number): Hopped => ({ kind: "hopped", session: 2, from: "a", to: "b", cause: "silence", took });

  test("charges a hop with what was lost from its beginning until two seconds after its end", () => {
    const log = new HopLog();
    for (let at = 0; at <= 1000; at += 100) log.count(at, 5);
    log.count(1100, 6); // during the hop
    log.hopped(hop(150), 1150);
    assert.equal(log.hops[0]!.lost, 1);
    assert.deepEqual(log.count(1200, 8), []);
    assert.deepEqual(log.count(3100, 9), []);
    const [settled, ...more] = log.count(3200, 9);
    assert.deepEqual([settled!.lost, settled!.atMs, settled!.tookMs, more.length], [4, 1150, 150, 0]);
    assert.deepEqual(log.count(3300, 50), [], "told once");
    assert.equal(log.hops[0]!.lost, 4);
  });

  test("a hop ends where the next begins", () => {
    const log = new HopLog();
    log.count(0, 0);
    log.hopped(hop(100), 1000);
    log.count(1100, 3);
    log.hopped(hop(100), 1300);
    assert.equal(log.count(1400, 10).length, 1, "the first is settled");
    assert.deepEqual(log.hops.map((h) => h.lost), [3, 7]);
  });

  test("is bounded", () => {
    const log = new HopLog();
    for (let i = 0; i < 1200; i++) log.hopped(hop(1), i * 10_000);
    assert.equal(log.hops.length, 1000);
  });
});

test("names", () => {
  for (const good of ["town", "Zürich 8", "日本", "<b>", "a".repeat(128)]) assert.equal(nameFault(good), undefined);
  for (const bad of ["", ".x", "a/b", "a\u0000", "a".repeat(129), "\ud800", 5]) assert.equal(typeof nameFault(bad), "string");
});

test("tokens", () => {
  const token = (claims: object): string => `h.${btoa(JSON.stringify(claims)).replaceAll("=", "")}.s`;
  assert.equal(tokenFault(undefined, 0), undefined);
  assert.equal(tokenFault(token({ root: "town" }), 1e15), undefined);
  assert.equal(tokenFault(token({ exp: 100 }), 99_999), undefined);
  assert.equal(tokenFault(token({ exp: 100 }), 100_000)!.kind, "unauthorized");
  for (const none of ["x", "a.b.c", "a.!!.c", `a.${btoa("[]")}`]) assert.equal(tokenFault(none, 0)!.kind, "unauthorized");
});

test("who may speak, by what the token says", () => {
  const token = (claims: object): string => `e30.${btoa(JSON.stringify(claims))}.c2ln`;
  for (const put of [["ada"], [""], "ada", ""]) assert.equal(maySpeak(token({ put })), true, JSON.stringify(put));
  for (const put of [[], null, 1, undefined]) assert.equal(maySpeak(token({ put })), false, JSON.stringify(put));
  for (const none of [undefined, "", "x", "a.!!.c"]) assert.equal(maySpeak(none), false);
});

test("a listener's state: what is to be mended first comes first", () => {
  const well: Situation = {
    running: true, failed: false, connected: true, wasConnected: true, queued: false, sound: "playing", speakers: 1,
  };
  const cases: [Partial<Situation>, string][] = [
    [{}, "playing"],
    [{ speakers: 0 }, "waiting"],
    [{ sound: "locked" }, "locked"],
    [{ sound: "interrupted", speakers: 0 }, "interrupted"],
    [{ connected: false }, "reconnecting"],
    [{ connected: false, wasConnected: false, sound: "locked" }, "connecting"],
    [{ connected: false, wasConnected: false, queued: true }, "queued"],
    [{ running: false }, "idle"],
    [{ running: false, failed: true }, "failed"],
  ];
  for (const [change, state] of cases) assert.equal(listenerState({ ...well, ...change }), state);
});

test("loudness for the eye", () => {
  assert.deepEqual([loudness(-120), loudness(-60), loudness(-30), loudness(0), loudness(6)], [0, 0, 0.5, 1, 1]);
});

test("a handler that throws disturbs nobody else", (t) => {
  const events = new Emitter<{ x: number }>();
  const got: number[] = [];
  const page = globalThis as { reportError?: (error: unknown) => void };
  const reported: unknown[] = [];
  page.reportError = (error) => reported.push(error);
  t.after(() => delete page.reportError);
  events.on("x", () => {
    throw new Error("boom");
  });
  const off = events.on("x", (v) => got.push(v));
  events.emit("x", 1);
  off();
  events.emit("x", 2);
  assert.deepEqual(got, [1]);
  assert.match(String(reported), /boom/);
});

test("what comes after something newer is out of date, however it comes", () => {
  const took: number[] = [];
  const sink = newestFrames(({ timestamp }) => took.push(timestamp));
  for (const sequence of [0, 0, 3, 2, 3, 4, 2 ** 50, 5]) sink.datagram(sequence, { timestamp: sequence, payload: new Uint8Array() });
  assert.deepEqual(took, [0, 3, 4, 2 ** 50]);
});
