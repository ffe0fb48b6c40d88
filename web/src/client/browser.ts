import { AudioError } from "../audio";
import { Microphone } from "../audio/microphone";
import { Player } from "../audio/player";
import { connect } from "../session/connect";
import type { Host } from "./host";
import { watchBrowser } from "./network";

/** Where the worklet is served if the page does not say: beside this script. */
function besideUs(): URL {
  try {
    return new URL("worklet.js", import.meta.url);
  } catch (cause) {
    throw new AudioError("cannot-play", "the option workletUrl is missing", { cause });
  }
}

/** The browser that this page runs in. */
export const browser: Host = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  fetch: (...args) => globalThis.fetch(...args),
  get origin() {
    return globalThis.location?.origin;
  },
  connect: (url, reach) =>
    connect(url, {
      certificateHashes: reach.hashes,
      ...(reach.transport && { transports: [reach.transport] }),
      ...(reach.knock && { knock: reach.knock }),
      signal: reach.signal,
    }),
  sound: ({ workletUrl, record, onstate }) => new Player({ workletUrl: workletUrl ?? besideUs(), record, onstate }),
  microphone: ({ workletUrl, deviceId, bitrate, onframe, onended }) =>
    Microphone.open({ workletUrl: workletUrl ?? besideUs(), bitrate, onframe, onended, ...(deviceId && { deviceId }) }),
  watch: watchBrowser,
};
