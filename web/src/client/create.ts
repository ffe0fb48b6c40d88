import { browser } from "./browser";
import { RoomListener } from "./listener";
import { Prepared } from "./prepare";
import { RoomTalker } from "./talker";
import type { ListenOptions, Listener, TalkOptions, Talker } from "./types";

/**
 * Makes what hears a room. Nothing is connected, and nothing sounds, before
 * `start`, which is to be called from a gesture. Throws a TypeError for a room
 * whose name cannot be one.
 */
export function createListener(options: ListenOptions): Listener {
  return new RoomListener(options, browser);
}

/**
 * Makes what speaks in a room. The microphone is asked for at `start`. Throws a
 * TypeError for a name that cannot be one.
 */
export function createTalker(options: TalkOptions): Talker {
  return new RoomTalker(options, browser);
}

/**
 * Asks where to listen before anybody has pressed a button, so that sound comes a
 * round trip sooner when somebody does. It holds for 30 s.
 */
export function prepareListener(options: Pick<ListenOptions, "lobby" | "room" | "zone">): Prepared {
  return Prepared.begin(options, browser);
}
