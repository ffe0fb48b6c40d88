import { Cursor } from "./cursor";
import { ProtocolError } from "./errors";
import { maxInteger, type Wide } from "./varint";
import { Writer } from "./writer";

/** Track names of a broadcast (docs/wire.md, section 14). */
export const Track = {
  Catalog: "catalog.json",
  /** One Opus packet a group. */
  Audio: "audio/data",
  /** Bundles of 3 packets, made by relays. */
  Audio60: "audio/60ms",
  /** Bundles of 6. */
  Audio120: "audio/120ms",
} as const;

/** The timescale of every audio track: microseconds. */
export const audioTimescale = 1_000_000;

/**
 * How many 20 ms packets one group of a track carries: 1, 3 or 6; 0 for tracks
 * without audio of that form.
 */
export function bundleSize(track: string): 0 | 1 | 3 | 6 {
  if (track === Track.Audio) return 1;
  if (track === Track.Audio60) return 3;
  return track === Track.Audio120 ? 6 : 0;
}

/** How audio lies in the payload of a frame. A catalog may name other kinds. */
export const Container = {
  Legacy: "legacy",
  Loc: "loc",
  /** Fragmented MP4, which Stentor does not read. */
  Cmaf: "cmaf",
  /** Several packets a group. */
  Bundle: "stentor-bundle",
} as const;

/** A packet and the time of its first sample in microseconds. */
export interface TimedPacket {
  timestampUs: number;
  /** Shares memory with the payload. Empty: the end of the track. */
  opus: Uint8Array;
}

/** A payload in the legacy container (docs/wire.md, section 14.2): time as a varint, then the packet. */
export function encodeLegacy(p: TimedPacket): Uint8Array<ArrayBuffer> {
  const w = new Writer(8 + p.opus.length);
  w.varint(p.timestampUs);
  w.raw(p.opus);
  return w.bytes();
}

/** Takes a payload in the legacy container apart. */
export function parseLegacy(payload: Uint8Array): TimedPacket {
  const c = new Cursor(payload, "legacy container", false);
  return { timestampUs: c.varint(), opus: c.rest() };
}

// Properties of the LOC container. An even one holds a varint, an odd one a length and bytes.
const Loc = { TimestampOld: 0x06, Timescale: 0x08, Timestamp: 0x10 } as const;

/** Takes a payload in the LOC container apart (docs/wire.md, section 14.3); time is rounded down. */
export function parseLoc(payload: Uint8Array): TimedPacket {
  const c = new Cursor(payload, "loc container", false);
  const timestampUs = locTimestamp(new Cursor(c.sized(), "loc container", true));
  return { timestampUs, opus: c.rest() };
}

function locTimestamp(c: Cursor): number {
  let id = 0n;
  let ticks: Wide | undefined;
  let scale: Wide = audioTimescale;
  while (c.left > 0) {
    id += BigInt(c.wide());
    if (id === BigInt(Loc.Timestamp) || id === BigInt(Loc.TimestampOld)) ticks = c.wide();
    else if (id === BigInt(Loc.Timescale)) scale = c.wide();
    else if (id % 2n === 0n) c.wide();
    else c.sized();
  }
  if (ticks === undefined) throw c.fail("no timestamp");
  if (scale === 0) throw c.fail("timescale 0");
  const micros = (BigInt(ticks) * BigInt(audioTimescale)) / BigInt(scale);
  if (micros > BigInt(maxInteger)) throw c.fail(`timestamp ${micros} out of range`);
  return Number(micros);
}

/**
 * The payload of a frame of `audio/60ms` or `audio/120ms`: the packets of
 * consecutive groups, oldest first, undefined for one that never came
 * (docs/wire.md, section 14.5).
 *
 *     BUNDLE { Packet { Length (i), Opus (..) } ... }
 */
export function encodeBundle(packets: readonly (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  const w = new Writer();
  for (const packet of packets) w.sized(packet ?? new Uint8Array(0));
  return w.bytes();
}

/** Takes a bundle of exactly `want` packets apart; they share memory with the payload. */
export function parseBundle(payload: Uint8Array, want: number): (Uint8Array | undefined)[] {
  const c = new Cursor(payload, "bundle", false);
  const packets: (Uint8Array | undefined)[] = [];
  for (let i = 0; i < want; i++) {
    const packet = c.sized();
    packets.push(packet.length > 0 ? packet : undefined);
  }
  c.finish();
  return packets;
}

/** The packets of one audio group of `track`, with source sequences and times. */
export interface SourcePacket extends TimedPacket {
  /** Of the packet's group in `audio/data`. */
  sequence: number;
}

/**
 * Opens a group of any of the three audio tracks: the packets that came, numbered
 * and timed as in `audio/data`. A packet that never came is left out.
 */
export function openGroup(track: string, sequence: number, timestampUs: number, payload: Uint8Array): SourcePacket[] {
  const size = bundleSize(track);
  if (size === 0) throw new ProtocolError("group", `track ${JSON.stringify(track)} has no audio of a known form`);
  if (size === 1) return [{ sequence, ...parseLegacy(payload) }];
  if (sequence > (maxInteger - size) / size) throw new ProtocolError("bundle", `sequence ${sequence} out of range`);
  return parseBundle(payload, size).flatMap((opus, slot) =>
    opus ? [{ sequence: sequence * size + slot, timestampUs: timestampUs + slot * 20_000, opus }] : [],
  );
}
