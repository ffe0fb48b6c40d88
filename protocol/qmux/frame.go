package qmux

// A Frame is one of the types of this package.
type Frame interface {
	// Append writes the frame after b and returns the longer slice.
	Append(b []byte) []byte
}

// Types of frames.
const (
	typePadding           = 0x00
	typeResetStream       = 0x04
	typeStopSending       = 0x05
	typeStream            = 0x08 // to 0x0f: the lowest bits say what is there
	typeMaxData           = 0x10
	typeMaxStreamData     = 0x11
	typeMaxStreamsBidi    = 0x12
	typeMaxStreamsUni     = 0x13
	typeDataBlocked       = 0x14
	typeStreamDataBlocked = 0x15
	typeStreamsBlocked    = 0x16 // and 0x17 for unidirectional streams
	typeConnectionClose   = 0x1c
	typeApplicationClose  = 0x1d
	typeResetStreamAt     = 0x24
	typeDatagramRest      = 0x30
	typeDatagram          = 0x31
	typePing              = 0x348c67529ef8c7bd
	typePong              = 0x348c67529ef8c7be
	typeParameters        = 0x3f5153300d0a0d0a
)

const (
	streamFIN = 1 << iota
	streamLength
	streamOffset
)

// A Stream is bytes of a stream, in order:
//
//	Stream {
//	  Type (i) = 0x08..0x0f,
//	  ID (i),
//	  [Offset (i)],                   if bit 0x04 of the type is set
//	  [Length (i)],                   if bit 0x02 is; else to the end of the record
//	  Data (..),
//	}
type Stream struct {
	ID     uint64
	Offset uint64 // of Data in the stream
	// NoOffset says that the frame has none: its bytes follow those before.
	NoOffset bool
	FIN      bool   // bit 0x01: the stream ends behind Data
	Data     []byte // shares memory with the record
}

// Append writes offset and length always.
func (f Stream) Append(b []byte) []byte {
	b = f.AppendHeader(b, len(f.Data))
	return append(b, f.Data...)
}

// AppendHeader writes the frame up to its data, of which there are n bytes.
func (f Stream) AppendHeader(b []byte, n int) []byte {
	kind := byte(typeStream | streamLength | streamOffset)
	if f.FIN {
		kind |= streamFIN
	}
	return appendVarints(append(b, kind), f.ID, f.Offset, uint64(n))
}

// A ResetStream ends a stream early. At is RESET_STREAM_AT (0x24), whose
// first ReliableSize bytes arrive nevertheless.
type ResetStream struct {
	ID, Code, FinalSize uint64
	At                  bool
	ReliableSize        uint64
}

// Append writes the frame after b.
func (f ResetStream) Append(b []byte) []byte {
	if f.At {
		return appendVarints(append(b, typeResetStreamAt), f.ID, f.Code, f.FinalSize, f.ReliableSize)
	}
	return appendVarints(append(b, typeResetStream), f.ID, f.Code, f.FinalSize)
}

// A StopSending asks the peer to end a stream early.
type StopSending struct{ ID, Code uint64 }

// Append writes the frame after b.
func (f StopSending) Append(b []byte) []byte {
	return appendVarints(append(b, typeStopSending), f.ID, f.Code)
}

// A MaxData is how many bytes of all streams together the peer may send, from
// the beginning.
type MaxData struct{ Max uint64 }

// Append writes the frame after b.
func (f MaxData) Append(b []byte) []byte { return appendVarint(append(b, typeMaxData), f.Max) }

// A MaxStreamData is how many bytes of one stream the peer may send.
type MaxStreamData struct{ ID, Max uint64 }

// Append writes the frame after b.
func (f MaxStreamData) Append(b []byte) []byte {
	return appendVarints(append(b, typeMaxStreamData), f.ID, f.Max)
}

// A MaxStreams is how many streams of a kind the peer may open, from the
// beginning.
type MaxStreams struct {
	Uni bool
	Max uint64
}

// Append writes the frame after b.
func (f MaxStreams) Append(b []byte) []byte {
	if f.Uni {
		return appendVarint(append(b, typeMaxStreamsUni), f.Max)
	}
	return appendVarint(append(b, typeMaxStreamsBidi), f.Max)
}

// A Blocked says that the peer would send more than a limit allows. Nobody needs
// to act on it.
type Blocked struct {
	What  BlockedOn
	ID    uint64 // of the stream, for BlockedOnStream
	Limit uint64
}

// A BlockedOn is a limit that a peer can come up against.
type BlockedOn uint8

// The limits, in the order of their frames' types from 0x14 on.
const (
	BlockedOnData BlockedOn = iota
	BlockedOnStream
	BlockedOnStreamsBidi
	BlockedOnStreamsUni
)

// Append writes the frame after b.
func (f Blocked) Append(b []byte) []byte {
	b = append(b, typeDataBlocked+byte(f.What))
	if f.What == BlockedOnStream {
		b = appendVarint(b, f.ID)
	}
	return appendVarint(b, f.Limit)
}

// A ConnectionClose ends a session whose peer broke a rule of qmux.
type ConnectionClose struct {
	Code   uint64
	Type   uint64 // of the frame that broke it; written as 0
	Reason string
}

// Append writes the frame after b.
func (f ConnectionClose) Append(b []byte) []byte {
	b = appendVarints(append(b, typeConnectionClose), f.Code, f.Type, uint64(len(f.Reason)))
	return append(b, f.Reason...)
}

// An ApplicationClose ends a session with a code of moq-lite.
type ApplicationClose struct {
	Code   uint64
	Reason string
}

// Append writes the frame after b.
func (f ApplicationClose) Append(b []byte) []byte {
	b = appendVarints(append(b, typeApplicationClose), f.Code, uint64(len(f.Reason)))
	return append(b, f.Reason...)
}

// A Datagram is a message of its own. Stentor neither sends nor allows any.
type Datagram struct {
	Payload []byte // shares memory with the record
	Rest    bool   // it has no length and runs to the end of the record
}

// Append writes the frame after b.
func (f Datagram) Append(b []byte) []byte {
	if f.Rest {
		return append(append(b, typeDatagramRest), f.Payload...)
	}
	b = appendVarint(append(b, typeDatagram), uint64(len(f.Payload)))
	return append(b, f.Payload...)
}

// A Ping asks for a [Pong] of the same number.
type Ping struct{ Sequence uint64 }

// Append writes the frame after b.
func (f Ping) Append(b []byte) []byte { return appendVarints(b, typePing, f.Sequence) }

// A Pong answers a [Ping].
type Pong struct{ Sequence uint64 }

// Append writes the frame after b.
func (f Pong) Append(b []byte) []byte { return appendVarints(b, typePong, f.Sequence) }
