// Package membership knows which relays live, where they stand, how busy they
// are and whether they take newcomers: gossip in, snapshots out.
//
// Each relay describes itself in a [Relay] of at most 512 bytes. A [Directory]
// spreads that description and collects those of the others, by gossip
// (hashicorp/memberlist) that is encrypted with a key all relays of a network
// share:
//
//	directory, err := membership.New(membership.Config{Self: self, Bind: ":7946", Keys: keys, Join: seeds})
//	...
//	go directory.Run(ctx)
//	for {
//		relays, next := directory.Watch()
//		use(relays)
//		<-next
//	}
//
// It is the address book, and the list of certificates relays trust each other
// by. It is not what notices that a relay has died while it carries audio: a
// death takes it seconds (see tuning.go), and those who listen to a relay know
// much sooner. It decides nothing about rooms either; that is the business of
// package placement, which only ever sees a snapshot.
package membership
