import type { ListenerStats } from "../src/client/types";
import { element, find, setText } from "./dom";
import { clock, connectionLine, hopLine } from "./status";
import type { Words } from "./text";

/** How many moves are told one by one. */
const maxHops = 20;

/** The discreet line at the foot of a room, and what is behind it for who wants to know. */
export class Connection {
  readonly #box = find<HTMLDetailsElement>("connection");
  readonly #line = find("line");
  readonly #list = find("details");

  /** Shows how it goes; startedAt is when listening began. */
  show(stats: ListenerStats, startedAt: Date, words: Words): void {
    setText(find("line-title"), `${words.say("line.title")}: `);
    setText(this.#line, connectionLine(stats, words).join(" · "));
    if (this.#box.open) this.#fill(details(stats, startedAt, words));
  }

  /** Calls open when somebody wants to know. */
  onOpen(open: () => void): void {
    this.#box.addEventListener("toggle", open);
  }

  /** Puts the values in place; the list itself is made anew only when its shape changes. */
  #fill(entries: readonly [string, string[]][]): void {
    const shape = entries.map(([, values]) => values.length).join();
    if (this.#list.dataset["shape"] !== shape) {
      this.#list.dataset["shape"] = shape;
      this.#list.replaceChildren(...entries.flatMap(([, values]) => [element("dt"), ...values.map(() => element("dd"))]));
    }
    entries.flatMap(([term, values]) => [term, ...values]).forEach((text, i) => {
      const place = this.#list.children[i];
      if (place !== undefined) setText(place, text);
    });
  }
}

function details(stats: ListenerStats, startedAt: Date, words: Words): [string, string[]][] {
  const sum = (of: "played" | "lost" | "repaired"): string => words.number(stats.tracks.reduce((total, track) => total + track[of], 0));
  const none = words.say("detail.none");
  const terminal = `stentor listen --relay ${location.origin} --room ${shellWord(stats.room)}`;
  return [
    [words.say("detail.relay"), [stats.relay || none]],
    [words.say("detail.standby"), [stats.standby || none]],
    [words.say("detail.transport"), [transports[stats.transport] ?? none]],
    [words.say("detail.delay"), [`${words.number(stats.delayMs)} ms`]],
    [words.say("detail.rtt"), [stats.rttMs === undefined ? "–" : `${words.number(stats.rttMs)} ms`]],
    [words.say("detail.frames"), [words.say("detail.frames.value", { played: sum("played"), lost: sum("lost"), repaired: sum("repaired") })]],
    [words.say("detail.underruns"), [words.say("detail.underruns.value", { ms: words.number(stats.underruns / 48) })]],
    [words.say("detail.since"), [clock(stats.durationMs)]],
    [words.say("detail.hops"), stats.hops.length === 0 ? [none] : stats.hops.slice(-maxHops).map((hop) => hopLine(hop, startedAt, words))],
    [words.say("detail.terminal"), [terminal]],
  ];
}

const transports: Readonly<Record<string, string>> = { webtransport: "WebTransport (QUIC)", websocket: "WebSocket (TCP)" };

/** A word as a shell reads it back; a name that has more than letters in it is quoted. */
export function shellWord(word: string): string {
  return /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
