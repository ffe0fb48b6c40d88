/**
 * The vectors of protocol/testdata and how tests read them. It has no test itself: its
 * name keeps it out of the package.
 */
import { readFileSync } from "node:fs";
import {
  Announce,
  AnnounceOk,
  AnnounceRequest,
  Fetch,
  Goaway,
  GroupHeader,
  type Message,
  Probe,
  Reader,
  Setup,
  Subscribe,
  SubscribeResponse,
  SubscribeUpdate,
  TrackInfo,
  TrackRequest,
} from ".";
import { type Wide, wide } from "./varint";

export type Fields = Record<string, unknown>;

/** One entry of a list; each list has its own members. */
export interface Vector {
  id: string;
  message: string;
  hex: string;
  fields: Fields;
  [member: string]: unknown;
}

export const sections = JSON.parse(readFileSync(`${ROOT}/protocol/testdata/moq-lite-05.json`, "utf8")) as Record<
  string,
  Vector[]
>;

export function unhex(s: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(s.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hex(b: Uint8Array): string {
  return Buffer.from(b).toString("hex");
}

/** A Reader whose stream delivers `size` bytes at a time. */
export function dripping(b: Uint8Array, size = 1): Reader {
  let at = 0;
  return new Reader({
    read: async () => (at < b.length ? b.subarray(at, (at += size)) : undefined),
  });
}

/** An integer that the vectors hold as a decimal string. */
export function integer(v: unknown): Wide {
  return wide(BigInt(v as string | number));
}

const n = (v: unknown): number => Number(integer(v));
const maybe = (v: unknown): number | undefined => (v === null ? undefined : n(v));
const path = (v: unknown): string => v as string;

function delivery(f: Fields): SubscribeUpdate {
  return {
    priority: n(f["priority"]),
    ordered: f["ordered"] as boolean,
    maxLatencyMs: n(f["max_latency_ms"]),
    start: maybe(f["group_start"]),
    end: maybe(f["group_end"]),
  };
}

function setup(f: Fields): Setup {
  return {
    ...(f["probe"] !== undefined && { probe: n(f["probe"]) as 1 | 2 }),
    ...(f["path"] !== undefined && f["path"] !== "" && { path: path(f["path"]) }),
    ...(f["role"] !== undefined && { role: n(f["role"]) as 1 | 2 }),
    ...(f["hop_id"] !== undefined && { hopId: integer(f["hop_id"]) }),
  };
}

/** What we make of a vector's fields, and the codec that reads it. */
export interface Codec {
  codec: Message<unknown>;
  value(f: Fields): unknown;
}

function entry<M>(codec: Message<M>, value: (f: Fields) => M): Codec {
  return { codec: codec as Message<unknown>, value };
}

const response = (kind: "start" | "end" | "drop") =>
  entry(SubscribeResponse, (f) =>
    kind === "drop"
      ? { kind, start: n(f["start"]), end: n(f["end"]), code: n(f["error"]) }
      : { kind, group: n(f["group"]) },
  );

/** Every message by the name that the vectors give it. */
export const codecs: Record<string, Codec> = {
  SETUP: entry(Setup, setup),
  ANNOUNCE_REQUEST: entry(AnnounceRequest, (f) => ({ prefix: path(f["prefix"]), excludeHop: integer(f["exclude_hop"]) })),
  ANNOUNCE_OK: entry(AnnounceOk, (f) => ({ hopId: integer(f["hop_id"]), active: n(f["active_count"]) })),
  ANNOUNCE_BROADCAST: entry(Announce, (f) => ({
    active: f["status"] !== 0,
    suffix: path(f["suffix"]),
    hops: (f["hops"] as unknown[]).map(integer),
  })),
  SUBSCRIBE: entry(Subscribe, (f) => ({
    id: integer(f["subscribe_id"]),
    broadcast: path(f["broadcast"]),
    track: path(f["track"]),
    ...delivery(f),
  })),
  SUBSCRIBE_UPDATE: entry(SubscribeUpdate, delivery),
  SUBSCRIBE_START: response("start"),
  SUBSCRIBE_END: response("end"),
  SUBSCRIBE_DROP: response("drop"),
  SUBSCRIBE_RESPONSE: entry(SubscribeResponse, (f) => ({
    kind: f["type"] === "0" ? ("start" as const) : ("end" as const),
    group: n(f["group"]),
  })),
  TRACK: entry(TrackRequest, (f) => ({ broadcast: path(f["broadcast"]), track: path(f["track"]) })),
  TRACK_INFO: entry(TrackInfo, (f) => ({
    priority: n(f["priority"]),
    ordered: f["ordered"] as boolean,
    maxLatencyMs: n(f["max_latency_ms"]),
    timescale: n(f["timescale"]),
  })),
  FETCH: entry(Fetch, (f) => ({
    broadcast: path(f["broadcast"]),
    track: path(f["track"]),
    priority: n(f["priority"]),
    group: n(f["group"]),
  })),
  PROBE: entry(Probe, (f) => ({ bitrate: n(f["bitrate"]), rttMs: n(f["rtt_ms"]) })),
  GOAWAY: entry(Goaway, (f) => ({ uri: path(f["uri"]) })),
  GROUP: entry(GroupHeader, (f) => ({ subscribeId: integer(f["subscribe_id"]), sequence: n(f["sequence"]) })),
};
