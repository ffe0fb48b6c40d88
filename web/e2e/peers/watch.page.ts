/** A page with a `<moq-watch>` in it, which keeps what goes to the loudspeaker. */
import "@moq/watch/element";
import type MoqWatch from "@moq/watch/element";
import { record } from "./record";

export interface WatchPage {
  /** Points the player at a broadcast: over WebTransport with the hash of the relay's certificate, without one over WebSocket. */
  watch: (url: string, name: string, hash?: string) => void;
  /** How much sound there was so far, in steps of 20 ms. */
  sounding: () => number;
  /** All that went to the loudspeaker, 16 bits a sample. */
  recorded: () => number[];
  state: () => { version: string | undefined; transport: string | undefined; bytes: number | undefined; bufferMs: number };
}

const player = document.querySelector("moq-watch") as MoqWatch;
const recording = record();

Object.assign(globalThis, {
  page: {
    watch(url, name, hash) {
      if (hash !== undefined) player.connection.webtransport = { serverCertificateHashes: [{ value: hash }] };
      player.connection.websocket = { enabled: hash === undefined };
      player.name = name;
      player.url = url;
    },
    sounding: () => recording.sounding,
    recorded: () => recording.samples.flatMap((part) => Array.from(part, (value) => Math.round(value * 32768))),
    state: () => {
      const session = player.connection.established.peek();
      return { version: session?.version, transport: session?.transport, bytes: player.audio.out.stats.peek()?.bytesReceived, bufferMs: player.sync.out.buffer.peek() };
    },
  } satisfies WatchPage,
});
