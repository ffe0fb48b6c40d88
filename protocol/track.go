package protocol

import "fmt"

// A TrackRequest asks what a track is like. It is the first and only message of
// the opener of a Track stream; lite-04 has none (docs/wire.md, section 6.1).
//
//	TRACK {
//	  Length (i),
//	  Broadcast (path),
//	  Track (string),
//	}
type TrackRequest struct {
	Broadcast Path
	Track     string
}

// Append writes m after b.
func (m TrackRequest) Append(b []byte) []byte {
	b, start := openBody(b)
	b = appendString(b, string(m.Broadcast))
	b = appendString(b, m.Track)
	return closeBody(b, start)
}

// ParseTrackRequest reads the TRACK at the start of b.
func ParseTrackRequest(b []byte) (TrackRequest, int, error) {
	return parseMessage(b, "track", (*cursor).trackRequest)
}

// TrackRequest reads a TRACK.
func (r *Reader) TrackRequest() (TrackRequest, error) {
	return readMessage(r, "track", (*cursor).trackRequest)
}

func (c *cursor) trackRequest() TrackRequest {
	return TrackRequest{Broadcast: c.path(), Track: c.string()}
}

// A TrackInfo is the answer. It does not change while the track lives.
//
//	TRACK_INFO {
//	  Length (i),
//	  Priority (8),
//	  Ordered (bool),
//	  Max Latency (i),
//	  Timescale (i),
//	}
type TrackInfo struct {
	Priority   uint8  // the publisher's; breaks ties
	Ordered    bool   // likewise
	MaxLatency uint64 // ms that groups stay available after the newest one came
	Timescale  uint64 // units a second of every timestamp; 0 is an error
}

// Append writes m after b.
func (m TrackInfo) Append(b []byte) []byte {
	b, start := openBody(b)
	b = append(b, m.Priority)
	b = appendBool(b, m.Ordered)
	b = appendVarint(b, m.MaxLatency)
	b = appendVarint(b, m.Timescale)
	return closeBody(b, start)
}

// ParseTrackInfo reads the TRACK_INFO at the start of b.
func ParseTrackInfo(b []byte) (TrackInfo, int, error) {
	return parseMessage(b, "track info", (*cursor).trackInfo)
}

// TrackInfo reads a TRACK_INFO.
func (r *Reader) TrackInfo() (TrackInfo, error) {
	return readMessage(r, "track info", (*cursor).trackInfo)
}

func (c *cursor) trackInfo() TrackInfo {
	m := TrackInfo{Priority: c.u8(), Ordered: c.bool(), MaxLatency: c.varint(), Timescale: c.varint()}
	if m.Timescale == 0 {
		c.fail(fmt.Errorf("%w: timescale 0", ErrMalformed))
	}
	return m
}
