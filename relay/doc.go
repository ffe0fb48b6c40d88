// Package relay is one relay as a library: it accepts sessions over native QUIC
// and WebTransport on one UDP port, takes in what they publish, and delivers
// what they subscribe to.
//
//	r, err := relay.New(relay.Config{Listen: ":4443", Open: true})
//	err = r.Run(ctx)
//
// A frame's way through the folders below:
//
//	ingest   a publisher's session: checks each group, writes it to a track
//	room     broadcasts, tracks, rings: the first copy wins, everybody gets it
//	fanout   the bounded queue of each subscription
//	deliver  a subscriber's session: drains the queue onto the wire
//
// The relay never decodes audio and needs no cgo.
package relay
