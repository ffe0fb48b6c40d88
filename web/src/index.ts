/**
 * Listen and speak in the rooms of a Stentor network from a browser, over
 * WebTransport or WebSocket. {@link createListener} and {@link createTalker} are
 * all that a page needs; web/README.md has an example.
 */
export { type Commander, CommandError, type RoomCommand, commandRoom, fetchHands, fetchMe } from "./client/command";
export { createListener, createTalker, prepareListener } from "./client/create";
export { fetchRoom, fetchRooms } from "./client/lobby";
export type { Prepared } from "./client/prepare";
export { MAX_NAME, nameFault } from "./client/names";
export {
  Failure,
  type FailureKind,
  type Hop,
  type HopCause,
  type ListenOptions,
  type Listener,
  type ListenerEvents,
  type ListenerState,
  type ListenerStats,
  type RaisedHand,
  type RoomState,
  type RoomView,
  type SpeakerView,
  type StageMember,
  type TalkOptions,
  type Talker,
  type TalkerEvents,
  type TalkerState,
  type TrackStats,
  type You,
} from "./client/types";
