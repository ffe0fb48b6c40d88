package protocol

// A Fetch asks for one group. The answer is the frames of the group, with no
// header, then FIN (docs/wire.md, section 9).
//
//	FETCH {
//	  Length (i),
//	  Broadcast (path),
//	  Track (string),
//	  Priority (8),
//	  Group (i),
//	}
type Fetch struct {
	Broadcast Path
	Track     string
	Priority  uint8
	Group     uint64
}

// Append writes m after b.
func (m Fetch) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendString(b, string(m.Broadcast))
	b = appendString(b, m.Track)
	b = append(b, m.Priority)
	b = appendVarint(b, m.Group)
	return closeBody(b, start)
}

// ParseFetch reads the FETCH at the start of b.
func ParseFetch(b []byte) (Fetch, int, error) { return parseMessage(b, "fetch", (*cursor).fetch) }

// Fetch reads a FETCH.
func (r *Reader) Fetch() (Fetch, error) { return readMessage(r, "fetch", (*cursor).fetch) }

func (c *cursor) fetch() Fetch {
	return Fetch{Broadcast: c.path(), Track: c.string(), Priority: c.u8(), Group: c.varint()}
}
