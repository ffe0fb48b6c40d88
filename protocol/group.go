package protocol

// A GroupHeader opens a group stream; the group's frames follow (docs/wire.md,
// section 7).
//
//	GROUP {
//	  Length (i),
//	  Subscribe ID (i),
//	  Sequence (i),
//	}
type GroupHeader struct {
	SubscribeID uint64 // of the subscription in this session that gets the group
	Sequence    uint64 // of the group in its track, the same in every session
}

// Append writes m after b.
func (m GroupHeader) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendVarint(b, m.SubscribeID)
	b = appendVarint(b, m.Sequence)
	return closeBody(b, start)
}

// ParseGroupHeader reads the GROUP at the start of b.
func ParseGroupHeader(b []byte) (GroupHeader, int, error) {
	return parseMessage(b, "group", (*cursor).groupHeader)
}

// GroupHeader reads a GROUP.
func (r *Reader) GroupHeader() (GroupHeader, error) {
	return readMessage(r, "group", (*cursor).groupHeader)
}

func (c *cursor) groupHeader() GroupHeader {
	return GroupHeader{SubscribeID: c.varint(), Sequence: c.varint()}
}
