// What the pages use of the library, in one place: a page of doubles for looking
// at every state stands in for it in the tests (e2e/double.ts).
export { createListener, createTalker, fetchRoom, fetchRooms, nameFault } from "../src";
