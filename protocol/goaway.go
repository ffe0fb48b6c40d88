package protocol

// A Goaway asks the other end to leave, for URI if there is one (docs/wire.md,
// section 11).
//
//	GOAWAY {
//	  Length (i),
//	  URI (string),
//	}
type Goaway struct {
	URI string
}

// Append writes m after b.
func (m Goaway) Append(b []byte) []byte {
	b, start := openBody(b)
	return closeBody(appendString(b, m.URI), start)
}

// ParseGoaway reads the GOAWAY at the start of b.
func ParseGoaway(b []byte) (Goaway, int, error) { return parseMessage(b, "goaway", (*cursor).goaway) }

// Goaway reads a GOAWAY.
func (r *Reader) Goaway() (Goaway, error) { return readMessage(r, "goaway", (*cursor).goaway) }

func (c *cursor) goaway() Goaway { return Goaway{URI: c.string()} }
