import { Cursor } from "./cursor";
import { Limit } from "./errors";
import { type Message, message } from "./message";
import type { Wide } from "./varint";
import { Writer } from "./writer";

/** What an end does as the publisher of a PROBE stream; higher ones read as the last. */
export const ProbeLevel = { None: 0, Report: 1, Increase: 2 } as const;
/** One of {@link ProbeLevel}. */
export type ProbeLevel = (typeof ProbeLevel)[keyof typeof ProbeLevel];

/** Narrows what a client will do; others read as Both. */
export const Role = { Both: 0, Publisher: 1, Subscriber: 2 } as const;
/** One of {@link Role}. */
export type Role = (typeof Role)[keyof typeof Role];

/** Milliseconds of audio that a packet can hold. */
export type PacketMs = 20 | 60 | 120;

/**
 * What one end can do. Each end sends exactly one, on a stream of its own, as the
 * first thing it does (docs/wire.md, section 3). What is absent is not declared.
 *
 *     SETUP {
 *       Length (i),
 *       Count (i),
 *       Parameter { Id (i), Size (i), Value (..) } ...,
 *     }
 */
export interface Setup {
  probe?: ProbeLevel;
  /** Request path with its query; on native QUIC only, where no browser is. */
  path?: string;
  /** From clients only. */
  role?: Role;
  /** This end in the routes of announcements, not 0. */
  hopId?: Wide;

  // The rest are Stentor's own and mean nothing to others.

  /** This end reads groups from datagrams. */
  datagrams?: boolean;
  /** This end acts on GOAWAY. */
  goaway?: boolean;
  /** Milliseconds a packet that a relay wants new listeners to take. */
  packetMs?: PacketMs;
  /** Percent of its capacity that a relay has in use, at most 255. */
  load?: number;
}

// 4 is a link cost that only later drafts use.
const Parameter = {
  Probe: 1,
  Path: 2,
  Role: 3,
  HopId: 5,
  Datagrams: 0x5354,
  Goaway: 0x5355,
  Packet: 0x5356,
  Load: 0x5357,
} as const;

/** The codec of {@link Setup}. Parameters are written in ascending order. */
export const Setup: Message<Setup> = message("setup", write, read);

function write(w: Writer, m: Setup): void {
  let count = 0;
  const parameters = new Writer();
  const put = (id: number, fill: (w: Writer) => void): void => {
    count++;
    parameters.varint(id);
    parameters.body(fill);
  };
  const integer = (id: number, value: Wide | undefined): void => {
    if (value !== undefined) put(id, (w) => w.varint(value));
  };
  integer(Parameter.Probe, m.probe || undefined);
  if (m.path) put(Parameter.Path, (w) => w.raw(new TextEncoder().encode(m.path)));
  integer(Parameter.Role, m.role || undefined);
  integer(Parameter.HopId, m.hopId || undefined);
  integer(Parameter.Datagrams, m.datagrams ? 1 : undefined);
  integer(Parameter.Goaway, m.goaway ? 1 : undefined);
  integer(Parameter.Packet, m.packetMs);
  integer(Parameter.Load, m.load);
  w.varint(count);
  w.raw(parameters.bytes());
}

function read(c: Cursor): Setup {
  const count = c.wide();
  if (count > Limit.parameters) throw c.fail(`${count} parameters, above ${Limit.parameters}`);
  const setup: Setup = {};
  const seen = new Set<Wide>();
  for (let i = 0; i < count; i++) {
    const id = c.wide();
    const value = c.sized();
    if (seen.has(id)) throw c.fail(`parameter ${id} twice`);
    seen.add(id);
    set(setup, c, id, value);
  }
  return setup;
}

/** Takes one parameter. A value out of range means the nearest that we know, or nothing. */
function set(setup: Setup, c: Cursor, id: Wide, value: Uint8Array): void {
  switch (id) {
    case Parameter.Path: {
      const path = c.text(value);
      if (path !== "") setup.path = path;
      return;
    }
    case Parameter.Probe: {
      const level = integer(c, value);
      if (level !== 0) setup.probe = level === ProbeLevel.Report ? ProbeLevel.Report : ProbeLevel.Increase;
      return;
    }
    case Parameter.Role: {
      const role = integer(c, value);
      if (role === Role.Publisher || role === Role.Subscriber) setup.role = role;
      return;
    }
    case Parameter.HopId: {
      const hop = integer(c, value);
      if (hop !== 0) setup.hopId = hop;
      return;
    }
    case Parameter.Datagrams:
      if (integer(c, value) !== 0) setup.datagrams = true;
      return;
    case Parameter.Goaway:
      if (integer(c, value) !== 0) setup.goaway = true;
      return;
    case Parameter.Packet: {
      const ms = integer(c, value);
      if (ms === 20 || ms === 60 || ms === 120) setup.packetMs = ms;
      return;
    }
    case Parameter.Load: {
      const load = integer(c, value);
      setup.load = load > 255 ? 255 : Number(load);
      return;
    }
  }
}

/** The value of a parameter, which holds exactly one varint. */
function integer(c: Cursor, value: Uint8Array): Wide {
  const inner = new Cursor(value, c.where, true);
  const v = inner.wide();
  inner.finish();
  return v;
}
