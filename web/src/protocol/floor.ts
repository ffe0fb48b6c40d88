import { Cursor } from "./cursor";
import { maxInteger, type Wide } from "./varint";
import { Writer } from "./writer";

/** The track of `.stentor/rooms/ROOM` that says what of a crowded stage is sent to listeners, a {@link Floor} a group. */
export const LOUDEST_TRACK = "loudest";

/** The track of a broadcast that says how loud its speaker is, a level a group. */
export const LEVEL_TRACK = "level";

// Bounds of a floor.
const MAX_VOICES = 256;
const MAX_SPANS = 8;

/** The groups `from` to `until`, that one left out, of `audio/data`; Infinity is an end that is not known yet. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** What of one broadcast is for listeners. */
export interface FloorVoice {
  /** Its path below the room. */
  readonly name: string;
  /** The hop id of its publisher: another's broadcast of that name is another voice. */
  readonly publisher: Wide;
  /** In order. Groups before the first are not for listeners. */
  readonly spans: readonly Span[];
}

/**
 * Says what of a crowded stage is sent to listeners (docs/wire.md, section 21).
 * Broadcasts that it does not name are, all of them; so an empty one says nothing.
 *
 *     FLOOR {
 *       Voice { Name (s), Publisher (i), Spans (i), Span { From (i), Length (i) } ... } ...,
 *     }
 *
 * From counts from where the span before it ended, and a length of 0 is a span that
 * has not ended.
 */
export type Floor = readonly FloorVoice[];

/** Writes a floor. */
export function encodeFloor(floor: Floor): Uint8Array {
  const w = new Writer();
  for (const { name, publisher, spans } of floor) {
    w.string(name);
    w.varint(publisher);
    w.varint(spans.length);
    let end = 0;
    for (const { from, until } of spans) {
      w.varint(from - end);
      w.varint(until === Infinity ? 0 : until - from);
      end = until;
    }
  }
  return w.bytes();
}

/** Reads a floor that is all of b. Throws a ProtocolError. */
export function parseFloor(b: Uint8Array): Floor {
  const c = new Cursor(b, "floor", true);
  const floor: FloorVoice[] = [];
  while (c.left > 0) {
    const name = c.path();
    const publisher = c.wide();
    const count = c.varint();
    if (count > MAX_SPANS || floor.length === MAX_VOICES) throw c.fail(`more than ${MAX_SPANS} spans or ${MAX_VOICES} voices`);
    floor.push({ name, publisher, spans: spans(c, count) });
  }
  return floor;
}

function spans(c: Cursor, count: number): Span[] {
  const all: Span[] = [];
  for (let end = 0; all.length < count; ) {
    if (end === Infinity) throw c.fail("a span behind one without end");
    const from = end + c.varint();
    const length = c.varint();
    const until = length === 0 ? Infinity : from + length;
    if (from > maxInteger || (length > 0 && until > maxInteger)) throw c.fail("a span beyond 2^53-1");
    all.push({ from, until });
    end = until;
  }
  return all;
}

/** What a floor says of a broadcast; undefined if that is nothing. Publisher is its hop id, in decimal. */
export function floorVoice(floor: Floor, name: string, publisher: string): FloorVoice | undefined {
  return floor.find((v) => v.name === name && String(v.publisher) === publisher);
}

/**
 * The first stretch at or behind a sequence that is not for listeners: its from is
 * Infinity if none is known of, its until if it has no end yet.
 */
export function floorGap(voice: FloorVoice, sequence: number): Span {
  let from = sequence;
  for (const s of voice.spans) if (from >= s.from && from < s.until) from = s.until;
  const next = voice.spans.find((s) => from < s.until);
  return { from, until: next ? Math.max(from, next.from) : Infinity };
}

/**
 * How loud a speaker is, as RFC 6464 §3 has it in one byte: the highest bit says that
 * it is speech, the others are the level in dBov without its sign, 0 as loud as can
 * be and 127 silence.
 */
export function encodeLevel(dB: number, speech: boolean): Uint8Array {
  const level = Math.min(Math.max(Math.round(dB), 0), 127);
  return Uint8Array.of(speech ? level | 0x80 : level);
}
