/**
 * Decides when a client changes its relay, and to which: a `Machine` for a
 * listener, a `Pair` for a speaker. It is told what happens and what time it is,
 * and answers with what to do. It opens no socket, sets no timer, makes no promise
 * and reads no clock; what was lost for good it leaves to playout and its repairs.
 *
 * One owner drives it, with one timer:
 *
 *     const machine = new Machine({ jitter: Math.random() });
 *     let timer: ReturnType<typeof setTimeout> | undefined;
 *
 *     function tell(event?: Event): void {
 *       for (const effect of [...machine.step(performance.now(), event)]) {
 *         carryOut(effect);
 *       }
 *       const at = machine.deadline();
 *       clearTimeout(timer);
 *       timer = at === undefined ? undefined : setTimeout(tell, at - performance.now());
 *     }
 *
 * Effects are started, not waited for: "dial" ends in an event. The list is copied
 * because whoever carries an effect out may have something to tell at once; it is
 * better told in a task of its own, after the other effects. What the machine asks
 * of a session it has closed, or hears from one, matters to neither side, so the
 * two need not agree on when exactly it ended.
 *
 * Times are milliseconds, those of media as well. A step for a group keeps nothing
 * of its event, and as a rule looks at its track and no further: so leave the timer
 * alone as long as `deadline()` gives what it was set for.
 *
 * How it decides is told in docs/hops.md and, with the arithmetic, by the Go package
 * client/hop (doc.go), whose twin this is: both do what client/hop/testdata says.
 */
export type { Candidate } from "./candidate";
export { FRAME, TICK } from "./event";
export type { Arrived, Cause, Effect, Event, Goaway, Hopped, Session, Track } from "./event";
export { Machine } from "./machine";
export type { Held } from "./machine";
export type { Options } from "./options";
export { Pair } from "./pair";
