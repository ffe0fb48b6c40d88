// What the pages use of the library, in one place: a page of doubles for looking
// at every state stands in for it in the tests (e2e/double.ts).
export { type Commander, CommandError, commandRoom, createListener, createTalker, fetchHands, fetchMe, fetchRoom, fetchRooms, nameFault, type Prepared, prepareListener, type RoomCommand } from "../src";
