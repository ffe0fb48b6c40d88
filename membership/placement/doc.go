// Package placement says which relays serve a room: its two roots, the relays
// that a newcomer is sent to, and whether there is any room left at all.
//
// Everything here is a function of a snapshot of package membership. Whoever
// has the same snapshot comes to the same result, in whatever order it lists
// the relays; nobody has to be asked, and nothing is remembered. The package
// has no goroutine, no socket and no clock, and does not change what it is
// given.
//
// It rests on one order of the relays for each room, that of rendezvous hashing
// (highest random weight; Thaler and Ravishankar, 1998): each relay draws a
// number for the room, and the highest comes first. A relay that comes or goes
// takes its own place in that order and moves no other.
package placement
