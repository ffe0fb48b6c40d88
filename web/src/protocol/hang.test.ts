import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  bundleSize,
  type Catalog,
  encodeBundle,
  encodeCatalog,
  encodeLegacy,
  Limit,
  openGroup,
  parseBundle,
  parseCatalog,
  parseLegacy,
  parseLoc,
  ProtocolError,
  voiceCatalog,
} from ".";
import { hex, sections, unhex } from "./shared.test";

const utf8 = (s: string): Uint8Array => new TextEncoder().encode(s);

describe("hang vectors", () => {
  for (const v of sections["hang"]!) {
    test(v.id, () => {
      if (v.message === "CATALOG") return testCatalog(v.fields, v["json"] as string[]);
      const parse = v.message === "LOC_FRAME" ? parseLoc : parseLegacy;
      const want = { timestampUs: Number(v.fields["timestamp_us"]), opus: unhex(v.fields["payload"] as string) };
      assert.deepEqual(parse(unhex(v.hex)), want);
      if (v.message === "LEGACY_FRAME") assert.equal(hex(encodeLegacy(want)), v.hex);
    });
  }

  function testCatalog(fields: Record<string, unknown>, json: string[]): void {
    if (fields["compression"]) return; // catalog.json.z, which nobody here asks for
    const frame = unhex((fields["frames"] as string[])[0]!);
    const catalog = parseCatalog(frame);
    const speech = {
      track: "audio/data", codec: "opus", sampleRate: 48000, channels: 1, bitrate: 32000, container: "legacy", jitterMs: 20,
    };
    assert.deepEqual(catalog, { audio: [speech] });
    assert.equal(hex(encodeCatalog(catalog)), hex(utf8(json[0]!)));
  }
});

const required = `"codec":"opus","sampleRate":48000,"numberOfChannels":2`;
const audio = (config: string): string => `{"audio":{"renditions":{"a":{${config}}}}}`;

describe("catalog", () => {
  const minimal = { track: "a", codec: "opus", sampleRate: 48000, channels: 2, container: "legacy" };
  const accepted: [name: string, doc: string, want: object[]][] = [
    ["nothing", `{}`, []],
    ["no renditions", `{"audio":{"renditions":{}}}`, []],
    ["only what is required", audio(required), [minimal]],
    ["old form", `{"audio":{"track":{"name":"a"},"config":{${required}}}}`, [minimal]],
    ["video too", `{"video":{"renditions":{}},"audio":{"renditions":{"a":{${required}}}}}`, [minimal]],
    ["members nobody knows", audio(`${required},"description":"4f70","timeline":{"track":"t"},"x":[1]`), [minimal]],
    ["a container nobody knows", audio(`${required},"container":{"kind":"new","init":"AA"}`), [{ ...minimal, container: "new" }]],
    ["longest jitter", audio(`${required},"jitter":4294967295`), [{ ...minimal, jitterMs: 4294967295 }]],
    ["a track named __proto__", `{"audio":{"renditions":{"__proto__":{${required}}}}}`, [{ ...minimal, track: "__proto__" }]],
    ["the second of two", `{"audio":{"renditions":{"a":{"codec":"x"},"a":{${required}}}}}`, [minimal]],
  ];
  for (const [name, doc, want] of accepted) {
    test(name, () => {
      const got = parseCatalog(utf8(doc));
      assert.deepEqual(got.audio, want);
      assert.deepEqual(parseCatalog(encodeCatalog(got)), got);
    });
  }

  const refused: [name: string, doc: string][] = [
    ["no JSON", `audio`],
    ["nothing at all", ``],
    ["a list", `[]`],
    ["null", `null`],
    ["more than one document", `{}{}`],
    ["audio is a string", `{"audio":"a"}`],
    ["renditions is a list", `{"audio":{"renditions":[]}}`],
    ["renditions is null", `{"audio":{"renditions":null}}`],
    ["a rendition is a number", `{"audio":{"renditions":{"a":1}}}`],
    ["codec missing", audio(`"sampleRate":48000,"numberOfChannels":1`)],
    ["codec is a number", audio(`"codec":1,"sampleRate":48000,"numberOfChannels":1`)],
    ["sampleRate missing", audio(`"codec":"opus","numberOfChannels":1`)],
    ["sampleRate is a string", audio(`"codec":"opus","sampleRate":"48000","numberOfChannels":1`)],
    ["sampleRate is a fraction", audio(`"codec":"opus","sampleRate":4.8,"numberOfChannels":1`)],
    ["sampleRate is negative", audio(`"codec":"opus","sampleRate":-1,"numberOfChannels":1`)],
    ["numberOfChannels is 0", audio(`"codec":"opus","sampleRate":48000,"numberOfChannels":0`)],
    ["jitter beyond 32 bits", audio(`${required},"jitter":4294967296`)],
    ["container is a string", audio(`${required},"container":"legacy"`)],
    ["container without kind", audio(`${required},"container":{}`)],
    ["broadcast is a number", audio(`${required},"broadcast":1`)],
    ["old form without config", `{"audio":{"track":{"name":"a"}}}`],
    ["old form, config incomplete", `{"audio":{"track":{"name":"a"},"config":{"codec":"opus"}}}`],
    ["deep as a well", "[".repeat(60_000)],
    ["too long", `{"x":"${"x".repeat(Limit.catalog)}"}`],
  ];
  for (const [name, doc] of refused) test(`refused: ${name}`, () => assert.throws(() => parseCatalog(utf8(doc)), ProtocolError));

  test("refused: not UTF-8", () => assert.throws(() => parseCatalog(unhex("7b22c328223a317d")), ProtocolError));

  test("a voice's lists what relays derive, and audio/data first", () => {
    const catalog: Catalog = parseCatalog(encodeCatalog(voiceCatalog(32000)));
    assert.deepEqual(catalog, voiceCatalog(32000));
    assert.deepEqual(
      catalog.audio.map((r) => [r.track, r.container, r.jitterMs]),
      [
        ["audio/data", "legacy", 20],
        ["audio/60ms", "stentor-bundle", 60],
        ["audio/120ms", "stentor-bundle", 120],
      ],
    );
  });
});

describe("bundles", () => {
  const [one, two] = [Uint8Array.of(0xf8, 1), Uint8Array.of(0xf8, 2, 2)];

  test("there and back", () => {
    const b = encodeBundle([one, undefined, two]);
    assert.equal(hex(b), "02f801" + "00" + "03f80202");
    assert.deepEqual(parseBundle(b, 3), [one, undefined, two]);
  });

  test("exactly as many packets as the track says", () => {
    const b = encodeBundle([one, two, one]);
    for (const want of [2, 4, 6]) assert.throws(() => parseBundle(b, want), ProtocolError);
    assert.throws(() => parseBundle(unhex("02f8"), 1), ProtocolError);
  });

  test("sizes", () => {
    assert.deepEqual(["audio/data", "audio/60ms", "audio/120ms", "audio", "catalog.json"].map(bundleSize), [1, 3, 6, 0, 0]);
  });

  test("a group of any track opens into packets of audio/data", () => {
    assert.deepEqual(openGroup("audio/data", 7, 0, encodeLegacy({ timestampUs: 140_000, opus: one })), [
      { sequence: 7, timestampUs: 140_000, opus: one },
    ]);
    assert.deepEqual(openGroup("audio/60ms", 4, 240_000, encodeBundle([one, undefined, two])), [
      { sequence: 12, timestampUs: 240_000, opus: one },
      { sequence: 14, timestampUs: 280_000, opus: two },
    ]);
    assert.equal(openGroup("audio/120ms", 2, 0, encodeBundle([one, one, one, one, one, two])).at(-1)?.sequence, 17);
    assert.throws(() => openGroup("video", 0, 0, one), ProtocolError);
    assert.throws(() => openGroup("audio/60ms", Number.MAX_SAFE_INTEGER, 0, encodeBundle([one, one, one])), ProtocolError);
  });
});

describe("LOC", () => {
  const refused: [name: string, hex: string][] = [
    ["empty", ""],
    ["block longer than the payload", "0510"],
    ["no timestamp", "00f8"],
    ["property cut", "0110f8"],
    ["timescale 0", "04080008 00f8"],
    ["timestamp beyond any number", "0910ffffffffffffffff"],
  ];
  for (const [name, b] of refused) test(`refused: ${name}`, () => assert.throws(() => parseLoc(unhex(b)), ProtocolError));
});
