package protocol

// A Probe is what a publisher sees of its connection (docs/wire.md, section 10).
// Both fields are 0 while unknown; a measured 0 is sent as 1.
//
//	PROBE {
//	  Length (i),
//	  Bitrate (i),
//	  RTT (i),
//	}
type Probe struct {
	Bitrate uint64 // bit/s that the publisher thinks it can send
	RTT     uint64 // ms, smoothed
}

// Append writes m after b.
func (m Probe) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendVarint(b, m.Bitrate)
	b = appendVarint(b, m.RTT)
	return closeBody(b, start)
}

// ParseProbe reads the PROBE at the start of b.
func ParseProbe(b []byte) (Probe, int, error) { return parseMessage(b, "probe", (*cursor).probe) }

// Probe reads a PROBE.
func (r *Reader) Probe() (Probe, error) { return readMessage(r, "probe", (*cursor).probe) }

func (c *cursor) probe() Probe { return Probe{Bitrate: c.varint(), RTT: c.varint()} }
