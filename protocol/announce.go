package protocol

import "fmt"

// An AnnounceRequest asks for the broadcasts at and below a prefix. It is the
// first message of an Announce stream (docs/wire.md, section 5):
//
//	ANNOUNCE_REQUEST {
//	  Length (i),
//	  Prefix (path),
//	  Exclude Hop (i),
//	}
type AnnounceRequest struct {
	Prefix     Path
	ExcludeHop uint64 // leave out routes through this hop; 0 excludes none
}

// Append writes m after b.
func (m AnnounceRequest) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendString(b, string(m.Prefix))
	b = appendVarint(b, m.ExcludeHop)
	return closeBody(b, start)
}

// ParseAnnounceRequest reads the ANNOUNCE_REQUEST at the start of b.
func ParseAnnounceRequest(b []byte) (AnnounceRequest, int, error) {
	return parseMessage(b, "announce request", (*cursor).announceRequest)
}

// AnnounceRequest reads an ANNOUNCE_REQUEST.
func (r *Reader) AnnounceRequest() (AnnounceRequest, error) {
	return readMessage(r, "announce request", (*cursor).announceRequest)
}

func (c *cursor) announceRequest() AnnounceRequest {
	return AnnounceRequest{Prefix: c.path(), ExcludeHop: c.varint()}
}

// An AnnounceOK opens the answer, exactly once. Lite-04 has none.
//
//	ANNOUNCE_OK {
//	  Length (i),
//	  Hop ID (i),
//	  Active Count (i),
//	}
type AnnounceOK struct {
	HopID  uint64 // the answering end: last hop of every announcement that follows; never send 0
	Active uint64 // how many active announcements follow at once
}

// Append writes m after b.
func (m AnnounceOK) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendVarint(b, m.HopID)
	b = appendVarint(b, m.Active)
	return closeBody(b, start)
}

// ParseAnnounceOK reads the ANNOUNCE_OK at the start of b.
func ParseAnnounceOK(b []byte) (AnnounceOK, int, error) {
	return parseMessage(b, "announce ok", (*cursor).announceOK)
}

// AnnounceOK reads an ANNOUNCE_OK.
func (r *Reader) AnnounceOK() (AnnounceOK, error) {
	return readMessage(r, "announce ok", (*cursor).announceOK)
}

func (c *cursor) announceOK() AnnounceOK {
	return AnnounceOK{HopID: c.varint(), Active: c.varint()}
}

// An AnnounceStatus says whether a broadcast is there.
type AnnounceStatus uint8

// The values of AnnounceStatus.
const (
	AnnounceEnded  AnnounceStatus = 0
	AnnounceActive AnnounceStatus = 1 // on a path that is active already: a new route to it
)

// announceRestart is a status that nobody sends; it means active.
const announceRestart = 2

// An Announce says that a broadcast is there, or no longer.
//
//	ANNOUNCE_BROADCAST {
//	  Length (i),
//	  Status (8),
//	  Suffix (path),
//	  Hop Count (i),
//	  Hop ID (i) ...,
//	}
type Announce struct {
	Status AnnounceStatus
	Suffix Path // of the broadcast's path, after the requested prefix

	// Hops is the route, the original publisher first and without the sender,
	// who stands in [AnnounceOK]. In lite-04 the sender is the last entry. At
	// most [MaxHops]; none when ended.
	Hops []uint64
}

// Append writes m after b.
func (m Announce) Append(b []byte) []byte {
	b, start := openBody(b)
	b = append(b, byte(m.Status))
	b = appendString(b, string(m.Suffix))
	b = appendVarint(b, uint64(len(m.Hops)))
	for _, hop := range m.Hops {
		b = appendVarint(b, hop)
	}
	return closeBody(b, start)
}

// ParseAnnounce reads the ANNOUNCE_BROADCAST at the start of b.
func ParseAnnounce(b []byte) (Announce, int, error) {
	return parseMessage(b, "announce", (*cursor).announce)
}

// Announce reads an ANNOUNCE_BROADCAST.
func (r *Reader) Announce() (Announce, error) {
	return readMessage(r, "announce", (*cursor).announce)
}

func (c *cursor) announce() Announce {
	var m Announce
	switch status := c.u8(); status {
	case byte(AnnounceEnded):
	case byte(AnnounceActive), announceRestart:
		m.Status = AnnounceActive
	default:
		c.fail(fmt.Errorf("%w: status %d", ErrMalformed, status))
	}
	m.Suffix = c.path()
	m.Hops = c.hops()
	return m
}

func (c *cursor) hops() []uint64 {
	count := c.varint()
	if count > MaxHops {
		c.fail(ErrTooManyHops)
	}
	if count == 0 || c.err != nil {
		return nil
	}
	hops := make([]uint64, count)
	for i := range hops {
		hops[i] = c.varint()
	}
	return hops
}
