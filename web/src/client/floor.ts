import { type Floor, type Frame, LOUDEST_TRACK, floorGap, floorVoice, parseFloor } from "../protocol";
import { sleep } from "../session/abort";
import { StreamError } from "../session/errors";
import type { Feed } from "./feed";
import { newestFrames } from "./line";
import type { Toggle } from "./toggle";
import type { Track } from "./track";

/** Where relays say things of rooms. */
const ROOMS = ".stentor/rooms";
/** How long a relay is left alone that ended telling whom listeners hear, in ms. */
const RETRY = 1000;
/** As the catalog: what is said of a gap should be here before it. */
const PRIORITY = 100;

/**
 * Follows whom listeners of the room hear, while the session is in use and who hears
 * is one of the `audience`, and tells it to `take`. Who speaks hears everybody, and
 * whoever relays do not tell this is sent everybody (docs/stage-audio.md).
 */
export async function followFloor(feed: Feed, room: string, audience: Toggle, take: (floor: Floor) => void): Promise<void> {
  if (!feed.line.stentor) return;
  const heard = (frame: Frame): void => {
    if (!feed.inUse.on || !audience.on) return;
    try {
      take(parseFloor(frame.payload));
    } catch {
      // what was said before still holds
    }
  };
  const request = { broadcast: `${ROOMS}/${room}`, track: LOUDEST_TRACK, priority: PRIORITY, ordered: false, maxLatencyMs: 0 };
  do {
    try {
      await feed.inUse.wanted(feed.signal);
      await audience.wanted(feed.signal);
      const subscription = await feed.session.subscribe(request, newestFrames(heard), feed.signal);
      const over = subscription.ended.then((cause) => cause ?? new Error("it says no more"));
      while (feed.inUse.on && audience.on) {
        const cause = await Promise.race([over, feed.inUse.changed(), audience.changed()]);
        if (cause) throw cause;
      }
      subscription.close();
    } catch (error) {
      if (error instanceof StreamError) return; // this relay knows nothing of it
    }
  } while (await sleep(RETRY, feed.signal));
}

/**
 * Tells a track's buffer what of it will not come: what the floor leaves out, and all
 * of who is muted in the room. True if that begins with the very next frame and has
 * not been said before: then the line is not to be suspected.
 */
export function leaveOut(track: Track, floor: Floor, muted: boolean): boolean {
  if (!track.buffer || track.newest === undefined) return false;
  const next = track.newest + 1;
  const { from, until } = muted ? { from: next, until: Infinity } : gapBehind(track, floor, next);
  if (from === Infinity && track.withheld === next) return false; // it ends with the first frame that comes, whichever that is
  track.buffer.leaveOut(from, until);
  const before = track.withheld;
  track.withheld = from === next ? from : undefined;
  return from === next && before !== from;
}

function gapBehind(track: Track, floor: Floor, next: number): { from: number; until: number } {
  const voice = floorVoice(floor, track.speaker, track.origin);
  return voice ? floorGap(voice, next) : { from: Infinity, until: Infinity };
}
