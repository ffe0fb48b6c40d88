export type { Candidate } from "./candidate";
export { FRAME, TICK } from "./event";
export type { Arrived, Cause, Effect, Event, Goaway, Hopped, Session, Track } from "./event";
export { Machine } from "./machine";
export type { Held } from "./machine";
export type { Options } from "./options";
export { Pair } from "./pair";
