/** Real relays and speakers: processes of the stentor binary, on ports that the system gives. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scene } from "./scene";
import { toneWav } from "./tone";

declare const ROOT: string;
/** The built binary; scripts/e2e.mjs makes it. */
declare const STENTOR: string;

/** What runs now: it ends with this process, even if that is told to end in the middle of a test. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** A running stentor. It ends with the test, however that ends. */
export class Process {
  readonly #child: ChildProcess;
  #log = "";

  constructor(scene: Scene, ...args: string[]) {
    this.#child = spawn(STENTOR, args, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.#child);
    this.#child.once("exit", () => running.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on("data", (chunk: Buffer) => (this.#log += chunk.toString()));
    scene.after(async () => {
      if (scene.failed) scene.say(`stentor ${args[0]} said:\n${this.#log.slice(-3000)}`);
      await this.kill();
    });
  }

  get log(): string {
    return this.#log;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** What a line of its output says, once it does. */
  async says(pattern: RegExp, withinMs = 20_000): Promise<string> {
    const until = Date.now() + withinMs;
    for (;;) {
      const match = pattern.exec(this.#log);
      if (match !== null) return match[1] ?? match[0];
      if (this.ended || Date.now() > until) throw new Error(`stentor does not say ${pattern}:\n${this.#log}`);
      await pause(10);
    }
  }

  /** SIGSTOP and SIGCONT: it is there and answers nothing. */
  freeze(frozen: boolean): void {
    this.#child.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.ended) return;
    this.#child.kill(signal);
    await once(this.#child, "exit");
  }
}

/** A relay that serves. */
export interface Relay {
  name: string;
  /** Where clients reach it. */
  url: string;
  /** The page, in the clear: a secure context, because it is loopback. */
  http: string;
  admin: string;
  gossip: string;
  process: Process;
}

/** Starts a relay; open unless args say who may come in. */
export async function startRelay(scene: Scene, name: string, ...args: string[]): Promise<Relay> {
  const access = args.includes("--keys") ? [] : ["--open"];
  const given = (flag: string, value: string): string[] => (args.includes(flag) ? [] : [flag, value]);
  const process = new Process(scene, "relay", "--name", name, ...given("--listen", "127.0.0.1:0"), ...given("--http", "127.0.0.1:0"), "--admin", "127.0.0.1:0", ...given("--gossip", "127.0.0.1:0"), ...access, ...args);
  await process.says(/^ready /m);
  return {
    name,
    process,
    url: await process.says(/msg=ready .*url=(\S+)/),
    http: `http://${await process.says(/msg=ready .*http=(\S+)/)}`,
    admin: `http://${await process.says(/msg=ready .*admin=(\S+)/)}`,
    gossip: await process.says(/msg=gossip address=(\S+)/),
  };
}

/** Starts relays that know each other: the first is the one the others join at. */
export async function startNetwork(scene: Scene, names: readonly string[], ...args: string[]): Promise<Relay[]> {
  const [first, ...others] = names;
  const relays = [await startRelay(scene, first ?? "relay-a", ...args)];
  relays.push(...(await Promise.all(others.map((name) => startRelay(scene, name, "--join", relays[0]?.gossip ?? "", ...args)))));
  for (const relay of relays) await eventually(`${relay.name} knows the others`, async () => (await lobby(relay, "any")).relays.length === names.length);
  return relays;
}

/** What a relay's lobby answers. */
export async function lobby(relay: Relay, room: string): Promise<{ relays: { name: string }[] }> {
  const response = await fetch(`${relay.http}/v1/rooms/${room}/relays?n=16`);
  return (await response.json()) as { relays: { name: string }[] };
}

/** Starts a speaker of a steady tone, or of a file. */
export async function speak(scene: Scene, relays: readonly Relay[], room: string, name: string, options: { hz?: number; file?: string; token?: string } = {}): Promise<Process> {
  const file = options.file ?? join(scratch(scene), `${name.replaceAll(/\W/g, "_")}.wav`);
  if (options.file === undefined) writeFileSync(file, toneWav(options.hz ?? 440, 60));
  const voice = new Process(scene, "speak", ...relays.flatMap(({ url }) => ["--relay", url]), "--room", room, "--name", name, ...(options.token === undefined ? [] : ["--token", options.token]), "--loop", file);
  const [relay] = relays;
  if (relay !== undefined) {
    await eventually(`${name} is live`, async () => {
      const response = await fetch(`${relay.http}/v1/rooms/${encodeURIComponent(room)}`);
      if (!response.ok) return false;
      return ((await response.json()) as { speakers: { name: string }[] }).speakers.some((speaker) => speaker.name === name);
    });
  }
  return voice;
}

/** Runs a verb to its end and returns what it prints. */
export function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(STENTOR, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`stentor ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

/** A folder that goes with the test. */
export function scratch(scene: Scene): string {
  const folder = mkdtempSync(join(tmpdir(), "stentor-e2e-"));
  scene.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The synthetic voice that comes with Stentor: Ogg Opus. */
export const voiceFile = (): string => join(ROOT, "client/audio/sample/voice.opus");

/** Waits until something holds. */
export async function eventually(what: string, holds: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const until = Date.now() + withinMs;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(20);
  }
}

/** Waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
