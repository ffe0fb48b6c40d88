// Package floor decides whom the listeners of a crowded stage hear: with more than a
// few broadcasts live in a room, only those of the loudest few go to listeners, and
// everything to those on the stage and to other relays.
//
//	speakers' levels, packets → meter → director, at the red root → [protocol.Floor]
//	                                          │
//	                   every relay of the room ┴→ [room.Broadcast.Hear] → listeners
//
// One relay decides for the whole room, the red root; the blue one repeats what it
// says, and decides when it says nothing. What is decided names sequences, so it is
// the same wherever and however late a relay or a client hears of it, and a client
// that goes to another relay misses nothing and gets nothing else. Rooms with no
// more than N broadcasts are left alone: nothing is measured, followed or told.
//
// The decision (director, meter) knows neither clock nor track; one goroutine a room
// (Attend) owns all of its state.
package floor
