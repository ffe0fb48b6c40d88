/**
 * What the page costs and how soon it sounds: `npm run bench`. It prints numbers
 * and judges none; how many kills of relays are heard is `KILLS=20 npm run e2e -- kills`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import type { ListenerStats } from "../src/client/types";
import { launch, open } from "./browser";
import { heard, keep, stats } from "./heard";
import { eventually, pause, speak, startNetwork } from "./network";
import { scene } from "./scene";

const visits = Number(process.env["VISITS"] ?? 10);
const pages = Number(process.env["PAGES"] ?? 5);
const seconds = Number(process.env["SECONDS"] ?? 60);

/**
 * Waits for the first sound at the loudspeaker, after what the page itself counts:
 * a meter on whatever is connected to it. Runs in the page before any of its scripts.
 */
function meter(): void {
  const times = { pressed: 0, sounded: 0 };
  Object.assign(globalThis, { times });
  addEventListener("click", (event) => (times.pressed = event.timeStamp), { capture: true, once: true });
  const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode) => AudioNode;
  AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode): AudioNode {
    if (to instanceof AudioDestinationNode) {
      const analyser = new AnalyserNode(this.context, { fftSize: 256 });
      connect.call(this, analyser);
      const samples = new Float32Array(256);
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        if (!samples.some((value) => Math.abs(value) > 0.001)) return;
        times.sounded = performance.now();
        clearInterval(timer);
      }, 2);
    }
    return connect.call(this, to);
  } as typeof AudioNode.prototype.connect;
}

const playing = (page: Page, packets: number): Promise<void> => eventually("it plays", async () => (await stats(page)).tracks.reduce((sum, track) => sum + track.played, 0) > packets);

scene(
  "press to first sound",
  async (scene) => {
    const relays = await startNetwork(scene, ["relay-a", "relay-b", "relay-c"]);
    await speak(scene, relays, "town", "ada");
    const browser = await launch(scene);
    const took: number[] = [];
    for (let i = 0; i < visits; i++) {
      const context = await browser.newContext();
      await context.addInitScript(meter);
      const page = await context.newPage();
      await page.goto(`${relays[0]?.http}/r/town`);
      await pause(1000); // nobody presses sooner
      await page.click("#listen");
      const times = await page.waitForFunction(() => {
        const { times } = globalThis as unknown as { times: { pressed: number; sounded: number } };
        return times.sounded > 0 && times.sounded - times.pressed;
      });
      took.push(Math.round(Number(await times.jsonValue())));
      await context.close();
    }
    const sorted = [...took].sort((a, b) => a - b);
    scene.say(`press to first sound, ms: median ${sorted[Math.floor(sorted.length / 2)]}, worst ${sorted.at(-1)}; ${took.join(", ")}`);
  },
  300_000,
);

scene(
  `${pages} pages for ${seconds} s`,
  async (scene) => {
    const relays = await startNetwork(scene, ["relay-a", "relay-b", "relay-c"]);
    await speak(scene, relays, "town", "ada");
    const browser = await launch(scene);
    const listening: Page[] = [];
    for (let i = 0; i < pages; i++) {
      const page = await open(scene, browser, `${relays[i % relays.length]?.http}/r/town`, { globals: { stentorRecord: true } });
      await page.click("#listen");
      await playing(page, 20);
      listening.push(page);
    }
    const before = await Promise.all(listening.map(stats));
    await pause(seconds * 1000);
    const after = await Promise.all(listening.map(stats));
    await Promise.all(listening.map(keep));
    for (const [i, page] of listening.entries()) {
      const late = (after[i]?.underruns ?? 0) - (before[i]?.underruns ?? 0);
      const lost = (all: ListenerStats[]): number => all[i]?.tracks.reduce((sum, track) => sum + track.lost, 0) ?? 0;
      const { fromMs, ms, gaps } = await heard(page, 440);
      const counted = gaps.filter((gap) => gap.atMs > fromMs + ms - seconds * 1000); // before, the others were being opened
      scene.say(`page ${i}: ${(late / 48).toFixed(0)} ms too late for the sound card, ${lost(after) - lost(before)} packets lost, gaps ${JSON.stringify(counted)}`);
    }
  },
  180_000 + seconds * 1000,
);

for (const [what, options] of [
  ["seen", {}],
  ["seen, with little motion", { reducedMotion: "reduce" }],
] as const) {
  scene(
    `the processor's share of a page that listens, ${what}`,
    async (scene) => {
      const relays = await startNetwork(scene, ["relay-a", "relay-b"]);
      await speak(scene, relays, "town", "ada");
      const browser = await launch(scene, "--enable-logging"); // one of its own
      const page = await open(scene, browser, `${relays[0]?.http}/r/town`, options);
      // As it is without a test's trace.
      await page.context().tracing.stop();
      await page.click("#listen");
      await playing(page, 100);
      const [from, at] = [spent(), performance.now()];
      await pause(20_000);
      const elapsed = performance.now() - at;
      const shares = Object.entries(spent()).map(([kind, ms]) => [kind, ((ms - (from[kind] ?? 0)) / elapsed) * 100] as const);
      scene.say(`${shares.map(([kind, share]) => `${kind} ${share.toFixed(1)} %`).join(", ")}; together ${shares.reduce((sum, [, share]) => sum + share, 0).toFixed(1)} % of one core`);
    },
    90_000,
  );
}

/** Milliseconds of processor time that the browsers below this process have used, by kind of process. */
function spent(): Record<string, number> {
  const parents = new Map(execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number) as [number, number]));
  const mine = (pid: number | undefined): boolean => pid !== undefined && pid > 1 && (pid === process.pid || mine(parents.get(pid)));
  const times: Record<string, number> = {};
  for (const pid of parents.keys()) {
    if (!mine(pid)) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes("chrom")) continue;
      const kind = /--type=([\w-]+)/.exec(command)?.[1] ?? "browser";
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      times[kind] = (times[kind] ?? 0) + (Number(fields[11]) + Number(fields[12])) * 10; // ticks of 10 ms
    } catch {
      // it has ended
    }
  }
  return times;
}
