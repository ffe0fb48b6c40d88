// Reads the table of cases that all implementations share (client/hop/testdata,
// README.md there) and runs one, for the tests beside. It has no test itself; its
// name keeps it out of the library.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FRAME } from "./event";
import type { Candidate } from "./candidate";
import type { Effect, Event } from "./event";
import { Machine } from "./machine";
import { Pair } from "./pair";

export interface Table {
  readonly relays: Readonly<Record<string, { readonly zone: string; readonly url: string }>>;
  readonly preambles: Readonly<Record<string, readonly Line[]>>;
  readonly cases: readonly Case[];
}

export interface Case {
  readonly name: string;
  readonly why: string;
  readonly machine: "listener" | "speaker";
  readonly jitter?: number;
  readonly cold?: boolean;
  readonly after?: string;
  readonly since?: number;
  readonly until: number;
  readonly events: readonly Line[];
  readonly effects: readonly Written[];
}

/** An event, or many of them. */
export interface Line {
  readonly at: number;
  readonly do: string;
  readonly session?: number;
  readonly track?: number;
  readonly sequence?: number;
  readonly frames?: number;
  readonly timestamp?: number;
  readonly ticks?: boolean;
  readonly final?: boolean;
  readonly cause?: string;
  readonly uris?: readonly string[];
  readonly within?: number;
  readonly candidates?: readonly string[];
  readonly name?: string;
  readonly cold?: boolean;
  readonly count?: number;
  readonly every?: number;
  readonly lost?: readonly number[];
  readonly late?: readonly (readonly [number, number])[];
}

/** An effect as the table has it. */
export type Written = Readonly<Record<string, string | number>>;

export interface Timed {
  readonly at: number;
  readonly event: Event;
}

export type Stepper = Pick<Machine, "step" | "deadline">;

export function readTable(file: string): Table {
  return JSON.parse(readFileSync(join(ROOT, "client/hop/testdata", file), "utf8")) as Table;
}

/** The events of a line, in their order. */
export function expand(line: Line, relays: Table["relays"]): Timed[] {
  const frames = line.frames ?? 1;
  const out: Timed[] = [];
  for (let i = 0; i < (line.count ?? 1); i++) {
    const late = line.late?.find(([which]) => which === i)?.[1] ?? 0;
    if (!line.lost?.includes(i)) {
      const at = line.at + i * (line.every ?? frames * FRAME) + late;
      out.push({ at, event: eventOf(line, i * frames, relays) });
    }
  }
  return out;
}

/** The event of a line, some frames further on. */
function eventOf(line: Line, further: number, relays: Table["relays"]): Event {
  const { session = 0, track = 0, sequence = 0 } = line;
  switch (line.do) {
    case "now":
    case "network-changed":
      return { kind: line.do };
    case "candidates":
      return { kind: line.do, candidates: (line.candidates ?? []).map((name) => candidate(name, relays)) };
    case "dialled":
      return { kind: line.do, session, ticks: line.ticks ?? false };
    case "dial-failed":
      return { kind: line.do, session, final: line.final ?? false };
    case "closed":
    case "gone":
    case "ticked":
      return { kind: line.do, session };
    case "announced":
    case "ended":
      return { kind: line.do, session, track };
    case "arrived": {
      const timestamp = (line.timestamp ?? sequence * FRAME) + further * FRAME;
      return { kind: line.do, session, track, sequence: sequence + further, frames: line.frames ?? 1, timestamp };
    }
    case "goaway": {
      const cause = line.cause === "load" ? "load" : "drain";
      return { kind: line.do, session, cause, uris: line.uris ?? [], within: line.within ?? 0 };
    }
    case "better":
      return { kind: line.do, name: line.name ?? "" };
    case "set-cold":
      return { kind: line.do, cold: line.cold ?? false };
  }
  throw new Error(`unknown event ${line.do}`);
}

function candidate(name: string, relays: Table["relays"]): Candidate {
  const relay = relays[name];
  if (!relay) {
    throw new Error(`unknown relay ${name}`);
  }
  return { name, ...relay };
}

/** Gives a machine its events, and the time whenever it wants it. */
export function drive(
  m: Stepper,
  events: readonly Timed[],
  until: number,
  saw: (now: number, effects: readonly Effect[]) => void,
): void {
  const sorted = [...events].sort((a, b) => a.at - b.at);
  let idle = 0;
  let now = 0;
  for (let i = 0; ; ) {
    const next = sorted[i];
    const wanted = m.deadline() ?? Infinity;
    const timer = wanted < (next?.at ?? Infinity);
    const at = timer ? wanted : (next?.at ?? Infinity);
    if (at > until) {
      return;
    }
    idle = at > now ? 0 : idle + 1;
    now = Math.max(now, at);
    if (idle > 200) {
      throw new Error(`at ${at}: the machine wants to be stepped for ever`);
    }
    saw(now, timer || !next ? m.step(now) : m.step(now, next.event));
    i += timer ? 0 : 1;
  }
}

/** What comes out of a case. */
export function run(c: Case, table: Table): Written[] {
  const lines = [...(c.after ? (table.preambles[c.after] ?? []) : []), ...c.events];
  const options = { jitter: c.jitter ?? 0, cold: c.cold ?? false };
  const m = c.machine === "speaker" ? new Pair(options) : new Machine(options);
  const got: Written[] = [];
  drive(m, lines.flatMap((line) => expand(line, table.relays)), c.until, (now, effects) => {
    if (now >= (c.since ?? 0)) {
      got.push(...effects.map((e) => written(now, e)));
    }
  });
  return got;
}

/** An effect as the table has it: what is zero is absent, but a track or a start. */
export function written(at: number, e: Effect): Written {
  const { kind, ...fields } = e;
  const out: Record<string, string | number> = { at: nano(at), do: kind };
  for (const [name, value] of Object.entries(fields)) {
    if (name === "candidate") {
      out["relay"] = (value as Candidate).name;
    } else if (name === "took") {
      out[name] = nano(value as number);
    } else {
      out[name] = value as string | number;
    }
    if (!out[name] && name !== "track" && name !== "start") {
      delete out[name];
    }
  }
  if (out["start"] === undefined) {
    delete out["start"];
  }
  return out;
}

/** Milliseconds to the nanosecond, as the table has them. */
function nano(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}
