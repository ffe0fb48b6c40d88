// Package hop measures what listeners notice when relays fail. Relays run as
// processes of their own, each on a host of a network with a round trip, jitter
// and losses (package wire), or side by side on the loopback where that cannot
// be had. One speaker speaks, many listeners with the default delay listen, and
// one relay after the other, chosen by its part in the room, is killed, frozen,
// cut off or drained, and comes back. On request two at once are struck, all of
// them restarted in turn, or one more comes.
//
//	result, err := hop.Run(ctx, hop.Options{Relays: 5, Listeners: 200})
//
// A frame counts as lost when it has not reached its listener by the time it
// would have to be played. Choosing and counting are plain functions; what runs
// is a thin shell around them.
package hop
