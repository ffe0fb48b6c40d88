package protocol

// A StreamType is the varint at the start of a stream. It says who speaks next
// and what. Unidirectional and bidirectional streams number apart (docs/wire.md,
// section 4). A stream of another type is reset or stopped, never fatal.
type StreamType uint64

// Unidirectional streams.
const (
	StreamGroup StreamType = 0 // publisher: GROUP, then FRAMEs, FIN
	StreamSetup StreamType = 1 // both ends, once: SETUP, FIN
)

// Bidirectional streams: what the opener sends, then what comes back.
const (
	StreamAnnounce  StreamType = 1 // ANNOUNCE_REQUEST; ANNOUNCE_OK, then ANNOUNCE_BROADCASTs
	StreamSubscribe StreamType = 2 // SUBSCRIBE, then SUBSCRIBE_UPDATEs; START, END, DROP
	StreamFetch     StreamType = 3 // FETCH; FRAMEs, FIN
	StreamProbe     StreamType = 4 // nothing; PROBEs
	StreamGoaway    StreamType = 5 // GOAWAY; nothing
	StreamTrack     StreamType = 6 // TRACK; TRACK_INFO, FIN
)

// Append writes t after b.
func (t StreamType) Append(b []byte) []byte { return appendVarint(b, uint64(t)) }
