package membership

import (
	"time"

	"github.com/hashicorp/memberlist"
)

// tuned returns memberlist's configuration for a network of relays.
//
// The wish that shapes it: a relay whose processor is busy to the last percent
// still carries audio, and must not be voted out for answering late. How that
// is bounded, with n relays, s = max(1, log10 n):
//
//   - A relay is probed by about one other a second. If neither the packet, nor
//     three packets by way of others, nor a stream gets an answer within that
//     second, the relay is suspected, and told so.
//   - A suspicion lasts 8 s·s at least (8 s for ten relays, 18 s for 200), three
//     times that if others do not confirm it. Within that time the relay's
//     answer "I live" must have come back: it may take 3 s to read the news and
//     3 s to answer, a hundred times the time slice of a busy machine, and a
//     second or two is left for the gossip.
//   - Whoever misses answers itself probes slower, up to eight times
//     (awareness): a relay that hears nothing because it is the slow one does not
//     call all others dead.
//
// What it costs: a relay that did die stays in the directory for about 10 s
// with five relays, 20 s with 200. No listener waits for that; a newcomer who is
// sent to a dead relay tries the next one of its list.
func tuned() *memberlist.Config {
	c := memberlist.DefaultLANConfig()

	// Twice the round trip around the world. The rest of the second belongs to
	// the ways around.
	c.ProbeTimeout = 500 * time.Millisecond
	c.ProbeInterval = time.Second
	c.IndirectChecks = 3
	c.SuspicionMult = 8
	c.SuspicionMaxTimeoutMult = 3
	c.AwarenessMaxMultiplier = 8

	// News go to eight relays ten times a second, while there are any: some 320
	// descriptions a second, in packets below any usual MTU. An idle network sends
	// its probes and nothing else.
	//
	// Each relay tells each piece of news 8 times among up to nine relays, 16
	// times up to 99, 24 times up to 999: so many that a relay which misses one,
	// and would give up another that has long contradicted, is a matter of days
	// and not of minutes.
	c.GossipInterval = 100 * time.Millisecond
	c.GossipNodes = 8
	c.RetransmitMult = 8
	c.UDPBufferSize = 1400

	// A relay that was given up is told so for a minute, so that one that was
	// frozen (a laptop's lid, a virtual machine that moves) contradicts.
	c.GossipToTheDeadTime = time.Minute

	// All of the directory is compared with one other relay this often, and less
	// often above 32 relays: it repairs what gossip has missed.
	c.PushPullInterval = 15 * time.Second
	c.TCPTimeout = 10 * time.Second

	// Hashes do not get shorter, and LZW costs 64 KiB of memory a packet.
	c.EnableCompression = false

	// Keeps apart what is not Stentor, even with the same key.
	c.Label = "stentor"

	c.ProtocolVersion = memberlist.ProtocolVersionMax
	c.HandoffQueueDepth = 4096
	return c
}
