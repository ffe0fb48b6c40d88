package qmux

import "fmt"

// Next reads the first frame of a record, behind padding, and returns what
// follows it. At the end of the record the frame is nil. A frame that comes with
// an error is what could be read of it: an [ApplicationClose] ends the session
// even if its reason is garbled.
func Next(record []byte) (f Frame, rest []byte, err error) {
	c := cursor{rest: record}
	for f == nil && c.err == nil && len(c.rest) > 0 {
		f = c.frame()
	}
	return f, c.rest, c.err
}

// frame reads one frame, and returns nil for padding. Fields are read in the
// order they are written here.
func (c *cursor) frame() Frame {
	kind := c.varint()
	switch {
	case c.err != nil:
		return nil
	case kind >= typeStream && kind < typeStream+8:
		return c.stream(kind)
	}
	switch kind {
	case typePadding:
		return nil
	case typeResetStream:
		return ResetStream{ID: c.varint(), Code: c.varint(), FinalSize: c.varint()}
	case typeResetStreamAt:
		return c.resetStreamAt()
	case typeStopSending:
		return StopSending{ID: c.varint(), Code: c.varint()}
	case typeMaxData:
		return MaxData{Max: c.varint()}
	case typeMaxStreamData:
		return MaxStreamData{ID: c.varint(), Max: c.varint()}
	case typeMaxStreamsBidi, typeMaxStreamsUni:
		return MaxStreams{Uni: kind == typeMaxStreamsUni, Max: c.varint()}
	case typeDataBlocked, typeStreamsBlocked, typeStreamsBlocked + 1:
		return Blocked{What: BlockedOn(kind - typeDataBlocked), Limit: c.varint()}
	case typeStreamDataBlocked:
		return Blocked{What: BlockedOnStream, ID: c.varint(), Limit: c.varint()}
	case typeConnectionClose:
		return ConnectionClose{Code: c.varint(), Type: c.varint(), Reason: string(c.sized())}
	case typeApplicationClose:
		return ApplicationClose{Code: c.varint(), Reason: string(c.sized())}
	case typeDatagram:
		return Datagram{Payload: c.sized()}
	case typeDatagramRest:
		return Datagram{Payload: c.all(), Rest: true}
	case typePing:
		return Ping{Sequence: c.varint()}
	case typePong:
		return Pong{Sequence: c.varint()}
	case typeParameters:
		p, err := ParseParameters(c.sized())
		if err != nil {
			c.fail(err)
		}
		return p
	}
	c.fail(fmt.Errorf("%w %#x", ErrType, kind))
	return nil
}

func (c *cursor) stream(kind uint64) Frame {
	f := Stream{ID: c.varint(), NoOffset: kind&streamOffset == 0, FIN: kind&streamFIN != 0}
	if !f.NoOffset {
		f.Offset = c.varint()
	}
	if kind&streamLength != 0 {
		f.Data = c.sized()
	} else {
		f.Data = c.all()
	}
	return f
}

func (c *cursor) resetStreamAt() Frame {
	f := ResetStream{ID: c.varint(), Code: c.varint(), FinalSize: c.varint(), At: true, ReliableSize: c.varint()}
	if f.ReliableSize > f.FinalSize {
		c.fail(fmt.Errorf("%w: reliable size above final size", ErrMalformed))
	}
	return f
}
