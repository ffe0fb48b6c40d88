// Package room is what a relay knows and holds of live broadcasts: which there
// are and by which routes ([Origin]), and for each track somebody wants, its
// last groups and who receives them ([Track]).
//
//	Origin ── Broadcast ── Track ── Group
//	             │            └──── members: one per subscription, by whatever session
//	             └── sources: the sessions the broadcast can be taken from
//
// A broadcast may have several sources; a track takes a group from whichever
// brings it first and drops later copies by sequence. The package opens no
// connection: sources and members come in as small interfaces.
package room
