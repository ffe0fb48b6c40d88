import { Limit, ProtocolError } from "./errors";
import { Container, Track } from "./container";

/** One way to hear a broadcast: a track and what a decoder has to know about it. */
export interface Rendition {
  track: string;
  /** "opus". */
  codec: string;
  /** Hz. */
  sampleRate: number;
  channels: number;
  /** bit/s, informative. */
  bitrate?: number;
  /** One of {@link Container}, or a kind that we do not know. */
  container: string;
  /** Longest time between a frame being ready and being sent: a packet's duration. */
  jitterMs?: number;
  /** Relative path of another broadcast that carries the track. Absent: this one. */
  broadcast?: string;
}

/** The document of `catalog.json`: what a broadcast has to hear (docs/wire.md, section 14.1). */
export interface Catalog {
  /** In the order of the document, in which players prefer them. */
  audio: Rendition[];
}

const where = "catalog";

/**
 * Reads a document, the first frame of a group of `catalog.json`. One wrong type
 * fails all of it, as it does for other players; members that are not known are
 * passed over.
 */
export function parseCatalog(b: Uint8Array): Catalog {
  if (b.length > Limit.catalog) throw new ProtocolError(where, `too long: ${b.length} bytes, above ${Limit.catalog}`);
  const doc = object(parseJson(b), "document");
  if (doc["audio"] === undefined) return { audio: [] };
  const audio = object(doc["audio"], "audio");
  if (audio["renditions"] !== undefined) {
    const renditions = Object.entries(object(audio["renditions"], "renditions"));
    return { audio: renditions.map(([track, config]) => rendition(track, config)) };
  }
  // The older form: one track and its config.
  if (audio["track"] === undefined) return { audio: [] };
  return { audio: [rendition(string(object(audio["track"], "track"), "name"), audio["config"])] };
}

/** The document, members in a fixed order. */
export function encodeCatalog(catalog: Catalog): Uint8Array<ArrayBuffer> {
  const renditions = Object.fromEntries(catalog.audio.map((r) => [r.track, config(r)]));
  const doc = catalog.audio.length > 0 ? { audio: { renditions } } : {};
  return new TextEncoder().encode(JSON.stringify(doc));
}

/**
 * What Stentor's publishers say of a voice: `audio/data` with its bitrate in
 * bit/s, and the two tracks that relays make of it.
 */
export function voiceCatalog(bitrate: number, channels = 1): Catalog {
  const opus = { codec: "opus", sampleRate: 48000, channels, bitrate };
  return {
    audio: [
      { track: Track.Audio, ...opus, container: Container.Legacy, jitterMs: 20 },
      { track: Track.Audio60, ...opus, container: Container.Bundle, jitterMs: 60 },
      { track: Track.Audio120, ...opus, container: Container.Bundle, jitterMs: 120 },
    ],
  };
}

function config(r: Rendition): object {
  return {
    codec: r.codec,
    sampleRate: r.sampleRate,
    numberOfChannels: r.channels,
    bitrate: r.bitrate || undefined,
    container: { kind: r.container },
    jitter: r.jitterMs || undefined,
    broadcast: r.broadcast || undefined,
  };
}

type Members = Record<string, unknown>;

function parseJson(b: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(b));
  } catch (e) {
    throw new ProtocolError(where, `no JSON: ${e instanceof Error ? e.message : String(e)}`);
  }
}

function rendition(track: string, value: unknown): Rendition {
  const c = object(value, `rendition ${JSON.stringify(track)}`);
  const bitrate = integer(c, "bitrate", 0);
  const jitterMs = integer(c, "jitter", 0);
  const broadcast = c["broadcast"] === undefined ? "" : string(c, "broadcast");
  return {
    track,
    codec: string(c, "codec"),
    sampleRate: integer(c, "sampleRate"),
    channels: integer(c, "numberOfChannels"),
    container: c["container"] === undefined ? Container.Legacy : string(object(c["container"], "container"), "kind"),
    ...(bitrate && { bitrate }),
    ...(jitterMs && { jitterMs }),
    ...(broadcast && { broadcast }),
  };
}

function object(value: unknown, name: string): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw new ProtocolError(where, `${name} is no object`);
}

function string(members: Members, name: string): string {
  const value = members[name];
  if (typeof value === "string" && (value !== "" || name === "broadcast" || name === "name")) return value;
  throw new ProtocolError(where, `${name} is no string`);
}

/** A member of 32 bits, above 0 unless `absent` says what it is without. */
function integer(members: Members, name: string, absent?: number): number {
  const value = members[name];
  if (value === undefined && absent !== undefined) return absent;
  const least = absent === undefined ? 1 : 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value < 2 ** 32) return value;
  throw new ProtocolError(where, `${name} is no integer in range`);
}
