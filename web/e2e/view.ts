import type { RoomView } from "../src/client/types";

/** A room that nobody has made, but for what is changed. */
export function view(room: string, change: Partial<RoomView> = {}): RoomView {
  return { room, state: "unknown", version: 0, stage: [], hands: 0, listeners: 0, speakers: [], ...change };
}
