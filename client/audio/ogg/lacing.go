package ogg

// An assembler turns pages into the packets that end on them. It knows nothing
// of what the packets hold.
type assembler struct {
	// keep is how many bytes of a packet are stored; the rest is only counted.
	keep int

	open    bool // a packet has begun and not ended
	partial raw
	next    uint32 // sequence the next page has if none is missing
}

// A raw packet is what lies between two ends in the lacing.
type raw struct {
	data []byte // at most assembler.keep of size bytes
	size int
}

// add takes the next page of the stream and appends the packets that end on it.
// A piece of a packet whose other pieces are not there is dropped, as RFC 7845
// §4 asks: the start of a live recording, or a page that is missing.
func (a *assembler) add(p *page, packets []raw) []raw {
	continued := p.flags&flagContinued != 0
	if !continued || p.sequence != a.next {
		a.drop()
	}
	a.next = p.sequence + 1
	skip := continued && !a.open // the end of a packet without its start

	body := p.body
	for _, l := range p.lacing {
		segment := body[:l]
		body = body[l:]
		if !skip {
			a.open = true
			a.partial.size += len(segment)
			a.partial.data = append(a.partial.data, segment[:min(len(segment), a.keep-len(a.partial.data))]...)
		}
		if l == maxSegment {
			continue
		}
		if !skip {
			packets = append(packets, a.partial)
			a.drop()
		}
		skip = false
	}
	return packets
}

// drop forgets a packet that never ended.
func (a *assembler) drop() {
	a.open, a.partial = false, raw{}
}

// lace adds packet to p until it is all in or the page is full, and returns
// what is left. done says that the packet ends on this page: a packet that is a
// multiple of 255 bytes long ends with an empty segment, perhaps on the next.
func (p *page) lace(packet []byte) (rest []byte, done bool) {
	for len(p.lacing) < maxSegments {
		n := min(len(packet), maxSegment)
		p.lacing = append(p.lacing, byte(n))
		p.body = append(p.body, packet[:n]...)
		packet = packet[n:]
		if n < maxSegment {
			return nil, true
		}
	}
	return packet, false
}
